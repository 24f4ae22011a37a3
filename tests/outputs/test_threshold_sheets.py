"""The sheets on past tasks, thresholds, the sandbox and the fleet's state, from toy results."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from fleetdesk.fleet.estimator import Level
from fleetdesk.fleet.historical_tasks import HistoricalTasks
from fleetdesk.fleet.placement import HourState
from fleetdesk.fleet.sandbox import PastFleet
from fleetdesk.fleet.swap_value import SwapValues
from fleetdesk.fleet.threshold_policy import LocalThreshold, ThresholdPolicy
from fleetdesk.fleet.thresholds import analyse
from fleetdesk.outputs.charts import (
    fleet_state_sheet,
    local_thresholds_sheet,
    sandbox_sheet,
    threshold_returns_sheet,
    threshold_sheet,
)
from fleetdesk.outputs.tables import (
    DoneRow,
    planned_done_sheet,
    task_history_sheet,
    task_totals_sheet,
)
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import WritePlan
from fleetdesk.sheets.memory import MemoryWorkbook

START = datetime(2024, 6, 3, 8, tzinfo=UTC)
SETTINGS = Settings()


def past() -> HistoricalTasks:
    """Five swaps over five weeks and one move; the fourth swap loses."""
    revenue = np.array([10.0, 8.0, 7.0, 1.0, 6.0, 5.0])
    return HistoricalTasks(
        vehicle_id=np.array([f"v{i}" for i in range(6)]),
        started_at=tuple(START + timedelta(weeks=i) for i in range(6)),
        week=np.array([5, 4, 3, 2, 1, 0]),
        hour=np.full(6, 11),
        kind=np.array(["swap"] * 5 + ["move"]),
        cell_before=np.array(["sx0r4m", "sx0r4m", "sx0r4q", "sx0r4q", "sx0r4q", "sx0r4m"]),
        cell_after=np.full(6, "sx0r4m"),
        battery_before_pct=np.array([5.0, 15, 25, 35, 20, np.nan]),
        battery_after_pct=np.full(6, 98.0),
        revenue=revenue,
        without=np.full(6, 2.0),
        cost=np.full(6, 1.5),
        expected=np.array([3.0, 3, 1, -1, 1, 1]),
        scooter_roi=revenue - 3.5,
        differential=np.array([1.0, 1, 1, -1, np.nan, np.nan]),
        unsettled=2,
        level=Level.FLEET,
        estimator="toy",
    )


def street() -> PastFleet:
    values = SwapValues(
        after=np.array([9.0, 9, 9, 9]), without=np.array([0.0, 2, 6, 8]),
        scooter_gain=np.array([9.0, 7, 3, 1]), cost=4.0, work_h=0.05,
    )  # fmt: skip
    return PastFleet(2, np.array([4.0, 18, 52, 80]), values, 2.0)


def all_sheets():
    tasks = past()
    found = analyse(tasks.returns(), 1, 20, 1)
    place = LocalThreshold("sx0r4m", 11, 44, 21.5, 3.2, overrides=True)
    policy = ThresholdPolicy(26.0, {("sx0r4m", 11): place})
    return [
        task_history_sheet(tasks, SETTINGS),
        task_totals_sheet(tasks, SETTINGS),
        threshold_sheet(found, SETTINGS),
        threshold_returns_sheet(found, SETTINGS),
        local_thresholds_sheet(policy, SETTINGS),
        sandbox_sheet(street(), SETTINGS),
        planned_done_sheet([DoneRow("Work of a swap", 12, 3.0, 4.1, "min", "Consider 4.1.")],
                           SETTINGS),
        fleet_state_sheet([HourState(h, 50.0, 2.0 + h / 24, 0.4, 90.0 - h) for h in range(24)],
                          SETTINGS),
    ]  # fmt: skip


def empty_sheets():
    return [
        task_history_sheet(None, SETTINGS),
        task_totals_sheet(None, SETTINGS),
        threshold_sheet(None, SETTINGS),
        threshold_returns_sheet(None, SETTINGS),
        local_thresholds_sheet(None, SETTINGS),
        sandbox_sheet(None, SETTINGS),
        planned_done_sheet([], SETTINGS),
        fleet_state_sheet([], SETTINGS),
    ]


def rows(sheet):
    headers = [column.header for column in sheet.columns]
    return [dict(zip(headers, row, strict=True)) for row in sheet.rows]


@pytest.mark.parametrize("make", [all_sheets, empty_sheets])
def test_every_sheet_can_be_written_and_its_charts_name_its_columns(make):
    book = MemoryWorkbook({"City": {}})
    sheets = make()
    book.commit(WritePlan(tuple(sheets)), book.snapshot().fingerprint)
    for sheet in sheets:
        assert book.charts(sheet.sheet) == (sheet.charts if sheet.rows else ())


def test_no_two_columns_share_a_name_at_either_level():
    for level in ("fleet", "scooter"):
        limits = SETTINGS.thresholds.model_copy(update={"roi_level": level})
        settings = SETTINGS.model_copy(update={"thresholds": limits})
        for sheet in (task_history_sheet(past(), settings), task_totals_sheet(past(), settings)):
            headers = [column.header for column in sheet.columns]
            assert len(set(headers)) == len(headers)


def test_titles_do_not_change_with_the_result():
    full, empty = (
        [chart.title for sheet in make() for chart in sheet.charts]
        for make in (all_sheets, empty_sheets)
    )
    assert full == empty
    assert len(set(full)) == len(full)


def test_the_newest_task_is_first_and_the_totals_add_up():
    history = rows(task_history_sheet(past(), SETTINGS))
    assert history[0]["Vehicle"] == "v5"
    # 37 earned; foreseen after: expected + without + cost = 8 + 6 x 3.5.
    assert "brought 128 % of the revenue foreseen" in task_history_sheet(past(), SETTINGS).note
    assert history[0]["Battery before (%)"] is None
    totals = {row["Of"]: row for row in rows(task_totals_sheet(past(), SETTINGS))}
    assert (totals["All tasks"]["Tasks"], totals["Task: swap"]["Tasks"]) == (6, 5)
    name = "Realised ROI, fleet-level net (EUR)"
    by_cell = [row[name] for key, row in totals.items() if key.startswith("Cell")]
    assert sum(by_cell) == pytest.approx(totals["All tasks"][name])
    assert totals["All tasks"][name] == pytest.approx(37 - 6 * 3.5)
    assert totals["Cell: sx0r4q"]["With a loss (%)"] == pytest.approx(100 / 3)


def test_the_curve_marks_the_threshold_in_use_and_the_best():
    sheet = threshold_sheet(analyse(past().returns(), 1, 20, 1), SETTINGS)
    found = {row["Threshold (%)"]: row for row in rows(sheet)}
    header = "Cumulative return (EUR)"
    assert found[26.0]["Best"] == found[26.0][header] == pytest.approx(31 - 4 * 3.5)
    assert found[30.0]["In use"] == found[30.0][header]
    assert found[36.0][header] == pytest.approx(32 - 5 * 3.5)
    assert list(found)[-1] == 36
    assert sheet.charts[0].note.startswith("Highest at 26 % (9 in 10 draws: ")


def test_a_curve_has_ends_where_draws_were_made_and_else_none():
    ends = ("Low end of it (EUR)", "High end of it (EUR)")
    for rounds in (0, 20):
        sheet = threshold_sheet(analyse(past().returns(), 1, rounds, 1), SETTINGS)
        shown = [row[end] for row in rows(sheet) for end in ends]
        assert all((value is None) == (rounds == 0) for value in shown)
        drawn = {series.header for series in sheet.charts[0].series}
        assert drawn.issuperset(ends) == (rounds > 0)


def test_the_table_names_both_bounds_and_the_weeks_not_learnt_from():
    found = {
        row["Weeks and rule"]: row
        for row in rows(threshold_returns_sheet(analyse(past().returns(), 2, 0, 1), SETTINGS))
    }
    names = " ".join(found)
    assert "Upper bound: E[ROI | S] > 0" in names
    assert "Upper bound: perfect prediction" in names
    held_out = found["last weeks, not learnt from: Best threshold"]
    assert held_out["Threshold (%)"] is not None
    fitted = found["all weeks, fitted on them: Best threshold"]
    assert fitted["Cost/revenue (%)"] == pytest.approx(100 * 6 / 31)


def test_the_sandbox_by_hand():
    found = {row["Threshold (%)"]: row for row in rows(sandbox_sheet(street(), SETTINGS))}
    roi = "ROI, fleet-level net (EUR a day)"
    assert found[20.0]["Swaps a day"] == 1
    assert found[20.0][roi] == pytest.approx((5 + 3) / 2)
    assert found[20.0]["Missed rides a day"] == pytest.approx((3 + 1) / 2.0 / 2)
    assert found[20.0]["Cost/revenue (%)"] == pytest.approx(100 * 8 / 18)
    assert found[95.0]["Missed rides a day"] == 0
    assert [pct for pct, row in found.items() if row["In use"] is not None] == [30.0]
    assert street().trial(None).roi == pytest.approx(4)
