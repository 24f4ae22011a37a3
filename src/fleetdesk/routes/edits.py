"""Plan again with a planner's edits as rules, release what cannot be driven, price the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fleetdesk.model.edits import EditOutcome, Edits, TaskEdit
from fleetdesk.model.plan import Plan
from fleetdesk.routes import evaluate, pins_round
from fleetdesk.routes.filling import gains
from fleetdesk.routes.insertion import inserted
from fleetdesk.routes.pins import FREE, Rules, holds, rules_of
from fleetdesk.routes.problem import RoutingProblem, Stop, Stops
from fleetdesk.routes.solve import CENT_MILLI, Progress, as_plan, drivable, improve, settled
from fleetdesk.routes.stop import Iterations
from fleetdesk.routes.stop import Stop as StoppingRule

SHARE_PER_PRICE = 0.05
"""Of the rounds that the routes were searched for, what goes into each price."""
LEAST_ROUNDS = 20
"""Rounds that a price gets at least, where the routes were searched for as many."""
MOST_PRICED = 20
"""Edits priced by planning again without each; the others by their cheapest other place."""


@dataclass(frozen=True)
class Replanned:
    """The new plan, what became of every edit whose task is still there, and the kept as rules."""

    plan: Plan
    outcomes: tuple[EditOutcome, ...] = ()
    rules: Rules = FREE


def replan(
    problem: RoutingProblem,
    edits: Edits,
    stop: StoppingRule,
    seed: int,
    on_progress: Callable[[Progress], None] | None = None,
    on_priced: Callable[[int, int], None] | None = None,
) -> Replanned:
    """The best plan found from the edited one that keeps the edits, with the price of each.

    Edits that cannot be driven together are released, as few as possible, each with its reason.
    A price is searched for with a share of the rounds that the routes took, so that who has waited
    enough for those does not wait for the prices either; it is negative only where the priority
    bonus outweighs the profit. `on_priced` is told how many of how many edits have their price. The
    same problem, edits, seed and rounds give the same answer.
    """
    there = {job.task_id for job in problem.jobs}
    asked = replace(edits, tasks=tuple(e for e in edits.tasks if e.task_id in there))
    kept, released = _released(problem, asked)
    rules = rules_of(problem, kept)
    start = _start(problem, kept, rules)
    found, rounds = improve(problem, start, stop, seed, on_progress, rules)
    each = max(round(SHARE_PER_PRICE * rounds), min(LEAST_ROUNDS, rounds))
    search = _Prices(problem, kept, rules, seed, each)
    prices = search.of_all(found, on_priced or _untold)
    outcomes = []
    for edit in asked.tasks:
        if edit.task_id in released:
            outcomes.append(EditOutcome(edit, False, problem=released[edit.task_id]))
        else:
            outcomes.append(prices[edit.task_id])
    return Replanned(as_plan(problem, search.best, seed, rounds, rules), tuple(outcomes), rules)


def _released(problem: RoutingProblem, edits: Edits) -> tuple[Edits, Mapping[str, str]]:
    """The edits that can be driven together, and the reason for each of the others."""
    workers = {van.worker: number for number, van in enumerate(problem.vans) if van.shift_s > 0}
    reasons = {
        edit.task_id: f"{edit.worker} does not work on this day"
        for edit in edits.tasks
        if not edit.excluded and edit.worker not in workers
    }
    rules = rules_of(problem, _without(edits, reasons))
    number = {job.task_id: n for n, job in enumerate(problem.jobs)}
    old = frozenset(number[edit.task_id] for edit in edits.tasks if not edit.new)
    for van in sorted(set(rules.van_of.values())):
        gone = pins_round.to_release(problem, rules, van, old)
        why = pins_round.reason(problem, rules, van) if gone else ""
        reasons |= {problem.jobs[job].task_id: why for job in sorted(gone)}
    return _without(edits, reasons), reasons


def _without(edits: Edits, gone: Mapping[str, str]) -> Edits:
    """The edits as if those of some tasks had not been made and the tasks not been shown."""
    return replace(
        edits,
        tasks=tuple(edit for edit in edits.tasks if edit.task_id not in gone),
        rounds={
            worker: tuple(key for key in keys if key.task_id not in gone)
            for worker, keys in edits.rounds.items()
        },
    )


def _start(problem: RoutingProblem, edits: Edits, rules: Rules) -> tuple[Stops, ...]:
    """The plan as the planner left it, cut to what can be driven; else only what is bound."""
    shown = _shown(problem, edits, rules)
    rounds = [
        pins_round.bound_round(
            problem,
            rules,
            van,
            [*dict.fromkeys([*(stop.job for stop in shown[van]), *rules.bound_to(van)])],
            shown[van],
        )
        for van in range(len(problem.vans))
    ]
    start = drivable(problem, rounds, rules.van_of)
    if holds(rules, start):
        return start
    return tuple(
        pins_round.bound_round(problem, rules, van, rules.bound_to(van))
        for van in range(len(problem.vans))
    )


def _shown(problem: RoutingProblem, edits: Edits, rules: Rules) -> list[Stops]:
    """The stops on the sheet that this plan may have, each van's in their order."""
    job_of = {job.task_id: number for number, job in enumerate(problem.jobs)}
    van_of = {van.worker: number for number, van in enumerate(problem.vans) if van.shift_s > 0}
    shown: list[Stops] = [()] * len(problem.vans)
    for worker, keys in edits.rounds.items():
        if worker not in van_of:
            continue
        van = van_of[worker]
        stops = [Stop(job_of[key.task_id], key.drop_off) for key in keys if key.task_id in job_of]
        shown[van] = tuple(
            stop
            for stop in stops
            if stop.job not in rules.excluded
            and rules.van_of.get(stop.job, van) == van
            and (Stop(stop.job) in stops)
            and stop in problem.stops_of(stop.job)
        )
    return shown


class _Prices:
    """Plans again without one edit after the other; what helps the whole plan is kept as `best`."""

    def __init__(
        self,
        problem: RoutingProblem,
        edits: Edits,
        rules: Rules,
        seed: int,
        rounds: int,
    ) -> None:
        self._problem, self._edits, self._rules = problem, edits, rules
        self._seed, self._rounds = seed, rounds
        self._job_of = {job.task_id: number for number, job in enumerate(problem.jobs)}
        self.best: tuple[Stops, ...] = ()

    def of_all(
        self, found: Sequence[Stops], on_priced: Callable[[int, int], None]
    ) -> Mapping[str, EditOutcome]:
        """The outcome of every edit by task; edits made since the last run are priced first."""
        self.best = tuple(found)
        turn = sorted(self._edits.tasks, key=lambda edit: not edit.new)
        without = {}
        for done, edit in enumerate(turn[:MOST_PRICED]):
            on_priced(done, len(turn))
            without[edit.task_id] = self._planned_without(edit)
        outcomes = {
            edit.task_id: self._outcome(edit, without[edit.task_id]) for edit in turn[:MOST_PRICED]
        }
        for edit in turn[MOST_PRICED:]:
            elsewhere = self._placed_without(edit)
            outcomes[edit.task_id] = replace(self._outcome(edit, elsewhere), by_insertion=True)
        return outcomes

    def _planned_without(self, edit: TaskEdit) -> tuple[Stops, ...]:
        rules = rules_of(self._problem, self._edits, freed=[edit.task_id])
        found, _ = improve(
            self._problem, self.best, Iterations(self._rounds), self._seed,
            rules=rules, quick=True,
        )  # fmt: skip
        # Rounds spent here may have found what has nothing to do with the edit: it is no price.
        job = self._job_of[edit.task_id]
        same = found if holds(self._rules, found) else None
        again = same or pins_round.put_back(self._problem, self._rules, found, job)
        if again and holds(self._rules, again):
            self.best = settled(self._problem, self.best, again)
        return found

    def _placed_without(self, edit: TaskEdit) -> tuple[Stops, ...]:
        """The best plan with only this edit's task put elsewhere, or left out."""
        rules = rules_of(self._problem, self._edits, freed=[edit.task_id])
        job = self._job_of[edit.task_id]
        bare = [tuple(stop for stop in stops if stop.job != job) for stops in self.best]
        tried = [tuple(bare)]
        for van, stops in enumerate(bare):
            gain, way = gains(self._problem, van, stops, np.array([job], np.int64), rules)
            if self._problem.vans[van].shift_s and np.isfinite(gain[0]):
                places = int(way.position[0]), int(way.drop_position[0])
                other = inserted(self._problem, stops, job, *places)
                tried.append((*bare[:van], other, *bare[van + 1 :]))
        return max(tried, key=self._value)

    def _outcome(self, edit: TaskEdit, without: Sequence[Stops]) -> EditOutcome:
        if self._value(without) - self._value(self.best) < CENT_MILLI:
            return EditOutcome(edit, True, 0, 0)
        freely = evaluate.evaluate(self._problem, without)
        edited = evaluate.evaluate(self._problem, self.best)
        return EditOutcome(
            edit,
            True,
            sum(r.profit_milli for r in freely) - sum(r.profit_milli for r in edited),
            sum(r.duration_s for r in edited) - sum(r.duration_s for r in freely),
        )

    def _value(self, sequences: Sequence[Stops]) -> int:
        return evaluate.objective_milli(self._problem, sequences)


def _untold(_done: int, _of: int) -> None:
    return
