"""Routes beside raw OR-Tools: published instances, generated days, and how the planner waits.

    routes.py --files X-n303-k21.vrp r1_2_1.txt C1_10_1.vrp p7.4.t.txt 1Bari30.txt day.json
    routes.py --day 500x8 2000x20 --seconds 10
    routes.py --large 3000x30 5000x50 --rounds 400
    routes.py --cancel --memory 500 --matrix 1000

Prints one JSON line per figure. Every instance goes through `plan()` or `rebalance()` like a day
of ours, both engines get the same CPU seconds (one thread), and what a solution costs is counted
again from the file. `load` is how many processes wanted the machine's cores meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import time
from pathlib import Path

import numpy as np

from _route_days import CENTRE, generated_day, read_day, refuse_undrivable
from _route_instances import (
    as_problem,
    best_known,
    cost,
    read,
    read_stations,
    stations_cost,
)
from _route_ortools import day_by_ortools, instance_by_ortools, stations_by_ortools
from fleetdesk.errors import Enough
from fleetdesk.model.places import Point
from fleetdesk.routes.districts import plan_large
from fleetdesk.routes.evaluate import evaluate
from fleetdesk.routes.problem import RoutingProblem, RoutingVan, sequences_of
from fleetdesk.routes.rebalance import Balance, rebalance
from fleetdesk.routes.solve import Progress, plan
from fleetdesk.routes.stop import Iterations, Seconds
from fleetdesk.routes.travel_times import Haversine, TravelMatrix

GAPS_PCT = {
    "X-n303-k21": 1.7, "X-n1001-k43": 5.0, "r1_2_1": 0.8, "rc2_2_1": 0.6, "C1_10_1": 0.5,
    "p7.4.t": 1.0, "44Denver10": 1.5,
}  # fmt: skip
"""How far from the best known value the plan may be; others of rebalancing must reach it."""
OTHER_GAP_PCT = 5.0


def main() -> None:
    options = _options()
    for path in options.files:
        given = dict(options.best)
        if path.suffix == ".json":
            day(read_day(path.read_text()), path.stem, options)
        elif (instance := read(path)) is not None:
            published(path, instance, best_known(path, instance.name, given), options)
        else:
            stations(path, given, options)
    for size in options.day:
        tasks, vans = map(int, size.split("x"))
        day(generated_day(tasks, vans, 60, options.seed), size, options)
    for size in options.large:
        tasks, vans = map(int, size.split("x"))
        large(generated_day(tasks, vans, 60, options.seed), size, options)
    if options.cancel:
        cancelled(options.seed)
    if options.memory:
        memory(options.memory, options.seed)
    if options.matrix:
        matrix(options.matrix)


def published(path: Path, instance, best: float | None, options) -> None:
    """One published instance: our gap to the best known value, beside that of OR-Tools."""
    problem = as_problem(instance)
    began = time.process_time()
    found = plan(problem, Seconds(options.seconds), options.seed, clock=time.process_time)
    used_s = time.process_time() - began
    ours = cost(instance, _nodes(problem, sequences_of(problem, found)))
    raw = None if options.alone else instance_by_ortools(instance, options.seconds)
    theirs = None if raw is None else cost(instance, raw)
    _report_gap(
        instance.name, ours, theirs, best, instance.maximises, options,
        rounds=found.iterations, used_s=round(used_s, 2), file=path.name,
    )  # fmt: skip


def stations(path: Path, given: dict[str, float], options) -> None:
    """One rebalancing instance: the same."""
    there = read_stations(path)
    best = best_known(path, there.name, given)
    taken = sum(number for number in there.demand if number > 0)
    brought = -sum(number for number in there.demand if number < 0)
    vans = max(2, -(-max(taken, brought) // there.capacity))
    crew = [RoutingVan(f"W{n}", 0, 0, 0, 0, 10**8, 0, there.capacity, 1000, 0) for n in range(vans)]
    calls = [Balance(str(n), n, number) for n, number in enumerate(there.demand) if n and number]
    table = TravelMatrix(there.lengths, there.lengths, "as given")
    seconds = options.seconds if len(there.demand) <= 41 else 3 * options.seconds
    found = rebalance(calls, crew, table, Seconds(seconds), clock=time.process_time)
    rounds = [(r.loaded, [int(call.parking_id) for call in r.calls]) for r in found.rounds]
    ours = float(stations_cost(there, rounds))
    raw = None if options.alone else stations_by_ortools(there, vans, seconds)
    theirs = None if raw is None else float(stations_cost(there, raw))
    limit = GAPS_PCT.get(there.name, 0.0)
    _report_gap(there.name, ours, theirs, best, False, options, limit=limit, cpu_s=seconds)


def day(problem: RoutingProblem, name: str, options) -> None:
    """A day of tasks: how soon there is a plan, the time kept, and the profit of both engines."""
    tasks = len(problem.jobs)
    first: list[float] = []
    began = time.process_time()

    def tell(_progress: Progress) -> None:
        first.append(time.process_time() - began)

    ours = plan(
        problem, Seconds(options.seconds), options.seed, on_progress=tell, clock=time.process_time
    )
    used_s = time.process_time() - began
    size = {"day": name, "tasks": tasks, "vans": len(problem.vans), "seed": options.seed}
    report("routes_first_plan_s", first[0], 1.0 if tasks <= 500 else 4.0, "lower", **size)
    report("routes_time_overshoot", used_s / options.seconds, 1.1, "lower", **size)
    sequences = sequences_of(problem, ours)
    refuse_undrivable(problem, sequences)
    if options.alone:
        return
    theirs = day_by_ortools(problem, options.seconds)
    refuse_undrivable(problem, theirs)
    their_milli = sum(route.profit_milli for route in evaluate(problem, theirs))
    report(
        "routes_profit_over_ortools", ours.profit_milli / max(1, their_milli), 1.0, "higher",
        profit=ours.profit_milli / 1000, ortools_profit=their_milli / 1000, rounds=ours.iterations,
        seconds=options.seconds, planned_tasks=len(ours.planned_task_ids), **size,
    )  # fmt: skip


def large(problem: RoutingProblem, name: str, options) -> None:
    """A day beyond one search: districts and a polish, beside one search of as many CPU seconds."""
    began_s = _cpu_s()
    in_districts = plan_large(problem, Iterations(options.rounds), options.seed)
    used_s = _cpu_s() - began_s
    refuse_undrivable(problem, sequences_of(problem, in_districts))
    whole = plan(problem, Seconds(used_s), options.seed, clock=time.process_time)
    report(
        "routes_profit_districts_over_whole",
        in_districts.profit_milli / max(1, whole.profit_milli), 1.0, "higher",
        day=name, seed=options.seed, cpu_s=round(used_s, 1), rounds=options.rounds,
        whole_rounds=whole.iterations, profit=in_districts.profit_milli / 1000,
        whole_profit=whole.profit_milli / 1000,
        peak_mb=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    )  # fmt: skip


def cancelled(seed: int) -> None:
    """From the wish to stop to the plan in hand."""
    problem = generated_day(500, 8, 60, seed)
    at: list[float] = []

    def enough(progress: Progress) -> None:
        if progress.iterations and not at:
            at.append(time.perf_counter())
            raise Enough

    found = plan(problem, Seconds(120), seed, on_progress=enough)
    waited_s = time.perf_counter() - at[0]
    refuse_undrivable(problem, sequences_of(problem, found))
    report("routes_cancel_s", waited_s, 0.5, "lower", tasks=500, profit=found.profit_milli / 1000)


def memory(solves: int, seed: int) -> None:
    """How much the process grows over so many small plans, after the first ten."""
    problem = generated_day(60, 2, 60, seed)
    for number in range(solves + 10):
        if number == 10:
            before_mb = _resident_mb()
        plan(problem, Iterations(30), seed + number)
    report("routes_memory_growth_mb", _resident_mb() - before_mb, 50.0, "lower", solves=solves)


def matrix(points: int) -> None:
    """CPU seconds for a full matrix of straight lines."""
    draw = np.random.default_rng(1)
    lat, lon = draw.normal(0, 0.02, (2, points))
    there = [Point(CENTRE.lat + a, CENTRE.lon + b) for a, b in zip(lat, lon, strict=True)]
    began = time.process_time()
    made = Haversine().matrix(there, 25)
    used_s = time.process_time() - began
    missing = int((made.duration_s < 0).sum())
    report("routes_matrix_cpu_s", used_s, 1.0, "lower", points=points, missing=missing)


def report(bar: str, value: float, limit: float, better: str, **more: object) -> None:
    met = value <= limit if better == "lower" else value >= limit
    line = {"bar": bar, "value": round(value, 4), "limit": limit, "better": better, "met": met}
    more["load"] = round(os.getloadavg()[0] / (os.cpu_count() or 1), 1)
    print(json.dumps(line | more), flush=True)


def _report_gap(
    name: str, ours: float, theirs: float | None, best: float | None, maximises: bool, options,
    limit: float | None = None, **more: object,
) -> None:  # fmt: skip
    if best is None:
        print(json.dumps({"instance": name, "cost": ours, "ortools_cost": theirs} | more))
        return
    sign = -1 if maximises else 1
    limit = GAPS_PCT.get(name, OTHER_GAP_PCT) if limit is None else limit
    gap = 100 * sign * (ours - best) / best
    if theirs is not None:
        more["ortools_gap_pct"] = round(100 * sign * (theirs - best) / best, 2)
    more = {"cost": ours, "best_known": best, "seconds": options.seconds} | more
    report("routes_gap_pct", gap, limit, "lower", instance=name, **more)


def _nodes(problem: RoutingProblem, sequences) -> list[list[int]]:
    return [[int(problem.jobs[stop.job].task_id) for stop in stops] for stops in sequences if stops]


def _cpu_s() -> float:
    """CPU seconds of this process and of those that it has waited for."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _resident_mb() -> float:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return pages * resource.getpagesize() / 2**20


def _best(text: str) -> tuple[str, float]:
    name, value = text.rsplit("=", 1)
    return name, float(value)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--files", type=Path, nargs="*", default=[], help="instances, days (.json)")
    parser.add_argument(
        "--best", type=_best, nargs="*", default=[], metavar="NAME=VALUE", help="best known values"
    )
    parser.add_argument("--day", nargs="*", default=[], metavar="TASKSxVANS")
    parser.add_argument("--seconds", type=float, default=10.0, help="CPU seconds of each engine")
    parser.add_argument("--alone", action="store_true", help="without OR-Tools beside")
    parser.add_argument("--large", nargs="*", default=[], metavar="TASKSxVANS",
                        help="districts against one search")  # fmt: skip
    parser.add_argument("--rounds", type=int, default=400, help="of a large day")
    parser.add_argument("--cancel", action="store_true", help="measure cancelling")
    parser.add_argument("--memory", type=int, default=0, metavar="SOLVES")
    parser.add_argument("--matrix", type=int, default=0, metavar="POINTS")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    asked = options.files or options.day or options.large
    if not (asked or options.cancel or options.memory or options.matrix):
        options.day, options.cancel, options.memory, options.matrix = ["200x4"], True, 500, 1000
    return options


if __name__ == "__main__":
    main()
