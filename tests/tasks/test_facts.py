"""What the records tell of a vehicle is looked up, and only where a rule in use asks for it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import ibis
import pytest
from tests.features.conftest import T0, build

from fleetdesk.model.fleet import VehicleFacts, VehicleNow
from fleetdesk.model.places import Point
from fleetdesk.settings.schema import Settings
from fleetdesk.settings.task_sheets import TaskRule, When
from fleetdesk.tasks.facts import no_parking, vehicle_facts

NOW = T0.replace(tzinfo=UTC) + timedelta(hours=10)
HERE, THERE = Point(40.63, 22.94), Point(40.70, 22.94)


def at(hours: float) -> datetime:
    return T0 + timedelta(hours=hours)


def asking(*whens: When, active: bool = True) -> Settings:
    rules = [
        TaskRule(name=when, when=when, threshold=1, work="inspect", active=active) for when in whens
    ]
    return Settings(task_rules=tuple(rules))


def vehicle(name: str, where: Point) -> VehicleNow:
    return VehicleNow(name, where, where.cell(6), 50, "operational", "available", NOW, NOW)


@pytest.fixture
def tables() -> dict[str, Any]:
    ring = [[22.93, 40.62], [22.95, 40.62], [22.95, 40.64], [22.93, 40.64], [22.93, 40.62]]
    zone = {
        "zone_id": "z", "rule_id": "r", "ruleset": "feed", "rank": 0, "name": "Old town",
        "parking_allowed": False, "vehicle_types": "scooter",
        "outline": json.dumps({"type": "Polygon", "coordinates": [ring]}),
    }  # fmt: skip
    event = {
        "event_id": "1", "vehicle_id": "a", "event_at": at(0), "vehicle_state": "available",
        "event_types": "trip_end", "lat": HERE.lat, "lon": HERE.lon,
    }  # fmt: skip
    ping = {"vehicle_id": "a", "recorded_at": at(5), "lat": HERE.lat + 0.01, "lon": HERE.lon}
    complaint = {"complaint_id": "c", "vehicle_id": "a", "filed_at": at(1)}
    types = [
        {"vehicle_id": "a", "vehicle_type": "scooter"},
        {"vehicle_id": "b", "vehicle_type": "bike"},
    ]
    rows = {
        "zones": [zone], "events": [event], "telemetry": [ping], "complaints": [complaint],
        "vehicles": types, "trips": [], "service_tasks": [],
    }  # fmt: skip
    return {name: ibis.memtable(build(name, given)) for name, given in rows.items()}


def test_nothing_is_read_where_no_rule_in_use_asks(tables) -> None:
    fleet = [vehicle("a", HERE)]
    assert vehicle_facts({}, fleet, Settings(), NOW) == {}
    assert vehicle_facts({}, fleet, asking("idle (h)", "battery below (%)"), NOW) == {}
    assert vehicle_facts({}, fleet, asking("open complaints", active=False), NOW) == {}


def test_complaints_days_and_moves_come_from_the_records(tables) -> None:
    fleet = [vehicle("a", HERE), vehicle("unknown", HERE)]
    found = vehicle_facts(tables, fleet, asking("open complaints"), NOW)
    a = found["a"]
    assert a.open_complaints == 1
    assert a.days_since_service == pytest.approx(10 / 24)
    assert a.moved_m == pytest.approx(1112, rel=0.01)
    assert a.no_park_zone == "", "zones were not asked for"
    assert found["unknown"] == VehicleFacts("unknown")


def test_a_zone_is_named_for_the_vehicles_that_it_is_for_and_that_stand_in_it(tables) -> None:
    fleet = [vehicle("a", HERE), vehicle("b", HERE), vehicle("c", THERE)]
    found = vehicle_facts(tables, fleet, asking("no-park zone"), NOW)
    assert {name: facts.no_park_zone for name, facts in found.items()} == {
        "a": "Old town", "b": "", "c": ""
    }  # fmt: skip
    no_zones = {**tables, "zones": ibis.memtable(build("zones", []))}
    assert vehicle_facts(no_zones, fleet, asking("no-park zone"), NOW)["a"].no_park_zone == ""


def test_zones_of_now_where_no_vehicle_may_stand_come_with_their_corners(tables) -> None:
    (zone,) = no_parking(tables, Settings(), NOW)
    ((ring,),) = zone.polygons
    assert (zone.name, len(ring), ring[1]) == ("Old town", 5, Point(40.62, 22.95))
    given = tables["zones"].to_pyarrow().to_pylist()[0]
    others = [
        {**given, "valid_to": at(0)},
        {**given, "rule_id": "open", "parking_allowed": True},
        {**given, "rule_id": "everywhere", "outline": None},
        {**given, "rule_id": "at night", "from_time": "23:00:00", "to_time": "05:00:00"},
    ]
    quiet = {"zones": ibis.memtable(build("zones", others))}
    assert no_parking(quiet, Settings(), NOW) == ()
