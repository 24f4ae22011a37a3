"""The routing problem of a day from its tasks, their values and the vans."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from fleetdesk.errors import FleetDeskError
from fleetdesk.model.places import Point
from fleetdesk.model.plan import Action
from fleetdesk.model.work import Task, TaskKind, TaskRoi, Van
from fleetdesk.routes.problem import (
    END_OF_TIME_S,
    Job,
    Pausing,
    RoutingProblem,
    RoutingVan,
    milli,
)
from fleetdesk.routes.travel_times import TravelTimes


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a planner wants work shared out; money in city currency, none of it earned.

    `balance_per_h` is what an hour longer than the average round may cost, `familiar_bonus` what
    it is worth that a worker does a task in a cell that this worker knows: one that begins like one
    of `known_cells` by worker.
    """

    balance_per_h: float = 0.0
    familiar_bonus: float = 0.0
    known_cells: Mapping[str, Collection[str]] = field(default_factory=dict)


NO_WISHES = Wishes()


def build(
    tasks: Sequence[Task],
    values: Mapping[str, TaskRoi],
    bonuses: Mapping[str, float],
    vans: Sequence[Van],
    travel_times: TravelTimes,
    currency: str = "",
    wishes: Wishes = NO_WISHES,
) -> RoutingProblem:
    """The routing problem of a day; `bonuses` by task id in the currency, 0 where absent.

    A task's value is its ROI with the labour cost given back, because the route pays for all
    working time. FleetDeskError when a task has no value, no finite one, or comes twice.
    """
    points: dict[Point, int] = {}
    starts_at = min((van.shift_start for van in vans), default=datetime(1970, 1, 1, tzinfo=UTC))
    speeds = sorted({van.speed_kmh for van in vans})
    _refuse_repeats(tasks)
    jobs = tuple(_job(task, values, bonuses, starts_at, points) for task in tasks)
    carried = Counter(task.worker for task in tasks if task.carried)
    routing_vans = tuple(_van(van, starts_at, speeds, points, carried) for van in vans)
    places = tuple(points)
    matrices = tuple(travel_times.matrix(places, speed) for speed in speeds)
    notes = dict.fromkeys(matrix.note for matrix in matrices if matrix.note)
    return RoutingProblem(
        jobs=jobs,
        vans=routing_vans,
        points=places,
        matrices=matrices,
        starts_at=starts_at,
        travel_times="; ".join([travel_times.label, *notes]),
        currency=currency,
        balance_per_h_milli=milli(wishes.balance_per_h),
        familiar=frozenset(
            (job, number)
            for number, van in enumerate(vans)
            for job, task in enumerate(tasks)
            if task.before.cell.startswith(tuple(wishes.known_cells.get(van.worker, ())))
        ),
        familiar_milli=milli(wishes.familiar_bonus),
    )


def _job(
    task: Task,
    values: Mapping[str, TaskRoi],
    bonuses: Mapping[str, float],
    starts_at: datetime,
    points: dict[Point, int],
) -> Job:
    value = values.get(task.task_id)
    brings = math.nan if value is None else value.roi + value.labour_cost
    bonus = bonuses.get(task.task_id, 0.0)
    if not (math.isfinite(brings) and math.isfinite(bonus)):
        raise FleetDeskError(
            f"Task {task.task_id} cannot be routed because its value is unknown",
            found="no ROI" if value is None else f"value {brings}, bonus {bonus}",
            fix="Value every task before routing",
        )
    rest = Job(
        task_id=task.task_id,
        vehicle_id=task.vehicle_id,
        action=Action.DROP_OFF,
        point=points.setdefault(task.after.at if task.carried else task.before.at, len(points)),
        place=(task.to_name or task.after.cell) if task.carried else "",
        service_s=task.drop_off_s,
        batteries=0,
        vehicles=-task.vehicles,
        value_milli=milli(brings),
        bonus_milli=milli(bonus),
        window_s=_window(task, starts_at),
        skill=task.skill,
        worker=task.worker,
        must=task.must,
    )
    if task.carried:
        return rest
    return replace(
        rest,
        action=_action(task),
        place=task.from_name or task.before.cell,
        service_s=task.service_s,
        batteries=task.batteries,
        vehicles=task.vehicles,
        drop_off_point=points.setdefault(task.after.at, len(points)) if task.moves else None,
        drop_off_place=(task.to_name or task.after.cell) if task.moves else "",
        drop_off_s=task.drop_off_s if task.moves else 0,
    )


def _action(task: Task) -> Action:
    swaps = TaskKind.SWAP_BATTERY in task.kinds
    if task.vehicles:
        return Action.SWAP_AND_PICK_UP if swaps else Action.PICK_UP
    return Action.SWAP if swaps else Action.VISIT


def _window(task: Task, starts_at: datetime) -> tuple[int, int] | None:
    if task.earliest is None and task.latest is None:
        return None
    early = 0 if task.earliest is None else _seconds(task.earliest, starts_at)
    late = END_OF_TIME_S if task.latest is None else _seconds(task.latest, starts_at)
    return max(0, early), late


def _seconds(moment: datetime, since: datetime) -> int:
    return round((moment - since).total_seconds())


def _van(
    van: Van,
    starts_at: datetime,
    speeds: Sequence[float],
    points: dict[Point, int],
    carried: Mapping[str, int],
) -> RoutingVan:
    full = max(0, van.battery_capacity)
    return RoutingVan(
        worker=van.worker,
        start=points.setdefault(van.start, len(points)),
        end=points.setdefault(van.end, len(points)),
        matrix=speeds.index(van.speed_kmh),
        shift_start_s=_seconds(van.shift_start, starts_at),
        shift_end_s=_seconds(van.shift_end, starts_at),
        batteries=full if van.batteries is None else max(0, van.batteries),
        vehicles=max(0, van.vehicle_capacity),
        cost_per_km_milli=milli(van.cost_per_km),
        cost_per_h_milli=milli(van.cost_per_h),
        skills=van.skills,
        breaks=tuple(
            Pausing(_seconds(b.earliest, starts_at), _seconds(b.latest, starts_at), b.length_s)
            for b in sorted(van.breaks, key=lambda each: each.earliest)
        ),
        overtime_s=max(0, van.overtime_s),
        overtime_per_h_milli=milli(van.overtime_per_h),
        reload_points=tuple(points.setdefault(at, len(points)) for at in van.reload_at),
        reload_s=van.reload_s,
        max_reloads=max(0, van.max_reloads),
        batteries_full=full,
        on_board=carried.get(van.worker, 0) + van.vehicles_on_board,
        kept=van.vehicles_on_board,
    )


def _refuse_repeats(tasks: Sequence[Task]) -> None:
    seen: set[str] = set()
    for task in tasks:
        if task.task_id in seen:
            raise FleetDeskError(
                "A task is on the list twice", found=task.task_id, fix="Give every task its own id"
            )
        seen.add(task.task_id)
