"""The rest of a day that has begun: what is done stays done, vans go on from where they are."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from fleetdesk.errors import FleetDeskError
from fleetdesk.model.places import Point
from fleetdesk.model.work import Task, Van


@dataclass(frozen=True, slots=True)
class Underway:
    """Where a worker is free to go on at `moment` (UTC-aware), and what is on the van.

    `on_board` holds the ids of tasks whose vehicle was picked up and not yet dropped off, `kept`
    counts the vehicles that stay on the van. `breaks` and `reloads` were taken before.
    """

    worker: str
    at: Point
    moment: datetime
    batteries: int
    on_board: tuple[str, ...] = ()
    kept: int = 0
    breaks: int = 0
    reloads: int = 0


def rest_of_day(
    tasks: Sequence[Task], vans: Sequence[Van], underway: Sequence[Underway], done: Collection[str]
) -> tuple[tuple[Task, ...], tuple[Van, ...]]:
    """The tasks and vans to plan the rest with, from the present positions and loads.

    Tasks in `done` are left out. Vehicles on board become drop-offs that only their van can do and
    must do. Breaks that were taken, or whose hours have passed, are over. Of a shift that is over
    nothing is left. Workers who are not underway start as planned.
    FleetDeskError when a vehicle is on two vans, or on one whose task is unknown.
    """
    now = {each.worker: each for each in underway}
    carrier: dict[str, str] = {}
    for each in underway:
        for task_id in each.on_board:
            if task_id in carrier:
                raise FleetDeskError(
                    "A vehicle is on two vans",
                    found=f"{task_id} with {carrier[task_id]} and {each.worker}",
                    fix="Say who has it",
                )
            carrier[task_id] = each.worker
    unknown = carrier.keys() - {task.task_id for task in tasks if task.moves}
    if unknown:
        raise FleetDeskError(
            "A vehicle on a van has no drop-off",
            found=", ".join(sorted(unknown)),
            fix="Give the task that moves it",
        )
    left = tuple(
        replace(task, carried=True, worker=carrier[task.task_id], must=True, skill="")
        if task.task_id in carrier
        else task
        for task in tasks
        if task.task_id not in done
    )
    return left, tuple(_from_here(van, now.get(van.worker)) for van in vans)


def _from_here(van: Van, here: Underway | None) -> Van:
    if here is None or here.moment <= van.shift_start:
        return van
    return replace(
        van,
        start=here.at,
        shift_start=min(here.moment, van.shift_end),
        batteries=here.batteries,
        vehicles_on_board=here.kept,
        max_reloads=max(0, van.max_reloads - here.reloads),
        breaks=tuple(pause for pause in van.breaks[here.breaks :] if pause.latest > here.moment),
    )
