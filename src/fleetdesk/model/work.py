"""Work that crews can do: tasks, what they are worth, and the vans that do them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fleetdesk.model.places import Point


class TaskKind(StrEnum):
    """What is done at the visit; one task may be of several kinds.

    To bring in is to take the vehicle along to the end of the round.
    """

    SWAP_BATTERY = "swap battery"
    INSPECT = "inspect"
    REPAIR = "repair"
    SERVICE = "service"
    MOVE = "move to parking"
    BRING_IN = "bring in"


class Rule(StrEnum):
    """Why a task is on the list: the rule of the sheet that made it."""

    LOW_BATTERY = "low battery"
    SWAP_PAYS = "a swap pays"
    OUTSIDE_PARKING = "outside parkings"
    PARKING_BELOW_MINIMUM = "parking below minimum"
    PARKING_ABOVE_MAXIMUM = "parking above maximum"
    IDLE = "idle"
    NO_PARK_ZONE = "in a no-park zone"
    SERVICE_OVERDUE = "service overdue"
    COMPLAINTS = "open complaints"
    NO_RECORD = "no record"
    MOVING = "moving without a trip"
    KM_SINCE_SERVICE = "km since service"
    RIDES_SINCE_SERVICE = "rides since service"
    HOURS_SINCE_SERVICE = "hours since service"


@dataclass(frozen=True, slots=True)
class ScooterState:
    """S = (L, B, O) of the ROI method: cell, battery percent (None = unknown), operational."""

    at: Point
    cell: str
    battery_pct: float | None
    operational: bool


@dataclass(frozen=True, slots=True)
class Task:
    """T = {S_A -> S_B, dt}: one visit to one vehicle, and the drop-off when it is moved.

    `service_s` is the work at the vehicle and `drop_off_s` the work at the destination;
    `batteries` and `vehicles` are what it takes of the van's limits. Work at each of its stops
    begins from `earliest` to `latest` (UTC-aware; None = any time), by a worker who has the
    `skill`, and where `worker` is named by that one alone; `must` = done whatever it brings.
    `carried` tasks begin with the vehicle on that worker's van and only drop it off. `outside_m` is
    how far beyond the edge of the nearest parking the vehicle stands, `deficit_pct` how empty the
    destination is (100 = none of its minimum is there), `extra_priority` the points that rules add.
    """

    task_id: str
    vehicle_id: str
    kinds: tuple[TaskKind, ...]
    rules: tuple[Rule, ...]
    before: ScooterState
    after: ScooterState
    service_s: int
    drop_off_s: int = 0
    batteries: int = 0
    vehicles: int = 0
    from_parking_id: str | None = None
    from_name: str = ""
    to_parking_id: str | None = None
    to_name: str = ""
    idle_h: float | None = None
    outside_m: float = 0.0
    deficit_pct: float = 0.0
    why: str = ""
    extra_priority: float = 0.0
    earliest: datetime | None = None
    latest: datetime | None = None
    skill: str = ""
    must: bool = False
    worker: str = ""
    carried: bool = False

    @property
    def swaps(self) -> bool:
        """Whether a charged battery is put in."""
        return TaskKind.SWAP_BATTERY in self.kinds

    @property
    def moves(self) -> bool:
        """Whether the vehicle is carried somewhere else."""
        return TaskKind.MOVE in self.kinds


@dataclass(frozen=True, slots=True)
class Revenues:
    """What is earned with a task and without it, in city currency."""

    after: float
    without: float


@dataclass(frozen=True, slots=True)
class TaskRoi:
    """ROI of one task in city currency: revenue after, revenue without it, cost, the difference.

    Both revenues run to one common end (`horizon_h` after the start) and are those of the level
    that plans are made on. `cost` is material and labour at the vehicle; travel is charged where it
    arises, on the route. `labour_cost` is the part of `cost` that the route's working time pays
    for, so that it is not counted twice. `scooter` is what the vehicle itself earns, `fleet` what
    the whole fleet earns more because of it; `interval` holds nine in ten draws of the ROI.
    """

    task_id: str
    revenue_after: float
    revenue_without: float
    cost: float
    labour_cost: float
    horizon_h: float
    estimator: str
    scooter: Revenues | None = None
    fleet: Revenues | None = None
    interval: tuple[float, float] | None = None

    @property
    def roi(self) -> float:
        """Revenue after - revenue without - cost."""
        return self.revenue_after - self.revenue_without - self.cost

    @property
    def scooter_roi(self) -> float | None:
        """The same from what the vehicle itself earns."""
        return self._of(self.scooter)

    @property
    def fleet_roi(self) -> float | None:
        """The same from what the whole fleet earns more."""
        return self._of(self.fleet)

    def _of(self, revenues: Revenues | None) -> float | None:
        return None if revenues is None else revenues.after - revenues.without - self.cost


@dataclass(frozen=True, slots=True)
class Priority:
    """A task's place in the list: `score_pct` 0-100 and the parts that made it.

    Each part is (weight's label, strength 0-1, weight's share 0-1); the score is the sum of
    strength x share x 100.
    """

    task_id: str
    score_pct: float
    rank: int
    parts: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True, slots=True)
class Break:
    """A pause of `length_s` that begins from `earliest` to `latest` (UTC-aware).

    It is taken between two stops, is not paid, and falls away when the worker is home by `latest`.
    """

    earliest: datetime
    latest: datetime
    length_s: int


@dataclass(frozen=True, slots=True)
class Van:
    """A worker with a van for one shift (UTC-aware times); money in city currency.

    `overtime_s` is how much later than the shift's end the worker may come home, and
    `overtime_per_h` what each such hour costs above `cost_per_h`. At the places in `reload_at` all
    batteries are changed for charged ones in `reload_s`, at most `max_reloads` times; `batteries`
    are on board when the shift begins (None = as many as there is room for), and so are
    `vehicles_on_board`, which stay there to its end.
    """

    worker: str
    start: Point
    end: Point
    shift_start: datetime
    shift_end: datetime
    battery_capacity: int
    vehicle_capacity: int
    cost_per_h: float
    cost_per_km: float
    speed_kmh: float
    email: str = ""
    skills: frozenset[str] = frozenset()
    breaks: tuple[Break, ...] = ()
    overtime_s: int = 0
    overtime_per_h: float = 0.0
    reload_at: tuple[Point, ...] = ()
    reload_s: int = 0
    max_reloads: int = 0
    batteries: int | None = None
    vehicles_on_board: int = 0
