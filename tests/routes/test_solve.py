from __future__ import annotations

import time
from itertools import product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetdesk.model.plan import DropCode
from fleetdesk.routes.evaluate import evaluate, objective_milli, violations
from fleetdesk.routes.problem import Stop, sequences_of
from fleetdesk.routes.solve import Progress, drivable, improve, plan
from fleetdesk.routes.stop import Iterations, Seconds

from .conftest import Town, random_town


def best_objective(problem) -> int:
    """The optimum by trying everything."""
    jobs = range(len(problem.jobs))
    best = 0
    orders = {}
    for number in range(len(problem.vans)):
        for mask in product((False, True), repeat=len(problem.jobs)):
            chosen = tuple(job for job in jobs if mask[job])
            orders[number, chosen] = best_order(problem, number, chosen)
    for split in product(range(len(problem.vans) + 1), repeat=len(problem.jobs)):
        parts = [
            orders[van, tuple(job for job in jobs if split[job] == van)]
            for van in range(len(problem.vans))
        ]
        if None not in parts:
            best = max(best, sum(parts))
    return best


def orders_of(stops, begun=frozenset()):
    """All orders in which each pick-up comes before its drop-off."""
    if not stops:
        yield ()
    for stop in stops:
        if not stop.drop_off or stop.job in begun:
            rest = [other for other in stops if other != stop]
            for tail in orders_of(rest, begun | {stop.job}):
                yield (stop, *tail)


def best_order(problem, van, chosen):
    stops = [stop for job in chosen for stop in problem.stops_of(job)]
    values = []
    for order in orders_of(stops):
        sequences = [()] * len(problem.vans)
        sequences[van] = order
        if not violations(problem, sequences):
            values.append(objective_milli(problem, sequences))
    return max(values, default=None)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 10**6))
def test_a_plan_can_be_driven_and_accounts_for_every_task(seed) -> None:
    town = random_town(seed, most_tasks=14, most_vans=3)
    count = len(town.tasks)
    for order in (list(range(count)), Random(seed).sample(range(count), count)):
        problem = town.problem(order)
        found = plan(problem, Iterations(30), seed=1)
        sequences = sequences_of(problem, found)
        assert violations(problem, sequences) == ()
        assert evaluate(problem, sequences) == found.routes
        ids = [dropped.task_id for dropped in found.dropped]
        assert sorted([*ids, *found.planned_task_ids]) == sorted(town.values)
        assert all(dropped.reason for dropped in found.dropped)
        assert DropCode.SEARCH_ENDED not in {dropped.code for dropped in found.dropped}
        rows = sum(r.value_milli - r.travel_cost_milli - r.labour_cost_milli for r in found.routes)
        values = {job.task_id: job.value_milli for job in problem.jobs}
        assert found.profit_milli == rows
        assert sum(values[task] for task in found.planned_task_ids) == (
            sum(route.value_milli for route in found.routes)
        )
        assert objective_milli(problem, sequences) >= 0


@pytest.mark.parametrize("seed", range(30))
def test_small_days_are_solved_to_the_best_there_is(seed) -> None:
    problem = random_town(seed, most_tasks=5, most_vans=2, most_moves=3).problem()
    found = plan(problem, Iterations(300), seed=1)
    assert violations(problem, sequences_of(problem, found)) == ()
    # Two thousandths are the engine's rounding of wages to millionths per second.
    got = objective_milli(problem, sequences_of(problem, found))
    assert best_objective(problem) - 2 <= got <= best_objective(problem)


def test_the_small_days_are_not_trivial() -> None:
    plans = [
        plan(random_town(seed, 5, 2, 3).problem(), Iterations(100), seed=1) for seed in range(30)
    ]
    assert sum(len(found.planned_task_ids) for found in plans) > 30
    assert {code for found in plans for code in {d.code for d in found.dropped}} >= {
        DropCode.CAPACITY, DropCode.SHIFT, DropCode.DETOUR, DropCode.NOT_WORTH,
    }  # fmt: skip


@pytest.fixture
def busy(town: Town) -> Town:
    for n in range(30):
        x, y = (7 * n) % 11 - 5, (5 * n) % 9 - 4
        if n % 3:
            town.swap(x, y, 5 + n % 5, bonus=n % 2 / 2)
        else:
            town.move(x, y, (y, x), 8 + n % 4, swap=n % 2 == 0)
    town.van(hours=3, batteries=8)
    town.van(hours=3, batteries=6, speed_kmh=20)
    return town


def test_the_same_seed_gives_the_same_plan(busy) -> None:
    problem = busy.problem()
    assert plan(problem, Iterations(60), seed=7) == plan(busy.problem(), Iterations(60), seed=7)


def test_batteries_of_moves_count_with_those_of_swaps(busy) -> None:
    problem = busy.problem()
    found = plan(problem, Iterations(100), seed=1)
    assert [min(visit.batteries_left for visit in route.visits) for route in found.routes] == [0, 0]
    assert any("swap" in v.action and "pick" in v.action for r in found.routes for v in r.visits)


def test_more_rounds_are_never_worse_and_progress_is_told(busy) -> None:
    problem = busy.problem()
    told: list[Progress] = []
    first = plan(problem, Iterations(0), seed=1)
    last = plan(problem, Iterations(200), seed=1, warm_start=first, on_progress=told.append)
    objectives = [objective_milli(problem, sequences_of(problem, each)) for each in (first, last)]
    assert 0 < objectives[0] <= objectives[1]
    assert (told[-1].iterations, told[-1].profit_milli) == (200, last.profit_milli)
    assert told[-1].planned_tasks == len(last.planned_task_ids)
    assert last.iterations == 200


def test_a_time_limit_is_kept(busy) -> None:
    began = time.perf_counter()
    plan(busy.problem(), Seconds(0.5), seed=1)
    assert time.perf_counter() - began < 0.8


def test_a_warm_start_that_no_longer_fits_is_cut_to_what_does(busy) -> None:
    earlier = plan(busy.problem(), Iterations(50), seed=1)
    busy.vans[:] = []
    busy.van("W0", hours=1, batteries=2, vehicles=1)
    problem = busy.problem()
    later = plan(problem, Iterations(0), seed=1, warm_start=earlier)
    assert later.routes
    assert violations(problem, sequences_of(problem, later)) == ()


@pytest.mark.parametrize(("more", "does"), [(0.005, 0), (0.02, 1)])
def test_for_less_than_a_cent_nobody_drives_otherwise(town, more: float, does: int) -> None:
    """With one battery left for one of two tasks, the one already planned stays for the day."""
    town.swap(1, 0, 5.0)
    town.swap(1, 0, 5.0 + more)
    town.van(batteries=1)
    problem = town.problem()
    found, rounds = improve(problem, ((Stop(0),),), Iterations(50), seed=1)
    assert ([stop.job for stop in found[0]], rounds) == ([does], 50)


def test_what_can_be_driven_is_left_alone(busy) -> None:
    problem = busy.problem()
    sequences = sequences_of(problem, plan(problem, Iterations(20), seed=1))
    assert drivable(problem, sequences) == sequences
    twice = (sequences[0] + sequences[0], sequences[1])
    assert violations(problem, drivable(problem, twice)) == ()


def test_nothing_to_do_and_nobody_to_do_it(town) -> None:
    assert plan(town.problem(), Iterations(5), seed=1).routes == ()
    town.van()
    assert plan(town.problem(), Iterations(5), seed=1).dropped == ()
    town.vans.clear()
    town.swap(1, 0, 5.0)
    (dropped,) = plan(town.problem(), Iterations(5), seed=1).dropped
    assert dropped.code is DropCode.NO_WORKER


def test_the_plan_says_how_it_was_made(busy) -> None:
    found = plan(busy.problem(), Iterations(5), seed=3)
    assert found.engine.startswith("PyVRP ")
    assert found.travel_times == "estimated: straight line x 1.35"
    assert (found.seed, found.iterations) == (3, 5)
