"""What a plan must keep: tasks bound to a van, locked orders, frozen beginnings, exclusions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from fleetdesk.model.edits import Edits
from fleetdesk.routes.problem import RoutingProblem, Stop, Stops


@dataclass(frozen=True)
class Rules:
    """Hard wishes in the problem's numbers.

    `van_of` binds jobs to vans, and bound jobs are planned whatever they bring. `order` holds each
    van's locked stops in their order; the first `frozen` of them open the round with nothing
    before or between. `excluded` jobs are not planned.
    """

    excluded: frozenset[int] = frozenset()
    van_of: Mapping[int, int] = field(default_factory=dict)
    order: Mapping[int, Stops] = field(default_factory=dict)
    frozen: Mapping[int, int] = field(default_factory=dict)

    def head(self, van: int) -> Stops:
        """The stops that open the van's round."""
        return self.order.get(van, ())[: self.frozen.get(van, 0)]

    def bound_to(self, van: int) -> tuple[int, ...]:
        """The jobs bound to the van."""
        return tuple(job for job, its_van in self.van_of.items() if its_van == van)


FREE = Rules()


def rules_of(problem: RoutingProblem, edits: Edits, freed: Collection[str] = ()) -> Rules:
    """The edits as rules, those of the tasks in `freed` left out.

    Tasks and workers that the problem does not have are passed over.
    """
    job_of = {job.task_id: number for number, job in enumerate(problem.jobs)}
    van_of_worker = {van.worker: n for n, van in enumerate(problem.vans)}
    asked = [edit for edit in edits.tasks if edit.task_id in job_of and edit.task_id not in freed]
    van_of = {
        job_of[edit.task_id]: van_of_worker[edit.worker]
        for edit in asked
        if not edit.excluded and edit.worker in van_of_worker
    }
    locked = {
        stop
        for edit in asked
        if job_of[edit.task_id] in van_of
        for key in edit.locked
        # A drop-off cannot be held in its place without the pick-up before it.
        for stop in (Stop(job_of[key.task_id]), Stop(job_of[key.task_id], key.drop_off))
    }
    order, frozen = {}, {}
    for worker, keys in edits.rounds.items():
        if worker not in van_of_worker:
            continue
        van = van_of_worker[worker]
        shown = [Stop(job_of[key.task_id], key.drop_off) for key in keys if key.task_id in job_of]
        mine = tuple(stop for stop in shown if stop in locked and van_of[stop.job] == van)
        if mine:
            order[van] = mine
            frozen[van] = len(list(takewhile(set(mine).__contains__, shown)))
    excluded = frozenset(job_of[edit.task_id] for edit in asked if edit.excluded)
    return Rules(excluded, van_of, order, frozen)


def holds(rules: Rules, sequences: Sequence[Stops]) -> bool:
    """Whether the sequences (one per van) keep every rule."""
    place = {stop.job: van for van, stops in enumerate(sequences) for stop in stops}
    if any(job in place for job in rules.excluded):
        return False
    if any(place.get(job) != van for job, van in rules.van_of.items()):
        return False
    return all(in_order(rules, van, sequences[van]) for van in rules.order)


def in_order(rules: Rules, van: int, stops: Stops) -> bool:
    """Whether one van's stops keep its locked order and its frozen beginning."""
    locked = set(rules.order.get(van, ()))
    head = rules.head(van)
    return stops[: len(head)] == head and tuple(
        stop for stop in stops if stop in locked
    ) == rules.order.get(van, ())
