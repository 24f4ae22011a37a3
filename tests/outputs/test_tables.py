"""The planner's sheets, from a day of two workers and five tasks."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from tests.outputs.conftest import SQUARE

from fleetdesk.errors import Problem, Severity
from fleetdesk.model.plan import Pause, PauseKind, Plan
from fleetdesk.model.work import TaskKind
from fleetdesk.outputs.tables import (
    CellRate,
    RunLogRow,
    issues_sheet,
    kpis_sheet,
    plan_changes,
    roi_sheet,
    routes_sheet,
    run_log_sheet,
    tasks_sheet,
)
from fleetdesk.sheets.base import Link, ResultSheet

NOTHING = Plan((), (), "pyvrp", "estimated", 1, 0)


def test_tasks_are_in_order_of_rank_and_each_explains_itself(day):
    sheet = tasks(day)
    rows = records(sheet)
    assert [row["Rank"] for row in rows] == [1, 2, 3, 4, 5]
    for row in rows:
        assert row["Why it is here"]
        assert row["Why this rank"]
        assert row["Why not planned"]
    first, second, third, fourth, fifth = rows
    assert first["Where"] == f"cell {day.tasks[0].before.cell}"
    assert second["Where"] == "Λευκός Πύργος"
    assert third["Destination"] == "Aristotelous"
    assert first["Planned?"] == "Ελένη, stop 1"
    assert fourth["Planned?"] == "Ελένη, stop 2, drop-off at stop 3"
    assert fifth["Planned?"] == "no"
    assert first["Why it is here"] == "Battery 8 % is below the limit of 30 %."
    assert first["Why this rank"] == (
        "Low battery 0.90 x 35 % + Return on investment 0.50 x 30 % = 90.0"
    )
    assert first["Why not planned"] == "It is planned: Ελένη, stop 1."
    assert fifth["Why not planned"] == (
        "The cheapest detour costs 4.10 more than its ROI of 3.20. "
        "Would help: A worker who starts nearer."
    )


def test_money_of_a_task_adds_up_under_headers_with_the_currency(day):
    row = records(tasks(day))[1]
    roi = row["ROI, fleet-level net (EUR)"]
    assert roi == pytest.approx(
        row["Revenue with task (EUR)"] - row["Revenue without task (EUR)"] - row["Cost (EUR)"]
    )
    assert roi == pytest.approx(5.5)


def test_a_task_without_rank_roi_or_answer_still_has_its_row(day):
    sheet = tasks_sheet(day.tasks, (), {}, NOTHING, (), day.settings)
    rows = records(sheet)
    assert [row["Task"] for row in rows] == ["T1", "T2", "T3", "T4", "T5"]
    assert {row["Why not planned"] for row in rows} == {
        "It was not offered to the routes in this run."
    }
    assert rows[0]["Rank"] is None
    assert rows[0]["Why this rank"] == "It was not ranked."


def test_an_unknown_battery_is_left_empty(day):
    fleet = [replace(day.fleet[0], battery_pct=None), *day.fleet[1:]]
    sheet = tasks_sheet(day.tasks, day.priorities, day.rois, day.plan, fleet, day.settings)
    assert records(sheet)[0]["Battery (%)"] is None


def test_routes_in_local_time_with_the_way_back(day):
    rows = records(routes_sheet(day.plan, day.settings, adds={"T1": 4.5, "T4": 7.5}))
    assert [(row["Worker"], row["Stop"], row["Action"]) for row in rows] == [
        ("Ελένη", 1, "swap battery"),
        ("Ελένη", 2, "swap battery, pick up"),
        ("Ελένη", 3, "drop off"),
        ("Ελένη", 4, "back at start"),
        ("Nikos", 1, "swap battery"),
        ("Nikos", 2, "pick up"),
        ("Nikos", 3, "drop off"),
        ("Nikos", 4, "back at start"),
    ]
    assert rows[0]["Arrive"] == datetime(2025, 6, 3, 9, 10)
    assert rows[0]["Leg (km)"] == pytest.approx(1.4)
    assert rows[0]["Leg (min)"] == pytest.approx(4)
    assert [row["What it adds (EUR)"] for row in rows[:4]] == [4.5, 7.5, None, None]
    assert rows[0]["Directions"] == Link(
        "https://www.google.com/maps/dir/?api=1&destination=40.638000,22.944000", "directions"
    )
    assert rows[3]["Arrive"] == datetime(2025, 6, 3, 9, 45)
    assert rows[3]["Directions"] is None


def test_breaks_stand_between_the_stops_and_cannot_be_edited(day):
    route = day.plan.routes[0]
    at = route.visits[1].leave_at
    pause = Pause(PauseKind.BREAK, SQUARE, at, at + timedelta(minutes=30), 2, 38)
    plan = replace(day.plan, routes=(replace(route, pauses=(pause,)), day.plan.routes[1]))
    rows = records(routes_sheet(plan, day.settings, tasks=day.tasks))
    assert [row["Action"] for row in rows[:4]] == [
        "swap battery", "swap battery, pick up", "break", "drop off"
    ]  # fmt: skip
    assert (rows[2]["Stop"], rows[2]["Task"], rows[2]["Row"]) == (None, "", "Ελένη: break 1")
    before = {"Worker": route.worker, "Stop": None, "Row": "Ελένη: break 1"}
    rest = routes_sheet(plan, day.settings, tasks=day.tasks, done=[before])
    names = [row["Row"] for row in records(rest)]
    assert "Ελένη: break 2" in names and len(set(names)) == len(names)


def test_the_work_of_a_stop_is_that_of_its_task(day):
    kinds = (TaskKind.INSPECT, TaskKind.SERVICE)
    tasks = (replace(day.tasks[0], kinds=kinds, must=True, skill="mechanic"), *day.tasks[1:])
    first = records(routes_sheet(day.plan, day.settings, tasks=tasks))[0]
    assert first["Action"] == "inspect, service"
    sheet = tasks_sheet(tasks, day.priorities, day.rois, day.plan, day.fleet, day.settings)
    row = records(sheet)[0]
    assert (row["Must do"], row["Skill"], row["What to do"]) == (
        "yes", "mechanic", "inspect, service"
    )  # fmt: skip


def test_what_changed_since_the_last_plan_is_told_by_worker(day):
    before = {"T1": "Nikos", "T2": "Nikos", "T3": "", "T5": "Ελένη", "gone": "Nikos"}
    changed = plan_changes(day.plan, before, frozenset(t.task_id for t in day.tasks))
    assert changed == {
        "T1": "from Nikos to Ελένη", "T3": "now planned, Nikos", "T4": "new task, Ελένη",
        "T5": "no longer planned, was Ελένη",
    }  # fmt: skip
    assert plan_changes(day.plan, None, frozenset({"T1"})) == {}
    sheet = routes_sheet(day.plan, day.settings, tasks=day.tasks, changed=changed)
    told = [row["Since the last plan"] for row in records(sheet)]
    assert told[:3] == ["from Nikos to Ελένη", "new task, Ελένη", ""], "once per task"
    whole = tasks_sheet(
        day.tasks, day.priorities, day.rois, day.plan, day.fleet, day.settings, None, changed
    )
    assert whole.note.endswith("4 tasks changed since the last plan.")


def test_routes_without_links_have_no_such_column(day):
    sheet = routes_sheet(day.plan, day.settings, links=False)
    assert "Directions" not in {column.header for column in sheet.columns}
    check(sheet)


def test_roi_by_cell_best_first_with_what_is_behind_the_rate(day):
    cell = day.tasks[0].before.cell
    sheet = roi_sheet(day.tasks, day.rois, day.plan, {cell: CellRate(0.42, 61.5)}, day.settings)
    rows = records(sheet)
    totals = [row["ROI, fleet-level net, all tasks (EUR)"] for row in rows]
    assert totals == sorted(totals, reverse=True)
    assert sum(totals) == pytest.approx(sum(roi.roi for roi in day.rois.values()))
    assert sum(row["Tasks"] for row in rows) == 5
    assert sum(row["Planned"] for row in rows) == 4
    with_rate = next(row for row in rows if row["Cell"] == cell)
    assert (with_rate["Revenue rate (EUR/h)"], with_rate["Hours behind the rate (h)"]) == (
        0.42, 61.5,
    )  # fmt: skip
    assert "Estimator: v0." in sheet.note


def test_gross_revenue_is_named_gross(day):
    costs = day.settings.costs.model_copy(update={"use_net_revenue": False})
    settings = day.settings.model_copy(update={"costs": costs})
    sheet = roi_sheet(day.tasks, day.rois, day.plan, {}, settings)
    assert "ROI, fleet-level gross, per task (EUR)" in {c.header for c in sheet.columns}


def test_kpis(day):
    kpi = SimpleNamespace(group="Fleet", name="Availability", value=91.25, unit="%",
                          formula="available hours / all hours", window="28 days")  # fmt: skip
    (row,) = records(kpis_sheet([kpi]))
    assert row == {
        "Group": "Fleet", "KPI": "Availability", "Value": 91.25, "Unit": "%",
        "Formula": "available hours / all hours", "Window": "28 days",
    }  # fmt: skip


def test_issues_lead_to_their_cells_errors_first():
    sheet = issues_sheet(
        [
            Problem("Parkings", "", "", "has no rows", severity=Severity.NOTE),
            Problem("Maria's list", "B2", "x", "is no number", severity=Severity.WARNING),
            Problem("Costs & prices", "B5", "-1", "is below 0", "Enter a price"),
        ]
    )
    rows = records(sheet)
    assert [row["Severity"] for row in rows] == ["error", "warning", "note"]
    assert rows[0]["Where"] == Link("#'Costs & prices'!B5", "'Costs & prices'!B5")
    assert rows[1]["Where"].target == "#'Maria''s list'!B2"
    assert rows[2]["Where"] == "Parkings"
    assert [row["Issue"] for row in rows] == ["-1 is below 0", "x is no number", "has no rows"]
    assert issues_sheet([]).note == "Nothing to mend."


def test_run_log_has_the_columns_that_start_reads(day):
    run = RunLogRow(
        "2025-06-03-1", datetime(2025, 6, 3, 5, 0, tzinfo=UTC), None, "eleni", "done",
        datetime(2025, 5, 6, tzinfo=UTC), datetime(2025, 6, 3, tzinfo=UTC), 5, 4, 19.64,
        ("Weights!B5: 0.35 -> 0.5", "Thresholds!B2: 30 -> 25"), 1, "0.1.0", "outputs/map.html",
    )  # fmt: skip
    sheet = run_log_sheet([run], day.settings)
    assert sheet.table_name == "RunLog"
    assert {"Run", "Started", "Result", "Tasks planned", "Profit"} <= {
        column.header for column in sheet.columns
    }
    (row,) = records(sheet)
    assert row["Started"] == datetime(2025, 6, 3, 8, 0)
    assert row["Finished"] is None
    assert row["What changed"] == "Weights!B5: 0.35 -> 0.5\nThresholds!B2: 30 -> 25"
    assert row["Map"] == Link("outputs/map.html", "open map")
    assert "Profit in EUR" in sheet.note


def test_empty_in_typed_empty_out(day):
    for sheet in (
        tasks_sheet((), (), {}, NOTHING, (), day.settings),
        routes_sheet(NOTHING, day.settings),
        roi_sheet((), {}, NOTHING, {}, day.settings),
        kpis_sheet(()),
        run_log_sheet((), day.settings),
    ):
        check(sheet)
        assert list(sheet.rows) == []


def test_same_in_same_out_and_inputs_untouched(day):
    before = copy.deepcopy(day)
    assert tasks(day) == tasks(day)
    assert routes_sheet(day.plan, day.settings) == routes_sheet(day.plan, day.settings)
    shuffled = tasks_sheet(
        day.tasks[::-1], day.priorities[::-1], day.rois, day.plan, day.fleet[::-1], day.settings
    )
    assert shuffled == tasks(day)
    assert roi_sheet(day.tasks[::-1], day.rois, day.plan, {}, day.settings) == roi_sheet(
        day.tasks, day.rois, day.plan, {}, day.settings
    )
    assert day == before


def tasks(day) -> ResultSheet:
    return tasks_sheet(day.tasks, day.priorities, day.rois, day.plan, day.fleet, day.settings)


def records(sheet: ResultSheet) -> list[dict]:
    check(sheet)
    headers = [column.header for column in sheet.columns]
    return [dict(zip(headers, row, strict=True)) for row in sheet.rows]


def check(sheet: ResultSheet) -> None:
    headers = [column.header for column in sheet.columns]
    assert len(set(headers)) == len(headers)
    assert all(len(row) == len(headers) for row in sheet.rows)
    assert sheet.key is None or sheet.key in headers
    assert sheet.note
    for row in sheet.rows:
        assert not any(isinstance(cell, datetime) and cell.tzinfo for cell in row)
