"""What could be done: one visit per vehicle that does all that rules of the sheet ask for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from fleetdesk.model.fleet import VehicleFacts, VehicleNow
from fleetdesk.model.places import Parking
from fleetdesk.model.work import Rule, Task, TaskKind
from fleetdesk.settings.schema import Settings, Thresholds
from fleetdesk.settings.task_sheets import TaskRule
from fleetdesk.tasks.rules import Reason, about_parkings, low, reasons
from fleetdesk.tasks.stock import Stock, distances_m, paired
from fleetdesk.tasks.visit import Move, visits

NO_FACTS: Mapping[str, VehicleFacts] = {}


def candidates(
    fleet: Sequence[VehicleNow],
    parkings: Sequence[Parking],
    settings: Settings,
    swaps: Mapping[str, str] | None = None,
    facts: Mapping[str, VehicleFacts] = NO_FACTS,
) -> tuple[Task, ...]:
    """All tasks that the rules make, ordered by task id.

    `swaps` says why a vehicle gets a charged battery, by its id (tasks.swap_rule); without it all
    below the sheet's threshold do. `facts` are what the records tell of vehicles, for the rules
    that ask for it. Several rules that name one vehicle make one visit; works that need different
    skills make one each. Vehicles that are being ridden, reserved or already away are left alone.
    Without parkings nothing is moved.
    """
    thresholds = settings.thresholds
    movable = [v for v in fleet if v.serviceable]
    if swaps is None:
        swaps = _below_the_line(movable, thresholds)
    needs = _needs(fleet, parkings, settings, swaps, facts)
    if parkings:
        _give_destinations(needs, parkings, fleet, settings)
    names = {parking.parking_id: parking.name for parking in parkings}
    found = (
        task
        for need in needs
        for task in visits(need.vehicle, need.reasons, need.move, names, settings)
    )
    return tuple(sorted(found, key=lambda task: task.task_id))


@dataclass
class _Need:
    """What is found out about one vehicle on the way to its visit."""

    vehicle: VehicleNow
    reasons: list[Reason]
    nearest: str = ""
    outside_m: float | None = None
    move: Move = field(default_factory=Move)

    @property
    def wants_move(self) -> bool:
        return any(reason.kind is TaskKind.MOVE for reason in self.reasons)


def _needs(
    fleet: Sequence[VehicleNow],
    parkings: Sequence[Parking],
    settings: Settings,
    swaps: Mapping[str, str],
    facts: Mapping[str, VehicleFacts],
) -> list[_Need]:
    """Every vehicle that work can be done at, with what the rules about it alone say."""
    reached = sorted((v for v in fleet if v.standing or v.lost), key=lambda v: v.vehicle_id)
    needs = [_Need(vehicle, []) for vehicle in reached]
    if parkings and needs:
        edges = distances_m(reached, parkings) - np.array([p.radius_m for p in parkings])
        for need, row in zip(needs, edges, strict=True):
            nearest = int(np.argmin(row))
            need.nearest = parkings[nearest].name
            need.outside_m = max(0.0, float(row[nearest]))
    thresholds = settings.thresholds
    for need in needs:
        vehicle = need.vehicle
        if vehicle.vehicle_id in swaps:
            rule = Rule.LOW_BATTERY if low(vehicle, thresholds) else Rule.SWAP_PAYS
            need.reasons.append(Reason(rule, TaskKind.SWAP_BATTERY, swaps[vehicle.vehicle_id]))
        known = facts.get(vehicle.vehicle_id) or VehicleFacts(vehicle.vehicle_id)
        need.reasons += reasons(vehicle, known, need.outside_m, need.nearest, settings.task_rules)
        if any(reason.rule is Rule.OUTSIDE_PARKING for reason in need.reasons):
            need.move = Move(outside_m=need.outside_m or 0.0)
    return needs


def _give_destinations(
    needs: Sequence[_Need],
    parkings: Sequence[Parking],
    fleet: Sequence[VehicleNow],
    settings: Settings,
) -> None:
    """Vehicles that should go somewhere go where one is lacking, else where there is room.

    What is then still lacking comes from parkings that have more than they should.
    """
    thresholds, stock = settings.thresholds, Stock.of(parkings, fleet)
    limit_m = thresholds.longest_move_km * 1000
    fills = about_parkings(settings.task_rules, Rule.PARKING_BELOW_MINIMUM)
    fill = thresholds.fill_parkings or bool(fills)
    if thresholds.collect_outside:
        for need in needs:
            _say_outside(need, thresholds)
    _relieve(needs, stock, about_parkings(settings.task_rules, Rule.PARKING_ABOVE_MAXIMUM))
    wanting = [need for need in needs if need.wants_move]
    if fill:
        _send(wanting, stock.short_slots(), stock, limit_m, fills)
    waiting = [need for need in wanting if need.move.to is None]
    _send(waiting, stock.free_slots(), stock, limit_m)
    if fill:
        _send(_spare(needs, stock), stock.short_slots(), stock, limit_m, fills)


def _say_outside(need: _Need, thresholds: Thresholds) -> None:
    outside_m = need.outside_m or 0.0
    if need.vehicle.serviceable and outside_m > thresholds.outside_m:
        why = f"stands {outside_m:.0f} m outside {need.nearest} (limit {thresholds.outside_m:g} m)"
        need.reasons.append(Reason(Rule.OUTSIDE_PARKING, TaskKind.MOVE, why))
        need.move = Move(outside_m=outside_m)


def _relieve(needs: Sequence[_Need], stock: Stock, rules: Sequence[TaskRule]) -> None:
    """Name the vehicles that are too many where they stand."""
    if not rules:
        return
    for parking_id, there in _by_parking(needs, stock).items():
        parking, excess = stock.parkings[parking_id], stock.excess(parking_id)
        leaving = sum(need.wants_move for need in there)
        staying = [need for need in there if not need.wants_move]
        for need in staying[: max(0, excess - leaving)]:
            why = f"{parking.name} has {stock.present[parking_id]} of at most {parking.capacity}"
            need.reasons += [Reason(row.rule, row.kind, why, row) for row in rules]


def _send(
    needs: Sequence[_Need],
    slots: Sequence[Parking],
    stock: Stock,
    limit_m: float,
    fills: Sequence[TaskRule] | None = None,
) -> None:
    """Give vehicles a destination; with `fills` (the rules that ask for it) the slots are lacks."""
    vehicles = [need.vehicle for need in needs]
    for row, column in paired(vehicles, slots, limit_m):
        need, parking = needs[row], slots[column]
        present = stock.present[parking.parking_id]
        need.move = Move(parking, present, fills is not None, need.move.outside_m)
        stock.send(parking.parking_id)
        if fills is not None:
            why = f"{parking.name} has {present} of at least {parking.minimum}"
            filled = Rule.PARKING_BELOW_MINIMUM
            need.reasons += [Reason(filled, TaskKind.MOVE, why, rule) for rule in fills or (None,)]


def _spare(needs: Sequence[_Need], stock: Stock) -> list[_Need]:
    """Vehicles above target at their parking, fullest batteries first: riders want those."""
    spare: list[_Need] = []
    for parking_id, there in _by_parking(needs, stock).items():
        staying = [need for need in there if need.move.to is None]
        leaving = len(there) - len(staying)
        spare += staying[: max(0, stock.surplus(parking_id) - leaving)]
    return spare


def _by_parking(needs: Sequence[_Need], stock: Stock) -> dict[str, list[_Need]]:
    """The vehicles that can earn, by the parking where they stand, fullest batteries first."""
    standing: dict[str, list[_Need]] = {}
    for need in needs:
        parking_id = need.vehicle.parking_id
        if need.vehicle.serviceable and parking_id in stock.parkings:
            standing.setdefault(str(parking_id), []).append(need)
    for there in standing.values():
        there.sort(key=lambda need: (-(need.vehicle.battery_pct or 0), need.vehicle.vehicle_id))
    return standing


def _below_the_line(fleet: Iterable[VehicleNow], thresholds: Thresholds) -> dict[str, str]:
    line = thresholds.low_battery_pct
    return {
        v.vehicle_id: f"battery {round(v.battery_pct, 1):g} % is below {line:g} %"
        for v in fleet
        if v.battery_pct is not None and v.battery_pct < line
    }
