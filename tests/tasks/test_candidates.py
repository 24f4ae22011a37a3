"""Which tasks the sheet's rules make from a fleet small enough to hold in the head."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetdesk.model.fleet import VehicleNow
from fleetdesk.model.places import Parking, Point
from fleetdesk.model.work import Rule, Task, TaskKind
from fleetdesk.settings.schema import Settings, Thresholds
from fleetdesk.tasks.candidates import candidates

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
SQUARE = Parking("P1", "Square", Point(40.6300, 22.9400), 30, capacity=4, minimum=2, target=2)
HARBOUR = Parking("P2", "Harbour", Point(40.6300, 22.9500), 30, capacity=3, minimum=0, target=1)
TOWN = (SQUARE, HARBOUR)


def vehicle(name: str, at: Point, battery: float | None = 80, **changes: object) -> VehicleNow:
    there = next((p.parking_id for p in TOWN if p.at.distance_m(at) <= p.radius_m), None)
    now = VehicleNow(
        name, at, at.cell(6), battery, "operational", "available", NOON, NOON, 5.0, there
    )
    return replace(now, **changes)


def by_vehicle(tasks: tuple[Task, ...]) -> dict[str, Task]:
    return {task.vehicle_id: task for task in tasks}


def test_a_low_battery_makes_a_swap_where_the_vehicle_stands() -> None:
    tasks = candidates([vehicle("a", HARBOUR.at, 12)], [], Settings())
    (task,) = tasks
    assert task.kinds == (TaskKind.SWAP_BATTERY,)
    assert task.rules == (Rule.LOW_BATTERY,)
    assert (task.batteries, task.vehicles, task.service_s) == (1, 0, 180)
    assert task.after.battery_pct == 100
    assert task.after.at == HARBOUR.at
    assert task.why == "battery 12 % is below 30 %"


def test_the_threshold_itself_is_not_low() -> None:
    assert candidates([vehicle("a", HARBOUR.at, 30)], [], Settings()) == ()


def test_an_unknown_battery_makes_no_swap() -> None:
    assert candidates([vehicle("a", HARBOUR.at, None)], [], Settings()) == ()


@pytest.mark.parametrize("state", ["on_trip", "reserved", "removed", "elsewhere", "missing"])
def test_a_vehicle_that_crews_cannot_reach_is_left_alone(state: str) -> None:
    assert candidates([vehicle("a", HARBOUR.at, 5, vehicle_state=state)], TOWN, Settings()) == ()


def test_a_broken_vehicle_is_neither_swapped_nor_moved_but_an_empty_one_is() -> None:
    broken = vehicle("a", HARBOUR.at, 5, vehicle_state="non_operational")
    assert candidates([broken], [], Settings()) == ()
    (task,) = candidates([replace(broken, out_of_charge=True)], [], Settings())
    assert not task.before.operational
    assert task.after.operational


def test_moving_alone_does_not_bring_a_vehicle_back_into_service() -> None:
    street = Point(40.6300, 22.9460)
    empty = vehicle("a", street, 35, vehicle_state="non_operational", out_of_charge=True)
    (task,) = candidates([empty], TOWN, Settings())
    assert task.kinds == (TaskKind.MOVE,)
    assert not task.after.operational


def test_an_unknown_charge_stays_unknown() -> None:
    (task,) = candidates([vehicle("a", Point(40.6300, 22.9460), None)], TOWN, Settings())
    assert task.before.battery_pct is None
    assert task.before.operational


def test_a_vehicle_outside_goes_to_the_parking_that_lacks_one_and_is_swapped_on_the_way() -> None:
    street = Point(40.6300, 22.9460)
    tasks = by_vehicle(candidates([vehicle("a", street, 8)], TOWN, Settings()))
    task = tasks["a"]
    assert task.kinds == (TaskKind.SWAP_BATTERY, TaskKind.MOVE)
    assert task.to_parking_id == "P1", "the harbour is nearer, but the square is short of vehicles"
    assert set(task.rules) == {
        Rule.LOW_BATTERY, Rule.OUTSIDE_PARKING, Rule.PARKING_BELOW_MINIMUM
    }  # fmt: skip
    assert task.deficit_pct == 100
    assert "Square has 0 of at least 2" in task.why
    assert not task.before.operational
    assert task.after.operational
    assert task.after.cell == SQUARE.at.cell(6)


def test_full_parkings_above_target_give_to_those_below_minimum() -> None:
    fleet = [vehicle(name, HARBOUR.at, battery) for name, battery in (("a", 90), ("b", 50))]
    (task,) = candidates(fleet, TOWN, Settings())
    assert task.vehicle_id == "a", "the fuller battery goes: riders want it there"
    assert (task.from_parking_id, task.to_parking_id) == ("P2", "P1")
    assert task.rules == (Rule.PARKING_BELOW_MINIMUM,)


def test_nobody_is_carried_farther_than_the_sheet_allows() -> None:
    settings = Settings(thresholds=Thresholds(longest_move_km=0.2))
    assert candidates([vehicle("a", Point(40.64, 22.9460))], TOWN, settings) == ()


def test_switched_off_rules_make_nothing() -> None:
    settings = Settings(thresholds=Thresholds(collect_outside=False, fill_parkings=False))
    fleet = [vehicle("a", Point(40.6300, 22.9460)), vehicle("b", HARBOUR.at)]
    assert candidates(fleet, TOWN, settings) == ()


def test_no_parking_is_filled_beyond_its_capacity() -> None:
    only = replace(SQUARE, minimum=0, capacity=1)
    fleet = [vehicle(name, Point(40.6300, 22.9420)) for name in "abc"]
    tasks = candidates(fleet, [only], Settings())
    assert len(tasks) == 1


places = st.builds(Point, st.floats(40.62, 40.64), st.floats(22.93, 22.96))
fleets = st.lists(st.tuples(places, st.none() | st.floats(0, 100)), max_size=12).map(
    lambda rows: [vehicle(f"v{i:02}", at, battery) for i, (at, battery) in enumerate(rows)]
)


@given(fleets, st.randoms())
def test_order_does_not_matter_and_limits_hold(fleet: list[VehicleNow], random: object) -> None:
    tasks = candidates(fleet, TOWN, Settings())
    shuffled = list(fleet)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert candidates(shuffled, TOWN, Settings()) == tasks
    assert len({task.vehicle_id for task in tasks}) == len(tasks)
    for parking in TOWN:
        present = sum(v.parking_id == parking.parking_id for v in fleet)
        arriving = sum(task.to_parking_id == parking.parking_id for task in tasks)
        assert arriving <= max(0, parking.capacity - present)
    for task in tasks:
        assert task.why
        assert task.batteries == task.swaps
        assert task.vehicles == task.moves
