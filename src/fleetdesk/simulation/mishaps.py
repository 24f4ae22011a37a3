"""What befalls standing vehicles: empty batteries, faults, lost contact, vehicles not found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fleetdesk.model.mds import EventType, VehicleState
from fleetdesk.simulation.streams import Purpose, stream

if TYPE_CHECKING:
    from fleetdesk.simulation.engine import World

_HOUR = 3600
LOST_PER_H, NOT_FOUND_PER_H, FAULT_PER_H = 1 / 1000, 1 / 12_000, 1 / 1600


def strike(world: World, hour: int) -> None:
    """At the top of an hour; each vehicle has its own place in the hour's stream."""
    fleet, city, spec = world.fleet, world.city, world.city.spec
    now = hour * _HOUR
    u = stream(city.seed, Purpose.FAULTS, hour).random((spec.vehicles, 3))
    charge = fleet.batteries_at(city.build, now)
    standing = np.array([state is VehicleState.AVAILABLE for state in fleet.state])
    standing &= ~np.array(fleet.held)
    chance_per_h = LOST_PER_H + NOT_FOUND_PER_H + FAULT_PER_H
    befallen = standing & ((charge < spec.usable_battery_pct) | (u[:, 0] < chance_per_h))
    for vehicle in np.flatnonzero(befallen).tolist():
        chance, length = float(u[vehicle, 0]), float(u[vehicle, 1])
        at = fleet.next_moment(vehicle, now)
        battery = fleet.battery_at(city.build, vehicle, at)
        if battery < spec.usable_battery_pct:
            _record(world, vehicle, at, VehicleState.NON_OPERATIONAL, EventType.BATTERY_LOW)
        elif chance < LOST_PER_H:
            fleet.close_stretch(world.log, city.build, vehicle, at)
            _record(world, vehicle, at, VehicleState.NON_CONTACTABLE, EventType.COMMS_LOST)
            world.book(at + 900 + int(4 * _HOUR * length**2), "contact", vehicle)
        elif chance < LOST_PER_H + NOT_FOUND_PER_H:
            fleet.close_stretch(world.log, city.build, vehicle, at)
            _record(world, vehicle, at, VehicleState.MISSING, EventType.NOT_LOCATED)
            world.book(at + int((6 + 60 * length) * _HOUR), "found", vehicle)
        else:
            fleet.broken[vehicle] = True
            _record(world, vehicle, at, VehicleState.NON_OPERATIONAL, EventType.MAINTENANCE)
            world.book(at + int((3 + 12 * length) * _HOUR), "repair", vehicle)


def mend(world: World, at: int, what: str, vehicle: int) -> None:
    """The end of a mishap: contact is back, the vehicle is found, or repaired on the spot."""
    fleet, city = world.fleet, world.city
    if what == "repair" and not (fleet.broken[vehicle] and not fleet.held[vehicle]):
        return  # a crew has taken it in already
    event = {
        "contact": EventType.COMMS_RESTORED,
        "found": EventType.LOCATED,
        "repair": EventType.MAINTENANCE,
    }[what]
    battery = fleet.battery_at(city.build, vehicle, at)
    low = battery < city.spec.usable_battery_pct
    fleet.broken[vehicle] = False
    if what == "repair" and low:
        return  # mended, but still waiting for a battery
    state = VehicleState.NON_OPERATIONAL if low else VehicleState.AVAILABLE
    _record(world, vehicle, fleet.next_moment(vehicle, at), state, event)
    if what == "repair":
        fleet.offer(vehicle, for_rent=True)
    else:
        fleet.stand(vehicle, at, battery, for_rent=not low)


def _record(world: World, vehicle: int, at: int, state: VehicleState, event: EventType) -> None:
    fleet = world.fleet
    battery = fleet.battery_at(world.city.build, vehicle, at)
    fleet.offer(vehicle, for_rent=False)
    fleet.record(world.log, vehicle, at, state, event, battery=battery)
