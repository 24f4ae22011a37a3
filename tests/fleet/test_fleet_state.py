from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest

from fleetdesk.fleet.fleet_state import counts, edge_distances_m, fleet_now
from fleetdesk.model.places import Parking, Point, geohash

AS_OF = datetime(2024, 6, 3, 12, tzinfo=UTC)
DEGREE_M = 111_195.08  # one degree of latitude on the sphere


def north(metres: float) -> float:
    return 40 + metres / DEGREE_M


def parking(parking_id: str, metres: float, radius_m: float) -> Parking:
    return Parking(parking_id, parking_id.upper(), Point(north(metres), 22.0), radius_m)


def row(vehicle_id: str, metres: float, state: str = "available"):
    return {
        "vehicle_id": vehicle_id, "lat": north(metres), "lon": 22.0, "battery_pct": 50.0,
        "vehicle_state": state, "event_types": "trip_end", "phase": "operational",
        "last_seen_at": datetime(2024, 6, 3, 11), "idle_h": 3.5,
    }  # fmt: skip


NARROW, WIDE = parking("narrow", 0, 10), parking("wide", 40, 60)


@pytest.mark.parametrize(
    ("metres", "expected"),
    [
        (9.9, "narrow"),  # nearer to the narrow one, although the wide one reaches it as well
        (10.1, "wide"),  # nearest of those that reach it, not simply the nearest
        (99.9, "wide"),
        (100.1, None),
    ],
)
def test_the_nearest_parking_whose_own_radius_reaches(metres, expected):
    (vehicle,) = fleet_now([row("v", metres)], [WIDE, NARROW], AS_OF)
    assert vehicle.parking_id == expected


def test_equally_near_parkings_are_told_apart_by_id():
    same = [parking("b", 0, 10), parking("a", 0, 10)]
    assert fleet_now([row("v", 0)], same, AS_OF)[0].parking_id == "a"


@pytest.mark.parametrize("state", ["on_trip", "removed", "missing", "non_contactable", "elsewhere"])
def test_only_what_stands_is_at_a_parking(state):
    (vehicle,) = fleet_now([row("v", 0, state)], [NARROW], AS_OF)
    assert vehicle.parking_id is None


def test_the_rest_is_carried_over_in_the_order_of_ids():
    later, first = fleet_now([row("z", 5), row("b", 70, "reserved")], [NARROW, WIDE], AS_OF)[::-1]
    assert (first.vehicle_id, later.vehicle_id) == ("b", "z")
    assert first.cell == geohash(north(70), 22.0, 7)
    assert first.last_seen_at == datetime(2024, 6, 3, 11, tzinfo=UTC)
    assert (first.idle_h, first.battery_pct, first.as_of) == (3.5, 50.0, AS_OF)
    assert counts([first, later], [NARROW, WIDE, parking("empty", 500, 5)]) == {
        "narrow": 1, "wide": 1, "empty": 0,
    }  # fmt: skip


def test_distance_to_the_edge_of_the_nearest_parking():
    fleet = fleet_now([row("a", 5), row("b", 150), row("c", -60)], [NARROW, WIDE], AS_OF)
    # c is 50 m from the edge of the nearer centre, but 40 m from that of the wider parking.
    assert edge_distances_m(fleet, [NARROW, WIDE]) == pytest.approx([0, 50, 40], abs=0.01)
    assert edge_distances_m(fleet, []).tolist() == [math.inf] * 3


def test_no_vehicles_and_more_than_one_chunk():
    assert fleet_now([], [NARROW], AS_OF) == ()
    many = [row(f"v{i:05d}", 0 if i % 2 else 300) for i in range(2500)]
    fleet = fleet_now(many, [NARROW], AS_OF)
    assert counts(fleet, [NARROW]) == {"narrow": 1250}
    assert fleet_now(many, [], AS_OF)[1].parking_id is None
