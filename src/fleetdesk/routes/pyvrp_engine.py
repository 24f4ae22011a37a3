"""PyVRP's iterated local search on the day's model, begun from the best that inserting gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import version

import pyvrp
from pyvrp.search import (
    OPERATORS,
    LocalSearch,
    NeighbourhoodParams,
    PerturbationManager,
    PerturbationParams,
    compute_neighbours,
)

from fleetdesk.routes.pins import FREE, Rules
from fleetdesk.routes.problem import RoutingProblem, Stops
from fleetdesk.routes.pyvrp_model import NO_FENCES, DayModel, Fences

NAME = f"PyVRP {version('pyvrp')}"

NEIGHBOURS = 20
PERTURBATIONS = 5
HISTORY = 20
"""Smaller than PyVRP's own 50, 25 and 300: a planner waits for seconds, not for minutes.

With the penalties of the model, 3 to 10 % more in the same 10 s on days of 400 tasks.
"""

Stopped = Callable[[int, Callable[[], tuple[Stops, ...]]], bool]
"""Asked before every round with the rounds done and a way to get the best sequences so far."""


def search(
    problem: RoutingProblem,
    jobs: Sequence[int],
    vans: Sequence[int],
    start: Sequence[Stops],
    seed: int,
    stopped: Stopped,
    rules: Rules = FREE,
    fences: Fences = NO_FENCES,
) -> tuple[tuple[Stops, ...], int]:
    """Best sequences found and rounds done, using only `jobs` and `vans` (at least one each).

    `start` must be drivable and keep the rules, and its locked stops must lie within the fences.
    The same seed and number of rounds give the same answer.
    """
    if stopped(0, lambda: tuple(start)):
        return tuple(start), 0
    model = DayModel(problem, jobs, vans, rules, fences)
    local = _local_search(model, seed)
    given = model.solution(start)
    polished = local(given, model.strict(), exhaustive=True)
    initial = polished if polished.is_feasible() else given
    watch = _Watch(model, initial, stopped)
    params = pyvrp.IteratedLocalSearchParams(history_length=HISTORY, callbacks=watch)
    result = pyvrp.IteratedLocalSearch(model.data, model.penalties(), local, initial, params).run(
        watch.stop, collect_stats=False
    )
    return model.sequences(result.best), int(result.num_iterations)


def _local_search(model: DayModel, seed: int) -> LocalSearch:
    neighbours = compute_neighbours(model.data, NeighbourhoodParams(num_neighbours=NEIGHBOURS))
    rng = pyvrp.RandomNumberGenerator(seed=seed)
    perturbation = PerturbationManager(PerturbationParams(1, PERTURBATIONS))
    local = LocalSearch(model.data, rng, neighbours, perturbation)
    for operator in OPERATORS:
        if operator.supports(model.data):
            local.add_operator(operator(model.data))
    return local


class _Watch(pyvrp.IteratedLocalSearchCallbacks):
    """Counts rounds, remembers the best solution, and asks whether to go on."""

    def __init__(self, model: DayModel, initial: pyvrp.Solution, stopped: Stopped) -> None:
        self._model, self._best, self._stopped = model, initial, stopped
        self._rounds = 0

    def on_best(self, best: pyvrp.Solution) -> None:
        """Remember it."""
        self._best = best

    def on_iteration(self, *_: object) -> None:
        """Count the round."""
        self._rounds += 1

    def stop(self, _best_cost: int) -> bool:
        """The search's stopping criterion."""
        return self._stopped(self._rounds, lambda: self._model.sequences(self._best))
