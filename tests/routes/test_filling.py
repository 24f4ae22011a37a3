"""Rounds that pay only as a whole."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleetdesk.routes import evaluate
from fleetdesk.routes.filling import filled, opened
from fleetdesk.routes.limits import worth_of_limits
from fleetdesk.routes.pins import Rules
from fleetdesk.routes.problem import RoutingProblem, sequences_of
from fleetdesk.routes.solve import plan
from fleetdesk.routes.stop import Iterations

from .conftest import Town


@pytest.fixture
def far() -> RoutingProblem:
    town = ten_far_away()
    town.van()
    town.van()
    return town.problem()


def ten_far_away(value: float = 3) -> Town:
    """Ten tasks 5 km away: none is worth the way there and back (about 11 EUR), all ten are."""
    town = Town()
    for n in range(10):
        town.swap(5 + 0.05 * n, 0, value)
    return town


def test_a_round_is_begun_where_no_task_pays_alone_and_all_together_do(far) -> None:
    jobs = list(range(10))
    nobody = ((), ())
    assert filled(far, nobody, jobs) == nobody
    rounds = opened(far, nobody, jobs)
    assert sorted(stop.job for stop in rounds[0]) == jobs
    assert rounds[1] == ()
    assert evaluate.violations(far, rounds) == ()
    assert evaluate.objective_milli(far, rounds) > 0


def test_a_round_that_only_one_worker_may_drive_is_his(far) -> None:
    named = replace(far, jobs=tuple(replace(job, worker="W1") for job in far.jobs))
    rounds = opened(named, ((), ()), list(range(10)))
    assert (rounds[0], sorted(stop.job for stop in rounds[1])) == ((), list(range(10)))


def test_no_round_is_begun_where_all_together_do_not_pay(far) -> None:
    nobody = ((), ())
    assert opened(far, nobody, [0, 1]) == nobody


def test_tasks_that_a_planner_gave_to_somebody_begin_no_round(far) -> None:
    rules = Rules(van_of=dict.fromkeys(range(10), 1))
    assert opened(far, ((), ()), list(range(10)), rules) == ((), ())


def test_a_round_is_made_longer_by_a_stretch_that_pays_only_as_a_whole() -> None:
    town = ten_far_away()
    town.swap(-0.5, 0, 20)
    town.van(batteries=11)
    problem = town.problem()
    near = filled(problem, ((),), list(range(11)))
    assert [stop.job for stop in near[0]] == [10]
    assert opened(problem, near, list(range(11))) == near
    asked = []
    assert opened(problem, near, list(range(11)), longer=True, over=lambda _: True) == near
    rounds = opened(
        problem, near, list(range(11)), longer=True, over=lambda so_far: bool(asked.append(so_far))
    )
    # Who waits is asked before each trial.
    assert (asked[0], asked[-1]) == (near, rounds)
    assert len(asked) > 3
    assert sorted(stop.job for stop in rounds[0]) == list(range(11))
    assert evaluate.violations(problem, rounds) == ()
    assert evaluate.objective_milli(problem, rounds) > evaluate.objective_milli(problem, near)


def test_one_more_worker_is_worth_a_round_that_pays_only_as_a_whole() -> None:
    town = ten_far_away(5)
    town.van(batteries=5)
    problem = town.problem()
    one = plan(problem, Iterations(20), seed=1)
    assert len(sequences_of(problem, one)[0]) == 5
    worker = worth_of_limits(problem, one, Iterations(5), seed=1)[0]
    assert worker.what == "one more worker"
    assert (worker.more_tasks, worker.profit_milli > 1000) == (5, True)
