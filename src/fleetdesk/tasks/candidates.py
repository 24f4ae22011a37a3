"""What could be done: one task per vehicle that a rule of the sheet names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.optimize import linear_sum_assignment

from fleetdesk.features.cells import Floats, haversine
from fleetdesk.model.fleet import VehicleNow
from fleetdesk.model.places import Parking
from fleetdesk.model.work import Rule, ScooterState, Task, TaskKind
from fleetdesk.settings.schema import Costs, Settings, Thresholds


def candidates(
    fleet: Sequence[VehicleNow],
    parkings: Sequence[Parking],
    settings: Settings,
    swaps: Mapping[str, str] | None = None,
) -> tuple[Task, ...]:
    """All tasks that the rules make, ordered by task id.

    `swaps` says why a vehicle gets a charged battery, by its id (tasks.swap_rule); without it all
    below the sheet's threshold do. A vehicle gets at most one task; when several rules name it, one
    visit does all of it. Vehicles that are being ridden, reserved or already away are left alone.
    Without parkings only the battery rule applies.
    """
    thresholds = settings.thresholds
    movable = sorted((v for v in fleet if v.serviceable), key=lambda v: v.vehicle_id)
    if swaps is None:
        swaps = _below_the_line(movable, thresholds)
    needs = {v.vehicle_id: _Need(v, swap_why=swaps.get(v.vehicle_id, "")) for v in movable}
    if parkings:
        _measure_outside(list(needs.values()), parkings, thresholds)
        stock = _Stock.of(parkings, fleet)
        outside = [n for n in needs.values() if n.outside and thresholds.collect_outside]
        if thresholds.fill_parkings:
            _send(outside, stock.short_slots(), stock, thresholds, to_fill=True)
        waiting = [need for need in outside if need.destination is None]
        _send(waiting, stock.free_slots(), stock, thresholds, to_fill=False)
        if thresholds.fill_parkings:
            _send(stock.spare(needs), stock.short_slots(), stock, thresholds, to_fill=True)
    names = {parking.parking_id: parking.name for parking in parkings}
    tasks = (_task(need, names, settings) for need in needs.values())
    return tuple(task for task in tasks if task is not None)


@dataclass
class _Need:
    """What is found out about one vehicle on the way to its task."""

    vehicle: VehicleNow
    swap_why: str = ""
    outside_m: float = 0.0
    nearest: str = ""
    outside: bool = False
    destination: Parking | None = None
    present_at_destination: int = 0
    to_fill: bool = False


@dataclass
class _Stock:
    """How many vehicles stand at each parking, and how many more are on their way there."""

    parkings: Mapping[str, Parking]
    present: Mapping[str, int]
    expected: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, parkings: Sequence[Parking], fleet: Iterable[VehicleNow]) -> _Stock:
        by_id = {parking.parking_id: parking for parking in parkings}
        present = dict.fromkeys(by_id, 0)
        for vehicle in fleet:
            if vehicle.parking_id in present:
                present[vehicle.parking_id] += 1
        return cls(by_id, present, dict(present))

    def short_slots(self) -> list[Parking]:
        """One entry per vehicle that a parking lacks to its minimum."""
        return [
            parking
            for parking in self.parkings.values()
            for _ in range(
                min(parking.minimum, parking.capacity) - self.expected[parking.parking_id]
            )
        ]

    def free_slots(self) -> list[Parking]:
        """One entry per vehicle that still fits."""
        return self._slots(lambda parking: parking.capacity)

    def _slots(self, up_to: Callable[[Parking], int]) -> list[Parking]:
        return [
            parking
            for parking in self.parkings.values()
            for _ in range(up_to(parking) - self.expected[parking.parking_id])
        ]

    def spare(self, needs: Mapping[str, _Need]) -> list[_Need]:
        """Vehicles above target at their parking, fullest batteries first: riders want those."""
        standing: dict[str, list[_Need]] = {}
        for need in needs.values():
            if need.vehicle.parking_id in self.parkings and need.destination is None:
                standing.setdefault(str(need.vehicle.parking_id), []).append(need)
        spare: list[_Need] = []
        for parking_id, there in standing.items():
            parking = self.parkings[parking_id]
            surplus = self.present[parking_id] - max(parking.target, parking.minimum)
            there.sort(key=lambda need: (-(need.vehicle.battery_pct or 0), need.vehicle.vehicle_id))
            spare += there[: max(0, surplus)]
        return spare


def _measure_outside(
    needs: Sequence[_Need], parkings: Sequence[Parking], thresholds: Thresholds
) -> None:
    if not needs:
        return
    edges = _distances_m(needs, parkings) - np.array([p.radius_m for p in parkings])
    for need, row in zip(needs, edges, strict=True):
        nearest = int(np.argmin(row))
        need.nearest = parkings[nearest].name
        need.outside_m = max(0.0, float(row[nearest]))
        need.outside = need.outside_m > thresholds.outside_m


def _distances_m(needs: Sequence[_Need], parkings: Sequence[Parking]) -> Floats:
    """Great-circle metres, vehicles x parkings."""
    lats = np.array([need.vehicle.at.lat for need in needs])
    lons = np.array([need.vehicle.at.lon for need in needs])
    to_lats = np.array([parking.at.lat for parking in parkings])
    to_lons = np.array([parking.at.lon for parking in parkings])
    return haversine(lats[:, None], lons[:, None], to_lats, to_lons)


def _send(
    needs: Sequence[_Need],
    slots: Sequence[Parking],
    stock: _Stock,
    thresholds: Thresholds,
    *,
    to_fill: bool,
) -> None:
    """Give vehicles a destination so that the summed distance is least (Hungarian method)."""
    if not needs or not slots:
        return
    limit_m = thresholds.longest_move_km * 1000
    distance = _distances_m(needs, slots)
    # A pair beyond the limit costs more than all legal pairs together, so it is used last.
    beyond = limit_m * (len(needs) + len(slots) + 1)
    rows, columns = linear_sum_assignment(np.where(distance > limit_m, beyond, distance))
    for row, column in zip(rows, columns, strict=True):
        if distance[row, column] > limit_m:
            continue
        need, parking = needs[row], slots[column]
        need.destination, need.to_fill = parking, to_fill
        need.present_at_destination = stock.present[parking.parking_id]
        stock.expected[parking.parking_id] += 1


def _task(need: _Need, names: Mapping[str, str], settings: Settings) -> Task | None:
    vehicle, thresholds, costs = need.vehicle, settings.thresholds, settings.costs
    battery = vehicle.battery_pct
    low = bool(need.swap_why)
    rules = _rules(need, thresholds)
    if not rules:
        return None
    kinds = tuple(
        kind
        for kind, wanted in ((TaskKind.SWAP_BATTERY, low), (TaskKind.MOVE, need.destination))
        if wanted
    )
    precision = settings.city.cell_precision
    before = ScooterState(
        vehicle.at,
        vehicle.at.cell(precision),
        battery,
        vehicle.rentable and _usable(battery, thresholds),
    )
    after_pct = thresholds.charged_battery_pct if low else battery
    after_at = need.destination.at if need.destination else vehicle.at
    after = ScooterState(
        after_at,
        after_at.cell(precision),
        after_pct,
        (vehicle.rentable or low) and _usable(after_pct, thresholds),
    )
    task = Task(
        task_id=f"{vehicle.vehicle_id} {_verb(kinds)}",
        vehicle_id=vehicle.vehicle_id,
        kinds=kinds,
        rules=rules,
        before=before,
        after=after,
        service_s=_service_s(kinds, costs),
        idle_h=vehicle.idle_h,
        batteries=int(low),
        from_parking_id=vehicle.parking_id,
        from_name=names.get(vehicle.parking_id or "", ""),
        outside_m=need.outside_m if need.outside else 0.0,
        why=_why(need, rules, thresholds),
    )
    if need.destination is None:
        return task
    minimum = need.destination.minimum
    lacking = minimum - need.present_at_destination
    return replace(
        task,
        drop_off_s=round(costs.drop_off_min * 60),
        vehicles=1,
        to_parking_id=need.destination.parking_id,
        to_name=need.destination.name,
        deficit_pct=100 * lacking / minimum if need.to_fill else 0.0,
    )


def _usable(battery_pct: float | None, thresholds: Thresholds) -> bool:
    """An unknown charge is counted as usable: the feed says that the vehicle can be rented."""
    return battery_pct is None or battery_pct >= thresholds.usable_battery_pct


def _below_the_line(fleet: Iterable[VehicleNow], thresholds: Thresholds) -> dict[str, str]:
    line = thresholds.low_battery_pct
    return {
        v.vehicle_id: f"battery {round(v.battery_pct, 1):g} % is below {line:g} %"
        for v in fleet
        if v.battery_pct is not None and v.battery_pct < line
    }


def _rules(need: _Need, thresholds: Thresholds) -> tuple[Rule, ...]:
    low = (need.vehicle.battery_pct or 0.0) < thresholds.low_battery_pct
    found = (
        (Rule.LOW_BATTERY, bool(need.swap_why) and low),
        (Rule.SWAP_PAYS, bool(need.swap_why) and not low),
        (Rule.OUTSIDE_PARKING, need.outside and need.destination is not None),
        (Rule.PARKING_BELOW_MINIMUM, need.to_fill),
    )
    return tuple(rule for rule, holds in found if holds)


def _verb(kinds: tuple[TaskKind, ...]) -> str:
    return "+".join("swap" if kind is TaskKind.SWAP_BATTERY else "move" for kind in kinds)


def _service_s(kinds: tuple[TaskKind, ...], costs: Costs) -> int:
    minutes = {TaskKind.SWAP_BATTERY: costs.swap_min, TaskKind.MOVE: costs.pick_up_min}
    return round(60 * sum(minutes[kind] for kind in kinds))


def _why(need: _Need, rules: tuple[Rule, ...], thresholds: Thresholds) -> str:
    sentences = {
        Rule.LOW_BATTERY: need.swap_why,
        Rule.SWAP_PAYS: need.swap_why,
        Rule.OUTSIDE_PARKING: (
            f"stands {need.outside_m:.0f} m outside {need.nearest} "
            f"(limit {thresholds.outside_m:g} m)"
        ),
        Rule.PARKING_BELOW_MINIMUM: (
            f"{need.destination.name} has {need.present_at_destination} of at least "
            f"{need.destination.minimum}"
            if need.destination
            else ""
        ),
    }
    return "; ".join(sentences[rule] for rule in rules)
