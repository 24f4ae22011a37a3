"""A worker's day: where, when, what to do; no money but the worker's own pay, no riders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from fleetdesk.model.places import Point
from fleetdesk.model.plan import Action, PauseKind, Route
from fleetdesk.model.work import Task, TaskKind, Van
from fleetdesk.settings.schema import Settings


@dataclass(frozen=True, slots=True)
class CrewStop:
    """One stop; `on_board` and `batteries_left` are counted when leaving, times are UTC-aware.

    `pay` is what the worker gets for the task, in city currency; None where paid by the hour.
    """

    number: int
    arrive_at: datetime
    vehicle: str
    action: Action
    kinds: tuple[TaskKind, ...]
    place: str
    leg_km: float
    on_board: int
    batteries_left: int
    at: Point
    must: bool = False
    pay: float | None = None


@dataclass(frozen=True, slots=True)
class CrewPause:
    """A break, or a way to the depot for batteries, after that many stops; UTC-aware."""

    kind: PauseKind
    start_at: datetime
    end_at: datetime
    after_stop: int
    at: Point


@dataclass(frozen=True)
class CrewRoute:
    """One worker's day; `start` and `end` are where the van begins and ends, times UTC-aware."""

    worker: str
    city: str
    timezone: str
    currency: str
    starts_at: datetime
    ends_at: datetime
    distance_km: float
    start: Point
    end: Point
    stops: tuple[CrewStop, ...]
    pauses: tuple[CrewPause, ...] = ()

    @property
    def day(self) -> datetime:
        """The day on the city's clock."""
        return self.local(self.starts_at)

    @property
    def pay(self) -> float | None:
        """What the worker gets for all tasks, in city currency; None where paid by the hour."""
        paid = [stop.pay for stop in self.stops if stop.pay is not None]
        return sum(paid) if paid else None

    def local(self, moment: datetime) -> datetime:
        """A moment on the city's clock."""
        return moment.astimezone(ZoneInfo(self.timezone))

    def clock(self, moment: datetime) -> str:
        """`09:05` on the city's clock."""
        return self.local(moment).strftime("%H:%M")


def crew_route(
    route: Route,
    van: Van,
    tasks: Mapping[str, Task],
    settings: Settings,
    pay: Mapping[str, float] | None = None,
) -> CrewRoute:
    """What the worker of a route needs to know of it.

    `tasks` are looked up by id for what is to be done; `pay` is per task, in city currency, where
    workers are paid by the task.
    """
    paid = dict(pay or {})
    stops = []
    for number, visit in enumerate(route.visits, start=1):
        task = tasks.get(visit.task_id)
        stops.append(
            CrewStop(
                number=number,
                arrive_at=visit.arrive_at,
                vehicle=visit.vehicle_id,
                action=visit.action,
                kinds=task.kinds if task and visit.action is not Action.DROP_OFF else (),
                place=visit.place,
                leg_km=visit.leg_m / 1000,
                on_board=visit.load_vehicles,
                batteries_left=visit.batteries_left,
                at=visit.at,
                must=task.must if task else False,
                # At a task's first stop, so that the sum is right.
                pay=paid.pop(visit.task_id, None),
            )
        )
    return CrewRoute(
        worker=route.worker,
        city=settings.city.name,
        timezone=settings.city.timezone,
        currency=settings.city.currency,
        starts_at=route.start_at,
        ends_at=route.end_at,
        distance_km=route.distance_m / 1000,
        start=van.start,
        end=van.end,
        stops=tuple(stops),
        pauses=tuple(
            CrewPause(pause.kind, pause.start_at, pause.end_at, pause.after_stop, pause.at)
            for pause in route.pauses
        ),
    )
