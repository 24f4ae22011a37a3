"""PyVRP's iterated local search, held to the batteries that moves take as well.

PyVRP counts what a shipment carries only between its two stops, so that a move with a battery
swap cannot take its battery for good. The search is therefore wrapped: every solution that it
proposes first gives up the battery jobs that add least, until each van's batteries suffice. So
all that the search compares, keeps and reports can be driven.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import version

import pyvrp
from pyvrp.search import (
    OPERATORS,
    LocalSearch,
    NeighbourhoodParams,
    PerturbationManager,
    compute_neighbours,
)

from fleetdesk.routes.problem import RoutingProblem, Stops
from fleetdesk.routes.pyvrp_model import DayModel

NAME = f"PyVRP {version('pyvrp')}"

Stopped = Callable[[int, Callable[[], tuple[Stops, ...]]], bool]
"""Asked before every round with the rounds done and a way to get the best sequences so far."""


def search(
    problem: RoutingProblem,
    jobs: Sequence[int],
    vans: Sequence[int],
    start: Sequence[Stops],
    seed: int,
    stopped: Stopped,
) -> tuple[tuple[Stops, ...], int]:
    """Best sequences found and rounds done, using only `jobs` and `vans` (at least one each).

    `start` must be drivable, else nothing better may be found. The same seed and number of
    rounds give the same answer.
    """
    model = DayModel(problem, jobs, vans)
    initial = model.solution(start)
    watch = _Watch(model, initial, stopped)
    result = pyvrp.IteratedLocalSearch(
        model.data,
        model.penalties(),
        _local_search(model, seed),
        initial,
        pyvrp.IteratedLocalSearchParams(callbacks=watch),
    ).run(watch.stop, collect_stats=False)
    return model.sequences(result.best), int(result.num_iterations)


def _local_search(model: DayModel, seed: int) -> LocalSearch | _BatteryGuard:
    neighbours = compute_neighbours(model.data, NeighbourhoodParams())
    rng = pyvrp.RandomNumberGenerator(seed=seed)
    local = LocalSearch(model.data, rng, neighbours, PerturbationManager())
    for operator in OPERATORS:
        if operator.supports(model.data):
            local.add_operator(operator(model.data))
    moves_take_batteries = any(model.problem.jobs[job].batteries for job in model.shipment_jobs)
    return _BatteryGuard(model, local) if moves_take_batteries else local


class _Watch(pyvrp.IteratedLocalSearchCallbacks):  # type: ignore[misc]
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


class _BatteryGuard:
    """A search method whose every answer keeps to the vans' batteries."""

    def __init__(self, model: DayModel, inner: LocalSearch) -> None:
        self._model, self._inner = model, inner

    def __call__(
        self,
        solution: pyvrp.Solution,
        cost_evaluator: pyvrp.CostEvaluator,
        exhaustive: bool = False,
    ) -> pyvrp.Solution:
        """Search, then give up what the batteries do not allow."""
        found = self._inner(solution, cost_evaluator, exhaustive)
        kept = self._within_batteries(found)
        if exhaustive and kept is not found:
            # This pass polishes a new best; giving jobs up must not make it worse.
            return min(kept, solution, key=cost_evaluator.penalised_cost)
        return kept

    def _within_batteries(self, solution: pyvrp.Solution) -> pyvrp.Solution:
        routes, over = [], False
        for route in solution.routes():
            given_up = self._given_up(route)
            if not given_up:
                routes.append(route)
                continue
            over = True
            stops = self._model.stops(route)
            activities = list(route)[1:-1]
            kept = [
                activity
                for stop, activity in zip(stops, activities, strict=True)
                if stop.job not in given_up
            ]
            if kept:
                routes.append(pyvrp.Route(self._model.data, kept, route.vehicle_type()))
        return pyvrp.Solution(self._model.data, routes) if over else solution

    def _given_up(self, route: pyvrp.Route) -> set[int]:
        """The jobs that add least per battery, just enough of them."""
        jobs, van = self._model.problem.jobs, self._model.van_of(route)
        stops = self._model.stops(route)
        uses = {stop.job: jobs[stop.job].batteries for stop in stops if jobs[stop.job].batteries}
        excess = sum(uses.values()) - van.batteries
        if excess <= 0:
            return set()
        adds = {job: float(self._model.net_prize_micro(van, job)) for job in uses}
        for stop, detour in zip(stops, self._model.detours_micro(van, stops), strict=True):
            if stop.job in adds:
                adds[stop.job] -= float(detour)
        chosen: set[int] = set()
        for job in sorted(uses, key=lambda job: adds[job] / uses[job]):
            if excess > 0:
                chosen.add(job)
                excess -= uses[job]
        return chosen
