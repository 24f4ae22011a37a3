"""Whether a vehicle can be rented now and, if not, why: one cause per vehicle."""

from __future__ import annotations

from enum import StrEnum

from fleetdesk.model.fleet import VehicleNow
from fleetdesk.model.mds import VehicleState


class Availability(StrEnum):
    """Available, or the one reason why not."""

    AVAILABLE = "available"
    LOW_CHARGE = "charge too low"
    ON_TRIP = "on a trip"
    RESERVED = "reserved"
    OUT_OF_SERVICE = "out of service"
    WITH_CREW = "with a crew"
    OUT_OF_SIGHT = "out of sight"


FORMULA = {
    Availability.AVAILABLE: "vehicles with state available and enough charge to be rented",
    Availability.LOW_CHARGE: "vehicles with state available below the rentable charge",
    Availability.ON_TRIP: "vehicles with state on_trip",
    Availability.RESERVED: "vehicles with state reserved",
    Availability.OUT_OF_SERVICE: "vehicles with state non_operational",
    Availability.WITH_CREW: "vehicles with state removed",
    Availability.OUT_OF_SIGHT: "vehicles with any other state",
}
_OF_STATE = {
    VehicleState.ON_TRIP.value: Availability.ON_TRIP,
    VehicleState.RESERVED.value: Availability.RESERVED,
    VehicleState.NON_OPERATIONAL.value: Availability.OUT_OF_SERVICE,
    VehicleState.REMOVED.value: Availability.WITH_CREW,
}


def availability(vehicle: VehicleNow, usable_pct: float) -> Availability:
    """The vehicle's availability; an unknown charge counts as enough."""
    if vehicle.vehicle_state == VehicleState.AVAILABLE:
        empty = vehicle.battery_pct is not None and vehicle.battery_pct < usable_pct
        return Availability.LOW_CHARGE if empty else Availability.AVAILABLE
    return _OF_STATE.get(vehicle.vehicle_state, Availability.OUT_OF_SIGHT)
