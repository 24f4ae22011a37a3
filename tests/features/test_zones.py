"""Points in zones: holes, the order of rules, times."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetdesk.features.zones import NO_RULE, deciding, forbidden, inside, polygons_of
from fleetdesk.sources.zone_rows import zone_table

SUNDAY = datetime(2024, 5, 5, 10, tzinfo=UTC)  # 13:00 in Athens
ATHENS = "Europe/Athens"


def square(west: float, south: float, side: float = 1.0) -> list[list[float]]:
    east, north = west + side, south + side
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def outline(*polygons: list[list[list[float]]]) -> str:
    return json.dumps({"type": "MultiPolygon", "coordinates": polygons})


def zone(name: str, rank: int = 0, **given_: Any) -> dict[str, Any]:
    return {
        "zone_id": name, "rule_id": "1", "ruleset": "town", "rank": rank, "name": name,
        "listed_at": SUNDAY.replace(tzinfo=None), "outline": outline([square(0, 0)]), **given_,
    }  # fmt: skip


def ruled(*rows: dict[str, Any], lat: Any = 0.5, lon: Any = 0.5, **more: Any) -> list[bool]:
    at = more.pop("at", SUNDAY)
    found = forbidden(
        zone_table(rows), "parking_allowed", np.atleast_1d(lat), np.atleast_1d(lon),
        at=at, timezone=ATHENS, **more,
    )  # fmt: skip
    return list(map(bool, found))


def test_a_hole_is_outside_and_polygons_add_up():
    polygons = polygons_of(outline([square(0, 0, 4), square(1, 1)], [square(10, 0)]))
    lat = np.array([0.5, 1.5, 3.0, 0.5, 0.5, np.nan])
    lon = np.array([0.5, 1.5, 3.0, 10.5, 5.0, 0.5])
    assert inside(polygons, lat, lon).tolist() == [True, False, True, True, False, False]


@given(st.lists(st.floats(0.5, 9.0), min_size=3, max_size=9))
def test_points_in_rings_of_any_form_are_those_that_the_ring_winds_around(radii):
    angles = np.linspace(0, 2 * np.pi, len(radii), endpoint=False)
    ring = np.array(radii)[:, None] * np.c_[np.cos(angles), np.sin(angles)]
    axis = np.linspace(-9.37, 9.41, 24)
    points = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    winds = np.abs(winding(ring, points))
    clear = np.abs(winds - np.round(winds)) < 1e-6  # on the ring itself either answer is right
    found = inside(polygons_of(outline([ring.tolist()])), points[:, 1], points[:, 0])
    assert (found == (winds > 0.5))[clear].all()


def winding(ring: np.ndarray, points: np.ndarray) -> np.ndarray:
    """How often a ring goes around each point: the sum of the angles of its sides."""
    total = np.zeros(len(points))
    for one, two in zip(ring, np.roll(ring, -1, axis=0), strict=True):
        (ax, ay), (bx, by) = (one - points).T, (two - points).T
        total += np.arctan2(ax * by - ay * bx, ax * bx + ay * by)
    return total / (2 * np.pi)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "not a GeoJSON geometry"),
        ("3", "not a GeoJSON geometry"),
        ('{"type": "Point", "coordinates": [1, 2]}', "Point instead of"),
        ('{"type": "MultiPolygon", "coordinates": []}', "no polygon"),
        (outline([]), "without a ring"),
        (outline([[[0, 0], [1, 1], [0, 0]]]), "fewer than three corners"),
        (outline([[[0, 0], [1, "x"], [1, 0]]]), "no longitude and latitude"),
        (outline([[[0, 0], [200, 1], [1, 0]]]), "off the earth"),
    ],
)
def test_an_outline_that_cannot_be_read_is_told(text: str, told: str):
    with pytest.raises(ValueError, match=told):
        polygons_of(text)


def test_the_first_rule_that_speaks_of_the_matter_decides():
    allowed = zone("bay", 0, parking_allowed=True)
    silent = zone("slow", 1, speed_limit_kmh=10.0)
    no = zone("no parking", 2, parking_allowed=False, outline=outline([square(0, 0, 2)]))
    assert ruled(silent, no) == [True]
    assert ruled(allowed, silent, no, lat=[0.5, 1.5, 3], lon=[0.5, 1.5, 3]) == [False, True, False]
    assert ruled(no | {"rank": 0}, allowed | {"rank": 2}) == [True]


def test_of_several_rulesets_the_strictest_decides():
    city = zone("city", 5, parking_allowed=False, ruleset="city", speed_limit_kmh=20.0)
    feed = zone("feed", 0, parking_allowed=True, speed_limit_kmh=6.0)
    table = zone_table([city, feed])
    assert ruled(city, feed) == ruled(feed, city) == [True]
    slow = deciding(table, "speed_limit_kmh", [0.5, 9], [0.5, 9], at=SUNDAY, timezone=ATHENS)
    assert slow.tolist() == [1, NO_RULE]


def test_a_rule_without_outline_holds_everywhere():
    assert ruled(zone("all", outline=None, parking_allowed=False), lat=80, lon=170) == [True]


def test_rules_for_some_vehicles_leave_others_alone():
    rule = zone("bikes", parking_allowed=False, vehicle_types="bike+cargo")
    kinds = ["bike", "scooter", None]
    assert ruled(rule, lat=[0.5] * 3, lon=[0.5] * 3, kinds=kinds) == [True, False, True]
    assert ruled(rule) == [True]


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        ({}, True),
        ({"days": "sat+sun"}, True),
        ({"days": "mon"}, False),
        ({"from_time": "12:30:00", "to_time": "13:30:00"}, True),  # local
        ({"from_time": "13:30:00"}, False),
        ({"from_time": "22:00:00", "to_time": "14:00:00"}, True),  # over midnight
        ({"from_time": "22:00:00", "to_time": "06:00:00"}, False),
        ({"valid_from": datetime(2024, 5, 5, 10)}, True),
        ({"valid_from": datetime(2024, 5, 5, 11)}, False),
        ({"valid_to": datetime(2024, 5, 5, 10)}, False),
        ({"valid_to": datetime(2024, 5, 5, 11)}, True),
    ],
)
def test_a_rule_holds_in_its_time_only(when: dict[str, Any], holds: bool):
    assert ruled(zone("z", parking_allowed=False, **when)) == [holds]


def test_no_points_and_no_zones():
    nothing = deciding(zone_table([]), "parking_allowed", [0.5], [0.5], at=SUNDAY, timezone="UTC")
    assert nothing.tolist() == [NO_RULE]
    assert ruled(zone("z", parking_allowed=False), lat=[], lon=[]) == []
    assert isinstance(zone_table([]), pa.Table)
