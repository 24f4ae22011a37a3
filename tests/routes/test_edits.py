"""A planner's edits hold, are priced, and give way only where nothing could drive them."""

from __future__ import annotations

from itertools import product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetdesk.errors import Enough
from fleetdesk.model.edits import Edits, StopKey, TaskEdit
from fleetdesk.model.plan import Action, DropCode, Plan
from fleetdesk.routes import edits as module
from fleetdesk.routes.edits import replan
from fleetdesk.routes.evaluate import evaluate, objective_milli, violations
from fleetdesk.routes.pins import holds, rules_of
from fleetdesk.routes.problem import sequences_of
from fleetdesk.routes.solve import Progress, improve, plan
from fleetdesk.routes.stop import Iterations

from .conftest import random_town
from .test_solve import orders_of


def shown(found: Plan) -> dict[str, tuple[StopKey, ...]]:
    return {
        route.worker: tuple(StopKey(v.task_id, v.action is Action.DROP_OFF) for v in route.visits)
        for route in found.routes
    }


def lock(found: Plan, *tasks: str) -> tuple[TaskEdit, ...]:
    """Lock tasks where the plan has them."""
    return tuple(
        TaskEdit(key.task_id, "locked", worker, locked=tuple(k for k in keys if k[0] == key[0]))
        for worker, keys in shown(found).items()
        for key in keys
        if key.task_id in tasks and not key.drop_off
    )


def random_edits(town, found: Plan, seed: int) -> Edits:
    """Locks, exclusions, moves to other workers and new orders, some of them impossible."""
    draw = Random(seed)
    rounds = {worker: list(keys) for worker, keys in shown(found).items()}
    workers = [van.worker for van in town.vans]
    edits: dict[str, TaskEdit] = {}
    for worker, keys in list(rounds.items()):
        for task in dict.fromkeys(key.task_id for key in keys):
            choice = draw.random()
            mine = tuple(key for key in keys if key.task_id == task)
            if choice < 0.3:
                edits[task] = TaskEdit(task, "locked", worker, locked=mine, new=choice < 0.2)
            elif choice < 0.4:
                edits[task] = TaskEdit(task, "excluded", excluded=True)
                rounds[worker] = [key for key in rounds[worker] if key.task_id != task]
            elif choice < 0.5:
                edits[task] = TaskEdit(task, "moved", draw.choice(workers))
                rounds[worker] = [key for key in rounds[worker] if key.task_id != task]
            elif choice < 0.6 and len(mine) == 1:
                keys = rounds[worker]
                keys.remove(mine[0])
                keys.insert(draw.randint(0, len(keys)), mine[0])
                others = keys[: keys.index(mine[0]) + 2]
                edits[task] = TaskEdit(task, "order", worker, locked=mine)
                for other in others:
                    edits.setdefault(
                        other.task_id, TaskEdit(other.task_id, "order", worker, locked=(other,))
                    )
    for task, edit in edits.items():
        mine = {key for keys in rounds.values() for key in keys}
        if not set(edit.locked) <= mine:
            edits[task] = TaskEdit(task, edit.text, edit.worker, edit.excluded)
    return Edits(tuple(edits.values()), {w: tuple(keys) for w, keys in rounds.items()})


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 10**6))
def test_what_is_kept_holds_and_nothing_else_breaks(seed) -> None:
    town = random_town(seed, most_tasks=12, most_vans=3)
    problem = town.problem()
    first = plan(problem, Iterations(20), seed=1)
    edits = random_edits(town, first, seed)
    again = replan(problem, edits, Iterations(30), 1)
    sequences = sequences_of(problem, again.plan)
    assert violations(problem, sequences) == ()
    assert evaluate(problem, sequences) == again.plan.routes
    ids = [dropped.task_id for dropped in again.plan.dropped]
    assert sorted([*ids, *again.plan.planned_task_ids]) == sorted(town.values)
    assert DropCode.SEARCH_ENDED not in {dropped.code for dropped in again.plan.dropped}

    assert [outcome.edit for outcome in again.outcomes] == list(edits.tasks)
    gone = {outcome.edit.task_id for outcome in again.outcomes if not outcome.kept}
    kept = module._without(edits, dict.fromkeys(gone, ""))
    rules = rules_of(problem, kept)
    assert holds(rules, sequences)
    assert all(bool(outcome.problem) is not outcome.kept for outcome in again.outcomes)
    assert not any(outcome.edit.excluded for outcome in again.outcomes if not outcome.kept)
    excluded = {edit.task_id for edit in edits.tasks if edit.excluded}
    codes = {dropped.task_id: dropped.code for dropped in again.plan.dropped}
    assert all(codes[task] is DropCode.EXCLUDED for task in excluded)
    for edit in kept.tasks:
        on = {r.worker for r in again.plan.routes for v in r.visits if v.task_id == edit.task_id}
        assert on == (set() if edit.excluded else {edit.worker})


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 10**6))
def test_a_locked_beginning_survives_whatever_changes_behind_it(seed) -> None:
    town = random_town(seed, most_tasks=14, most_vans=2)
    problem = town.problem()
    first = plan(problem, Iterations(20), seed=1)
    draw = Random(seed)
    heads, edits = {}, []
    for worker, keys in shown(first).items():
        head = keys[: draw.randint(1, len(keys))]
        whole = {key.task_id for key in keys if key in head}
        heads[worker] = head
        edits += [
            TaskEdit(task, "locked", worker, locked=tuple(k for k in head if k.task_id == task))
            for task in sorted(whole)
        ]
    for task in town.values:
        if not any(edit.task_id == task for edit in edits):
            town.bonuses[task] += draw.choice([0, 9])
    again = replan(town.problem(), Edits(tuple(edits), shown(first)), Iterations(30), 1)
    assert all(outcome.kept for outcome in again.outcomes)
    for worker, head in heads.items():
        assert shown(again.plan)[worker][: len(head)] == head


@pytest.mark.parametrize("seed", range(12))
def test_locking_what_is_best_anyway_is_free(seed) -> None:
    problem = random_town(seed, most_tasks=6, most_vans=2).problem()
    first = plan(problem, Iterations(200), seed=1)
    edits = Edits(lock(first, *first.planned_task_ids), shown(first))
    again = replan(problem, edits, Iterations(50), 1)
    assert shown(again.plan) == shown(first)
    for outcome in again.outcomes:
        assert (outcome.kept, outcome.cost_milli, outcome.cost_s) == (True, 0, 0)


def best_under(problem, rules) -> int:
    """The best objective that keeps the rules, by trying everything."""
    best = -(10**9)
    for split in product(range(len(problem.vans) + 1), repeat=len(problem.jobs)):
        parts = [
            [stop for job, van in enumerate(split) if van == n for stop in problem.stops_of(job)]
            for n in range(len(problem.vans))
        ]
        for orders in product(*(list(orders_of(part)) for part in parts)):
            if holds(rules, orders) and not violations(problem, orders):
                best = max(best, objective_milli(problem, orders))
    return best


@pytest.mark.parametrize("seed", range(16))
def test_prices_are_those_of_brute_force(seed) -> None:
    town = random_town(seed, most_tasks=4, most_vans=2, most_moves=1)
    # Without bonuses, profit is all that the plan is chosen by.
    town.bonuses = dict.fromkeys(town.bonuses, 0.0)
    problem = town.problem()
    first = plan(problem, Iterations(100), seed=1)
    edits = random_edits(town, first, seed + 1)
    again = replan(problem, edits, Iterations(100), 1)
    gone = {outcome.edit.task_id: "" for outcome in again.outcomes if not outcome.kept}
    kept = module._without(edits, gone)
    best = best_under(problem, rules_of(problem, kept))
    got = objective_milli(problem, sequences_of(problem, again.plan))
    assert best - 2 <= got <= best
    for outcome in again.outcomes:
        if outcome.kept:
            free = best_under(problem, rules_of(problem, kept, freed=[outcome.edit.task_id]))
            assert outcome.cost_milli == pytest.approx(free - best, abs=4)


@pytest.fixture
def street(town):
    """Four swaps along a street, east of the depot, and two vans of which one would do."""
    for x in (1, 2, 3, 4):
        town.swap(x, 0, 8.0)
    town.van("Maria", batteries=4)
    town.van("Nikos", batteries=4, cost_per_h=18)
    return town


def test_an_order_costs_its_detour(street) -> None:
    problem = street.problem()
    first = plan(problem, Iterations(50), seed=1)
    assert shown(first)["Maria"] in ((("T0", 0), ("T1", 0), ("T2", 0), ("T3", 0)),
                                     (("T3", 0), ("T2", 0), ("T1", 0), ("T0", 0)))  # fmt: skip
    order = tuple(StopKey(task) for task in ("T1", "T0", "T3", "T2"))
    edits = tuple(TaskEdit(key.task_id, "order", "Maria", locked=(key,)) for key in order)
    again = replan(problem, Edits(edits, {"Maria": order}), Iterations(50), 1)
    assert shown(again.plan)["Maria"] == order
    assert again.plan.profit_milli < first.profit_milli
    costs = {outcome.edit.task_id: outcome for outcome in again.outcomes}
    assert all(costs[task].cost_milli > 0 and costs[task].cost_s > 0 for task in ("T0", "T1"))
    # Whether the street's end is turned at T3 or at T2, the way is as long.
    assert (costs["T3"].cost_milli, costs["T3"].cost_s) == (0, 0)


def test_a_lock_between_free_stops_keeps_only_the_order(street) -> None:
    problem = street.problem()
    keys = tuple(StopKey(task) for task in ("T0", "T3", "T1", "T2"))
    edits = tuple(
        TaskEdit(k.task_id, "order", "Maria", locked=(k,)) for k in keys if k[0] in "T3T1"
    )
    again = replan(problem, Edits(edits, {"Maria": keys}), Iterations(50), 1)
    places = {key.task_id: n for n, key in enumerate(shown(again.plan)["Maria"])}
    assert places["T3"] < places["T1"]
    assert len(places) == 4


def test_excluding_costs_what_the_task_adds(street) -> None:
    problem = street.problem()
    first = plan(problem, Iterations(50), seed=1)
    edits = Edits((TaskEdit("T3", "excluded", excluded=True),), {})
    again = replan(problem, edits, Iterations(50), 1)
    (outcome,) = again.outcomes
    assert outcome.cost_milli == first.profit_milli - again.plan.profit_milli > 0
    assert outcome.cost_s < 0


def test_too_many_batteries_release_the_fewest_and_say_why(street) -> None:
    street.vans[:] = []
    street.van("Maria", batteries=4)
    street.van("Nikos", batteries=2)
    problem = street.problem()
    edits = tuple(TaskEdit(task, "moved", "Nikos", new=task != "T0") for task in ("T0", "T1", "T2"))
    again = replan(problem, Edits(edits, {}), Iterations(50), 1)
    released = [outcome for outcome in again.outcomes if not outcome.kept]
    assert len(released) == 1
    assert released[0].edit.new
    assert "1 more charged battery" in released[0].problem
    assert again.plan.planned_task_ids == {"T0", "T1", "T2", "T3"}


def test_a_worker_who_is_not_there_releases_his_edits(street) -> None:
    edits = Edits((TaskEdit("T0", "moved", "Eleni"), TaskEdit("gone", "locked", "Maria")), {})
    (outcome,) = replan(street.problem(), edits, Iterations(20), 1).outcomes
    assert not outcome.kept
    assert outcome.problem == "Eleni does not work on this day"


def test_a_task_that_does_not_pay_is_planned_when_asked_for(street) -> None:
    poor = street.swap(9, 9, -5.0)
    again = replan(
        street.problem(), Edits((TaskEdit(poor, "moved", "Nikos"),), {}), Iterations(20), 1
    )
    assert poor in again.plan.planned_task_ids
    (outcome,) = again.outcomes
    assert outcome.cost_milli > 5000
    assert outcome.cost_s > 0


def test_many_edits_are_priced_by_insertion(town) -> None:
    for n in range(26):
        town.swap(n % 6, n // 6, 6.0)
    town.van("Maria", batteries=30)
    problem = town.problem()
    first = plan(problem, Iterations(30), seed=1)
    edits = Edits(lock(first, *first.planned_task_ids), shown(first))
    again = replan(problem, edits, Iterations(10), 1)
    assert sum(outcome.by_insertion for outcome in again.outcomes) == 6
    assert shown(again.plan) == shown(first)
    assert all(outcome.cost_milli >= 0 for outcome in again.outcomes)


def test_who_has_waited_enough_for_routes_does_not_wait_for_prices(street, monkeypatch) -> None:
    asked = []

    def watched(problem, start, stop, *given, **named):
        asked.append(stop.limit)
        return improve(problem, start, stop, *given, **named)

    def enough(progress: Progress) -> None:
        raise Enough

    monkeypatch.setattr(module, "improve", watched)
    edits = Edits((TaskEdit("T3", "excluded", excluded=True),), {})
    replan(street.problem(), edits, Iterations(1000), 1)
    (outcome,) = replan(street.problem(), edits, Iterations(1000), 1, enough).outcomes
    assert asked == [1000, 50, 1000, 0]
    assert outcome.cost_milli > 0


def test_the_same_edits_give_the_same_plan() -> None:
    town = random_town(5, most_tasks=14, most_vans=3)
    first = plan(town.problem(), Iterations(20), seed=1)
    edits = random_edits(town, first, 5)
    twice = [replan(town.problem(), edits, Iterations(450), 3) for _ in range(2)]
    assert twice[0] == twice[1]


def test_nothing_is_filled_into_a_locked_beginning(town) -> None:
    far, near, end = town.swap(4, 0, 9.0), town.swap(2, 0, 9.0), town.swap(3, 3, 9.0)
    town.van("Maria")
    head = (StopKey(far), StopKey(end))
    edits = tuple(TaskEdit(key.task_id, "locked", "Maria", locked=(key,)) for key in head)
    again = replan(town.problem(), Edits(edits, {"Maria": head}), Iterations(0), 1)
    assert shown(again.plan)["Maria"] == (*head, StopKey(near))
    assert again.plan.dropped == ()
