"""Districts, a search that is ended early, and what limits are worth."""

from __future__ import annotations

import time
from dataclasses import replace
from random import Random

import pytest

from fleetdesk.errors import Enough
from fleetdesk.model.edits import Edits, TaskEdit
from fleetdesk.model.plan import DropCode
from fleetdesk.routes import districts
from fleetdesk.routes.edits import replan
from fleetdesk.routes.evaluate import violations
from fleetdesk.routes.limits import worth_of_limits
from fleetdesk.routes.problem import sequences_of
from fleetdesk.routes.solve import Progress, plan
from fleetdesk.routes.stop import Iterations, Seconds

from .conftest import Town


@pytest.fixture
def busy() -> Town:
    draw, town = Random(5), Town()
    for n in range(60):
        x, y = draw.uniform(-4, 4), draw.uniform(-4, 4)
        if n % 4:
            town.swap(x, y, draw.uniform(2, 9))
        else:
            town.move(x, y, (y, x), draw.uniform(4, 12), swap=n % 8 == 0)
    for _ in range(4):
        town.van(hours=3, batteries=8)
    return town


def test_districts_together_are_one_plan_that_can_be_driven(busy, monkeypatch) -> None:
    monkeypatch.setattr(districts, "MOST_TASKS", 30)
    monkeypatch.setattr(districts, "TASKS_PER_DISTRICT", 30)
    problem = busy.problem()
    found = districts.plan_large(problem, Iterations(40), seed=1)
    assert violations(problem, sequences_of(problem, found)) == ()
    ids = [dropped.task_id for dropped in found.dropped]
    assert sorted([*ids, *found.planned_task_ids]) == sorted(busy.values)
    assert found == districts.plan_large(problem, Iterations(40), seed=1)
    begun = plan(problem, Iterations(0), seed=1).profit_milli
    assert found.profit_milli >= 0.95 * begun > 0


def test_who_has_waited_enough_gets_the_best_so_far(busy) -> None:
    problem = busy.problem()
    told = []

    def watch(progress: Progress) -> None:
        told.append(progress)
        if progress.iterations:
            raise Enough

    began = time.perf_counter()
    found = plan(problem, Seconds(60), seed=1, on_progress=watch)
    assert time.perf_counter() - began < 30
    assert found.profit_milli >= told[0].profit_milli > 0
    assert violations(problem, sequences_of(problem, found)) == ()
    # What fits and pays is put in all the same, so that each reason holds.
    assert DropCode.SEARCH_ENDED not in {dropped.code for dropped in found.dropped}


def test_who_has_waited_enough_need_not_wait_for_the_districts(busy, monkeypatch) -> None:
    monkeypatch.setattr(districts, "MOST_TASKS", 30)
    monkeypatch.setattr(districts, "TASKS_PER_DISTRICT", 30)
    problem = busy.problem()

    def watch(progress: Progress) -> None:
        raise Enough

    began = time.perf_counter()
    found = districts.plan_large(problem, Seconds(600), seed=1, on_progress=watch)
    assert time.perf_counter() - began < 100, "the districts alone would take 300 s"
    assert found.profit_milli >= 0.9 * plan(problem, Iterations(0), seed=1).profit_milli > 0
    assert violations(problem, sequences_of(problem, found)) == ()
    ids = [dropped.task_id for dropped in found.dropped]
    assert sorted([*ids, *found.planned_task_ids]) == sorted(busy.values)


def test_limits_are_worth_what_more_of_them_brings(busy) -> None:
    problem = busy.problem()
    found = plan(problem, Iterations(200), seed=1)
    worker, hour, batteries = worth_of_limits(problem, found, Iterations(60), seed=1)
    assert worker.what == "one more worker"
    # No task of this day has a priority bonus, so that no plan is better by less money.
    assert all(each.profit_milli >= 0 for each in (worker, hour, batteries))
    # Batteries are what is short on this day.
    assert batteries.profit_milli > 0
    assert batteries.more_tasks > 0
    depot = busy.vans[0].start
    busy.vans[:] = [replace(van, reload_at=(depot,), reload_s=600) for van in busy.vans]
    problem = busy.problem()
    *others, reload = worth_of_limits(problem, found, Iterations(60), seed=1)
    assert [each.what for each in others] == [worker.what, hour.what, batteries.what]
    assert reload.what == "one more reload for every worker"
    assert (reload.profit_milli > 0, reload.more_tasks > 0) == (True, True)
    busy.vans.clear()
    empty = busy.problem()
    assert worth_of_limits(empty, plan(empty, Iterations(1), 1), Iterations(1), 1) == ()


def test_limits_are_worth_nothing_that_clearing_an_edit_would_bring(busy) -> None:
    for van in range(4):
        busy.vans[van] = replace(busy.vans[van], batteries=60, battery_capacity=60)
    problem = busy.problem()
    free = plan(problem, Iterations(100), seed=1)
    excluded = sorted(free.planned_task_ids)[:25]
    edits = Edits(tuple(TaskEdit(task_id, "Exclude", excluded=True) for task_id in excluded))
    found = replan(problem, edits, Iterations(100), seed=1)
    heeded = worth_of_limits(problem, found.plan, Iterations(30), 1, rules=found.rules)
    ignored = worth_of_limits(problem, found.plan, Iterations(30), 1)
    left = len(problem.jobs) - len(excluded) - len(found.plan.planned_task_ids)
    assert all(each.more_tasks <= left for each in heeded)
    # Without the rules the base itself takes the excluded tasks back.
    assert ignored != heeded
