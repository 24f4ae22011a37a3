"""What a route map shows, as plain data; times are local text, money is in the city's currency."""

from __future__ import annotations

from dataclasses import dataclass

from fleetdesk.model.places import Point


@dataclass(frozen=True, slots=True)
class MapParking:
    """A parking with the vehicles standing there now and how many are wanted."""

    name: str
    at: Point
    count: int
    minimum: int
    target: int


@dataclass(frozen=True, slots=True)
class MapCell:
    """A geohash cell: what the tasks in it bring together, and what a vehicle earns per hour."""

    cell: str
    roi: float
    tasks: int
    rate_per_h: float | None = None


@dataclass(frozen=True, slots=True)
class MapStop:
    """One numbered stop of a route; the load is counted when leaving it."""

    number: int
    action: str
    vehicle: str
    at: Point
    place: str
    arrive: str
    battery_before_pct: float | None
    battery_after_pct: float | None
    load_vehicles: int
    batteries_left: int
    reason: str
    adds: float | None = None


@dataclass(frozen=True, slots=True)
class MapRoute:
    """One worker's round; `colour` is `#RRGGBB`, `dashed` tells apart workers of one colour."""

    worker: str
    colour: str
    stops: tuple[MapStop, ...]
    start: Point | None
    end: Point | None
    leaves: str
    returns: str
    distance_m: int
    duration_s: int
    profit: float
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class MapDropped:
    """A task on no route, why, and what would bring it in."""

    vehicle: str
    at: Point
    reason: str
    would_help: str = ""


@dataclass(frozen=True, slots=True)
class MapVehicle:
    """A vehicle as it stands before the work."""

    vehicle: str
    at: Point
    battery_pct: float | None
    phase: str = ""


@dataclass(frozen=True)
class MapView:
    """Everything on one map.

    `center` is used when there is nothing to frame; `roi_name` says which ROI the cells show.
    `battery_bands` are the percentages at which the battery colour changes, lowest first (three
    of them). `notes` are printed in the panel.
    """

    title: str
    subtitle: str
    currency: str
    center: Point
    roi_name: str = "ROI"
    routes: tuple[MapRoute, ...] = ()
    parkings: tuple[MapParking, ...] = ()
    cells: tuple[MapCell, ...] = ()
    dropped: tuple[MapDropped, ...] = ()
    vehicles: tuple[MapVehicle, ...] = ()
    battery_bands: tuple[float, float, float] = (10.0, 30.0, 60.0)
    notes: tuple[str, ...] = ()
