"""Ruin and recreate, where vans reload or have breaks."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from fleetdesk.routes import evaluate, pyvrp_engine
from fleetdesk.routes.filling import filled
from fleetdesk.routes.pins import FREE, Rules, holds
from fleetdesk.routes.problem import RoutingProblem, Stops
from fleetdesk.routes.recreating import recreated
from fleetdesk.routes.solve import improve
from fleetdesk.routes.stop import Iterations

from .conftest import Town


@pytest.fixture(scope="module")
def reloading() -> RoutingProblem:
    """Two vans that must reload to do more than a few of forty tasks, three of them duties."""
    draw, town = Random(7), Town()
    for n in range(40):
        x, y = draw.uniform(-3, 3), draw.uniform(-3, 3)
        if n % 5:
            town.swap(x, y, draw.uniform(1, 5))
        else:
            town.move(x, y, (y, x), draw.uniform(2, 7), swap=n % 2 == 0)
    for task in town.tasks[:3]:
        town.tasks[town.tasks.index(task)] = replace(task, must=True)
    for _ in range(2):
        van = town.van(hours=4, batteries=6)
        town.vans[-1] = replace(
            van, battery_capacity=6, reload_at=(van.start,), reload_s=600, max_reloads=3
        )
    return town.problem()


def test_stretches_taken_out_and_filled_again_earn_more(reloading) -> None:
    first = begun(reloading)
    found = ruined(reloading, first, trials=60)
    assert evaluate.violations(reloading, found) == ()
    earned = evaluate.objective_milli(reloading, first)
    assert evaluate.objective_milli(reloading, found) > earned > 0
    assert ruined(reloading, first, trials=60) == found, "the same seed gives the same rounds"
    assert ruined(reloading, first, trials=0) == first


def test_what_must_be_done_and_what_is_bound_stays(reloading) -> None:
    rules = Rules(van_of={10: 0, 11: 1}, excluded=frozenset({12, 13}))
    first = begun(reloading, rules)
    for seed in range(4):
        found = ruined(reloading, first, trials=15, rules=rules, seed=seed)
        assert holds(rules, found)
        assert {0, 1, 2} <= {stop.job for stops in found for stop in stops}


def test_the_search_spends_half_its_rounds_so_where_vans_reload(reloading, monkeypatch) -> None:
    asked = []
    searched = pyvrp_engine.search

    def watched(*given, **more):
        found, rounds = searched(*given, **more)
        asked.append(rounds)
        return found, rounds

    monkeypatch.setattr(pyvrp_engine, "search", watched)
    told = []
    _, rounds = improve(reloading, ((), ()), Iterations(200), 1, told.append, quick=True)
    assert (sum(asked), rounds) == (100, 200)
    assert told[-1].iterations == 200
    steady = replace(reloading, vans=tuple(replace(van, max_reloads=0) for van in reloading.vans))
    asked.clear()
    assert improve(steady, ((), ()), Iterations(200), 1, quick=True)[1] == sum(asked) == 200


def begun(problem: RoutingProblem, rules: Rules = FREE) -> tuple[Stops, ...]:
    """The duties and the bound first, then what else pays."""
    bound = tuple(
        tuple(
            stop
            for job, its in rules.van_of.items()
            if its == van
            for stop in problem.stops_of(job)
        )
        for van in range(len(problem.vans))
    )
    duties = filled(problem, bound, range(3), rules)
    return filled(problem, duties, offered(problem, rules), rules)


def ruined(
    problem: RoutingProblem,
    first: tuple[Stops, ...],
    trials: int,
    rules: Rules = FREE,
    seed: int = 1,
) -> tuple[Stops, ...]:
    jobs = offered(problem, rules)
    return recreated(problem, first, jobs, rules, seed, lambda done, _: done >= trials)


def offered(problem: RoutingProblem, rules: Rules) -> list[int]:
    return [job for job in range(len(problem.jobs)) if job not in rules.excluded]
