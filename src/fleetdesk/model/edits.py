"""What a planner changed by hand on the planned routes, and what became of each change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from fleetdesk.errors import Problem


class StopKey(NamedTuple):
    """A stop of a task: at the vehicle, or (`drop_off`) where the vehicle is taken to."""

    task_id: str
    drop_off: bool = False


@dataclass(frozen=True)
class TaskEdit:
    """All that the planner asks of one task.

    It is either `excluded` or bound to `worker`; the stops in `locked` also keep their place in
    the worker's order. `new` tells an edit made since the last run from one that is kept; `cell`
    is its address on the sheet as it was read.
    """

    task_id: str
    text: str
    worker: str = ""
    excluded: bool = False
    locked: tuple[StopKey, ...] = ()
    new: bool = True
    cell: str = ""


@dataclass(frozen=True)
class Edits:
    """Every edit, and each worker's stops in the order in which the planner wants to see them.

    `rounds` leaves out excluded tasks and stops that were moved to a worker without a place in his
    order. `problems` are values that could not be used, each with its task ("" when it has none).
    `day` is the day that the edited sheet was planned for. `done` holds the stops of which the
    planner says whether they are done; of the others the clock says it.
    """

    tasks: tuple[TaskEdit, ...] = ()
    rounds: Mapping[str, tuple[StopKey, ...]] = field(default_factory=dict)
    problems: tuple[tuple[str, Problem], ...] = ()
    day: date | None = None
    done: Mapping[StopKey, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class EditOutcome:
    """What became of one edit: kept and at what price, or released and why.

    `cost_milli` is the profit (thousandths of the currency) and `cost_s` the working time that the
    plan would gain without this edit; None where the edit is not kept. `by_insertion` says that
    only the task's cheapest other place was looked at, not the whole plan.
    """

    edit: TaskEdit
    kept: bool
    cost_milli: int | None = None
    cost_s: int | None = None
    by_insertion: bool = False
    problem: str = ""
