"""PyVRP's iterated local search on the day's model, begun from the best that inserting gives."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
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
NEIGHBOURS_IN_TIME = 50
"""Nearest tasks that a task is tried beside; more where the near ones are due at other hours."""


@dataclass(frozen=True, slots=True)
class _Pace:
    """How much each round shakes up, and for how many rounds a worse plan may be gone on from."""

    perturbations: int
    history: int


_WITH_MOVES = _Pace(perturbations=5, history=20)
_WITHOUT = _Pace(perturbations=25, history=100)
"""Moves make rounds slow, so that each may shake up less; both are less than PyVRP's own.

PyVRP's 50 neighbours, 25 perturbations and a history of 300 are for minutes, a planner waits for
seconds: 3 to 10 % more in the same 10 s on days of 400 tasks, and half the gap with 1,000 given.
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
    required: Collection[int] = (),
    average_s: int | None = None,
) -> tuple[tuple[Stops, ...], int]:
    """Best sequences found and rounds done, using only `jobs` and `vans` (at least one each).

    `start` must be drivable, hold all `required` jobs and keep the rules, and its locked stops must
    lie within the fences. See `DayModel` for `average_s`.
    The same seed and number of rounds give the same answer.
    """
    if stopped(0, lambda: tuple(start)):
        return tuple(start), 0
    model = DayModel(problem, jobs, vans, rules, fences, required, average_s)
    pace = _WITH_MOVES if model.shipment_jobs else _WITHOUT
    local = _local_search(model, seed, pace)
    given = model.solution(start)
    polished = local(given, model.strict(), exhaustive=True)
    initial = polished if polished.is_feasible() else given
    if not model.chooses:
        # Where all is given, PyVRP's own insertion often begins better than ours.
        fresh = local(pyvrp.Solution(model.data, []), model.strict(), exhaustive=True)
        initial = min(initial, fresh, key=model.strict().cost)
    watch = _Watch(model, start, initial, stopped)
    params = pyvrp.IteratedLocalSearchParams(history_length=pace.history, callbacks=watch)
    result = pyvrp.IteratedLocalSearch(model.data, model.penalties(), local, initial, params).run(
        watch.stop, collect_stats=False
    )
    return model.sequences(result.best, start), int(result.num_iterations)


def _local_search(model: DayModel, seed: int, pace: _Pace) -> LocalSearch:
    count = NEIGHBOURS_IN_TIME if model.problem.windowed else NEIGHBOURS
    neighbours = compute_neighbours(model.data, NeighbourhoodParams(num_neighbours=count))
    rng = pyvrp.RandomNumberGenerator(seed=seed)
    perturbation = PerturbationManager(PerturbationParams(1, pace.perturbations))
    local = LocalSearch(model.data, rng, neighbours, perturbation)
    for operator in OPERATORS:
        if operator.supports(model.data):
            local.add_operator(operator(model.data))
    return local


class _Watch(pyvrp.IteratedLocalSearchCallbacks):
    """Counts rounds, remembers the best solution, and asks whether to go on."""

    def __init__(
        self,
        model: DayModel,
        start: Sequence[Stops],
        initial: pyvrp.Solution,
        stopped: Stopped,
    ) -> None:
        self._model, self._start, self._best = model, start, initial
        self._stopped = stopped
        self._rounds = 0

    def on_best(self, best: pyvrp.Solution) -> None:
        """Remember it."""
        self._best = best

    def on_iteration(self, *_: object) -> None:
        """Count the round."""
        self._rounds += 1

    def stop(self, _best_cost: int) -> bool:
        """The search's stopping criterion."""
        return self._stopped(self._rounds, lambda: self._model.sequences(self._best, self._start))
