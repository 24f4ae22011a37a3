from __future__ import annotations

import time

import pytest

from fleetdesk.model.plan import DropCode
from fleetdesk.routes.evaluate import evaluate
from fleetdesk.routes.explain import dropped, marginal
from fleetdesk.routes.problem import Stop
from fleetdesk.routes.solve import plan
from fleetdesk.routes.stop import Iterations


def only(problem, *sequences):
    (reason,) = dropped(problem, evaluate(problem, sequences or ((),) * len(problem.vans)))
    return reason


def test_nobody_works(town) -> None:
    town.swap(1, 0, 9.0)
    assert only(town.problem()).code is DropCode.NO_WORKER
    town.van(hours=0)
    town.van(hours=-2)
    reason = only(town.problem())
    assert (reason.code, reason.reason) == (DropCode.NO_WORKER, "nobody works in the planned hours")


def test_a_task_that_brings_nothing(town) -> None:
    town.swap(1, 0, -0.4)
    town.van()
    reason = only(town.problem())
    assert reason.code is DropCode.NOT_WORTH
    assert "-0.40 EUR" in reason.reason


@pytest.mark.parametrize(
    ("batteries", "vehicles", "said", "helps"),
    [
        (5, 0, "needs room for 1 vehicle, and no van has any", "a van with room for 1 vehicle"),
        (
            0, 5, "needs 1 charged battery, and no van carries any",
            "a van with 1 charged battery",
        ),
    ],
)  # fmt: skip
def test_no_van_can_hold_it(town, batteries, vehicles, said, helps) -> None:
    town.move(1, 0, (1, 1), 9.0, swap=True)
    town.van(batteries=batteries, vehicles=vehicles)
    reason = only(town.problem())
    assert (reason.code, reason.reason, reason.would_help) == (DropCode.CAPACITY, said, helps)


def test_no_one_van_has_both(town) -> None:
    town.move(1, 0, (1, 1), 9.0, swap=True)
    town.van(batteries=0, vehicles=2)
    town.van(batteries=2, vehicles=0)
    assert "no one van has both" in only(town.problem()).reason


def test_a_task_longer_than_every_shift(town) -> None:
    # 2 x 30 km x 1.35 at 25 km/h and 3 min of work: 3 h 17 min
    town.swap(30, 0, 500.0)
    town.van("Maria", hours=3)
    town.van("Nikos", hours=1)
    reason = only(town.problem())
    assert reason.code is DropCode.SHIFT
    assert reason.reason == (
        "the round trip takes 3 h 18 min even with nothing else to do, "
        "and the shift of Maria is 3 h"
    )
    assert reason.would_help == "a shift longer by 18 min for Maria"


def test_a_detour_that_costs_more_than_it_brings(town) -> None:
    town.swap(1, 0, 9.0)
    town.swap(6, 0, 3.0, bonus=0.2)
    town.van("Maria")
    problem = town.problem()
    reason = only(problem, (Stop(0),))
    assert reason.code is DropCode.DETOUR
    # 10 km more x 1.35: 13.5 km at 0.30 = 4.05; 32.4 min driving and 3 min work at 14 per h = 8.26
    assert "costs 12.3" in reason.reason
    assert "of Maria (driving 4.0" in reason.reason
    assert "brings 3.20 EUR with its priority bonus of 0.20" in reason.reason
    needed = float(reason.would_help.split()[0])
    town.bonuses["T1"] += needed + 0.01
    assert plan(town.problem(), Iterations(5), seed=1).dropped == ()


def test_used_up_batteries_are_named_and_one_more_brings_it_in(town) -> None:
    town.swap(1, 0, 9.0)
    town.swap(1.2, 0, 5.0)
    town.van("Maria", batteries=1)
    reason = only(town.problem(), (Stop(0),))
    assert reason.code is DropCode.CAPACITY
    assert "the batteries are used up" in reason.reason
    assert reason.would_help == "1 more charged battery for Maria"
    town.vans.clear()
    town.van("Maria", batteries=2)
    assert plan(town.problem(), Iterations(5), seed=1).dropped == ()


def test_overtime_is_named_and_that_much_brings_it_in(town) -> None:
    town.swap(4, 0, 20.0)
    town.swap(-4, 0, 20.0)
    town.van("Maria", hours=0.9)
    reason = only(town.problem(), (Stop(0),))
    assert reason.code is DropCode.SHIFT
    minutes = int(reason.would_help.removeprefix("a shift longer by ").split()[0])
    assert f"it fits only with {minutes} min overtime" in reason.reason
    town.vans.clear()
    town.van("Maria", hours=0.9 + minutes / 60)
    assert plan(town.problem(), Iterations(5), seed=1).dropped == ()


def test_a_van_that_is_full_on_the_way_is_named(town) -> None:
    town.move(1, 0, (6, 0), 50.0)
    town.move(1.5, 0, (5.5, 0), 4.0)
    town.van("Maria", vehicles=1)
    reason = only(town.problem(), (Stop(0), Stop(0, True)))
    assert reason.code is DropCode.CAPACITY
    assert "the van is full on the way" in reason.reason
    assert reason.would_help == "room for 1 more vehicle for Maria"


def test_two_limits_at_once_are_both_named(town) -> None:
    town.swap(4, 0, 20.0)
    town.swap(-4, 0, 20.0)
    town.van("Maria", hours=0.9, batteries=1)
    reason = only(town.problem(), (Stop(0),))
    assert "the batteries are used up and it fits only with" in reason.reason
    assert reason.would_help.startswith("1 more charged battery and a shift longer by")


def test_a_task_that_would_pay_was_not_reached(town) -> None:
    town.swap(1, 0, 9.0)
    town.van()
    assert only(town.problem()).code is DropCode.SEARCH_ENDED


def test_what_a_stop_adds_is_profit_with_less_profit_without(town) -> None:
    town.swap(1, 0, 9.0)
    town.move(2, 0, (2, 1), 9.0)
    town.swap(0, 2, 9.0)
    town.van()
    town.van()
    problem = town.problem()
    whole = ((Stop(1), Stop(0), Stop(1, True)), (Stop(2),))
    adds = marginal(problem, evaluate(problem, whole))

    def profit(*sequences):
        return sum(route.profit_milli for route in evaluate(problem, sequences))

    assert adds == {
        "T0": profit(*whole) - profit((Stop(1), Stop(1, True)), (Stop(2),)),
        "T1": profit(*whole) - profit((Stop(0),), (Stop(2),)),
        "T2": profit(*whole) - profit(whole[0], ()),
    }


def test_four_hundred_reasons_over_four_hundred_stops_in_two_seconds(town) -> None:
    for n in range(800):
        x, y = (7 * n) % 61 / 10, (11 * n) % 53 / 10
        if n % 2:
            town.swap(x, y, 3.0)
        else:
            town.move(x, y, (y, x), 3.0)
    for _ in range(4):
        town.van(batteries=50)
    problem = town.problem()
    sequences = tuple(
        tuple(s for job in range(van * 67, (van + 1) * 67) for s in problem.stops_of(job))
        for van in range(4)
    )
    assert sum(map(len, sequences)) > 400
    routes = evaluate(problem, sequences)
    began = time.process_time()
    assert len(dropped(problem, routes)) == 800 - 4 * 67
    assert time.process_time() - began < 2
