"""The fleet as it stands at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fleetdesk.model.mds import VehicleState
from fleetdesk.model.places import Point


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
