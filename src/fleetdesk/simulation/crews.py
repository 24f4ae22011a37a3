"""The crews: swaps by day and night, collections to charge, vehicles carried where they lack.

Their rules are those of an ordinary operator, not good ones: a fixed threshold, some vehicles
overlooked, some carried to the wrong parking. What they do leaves room for a planner.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fleetdesk.model.mds import EventType, VehicleState
from fleetdesk.simulation.log import TaskRow
from fleetdesk.simulation.streams import Floats, Purpose, normals, stream

if TYPE_CHECKING:
    from fleetdesk.simulation.engine import World

_HOUR = 3600
_TO_SERVE = (VehicleState.AVAILABLE, VehicleState.NON_OPERATIONAL)
_OVERLOOKED = 0.15
_WRONG_PARKING = 0.2


@dataclass(frozen=True, slots=True)
class Shift:
    """One crew's hours and pace: local hours, shares of the fleet per hour, threshold in %."""

    hours: frozenset[int]
    workers: tuple[str, ...]
    battery_work: float
    moves: float
    threshold_pct: float


DAY_SHIFT = Shift(frozenset(range(8, 20)), ("Nikos", "Eleni"), 0.0075, 0.0035, 22.0)
NIGHT_SHIFT = Shift(
    frozenset({22, 23, 0, 1, 2, 3}), ("Giorgos", "Maria", "Kostas"), 0.034, 0.008, 38.0
)


@dataclass(frozen=True, slots=True)
class Job:
    """One task under way; the four draws decide its small chances."""

    kind: str
    worker: str
    draws: tuple[float, float, float, float]
    to_parking: int = -1
    started: int = 0
    from_x: float = 0.0
    from_y: float = 0.0
    before: float = 0.0


def send_out(world: World, hour: int) -> None:
    """At the top of an hour, the crew on shift picks what it will do within it."""
    local = int(world.city.flows.local_hour[hour])
    for shift in (DAY_SHIFT, NIGHT_SHIFT):
        if local in shift.hours:
            _plan(world, hour, shift)


def act(world: World, at: int, what: str, vehicle: int, detail: object) -> None:
    """A step of a task whose time has come."""
    assert isinstance(detail, Job)
    if what == "crew swapped":
        _finish_swap(world, at, vehicle, detail)
    elif what == "crew drop":
        _drop(world, at, vehicle, detail)
    elif world.fleet.state[vehicle] in _TO_SERVE and not world.fleet.held[vehicle]:
        at = world.fleet.next_moment(vehicle, at)
        if detail.kind == "swap":
            _begin_swap(world, at, vehicle, detail)
        else:
            _pick_up(world, at, vehicle, detail)


def _plan(world: World, hour: int, shift: Shift) -> None:
    fleet, city, spec = world.fleet, world.city, world.city.spec
    now = hour * _HOUR
    u = stream(city.seed, Purpose.CREWS, hour).random((spec.vehicles + 1, 7))
    extra, each = u[0], u[1:]
    charge = fleet.batteries_at(city.build, now)
    standing = np.array([state in _TO_SERVE for state in fleet.state])
    open_ = standing & ~np.array(fleet.held) & (each[:, 0] >= _OVERLOOKED)
    open_[list(world.left_alone)] = False
    broken = np.array(fleet.broken)

    below = shift.threshold_pct + spec.service_below_extra_pct
    low = open_ & ((charge < below) | broken)
    urgency = charge + 12.0 * each[:, 1]
    pace = shift.battery_work * spec.vehicles * spec.crew_strength
    chosen = _first(low, urgency, math.floor(pace + extra[0]))
    for turn, vehicle in enumerate(chosen):
        taken_in = broken[vehicle] or each[vehicle, 2] >= spec.swap_share
        job = _job("charge" if taken_in else "swap", shift, turn, each[vehicle])
        world.book(_slot(now, turn, len(chosen), extra[2]), "crew", vehicle, job)

    outside = np.array(fleet.parking) < 0
    crowded = _crowded(world)
    movable = open_ & ~low & (charge >= 20.0) & (outside | crowded)
    movable &= now - np.array(fleet.since) > 2 * _HOUR
    pace = shift.moves * spec.vehicles * spec.crew_strength
    moved = _first(movable, each[:, 1] - 0.5 * outside, math.floor(pace + extra[1]))
    lack = (city.layout.target - fleet.parked).astype(np.float64)
    for turn, vehicle in enumerate(moved):
        parking = _lacking(lack, each[vehicle])
        lack[parking] -= 1.0
        job = replace(_job("rebalance", shift, turn, each[vehicle]), to_parking=parking)
        world.book(_slot(now, turn, len(moved), extra[3]), "crew", vehicle, job)


def _crowded(world: World) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    over = np.append(world.fleet.parked > 1.4 * world.city.layout.target + 2, False)
    return np.asarray(over[np.array(world.fleet.parking)])


def _first(wanted: np.ndarray[tuple[int], np.dtype[np.bool_]], key: Floats, most: int) -> list[int]:
    candidates = np.flatnonzero(wanted)
    order = np.argsort(key[candidates], kind="stable")
    return [int(vehicle) for vehicle in candidates[order][:most]]


def _lacking(lack: Floats, draws: Floats) -> int:
    if draws[3] < _WRONG_PARKING:
        return int(draws[4] * lack.size)
    return int(np.argmax(lack))


def _job(kind: str, shift: Shift, turn: int, draws: Floats) -> Job:
    worker = shift.workers[turn % len(shift.workers)]
    return Job(kind, worker, (float(draws[3]), float(draws[4]), float(draws[5]), float(draws[6])))


def _slot(now: int, turn: int, count: int, shift: float) -> int:
    return now + int((turn + 0.2 + 0.6 * shift) * _HOUR / count)


def _begin_swap(world: World, at: int, vehicle: int, job: Job) -> None:
    fleet, city = world.fleet, world.city
    before = fleet.battery_at(city.build, vehicle, at)
    fleet.held[vehicle] = True
    fleet.offer(vehicle, for_rent=False)
    silent = job.draws[0] < city.spec.silent_swap_share
    if fleet.state[vehicle] is VehicleState.AVAILABLE and not silent:
        fleet.record(
            world.log, vehicle, at, VehicleState.NON_OPERATIONAL, EventType.MAINTENANCE,
            battery=before,
        )  # fmt: skip
    x, y = fleet.x[vehicle], fleet.y[vehicle]
    begun = replace(job, started=at, from_x=x, from_y=y, before=before)
    world.book(at + 120 + int(150 * job.draws[1]), "crew swapped", vehicle, begun)


def _finish_swap(world: World, at: int, vehicle: int, job: Job) -> None:
    fleet, build = world.fleet, world.city.build
    fleet.close_stretch(world.log, build, vehicle, at)
    fleet.held[vehicle] = False
    after = 100.0 - 4.0 * job.draws[2] ** 2
    if fleet.state[vehicle] is VehicleState.NON_OPERATIONAL:
        fleet.record(
            world.log, vehicle, at, VehicleState.AVAILABLE, EventType.BATTERY_CHARGED,
            battery=after,
        )  # fmt: skip
    fleet.stand(vehicle, at, after, for_rent=True)
    _note(world, at, vehicle, job, after, 1.3 + 2.0 * job.draws[3])


def _pick_up(world: World, at: int, vehicle: int, job: Job) -> None:
    fleet, city = world.fleet, world.city
    before = fleet.close_stretch(world.log, city.build, vehicle, at)
    was_outside = fleet.parking[vehicle] < 0
    fleet.lift(vehicle)
    fleet.offer(vehicle, for_rent=False)
    fleet.broken[vehicle] = False
    types: tuple[EventType, ...]
    if job.kind == "charge":
        # The drop-off carries no reason of its own: it is the one of this pick-up.
        types = (EventType.MAINTENANCE_PICK_UP,)
        if fleet.state[vehicle] is VehicleState.AVAILABLE and before < 18.0:
            types = (EventType.BATTERY_LOW, EventType.MAINTENANCE_PICK_UP)
        back = at + int((4.5 + 3.5 * job.draws[1]) * _HOUR)
    else:
        by_order = was_outside and job.draws[0] < 0.25
        types = (EventType.COMPLIANCE_PICK_UP if by_order else EventType.REBALANCE_PICK_UP,)
        back = at + 900 + int(2400 * job.draws[1])
    fleet.record(world.log, vehicle, at, VehicleState.REMOVED, *types, battery=before)
    x, y = fleet.x[vehicle], fleet.y[vehicle]
    begun = replace(job, started=at, from_x=x, from_y=y, before=before)
    world.book(back, "crew drop", vehicle, begun)


def _drop(world: World, at: int, vehicle: int, job: Job) -> None:
    fleet, city = world.fleet, world.city
    parking = job.to_parking
    if parking < 0:
        lack = (city.layout.target - fleet.parked).astype(np.float64)
        parking = int(np.argmax(lack))
    charged = job.kind == "charge" or job.before < 45.0
    after = 100.0 - 3.0 * job.draws[2] ** 2 if charged else job.before
    off_x, off_y = normals(np.array(job.draws[:1]), np.array(job.draws[1:2]))
    err_x, err_y = normals(np.array(job.draws[2:3]), np.array(job.draws[3:]))
    sigma = city.spec.gps_error_m / math.sqrt(2.0)
    fleet.place(
        vehicle,
        float(city.layout.parking_x[parking] + 6.0 * off_x[0]),
        float(city.layout.parking_y[parking] + 6.0 * off_y[0]),
        float(sigma * err_x[0]),
        float(sigma * err_y[0]),
        parking,
    )
    fleet.record(
        world.log, vehicle, at, VehicleState.AVAILABLE, EventType.PROVIDER_DROP_OFF, battery=after
    )
    fleet.stand(vehicle, at, after, for_rent=True)
    carried = math.hypot(fleet.x[vehicle] - job.from_x, fleet.y[vehicle] - job.from_y) / 1000.0
    base = 6.0 if job.kind == "charge" else 2.6
    _note(world, at, vehicle, job, after, base + 0.5 * carried + 2.0 * job.draws[3])


def _note(world: World, at: int, vehicle: int, job: Job, after: float, cost: float) -> None:
    fleet = world.fleet
    world.log.tasks.append(
        TaskRow(
            vehicle, job.kind, job.worker, job.started, at, job.from_x, job.from_y,
            fleet.x[vehicle], fleet.y[vehicle], job.before, after, round(cost, 2),
        )
    )  # fmt: skip
