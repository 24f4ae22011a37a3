"""What limits hold back: one more worker, one more hour, ten more batteries, one more reload."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from fleetdesk.model.plan import LimitWorth, Plan
from fleetdesk.routes import evaluate
from fleetdesk.routes.filling import filled
from fleetdesk.routes.pins import FREE, Rules
from fleetdesk.routes.problem import RoutingProblem, RoutingVan, Stops, sequences_of
from fleetdesk.routes.solve import drivable, improve
from fleetdesk.routes.stop import Stop

HOUR_S = 3600
MORE_BATTERIES = 10


def worth_of_limits(
    problem: RoutingProblem,
    plan: Plan,
    stop: Stop,
    seed: int,
    rules: Rules = FREE,
) -> tuple[LimitWorth, ...]:
    """What the day would gain by each change alone, planned again from `plan`.

    Every change costs one search until `stop` at most, one more worker two fillings of each round
    besides. The wages, ways and batteries that the change brings about are in the gain; what hiring
    or buying costs is not. One more worker is like the last one who works, and begins with half of
    another's round.
    """
    start = sequences_of(problem, plan)
    # Rounds spent here may find what needs no change: that is no worth of a limit.
    base, _ = improve(problem, start, stop, seed, rules=rules, quick=True)
    before = _figures(problem, base)
    found = []
    for what, changed, begun in _changes(problem, base, rules):
        better, _ = improve(changed, begun, stop, seed, rules=rules, quick=True)
        after = _figures(changed, better)
        # What steers the choice counts priorities, too: a better plan may bring less money.
        more = [then - now for then, now in zip(after, before, strict=True)]
        found.append(LimitWorth(what, *more[1:]) if more[0] > 0 else LimitWorth(what, 0, 0))
    return tuple(found)


def _changes(
    problem: RoutingProblem, base: Sequence[Stops], rules: Rules
) -> list[tuple[str, RoutingProblem, tuple[Stops, ...]]]:
    """Each change in words, the problem with it, and the sequences to begin from."""
    working = [van for van in problem.vans if van.shift_s > 0]
    if not working:
        return []
    crew = replace(problem, vans=(*problem.vans, _another(working[-1])))
    longer = _each(problem, lambda van: replace(van, shift_end_s=van.shift_end_s + HOUR_S))
    changes = [
        ("one more worker", crew, _relieved(crew, (*base, ()), rules)),
        ("one more hour for every worker", longer, tuple(base)),
    ]
    if any(job.batteries for job in problem.jobs):
        charged = _each(
            problem,
            lambda van: replace(
                van,
                batteries=van.batteries + MORE_BATTERIES,
                batteries_full=van.batteries_full + MORE_BATTERIES,
            ),
        )
        what = f"{MORE_BATTERIES} more charged batteries for every worker"
        changes.append((what, charged, tuple(base)))
        again = _each(problem, lambda van: replace(van, max_reloads=van.max_reloads + 1))
        if any(van.reloads for van in again.vans):
            changes.append(("one more reload for every worker", again, tuple(base)))
    return changes


def _relieved(
    problem: RoutingProblem, sequences: tuple[Stops, ...], rules: Rules
) -> tuple[Stops, ...]:
    """The best of giving the last van, still empty, half of one of the others' rounds, or nothing.

    Where all that pays is driven already, a new round pays only by the time that it frees.
    """
    last = len(sequences) - 1
    jobs = [job for job in range(len(problem.jobs)) if job not in rules.excluded]
    tried = [sequences]
    for van, stops in enumerate(sequences[:-1]):
        halves = stops[: len(stops) // 2], stops[len(stops) // 2 :]
        first, second = ({stop.job for stop in half} - rules.van_of.keys() for half in halves)
        for given in (first - second, second - first):
            trial = list(sequences)
            trial[van] = tuple(stop for stop in stops if stop.job not in given)
            trial[last] = tuple(stop for stop in stops if stop.job in given)
            can = drivable(problem, trial, rules.van_of)
            tried.append(filled(problem, can, jobs, rules, [van, last]))
    return max(tried, key=lambda each: evaluate.objective_milli(problem, each))


def _each(problem: RoutingProblem, change: Callable[[RoutingVan], RoutingVan]) -> RoutingProblem:
    vans = tuple(change(van) if van.shift_s else van for van in problem.vans)
    return replace(problem, vans=vans)


def _another(van: RoutingVan) -> RoutingVan:
    return replace(van, worker="one more worker", on_board=0, kept=0)


def _figures(problem: RoutingProblem, sequences: Sequence[Stops]) -> tuple[int, int, int]:
    """What steers the choice, profit, and tasks."""
    routes = evaluate.evaluate(problem, sequences)
    tasks = {visit.task_id for route in routes for visit in route.visits}
    steering = evaluate.objective_milli(problem, sequences)
    return steering, sum(route.profit_milli for route in routes), len(tasks)
