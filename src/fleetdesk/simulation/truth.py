"""What really holds in a simulated city, and what one task changes: for tests and proofs only.

Nothing here uses an estimator, and no estimator may use this. Two runs are paired: every rider,
fault and crew decision has a random stream of its own, so both see the same chances.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from fleetdesk.errors import FleetDeskError
from fleetdesk.model.mds import VehicleState
from fleetdesk.model.places import Point
from fleetdesk.simulation.city import CitySpec
from fleetdesk.simulation.engine import HOUR, World, build_city, open_city, run_hour
from fleetdesk.simulation.fleet import low_battery_penalty_m
from fleetdesk.simulation.flows import Flows
from fleetdesk.simulation.layout import PARKING_RADIUS_M, to_degrees, to_metres
from fleetdesk.simulation.records import vehicle_ids
from fleetdesk.simulation.streams import Floats
from fleetdesk.simulation.tagged import Tagged, own_revenue

_CHANGEABLE = (VehicleState.AVAILABLE, VehicleState.NON_OPERATIONAL)


@dataclass(frozen=True)
class Truth:
    """The laws behind the records; cells are geohashes of 6 characters.

    `drain_pct_per_km` is per vehicle, in the order of the table `vehicles`.
    """

    cells: tuple[str, ...]
    drain_pct_per_km: Floats
    standby_pct_per_day: float
    usable_battery_pct: float
    flows: Flows

    def demand_per_h(self, hour: int) -> Floats:
        """Riders who look for a vehicle per cell, in one UTC hour counted from the first."""
        return self.flows.rates(hour)

    def destinations(self, daypart: int) -> Floats:
        """P(goal | origin) by cell; daypart 0 night, 1 morning, 2 afternoon, 3 evening."""
        return np.asarray(self.flows.destinations[daypart])


@dataclass(frozen=True)
class Change:
    """What a task does to a standing vehicle; None leaves it, so `Change()` does nothing."""

    battery_pct: float | None = None
    to: Point | None = None


@dataclass(frozen=True)
class Standing:
    """A vehicle's true state; `parking` is its number, -1 outside all.

    `seen_at` is where its GPS says it stands; `broken` ones wait for a mechanic.
    """

    vehicle_id: str
    state: str
    at: Point
    cell: str
    battery_pct: float
    parking: int
    seen_at: Point
    broken: bool


@dataclass(frozen=True)
class Revenue:
    """Gross revenue of the trips that start within the horizon."""

    fleet: float
    by_vehicle: dict[str, float]


class SavedCity:
    """The city at one moment, to be run on again and again with different tasks done."""

    def __init__(self, spec: CitySpec, seed: int, at: datetime, hours: int = 24) -> None:
        """Runs from the first day up to `at`, a full UTC hour without a zone."""
        seconds = (at - spec.starts_at).total_seconds()
        if seconds < 0 or seconds % HOUR or seconds > spec.length_s or hours < 1:
            raise FleetDeskError(
                "A counterfactual starts at a full hour within the simulated days",
                found=f"{at:%Y-%m-%d %H:%M:%S} and {hours} hours",
                fix=f"Choose a full hour from {spec.starts_at} to {spec.ends_at}",
            )
        self._hour = int(seconds) // HOUR
        self._hours = hours
        city = build_city(spec, seed, beyond_days=hours // 24 + 1)
        self._world = open_city(city)
        self._ids = vehicle_ids(city)
        self._number = {vehicle_id: number for number, vehicle_id in enumerate(self._ids)}
        for hour in range(self._hour):
            run_hour(self._world, hour)

    def vehicles(self) -> tuple[Standing, ...]:
        """The true state of every vehicle."""
        fleet = self._world.fleet
        charge = fleet.batteries_at(self._world.city.build, self._hour * HOUR)
        points = _points(fleet.x, fleet.y)
        seen = _points(fleet.seen_x, fleet.seen_y)
        return tuple(
            Standing(
                vehicle_id, fleet.state[number].value, points[number], points[number].cell(6),
                float(charge[number]), fleet.parking[number], seen[number], fleet.broken[number],
            )
            for vehicle_id, number in self._number.items()
        )  # fmt: skip

    def is_free(self, vehicle_id: str) -> bool:
        """Whether a crew could work on the vehicle now: it stands, held and broken by nobody."""
        fleet, vehicle = self._world.fleet, self._vehicle(vehicle_id)
        standing = fleet.state[vehicle] in _CHANGEABLE and not fleet.held[vehicle]
        return standing and not fleet.broken[vehicle]

    def revenue(
        self,
        changes: Mapping[str, Change],
        *,
        with_crews: bool = False,
        future: int = 0,
        left_alone: Collection[str] = (),
    ) -> Revenue:
        """Revenue of the horizon after these changes by vehicle id, made at the saved moment.

        Without crews nothing else is done to the fleet meanwhile; with them the operator's usual
        policy goes on, so that a task mostly saves a later one, but for the vehicles that crews
        are told to leave alone. Future 0 is the one that the records go on with; every other number
        is another draw of riders, faults and crews.
        """
        world = self._fork(future)
        for vehicle_id, change in changes.items():
            _apply(world, self._vehicle(vehicle_id), self._hour * HOUR, change)
        world.left_alone = frozenset(self._vehicle(vehicle_id) for vehicle_id in left_alone)
        return self._run(world, with_crews=with_crews)

    def own_revenue(
        self, changes: Sequence[tuple[str, Change]], *, with_crews: bool = False, future: int = 0
    ) -> Floats:
        """What the vehicle of each change would earn itself, were that change made alone.

        Equal, but for what its doing sets off among the others and comes back to it, to
        `revenue({vehicle: change}, left_alone=[vehicle], ...).by_vehicle[vehicle]`; a thousand of
        them take little longer than one of those.
        """
        numbers = np.array([self._vehicle(vehicle_id) for vehicle_id, _ in changes], dtype=np.int64)
        states = [self._after(vehicle_id, change) for vehicle_id, change in changes]
        tagged = Tagged(numbers, *np.array(states, dtype=np.float64).reshape(-1, 4).T)
        world = self._fork(future)
        world.offers = []
        self._run(world, with_crews=with_crews)
        return own_revenue(world.city, world.offers, tagged, self._hour, self._hours)

    def _fork(self, future: int) -> World:
        # A stream's address begins with the seed, which has 64 bits: no two futures share one.
        return self._world.fork(self._world.city.seed + (future << 32))

    def _run(self, world: World, *, with_crews: bool) -> Revenue:
        for hour in range(self._hour, self._hour + self._hours):
            run_hour(world, hour, with_crews=with_crews)
        by_vehicle = dict.fromkeys(self._ids, 0.0)
        for trip in world.log.trips:
            by_vehicle[self._ids[trip.vehicle]] += trip.revenue
        return Revenue(round(sum(by_vehicle.values()), 2), by_vehicle)

    def _after(self, vehicle_id: str, change: Change) -> tuple[float, float, float, float]:
        """Metres, percent and the penalty that riders see, once the change is made."""
        fleet, city = self._world.fleet, self._world.city
        vehicle, at = self._vehicle(vehicle_id), self._hour * HOUR
        _refuse_unless_standing(self._world, vehicle)
        x, y, battery = fleet.x[vehicle], fleet.y[vehicle], change.battery_pct
        if battery is None:
            battery = fleet.battery_at(city.build, vehicle, at)
        if change == Change():
            return x, y, battery, float(fleet.penalty[vehicle])
        if change.to is not None:
            x, y = _metres(change.to)
        return x, y, battery, low_battery_penalty_m(battery)

    def _vehicle(self, vehicle_id: str) -> int:
        if vehicle_id not in self._number:
            raise FleetDeskError(
                f"The simulated city has no vehicle {vehicle_id}",
                fix=f"Choose one from {self._ids[0]} to {self._ids[-1]}",
            )
        return self._number[vehicle_id]


def counterfactual(
    spec: CitySpec, seed: int, at: datetime, vehicle: str, change: Change, hours: int = 24
) -> tuple[float, float]:
    """The whole fleet's revenue in the hours after `at`: with the change, and without it.

    Running to `at` is most of the work: for a batch of tasks use `SavedCity`.
    """
    saved = SavedCity(spec, seed, at, hours)
    return saved.revenue({vehicle: change}).fleet, saved.revenue({}).fleet


def reveal(spec: CitySpec, seed: int) -> Truth:
    """The true rates, flows and battery laws of a city."""
    city = build_city(spec, seed)
    return Truth(
        city.layout.cells,
        city.build.drain_per_km,
        spec.standby_pct_per_day,
        spec.usable_battery_pct,
        city.flows,
    )


def unmet_demand(spec: CitySpec, seed: int) -> Floats:
    """Riders who found no vehicle, hours x cells; the records never show them."""
    city = build_city(spec, seed)
    world = open_city(city)
    unmet = np.zeros((spec.length_s // HOUR, len(city.layout.cells)))
    for hour in range(unmet.shape[0]):
        run_hour(world, hour)
    for row in world.log.unmet:
        unmet[row.at // HOUR, row.cell] += 1.0
    return unmet


def _apply(world: World, vehicle: int, at: int, change: Change) -> None:
    if change == Change():
        return
    fleet, city = world.fleet, world.city
    _refuse_unless_standing(world, vehicle)
    battery = fleet.battery_at(city.build, vehicle, at)
    if change.battery_pct is not None:
        battery = change.battery_pct
    if change.to is not None:
        x, y = _metres(change.to)
        away = np.hypot(city.layout.parking_x - x, city.layout.parking_y - y)
        nearest = int(np.argmin(away))
        fleet.lift(vehicle)
        parking = nearest if away[nearest] <= PARKING_RADIUS_M else -1
        fleet.place(vehicle, x, y, 0.0, 0.0, parking)
    usable = battery >= city.spec.usable_battery_pct and not fleet.broken[vehicle]
    fleet.state[vehicle] = VehicleState.AVAILABLE if usable else VehicleState.NON_OPERATIONAL
    fleet.stand(vehicle, at, battery, for_rent=usable)


def _refuse_unless_standing(world: World, vehicle: int) -> None:
    fleet = world.fleet
    if fleet.state[vehicle] not in _CHANGEABLE or fleet.held[vehicle]:
        raise FleetDeskError(
            "Only a standing vehicle can be changed",
            found=f"{vehicle_ids(world.city)[vehicle]} is {fleet.state[vehicle].value}",
            fix="Choose one that is available or non_operational",
        )


def _metres(point: Point) -> tuple[float, float]:
    x, y = to_metres(np.array([point.lat]), np.array([point.lon]))
    return float(x[0]), float(y[0])


def _points(x: Sequence[float], y: Sequence[float]) -> list[Point]:
    lat, lon = to_degrees(np.array(x), np.array(y))
    return [Point(a, b) for a, b in zip(lat.tolist(), lon.tolist(), strict=True)]
