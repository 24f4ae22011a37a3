"""A worker's stops in words: where, when, what to do; no money, no reasons, no riders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fleetdesk.model.places import Point
from fleetdesk.model.plan import Route
from fleetdesk.outputs.wording import clock, local
from fleetdesk.settings.schema import Settings

HEADERS = ("Stop", "Arrive", "Vehicle", "What to do", "Place", "km", "On board", "Batteries")
"""What `CrewStop.cells` holds."""


@dataclass(frozen=True, slots=True)
class CrewStop:
    """One stop as its worker reads it; `arrive` is `09:05` on the city's clock."""

    number: int
    arrive: str
    vehicle: str
    action: str
    place: str
    leg_km: float
    on_board: int
    batteries_left: int
    at: Point
    arrive_at: datetime

    @property
    def cells(self) -> tuple[str, ...]:
        """The stop as texts under `HEADERS`."""
        return (
            str(self.number), self.arrive, self.vehicle, self.action, self.place,
            f"{self.leg_km:.1f}", str(self.on_board), str(self.batteries_left),
        )  # fmt: skip


@dataclass(frozen=True)
class CrewRoute:
    """One worker's day; `start` and `end` are where the van begins and ends.

    `day`, `leaves` and `returns` are local; `starts_at` and `ends_at` are UTC-aware.
    """

    worker: str
    city: str
    day: datetime
    leaves: str
    returns: str
    distance_km: float
    start: Point
    end: Point
    stops: tuple[CrewStop, ...]
    starts_at: datetime
    ends_at: datetime

    @property
    def title(self) -> str:
        """`Maria, Friday 21 June 2024`."""
        return f"{self.worker}, {self.day:%A} {self.day.day} {self.day:%B %Y}"

    @property
    def summary(self) -> str:
        """The day in one line."""
        count = len(self.stops)
        return (
            f"{count} stop{'' if count == 1 else 's'}, {self.distance_km:.1f} km, "
            f"{self.leaves} to {self.returns}"
        )


def crew_route(route: Route, start: Point, end: Point, settings: Settings) -> CrewRoute:
    """What the worker of a route needs to know of it; `start` and `end` are the van's."""
    stops = tuple(
        CrewStop(
            number=number,
            arrive=clock(visit.arrive_at, settings),
            vehicle=visit.vehicle_id,
            action=visit.action.value,
            place=visit.place,
            leg_km=visit.leg_m / 1000,
            on_board=visit.load_vehicles,
            batteries_left=visit.batteries_left,
            at=visit.at,
            arrive_at=visit.arrive_at,
        )
        for number, visit in enumerate(route.visits, start=1)
    )
    day = local(route.start_at, settings)
    assert day is not None  # only a missing time has no local one
    return CrewRoute(
        worker=route.worker,
        city=settings.city.name,
        day=day,
        leaves=clock(route.start_at, settings),
        returns=clock(route.end_at, settings),
        distance_km=route.distance_m / 1000,
        start=start,
        end=end,
        stops=stops,
        starts_at=route.start_at,
        ends_at=route.end_at,
    )
