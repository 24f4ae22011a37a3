"""OR-Tools' guided local search on the day's model: a second opinion, and breaks among windows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from fleetdesk.routes.pins import FREE, Rules
from fleetdesk.routes.problem import END_OF_TIME_S, RoutingProblem, Stop, Stops
from fleetdesk.routes.schedule import work_s

MICRO_PER_MILLI = 1000
MOST_LOOKS = 10_000
LONGEST_S = 3600
"""OR-Tools warns without some limit in time; the stopping rule comes first."""


def search(
    problem: RoutingProblem,
    jobs: Sequence[int],
    vans: Sequence[int],
    start: Sequence[Stops],
    solutions: int,
    rules: Rules = FREE,
) -> tuple[Stops, ...]:
    """The best sequences after so many solutions from `start`, using only `jobs` and `vans`.

    The same arguments give the same answer. Reloads are not planned and breaks may fall into a
    leg, so the referee must look at it; `start` when OR-Tools finds nothing.
    """
    model = _Model(problem, jobs, vans, rules)
    return model.solved(start, solutions)


class _Model:
    """OR-Tools' routing model of the day; node 0.. are stops, then each van's start and end."""

    def __init__(
        self, problem: RoutingProblem, jobs: Sequence[int], vans: Sequence[int], rules: Rules
    ) -> None:
        self._problem, self._jobs, self._vans, self._rules = problem, jobs, vans, rules
        self._stops = [stop for job in jobs for stop in problem.stops_of(job)]
        ends = [p for n in vans for p in (problem.vans[n].start, problem.vans[n].end)]
        self._points = np.array([*(problem.point_of(stop) for stop in self._stops), *ends])
        count = len(self._stops)
        self._manager = pywrapcp.RoutingIndexManager(
            len(self._points),
            len(vans),
            [count + 2 * n for n in range(len(vans))],
            [count + 2 * n + 1 for n in range(len(vans))],
        )
        self._routing = pywrapcp.RoutingModel(self._manager)
        self._solver = self._routing.solver()
        self._index = {
            stop: self._manager.NodeToIndex(node) for node, stop in enumerate(self._stops)
        }
        self._add_money()
        self._time = self._add_time()
        self._add_loads()
        for job in jobs:
            self._add_job(job)

    def solved(self, start: Sequence[Stops], solutions: int) -> tuple[Stops, ...]:
        """Guided local search from `start`."""
        search = pywrapcp.DefaultRoutingSearchParameters()
        search.time_limit.seconds = LONGEST_S
        search.local_search_metaheuristic = (
            routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
        )
        search.solution_limit = solutions
        # Guided local search goes on for ever; so many looks at the limit are its end.
        looks = iter(range(MOST_LOOKS))
        self._routing.AddSearchMonitor(self._solver.CustomLimit(lambda: next(looks, None) is None))
        self._routing.CloseModelWithParameters(search)
        numbers = {stop: number for number, stop in enumerate(self._stops)}
        routes = [
            [self._manager.NodeToIndex(numbers[stop]) for stop in start[van] if stop in numbers]
            for van in self._vans
        ]
        given = self._routing.ReadAssignmentFromRoutes(routes, ignore_inactive_indices=True)
        if given is None:
            return tuple(start)
        found = self._routing.SolveFromAssignmentWithParameters(given, search)
        return tuple(start) if found is None else self._sequences(found)

    def _sequences(self, found: Any) -> tuple[Stops, ...]:
        sequences: list[Stops] = [()] * len(self._problem.vans)
        for number, van in enumerate(self._vans):
            stops: list[Stop] = []
            index = found.Value(self._routing.NextVar(self._routing.Start(number)))
            while not self._routing.IsEnd(index):
                stops.append(self._stops[self._manager.IndexToNode(index)])
                index = found.Value(self._routing.NextVar(index))
            sequences[van] = tuple(stops)
        return tuple(sequences)

    def _table(self, numbers: np.ndarray, work: bool) -> int:
        table = numbers[np.ix_(self._points, self._points)]
        if work:
            works = [work_s(self._problem, stop) for stop in self._stops]
            table = table + np.array([*works, *[0] * (2 * len(self._vans))])[:, None]
        return int(self._routing.RegisterTransitMatrix(table.tolist()))

    def _add_money(self) -> None:
        made: dict[tuple[int, int], int] = {}
        for number, van in enumerate(self._vans):
            driver = self._problem.vans[van]
            rate = driver.matrix, driver.cost_per_km_milli
            if rate not in made:
                metres = self._problem.matrix_of(driver).distance_m
                made[rate] = self._table(metres * driver.cost_per_km_milli, work=False)
            self._routing.SetArcCostEvaluatorOfVehicle(made[rate], number)

    def _add_time(self) -> Any:
        drivers = [self._problem.vans[van] for van in self._vans]
        tables = {
            matrix: self._table(self._problem.matrices[matrix].duration_s, work=True)
            for matrix in {driver.matrix for driver in drivers}
        }
        latest = max(driver.shift_end_s + driver.overtime_s for driver in drivers)
        self._routing.AddDimensionWithVehicleTransits(
            [tables[driver.matrix] for driver in drivers], latest, latest, False, "time"
        )
        time = self._routing.GetDimensionOrDie("time")
        visits = [work_s(self._problem, stop) for stop in self._stops]
        transits = [0] * self._routing.Size()
        for stop, seconds in zip(self._stops, visits, strict=True):
            transits[self._index[stop]] = seconds
        for number, driver in enumerate(drivers):
            first, last = self._routing.Start(number), self._routing.End(number)
            ends = driver.shift_end_s + driver.overtime_s
            time.CumulVar(first).SetRange(driver.shift_start_s, ends)
            time.CumulVar(last).SetRange(driver.shift_start_s, ends)
            time.SetSpanCostCoefficientForVehicle(_per_s(driver.cost_per_h_milli), number)
            if driver.overtime_s:
                over = _per_s(driver.overtime_per_h_milli)
                time.SetCumulVarSoftUpperBound(last, driver.shift_end_s, over)
            if driver.breaks:
                pauses = [
                    self._solver.FixedDurationIntervalVar(
                        pause.early_s, pause.late_s, pause.length_s, False, f"break {number}"
                    )
                    for pause in driver.breaks
                    if driver.shift_start_s <= pause.late_s <= driver.shift_end_s
                ]
                time.SetBreakIntervalsOfVehicle(pauses, number, transits)
            self._routing.AddVariableMinimizedByFinalizer(time.CumulVar(last))
            self._routing.AddVariableMaximizedByFinalizer(time.CumulVar(first))
        return time

    def _add_loads(self) -> None:
        jobs = [self._problem.jobs[stop.job] for stop in self._stops]
        drivers = [self._problem.vans[van] for van in self._vans]
        nothing = [0] * (2 * len(drivers))
        room = [
            -job.vehicles if stop.drop_off else job.vehicles
            for stop, job in zip(self._stops, jobs, strict=True)
        ]
        used = [
            0 if stop.drop_off else job.batteries
            for stop, job in zip(self._stops, jobs, strict=True)
        ]
        for name, needs, holds in (
            ("room", room, [driver.vehicles for driver in drivers]),
            ("charged", used, [driver.batteries for driver in drivers]),
        ):
            table = self._routing.RegisterUnaryTransitVector([*needs, *nothing])
            self._routing.AddDimensionWithVehicleCapacity(table, 0, holds, False, name)
        loads = self._routing.GetDimensionOrDie("room")
        for number, driver in enumerate(drivers):
            on_board = min(driver.on_board, driver.vehicles)
            loads.CumulVar(self._routing.Start(number)).SetValue(on_board)
        charged = self._routing.GetDimensionOrDie("charged")
        for number in range(len(drivers)):
            charged.CumulVar(self._routing.Start(number)).SetValue(0)

    def _add_job(self, number: int) -> None:
        job, stops = self._problem.jobs[number], self._problem.stops_of(number)
        indices = [self._index[stop] for stop in stops]
        bound = self._rules.van_of.get(number)
        if bound is None:
            prize = max(0, self._problem.steering_milli[number]) * MICRO_PER_MILLI
            self._routing.AddDisjunction([indices[0]], prize)
            for index in indices[1:]:
                self._routing.AddDisjunction([index], 0)
        allowed = [
            place
            for place, van in enumerate(self._vans)
            if self._problem.suitable[van, number] and bound in (None, van)
        ]
        early, late = job.window_s or (0, END_OF_TIME_S)
        for index in indices:
            if len(allowed) < len(self._vans):
                self._routing.VehicleVar(index).SetValues([-1, *allowed])
            if job.window_s is None:
                continue
            until = min(late, self._time.CumulVar(index).Max())
            if early <= until:
                self._time.CumulVar(index).SetRange(early, until)
            else:
                # Its hours come when nobody works any more.
                self._routing.VehicleVar(index).SetValues([-1])
        for first, last in pairwise(indices):
            self._routing.AddPickupAndDelivery(first, last)
            active, van = self._routing.ActiveVar, self._routing.VehicleVar
            self._solver.Add(active(first) == active(last))
            self._solver.Add(van(first) == van(last))
            self._solver.Add(self._time.CumulVar(first) <= self._time.CumulVar(last))


def _per_s(per_h_milli: int) -> int:
    return round(per_h_milli * MICRO_PER_MILLI / 3600)
