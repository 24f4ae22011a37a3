"""Ruin and recreate: take tasks near each other out of their rounds, and fill these again.

The engine's search knows breaks and reloads by half only; here every trial is judged by the
referee. Source: Schrimpf et al. 2000 (the principle), Christiaens and Vanden Berghe 2020 (to take
out strings of stops, in rounds that come near each other).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from fleetdesk.routes import evaluate
from fleetdesk.routes.filling import filled
from fleetdesk.routes.pins import Rules
from fleetdesk.routes.problem import RoutingProblem, Stops

MOST_OUT = (5, 10, 15)
"""At most how many tasks are taken out near a place, or of each round; drawn anew each time.

More are put back much as they were.
"""
MOST_VANS = 3
"""In how many rounds at a time, so that a trial takes no longer with many vans."""


def recreated(
    problem: RoutingProblem,
    best: tuple[Stops, ...],
    jobs: Sequence[int],
    rules: Rules,
    seed: int,
    over: Callable[[int, tuple[Stops, ...]], bool],
) -> tuple[Stops, ...]:
    """The best sequences found from `best` until `over`.

    `over` is asked before each trial with the number of trials and the best so far. What must be
    done, and what is bound, stays where it is. The same seed and number of trials give the same.
    """
    draw = np.random.default_rng(seed)
    worth_milli = evaluate.objective_milli(problem, best)
    free = {job for job in jobs if not problem.jobs[job].must} - rules.van_of.keys()
    trials = 0
    while not over(trials, best):
        planned = [stop.job for stops in best for stop in stops if stop.job in free]
        if not planned:
            break
        trials += 1
        point = problem.jobs[planned[draw.integers(len(planned))]].point
        out, vans = _around(problem, best, point, draw)
        rest = tuple(tuple(stop for stop in stops if stop.job not in out & free) for stops in best)
        trial = filled(problem, rest, jobs, rules, vans)
        trial_milli = evaluate.objective_milli(problem, trial)
        if trial_milli > worth_milli and not evaluate.violations(problem, trial):
            best, worth_milli = trial, trial_milli
    return best


def _around(
    problem: RoutingProblem, best: Sequence[Stops], point: int, draw: np.random.Generator
) -> tuple[set[int], list[int]]:
    """Jobs near a point that are driven near each other, and the vans whose rounds come there."""
    far_m = {
        van: problem.matrix_of(problem.vans[van]).distance_m[
            point, [problem.point_of(stop) for stop in stops]
        ]
        for van, stops in enumerate(best)
        if stops
    }
    vans = sorted(far_m, key=lambda van: (far_m[van].min(), van))
    vans = vans[: draw.integers(1, MOST_VANS + 1)]
    most = draw.choice(MOST_OUT)
    if draw.random() < 0.5:
        near = sorted(
            (m, stop.job) for v in vans for m, stop in zip(far_m[v], best[v], strict=True)
        )
        return {job for _, job in near[:most]}, vans
    out: set[int] = set()
    for van in vans:
        length = int(draw.integers(1, most + 1))
        begin = max(0, int(far_m[van].argmin()) - int(draw.integers(length)))
        out |= {stop.job for stop in best[van][begin : begin + length]}
    return out, vans
