"""The rest of a day: what the last plan's rows say is done, and where the vans go on from."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import openpyxl
import pytest

from fleetdesk.model.edits import Edits, StopKey, TaskEdit
from fleetdesk.model.plan import Action, PauseKind, Plan
from fleetdesk.model.work import Break
from fleetdesk.outputs.tables import routes_sheet
from fleetdesk.routes.building import build
from fleetdesk.routes.evaluate import violations
from fleetdesk.routes.problem import sequences_of
from fleetdesk.routes.solve import plan
from fleetdesk.routes.stop import Iterations
from fleetdesk.routes.travel_times import Haversine
from fleetdesk.settings.schema import Settings
from fleetdesk.store.base import RunState
from fleetdesk.workflows.context import store_of
from fleetdesk.workflows.done_against_planned import earlier_tasks
from fleetdesk.workflows.moment import Moment
from fleetdesk.workflows.run import run_workbook
from fleetdesk.workflows.so_far import SoFar, rest_unused, so_far

from ..routes.conftest import MORNING, Town
from .conftest import Clock, column, edit

ZONE = "Europe/Athens"
SETTINGS = Settings.model_validate({"city": {"name": "Toy", "timezone": ZONE, "currency": "EUR"}})


@pytest.fixture
def town() -> Town:
    town = Town()
    for x in range(1, 8):
        town.swap(x, 0, 9.0)
    town.move(2, 1, (5, 1), 9.0, swap=True)
    town.van("Maria", batteries=9)
    town.vans[0] = replace(town.vans[0], reload_at=(town.vans[0].start,), max_reloads=2)
    return town


def kept(found: Plan, town: Town) -> Any:
    """A store that holds nothing but the last plan's rows."""
    sheet = routes_sheet(found, SETTINGS, tasks=town.tasks, links=False)
    headers = [column.header for column in sheet.columns]
    rows = [dict(zip(headers, row, strict=True)) for row in sheet.rows]
    summary = {"tasks_planned": 8, "day": MORNING.date().isoformat()}
    run = SimpleNamespace(run_id="1", state=RunState.FINISHED, summary=summary)
    runs = SimpleNamespace(list=lambda: [run])
    table = SimpleNamespace(to_pylist=lambda: rows)
    return SimpleNamespace(runs=runs, result=lambda _run, _sheet: table)


def left(found: Plan, town: Town, at: datetime, said: dict[StopKey, bool] | None = None) -> SoFar:
    now = Moment(at.date(), at, at, rest=True)
    return so_far(kept(found, town), now, town.tasks, town.vans, said or {}, (), ZONE)


@pytest.fixture
def morning(town: Town) -> Plan:
    return plan(town.problem(), Iterations(60), seed=1)


def test_at_any_moment_done_and_left_are_the_whole_day(town, morning) -> None:
    (route,) = morning.routes
    until_the_way_home = route.duration_s - route.return_leg_s
    for minutes in range(0, until_the_way_home // 60, 7):
        at = route.start_at + timedelta(minutes=minutes)
        here = left(morning, town, at)
        (van,) = here.vans
        begun = [v for v in route.visits if v.arrive_at - timedelta(seconds=v.leg_s) < at]
        assert [row["Vehicle"] for row in here.rows] == [visit.vehicle_id for visit in begun]
        assert {task.task_id for task in here.tasks} | {v.task_id for v in begun} == set(
            town.values
        )
        if begun:
            last = begun[-1]
            assert (van.start, van.batteries) == (last.at, last.batteries_left)
            assert abs(van.shift_start - max(at, last.leave_at)) < timedelta(seconds=1)
        problem = build(here.tasks, town.values, {}, here.vans, Haversine(), "EUR")
        rest = plan(problem, Iterations(5), seed=1)
        assert violations(problem, sequences_of(problem, rest)) == ()
        carried = {task.task_id for task in here.tasks if task.carried}
        assert carried <= rest.planned_task_ids


def test_the_planner_knows_better_than_the_clock(town, morning) -> None:
    (route,) = morning.routes
    swaps = [v for v in route.visits if v.action is Action.SWAP]
    at = swaps[2].leave_at
    undone, early = StopKey(swaps[0].task_id), StopKey(swaps[-1].task_id)
    plain, here = left(morning, town, at), left(morning, town, at, {undone: False, early: True})
    assert {row["Task"] for row in plain.rows} ^ {row["Task"] for row in here.rows} == {
        undone.task_id,
        early.task_id,
    }
    assert undone.task_id in {task.task_id for task in here.tasks}
    # Where it was last, from now on, and with the batteries that it did not put in.
    assert (here.vans[0].start, here.vans[0].shift_start) == (swaps[-1].at, at)
    assert here.vans[0].batteries == 9 - len({row["Task"] for row in here.rows})


def test_planning_again_at_the_same_moment_leaves_all_stops_open(town, morning) -> None:
    (route,) = morning.routes
    at = route.start_at + timedelta(minutes=5)
    nothing = {StopKey(v.task_id, v.action is Action.DROP_OFF): False for v in route.visits}
    here = left(morning, town, at, nothing)
    problem = build(here.tasks, town.values, {}, here.vans, Haversine(), "EUR")
    again = plan(problem, Iterations(20), seed=1)
    assert again.routes[0].start_at == at
    assert left(again, town, at).rows == ()


def test_what_was_done_stays_done_where_its_worker_has_gone(town, morning) -> None:
    (route,) = morning.routes
    picked = next(v for v in route.visits if v.action is Action.SWAP_AND_PICK_UP)
    before = left(morning, town, picked.leave_at)
    town.vans = [replace(town.vans[0], worker="Nikos")]
    here = left(morning, town, picked.leave_at)
    assert here.rows == before.rows
    assert (here.vans[0].start, here.vans[0].batteries) == (town.vans[0].start, 9)
    # The vehicle on the van that went is no task of another's.
    assert {task.task_id for task in here.tasks} == {
        task.task_id for task in before.tasks if not task.carried
    }
    assert f"{picked.vehicle_id} is on the van of Maria" in str(here.notes[0])


def test_a_vehicle_on_board_of_which_records_say_nothing_more_is_told_of(town, morning) -> None:
    (route,) = morning.routes
    picked = next(v for v in route.visits if v.action is Action.SWAP_AND_PICK_UP)
    town.tasks = [task for task in town.tasks if task.task_id != picked.task_id]
    here = left(morning, town, picked.leave_at)
    assert here.vans[0].vehicles_on_board == 1
    assert f"{picked.vehicle_id} is on the van of Maria" in str(here.notes[0])


def test_an_edit_of_what_is_done_is_not_lost_without_a_word(town, morning) -> None:
    first, *_, last = morning.routes[0].visits
    here = left(morning, town, first.leave_at)
    asked = Edits((TaskEdit(first.task_id, "excluded", excluded=True), TaskEdit(last.task_id, "")))
    still = here.open(asked)
    assert [edit.task_id for edit in still.tasks] == [last.task_id]
    ((task, problem),) = still.problems
    assert task == first.task_id
    assert "this edit is over: excluded" in str(problem)


def test_who_is_at_a_break_has_it_to_its_end_and_no_other(town) -> None:
    hour = MORNING + timedelta(minutes=20)
    town.vans[0] = replace(town.vans[0], breaks=(Break(hour, hour + timedelta(minutes=30), 1800),))
    found = plan(town.problem(), Iterations(20), seed=1)
    (pause,) = (p for p in found.routes[0].pauses if p.kind is PauseKind.BREAK)
    assert pause.after_stop
    here = left(found, town, pause.start_at + timedelta(minutes=10))
    assert len([row for row in here.rows if row["Task"]]) == pause.after_stop
    assert (here.vans[0].shift_start, here.vans[0].breaks) == (pause.end_at, ())
    early = left(found, town, pause.start_at - timedelta(minutes=1))
    assert len(early.vans[0].breaks) == 1


def test_who_is_on_the_way_to_a_reload_is_not_called_back(town) -> None:
    town.vans[0] = replace(town.vans[0], battery_capacity=4, reload_s=600)
    found = plan(town.problem(), Iterations(60), seed=1)
    (route,) = found.routes
    reload = next(p for p in route.pauses if p.kind is PauseKind.RELOAD)
    before, after = route.visits[reload.after_stop - 1 : reload.after_stop + 1]
    assert before.leave_at < reload.start_at < reload.end_at < after.arrive_at
    for at in (before.leave_at + timedelta(seconds=1), reload.start_at, reload.end_at):
        here = left(found, town, at)
        assert [row["Vehicle"] for row in here.rows if row["Task"]][-1] == after.vehicle_id
        assert (here.vans[0].shift_start, here.vans[0].max_reloads) == (after.leave_at, 1)
        assert here.vans[0].batteries == after.batteries_left
    early = left(found, town, before.leave_at)
    assert (early.vans[0].shift_start, early.vans[0].max_reloads) == (before.leave_at, 2)


def test_who_is_home_sets_out_again_with_all_batteries(town, morning) -> None:
    (route,) = morning.routes
    (van,) = left(morning, town, route.end_at + timedelta(minutes=30)).vans
    assert van.shift_start == route.end_at + timedelta(minutes=30)
    assert (van.start, van.batteries, van.max_reloads) == (town.vans[0].end, 9, 2)


def test_the_whole_day_is_left_where_no_rest_is_asked_for(town, morning) -> None:
    now = Moment(MORNING.date(), MORNING, MORNING)
    here = so_far(kept(morning, town), now, town.tasks, town.vans, {}, (), ZONE)
    assert here == SoFar(tuple(town.tasks), tuple(town.vans))
    said = {StopKey("T0"): True, StopKey("T1"): False}
    (note,) = so_far(kept(morning, town), now, town.tasks, town.vans, said, (), ZONE).notes
    assert "Done is yes at 1 stop, " in str(note)
    tomorrow = replace(now, day=now.day + timedelta(days=1))
    store = kept(morning, town)
    assert so_far(store, tomorrow, town.tasks, town.vans, said, (), ZONE).notes == ()


def test_a_time_that_counts_for_no_plan_is_told() -> None:
    now = Moment(MORNING.date(), MORNING, MORNING)
    travel = SETTINGS.travel.model_copy(update={"rest_from": MORNING.time()})
    asked = SETTINGS.model_copy(update={"travel": travel})
    assert "no effect" in str(rest_unused(now, asked)[0])
    assert rest_unused(replace(now, rest=True), asked) == rest_unused(now, SETTINGS) == ()


def test_a_run_plans_the_rest_and_keeps_what_is_done(workspace: Path) -> None:
    book = workspace / "FleetDesk.xlsx"
    arrive, tasks = column(book, "Routes", "Arrive"), column(book, "Routes", "Task")
    workers = column(book, "Routes", "Worker")
    first = [n for n, worker in enumerate(workers) if worker == workers[0] and tasks[n]]
    at = arrive[first[len(first) // 2]] + timedelta(seconds=1)
    edit(book, "Routes & travel", "Rest of the day from", at.time())
    run = run_workbook(book, only=["plan"], clock=Clock())
    assert "Planned the rest of 2026-06-17 from" in run.headlines[0]
    done = column(book, "Routes", "Done")
    now = column(book, "Routes", "Task")
    before = [task for task, said in zip(now, done, strict=True) if said == "yes"]
    assert set(before) >= {tasks[n] for n in first[: len(first) // 2 + 1]}
    after = [task for task, said in zip(now, done, strict=True) if task and said != "yes"]
    assert not set(before) & set(after)
    # Looked back at later, the day has what was done before and what was left.
    with store_of(workspace, clock=Clock()) as store:
        day = [task.vehicle_id for task in earlier_tasks(store, SETTINGS) if task.planned]
    assert sorted(day) == sorted({str(task).split()[0] for task in (*before, *after)})
    sheet = openpyxl.load_workbook(book)["Routes"]
    assert "What was done before is shown above" in str(
        [cell.value for row in sheet.iter_rows(max_row=4) for cell in row]
    )
    # The same again changes nothing: what is done stays done, as it was.
    run_workbook(book, only=["plan"], clock=Clock())
    assert column(book, "Routes", "Task") == now
    assert column(book, "Routes", "Done") == done
