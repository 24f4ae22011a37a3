"""Settings tried on the past, plans beside what was done; nothing of it writes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fleetdesk.errors import FleetDeskError
from fleetdesk.features.calendar import naive_utc
from fleetdesk.settings.schema import Settings, Worker
from fleetdesk.workflows import replay as past_days
from fleetdesk.workflows.context import store_of
from fleetdesk.workflows.done_against_planned import (
    PlannedTask,
    crews_work,
    earlier_tasks,
    leaving,
)
from fleetdesk.workflows.record import Record
from fleetdesk.workflows.sandbox import day_starts, sandbox
from fleetdesk.workflows.trial_settings import variants
from tests.workflows.conftest import Clock

START = datetime(2024, 6, 3, 8, tzinfo=UTC)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file with its bytes, but for the note of who holds the lock."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "lock" not in path.name
    }


def test_the_sandbox_compares_thresholds_and_writes_nothing(workspace: Path) -> None:
    before = contents(workspace)
    found = sandbox(
        str(workspace / "FleetDesk.xlsx"),
        ["Thresholds: Low battery below=0,30,60", "Thresholds: ROI counted for=scooter",
         "Thresholds: Tasks are made by=threshold"],
        clock=Clock(),
    )  # fmt: skip
    assert contents(workspace) == before
    none, low, high = (trial for _, trial in found.trials[1:4])
    assert (none.swaps, none.roi, none.cost_per_revenue_pct) == (0, 0, None)
    assert 0 < low.swaps < high.swaps
    assert none.missed_rides > low.missed_rides > high.missed_rides >= 0
    assert high.crew_h == pytest.approx(high.swaps * 3 / 60)
    assert [name.split(",")[0] for name, _ in found.trials] == [
        "below 30 %", "below 0 %", "below 30 %", "below 60 %", "where ROI > 0",
    ]  # fmt: skip
    best = found.trials[-1]
    assert best[1].roi >= max(trial.roi for _, trial in found.trials[1:4])
    assert "Nothing was written" in found.as_dict()["text"]


def test_a_replay_knows_nothing_of_the_day_it_plans(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = []
    plan_day = past_days.plan_day

    def watched(*args, **more):
        day = plan_day(*args, **more)
        moments.append(day.moment)
        return day

    all_days = past_days._days
    monkeypatch.setattr(past_days, "plan_day", watched)
    monkeypatch.setattr(past_days, "_days", lambda *given: all_days(*given)[-2:])
    before = contents(workspace)
    found = past_days.replay(str(workspace / "FleetDesk.xlsx"), weeks=1, clock=Clock())
    assert contents(workspace) == before
    assert len(found.days) == 2
    for day, moment in zip(found.days, moments, strict=True):
        assert moment.day == day.day
        assert moment.as_of <= moment.starts_at
        assert day.served.vehicles <= day.planned
        assert day.served.vehicles + day.left.vehicles <= day.tasks
        assert day.left.realised >= 0
    assert found.as_dict()["text"].splitlines()[-1].startswith("Sum")


def test_every_combination_of_values_is_tried() -> None:
    tried = dict(
        variants(
            Settings(),
            ["thresholds: low battery below=25, 40", "Costs & prices: Count net revenue=no"],
        )
    )
    assert [s.thresholds.low_battery_pct for s in tried.values()] == [25, 40]
    assert not any(s.costs.use_net_revenue for s in tried.values())
    assert next(iter(tried)) == (
        "Thresholds: Low battery below = 25, Costs & prices: Count net revenue = no"
    )


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("Thresholds: Low battery below", "no = in it"),
        ("Threshold: Low battery below=3", "there is no sheet"),
        ("Thresholds: Low batery=3", "Low battery below"),
        ("Thresholds: Low battery below=many", "cannot be"),
        ("Thresholds: Low battery below=101", "cannot be 101"),
        ("Thresholds: Low battery below=" + ",".join(["1"] * 300), "300 combinations"),
    ],
)
def test_a_setting_that_cannot_be_tried_is_told(change: str, told: str) -> None:
    with pytest.raises(FleetDeskError, match=told):
        list(variants(Settings(), [change]))


def test_a_day_begins_with_its_first_shift() -> None:
    starts = day_starts(START + timedelta(hours=1), Settings(), 2)
    assert starts == [START - timedelta(days=2), START - timedelta(days=1), START]


def test_what_leaving_costs_by_hand() -> None:
    """Planned vehicles earned 9 and 11, those held back 4 and 2: leaving costs 7 each."""

    def task(name: str, *, held: bool) -> PlannedTask:
        return PlannedTask(name, START, not held, held, 3.0, 5.0 if held else 1.0, None)

    at = naive_utc(START) + timedelta(hours=2)
    late = at + timedelta(days=3)
    record = Record(
        {}, {"a": [(at, 9.0)], "b": [(at, 11.0), (late, 99.0)], "c": [(at, 4.0)], "d": [(at, 2.0)]}
    )
    tasks = [task("a", held=False), task("b", held=False), task("c", held=True),
             task("d", held=True)]  # fmt: skip
    earned, cost = leaving(tasks, record, Settings())
    assert (earned.tasks, earned.foreseen, earned.measured) == (2, 5.0, 3.0)
    assert cost.measured == pytest.approx(7.0)
    assert "2.77" in cost.suggestion  # 1.96 x sqrt(2 / 2 + 2 / 2)
    assert leaving(tasks[:2], record, Settings()) == ()


def test_runs_whose_results_were_cleared_away_stand_for_no_tasks(workspace: Path) -> None:
    with store_of(workspace, clock=Clock()) as store:
        (run,) = store.runs.list()
        assert earlier_tasks(store, Settings())
        store.runs.drop_results(run.run_id)
        assert earlier_tasks(store, Settings()) == []


def test_the_drive_is_taken_off_the_work_of_a_move() -> None:
    """25 km/h and a detour of 1.35: 2.5 km apart are 8.1 minutes of driving, of 13.1 in all."""
    move = {"task_kind": "rebalance", "cost": None, "minutes": 13.1, "apart_m": 2500.0}
    unknown = move | {"minutes": 99.0, "apart_m": None}
    swap = {"task_kind": "swap", "cost": 2.0, "minutes": 3.0, "apart_m": 0.0}
    rows = {row.what: row for row in crews_work([move, swap, unknown] * 10, Settings())}
    moved = rows["Work of a move, drive taken off, middle of all"]
    assert (moved.tasks, moved.foreseen) == (10, 5)
    assert moved.measured == pytest.approx(5.0)
    assert "Consider" not in moved.suggestion
    assert rows["Work of a swap, middle of all"].measured == 3.0


def test_the_drive_of_a_move_is_at_the_speed_and_the_detour_of_the_sheets() -> None:
    """10 km/h and a detour of 2: 1 km apart is 12 minutes of driving, of 20 in all."""
    crew = {"start_lat": 38.0, "start_lon": 23.7}
    workers = (
        Worker(name="Maria", speed_kmh=10, **crew),
        Worker(name="Nikos", speed_kmh=90, active=False, **crew),
    )
    settings = Settings(workers=workers, travel={"detour_factor": 2})
    move = {"task_kind": "rebalance", "cost": None, "minutes": 20.0, "apart_m": 1000.0}
    (moved,) = crews_work([move] * 10, settings)
    assert moved.measured == pytest.approx(8.0)
