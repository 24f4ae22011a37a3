"""The vehicles: place, battery and MDS state of each; every change is written to the log."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fleetdesk.model.mds import EVENT_JOIN, EventType, VehicleState
from fleetdesk.simulation.city import CitySpec
from fleetdesk.simulation.layout import PARKING_RADIUS_M, Layout
from fleetdesk.simulation.log import EventRow, Log, Stretch
from fleetdesk.simulation.streams import Floats, Ints, Purpose, normals, stream

FAR_M = 1e9
LOW_BATTERY_PCT = 30.0
LOW_BATTERY_PENALTY_M = 200.0


@dataclass(frozen=True)
class Build:
    """What each vehicle is made like: percent of battery per km, percent per second standing."""

    drain_per_km: Floats
    standby_per_s: float


@dataclass
class Fleet:
    """The vehicles now; lists are by vehicle, positions in metres, `battery` as of `since`.

    `seen_x/y` is where GPS says it stands. `rent_x/y` are the places riders see (FAR_M when not for
    rent) and `penalty` the metres that a low battery counts for in their choice. `held` marks
    vehicles somebody works on, `broken` those that wait for a mechanic.
    """

    state: list[VehicleState]
    x: list[float]
    y: list[float]
    seen_x: list[float]
    seen_y: list[float]
    battery: list[float]
    since: list[int]
    stretch_since: list[int]
    stretch_battery: list[float]
    parking: list[int]
    held: list[bool]
    broken: list[bool]
    last_event: list[int]
    rent_x: Floats
    rent_y: Floats
    penalty: Floats
    parked: Ints

    def battery_at(self, build: Build, vehicle: int, at: int) -> float:
        """Percent left after standing until `at`."""
        standing = at - self.since[vehicle]
        return max(0.0, self.battery[vehicle] - build.standby_per_s * standing)

    def batteries_at(self, build: Build, at: int) -> Floats:
        """The same for all vehicles; those on a trip show the charge they will end with."""
        standing = np.maximum(0, at - np.array(self.since))
        charge = np.array(self.battery) - build.standby_per_s * standing
        return np.asarray(np.maximum(0.0, charge), dtype=np.float64)

    def next_moment(self, vehicle: int, at: int) -> int:
        """`at`, or one second after the vehicle's last event when that is later."""
        return max(at, self.last_event[vehicle] + 1)

    def record(
        self, log: Log, vehicle: int, at: int, state: VehicleState, *types: EventType,
        battery: float, trip: int = -1,
    ) -> None:  # fmt: skip
        """Enter a state and log the event that led there."""
        self.state[vehicle] = state
        self.last_event[vehicle] = at
        log.events.append(
            EventRow(
                vehicle, at, state.value, EVENT_JOIN.join(types), self.seen_x[vehicle],
                self.seen_y[vehicle], battery, trip,
            )
        )  # fmt: skip

    def stand(self, vehicle: int, at: int, battery: float, *, for_rent: bool) -> None:
        """Note that the vehicle stands with this charge from now on, for rent or not."""
        self.battery[vehicle] = battery
        self.since[vehicle] = at
        self.stretch_since[vehicle] = at
        self.stretch_battery[vehicle] = battery
        self.offer(vehicle, for_rent=for_rent)

    def offer(self, vehicle: int, *, for_rent: bool) -> None:
        """Show the vehicle to riders, or hide it."""
        self.rent_x[vehicle] = self.x[vehicle] if for_rent else FAR_M
        self.rent_y[vehicle] = self.y[vehicle] if for_rent else FAR_M
        self.penalty[vehicle] = low_battery_penalty_m(self.battery[vehicle])

    def close_stretch(self, log: Log, build: Build, vehicle: int, at: int) -> float:
        """End the time it stood and return the charge it has now."""
        charge = self.cut_stretch(log, build, vehicle, at)
        self.battery[vehicle] = charge
        self.since[vehicle] = at
        return charge

    def cut_stretch(self, log: Log, build: Build, vehicle: int, at: int) -> float:
        """Log the time it stood until now; nothing else about the vehicle changes."""
        charge = self.battery_at(build, vehicle, at)
        start = self.stretch_since[vehicle]
        if at > start:
            x, y = self.seen_x[vehicle], self.seen_y[vehicle]
            log.stretches.append(
                Stretch(
                    vehicle, start, at, x, y, x, y, self.stretch_battery[vehicle], charge, False
                )
            )
        self.stretch_since[vehicle] = at
        self.stretch_battery[vehicle] = charge
        return charge

    def place(
        self, vehicle: int, x: float, y: float, error_x: float, error_y: float, parking: int
    ) -> None:
        """Put the vehicle somewhere; parking -1 = outside all of them."""
        self.x[vehicle], self.y[vehicle] = x, y
        self.seen_x[vehicle], self.seen_y[vehicle] = x + error_x, y + error_y
        self.parking[vehicle] = parking
        if parking >= 0:
            self.parked[parking] += 1

    def lift(self, vehicle: int) -> None:
        """Take the vehicle off the place where it stood."""
        if self.parking[vehicle] >= 0:
            self.parked[self.parking[vehicle]] -= 1
            self.parking[vehicle] = -1


def low_battery_penalty_m(battery: float) -> float:
    """The metres that a charge, in percent, counts for when riders choose."""
    return LOW_BATTERY_PENALTY_M * max(0.0, LOW_BATTERY_PCT - battery) / LOW_BATTERY_PCT


def make_build(spec: CitySpec, seed: int) -> Build:
    """Vehicles differ in what a km costs them by about a tenth."""
    u = stream(seed, Purpose.VEHICLES).random((spec.vehicles, 2))
    unlike, _ = normals(u[:, 0], u[:, 1])
    drain = 100.0 / spec.range_km * np.exp(0.1 * unlike)
    return Build(drain, spec.standby_pct_per_day / 86_400)


def first_fleet(spec: CitySpec, layout: Layout, log: Log, seed: int) -> Fleet:
    """The fleet as the crews put it out in the first minutes, spread over the parkings."""
    size = spec.vehicles
    u = stream(seed, Purpose.VEHICLES, 1).random((size, 8))
    share = np.cumsum(layout.target) / layout.target.sum()
    parkings = np.minimum(np.searchsorted(share, (np.arange(size) + 0.5) / size), share.size - 1)
    off_x, off_y = normals(u[:, 0], u[:, 1])
    error_x, error_y = normals(u[:, 2], u[:, 3])
    sigma = spec.gps_error_m / np.sqrt(2.0)
    battery = 35.0 + 65.0 * u[:, 4]
    fleet = Fleet(
        state=[VehicleState.REMOVED] * size,
        x=[0.0] * size, y=[0.0] * size, seen_x=[0.0] * size, seen_y=[0.0] * size,
        battery=[0.0] * size, since=[0] * size, stretch_since=[0] * size,
        stretch_battery=[0.0] * size, parking=[-1] * size, held=[False] * size,
        broken=[False] * size, last_event=[-1] * size,
        rent_x=np.full(size, FAR_M), rent_y=np.full(size, FAR_M), penalty=np.zeros(size),
        parked=np.zeros(len(layout.places), dtype=np.int64),
    )  # fmt: skip
    for vehicle in range(size):
        parking, at = int(parkings[vehicle]), int(u[vehicle, 5] * 300)
        x = float(layout.parking_x[parking] + PARKING_RADIUS_M / 4 * off_x[vehicle])
        y = float(layout.parking_y[parking] + PARKING_RADIUS_M / 4 * off_y[vehicle])
        error = float(sigma * error_x[vehicle]), float(sigma * error_y[vehicle])
        fleet.place(vehicle, x, y, *error, parking)
        charge = float(battery[vehicle])
        fleet.record(
            log, vehicle, at, VehicleState.AVAILABLE, EventType.PROVIDER_DROP_OFF, battery=charge
        )
        fleet.stand(vehicle, at, charge, for_rent=True)
    return fleet
