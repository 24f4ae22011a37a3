"""What a route map shows, as plain data; times are local text, money is in the city's currency."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from fleetdesk.model.fleet import CellDemand, NoParking
from fleetdesk.model.places import Point
from fleetdesk.model.plan import Action
from fleetdesk.model.work import TaskKind
from fleetdesk.outputs.ground import PLAIN, Ground


class Does(StrEnum):
    """What the sign of a stop shows of the work there."""

    SWAP = "swap"
    UP = "up"
    DOWN = "down"


def does_at(action: Action, kinds: Collection[TaskKind]) -> frozenset[Does]:
    """The signs of a stop, from its action and the kinds of its task."""
    if action is Action.DROP_OFF:
        return frozenset({Does.DOWN})
    swaps = TaskKind.SWAP_BATTERY in kinds or action in (Action.SWAP, Action.SWAP_AND_PICK_UP)
    takes = action in (Action.PICK_UP, Action.SWAP_AND_PICK_UP)
    return frozenset(({Does.SWAP} if swaps else set()) | ({Does.UP} if takes else set()))


@dataclass(frozen=True, slots=True)
class MapParking:
    """A parking with the vehicles standing there now and how many are wanted.

    Without a `count` only its place and name are shown.
    """

    name: str
    at: Point
    count: int | None = None
    minimum: int = 0
    target: int = 0


@dataclass(frozen=True, slots=True)
class MapCell:
    """A geohash cell: what the tasks in it bring together, and what a vehicle earns per hour."""

    cell: str
    roi: float
    tasks: int
    rate_per_h: float | None = None


@dataclass(frozen=True, slots=True)
class MapStop:
    """One numbered stop of a route; the load is counted when leaving it.

    `does` says which sign it gets. `locked` says that the planner bound it to its place or worker,
    `must` that it is a duty.
    """

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
    does: frozenset[Does] = frozenset()
    locked: bool = False
    must: bool = False


@dataclass(frozen=True, slots=True)
class MapPause:
    """A break or a reload of batteries: what it is and its local times, as text."""

    at: Point
    what: str
    times: str


@dataclass(frozen=True, slots=True)
class MapRoute:
    """One worker's round; `colour` is `#RRGGBB`, `dashed` tells apart workers of one colour.

    A round without `profit` is shown to its worker.
    """

    worker: str
    colour: str
    stops: tuple[MapStop, ...]
    start: Point | None
    end: Point | None
    leaves: str
    returns: str
    distance_m: int
    duration_s: int
    profit: float | None = None
    dashed: bool = False
    pauses: tuple[MapPause, ...] = ()


@dataclass(frozen=True, slots=True)
class MapDropped:
    """A task on no route, why, and what would bring it in."""

    vehicle: str
    at: Point
    reason: str
    would_help: str = ""


@dataclass(frozen=True, slots=True)
class MapVehicle:
    """A vehicle as it stands before the work; `idle_h` hours since its last trip."""

    vehicle: str
    at: Point
    battery_pct: float | None
    phase: str = ""
    idle_h: float | None = None


@dataclass(frozen=True)
class MapView:
    """Everything on one map.

    `center` is used when there is nothing to frame; `roi_name` says which ROI the cells show.
    `battery_bands` are the percentages at which the battery colour changes, `idle_bands` the hours
    at which that of the idle time does, lowest first (three of each). `notes` are printed in the
    panel. `ground` lies under it all. `language` is that of the texts, and `words` holds the map's
    own in it, by the English ones; what is missing is shown in English.
    """

    title: str
    subtitle: str
    currency: str
    center: Point
    roi_name: str = "ROI"
    routes: tuple[MapRoute, ...] = ()
    parkings: tuple[MapParking, ...] = ()
    cells: tuple[MapCell, ...] = ()
    demand: tuple[CellDemand, ...] = ()
    no_parking: tuple[NoParking, ...] = ()
    dropped: tuple[MapDropped, ...] = ()
    vehicles: tuple[MapVehicle, ...] = ()
    battery_bands: tuple[float, float, float] = (10.0, 30.0, 60.0)
    idle_bands: tuple[float, float, float] = (12.0, 24.0, 48.0)
    notes: tuple[str, ...] = ()
    ground: Ground = PLAIN
    language: str = "en"
    words: Mapping[str, str] = field(default_factory=dict)

    def say(self, english: str) -> str:
        """One of the map's own texts in the language of the map."""
        return self.words.get(english, english)
