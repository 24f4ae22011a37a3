"""Rounds that keep what a planner bound to a van, and what to let go where none can be driven."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from math import comb

from fleetdesk.routes import evaluate, wording
from fleetdesk.routes.evaluate import Limit, Violation
from fleetdesk.routes.insertion import cheapest, inserted
from fleetdesk.routes.pins import Rules, in_order
from fleetdesk.routes.problem import RoutingProblem, Stop, Stops

MOST_TRIALS = 100
"""Sets of jobs to let go that are tried of each size; beyond, jobs are let go one by one."""


def bound_round(
    problem: RoutingProblem, rules: Rules, van: int, jobs: Sequence[int], base: Stops = ()
) -> Stops:
    """The shortest round found with all of `jobs`, the locked ones in their order.

    `base` is put in before the others; it holds the van's locked stops of `jobs` in their order.
    Limits may be broken: see `broken`.
    """
    wanted = set(jobs)
    order = tuple(stop for stop in rules.order.get(van, ()) if stop.job in wanted)
    head = len([stop for stop in rules.head(van) if stop.job in wanted])
    stops = base or order
    for job in sorted({stop.job for stop in stops}):
        if any(stop not in stops for stop in problem.stops_of(job)):
            stops = _with_drop_off(problem, van, stops, job, head)
    loose = [job for job in jobs if Stop(job) not in stops]
    rounds = [_with_all(problem, van, stops, loose, head, last) for last in (False, True)]
    return min(
        rounds, key=lambda each: (_excess(problem, van, each), _length_s(problem, van, each))
    )


def broken(problem: RoutingProblem, van: int, stops: Stops) -> tuple[Violation, ...]:
    """The limits that one van's round breaks."""
    sequences: list[Stops] = [()] * len(problem.vans)
    sequences[van] = stops
    return evaluate.violations(problem, sequences)


def to_release(
    problem: RoutingProblem, rules: Rules, van: int, kept_before: frozenset[int]
) -> frozenset[int]:
    """The fewest bound jobs that must be let go so that the van's round can be driven.

    Of equally few, those that were bound since the last run go first (`kept_before` are the
    others), then those whose loss costs least. Past `MOST_TRIALS` sets of one size, the job that
    mends most goes, one after the other.
    """
    jobs = rules.bound_to(van)
    gone: tuple[int, ...] = ()
    while broken(problem, van, _rest(problem, rules, van, jobs, gone)):
        left = [job for job in jobs if job not in gone]
        if not gone:
            for size in range(1, len(left) + 1):
                if comb(len(left), size) > MOST_TRIALS:
                    break
                fitting = [
                    (sum(job in kept_before for job in some), -_worth(problem, van, stops), some)
                    for some in combinations(left, size)
                    if not broken(problem, van, stops := _rest(problem, rules, van, jobs, some))
                ]
                if fitting:
                    return frozenset(min(fitting)[2])
        trials = [
            (_excess(problem, van, _rest(problem, rules, van, jobs, (*gone, job))), job)
            for job in left
        ]
        gone = (*gone, min(trials)[1])
    return frozenset(gone)


def put_back(
    problem: RoutingProblem, rules: Rules, sequences: Sequence[Stops], job: int
) -> tuple[Stops, ...] | None:
    """The sequences with one job as the rules want it; None where no such place can be driven."""
    found = [tuple(stop for stop in stops if stop.job != job) for stops in sequences]
    if job in rules.excluded:
        return tuple(found)
    van = rules.van_of[job]
    fitting = [
        stops
        for stops in _placings(problem, found[van], job)
        if in_order(rules, van, stops) and not broken(problem, van, stops)
    ]
    if not fitting:
        return None
    found[van] = min(fitting, key=lambda stops: _length_s(problem, van, stops))
    return tuple(found)


def reason(problem: RoutingProblem, rules: Rules, van: int) -> str:
    """Why the van's bound jobs cannot all be driven."""
    driver = problem.vans[van]
    stops = bound_round(problem, rules, van, rules.bound_to(van))
    parts = []
    for violation in broken(problem, van, stops):
        if violation.limit is Limit.SHIFT:
            parts.append(f"it takes {wording.span(violation.excess)} longer than the shift")
        elif violation.limit is Limit.BATTERIES:
            parts.append(f"it needs {wording.batteries(violation.excess, 'more ')}")
        elif violation.limit is Limit.ROOM:
            parts.append(f"it needs {wording.room(violation.excess, 'more ')}")
        else:
            parts.append(f"it breaks a rule: {violation.limit.value}")
    return f"the round of {driver.worker} with all that is kept there cannot be driven: " + (
        " and ".join(dict.fromkeys(parts))
    )


def _rest(
    problem: RoutingProblem, rules: Rules, van: int, jobs: Sequence[int], gone: Sequence[int]
) -> Stops:
    return bound_round(problem, rules, van, [job for job in jobs if job not in gone])


def _with_all(
    problem: RoutingProblem,
    van: int,
    stops: Stops,
    jobs: Sequence[int],
    head: int,
    farthest_first: bool,
) -> Stops:
    """The stops with every job put in where it costs least, the nearest or farthest job first."""
    driver, left = problem.vans[van], list(jobs)
    while left:
        for heed_room in (True, False):
            way = cheapest(
                problem, driver, stops, left, heed_room=heed_room, heed_shift=False, frozen=head
            )
            if way.possible.any():
                break
        chosen = [n for n in range(len(left)) if way.possible[n]]
        best = (max if farthest_first else min)(chosen, key=lambda n: float(way.cost_milli[n]))
        places = int(way.position[best]), int(way.drop_position[best])
        stops = inserted(problem, stops, left.pop(best), *places)
    return stops


def _with_drop_off(problem: RoutingProblem, van: int, stops: Stops, job: int, head: int) -> Stops:
    first = max(head, stops.index(Stop(job)) + 1)
    tried = [
        (*stops[:place], Stop(job, True), *stops[place:]) for place in range(first, len(stops) + 1)
    ]
    return min(tried, key=lambda each: (_excess(problem, van, each), _length_s(problem, van, each)))


def _placings(problem: RoutingProblem, stops: Stops, job: int) -> Iterator[Stops]:
    for place in range(len(stops) + 1):
        with_first = (*stops[:place], Stop(job), *stops[place:])
        if problem.jobs[job].drop_off_point is None:
            yield with_first
            continue
        for drop in range(place + 1, len(with_first) + 1):
            yield (*with_first[:drop], Stop(job, True), *with_first[drop:])


def _excess(problem: RoutingProblem, van: int, stops: Stops) -> float:
    """How far the round is beyond its limits, each as a share of the limit."""
    driver = problem.vans[van]
    limits = {
        Limit.SHIFT: driver.shift_s,
        Limit.BATTERIES: driver.batteries,
        Limit.ROOM: driver.vehicles,
    }
    return sum(
        violation.excess / max(1, limits.get(violation.limit, 1))
        for violation in broken(problem, van, stops)
    )


def _length_s(problem: RoutingProblem, van: int, stops: Stops) -> int:
    return evaluate.duration_s(problem, problem.vans[van], stops)


def _worth(problem: RoutingProblem, van: int, stops: Stops) -> int:
    bonus = sum(problem.jobs[stop.job].bonus_milli for stop in stops if not stop.drop_off)
    return evaluate.profit_milli(problem, problem.vans[van], stops) + bonus
