"""The day's problem in PyVRP's terms, and the way back.

Swaps are clients that take a delivery of batteries, moves are shipments that take room between
their two stops. Money is in millionths of the currency here, so that costs per metre and second
are integers: exact per metre, within 0.02 % per second at usual wages.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyvrp

from fleetdesk.routes.insertion import Floats, Ints
from fleetdesk.routes.problem import RoutingProblem, RoutingVan, Stop, Stops

MICRO_PER_MILLI = 1000


class DayModel:
    """PyVRP's data for some jobs and vans of a problem."""

    def __init__(self, problem: RoutingProblem, jobs: Sequence[int], vans: Sequence[int]) -> None:
        self.problem, self.vans = problem, tuple(vans)
        self.client_jobs = [job for job in jobs if problem.jobs[job].drop_off_point is None]
        self.shipment_jobs = [job for job in jobs if problem.jobs[job].drop_off_point is not None]
        depots = [point for van in self._vans() for point in (van.start, van.end)]
        self.data = pyvrp.ProblemData(
            locations=[pyvrp.Location(point.lon, point.lat) for point in problem.points],
            clients=[self._client(job) for job in self.client_jobs],
            depots=[pyvrp.Depot(point) for point in depots],
            vehicle_types=[self._vehicle_type(n, van) for n, van in enumerate(self._vans())],
            distance_matrices=[matrix.distance_m for matrix in problem.matrices],
            duration_matrices=[matrix.duration_s for matrix in problem.matrices],
            shipments=[self._shipment(job) for job in self.shipment_jobs],
        )

    def penalties(self) -> pyvrp.PenaltyManager:
        """Penalties on the scale of our money; PyVRP's own scale would let a battery be stolen.

        One battery or place too many begins at the dearest job's prize, one second too many at
        ten times the dearest van's second.
        """
        load = float(max((self._prize(job) for job in self.client_jobs + self.shipment_jobs)))
        second = 10.0 * max(1, *(micro_per_s(van) for van in self._vans()))
        params = pyvrp.PenaltyParams(max_penalty=10 * max(load, second))
        return pyvrp.PenaltyManager(([load, load], second, second), params)

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

    def van_of(self, route: pyvrp.Route) -> RoutingVan:
        """The van that drives the route."""
        return self.problem.vans[self.vans[route.vehicle_type()]]

    def detours_micro(self, van: RoutingVan, stops: Stops) -> Floats:
        """What driving straight past each stop would save."""
        points = np.array([van.start, *map(self.problem.point_of, stops), van.end])
        before, here, after = points[:-2], points[1:-1], points[2:]
        return (
            self._legs_micro(van, before, here)
            + self._legs_micro(van, here, after)
            - self._legs_micro(van, before, after)
        )

    def net_prize_micro(self, van: RoutingVan, job: int) -> int:
        """A job's prize less the working time at its stops."""
        return self._prize(job) - self.problem.jobs[job].work_s * micro_per_s(van)

    def _legs_micro(self, van: RoutingVan, frm: Ints, to: Ints) -> Floats:
        matrix = self.problem.matrix_of(van)
        driving = matrix.distance_m[frm, to] * float(van.cost_per_km_milli)
        return driving + matrix.duration_s[frm, to] * float(micro_per_s(van))

    def _vans(self) -> list[RoutingVan]:
        return [self.problem.vans[number] for number in self.vans]

    def _prize(self, job: int) -> int:
        return self.problem.jobs[job].worth_milli * MICRO_PER_MILLI

    def _client(self, number: int) -> pyvrp.Client:
        job = self.problem.jobs[number]
        return pyvrp.Client(
            location=job.point,
            delivery=[job.batteries, 0],
            pickup=[0, job.vehicles],
            service_duration=job.service_s,
            prize=self._prize(number),
            required=False,
        )

    def _shipment(self, number: int) -> pyvrp.Shipment:
        job = self.problem.jobs[number]
        return pyvrp.Shipment(
            pickup_location=job.point,
            delivery_location=job.drop_off_point,
            pickup_service_duration=job.service_s,
            delivery_service_duration=job.drop_off_s,
            amount=[0, job.vehicles],
            prize=self._prize(number),
            required=False,
        )

    def _vehicle_type(self, number: int, van: RoutingVan) -> pyvrp.VehicleType:
        return pyvrp.VehicleType(
            capacity=[van.batteries, van.vehicles],
            start_depot=2 * number,
            end_depot=2 * number + 1,
            tw_early=van.shift_start_s,
            tw_late=van.shift_end_s,
            unit_distance_cost=van.cost_per_km_milli,
            unit_duration_cost=micro_per_s(van),
            profile=van.matrix,
        )


def micro_per_s(van: RoutingVan) -> int:
    """A van's second of working time in millionths."""
    return round(van.cost_per_h_milli * MICRO_PER_MILLI / 3600)
