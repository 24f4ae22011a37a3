from __future__ import annotations

import pytest
import pyvrp

from fleetdesk.routes.alone import Alone
from fleetdesk.routes.evaluate import objective_milli, violations
from fleetdesk.routes.pyvrp_engine import search
from fleetdesk.routes.pyvrp_model import DayModel

from .conftest import random_town


def parts(seed):
    problem = random_town(seed, most_tasks=20, most_vans=3).problem()
    possible = Alone(problem).possible.any(axis=0)
    jobs = [n for n, job in enumerate(problem.jobs) if possible[n] and job.worth_milli > 0]
    vans = [number for number, van in enumerate(problem.vans) if van.shift_s > 0]
    return problem, jobs, vans


SEEDS = [seed for seed in range(25) if all(parts(seed)[1:])]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_engine_keeps_every_limit_by_itself(seed) -> None:
    problem, jobs, vans = parts(seed)
    empty = ((),) * len(problem.vans)
    seen = []

    def stopped(rounds, best):
        seen.append(violations(problem, best()))
        return rounds >= 60

    found, rounds = search(problem, jobs, vans, empty, 1, stopped)
    assert rounds == 60
    assert violations(problem, found) == ()
    assert set(seen) == {()}


@pytest.mark.parametrize("seed", SEEDS[:8])
def test_the_engine_counts_the_referees_money(seed) -> None:
    problem, jobs, vans = parts(seed)
    found, _ = search(
        problem, jobs, vans, ((),) * len(problem.vans), 1, lambda rounds, _best: rounds >= 30
    )
    model = DayModel(problem, jobs, vans)
    money = pyvrp.CostEvaluator([0], 0, 0)
    stays_at_home = money.cost(model.solution(((),) * len(problem.vans)))
    gain_micro = stays_at_home - money.cost(model.solution(found))
    # Per van: half a millionth per second of wages, and two roundings to the thousandth.
    assert gain_micro / 1000 == pytest.approx(objective_milli(problem, found), abs=15)


def test_sequences_come_back_as_they_went(town) -> None:
    town.move(1, 0, (2, 0), 9.0, swap=True)
    town.swap(1, 0, 9.0)
    town.van(hours=0)
    town.van()
    problem = town.problem()
    model = DayModel(problem, [0, 1], [1])
    sequences = ((), (*problem.stops_of(0)[:1], *problem.stops_of(1), *problem.stops_of(0)[1:]))
    assert model.sequences(model.solution(sequences)) == sequences
