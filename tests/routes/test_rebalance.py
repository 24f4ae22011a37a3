from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import permutations
from random import Random

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from fleetdesk.errors import FleetDeskError
from fleetdesk.routes.problem import RoutingVan
from fleetdesk.routes.rebalance import Balance, rebalance
from fleetdesk.routes.solve import plan
from fleetdesk.routes.stop import Iterations
from fleetdesk.routes.travel_times import TravelMatrix

from .conftest import Town

IMPOSSIBLE = 10**9
VAN = RoutingVan("Maria", 0, 0, 0, 0, 10**6, 0, 4, 1000, 0)


def town(seed: int, count: int) -> tuple[list[Balance], TravelMatrix]:
    draw = Random(seed)
    spots = np.array([(draw.uniform(0, 100), draw.uniform(0, 100)) for _ in range(count + 1)])
    away = spots[:, None, :] - spots[None, :, :]
    metres = np.rint(np.hypot(away[..., 0], away[..., 1]) * 10).astype(np.int64)
    wants = [draw.choice([-3, -2, -1, 1, 2, 3]) for _ in range(count)]
    parkings = [Balance(f"P{n}", n + 1, number) for n, number in enumerate(wants)]
    return parkings, TravelMatrix(metres, metres, "made up")


def shortest(parkings: list[Balance], matrix: TravelMatrix, room: int) -> int:
    """One van's shortest round over all orders that some load at the start allows."""
    best = IMPOSSIBLE
    for order in permutations(parkings):
        loads = np.cumsum([0, *(each.surplus for each in order)])
        if loads.max() - loads.min() <= room:
            where = [0, *(each.point for each in order), 0]
            best = min(best, int(matrix.distance_m[where[:-1], where[1:]].sum()))
    return best


SERVABLE = [seed for seed in range(12) if shortest(*town(seed, 6), VAN.vehicles) < IMPOSSIBLE]


@pytest.mark.parametrize("seed", SERVABLE)
def test_small_towns_are_served_by_the_shortest_round(seed) -> None:
    parkings, matrix = town(seed, 6)
    found = rebalance(parkings, [VAN], matrix, Iterations(3000))
    (only,) = found.rounds
    assert only.distance_m == shortest(parkings, matrix, VAN.vehicles)
    assert {call.parking_id for call in only.calls} == {each.parking_id for each in parkings}
    load = only.loaded
    for call in only.calls:
        load += call.takes
        assert call.on_board == load
        assert 0 <= load <= VAN.vehicles


@pytest.mark.parametrize("seed", sorted({*range(12)} - {*SERVABLE}))
def test_too_much_for_one_van_is_told(seed) -> None:
    parkings, matrix = town(seed, 6)
    with pytest.raises(FleetDeskError, match="No rounds serve"):
        rebalance(parkings, [VAN], matrix, Iterations(3000))


def test_the_same_rounds_give_the_same_plan() -> None:
    parkings, matrix = town(9, 12)
    crew = [VAN, replace(VAN, worker="Nikos")]
    assert rebalance(parkings, crew, matrix, Iterations(500)) == rebalance(
        parkings, crew, matrix, Iterations(500)
    )


def test_a_parking_with_more_than_a_van_holds_is_served_in_parts() -> None:
    _, matrix = town(1, 2)
    found = rebalance([Balance("P0", 1, 7)], [VAN, VAN], matrix, Iterations(200))
    calls = [call for each in found.rounds for call in each.calls]
    assert sorted(call.takes for call in calls) == [3, 4]


def test_what_is_not_worth_the_way_is_left_out() -> None:
    parkings, matrix = town(2, 3)
    free = [replace(each, worth_milli=0) for each in parkings]
    found = rebalance(free, [VAN], matrix, Iterations(200))
    assert (found.rounds, set(found.left_out)) == ((), {"P0", "P1", "P2"})


@pytest.mark.parametrize("seed", [1, 2])
def test_a_days_moves_are_driven_about_as_shortly_as_one_signed_load(seed) -> None:
    """The day's search pairs first and routes then; that must not cost much (decision 0011)."""
    draw, day = Random(seed), Town()
    spots = [(draw.uniform(-3, 3), draw.uniform(-3, 3)) for _ in range(14)]
    many, few = [[draw.choice(half) for _ in range(24)] for half in (spots[:7], spots[7:])]
    away = [[(a - c) ** 2 + (b - d) ** 2 for c, d in few] for a, b in many]
    for row, column in zip(*linear_sum_assignment(np.sqrt(away)), strict=True):
        day.move(*many[row], few[column], 20)
    day.tasks[:] = [replace(task, must=True) for task in day.tasks]
    for _ in range(2):
        day.van(hours=12, vehicles=8)
    problem = day.problem()
    found = plan(problem, Iterations(400), seed=1)
    point = {at: number for number, at in enumerate(problem.points)}
    counts = Counter(point[task.before.at] for task in day.tasks)
    counts.subtract(point[task.after.at] for task in day.tasks)
    parkings = [Balance(f"P{n}", n, surplus, 150) for n, surplus in counts.items()]
    rounds = rebalance(
        parkings, problem.vans, problem.matrices[0], Iterations(3000), leave_empty=True
    )
    assert all(each.loaded == 0 for each in rounds.rounds)
    assert len(found.planned_task_ids) == 24
    assert sum(route.distance_m for route in found.routes) < 1.2 * rounds.distance_m


def test_nothing_to_do_and_vans_without_room() -> None:
    parkings, matrix = town(2, 3)
    assert rebalance([], [], matrix, Iterations(5)).rounds == ()
    with pytest.raises(FleetDeskError, match="no van has room"):
        rebalance(parkings, [replace(VAN, vehicles=0)], matrix, Iterations(5))
    with pytest.raises(FleetDeskError, match="No rounds serve"):
        rebalance(parkings, [replace(VAN, shift_end_s=1)], matrix, Iterations(50))
