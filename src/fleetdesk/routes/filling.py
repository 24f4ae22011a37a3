"""Put into rounds every task that still fits and pays, many at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from fleetdesk.routes import evaluate
from fleetdesk.routes.insertion import Floats, Insertions, Ints, cheapest, inserted
from fleetdesk.routes.pins import FREE, Rules
from fleetdesk.routes.problem import RoutingProblem, Stops

WORTHWHILE_MILLI = 2.0
"""A gain below this may be rounding: travel and labour are each rounded to the thousandth."""
FIRST_STOPS = 5
"""From how many tasks a stretch of a round is begun at most: each costs a filling."""

Over = Callable[[tuple[Stops, ...]], bool]


def filled(
    problem: RoutingProblem,
    sequences: Sequence[Stops],
    jobs: Sequence[int],
    rules: Rules = FREE,
    vans: Sequence[int] | None = None,
) -> tuple[Stops, ...]:
    """The sequences with every one of `jobs` that fits and pays on its own, the best first.

    `vans` are those that may get some; all who work, if not given.

    In one pass each leg takes one job at most, so that the cheapest ways in stay what they were;
    passes go on until nothing more fits and pays, and afterwards each reason for a task that is
    left out is true. The referee checks every round before it is kept.
    """
    rounds = list(sequences)
    done = {stop.job for stops in rounds for stop in stops}
    left = np.array([job for job in jobs if job not in done], np.int64)
    working = [van for van in _working(problem) if vans is None or van in vans]
    ways: dict[int, tuple[Floats, Insertions]] = {}
    changed = set(working)
    while changed and left.size:
        for van in changed:
            ways[van] = gains(problem, van, rounds[van], left, rules)
        changed = _one_pass(problem, rounds, left, working, ways)
        placed = {stop.job for van in changed for stop in rounds[van]}
        keep = np.array([job not in placed for job in left.tolist()], bool)
        left = left[keep]
        ways = {van: (gain[keep], way.of(keep)) for van, (gain, way) in ways.items()}
    return tuple(rounds)


def opened(
    problem: RoutingProblem,
    sequences: Sequence[Stops],
    jobs: Sequence[int],
    rules: Rules = FREE,
    *,
    longer: bool = False,
    over: Over = lambda _: False,
) -> tuple[Stops, ...]:
    """The sequences with rounds for vans that stay at home, where a whole round of `jobs` pays.

    One task alone may not be worth the way from the start and back, where several near each other
    are. So a round is begun with a task that does not pay by itself and filled up; what comes of
    it is kept where it does. `longer` does so with the rounds that are there, too: a stretch into
    a part of the city where nobody goes pays as a whole or not at all. `over` is asked before each
    trial, with the rounds so far.
    """
    rounds = tuple(sequences)
    in_vain: set[object] = set()
    for van in _working(problem):
        alike = _but_for_the_name(problem, van)
        at_home = not rounds[van]
        if (at_home and alike in in_vain) or not (at_home or longer):
            continue
        while not over(rounds):
            tried = _with_more(problem, rounds, van, jobs, rules, over)
            if tried is rounds:
                break
            rounds = tried
        if not rounds[van]:
            in_vain.add(alike)
    return rounds


def gains(
    problem: RoutingProblem, van: int, stops: Stops, jobs: Ints, rules: Rules = FREE
) -> tuple[Floats, Insertions]:
    """What each job would add in the van's stops by its cheapest way in, -inf where none is."""
    driver = problem.vans[van]
    way = cheapest(problem, driver, stops, jobs.tolist(), frozen=rules.frozen.get(van, 0))
    charged = driver.most_batteries - evaluate.batteries_used(problem, stops)
    takes = np.array([problem.jobs[job].batteries for job in jobs], np.int64)
    fits = (takes <= charged) & problem.suitable[van, jobs]
    return np.where(fits, worth(problem, van, jobs) - way.cost_milli, -np.inf), way


def worth(problem: RoutingProblem, van: int, jobs: Ints) -> Floats:
    """What steers the choice of each job for the van: value, bonuses, and duty."""
    known = [problem.familiar_milli * ((job, van) in problem.familiar) for job in jobs.tolist()]
    own = [problem.steering_milli[job] for job in jobs.tolist()]
    return np.array(own, np.float64) + np.array(known, np.float64)


def _with_more(
    problem: RoutingProblem,
    rounds: tuple[Stops, ...],
    van: int,
    jobs: Sequence[int],
    rules: Rules,
    over: Over,
) -> tuple[Stops, ...]:
    """The rounds with the best stretch found for a van; the same where none pays."""
    done = {stop.job for stops in rounds for stop in stops} | rules.van_of.keys()
    left = np.array([job for job in jobs if job not in done], np.int64)
    gain, way = gains(problem, van, rounds[van], left, rules)
    best = rounds
    least = evaluate.objective_milli(problem, rounds) + WORTHWHILE_MILLI
    tried: set[int] = set()
    tries = 0
    for column in np.argsort(-gain, kind="stable").tolist():
        first = int(left[column])
        if tries == FIRST_STOPS or not np.isfinite(gain[column]) or over(best):
            break
        if first in tried:
            continue
        tries += 1
        place, drop = int(way.position[column]), int(way.drop_position[column])
        stops = inserted(problem, rounds[van], first, place, drop)
        trial = (*rounds[:van], stops, *rounds[van + 1 :])
        if not evaluate.violations(problem, trial):
            trial = filled(problem, trial, left.tolist(), rules, [van])
            # Another round with these tasks in it would be much the same one.
            tried |= {stop.job for stop in trial[van]}
            worth_milli = evaluate.objective_milli(problem, trial)
            if worth_milli >= least:
                best, least = trial, worth_milli + 1
    return best


def _but_for_the_name(problem: RoutingProblem, van: int) -> object:
    """What tells a van from others: where one finds no round that pays, its equals find none."""
    known = frozenset(job for job, its in problem.familiar if its == van)
    nobody = replace(problem.vans[van], worker="", skills=frozenset())
    return nobody, problem.suitable[van].tobytes(), known


def _working(problem: RoutingProblem) -> list[int]:
    return [number for number, van in enumerate(problem.vans) if van.shift_s > 0]


def _one_pass(
    problem: RoutingProblem,
    rounds: list[Stops],
    left: Ints,
    working: Sequence[int],
    ways: dict[int, tuple[Floats, Insertions]],
) -> set[int]:
    """Put jobs in, at most one on each old leg, and say which vans have got any."""
    gain = np.stack([ways[van][0] for van in working])
    taken: set[int] = set()
    added: dict[int, list[tuple[int, int, int]]] = {}
    old = {van: rounds[van] for van in working}
    worthwhile = np.flatnonzero(gain >= WORTHWHILE_MILLI)
    for flat in worthwhile[np.argsort(-gain.flat[worthwhile], kind="stable")].tolist():
        row, column = divmod(flat, left.size)
        if column in taken:
            continue
        van, way = working[row], ways[working[row]][1]
        first, last = int(way.position[column]), int(way.drop_position[column])
        mine = added.setdefault(van, [])
        if any(first <= there_last and there <= last for there, there_last, _ in mine):
            continue
        trial = sorted([*mine, (first, last, int(left[column]))])
        stops = _with_all(problem, old[van], trial)
        if _is_better(problem, rounds, van, stops):
            taken.add(column)
            added[van], rounds[van] = trial, stops
        elif not mine:
            # It would not do better in a later pass, unless the round has changed by then.
            ways[van][0][column] = -np.inf
    return {van for van, mine in added.items() if mine}


def _with_all(
    problem: RoutingProblem, stops: Stops, added: Sequence[tuple[int, int, int]]
) -> Stops:
    for first, last, job in reversed(added):
        stops = inserted(problem, stops, job, first, last)
    return stops


def _is_better(problem: RoutingProblem, rounds: Sequence[Stops], van: int, stops: Stops) -> bool:
    """Whether the van's new round can be driven and adds more than a rounding."""
    trial: list[Stops] = [()] * len(rounds)
    trial[van] = stops
    if evaluate.violations(problem, trial):
        return False
    before: list[Stops] = [()] * len(rounds)
    before[van] = rounds[van]
    if problem.balance_per_h_milli:
        before, trial = list(rounds), [*rounds[:van], stops, *rounds[van + 1 :]]
    adds = evaluate.objective_milli(problem, trial) - evaluate.objective_milli(problem, before)
    return adds >= WORTHWHILE_MILLI
