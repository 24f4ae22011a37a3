"""The day's routing problem in integers: jobs and vans on a travel matrix, money in thousandths.

Money is exact to the thousandth of the currency (milli). A cost per km in milli is the same
number as millionths per metre, so that van costs are integers without a loss worth seeing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from fleetdesk.errors import FleetDeskError
from fleetdesk.model.places import Point
from fleetdesk.model.plan import Action, Plan, Route
from fleetdesk.model.work import Task, TaskKind, TaskRoi, Van
from fleetdesk.routes.travel_times import TravelMatrix, TravelTimes


class Stop(NamedTuple):
    """A van's halt for a job: at the vehicle, or (`drop_off`) where the vehicle is taken to."""

    job: int
    drop_off: bool = False


Stops = tuple[Stop, ...]


@dataclass(frozen=True, slots=True)
class Job:
    """One task as the router sees it; `point` and `drop_off_point` index the problem's points.

    `value_milli` is what it brings before travel and working time; `vehicles` are on board from
    the first stop to the drop-off, or to the end of the round when there is no drop-off.
    """

    task_id: str
    vehicle_id: str
    action: Action
    point: int
    place: str
    service_s: int
    batteries: int
    vehicles: int
    value_milli: int
    bonus_milli: int
    drop_off_point: int | None = None
    drop_off_place: str = ""
    drop_off_s: int = 0

    @property
    def worth_milli(self) -> int:
        """What steers the choice: value and priority bonus."""
        return self.value_milli + self.bonus_milli

    @property
    def work_s(self) -> int:
        """Seconds at its stops."""
        return self.service_s + self.drop_off_s


@dataclass(frozen=True, slots=True)
class RoutingVan:
    """One van for one shift; seconds count from the problem's `starts_at`.

    `matrix` indexes the problem's matrices, one per driving speed.
    """

    worker: str
    start: int
    end: int
    matrix: int
    shift_start_s: int
    shift_end_s: int
    batteries: int
    vehicles: int
    cost_per_km_milli: int
    cost_per_h_milli: int

    @property
    def shift_s(self) -> int:
        """Length of the shift; 0 when it ends before it begins."""
        return max(0, self.shift_end_s - self.shift_start_s)

    def travel_cost_milli(self, distance_m: int) -> int:
        """Money for driving so far, to the nearest thousandth."""
        return _rounded_quotient(distance_m * self.cost_per_km_milli, 1000)

    def labour_cost_milli(self, duration_s: int) -> int:
        """Money for working so long, to the nearest thousandth."""
        return _rounded_quotient(duration_s * self.cost_per_h_milli, 3600)


@dataclass(frozen=True, eq=False)
class RoutingProblem:
    """All that a plan is made from and judged by; `currency` is shown with money in reasons."""

    jobs: tuple[Job, ...]
    vans: tuple[RoutingVan, ...]
    points: tuple[Point, ...]
    matrices: tuple[TravelMatrix, ...]
    starts_at: datetime
    travel_times: str
    currency: str = ""

    def matrix_of(self, van: RoutingVan) -> TravelMatrix:
        """The travel matrix at the van's speed."""
        return self.matrices[van.matrix]

    def point_of(self, stop: Stop) -> int:
        """Where the stop is, as an index into `points`."""
        job = self.jobs[stop.job]
        if not stop.drop_off:
            return job.point
        return job.point if job.drop_off_point is None else job.drop_off_point

    def stops_of(self, job: int) -> Stops:
        """The stops that doing the job takes, in their order."""
        if self.jobs[job].drop_off_point is None:
            return (Stop(job),)
        return (Stop(job), Stop(job, drop_off=True))


def build(
    tasks: Sequence[Task],
    values: Mapping[str, TaskRoi],
    bonuses: Mapping[str, float],
    vans: Sequence[Van],
    travel_times: TravelTimes,
    currency: str = "",
) -> RoutingProblem:
    """The routing problem of a day; `bonuses` by task id in the currency, 0 where absent.

    A task's value is its ROI with the labour cost given back, because the route pays for all
    working time. FleetDeskError when a task has no value, no finite one, or comes twice.
    """
    points: dict[Point, int] = {}
    starts_at = min((van.shift_start for van in vans), default=datetime(1970, 1, 1, tzinfo=UTC))
    speeds = sorted({van.speed_kmh for van in vans})
    _refuse_repeats(tasks)
    jobs = tuple(_job(task, values, bonuses, points) for task in tasks)
    routing_vans = tuple(_van(van, starts_at, speeds, points) for van in vans)
    places = tuple(points)
    return RoutingProblem(
        jobs=jobs,
        vans=routing_vans,
        points=places,
        matrices=tuple(travel_times.matrix(places, speed) for speed in speeds),
        starts_at=starts_at,
        travel_times=travel_times.label,
        currency=currency,
    )


def sequences_of(problem: RoutingProblem, planned: Plan | Sequence[Route]) -> tuple[Stops, ...]:
    """The stops of each van (in the problem's order) as in earlier routes.

    Routes find their van by worker, and by the start of the shift where a worker has several;
    tasks and workers that no longer exist are left out, and so is half a move.
    """
    routes = planned.routes if isinstance(planned, Plan) else planned
    index = {job.task_id: number for number, job in enumerate(problem.jobs)}
    sequences: list[Stops] = [()] * len(problem.vans)
    seen: set[int] = set()
    for route, van in _paired(problem, routes):
        stops = [
            Stop(index[visit.task_id], visit.action is Action.DROP_OFF)
            for visit in route.visits
            if visit.task_id in index
        ]
        whole = {stop.job for stop in stops if set(problem.stops_of(stop.job)) <= set(stops)}
        sequences[van] = tuple(stop for stop in stops if stop.job in whole - seen)
        seen |= whole
    return tuple(sequences)


def milli(amount: float) -> int:
    """Money in thousandths of the currency."""
    return round(amount * 1000)


def _job(
    task: Task,
    values: Mapping[str, TaskRoi],
    bonuses: Mapping[str, float],
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
    return Job(
        task_id=task.task_id,
        vehicle_id=task.vehicle_id,
        action=_action(task),
        point=points.setdefault(task.before.at, len(points)),
        place=task.from_name or task.before.cell,
        service_s=task.service_s,
        batteries=task.batteries,
        vehicles=task.vehicles,
        value_milli=milli(brings),
        bonus_milli=milli(bonus),
        drop_off_point=points.setdefault(task.after.at, len(points)) if task.moves else None,
        drop_off_place=(task.to_name or task.after.cell) if task.moves else "",
        drop_off_s=task.drop_off_s if task.moves else 0,
    )


def _action(task: Task) -> Action:
    if not task.moves:
        return Action.SWAP
    swaps = TaskKind.SWAP_BATTERY in task.kinds
    return Action.SWAP_AND_PICK_UP if swaps else Action.PICK_UP


def _van(
    van: Van, starts_at: datetime, speeds: Sequence[float], points: dict[Point, int]
) -> RoutingVan:
    return RoutingVan(
        worker=van.worker,
        start=points.setdefault(van.start, len(points)),
        end=points.setdefault(van.end, len(points)),
        matrix=speeds.index(van.speed_kmh),
        shift_start_s=round((van.shift_start - starts_at).total_seconds()),
        shift_end_s=round((van.shift_end - starts_at).total_seconds()),
        batteries=max(0, van.battery_capacity),
        vehicles=max(0, van.vehicle_capacity),
        cost_per_km_milli=milli(van.cost_per_km),
        cost_per_h_milli=milli(van.cost_per_h),
    )


def _paired(problem: RoutingProblem, routes: Sequence[Route]) -> list[tuple[Route, int]]:
    free = dict(enumerate(problem.vans))
    pairs = []
    for route in routes:
        mine = [number for number, van in free.items() if van.worker == route.worker]
        start_s = round((route.start_at - problem.starts_at).total_seconds())
        mine.sort(key=lambda number: problem.vans[number].shift_start_s != start_s)
        if mine:
            pairs.append((route, mine[0]))
            del free[mine[0]]
    return pairs


def _refuse_repeats(tasks: Sequence[Task]) -> None:
    seen: set[str] = set()
    for task in tasks:
        if task.task_id in seen:
            raise FleetDeskError(
                "A task is on the list twice", found=task.task_id, fix="Give every task its own id"
            )
        seen.add(task.task_id)


def _rounded_quotient(amount: int, by: int) -> int:
    return (2 * amount + by) // (2 * by)
