from __future__ import annotations

from datetime import timedelta

import pytest

from fleetdesk.model.plan import Action
from fleetdesk.routes.evaluate import Limit, evaluate, objective_milli, profit_milli, violations
from fleetdesk.routes.problem import Stop


def broken(problem, *sequences):
    return [(v.limit, v.excess) for v in violations(problem, sequences)]


def test_a_round_by_hand(town) -> None:
    town.swap(1, 0, 3.0, bonus=0.5)
    town.move(2, 0, (1, 1), 4.0)
    van = town.van(batteries=5, vehicles=1)
    problem = town.problem()
    (route,) = evaluate(problem, ((Stop(0), Stop(1), Stop(1, True)),))

    matrix = problem.matrices[0]
    points = [problem.points.index(point) for point in (van.start, *(v.at for v in route.visits))]
    legs = list(zip(points, [*points[1:], points[0]], strict=True))
    metres = sum(int(matrix.distance_m[leg]) for leg in legs)
    seconds = sum(int(matrix.duration_s[leg]) for leg in legs) + 180 + 180 + 120
    assert (route.distance_m, route.duration_s) == (metres, seconds)
    assert route.end_at - route.start_at == timedelta(seconds=seconds)
    assert route.start_at == van.shift_start
    assert route.value_milli == 7000
    assert route.bonus_milli == 500
    assert route.travel_cost_milli == pytest.approx(metres * 0.3, abs=0.5)
    assert route.labour_cost_milli == pytest.approx(seconds * 14 / 3.6, abs=0.5)
    assert [v.action for v in route.visits] == [Action.SWAP, Action.PICK_UP, Action.DROP_OFF]
    assert [v.load_vehicles for v in route.visits] == [0, 1, 0]
    assert [v.batteries_left for v in route.visits] == [4, 4, 4]
    clock = route.start_at
    for visit in route.visits:
        assert visit.arrive_at - clock == timedelta(seconds=visit.leg_s)
        clock = visit.leave_at
    assert route.end_at - clock == timedelta(seconds=route.return_leg_s)
    assert sum(v.leg_m for v in route.visits) + route.return_leg_m == metres


def test_the_bonus_steers_but_is_not_profit(town) -> None:
    town.swap(1, 0, 3.0, bonus=0.5)
    town.van()
    problem = town.problem()
    stops = (Stop(0),)
    profit = profit_milli(problem, problem.vans[0], stops)
    assert evaluate(problem, (stops,))[0].profit_milli == profit
    assert objective_milli(problem, (stops,)) == profit + 500


def test_a_van_without_stops_stays_at_home(town) -> None:
    town.van()
    assert evaluate(town.problem(), ((),)) == ()
    assert violations(town.problem(), ((),)) == ()


def test_every_limit_is_seen(town) -> None:
    for x in (1, 2):
        town.move(x, 0, (x, 1), 3.0, swap=True)
    town.van(batteries=1, vehicles=1, hours=0.25)
    problem = town.problem()
    nested = (Stop(0), Stop(1), Stop(1, True), Stop(0, True))
    assert [limit for limit, _ in broken(problem, nested)] == [
        Limit.ROOM, Limit.BATTERIES, Limit.SHIFT,
    ]  # fmt: skip
    one = (Stop(0), Stop(0, True))
    assert broken(problem, (Stop(0, True), Stop(0)))[0] == (Limit.ORDER, 1)
    assert (Limit.ORDER, 1) in broken(problem, (Stop(0),))
    assert (Limit.ONCE, 1) in broken(problem, one + one)


def test_a_task_on_two_vans_is_seen(town) -> None:
    town.swap(1, 0, 3.0)
    town.van()
    town.van()
    problem = town.problem()
    (found,) = violations(problem, ((Stop(0),), (Stop(0),)))
    assert (found.limit, found.van, found.task_id) == (Limit.ONCE, 1, "T0")
