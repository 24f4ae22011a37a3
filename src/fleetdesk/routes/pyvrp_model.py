"""The day's problem in PyVRP's terms, and the way back.

Swaps are clients, moves are shipments that take room between their two stops. Money is in
millionths of the currency: driving is the "distance" that PyVRP counts, working time costs whole
millionths per second (within 0.02 % at usual wages).

A battery is gone for good, but PyVRP's loads cannot say so of a shipment: what it takes, it gives
back at its drop-off. Hence the way to each stop that needs a battery is longer by a toll greater
than any round's driving, the job's prize is higher by the same toll, and a van's longest distance
is as many tolls as it has batteries, plus all the driving there can be. That is the battery
limit, exactly, and the money comes out as before.

Rules become forbidden ways and fences. A bound job is required and stands at a place of its own,
to which other vans have no way; a frozen beginning leaves its van one way on from each stop.
Locked stops that need not follow each other directly get time windows that do not overlap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import pyvrp

from fleetdesk.routes.pins import FREE, Rules
from fleetdesk.routes.problem import RoutingProblem, RoutingVan, Stop, Stops
from fleetdesk.routes.travel_times import Matrix

MICRO_PER_MILLI = 1000
TOLL_OVER_DRIVING = 4

PLACE_PENALTY = 0.3
BATTERY_PENALTY = 0.3
SECOND_PENALTY = 1.0
"""Opening penalties: shares of the dearest prize and of the dearest van's second.

They are a trade-off that was measured on generated days: lower ones let the search cross
overfull plans, higher ones keep it among the drivable.
"""
STRICT = 30.0
"""Times the opening penalties: breaking a limit never pays."""

Fences = Mapping[Stop, tuple[int, int]]
"""The seconds (as those of the problem) between which a stop must begin."""
NO_FENCES: Fences = MappingProxyType({})
_ALWAYS = (0, np.iinfo(np.int64).max)


class DayModel:
    """PyVRP's data for some jobs and vans of a problem (at least one each)."""

    def __init__(
        self,
        problem: RoutingProblem,
        jobs: Sequence[int],
        vans: Sequence[int],
        rules: Rules = FREE,
        fences: Fences = NO_FENCES,
    ) -> None:
        self.problem, self.vans, self._rules, self._fences = problem, tuple(vans), rules, fences
        self.client_jobs = [job for job in jobs if problem.jobs[job].drop_off_point is None]
        self.shipment_jobs = [job for job in jobs if problem.jobs[job].drop_off_point is not None]
        self._points = [*range(len(problem.points))]
        self._location = {stop: self._place(stop) for job in jobs for stop in problem.stops_of(job)}
        self._starts = {number: self._start(number) for number in vans}
        drivers = [problem.vans[number] for number in vans]
        # Without rules, vans of one speed and cost share their matrices.
        rates = sorted({self._rate(number) for number in vans})
        self._most_driving = self._bound(rates)
        self._toll = TOLL_OVER_DRIVING * self._most_driving
        self._forbidden = 4 * (self._toll * max(v.batteries for v in drivers) + self._most_driving)
        self._second = max(1, *(_micro_per_s(van) for van in drivers))
        self.data = pyvrp.ProblemData(
            locations=[
                pyvrp.Location(problem.points[point].lon, problem.points[point].lat)
                for point in self._points
            ],
            clients=[self._client(job) for job in self.client_jobs],
            depots=[
                pyvrp.Depot(location)
                for number in vans
                for location in (self._starts[number], problem.vans[number].end)
            ],
            vehicle_types=[
                self._vehicle_type(kind, problem.vans[number], rates.index(self._rate(number)))
                for kind, number in enumerate(vans)
            ],
            distance_matrices=[self._driving(*rate) for rate in rates],
            duration_matrices=[
                problem.matrices[matrix].duration_s[np.ix_(self._points, self._points)]
                for matrix, _, _ in rates
            ],
            shipments=[self._shipment(job) for job in self.shipment_jobs],
        )

    def penalties(self) -> pyvrp.PenaltyManager:
        """Penalties on the scale of our money, to begin the search with."""
        place, second, micro = self._opening_penalties()
        params = pyvrp.PenaltyParams(
            # A day of a few tasks is searched in few rounds and must adapt sooner.
            solutions_between_updates=min(
                500, max(20, len(self.client_jobs) + len(self.shipment_jobs))
            ),
            min_penalty=micro / 100,
            max_penalty=STRICT * max(place, second),
        )
        return pyvrp.PenaltyManager(([place], second, micro), params)

    def strict(self) -> pyvrp.CostEvaluator:
        """Costs under which no broken limit pays."""
        place, second, micro = (STRICT * penalty for penalty in self._opening_penalties())
        return pyvrp.CostEvaluator([place], second, micro)

    def solution(self, sequences: Sequence[Stops]) -> pyvrp.Solution:
        """Sequences, one per van of the problem, as PyVRP has them; unknown jobs are left out."""
        activities = {
            Stop(job): pyvrp.Activity(pyvrp.ActivityType.CLIENT, number)
            for number, job in enumerate(self.client_jobs)
        }
        for number, job in enumerate(self.shipment_jobs):
            activities[Stop(job)] = pyvrp.Activity(pyvrp.ActivityType.PICKUP, number)
            activities[Stop(job, True)] = pyvrp.Activity(pyvrp.ActivityType.DELIVERY, number)
        routes = []
        for kind, van in enumerate(self.vans):
            known = [activities[stop] for stop in sequences[van] if stop in activities]
            if known:
                routes.append(pyvrp.Route(self.data, known, kind))
        return pyvrp.Solution(self.data, routes)

    def sequences(self, solution: pyvrp.Solution) -> tuple[Stops, ...]:
        """PyVRP's routes as sequences, one per van of the problem."""
        found: list[Stops] = [()] * len(self.problem.vans)
        for route in solution.routes():
            found[self.vans[route.vehicle_type()]] = self.stops(route)
        return tuple(found)

    def stops(self, route: pyvrp.Route) -> Stops:
        """A route's stops without its start and end."""
        return tuple(
            Stop(self.client_jobs[activity.idx])
            if activity.is_client()
            else Stop(self.shipment_jobs[activity.idx], activity.is_delivery())
            for activity in route
            if not activity.is_depot()
        )

    def _prize(self, job: int) -> int:
        # A bound job may bring less than nothing; it is required, so that its prize is idle.
        return max(0, self.problem.jobs[job].worth_milli * MICRO_PER_MILLI)

    def _opening_penalties(self) -> tuple[float, float, float]:
        prize = max(1, *(self._prize(job) for job in self.client_jobs + self.shipment_jobs))
        battery = BATTERY_PENALTY * prize / self._toll
        return PLACE_PENALTY * prize, SECOND_PENALTY * self._second, battery

    def _place(self, stop: Stop) -> int:
        """A location of its own where a toll is due or a rule holds, else the point itself."""
        point, job = self.problem.point_of(stop), self.problem.jobs[stop.job]
        tolled = job.batteries > 0 and not stop.drop_off
        if not tolled and stop.job not in self._rules.van_of:
            return point
        self._points.append(point)
        return len(self._points) - 1

    def _start(self, van: int) -> int:
        """Where the van starts; a location of its own where only one way leads on from it."""
        if not self._rules.head(van):
            return self.problem.vans[van].start
        self._points.append(self.problem.vans[van].start)
        return len(self._points) - 1

    def _rate(self, number: int) -> tuple[int, int, int]:
        """The van's matrix and cost, and the van itself once rules tell vans apart."""
        van = self.problem.vans[number]
        return van.matrix, van.cost_per_km_milli, number if self._rules.van_of else -1

    def _bound(self, rates: Sequence[tuple[int, int, int]]) -> int:
        legs = 2 * (len(self.client_jobs) + len(self.shipment_jobs)) + 1
        dearest = (int(np.max(self.problem.matrices[m].distance_m)) * rate for m, rate, _ in rates)
        return max(1, legs * max(dearest))

    def _driving(self, matrix: int, cost_per_km_milli: int, number: int) -> Matrix:
        """Money for each leg, with the tolls; thousandths per km are millionths per metre."""
        metres = self.problem.matrices[matrix].distance_m[np.ix_(self._points, self._points)]
        tolls = np.zeros(len(self._points), np.int64)
        for stop, location in self._location.items():
            if not stop.drop_off and self.problem.jobs[stop.job].batteries:
                tolls[location] = self._toll * self.problem.jobs[stop.job].batteries
        driving = metres * cost_per_km_milli + tolls
        np.fill_diagonal(driving, 0)
        self._forbid(driving, number)
        return driving

    def _forbid(self, driving: Matrix, van: int) -> None:
        """Close the ways to other vans' bound jobs, and those that leave a frozen beginning."""
        others = [
            location
            for stop, location in self._location.items()
            if self._rules.van_of.get(stop.job, van) != van
        ]
        driving[:, others] = self._forbidden
        head = [self._location[stop] for stop in self._rules.head(van)]
        for here, on in zip([self._starts.get(van, -1), *head], head, strict=False):
            kept = driving[here, on]
            driving[here, :] = self._forbidden
            driving[here, on] = kept
        np.fill_diagonal(driving, 0)

    def _client(self, number: int) -> pyvrp.Client:
        job = self.problem.jobs[number]
        early, late = self._fences.get(Stop(number), _ALWAYS)
        return pyvrp.Client(
            location=self._location[Stop(number)],
            pickup=[job.vehicles],
            service_duration=job.service_s,
            tw_early=early,
            tw_late=late,
            prize=self._prize(number) + self._toll * job.batteries,
            required=number in self._rules.van_of,
        )

    def _shipment(self, number: int) -> pyvrp.Shipment:
        job = self.problem.jobs[number]
        early, late = self._fences.get(Stop(number), _ALWAYS)
        drop_early, drop_late = self._fences.get(Stop(number, True), _ALWAYS)
        return pyvrp.Shipment(
            pickup_location=self._location[Stop(number)],
            delivery_location=self._location[Stop(number, True)],
            pickup_tw_early=early,
            pickup_tw_late=late,
            pickup_service_duration=job.service_s,
            delivery_tw_early=drop_early,
            delivery_tw_late=drop_late,
            delivery_service_duration=job.drop_off_s,
            amount=[job.vehicles],
            prize=self._prize(number) + self._toll * job.batteries,
            required=number in self._rules.van_of,
        )

    def _vehicle_type(self, number: int, van: RoutingVan, profile: int) -> pyvrp.VehicleType:
        return pyvrp.VehicleType(
            capacity=[van.vehicles],
            start_depot=2 * number,
            end_depot=2 * number + 1,
            tw_early=van.shift_start_s,
            tw_late=van.shift_end_s,
            max_distance=self._toll * van.batteries + self._most_driving,
            unit_distance_cost=1,
            unit_duration_cost=_micro_per_s(van),
            profile=profile,
        )


def _micro_per_s(van: RoutingVan) -> int:
    return round(van.cost_per_h_milli * MICRO_PER_MILLI / 3600)
