"""From a day's plan to what its map shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date

from fleetdesk.model.fleet import CellDemand, NoParking, VehicleNow
from fleetdesk.model.places import Point
from fleetdesk.model.plan import Action, Dropped, Plan, Route, Visit
from fleetdesk.model.work import Task, TaskRoi, Van
from fleetdesk.outputs.ground import PLAIN, Ground
from fleetdesk.outputs.map.view import (
    MapCell,
    MapDropped,
    MapParking,
    MapPause,
    MapRoute,
    MapStop,
    MapVehicle,
    MapView,
    does_at,
)
from fleetdesk.outputs.palette import palette
from fleetdesk.outputs.wording import clock, money, roi_name, work_at
from fleetdesk.settings.schema import Settings

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MILLI = 1000


def map_view(
    plan: Plan,
    tasks: Sequence[Task],
    settings: Settings,
    day: date,
    *,
    rois: Mapping[str, TaskRoi] | None = None,
    vans: Sequence[Van] = (),
    fleet: Sequence[VehicleNow] = (),
    rates_per_h: Mapping[str, float] | None = None,
    demand: Sequence[CellDemand] = (),
    no_parking: Sequence[NoParking] = (),
    locked: Collection[str] = (),
    ground: Ground = PLAIN,
) -> MapView:
    """The plan of `day` with its reasons, parkings, cells and what was left out.

    `rates_per_h` is the revenue per operational hour of each cell, in city currency; `demand` says
    where vehicles are missing, `no_parking` where none may stand; `locked` are the tasks that the
    planner bound; `ground` lies under it all.
    """
    by_id = {task.task_id: task for task in tasks}
    roi_of = {task_id: roi.roi for task_id, roi in (rois or {}).items()}
    battery_of = {vehicle.vehicle_id: vehicle.battery_pct for vehicle in fleet}
    van_of = {van.worker: van for van in vans}
    routes = tuple(
        _route(index, route, by_id, roi_of, van_of.get(route.worker), battery_of, locked, settings)
        for index, route in enumerate(plan.routes)
    )
    return MapView(
        title=f"Routes · {settings.city.name}",
        subtitle=_subtitle(plan, tasks, settings, day),
        currency=settings.city.currency,
        roi_name=roi_name(settings),
        center=_center(settings, tasks),
        routes=routes,
        parkings=_parkings(settings, fleet),
        cells=_cells(tasks, roi_of, rates_per_h or {}),
        demand=tuple(demand),
        no_parking=tuple(no_parking),
        dropped=tuple(_dropped(item, by_id) for item in plan.dropped if item.task_id in by_id),
        vehicles=tuple(
            MapVehicle(v.vehicle_id, v.at, v.battery_pct, v.phase, v.idle_h)
            for v in sorted(fleet, key=lambda v: v.vehicle_id)
        ),
        battery_bands=_battery_bands(settings),
        idle_bands=_idle_bands(settings),
        notes=(
            f"Lines join the stops in order, they are not roads. "
            f"Distances and times: {plan.travel_times}.",
        ),
        ground=ground,
    )


def _route(
    index: int,
    route: Route,
    tasks: Mapping[str, Task],
    roi_of: Mapping[str, float],
    van: Van | None,
    battery_of: Mapping[str, float | None],
    locked: Collection[str],
    settings: Settings,
) -> MapRoute:
    colours = palette()
    counted: set[str] = set()
    stops = []
    for number, visit in enumerate(route.visits, start=1):
        first = visit.task_id not in counted
        counted.add(visit.task_id)
        adds = roi_of.get(visit.task_id) if first else None
        task = tasks.get(visit.task_id)
        before = battery_of.get(visit.vehicle_id, task.before.battery_pct if task else None)
        stop = _stop(number, visit, task, before, adds, settings)
        stops.append(replace(stop, locked=visit.task_id in locked))
    return MapRoute(
        worker=route.worker,
        colour=colours.category(index),
        stops=tuple(stops),
        start=van.start if van else None,
        end=van.end if van else None,
        leaves=clock(route.start_at, settings),
        returns=clock(route.end_at, settings),
        distance_m=route.distance_m,
        duration_s=route.duration_s,
        profit=route.profit_milli / _MILLI,
        dashed=colours.repeats(index) % 2 == 1,
        pauses=tuple(
            MapPause(
                pause.at,
                pause.kind.value,
                f"{clock(pause.start_at, settings)}\u2013{clock(pause.end_at, settings)}",
            )
            for pause in route.pauses
        ),
    )


def _stop(
    number: int,
    visit: Visit,
    task: Task | None,
    before: float | None,
    adds: float | None,
    settings: Settings,
) -> MapStop:
    swapped = task is not None and visit.action in (Action.SWAP, Action.SWAP_AND_PICK_UP)
    if visit.action is Action.DROP_OFF:
        before = None  # told where the vehicle is picked up
    return MapStop(
        number=number,
        action=work_at(visit, task),
        vehicle=visit.vehicle_id,
        at=visit.at,
        place=visit.place,
        arrive=clock(visit.arrive_at, settings),
        battery_before_pct=before,
        battery_after_pct=task.after.battery_pct if task and swapped else before,
        load_vehicles=visit.load_vehicles,
        batteries_left=visit.batteries_left,
        reason=task.why if task else "",
        adds=adds,
        does=does_at(visit.action, task.kinds if task else ()),
        must=task is not None and task.must,
    )


def _dropped(item: Dropped, tasks: Mapping[str, Task]) -> MapDropped:
    task = tasks[item.task_id]
    return MapDropped(task.vehicle_id, task.before.at, item.reason, item.would_help)


def _parkings(settings: Settings, fleet: Sequence[VehicleNow]) -> tuple[MapParking, ...]:
    standing = Counter(vehicle.parking_id for vehicle in fleet)
    return tuple(
        MapParking(
            row.name, Point(row.lat, row.lon), standing[row.parking_id], row.minimum, row.target
        )
        for row in settings.parkings
        if row.active
    )


def _cells(
    tasks: Sequence[Task], roi_of: Mapping[str, float], rates_per_h: Mapping[str, float]
) -> tuple[MapCell, ...]:
    count: Counter[str] = Counter()
    total: dict[str, float] = {}
    for task in tasks:
        if task.task_id in roi_of:
            count[task.before.cell] += 1
            total[task.before.cell] = total.get(task.before.cell, 0.0) + roi_of[task.task_id]
    return tuple(
        MapCell(cell, total[cell], count[cell], rates_per_h.get(cell)) for cell in sorted(total)
    )


def _subtitle(plan: Plan, tasks: Sequence[Task], settings: Settings, day: date) -> str:
    done = len(plan.planned_task_ids)
    profit = plan.profit_milli / _MILLI
    return (
        f"{_DAYS[day.weekday()]} {day.isoformat()} · {done} of {len(tasks)} tasks planned · "
        f"profit {money(profit, settings.city.currency)}"
    )


def _center(settings: Settings, tasks: Sequence[Task]) -> Point:
    points = [Point(row.start_lat, row.start_lon) for row in settings.workers]
    points += [task.before.at for task in tasks]
    if not points:
        return Point(0.0, 0.0)
    return Point(
        sum(point.lat for point in points) / len(points),
        sum(point.lon for point in points) / len(points),
    )


def _battery_bands(settings: Settings) -> tuple[float, float, float]:
    usable, low = settings.thresholds.usable_battery_pct, settings.thresholds.low_battery_pct
    low = max(usable, low)
    return usable, low, (low + 100) / 2


def _idle_bands(settings: Settings) -> tuple[float, float, float]:
    full = settings.thresholds.idle_full_h
    return full / 4, full / 2, full
