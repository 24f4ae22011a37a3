"""What happened, as plain rows in seconds since the start; turned into tables once a day."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class EventRow(NamedTuple):
    """One MDS event; positions are measured ones, in metres; trip -1 = none."""

    vehicle: int
    at: int
    state: str
    types: str
    x: float
    y: float
    battery: float
    trip: int


class TripRow(NamedTuple):
    """One trip, known in full when it starts."""

    trip: int
    vehicle: int
    rider: int
    started: int
    ended: int
    start_x: float
    start_y: float
    end_x: float
    end_y: float
    distance_m: float
    start_battery: float
    end_battery: float
    revenue: float


class Stretch(NamedTuple):
    """A vehicle standing or riding from one moment to another; what telemetry is drawn from."""

    vehicle: int
    since: int
    until: int
    from_x: float
    from_y: float
    to_x: float
    to_y: float
    from_battery: float
    to_battery: float
    riding: bool


class TaskRow(NamedTuple):
    """One finished task of a crew; true positions."""

    vehicle: int
    kind: str
    worker: str
    started: int
    completed: int
    from_x: float
    from_y: float
    to_x: float
    to_y: float
    before: float
    after: float
    cost: float


class PaymentRow(NamedTuple):
    """One payment; paid -1 = never."""

    rider: int
    due: int
    paid: int
    amount: float
    kind: str


class RiderSwapRow(NamedTuple):
    """One battery swap by a rider at a cabinet."""

    rider: int
    vehicle: int
    at: int
    parking: int
    wait_s: float
    before: float
    after: float


class ComplaintRow(NamedTuple):
    """One complaint; vehicle -1 = about none; resolved -1 = still open."""

    rider: int
    vehicle: int
    filed: int
    topic: str
    resolved: int


class SubscriptionRow(NamedTuple):
    """One stay in a package; ended None = still running."""

    rider: int
    package: int
    started: int
    ended: int | None
    cause: str | None


class UnmetRow(NamedTuple):
    """A rider who found no vehicle; the truth alone knows."""

    at: int
    cell: int


@dataclass
class Log:
    """The rows since the last table was cut; `unmet` never reaches a table."""

    events: list[EventRow] = field(default_factory=list)
    trips: list[TripRow] = field(default_factory=list)
    stretches: list[Stretch] = field(default_factory=list)
    tasks: list[TaskRow] = field(default_factory=list)
    payments: list[PaymentRow] = field(default_factory=list)
    rider_swaps: list[RiderSwapRow] = field(default_factory=list)
    complaints: list[ComplaintRow] = field(default_factory=list)
    unmet: list[UnmetRow] = field(default_factory=list)
