"""Windows, breaks, skills, overtime, reloads and duties are never broken, and money adds up."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetdesk.model.places import Point
from fleetdesk.model.plan import Action, DropCode, PauseKind, Plan
from fleetdesk.model.work import Break
from fleetdesk.routes.building import Wishes, build
from fleetdesk.routes.evaluate import evaluate, imbalance_milli, violations
from fleetdesk.routes.problem import sequences_of
from fleetdesk.routes.solve import plan
from fleetdesk.routes.stop import Iterations
from fleetdesk.routes.travel_times import Haversine

from .conftest import MORNING, Town, random_town


def hard_day(seed: int) -> Town:
    """A random town whose tasks ask for hours, skills and duty, with breaks and overtime."""
    draw = Random(seed)
    town = random_town(seed, most_tasks=12, most_vans=3)
    for number, task in enumerate(town.tasks):
        early = MORNING + timedelta(minutes=draw.choice([0, 15, 40]))
        late = early + timedelta(minutes=draw.choice([20, 60]))
        timed = draw.random() < 0.4
        town.tasks[number] = replace(
            task,
            earliest=early if timed else None,
            latest=late if timed else None,
            skill=draw.choice(["", "", "", "repair"]),
            must=draw.random() < 0.2,
        )
    for number, van in enumerate(town.vans):
        from_at = van.shift_start + timedelta(minutes=draw.choice([10, 30]))
        pause = Break(from_at, from_at + timedelta(minutes=15), 60 * draw.choice([10, 20]))
        town.vans[number] = replace(
            van,
            skills=frozenset(draw.choice([(), ("repair",)])),
            breaks=(pause,) if draw.random() < 0.5 else (),
            overtime_s=draw.choice([0, 900]),
            overtime_per_h=7.0,
            reload_at=(van.start,) if draw.random() < 0.3 else (),
            reload_s=300,
            max_reloads=1,
        )
    return town


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(0, 10**6))
def test_no_limit_is_ever_broken_and_every_task_is_accounted_for(seed) -> None:
    town = hard_day(seed)
    problem = town.problem()
    found = plan(problem, Iterations(20), seed=1)
    tasks = {task.task_id: task for task in town.tasks}
    vans = {van.worker: van for van in town.vans}
    ids = [dropped.task_id for dropped in found.dropped]
    assert sorted([*ids, *found.planned_task_ids]) == sorted(tasks)
    assert all(dropped.reason for dropped in found.dropped)
    assert evaluate(problem, sequences_of(problem, found)) == found.routes
    for route in found.routes:
        van = vans[route.worker]
        assert route.end_at <= van.shift_end + timedelta(seconds=van.overtime_s)
        assert route.start_at >= van.shift_start
        for visit in route.visits:
            task = tasks[visit.task_id]
            begins = visit.arrive_at + timedelta(seconds=visit.wait_s)
            assert task.earliest is None or begins >= task.earliest
            assert task.latest is None or begins <= task.latest
            assert not task.skill or task.skill in van.skills
            assert 0 <= visit.load_vehicles <= van.vehicle_capacity
            assert visit.batteries_left >= 0
        for pause in van.breaks:
            taken = [each for each in route.pauses if each.kind is PauseKind.BREAK]
            out_then = route.start_at <= pause.latest < route.end_at
            if van.shift_start <= pause.latest and out_then:
                assert [each for each in taken if pause.earliest <= each.start_at <= pause.latest]
        worked = timedelta(seconds=sum(visit.leg_s for visit in route.visits) + route.return_leg_s)
        assert route.end_at - route.start_at >= worked
        assert route.distance_m == sum(visit.leg_m for visit in route.visits) + route.return_leg_m
    rows = sum(r.value_milli - r.travel_cost_milli - r.labour_cost_milli for r in found.routes)
    assert found.profit_milli == rows


def test_the_hard_days_are_hard() -> None:
    """What the property is about does occur."""
    wanted = {*PauseKind, "overtime"}
    wanted |= {DropCode.SKILL, DropCode.SHIFT, DropCode.CAPACITY, DropCode.DETOUR}
    for seed in range(25):
        found = plan(hard_day(seed).problem(), Iterations(20), seed=1)
        wanted -= {dropped.code for dropped in found.dropped}
        for route in found.routes:
            wanted -= {pause.kind for pause in route.pauses}
            wanted -= {"overtime"} if route.overtime_s else set()
        if not wanted:
            return
    assert not wanted


def test_a_round_waits_for_a_window_by_leaving_later(town) -> None:
    task = town.swap(1, 0, 20.0)
    town.tasks[0] = replace(
        town.tasks[0], earliest=MORNING + timedelta(hours=2), latest=MORNING + timedelta(hours=3)
    )
    town.van()
    (route,) = plan(town.problem(), Iterations(5), seed=1).routes
    assert route.visits[0].task_id == task
    assert route.visits[0].wait_s == 0
    assert route.visits[0].arrive_at == MORNING + timedelta(hours=2)
    assert route.duration_s < 1800


def test_between_two_windows_the_worker_waits_and_is_paid(town) -> None:
    for x, from_h in ((1, 0), (2, 3)):
        town.swap(x, 0, 60.0)
        early = MORNING + timedelta(hours=from_h)
        late = early + timedelta(minutes=30)
        town.tasks[-1] = replace(town.tasks[-1], earliest=early, latest=late)
    town.van()
    (route,) = plan(town.problem(), Iterations(5), seed=1).routes
    first, second = route.visits
    assert (first.wait_s, second.wait_s > 7200) == (0, True)
    assert first.arrive_at == MORNING + timedelta(minutes=30)
    assert route.labour_cost_milli == round(route.duration_s * 14000 / 3600)


def test_a_break_is_taken_between_stops_and_is_not_paid(town) -> None:
    for x in range(1, 6):
        town.swap(x, 0, 30.0)
    van = town.van(hours=2)
    (free,) = plan(town.problem(), Iterations(20), seed=1).routes
    at = MORNING + timedelta(minutes=20)
    town.vans[0] = replace(van, breaks=(Break(at, at + timedelta(minutes=10), 900),))
    (route,) = plan(town.problem(), Iterations(20), seed=1).routes
    (pause,) = route.pauses
    assert (pause.kind, route.break_s) == (PauseKind.BREAK, 900)
    assert at <= pause.start_at <= at + timedelta(minutes=10)
    assert route.labour_cost_milli == free.labour_cost_milli
    assert route.duration_s == free.duration_s + 900


def test_a_worker_who_is_home_in_time_needs_no_break(town) -> None:
    town.swap(1, 0, 30.0)
    at = MORNING + timedelta(hours=3)
    town.vans.append(replace(town.van(), breaks=(Break(at, at + timedelta(hours=1), 1800),)))
    del town.vans[0]
    (route,) = plan(town.problem(), Iterations(5), seed=1).routes
    assert route.pauses == ()


def test_batteries_are_reloaded_where_it_costs_least(town) -> None:
    for x in (1, 2, 3, 4):
        town.swap(x, 0, 30.0)
    van = town.van(batteries=2)
    few = plan(town.problem(), Iterations(20), seed=1)
    assert len(few.planned_task_ids) == 2
    town.vans[0] = replace(
        van, reload_at=(van.start, town.tasks[2].before.at), reload_s=600, max_reloads=1
    )
    (route,) = plan(town.problem(), Iterations(20), seed=1).routes
    (pause,) = route.pauses
    assert len(route.visits) == 4
    assert (pause.kind, pause.batteries_left) == (PauseKind.RELOAD, 2)
    assert pause.at == town.tasks[2].before.at
    assert [visit.batteries_left for visit in route.visits] == [1, 0, 1, 0]


def test_overtime_is_worked_where_it_pays_and_costs_more(town) -> None:
    town.swap(8, 0, 60.0)
    van = town.van(hours=0.8)
    assert plan(town.problem(), Iterations(5), seed=1).dropped[0].code is DropCode.SHIFT
    town.vans[0] = replace(van, overtime_s=3600, overtime_per_h=7.0)
    (route,) = plan(town.problem(), Iterations(5), seed=1).routes
    over = route.duration_s - 2880
    assert route.overtime_s == over > 0
    assert route.labour_cost_milli == round((route.duration_s * 14000 + over * 7000) / 3600)
    town.vans[0] = replace(van, overtime_s=3600, overtime_per_h=500.0)
    assert plan(town.problem(), Iterations(5), seed=1).routes == ()


def test_moves_that_must_all_be_done_are_routed_as_well_as_those_that_may(town) -> None:
    draw = Random(2)
    for _ in range(30):
        x, y = draw.uniform(-3, 3), draw.uniform(-3, 3)
        town.move(x, y, (draw.randint(-3, 3), draw.randint(-3, 3)), 20)
    for _ in range(2):
        town.van(hours=12, vehicles=6)
    free = plan(town.problem(), Iterations(300), seed=1)
    town.tasks[:] = [replace(task, must=True) for task in town.tasks]
    bound = plan(town.problem(), Iterations(300), seed=1)
    assert len(free.planned_task_ids) == len(bound.planned_task_ids) == 30
    # Both carry all, so that only the way tells them apart.
    assert distance_m(bound) < 1.1 * distance_m(free)


def distance_m(found: Plan) -> int:
    return sum(route.distance_m for route in found.routes)


def test_what_must_be_done_is_done_though_it_costs_more_than_it_brings(town) -> None:
    far = town.swap(9, 0, 0.1)
    town.tasks[0] = replace(town.tasks[0], must=True)
    near = town.swap(1, 0, 9.0)
    town.van(hours=2)
    found = plan(town.problem(), Iterations(30), seed=1)
    assert found.planned_task_ids == {far, near}
    assert found.profit_milli < 9000


def test_an_impossible_duty_is_told_and_empties_no_plan(town) -> None:
    town.swap(200, 0, 5.0)
    town.tasks[0] = replace(town.tasks[0], must=True)
    near = town.swap(1, 0, 9.0)
    town.van(hours=2)
    found = plan(town.problem(), Iterations(30), seed=1)
    assert found.planned_task_ids == {near}
    (dropped,) = found.dropped
    assert dropped.code is DropCode.SHIFT


def test_only_who_has_the_skill_is_sent(town) -> None:
    for x in (1, 2):
        town.swap(x, 0, 20.0)
        town.tasks[-1] = replace(town.tasks[-1], skill="repair")
    town.van("Maria")
    (first, _) = plan(town.problem(), Iterations(5), seed=1).dropped
    assert (first.code, first.would_help) == (
        DropCode.SKILL,
        'a worker with the skill "repair"',
    )
    town.vans.append(replace(town.van("Nikos"), skills=frozenset({"repair"})))
    del town.vans[1]
    (route,) = plan(town.problem(), Iterations(5), seed=1).routes
    assert (route.worker, len(route.visits)) == ("Nikos", 2)


def test_a_vehicle_on_board_since_before_is_dropped_off_by_its_van(town) -> None:
    town.move(5, 5, (2, 0), 3.0)
    town.tasks[0] = replace(town.tasks[0], carried=True, worker="W1", must=True)
    town.van("W0")
    town.van("W1", vehicles=1)
    problem = town.problem()
    found = plan(problem, Iterations(10), seed=1)
    (route,) = found.routes
    (visit,) = route.visits
    assert (route.worker, visit.action, visit.load_vehicles) == ("W1", Action.DROP_OFF, 0)
    assert visit.at == town.tasks[0].after.at
    assert evaluate(problem, sequences_of(problem, found)) == found.routes


def test_even_rounds_are_worth_what_the_planner_says(town) -> None:
    for n in range(24):
        town.swap(1 + n % 4 / 2, n // 4 / 4, 6.0)
    town.van(batteries=50)
    town.van(batteries=50)
    spread = []
    for price in (0.0, 200.0):
        problem = build(
            town.tasks, town.values, {}, town.vans, Haversine(), "EUR",
            Wishes(balance_per_h=price),
        )  # fmt: skip
        found = plan(problem, Iterations(400), seed=1)
        hours = [route.duration_s / 3600 for route in found.routes] + [0.0, 0.0]
        spread.append(max(hours[:2]) - min(hours[:2]))
        assert found.profit_milli == sum(route.profit_milli for route in found.routes)
        assert (imbalance_milli(problem, sequences_of(problem, found)) > 0) == (
            price > 0 and spread[-1] > 0
        )
    assert spread[1] < spread[0] / 2


def test_tasks_go_to_the_worker_who_knows_the_cell(town) -> None:
    for x in (-2, 2):
        for n in range(3):
            town.swap(x, n / 4, 9.0)
    town.van("East")
    town.van("West")
    cells = {"East": [town.tasks[3].before.cell], "West": [town.tasks[0].before.cell]}
    wishes = Wishes(familiar_bonus=8.0, known_cells=cells)
    problem = build(town.tasks, town.values, {}, town.vans, Haversine(), "EUR", wishes)
    found = plan(problem, Iterations(200), seed=1)
    for route in found.routes:
        known = [v for v in route.visits if v.at.cell(6) in cells[route.worker]]
        assert known
        assert route.bonus_milli == 8000 * len(known)
    assert {route.worker for route in found.routes} == {"East", "West"}


@pytest.mark.parametrize("depot", [Point(40.2, 22.5), Point(0.0, 0.0)])
def test_a_depot_far_out_drops_all_with_a_reason(town, depot) -> None:
    town.swap(1, 0, 9.0)
    van = town.van()
    town.vans[0] = replace(van, start=depot, end=depot)
    found = plan(town.problem(), Iterations(5), seed=1)
    assert (found.routes, len(found.dropped)) == ((), 1)
    assert found.dropped[0].reason


def test_tasks_at_one_place_and_a_worker_without_a_shift(town) -> None:
    for _ in range(5):
        town.swap(1, 0, 9.0)
    town.van("Idle", hours=0)
    town.van("Maria")
    problem = town.problem()
    found = plan(problem, Iterations(20), seed=1)
    (route,) = found.routes
    assert (route.worker, len(route.visits)) == ("Maria", 5)
    assert violations(problem, sequences_of(problem, found)) == ()
