"""What the rules of the sheet Task rules make of a fleet small enough to hold in the head."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetdesk.model.fleet import VehicleFacts, VehicleNow
from fleetdesk.model.places import Parking, Point
from fleetdesk.model.work import Rule, Task, TaskKind
from fleetdesk.settings.schema import Settings, Thresholds
from fleetdesk.settings.task_sheets import RULES, TaskRule, When, Work
from fleetdesk.tasks.candidates import candidates
from fleetdesk.tasks.rules import NEED_FACTS

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
SQUARE = Parking("P1", "Square", Point(40.6300, 22.9400), 30, capacity=4, minimum=0, target=2)
HARBOUR = Parking("P2", "Harbour", Point(40.6300, 22.9500), 30, capacity=3, minimum=0, target=3)
TOWN = (SQUARE, HARBOUR)
STREET = Point(40.6300, 22.9460)
SWITCHED_OFF = Thresholds(low_battery_pct=0, collect_outside=False, fill_parkings=False)


def vehicle(name: str, at: Point = SQUARE.at, battery: float | None = 80, **changes) -> VehicleNow:
    there = next((p.parking_id for p in TOWN if p.at.distance_m(at) <= p.radius_m), None)
    now = VehicleNow(
        name, at, at.cell(6), battery, "operational", "available", NOON, NOON, 5.0, there
    )
    return replace(now, **changes)


def rule(when: When, threshold: float | None = None, work: Work = "inspect", **more) -> TaskRule:
    return TaskRule(name=f"R {when}", when=when, threshold=threshold, work=work, **more)


def made(
    *rules: TaskRule, fleet=None, facts=None, parkings=TOWN, thresholds=SWITCHED_OFF
) -> tuple[Task, ...]:
    fleet = [vehicle("a")] if fleet is None else fleet
    known = {"a": facts} if facts else {}
    settings = Settings(task_rules=rules, thresholds=thresholds)
    return candidates(fleet, parkings, settings, None, known)


def test_the_sheets_words_and_the_models_are_the_same() -> None:
    assert set(get_args(When)) == set(RULES)
    assert set(RULES.values()) == set(Rule) - {Rule.SWAP_PAYS}
    assert {TaskKind(word) for word in get_args(Work)} == set(TaskKind)
    assert len(",".join(get_args(When))) <= 255, "longer lists cannot be written into a cell's rule"


@pytest.mark.parametrize(
    ("row", "facts", "why"),
    [
        (rule("days since service", 30), {"days_since_service": 31.0}, "31 days since its last"),
        (rule("open complaints", 2), {"open_complaints": 2}, "2 open complaints (limit 2)"),
        (rule("km since service", 300), {"km": 310.0}, "310 km since its last service"),
        (rule("rides since service", 50), {"rides": 50}, "50 rides since its last service"),
        (rule("hours since service", 9), {"ridden_h": 10.0}, "ridden 10 h since its last"),
        (rule("moved without trip (m)", 200), {"moved_m": 900.0}, "moved 900 m without a trip"),
        (rule("no-park zone"), {"no_park_zone": "Old {town}"}, "forbidden in Old {town}"),
    ],
)
def test_what_the_records_tell_makes_a_task_with_its_reason(row, facts, why) -> None:
    known = VehicleFacts("a", **facts)
    (task,) = made(row, facts=known)
    assert task.kinds == (TaskKind.INSPECT,) and task.rules == (row.rule,)
    assert task.why.startswith(f"{row.name}: ") and why in task.why
    assert made(row.model_copy(update={"active": False}), facts=known) == ()
    assert row.rule in NEED_FACTS
    if row.threshold:
        higher = row.model_copy(update={"threshold": 10_000.0})
        assert made(higher, facts=known) == ()
    assert made(row) == (), "a vehicle of which nothing is known is not named"


def test_idle_and_silent_vehicles_are_named_from_the_threshold_on() -> None:
    (task,) = made(rule("idle (h)", 5))
    assert task.why == "R idle (h): idle for 5 h (limit 5)"
    assert made(rule("idle (h)", 5.1)) == ()
    silent = vehicle("a", last_seen_at=NOON - timedelta(hours=50))
    (task,) = made(rule("no record (h)", 48), fleet=[silent])
    assert "not heard of for 50 h" in task.why


@pytest.mark.parametrize("state", ["missing", "non_contactable"])
def test_only_searches_go_to_vehicles_that_nobody_knows_the_place_of(state: str) -> None:
    lost = vehicle("a", vehicle_state=state, last_seen_at=NOON - timedelta(hours=50))
    (task,) = made(rule("no record (h)", 48), rule("idle (h)", 1), fleet=[lost])
    assert task.rules == (Rule.NO_RECORD,)
    assert not task.after.operational, "nobody knows whether it works"


@pytest.mark.parametrize("state", ["on_trip", "reserved", "removed", "elsewhere"])
def test_nobody_is_sent_to_a_vehicle_that_is_in_hands(state: str) -> None:
    assert made(rule("idle (h)", 1), fleet=[vehicle("a", vehicle_state=state)]) == ()


def test_one_visit_does_all_and_names_each_reason() -> None:
    rules = (
        rule("battery below (%)", 20, "swap battery", extra_priority=5),
        rule("open complaints", 1, service_min=7, must=True, extra_priority=10),
        rule("outside parkings (m)", 50, "move to parking"),
    )
    known = VehicleFacts("a", open_complaints=1)
    (task,) = made(*rules, fleet=[vehicle("a", STREET, 10)], facts=known)
    assert task.kinds == (TaskKind.SWAP_BATTERY, TaskKind.INSPECT, TaskKind.MOVE)
    assert task.task_id == "a swap+inspect+move"
    assert [part.split(":")[0] for part in task.why.split("; ")] == [r.name for r in rules]
    assert task.must and task.extra_priority == 15
    assert task.service_s == 60 * (3 + 7 + 3) and task.drop_off_s == 120
    assert (task.batteries, task.vehicles, task.outside_m > 50) == (1, 1, True)


def test_the_switches_of_thresholds_and_a_rule_make_one_swap_with_both_reasons() -> None:
    urgent = rule("battery below (%)", 15, "swap battery", must=True)
    (task,) = made(urgent, fleet=[vehicle("a", battery=10)], thresholds=Thresholds())
    assert task.why == (
        "battery 10 % is below 30 %; R battery below (%): battery 10 % is below 15 %"
    )
    assert task.must and task.batteries == 1
    (task,) = made(urgent, fleet=[vehicle("a", battery=20)], thresholds=Thresholds())
    assert not task.must, "the rule of the sheet Thresholds alone does not bind"


def test_works_that_need_different_skills_are_visits_of_their_own() -> None:
    rules = (
        rule("idle (h)", 1, "move to parking"),
        rule("km since service", 1, "service", skill="mechanic"),
        rule("open complaints", 1, "inspect", skill="electrician"),
    )
    known = VehicleFacts("a", km=5, open_complaints=1)
    first, second = made(*rules, facts=known)
    assert (first.task_id, first.skill) == ("a inspect (electrician)", "electrician")
    assert (second.task_id, second.skill) == ("a service+move", "mechanic")


def test_a_swap_waits_for_no_mechanic_unless_the_vehicle_is_carried_away() -> None:
    service = rule("km since service", 1, "service", skill="mechanic", must=True)
    low = [vehicle("a", battery=10)]
    known = VehicleFacts("a", km=5)
    thresholds = Thresholds(collect_outside=False, fill_parkings=False)
    mechanic, anyone = made(service, fleet=low, facts=known, thresholds=thresholds)
    assert (mechanic.task_id, mechanic.skill, mechanic.must) == (
        "a service (mechanic)", "mechanic", True
    )  # fmt: skip
    assert (anyone.task_id, anyone.skill, anyone.must) == ("a swap", "", False)
    move = rule("idle (h)", 1, "move to parking")
    (whole,) = made(service, move, fleet=low, facts=known, thresholds=thresholds)
    assert (whole.task_id, whole.skill) == ("a swap+service+move", "mechanic")


def test_an_idle_vehicle_is_not_moved_to_where_it_stands() -> None:
    (task,) = made(rule("idle (h)", 1, "move to parking"))
    assert (task.from_parking_id, task.to_parking_id) == ("P1", "P2")


def test_a_move_that_must_be_done_ends_in_the_workshop_where_no_parking_has_room() -> None:
    known = VehicleFacts("a", no_park_zone="Harbour front")
    move = rule("no-park zone", work="move to parking")
    assert made(move, facts=known, parkings=[SQUARE]) == ()
    must = move.model_copy(update={"must": True})
    (task,) = made(must, facts=known, parkings=[SQUARE])
    assert task.kinds == (TaskKind.BRING_IN,) and task.vehicles == 1 and not task.moves
    assert "no parking within 3 km has room" in task.why
    assert not task.after.operational


def test_bringing_in_leaves_the_swap_to_the_workshop() -> None:
    rules = (rule("battery below (%)", 50, "swap battery"), rule("idle (h)", 1, "bring in"))
    (task,) = made(*rules, fleet=[vehicle("a", battery=9)])
    assert task.kinds == (TaskKind.BRING_IN,) and task.batteries == 0


def test_a_broken_vehicle_works_again_once_repaired() -> None:
    broken = vehicle("a", vehicle_state="non_operational")
    (looked_at,) = made(rule("idle (h)", 1), fleet=[broken])
    (repaired,) = made(rule("idle (h)", 1, "repair"), fleet=[broken])
    assert not looked_at.after.operational
    assert repaired.after.operational and not repaired.before.operational


def test_a_parking_above_its_maximum_gives_away_what_is_too_much() -> None:
    fleet = [
        vehicle(name, battery=battery)
        for name, battery in zip("abcdef", (9, 8, 7, 6, 5, 4), strict=True)
    ]
    tasks = made(rule("parking above maximum", work="move to parking"), fleet=fleet)
    assert [task.vehicle_id for task in tasks] == ["a", "b"], "six stand where four may"
    assert all(task.rules == (Rule.PARKING_ABOVE_MAXIMUM,) for task in tasks)
    assert "Square has 6 of at most 4" in tasks[0].why
    assert {task.to_parking_id for task in tasks} == {"P2"}


def test_a_parking_below_its_minimum_is_filled_by_the_rule_alone() -> None:
    lacking = replace(HARBOUR, minimum=2)
    fleet = [vehicle(name) for name in "abc"]
    fill = rule("parking below minimum", work="move to parking", must=True)
    tasks = made(fill, fleet=fleet, parkings=(SQUARE, lacking))
    assert len(tasks) == 1, "the square keeps its target of two"
    assert tasks[0].must and tasks[0].deficit_pct == 100
    assert "Harbour has 0 of at least 2" in tasks[0].why


spots = st.sampled_from([SQUARE.at, HARBOUR.at, STREET, Point(40.6310, 22.9430)])
vehicles = st.lists(
    st.tuples(
        spots,
        st.none() | st.floats(0, 100),
        st.sampled_from(["available", "non_operational", "missing", "on_trip"]),
        st.booleans(),
    ),
    max_size=10,
)
sheets = st.lists(
    st.builds(
        TaskRule,
        name=st.uuids().map(str),
        when=st.sampled_from(sorted(RULES)),
        threshold=st.floats(0, 100),
        work=st.sampled_from(get_args(Work)),
        must=st.booleans(),
        extra_priority=st.floats(0, 100),
        skill=st.sampled_from(["", "mechanic", "driver"]),
        active=st.booleans(),
    ),
    max_size=5,
)


@given(vehicles, sheets, st.randoms())
def test_whatever_the_rules_order_visits_and_limits_hold(rows, rules, random) -> None:
    fleet = [
        vehicle(f"v{n}", at, battery, vehicle_state=state, out_of_charge=empty)
        for n, (at, battery, state, empty) in enumerate(rows)
    ]
    facts = {
        v.vehicle_id: VehicleFacts(v.vehicle_id, 50.0, 60.0, 7, 8.0, 2, 90.0, "zone") for v in fleet
    }
    settings = Settings(task_rules=tuple(rules))
    tasks = candidates(fleet, TOWN, settings, None, facts)
    random.shuffle(fleet)
    assert candidates(fleet, TOWN, settings, None, facts) == tasks
    assert len({task.task_id for task in tasks}) == len(tasks)
    state = {v.vehicle_id: v for v in fleet}
    named = {rule.name: rule for rule in rules}
    for parking in TOWN:
        present = sum(v.parking_id == parking.parking_id for v in fleet)
        arriving = sum(task.to_parking_id == parking.parking_id for task in tasks)
        assert arriving <= max(0, parking.capacity - present)
    for task in tasks:
        there = [rule for name, rule in named.items() if f"{name}: " in task.why]
        assert task.why and task.kinds and task.rules
        assert all(rule.active for rule in there)
        assert task.must == any(rule.must for rule in there)
        assert task.extra_priority == pytest.approx(sum(rule.extra_priority for rule in there))
        assert task.skill == "" or task.skill in {rule.skill for rule in there}
        assert task.vehicles == int(task.moves or TaskKind.BRING_IN in task.kinds)
        assert task.batteries == int(task.swaps)
        assert state[task.vehicle_id].vehicle_state != "on_trip"
        assert task.to_parking_id is None or task.to_parking_id != task.from_parking_id
