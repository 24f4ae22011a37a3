"""The day's routes with the planner's edits kept, and what there is to say about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from fleetdesk.errors import Problem, Severity
from fleetdesk.model.edits import EditOutcome, Edits
from fleetdesk.model.work import Task
from fleetdesk.routes.districts import plan_large
from fleetdesk.routes.edits import Replanned, replan
from fleetdesk.routes.problem import RoutingProblem
from fleetdesk.routes.solve import Progress
from fleetdesk.routes.stop import Iterations
from fleetdesk.tasks.select import Selection


@dataclass(frozen=True)
class RouteEdits:
    """What became of the edits; `problems` are those for the sheet's rows, by task."""

    outcomes: tuple[EditOutcome, ...] = ()
    problems: Mapping[str, str] | None = None
    notes: tuple[Problem, ...] = ()


def for_day(edits: Edits, day: date, tasks: Sequence[Task]) -> Edits:
    """The edits that mean something on this day; what is left out is noted among the problems."""
    if edits.day is not None and edits.day != day and edits.tasks:
        note = Problem(
            "Routes", "", f"{len(edits.tasks)} edits were made for {edits.day}",
            f"and are not carried over to {day}", severity=Severity.NOTE,
        )  # fmt: skip
        return Edits(problems=(("", note),), day=edits.day)
    there = {task.task_id for task in tasks}
    gone = [edit for edit in edits.tasks if edit.task_id not in there]
    notes = tuple(
        (
            edit.task_id,
            Problem(
                "Routes", edit.cell, f"{edit.task_id} is no longer on the list,",
                f"so this edit is over: {edit.text}", severity=Severity.NOTE,
            ),
        )
        for edit in gone
    )  # fmt: skip
    kept = tuple(edit for edit in edits.tasks if edit.task_id in there)
    return replace(edits, tasks=kept, problems=(*edits.problems, *notes))


def offered(chosen: Selection, tasks: Sequence[Task], edits: Edits) -> Selection:
    """The selection with every edited task in it, whatever it brings: the planner asked for it."""
    asked = {edit.task_id for edit in edits.tasks}
    there = {task.task_id for task in chosen.tasks}
    added = [task for task in tasks if task.task_id in asked - there]
    return replace(
        chosen,
        tasks=(*chosen.tasks, *added),
        dropped=tuple(item for item in chosen.dropped if item.task_id not in asked),
    )


def routed(
    problem: RoutingProblem,
    edits: Edits,
    effort: int,
    seed: int,
    on_progress: Callable[[Progress], None],
    on_priced: Callable[[int, int], None],
) -> Replanned:
    """The plan: from nothing without edits, else from the edited sheet."""
    if not edits.tasks:
        return Replanned(plan_large(problem, Iterations(effort), seed, on_progress))
    return replan(problem, edits, Iterations(effort), seed, on_progress, on_priced)


def told(edits: Edits, outcomes: Sequence[EditOutcome]) -> RouteEdits:
    """What the sheets say about the edits."""
    released = tuple(
        Problem(
            "Routes", outcome.edit.cell,
            f"{outcome.edit.task_id} is not kept as asked ({outcome.edit.text}):",
            outcome.problem, severity=Severity.WARNING,
        )
        for outcome in outcomes
        if not outcome.kept
    )  # fmt: skip
    at_rows: dict[str, list[str]] = {}
    for task_id, problem in edits.problems:
        if task_id:
            at_rows.setdefault(task_id, []).append(str(replace(problem, sheet="", cell="")))
    return RouteEdits(
        tuple(outcomes),
        {task_id: " ".join(texts) for task_id, texts in at_rows.items()},
        (*(problem for _, problem in edits.problems), *released),
    )
