"""A generated day of tasks: our plan beside OR-Tools used as its documentation says.

Prints one JSON line per figure. Both engines get the same problem and the same seconds, and the
same referee counts their profit; days carry no priority bonus, so that profit is the objective.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random

import numpy as np

from fleetdesk.model.places import Point
from fleetdesk.model.work import ScooterState, Task, TaskKind, TaskRoi, Van
from fleetdesk.routes.building import build
from fleetdesk.routes.evaluate import evaluate, violations
from fleetdesk.routes.problem import RoutingProblem, Stop, Stops, sequences_of
from fleetdesk.routes.solve import plan
from fleetdesk.routes.stop import Iterations, Seconds
from fleetdesk.routes.travel_times import Haversine

CENTRE = Point(40.63, 22.94)


def main() -> None:
    options = _options()
    for tasks, vans in options.day:
        problem = generated_day(tasks, vans, options.batteries, options.seed)
        day = {"tasks": tasks, "vans": vans, "seed": options.seed}

        began = time.perf_counter()
        plan(problem, Iterations(1), options.seed)
        first_s = time.perf_counter() - began
        limit_s = 1.0 if tasks <= 500 else 4.0
        report("routes_first_plan_s", first_s, limit_s, "lower", **day)

        began = time.perf_counter()
        found = plan(problem, Iterations(options.iterations), options.seed)
        rounds_s = time.perf_counter() - began
        report(
            "routes_rounds_s", rounds_s, 10.0, "lower",
            iterations=options.iterations, profit=found.profit_milli / 1000, **day,
        )  # fmt: skip

        began = time.perf_counter()
        ours = plan(problem, Seconds(options.seconds), options.seed)
        used_s = time.perf_counter() - began
        report("routes_time_overshoot", used_s / options.seconds, 1.1, "lower", **day)
        refuse_undrivable(problem, sequences_of(problem, ours))
        theirs = by_ortools(problem, options.seconds)
        refuse_undrivable(problem, theirs)
        their_milli = sum(route.profit_milli for route in evaluate(problem, theirs))
        report(
            "routes_profit_over_ortools", ours.profit_milli / max(1, their_milli), 1.0, "higher",
            profit=ours.profit_milli / 1000, ortools_profit=their_milli / 1000,
            seconds=options.seconds, planned_tasks=len(ours.planned_task_ids), **day,
        )  # fmt: skip


def generated_day(tasks: int, vans: int, batteries: int, seed: int) -> RoutingProblem:
    """Half swaps, a sixth moves, a third both, around a city's centre; 8-hour shifts."""
    draw = Random(seed)

    def spot() -> Point:
        return Point(CENTRE.lat + draw.gauss(0, 0.02), CENTRE.lon + draw.gauss(0, 0.025))

    parkings = [spot() for _ in range(60)]
    work: list[Task] = []
    values: dict[str, TaskRoi] = {}
    for number in range(tasks):
        task_id, at, lot = f"T{number}", spot(), draw.random()
        swaps, moves = lot < 0.5 or lot >= 0.667, lot >= 0.5
        to = min(parkings, key=at.distance_m) if moves else at
        kinds = (TaskKind.SWAP_BATTERY,) * swaps + (TaskKind.MOVE,) * moves
        work.append(
            Task(
                task_id, f"V{number}", kinds, (),
                ScooterState(at, at.cell(6), 15.0, True), ScooterState(to, to.cell(6), 100.0, True),
                service_s=180 * (swaps + moves), drop_off_s=120 * moves,
                batteries=int(swaps), vehicles=int(moves),
            )
        )  # fmt: skip
        values[task_id] = TaskRoi(task_id, draw.uniform(1, 7), 0.0, 0.8, 0.0, 24, "generated")
    morning = datetime(2024, 5, 6, 6, tzinfo=UTC)
    evening = morning + timedelta(hours=8)
    crews = [
        Van(f"W{n}", CENTRE, CENTRE, morning, evening, batteries, 10, 14, 0.3, 25)
        for n in range(vans)
    ]
    return build(work, values, {}, crews, Haversine(), "EUR")


def by_ortools(problem: RoutingProblem, seconds: float) -> tuple[Stops, ...]:
    """Cheapest arcs, then guided local search, matrices instead of callbacks; all vans alike."""
    from ortools.constraint_solver import pywrapcp, routing_enums_pb2

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

    search = pywrapcp.DefaultRoutingSearchParameters()
    search.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.PATH_CHEAPEST_ARC
    search.local_search_metaheuristic = (
        routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    )
    search.time_limit.FromMilliseconds(round(seconds * 1000))
    solution = routing.SolveWithParameters(search)
    if solution is None:
        return ((),) * len(problem.vans)
    return tuple(
        _followed(routing, manager, solution.Value, n, stops) for n in range(len(problem.vans))
    )


def refuse_undrivable(problem: RoutingProblem, sequences: tuple[Stops, ...]) -> None:
    broken = violations(problem, sequences)
    if broken:
        raise SystemExit(f"a plan breaks its limits: {broken[:3]}")


def report(bar: str, value: float, limit: float, better: str, **more: object) -> None:
    met = value <= limit if better == "lower" else value >= limit
    line = {"bar": bar, "value": round(value, 4), "limit": limit, "better": better, "met": met}
    print(json.dumps(line | more), flush=True)


def _followed(
    routing: object, manager: object, value: Callable[[object], int], van: int, stops: list[Stop]
) -> Stops:
    sequence: list[Stop] = []
    index = value(routing.NextVar(routing.Start(van)))  # type: ignore[attr-defined]
    while not routing.IsEnd(index):  # type: ignore[attr-defined]
        sequence.append(stops[manager.IndexToNode(index) - 1])  # type: ignore[attr-defined]
        index = value(routing.NextVar(index))  # type: ignore[attr-defined]
    return tuple(sequence)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, help="tasks of the day (default: 200, then 500)")
    parser.add_argument("--vans", type=int, default=4, help="vans, with --tasks")
    parser.add_argument("--batteries", type=int, default=60, help="charged batteries per van")
    parser.add_argument("--seconds", type=float, default=10.0, help="search time of each engine")
    parser.add_argument("--iterations", type=int, default=2000, help="rounds that are timed")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.day = [(options.tasks, options.vans)] if options.tasks else [(200, 4), (500, 8)]
    return options


if __name__ == "__main__":
    main()
