"""The fleet as it stands at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fleetdesk.model.mds import VehicleState
from fleetdesk.model.places import Point

ONCE = "@once-"
"""Marks an id that holds for one snapshot only, because the feed's ids are not known to last."""


@dataclass(frozen=True, slots=True)
class VehicleNow:
    """One vehicle's last known state before `as_of` (UTC-aware), as tasks are made from it.

    `phase` is the operating phase of model.mds and `vehicle_state` the MDS state; `idle_h` hours
    since its last trip ended, or since it is known when it had none; `parking_id` the parking
    within whose radius it stands, or None. `out_of_charge` says that it was taken out of service
    for its charge.
    """

    vehicle_id: str
    at: Point
    cell: str
    battery_pct: float | None
    phase: str
    vehicle_state: str
    as_of: datetime
    last_seen_at: datetime
    idle_h: float | None = None
    parking_id: str | None = None
    out_of_charge: bool = False

    @property
    def rentable(self) -> bool:
        """Whether a rider can take it, its battery apart."""
        return self.vehicle_state == VehicleState.AVAILABLE

    @property
    def serviceable(self) -> bool:
        """Whether a swap or a move makes it earn: it stands on the street and nobody holds it.

        A vehicle that is out of service for another reason than its charge needs a repair first.
        """
        out_of_service = self.vehicle_state == VehicleState.NON_OPERATIONAL
        return self.rentable or (out_of_service and self.out_of_charge)

    @property
    def standing(self) -> bool:
        """Whether it stands on the street, fit or not, and no rider holds it."""
        return self.rentable or self.vehicle_state == VehicleState.NON_OPERATIONAL

    @property
    def lost(self) -> bool:
        """Whether nobody knows where it is."""
        return self.vehicle_state in (VehicleState.MISSING, VehicleState.NON_CONTACTABLE)


@dataclass(frozen=True, slots=True)
class VehicleFacts:
    """What the records tell of one vehicle beyond its state, for the rules that make tasks.

    `days_since_service`, `km`, `rides` and `ridden_h` count from its last service, or from its
    first record where none is known. `moved_m` is how far its newest ping lies from where it was
    left; `no_park_zone` names the zone that forbids it to stand where it stands.
    """

    vehicle_id: str
    days_since_service: float = 0.0
    km: float = 0.0
    rides: int = 0
    ridden_h: float = 0.0
    open_complaints: int = 0
    moved_m: float = 0.0
    no_park_zone: str = ""


@dataclass(frozen=True, slots=True)
class NoParking:
    """A zone where vehicles may not stand: polygons of rings of corners, the first the outer."""

    name: str
    polygons: tuple[tuple[tuple[Point, ...], ...], ...]


@dataclass(frozen=True, slots=True)
class CellDemand:
    """One cell: trips a day that start there, vehicles for rent now, and the trips they miss.

    `short_per_day` is demand less what the vehicles there would take; below 0 there are too many.
    """

    cell: str
    trips_per_day: float
    vehicles: int
    short_per_day: float
