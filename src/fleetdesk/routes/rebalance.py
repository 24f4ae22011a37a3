"""Rebalancing: vehicles from parkings that have too many to those that have too few.

One signed load per van, by OR-Tools' guided local search: pairing surplus with deficit first and
routing afterwards costs 3 to 18 %.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from fleetdesk.errors import FleetDeskError
from fleetdesk.routes.problem import RoutingVan
from fleetdesk.routes.stop import Stop
from fleetdesk.routes.travel_times import TravelMatrix

LONGEST_S = 3600
"""OR-Tools warns without some limit in time; the stopping rule comes first."""


@dataclass(frozen=True, slots=True)
class Balance:
    """A parking with `surplus` vehicles to take away, or to bring where it is below 0.

    `point` indexes the matrix; `per_vehicle_s` is the work at each vehicle there. `worth_milli` is
    what it brings to serve it whole; None = it must be served.
    """

    parking_id: str
    point: int
    surplus: int
    per_vehicle_s: int = 0
    worth_milli: int | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A van at a parking: it takes `takes` vehicles (below 0: brings) and has `on_board` then."""

    parking_id: str
    takes: int
    on_board: int


@dataclass(frozen=True, slots=True)
class RebalancingRound:
    """One van's calls in their order; `loaded` vehicles are on board when it leaves."""

    worker: str
    loaded: int
    calls: tuple[Call, ...]
    distance_m: int
    duration_s: int


@dataclass(frozen=True, slots=True)
class Rebalancing:
    """Rounds for the vans that go out, and the parkings that nobody serves."""

    rounds: tuple[RebalancingRound, ...]
    left_out: tuple[str, ...]

    @property
    def distance_m(self) -> int:
        """Metres of all rounds."""
        return sum(each.distance_m for each in self.rounds)


def rebalance(
    parkings: Sequence[Balance],
    vans: Sequence[RoutingVan],
    matrix: TravelMatrix,
    stop: Stop,
    clock: Callable[[], float] = time.perf_counter,
    *,
    leave_empty: bool = False,
) -> Rebalancing:
    """The cheapest rounds found until `stop` that serve every parking, each by one van at once.

    Vans may leave loaded (but for `leave_empty`) and come home loaded; none carries more than its
    room. A parking with more than a van holds is served in parts. `stop` counts looks at the search
    (its rounds) and the seconds of `clock`. The same arguments with a limit on rounds give the same
    answer. FleetDeskError where vans have no room or what must be served cannot be.
    """
    wanted = [parking for parking in parkings if parking.surplus]
    if not wanted:
        return Rebalancing((), ())
    room = max((van.vehicles for van in vans), default=0)
    if room <= 0:
        raise FleetDeskError(
            "Vehicles cannot be moved between parkings",
            found="no van has room for a vehicle",
            fix="Enter how many vehicles a van holds in the sheet Workers & vans",
        )
    calls = [part for each in wanted for part in _parts(each, room)]
    model = _Model(calls, vans, matrix, leave_empty=leave_empty)
    found = model.solved(stop, clock)
    if found is None:
        raise FleetDeskError(
            "No rounds serve all parkings that must be served",
            found=f"{len(wanted)} parkings, {len(vans)} vans with room for at most {room}",
            fix="Lengthen shifts, add a van, or let parkings go unserved",
        )
    return found


def _parts(parking: Balance, room: int) -> list[Balance]:
    """The parking in as few equal parts as a van can serve at one call."""
    count = ceil(abs(parking.surplus) / room)
    sign = 1 if parking.surplus > 0 else -1
    sizes = np.full(count, abs(parking.surplus) // count)
    sizes[: abs(parking.surplus) % count] += 1
    worth = parking.worth_milli
    return [
        Balance(
            parking.parking_id,
            parking.point,
            sign * int(size),
            parking.per_vehicle_s,
            None if worth is None else worth // count,
        )
        for size in sizes
    ]


class _Model:
    """OR-Tools' model: one node per call, then each van's start and end."""

    def __init__(
        self,
        calls: Sequence[Balance],
        vans: Sequence[RoutingVan],
        matrix: TravelMatrix,
        *,
        leave_empty: bool,
    ) -> None:
        self._calls, self._vans, self._matrix = calls, vans, matrix
        count = len(calls)
        ends = [point for van in vans for point in (van.start, van.end)]
        self._points = np.array([*(call.point for call in calls), *ends])
        self._works = [abs(call.surplus) * call.per_vehicle_s for call in calls]
        starts = [count + 2 * n for n in range(len(vans))]
        self._manager = pywrapcp.RoutingIndexManager(
            len(self._points), len(vans), starts, [start + 1 for start in starts]
        )
        self._routing = pywrapcp.RoutingModel(self._manager)
        seconds = self._register(matrix.duration_s, self._works)
        latest = max((van.shift_end_s for van in vans), default=0)
        self._routing.AddDimension(seconds, 0, latest, False, "time")
        signed = [*(call.surplus for call in calls), *[0] * len(ends)]
        loads = self._routing.RegisterUnaryTransitVector(signed)
        rooms = [van.vehicles for van in vans]
        # Where vans may leave with vehicles on board, the load does not begin at 0.
        self._routing.AddDimensionWithVehicleCapacity(loads, 0, rooms, leave_empty, "load")
        self._load = self._routing.GetDimensionOrDie("load")
        clock = self._routing.GetDimensionOrDie("time")
        for number, van in enumerate(vans):
            cost = self._register(matrix.distance_m * van.cost_per_km_milli, ())
            self._routing.SetArcCostEvaluatorOfVehicle(cost, number)
            clock.SetSpanCostCoefficientForVehicle(round(van.cost_per_h_milli / 3.6), number)
            clock.CumulVar(self._routing.Start(number)).SetValue(van.shift_start_s)
            clock.CumulVar(self._routing.End(number)).SetRange(0, van.shift_end_s)
        for node, call in enumerate(calls):
            if call.worth_milli is not None:
                index = self._manager.NodeToIndex(node)
                self._routing.AddDisjunction([index], max(0, call.worth_milli) * 1000)

    def solved(self, stop: Stop, clock: Callable[[], float]) -> Rebalancing | None:
        """Guided local search from the cheapest arcs."""
        search = pywrapcp.DefaultRoutingSearchParameters()
        search.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.PATH_CHEAPEST_ARC
        search.time_limit.seconds = LONGEST_S
        search.local_search_metaheuristic = (
            routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
        )
        began, looks = clock(), 0

        def over() -> bool:
            nonlocal looks
            looks += 1
            return stop.reached(looks, clock() - began)

        self._routing.AddSearchMonitor(self._routing.solver().CustomLimit(over))
        found = self._routing.SolveWithParameters(search)
        if found is None:
            return None
        rounds = [self._round(number, found) for number in range(len(self._vans))]
        out = [
            call.parking_id
            for node, call in enumerate(self._calls)
            if (index := self._manager.NodeToIndex(node))
            == found.Value(self._routing.NextVar(index))
        ]
        return Rebalancing(tuple(each for each in rounds if each.calls), tuple(dict.fromkeys(out)))

    def _round(self, van: int, found: Any) -> RebalancingRound:
        nodes = [self._manager.IndexToNode(self._routing.Start(van))]
        index = self._routing.Start(van)
        loaded = on_board = found.Value(self._load.CumulVar(index))
        calls = []
        while not self._routing.IsEnd(index := found.Value(self._routing.NextVar(index))):
            nodes.append(self._manager.IndexToNode(index))
            call = self._calls[nodes[-1]]
            on_board += call.surplus
            calls.append(Call(call.parking_id, call.surplus, on_board))
        nodes.append(self._manager.IndexToNode(index))
        where = self._points[nodes]
        driven_s = int(self._matrix.duration_s[where[:-1], where[1:]].sum())
        return RebalancingRound(
            self._vans[van].worker,
            loaded,
            tuple(calls),
            int(self._matrix.distance_m[where[:-1], where[1:]].sum()),
            driven_s + sum(self._works[node] for node in nodes[1:-1]),
        )

    def _register(self, numbers: np.ndarray, works: Sequence[int]) -> int:
        table = numbers[np.ix_(self._points, self._points)]
        if works:
            table = table + np.array([*works, *[0] * (2 * len(self._vans))])[:, None]
        return int(self._routing.RegisterTransitMatrix(table.tolist()))
