"""Which tasks, by whom, in what order: the day's plan."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np

from fleetdesk.model.plan import Plan
from fleetdesk.routes import evaluate, explain, pyvrp_engine
from fleetdesk.routes.alone import Alone
from fleetdesk.routes.fences import between
from fleetdesk.routes.insertion import Floats, Insertions, cheapest, inserted
from fleetdesk.routes.pins import FREE, Rules, holds
from fleetdesk.routes.problem import RoutingProblem, Stops, sequences_of
from fleetdesk.routes.stop import Stop

PROGRESS_EVERY_S = 0.25
ROUNDS_PER_FENCE = 200
"""How long a search keeps the fences of locked stops before they are set anew."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How a search stands: rounds and seconds so far, and the best plan's figures."""

    iterations: int
    seconds: float
    profit_milli: int
    planned_tasks: int


def plan(
    problem: RoutingProblem,
    stop: Stop,
    seed: int,
    warm_start: Plan | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Plan:
    """The plan with the highest profit and bonus found until `stop`, with a reason for the rest.

    Tasks that do not pay are left out; the search begins with no tasks or from `warm_start`, of
    which everything that can still be driven is kept. `on_progress` is called at most four times
    per second and at the end; when `cancel()` turns true, the best plan so far is returned. The
    same problem, seed, start and rounds give the same plan.
    """
    start = drivable(problem, sequences_of(problem, warm_start) if warm_start else _empty(problem))
    best, iterations = improve(problem, start, stop, seed, on_progress, cancel)
    return as_plan(problem, best, seed, iterations)


def improve(
    problem: RoutingProblem,
    start: Sequence[Stops],
    stop: Stop,
    seed: int,
    on_progress: Callable[[Progress], None] | None = None,
    cancel: Callable[[], bool] | None = None,
    rules: Rules = FREE,
) -> tuple[tuple[Stops, ...], int]:
    """The best sequences found from `start` until `stop`, and the rounds done.

    `start` must be drivable and keep `rules`; so does the answer, which is never worse.
    """
    began = time.perf_counter()
    cancelled = cancel or _never
    vans = [number for number, van in enumerate(problem.vans) if van.shift_s > 0]
    jobs = _offered(problem, rules)
    last_report = began
    best, done = tuple(start), 0
    while vans and jobs:
        fences = between(problem, best, rules, done // ROUNDS_PER_FENCE)
        before, within = done, ROUNDS_PER_FENCE if fences else np.inf

        def stopped(
            iterations: int,
            sequences: Callable[[], tuple[Stops, ...]],
            before: int = before,
            within: float = within,
        ) -> bool:
            nonlocal last_report
            now, rounds = time.perf_counter(), before + iterations
            if on_progress and now - last_report >= PROGRESS_EVERY_S:
                last_report = now
                on_progress(_progress(problem, sequences(), rounds, now - began))
            return iterations >= within or cancelled() or stop.reached(rounds, now - began)

        found, rounds = pyvrp_engine.search(problem, jobs, vans, best, seed, stopped, rules, fences)
        done += rounds
        best = _better(problem, best, drivable(problem, found, rules.van_of), rules)
        if not fences or cancelled() or stop.reached(done, time.perf_counter() - began):
            break
    best = _filled(problem, best, jobs, cancelled, rules)
    if on_progress:
        on_progress(_progress(problem, best, done, time.perf_counter() - began))
    return best, done


def as_plan(
    problem: RoutingProblem,
    sequences: Sequence[Stops],
    seed: int,
    iterations: int,
    rules: Rules = FREE,
) -> Plan:
    """The plan that the sequences come to, with a reason for every job that is left out."""
    routes = evaluate.evaluate(problem, sequences)
    return Plan(
        routes=routes,
        dropped=explain.dropped(problem, routes, rules),
        engine=pyvrp_engine.NAME,
        travel_times=problem.travel_times,
        seed=seed,
        iterations=iterations,
    )


def drivable(
    problem: RoutingProblem, sequences: Sequence[Stops], bound: Collection[int] = ()
) -> tuple[Stops, ...]:
    """The sequences without the jobs that add least on vans that break a limit.

    What breaks no limit is returned as it is. Jobs in `bound` go only where no other is left.
    """
    kept = list(sequences)
    while broken := evaluate.violations(problem, kept):
        number, task_id = broken[0].van, broken[0].task_id
        adds = explain.added_milli(problem, number, kept[number])
        if not adds.keys() <= set(bound):
            adds = {job: milli for job, milli in adds.items() if job not in bound}
        blamed = [job for job in adds if problem.jobs[job].task_id == task_id]
        worst = blamed[0] if blamed else min(adds, key=lambda job: (adds[job], job))
        kept[number] = tuple(stop for stop in kept[number] if stop.job != worst)
    return tuple(kept)


def _offered(problem: RoutingProblem, rules: Rules) -> list[int]:
    """The jobs that the search may plan: those that could pay, and the bound ones in any case."""
    possible = np.flatnonzero(Alone(problem).possible.any(axis=0)).tolist()
    could_pay = {job for job in possible if problem.jobs[job].worth_milli > 0}
    return sorted((could_pay | set(rules.van_of)) - rules.excluded)


def _better(
    problem: RoutingProblem, start: tuple[Stops, ...], found: tuple[Stops, ...], rules: Rules
) -> tuple[Stops, ...]:
    if not holds(rules, found):
        return start
    return max(start, found, key=lambda each: evaluate.objective_milli(problem, each))


def _filled(
    problem: RoutingProblem,
    sequences: Sequence[Stops],
    jobs: Sequence[int],
    cancelled: Callable[[], bool],
    rules: Rules,
) -> tuple[Stops, ...]:
    """Put in, best first, every job that fits and pays on its own.

    The search leaves few of them; afterwards each reason for a dropped task is true.
    """
    filled = list(sequences)
    done = {stop.job for stops in filled for stop in stops}
    left = np.array([job for job in jobs if job not in done], np.int64)
    if not left.size or not filled:
        return tuple(filled)
    ways = [gains(problem, number, filled[number], left, rules) for number in range(len(filled))]
    while not cancelled():
        gained = np.stack([gain for gain, _ in ways])
        van, column = divmod(int(np.argmax(gained)), left.size)
        if gained[van, column] < explain.WORTHWHILE_MILLI:
            break
        way = ways[van][1]
        position, drop_position = int(way.position[column]), int(way.drop_position[column])
        filled[van] = inserted(problem, filled[van], int(left[column]), position, drop_position)
        ways[van] = gains(problem, van, filled[van], left, rules)
        done.add(int(left[column]))
        for gain, _ in ways:
            gain[np.isin(left, list(done))] = -np.inf
    return tuple(filled)


def gains(
    problem: RoutingProblem, van: int, stops: Stops, jobs: np.ndarray, rules: Rules = FREE
) -> tuple[Floats, Insertions]:
    """What each job would add in the van's stops by its cheapest way in, -inf where none is."""
    head = rules.frozen.get(van, 0)
    way = cheapest(problem, problem.vans[van], stops, jobs.tolist(), frozen=head)
    charged = problem.vans[van].batteries - evaluate.batteries_used(problem, stops)
    worth = np.array([problem.jobs[job].worth_milli for job in jobs], np.float64)
    enough = np.array([problem.jobs[job].batteries <= charged for job in jobs], bool)
    return np.where(enough, worth - way.cost_milli, -np.inf), way


def _progress(
    problem: RoutingProblem, sequences: Sequence[Stops], iterations: int, seconds: float
) -> Progress:
    routes = evaluate.evaluate(problem, sequences)
    return Progress(
        iterations,
        seconds,
        sum(route.profit_milli for route in routes),
        len({stop.job for stops in sequences for stop in stops}),
    )


def _empty(problem: RoutingProblem) -> tuple[Stops, ...]:
    return ((),) * len(problem.vans)


def _never() -> bool:
    return False
