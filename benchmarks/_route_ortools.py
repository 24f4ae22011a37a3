"""OR-Tools as its documentation says: cheapest arcs first, then guided local search.

Times are CPU seconds of this process, like those that our engine gets.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from _route_instances import FINE, Instance, Stations
from fleetdesk.routes.problem import RoutingProblem, Stop, Stops

LONGEST_S = 3600


def instance_by_ortools(instance: Instance, seconds: float) -> list[list[int]] | None:
    """Routes as nodes in their order; None when it finds nothing."""
    count = len(instance.xy)
    manager = pywrapcp.RoutingIndexManager(
        count, instance.vans, [0] * instance.vans, [instance.end] * instance.vans
    )
    routing = pywrapcp.RoutingModel(manager)
    lengths = instance.lengths.astype(np.int64)
    way = routing.RegisterTransitMatrix(lengths.tolist())
    free = routing.RegisterTransitMatrix(np.zeros_like(lengths).tolist())
    routing.SetArcCostEvaluatorOfAllVehicles(free if instance.maximises else way)
    if any(instance.demand):
        load = routing.RegisterUnaryTransitVector(list(instance.demand))
        routing.AddDimension(load, 0, instance.capacity, True, "load")
    if instance.maximises:
        routing.AddDimension(way, 0, int(instance.longest * FINE), True, "length")
    if instance.window:
        spent = routing.RegisterTransitMatrix(
            (lengths + np.array(instance.service)[:, None]).tolist()
        )
        latest = max(late for _, late in instance.window)
        routing.AddDimension(spent, latest, latest, False, "time")
        clock = routing.GetDimensionOrDie("time")
        for node in instance.nodes:
            clock.CumulVar(manager.NodeToIndex(node)).SetRange(*instance.window[node])
        for van in range(instance.vans):
            for index in (routing.Start(van), routing.End(van)):
                clock.CumulVar(index).SetRange(*instance.window[0])
    for node in instance.nodes if instance.prize is not None else ():
        routing.AddDisjunction([manager.NodeToIndex(node)], instance.prize[node])
    solution = _solved(routing, seconds)
    if solution is None:
        return None
    routes = [_followed(routing, manager, solution.Value, van) for van in range(instance.vans)]
    return [route for route in routes if route]


def stations_by_ortools(
    stations: Stations, vans: int, seconds: float
) -> list[tuple[int, list[int]]] | None:
    """Loads on leaving and nodes in their order."""
    manager = pywrapcp.RoutingIndexManager(len(stations.demand), vans, 0)
    routing = pywrapcp.RoutingModel(manager)
    way = routing.RegisterTransitMatrix(stations.lengths.tolist())
    routing.SetArcCostEvaluatorOfAllVehicles(way)
    load = routing.RegisterUnaryTransitVector(list(stations.demand))
    routing.AddDimension(load, 0, stations.capacity, False, "load")
    loads = routing.GetDimensionOrDie("load")
    for node, wants in enumerate(stations.demand):
        if node and not wants:
            routing.AddDisjunction([manager.NodeToIndex(node)], 0)
    solution = _solved(routing, seconds)
    if solution is None:
        return None
    rounds = [
        (
            solution.Value(loads.CumulVar(routing.Start(van))),
            _followed(routing, manager, solution.Value, van),
        )
        for van in range(vans)
    ]
    served = [(loaded, [n for n in nodes if stations.demand[n]]) for loaded, nodes in rounds]
    return [each for each in served if each[1]]


def day_by_ortools(problem: RoutingProblem, seconds: float) -> tuple[Stops, ...]:
    """Cheapest arcs, then guided local search, matrices instead of callbacks; all vans alike."""
    van, matrix = problem.vans[0], problem.matrices[0]
    stops = [stop for job in range(len(problem.jobs)) for stop in problem.stops_of(job)]
    node = {stop: number for number, stop in enumerate(stops, start=1)}
    jobs = [problem.jobs[stop.job] for stop in stops]
    points = np.array([van.start, *(problem.point_of(stop) for stop in stops)])
    service = np.array(
        [
            0,
            *(
                j.drop_off_s if s.drop_off else j.service_s
                for s, j in zip(stops, jobs, strict=True)
            ),
        ]
    )
    seconds_table = matrix.duration_s[np.ix_(points, points)] + service[:, None]
    micro_per_s = round(van.cost_per_h_milli / 3.6)
    cost = matrix.distance_m[np.ix_(points, points)] * van.cost_per_km_milli
    cost = cost + seconds_table * micro_per_s

    manager = pywrapcp.RoutingIndexManager(len(points), len(problem.vans), 0)
    routing = pywrapcp.RoutingModel(manager)
    routing.SetArcCostEvaluatorOfAllVehicles(routing.RegisterTransitMatrix(cost.tolist()))
    clock = routing.RegisterTransitMatrix(seconds_table.tolist())
    routing.AddDimension(clock, 0, van.shift_s, True, "time")
    room = [
        0,
        *(-j.vehicles if s.drop_off else j.vehicles for s, j in zip(stops, jobs, strict=True)),
    ]
    used = [0, *(0 if s.drop_off else j.batteries for s, j in zip(stops, jobs, strict=True))]
    for name, needs, capacity in (("room", room, van.vehicles), ("charged", used, van.batteries)):
        routing.AddDimension(routing.RegisterUnaryTransitVector(needs), 0, capacity, True, name)
    time_dimension, solver = routing.GetDimensionOrDie("time"), routing.solver()
    for number, job in enumerate(problem.jobs):
        first = manager.NodeToIndex(node[Stop(number)])
        routing.AddDisjunction([first], max(0, job.worth_milli) * 1000)
        if job.drop_off_point is None:
            continue
        last = manager.NodeToIndex(node[Stop(number, True)])
        routing.AddDisjunction([last], 0)
        routing.AddPickupAndDelivery(first, last)
        solver.Add(routing.ActiveVar(first) == routing.ActiveVar(last))
        solver.Add(routing.VehicleVar(first) == routing.VehicleVar(last))
        solver.Add(time_dimension.CumulVar(first) <= time_dimension.CumulVar(last))

    solution = _solved(routing, seconds)
    if solution is None:
        return ((),) * len(problem.vans)
    return tuple(
        tuple(stops[node - 1] for node in _followed(routing, manager, solution.Value, n))
        for n in range(len(problem.vans))
    )


def _solved(routing: Any, seconds: float) -> Any:
    search = pywrapcp.DefaultRoutingSearchParameters()
    search.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.PATH_CHEAPEST_ARC
    search.local_search_metaheuristic = (
        routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    )
    search.time_limit.seconds = LONGEST_S
    began = time.process_time()
    routing.AddSearchMonitor(
        routing.solver().CustomLimit(lambda: time.process_time() - began > seconds)
    )
    return routing.SolveWithParameters(search)


def _followed(routing: Any, manager: Any, value: Callable[[Any], int], van: int) -> list[int]:
    nodes = []
    index = value(routing.NextVar(routing.Start(van)))
    while not routing.IsEnd(index):
        nodes.append(manager.IndexToNode(index))
        index = value(routing.NextVar(index))
    return nodes
