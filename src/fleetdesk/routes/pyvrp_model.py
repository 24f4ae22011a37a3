"""The day's problem in PyVRP's terms, and the way back.

Swaps are clients, moves are shipments that take room between their two stops. Money is in
millionths of the currency: driving is the "distance" that PyVRP counts, working time costs whole
millionths per second (within 0.02 % at usual wages).

A battery is gone for good, but PyVRP's loads cannot say so of a shipment: what it takes, it gives
back at its drop-off. Hence the way to each stop that needs a battery is longer by a toll greater
than any round's driving, the job's prize is higher by the same toll, and a van's longest distance
is as many tolls as it has batteries, plus all the driving there can be. That is the battery
limit, exactly, and the money comes out as before.

Vans that are alike in all but the worker are one vehicle type, so that the search tries one empty
van and not each. What a worker may not do lies where there is no way to. A break shortens the
shift, and where jobs have time windows, these end sooner by its length: what fits then fits with
the break too. Reloads are left to the referee: a van has the batteries of all its reloads, and
what it cannot drive with them is taken out afterwards. Evenness is a price on the time beyond an
average round, and a task in a cell that the worker does not know has a longer way, like a toll.

Rules become forbidden ways and fences. A bound job is required and stands at a place of its own,
to which other vans have no way; a frozen beginning leaves its van one way on from each stop.
Locked stops that need not follow each other directly get time windows that do not overlap.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
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
DUTY_WAYS = 4
"""Where moves must be done, the dearest prize counts as at least so many of the dearest ways."""
STRICT = 30.0
"""Times the opening penalties: breaking a limit never pays."""

Fences = Mapping[Stop, tuple[int, int]]
"""The seconds (as those of the problem) between which a stop must begin."""
NO_FENCES: Fences = MappingProxyType({})
_NO_END = int(np.iinfo(np.int64).max)
_ALWAYS = (0, _NO_END)


class DayModel:
    """PyVRP's data for some jobs and vans of a problem (at least one each).

    Jobs in `required` must be planned. `average_s` is the round beyond which time costs what the
    problem asks for evenness (None = nowhere).
    """

    def __init__(
        self,
        problem: RoutingProblem,
        jobs: Sequence[int],
        vans: Sequence[int],
        rules: Rules = FREE,
        fences: Fences = NO_FENCES,
        required: Collection[int] = (),
        average_s: int | None = None,
    ) -> None:
        self.problem, self._rules, self._fences = problem, rules, fences
        self._average_s = average_s
        self._required = frozenset(required) | frozenset(rules.van_of)
        self.client_jobs = [job for job in jobs if problem.jobs[job].drop_off_point is None]
        self.shipment_jobs = [job for job in jobs if problem.jobs[job].drop_off_point is not None]
        self._points = [*range(len(problem.points))]
        self._demanding = set(jobs) - set(np.flatnonzero(problem.suitable.all(axis=0)).tolist())
        self._known = {job for job, _ in problem.familiar}
        self._location = {stop: self._place(stop) for job in jobs for stop in problem.stops_of(job)}
        self._starts = {number: self._start(number) for number in vans}
        self.groups = self._alike(vans)
        drivers = [problem.vans[number] for number in vans]
        rates = {self._rate(group[0]): group[0] for group in self.groups}
        profile = {rate: number for number, rate in enumerate(rates)}
        self._dearest_way = self._dearest(rates)
        unknown = problem.familiar_milli * MICRO_PER_MILLI * len(self._known)
        stops = 2 * (len(self.client_jobs) + len(self.shipment_jobs))
        # More than any round's driving and tolls for unknown cells can cost.
        self._most_driving = max(1, (stops + 1) * self._dearest_way + unknown)
        self._toll = TOLL_OVER_DRIVING * self._most_driving
        self._most_batteries = max(van.most_batteries for van in drivers)
        self._forbidden = 4 * (self._toll * self._most_batteries + self._most_driving)
        self._second = self._dearest_second(drivers)
        self._sooner_s = max(van.break_s for van in drivers)
        self.data = pyvrp.ProblemData(
            locations=[
                pyvrp.Location(problem.points[point].lon, problem.points[point].lat)
                for point in self._points
            ],
            clients=[self._client(job) for job in self.client_jobs],
            depots=[
                pyvrp.Depot(location)
                for group in self.groups
                for location in (self._starts[group[0]], problem.vans[group[0]].end)
            ],
            vehicle_types=[
                self._vehicle_type(kind, group, profile[self._rate(group[0])])
                for kind, group in enumerate(self.groups)
            ],
            distance_matrices=[self._driving(number) for number in rates.values()],
            duration_matrices=[
                problem.matrices[rate[0]].duration_s[np.ix_(self._points, self._points)]
                for rate in rates
            ],
            shipments=[self._shipment(job) for job in self.shipment_jobs],
        )

    @property
    def chooses(self) -> bool:
        """Whether there are jobs that may be left out."""
        return bool(self._optional())

    def penalties(self) -> pyvrp.PenaltyManager:
        """Penalties on the scale of our money, to begin the search with."""
        if not self.chooses and not self.shipment_jobs:
            usual = pyvrp.PenaltyParams()
            return pyvrp.PenaltyManager(usual.midpoint_penalties(self.data), usual)
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
        for kind, group in enumerate(self.groups):
            for van in group:
                known = [activities[stop] for stop in sequences[van] if stop in activities]
                if known:
                    routes.append(pyvrp.Route(self.data, known, kind))
        return pyvrp.Solution(self.data, routes)

    def sequences(self, solution: pyvrp.Solution, like: Sequence[Stops] = ()) -> tuple[Stops, ...]:
        """PyVRP's routes as sequences, one per van of the problem.

        Of vans that are alike, each gets the round that shares most stops with its one in `like`.
        """
        found: list[Stops] = [()] * len(self.problem.vans)
        rounds: list[list[Stops]] = [[] for _ in self.groups]
        for route in solution.routes():
            rounds[route.vehicle_type()].append(self.stops(route))
        for group, left in zip(self.groups, rounds, strict=True):
            for van, stops in _matched(group, left, like):
                found[van] = stops
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

    def _optional(self) -> list[int]:
        return [j for j in self.client_jobs + self.shipment_jobs if j not in self._required]

    def _prize(self, job: int) -> int:
        # A required job may bring less than nothing: its prize is idle.
        return max(0, self.problem.steering_milli[job] * MICRO_PER_MILLI)

    def _full_prize(self, job: int) -> int:
        known = self.problem.familiar_milli * MICRO_PER_MILLI if job in self._known else 0
        return self._prize(job) + known + self._toll * self.problem.jobs[job].batteries

    def _dearest_second(self, drivers: Sequence[RoutingVan]) -> float:
        """What a second is worth: the dearest wage, or what the jobs bring per second of shifts."""
        prizes = sum(self._prize(job) for job in self._optional())
        seconds = sum(van.longest_s for van in drivers)
        return max(1.0, prizes / max(1, seconds), *(_micro_per_s(van) for van in drivers))

    def _opening_penalties(self) -> tuple[float, float, float]:
        prize = max([1, *(self._prize(job) for job in self._optional())])
        if set(self.shipment_jobs) & self._required:
            # The search may not carry one vehicle too many to save a way.
            prize = max(prize, DUTY_WAYS * self._dearest_way)
        battery = BATTERY_PENALTY * prize / self._toll
        return PLACE_PENALTY * prize, SECOND_PENALTY * self._second, battery

    def _place(self, stop: Stop) -> int:
        """A location of its own where a toll is due or a rule holds, else the point itself."""
        point, job = self.problem.point_of(stop), self.problem.jobs[stop.job]
        tolled = job.batteries > 0 and not stop.drop_off
        special = {*self._rules.van_of, *self._demanding, *self._known}
        if not tolled and stop.job not in special:
            return point
        self._points.append(point)
        return len(self._points) - 1

    def _start(self, van: int) -> int:
        """Where the van starts; a location of its own where only one way leads on from it."""
        if not self._rules.head(van):
            return self.problem.vans[van].start
        self._points.append(self.problem.vans[van].start)
        return len(self._points) - 1

    def _alike(self, vans: Sequence[int]) -> list[list[int]]:
        """The vans in groups between which the search need not tell."""
        groups: dict[object, list[int]] = {}
        for number in vans:
            nobody = replace(self.problem.vans[number], worker="", skills=frozenset(), on_board=0)
            groups.setdefault((nobody, *self._rate(number)), []).append(number)
        return list(groups.values())

    def _rate(self, number: int) -> tuple[int, int, object]:
        """The van's matrix and cost, and what else tells its ways from those of others."""
        van = self.problem.vans[number]
        if self._rules.van_of:
            return van.matrix, van.cost_per_km_milli, number
        closed = frozenset(j for j in self._demanding if not self.problem.suitable[number, j])
        known = frozenset(j for j in self._known if (j, number) in self.problem.familiar)
        return van.matrix, van.cost_per_km_milli, (closed, known)

    def _dearest(self, rates: Iterable[tuple[int, int, object]]) -> int:
        """The money for driving between the two places that are farthest apart."""
        each = {(matrix, cost) for matrix, cost, _ in rates}
        return max(int(np.max(self.problem.matrices[m].distance_m)) * cost for m, cost in each)

    def _driving(self, van: int) -> Matrix:
        """Money for each leg, with the tolls; thousandths per km are millionths per metre."""
        driver = self.problem.vans[van]
        metres = self.problem.matrix_of(driver).distance_m[np.ix_(self._points, self._points)]
        tolls = np.zeros(len(self._points), np.int64)
        for stop, location in self._location.items():
            if not stop.drop_off and self.problem.jobs[stop.job].batteries:
                tolls[location] = self._toll * self.problem.jobs[stop.job].batteries
            unknown = stop.job in self._known and (stop.job, van) not in self.problem.familiar
            if unknown and not stop.drop_off:
                tolls[location] += self.problem.familiar_milli * MICRO_PER_MILLI
        driving = metres * driver.cost_per_km_milli + tolls
        np.fill_diagonal(driving, 0)
        self._forbid(driving, van)
        return driving

    def _forbid(self, driving: Matrix, van: int) -> None:
        """Close the ways to jobs that are not for the van, and those that leave its beginning."""
        others = [
            location
            for stop, location in self._location.items()
            if self._rules.van_of.get(stop.job, van) != van
            or (stop.job in self._demanding and not self.problem.suitable[van, stop.job])
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
        early, late = self._hours(Stop(number))
        return pyvrp.Client(
            location=self._location[Stop(number)],
            # What is dropped off alone has been on board since the start.
            delivery=[max(0, -job.vehicles)],
            pickup=[max(0, job.vehicles)],
            service_duration=job.service_s,
            tw_early=early,
            tw_late=late,
            prize=self._full_prize(number),
            required=number in self._required,
        )

    def _shipment(self, number: int) -> pyvrp.Shipment:
        job = self.problem.jobs[number]
        early, late = self._hours(Stop(number))
        drop_early, drop_late = self._hours(Stop(number, True))
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
            prize=self._full_prize(number),
            required=number in self._required,
        )

    def _hours(self, stop: Stop) -> tuple[int, int]:
        """When work at the stop may begin: its job's window and its fence."""
        early, late = self._fences.get(stop, _ALWAYS)
        window = self.problem.jobs[stop.job].window_s
        if window is None:
            return early, late
        # With a window that is shorter than the break, the two may clash: see `ortools_engine`.
        ends = max(window[0], window[1] - self._sooner_s)
        return max(early, window[0]), max(early, window[0], min(late, ends))

    def _vehicle_type(self, number: int, group: Sequence[int], profile: int) -> pyvrp.VehicleType:
        van = self.problem.vans[group[0]]
        here = self.client_jobs + self.shipment_jobs
        takes = any(self.problem.jobs[job].batteries for job in here)
        tolled = takes or self._demanding or self._known or self._rules.van_of
        no_more = self._toll * van.most_batteries + self._most_driving
        even_s, even = self._evenness(van)
        return pyvrp.VehicleType(
            num_available=len(group),
            capacity=[max(0, van.vehicles - van.kept)],
            start_depot=2 * number,
            end_depot=2 * number + 1,
            tw_early=van.shift_start_s,
            tw_late=max(van.shift_start_s, van.shift_end_s + van.overtime_s - van.break_s),
            shift_duration=even_s,
            max_overtime=max(0, van.longest_s - even_s),
            unit_overtime_cost=even,
            max_distance=no_more if tolled else _NO_END,
            unit_distance_cost=1,
            unit_duration_cost=_micro_per_s(van),
            profile=profile,
        )

    def _evenness(self, van: RoutingVan) -> tuple[int, int]:
        """From which second on a round costs more, and how much per second."""
        shift_s = max(0, van.shift_s - van.break_s)
        over = _per_s(van.overtime_per_h_milli)
        if self._average_s is None or self._average_s >= shift_s:
            return shift_s, over
        return self._average_s, _per_s(self.problem.balance_per_h_milli)


def _matched(
    group: Sequence[int], rounds: Sequence[Stops], like: Sequence[Stops]
) -> Iterator[tuple[int, Stops]]:
    """Each of the rounds with a van of the group, those that share most stops first."""
    free, left = list(group), list(rounds)
    shared = sorted(
        (
            (-len(set(like[van]) & set(stops)), place, van)
            for place, stops in enumerate(rounds)
            for van in group
        )
        if like
        else ((0, place, van) for place, van in enumerate(group[: len(rounds)])),
    )
    given: set[int] = set()
    for _, place, van in shared:
        if place not in given and van in free:
            given.add(place)
            free.remove(van)
            yield van, left[place]


def _micro_per_s(van: RoutingVan) -> int:
    return _per_s(van.cost_per_h_milli)


def _per_s(per_h_milli: int) -> int:
    return round(per_h_milli * MICRO_PER_MILLI / 3600)
