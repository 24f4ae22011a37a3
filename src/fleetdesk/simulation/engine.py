"""The loop: riders come hour by hour, take a vehicle or give up, ride, and leave it somewhere."""

from __future__ import annotations

import copy
import heapq
import math
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from fleetdesk.model.mds import EventType, VehicleState
from fleetdesk.simulation import crews, mishaps
from fleetdesk.simulation.city import CitySpec
from fleetdesk.simulation.fleet import Build, Fleet, first_fleet, make_build
from fleetdesk.simulation.flows import Arrivals, Flows, build_flows, draw_arrivals
from fleetdesk.simulation.layout import Layout, build_layout, pulled_ashore
from fleetdesk.simulation.log import Log, PaymentRow, RiderSwapRow, Stretch, TripRow, UnmetRow
from fleetdesk.simulation.riders import (
    People,
    Riders,
    complain,
    first_riders,
    live_a_day,
    make_people,
)
from fleetdesk.simulation.streams import Floats
from fleetdesk.simulation.weather import simulate_weather

HOUR = 3600
RESERVED_SHARE, CANCELLED_SHARE, ABORTED_SHARE = 0.08, 0.015, 0.015


@dataclass(frozen=True)
class City:
    """All that stays the same while the city runs."""

    spec: CitySpec
    seed: int
    layout: Layout
    flows: Flows
    people: People
    build: Build


@dataclass(frozen=True, slots=True)
class Ride:
    """A trip a rider has in mind: who, where to, and how it will go."""

    rider: int
    cell: int
    end_x: float
    end_y: float
    end_parking: int
    stray_x: float
    stray_y: float
    error_x: float
    error_y: float
    detour: float
    speed: float
    drain: float
    delay: float
    mishap: float
    trip: int = -1
    revenue: float = 0.0
    end_battery: float = 0.0


class Offer(NamedTuple):
    """A rider who looks for a vehicle, and how good the best two for rent are to that rider.

    `best_m` and `second_m` are their metres of walk with the penalty of a low battery and the
    rider's liking, infinite where the rider would not walk so far; `vehicle` is whose the best is
    and `second` whose the next. The rest is what the rider would do with any vehicle; `place` is
    the rider's in the hour, and `goal_full` says that the parking in mind has no room left.
    """

    at: int
    place: int
    x: float
    y: float
    walk_m: float
    vehicle: int
    best_m: float
    second: int
    second_m: float
    end_x: float
    end_y: float
    end_parking: int
    goal_full: bool
    stray_x: float
    stray_y: float
    detour: float
    speed: float
    drain: float
    habit: float
    delay: float
    mishap: float
    unlock: float
    per_min: float
    subscribed: bool


@dataclass
class World:
    """The city at one moment; `agenda` is a heap of what is bound to happen.

    An item is (second, running number, what, vehicle, detail). `offers` is filled only where it is
    a list: what every rider was offered, for questions about one more vehicle. Crews pass by the
    vehicles in `left_alone`.
    """

    city: City
    fleet: Fleet
    riders: Riders
    agenda: list[tuple[int, int, str, int, object]] = field(default_factory=list)
    booked: int = 0
    trips: int = 0
    log: Log = field(default_factory=Log)
    offers: list[Offer] | None = None
    left_alone: frozenset[int] = frozenset()

    def book(self, at: int, what: str, vehicle: int, detail: object = None) -> None:
        """Put something on the agenda."""
        self.booked += 1
        heapq.heappush(self.agenda, (at, self.booked, what, vehicle, detail))

    def fork(self, seed: int | None = None) -> World:
        """A copy that can go its own way; the log starts empty.

        Another seed gives it another future: other riders, faults and crew decisions.
        """
        return World(
            self.city if seed is None else replace(self.city, seed=seed),
            copy.deepcopy(self.fleet),
            copy.deepcopy(self.riders),
            list(self.agenda),
            self.booked,
            self.trips,
        )


def build_city(spec: CitySpec, seed: int, beyond_days: int = 0) -> City:
    """The fixed parts of the city of a spec and a seed.

    `beyond_days` lets it run on after the records stop, without changing what was before.
    """
    layout = build_layout(spec)
    days = spec.days + beyond_days
    flows = build_flows(spec, layout, simulate_weather(spec, seed, days), days)
    return City(spec, seed, layout, flows, make_people(spec, flows, seed), make_build(spec, seed))


def open_city(city: City) -> World:
    """The city at its first moment."""
    log = Log()
    fleet = first_fleet(city.spec, city.layout, log, city.seed)
    return World(city, fleet, first_riders(city.spec, city.people, city.seed), log=log)


def run_hour(world: World, hour: int, *, with_crews: bool = True) -> None:
    """One UTC hour since the start; hours must follow each other."""
    city = world.city
    start = hour * HOUR
    if hour % 24 == 0:
        live_a_day(city.spec, city.people, world.riders, world.log, city.seed, hour // 24)
    mishaps.strike(world, hour)
    if with_crews:
        crews.send_out(world, hour)
    arrivals = draw_arrivals(city.spec, city.layout, city.flows, city.seed, hour)
    for number, at in enumerate(arrivals.at):
        work_off(world, at)
        _serve(world, arrivals, number, at)
    work_off(world, start + HOUR - 1)


def work_off(world: World, until: int) -> None:
    """Let everything on the agenda happen up to and including a second."""
    while world.agenda and world.agenda[0][0] <= until:
        at, _, what, vehicle, detail = heapq.heappop(world.agenda)
        if what == "trip end":
            assert isinstance(detail, Ride)
            _end_trip(world, vehicle, at, detail)
        elif what == "reservation":
            assert isinstance(detail, Ride)
            _use_reservation(world, vehicle, at, detail)
        elif what == "abort":
            assert isinstance(detail, int)
            _abort(world, vehicle, at, detail)
        elif what == "rider swap":
            assert isinstance(detail, RiderSwapRow)
            _rider_swap(world, vehicle, at, detail)
        elif what.startswith("crew"):
            crews.act(world, at, what, vehicle, detail)
        else:
            mishaps.mend(world, at, what, vehicle)


def _serve(world: World, arrivals: Arrivals, number: int, at: int) -> None:
    fleet, city = world.fleet, world.city
    east = fleet.rent_x - arrivals.x[number]
    north = fleet.rent_y - arrivals.y[number]
    effort = (east * east + north * north) ** 0.5 + fleet.penalty
    effort[effort > arrivals.walk_m[number]] = math.inf
    if arrivals.liking_m is not None:
        effort -= arrivals.liking_m[number]
    vehicle = int(effort.argmin())
    rider = world.riders.choose(city.people, arrivals.cell[number], arrivals.rider_draw[number], at)
    if world.offers is not None:
        world.offers.append(_offer(world, arrivals, number, effort, vehicle, rider))
    if effort[vehicle] == math.inf:
        world.log.unmet.append(UnmetRow(at, arrivals.cell[number]))
        if arrivals.mishap[number] < 0.004:
            patience = arrivals.delay[number]
            complain(
                city.spec, world.riders, world.log, at, rider, -1, "no vehicle nearby", patience
            )
        return
    ride = Ride(
        rider, arrivals.cell[number], arrivals.end_x[number], arrivals.end_y[number],
        arrivals.end_parking[number], arrivals.stray_x[number], arrivals.stray_y[number],
        arrivals.error_x[number], arrivals.error_y[number], arrivals.detour[number],
        arrivals.speed[number], arrivals.drain[number], arrivals.delay[number],
        arrivals.mishap[number],
    )  # fmt: skip
    habit = arrivals.habit[number]
    at = fleet.next_moment(vehicle, at)
    if habit < RESERVED_SHARE:
        fleet.offer(vehicle, for_rent=False)
        battery = fleet.battery_at(city.build, vehicle, at)
        fleet.record(
            world.log, vehicle, at, VehicleState.RESERVED, EventType.RESERVATION_START,
            battery=battery,
        )  # fmt: skip
        world.riders.busy_until[rider] = at + 900
        world.book(at + 60 + int(540 * ride.delay), "reservation", vehicle, ride)
    elif habit < RESERVED_SHARE + ABORTED_SHARE:
        battery = _leave_stand(world, vehicle, at)
        world.trips += 1
        fleet.record(
            world.log, vehicle, at, VehicleState.ON_TRIP, EventType.TRIP_START,
            battery=battery, trip=world.trips,
        )  # fmt: skip
        world.book(at + 20 + int(35 * ride.delay), "abort", vehicle, world.trips)
    else:
        _start_trip(world, vehicle, at, ride)


def _offer(
    world: World, arrivals: Arrivals, number: int, effort: Floats, vehicle: int, rider: int
) -> Offer:
    best = float(effort[vehicle])
    effort[vehicle] = math.inf
    second = int(effort.argmin())
    second_m = float(effort[second])
    effort[vehicle] = best
    parking = arrivals.end_parking[number]
    full = parking >= 0 and world.fleet.parked[parking] >= world.city.layout.capacity[parking]
    unlock, per_min = world.riders.price[rider]
    return Offer(
        arrivals.at[number], number, float(arrivals.x[number]), float(arrivals.y[number]),
        arrivals.walk_m[number], vehicle, best, second, second_m,
        arrivals.end_x[number], arrivals.end_y[number], parking, bool(full),
        arrivals.stray_x[number], arrivals.stray_y[number], arrivals.detour[number],
        arrivals.speed[number], arrivals.drain[number], arrivals.habit[number],
        arrivals.delay[number], arrivals.mishap[number],
        unlock, per_min, bool(world.riders.first.package[rider] >= 0),
    )  # fmt: skip


def _use_reservation(world: World, vehicle: int, at: int, ride: Ride) -> None:
    if ride.mishap < CANCELLED_SHARE / RESERVED_SHARE:
        battery = world.fleet.battery_at(world.city.build, vehicle, at)
        world.fleet.record(
            world.log, vehicle, at, VehicleState.AVAILABLE, EventType.RESERVATION_CANCEL,
            battery=battery,
        )  # fmt: skip
        world.fleet.offer(vehicle, for_rent=True)
    else:
        _start_trip(world, vehicle, at, ride)


def _leave_stand(world: World, vehicle: int, at: int) -> float:
    battery = world.fleet.close_stretch(world.log, world.city.build, vehicle, at)
    world.fleet.offer(vehicle, for_rent=False)
    return battery


def _start_trip(world: World, vehicle: int, at: int, ride: Ride) -> None:
    city, fleet, log = world.city, world.fleet, world.log
    battery = _leave_stand(world, vehicle, at)
    x, y = fleet.x[vehicle], fleet.y[vehicle]
    start_x, start_y = fleet.seen_x[vehicle], fleet.seen_y[vehicle]
    parking, end_x, end_y = ride.end_parking, ride.end_x, ride.end_y
    if parking >= 0 and fleet.parked[parking] >= city.layout.capacity[parking]:
        parking, end_x, end_y = -1, ride.stray_x, ride.stray_y
    cold = 1.0 + 0.01 * max(0.0, 15.0 - float(city.flows.weather.temperature_c[at // HOUR]))
    per_km = float(city.build.drain_per_km[vehicle]) * ride.drain * cold
    straight = math.hypot(end_x - x, end_y - y)
    distance = max(250.0, straight * ride.detour + 120.0)
    reach = max(100.0, (battery - 1.0) / per_km * 1000.0)
    if distance > reach:  # the battery dies on the way: the trip ends where it does
        share = reach / distance
        end_x, end_y = pulled_ashore(x + (end_x - x) * share, y + (end_y - y) * share)
        distance, parking = reach, -1
    duration = round(distance / ride.speed + 45.0)
    end = at + duration
    end_battery = max(0.5, battery - per_km * distance / 1000.0)
    unlock, per_min = world.riders.price[ride.rider]
    revenue = round(unlock + per_min * duration / 60.0, 2)
    world.trips += 1
    trip = world.trips
    fleet.lift(vehicle)
    fleet.record(
        log, vehicle, at, VehicleState.ON_TRIP, EventType.TRIP_START, battery=battery, trip=trip
    )
    seen_x, seen_y = end_x + ride.error_x, end_y + ride.error_y
    fleet.x[vehicle], fleet.y[vehicle] = end_x, end_y
    fleet.seen_x[vehicle], fleet.seen_y[vehicle] = seen_x, seen_y
    fleet.battery[vehicle], fleet.since[vehicle] = end_battery, end
    log.stretches.append(
        Stretch(vehicle, at, end, start_x, start_y, seen_x, seen_y, battery, end_battery, True)
    )
    log.trips.append(
        TripRow(
            trip, vehicle, ride.rider, at, end, start_x, start_y, seen_x, seen_y,
            distance, battery, end_battery, revenue,
        )
    )  # fmt: skip
    world.riders.busy_until[ride.rider] = end + 60
    done = Ride(
        ride.rider, ride.cell, end_x, end_y, parking, 0.0, 0.0, ride.error_x, ride.error_y,
        ride.detour, ride.speed, ride.drain, ride.delay, ride.mishap, trip, revenue, end_battery,
    )  # fmt: skip
    world.book(end, "trip end", vehicle, done)


def _end_trip(world: World, vehicle: int, at: int, ride: Ride) -> None:
    city, fleet, log = world.city, world.fleet, world.log
    battery = ride.end_battery
    fleet.place(vehicle, ride.end_x, ride.end_y, ride.error_x, ride.error_y, ride.end_parking)
    low = battery < city.spec.usable_battery_pct
    state = VehicleState.NON_OPERATIONAL if low else VehicleState.AVAILABLE
    types = (EventType.TRIP_END, EventType.BATTERY_LOW) if low else (EventType.TRIP_END,)
    fleet.record(log, vehicle, at, state, *types, battery=battery, trip=ride.trip)
    fleet.stand(vehicle, at, battery, for_rent=not low)
    log.payments.append(PaymentRow(ride.rider, at, _paid_at(world, at, ride), ride.revenue, "trip"))
    world.riders.trips[ride.rider] += 1.0
    if ride.mishap < 0.004 + 0.03 * low:
        topic = ("battery" if low else "vehicle condition", "app", "billing")[int(ride.delay * 3)]
        complain(city.spec, world.riders, log, at, ride.rider, vehicle, topic, ride.delay)
    at_cabinet = ride.end_parking >= 0 and city.layout.cabinet[ride.end_parking]
    subscribed = world.riders.first.package[ride.rider] >= 0
    if at_cabinet and subscribed and battery < 45.0 and ride.delay < 0.6:
        wait = round(30 + 400 * ride.delay**2)
        fleet.held[vehicle] = True
        fleet.offer(vehicle, for_rent=False)
        row = RiderSwapRow(
            ride.rider, vehicle, at + wait + 60, ride.end_parking, float(wait), battery, 0.0
        )
        world.riders.busy_until[ride.rider] = at + wait + 60
        world.book(at + wait + 60, "rider swap", vehicle, row)


def _paid_at(world: World, at: int, ride: Ride) -> int:
    """Cards are charged within minutes; one charge in sixty fails and is settled days later."""
    paid = at + (30 + int(90 * ride.delay) if ride.mishap < 0.984 else int(86_400 * 9 * ride.delay))
    return paid if paid < world.city.spec.length_s else -1


def _abort(world: World, vehicle: int, at: int, trip: int) -> None:
    battery = world.fleet.battery_at(world.city.build, vehicle, at)
    world.fleet.record(
        world.log, vehicle, at, VehicleState.AVAILABLE, EventType.TRIP_CANCEL,
        battery=battery, trip=trip,
    )  # fmt: skip
    world.fleet.stand(vehicle, at, battery, for_rent=True)


def _rider_swap(world: World, vehicle: int, at: int, row: RiderSwapRow) -> None:
    fleet, build = world.fleet, world.city.build
    before = fleet.close_stretch(world.log, build, vehicle, at)
    after = 97.0
    fleet.held[vehicle] = False
    if fleet.state[vehicle] is VehicleState.NON_OPERATIONAL:
        fleet.record(
            world.log, vehicle, at, VehicleState.AVAILABLE, EventType.BATTERY_CHARGED,
            battery=after,
        )  # fmt: skip
    fleet.stand(vehicle, at, after, for_rent=True)
    world.log.rider_swaps.append(row._replace(before=before, after=after))
