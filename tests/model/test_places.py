"""Geohash and distances against published vectors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetdesk.model.places import Point, cell_bounds, cells_around, geohash

points = st.builds(Point, st.floats(-90, 90), st.floats(-180, 180))


@pytest.mark.parametrize(
    ("lat", "lon", "expected"),
    [(57.64911, 10.40744, "u4pruydqqvj"), (42.605, -5.603, "ezs42"), (90, 180, "zzzzzzz")],
)
def test_known_geohashes(lat: float, lon: float, expected: str) -> None:
    assert geohash(lat, lon, len(expected)) == expected


@given(points, st.integers(1, 9))
def test_a_cell_holds_the_point_it_was_made_from(point: Point, precision: int) -> None:
    low, high = cell_bounds(point.cell(precision))
    rounding = 1e-9  # degrees: a point a hair off an edge may round to the other side
    assert low.lat - rounding <= point.lat <= high.lat + rounding
    assert low.lon - rounding <= point.lon <= high.lon + rounding


@given(points, points)
def test_distance_is_symmetric_and_bounded(a: Point, b: Point) -> None:
    assert a.distance_m(b) == pytest.approx(b.distance_m(a))
    assert 0 <= a.distance_m(b) <= 20_016_000


def test_one_degree_of_latitude() -> None:
    assert Point(40, 22).distance_m(Point(41, 22)) == pytest.approx(111_195, abs=1)


def test_cells_around_touch_and_wrap_at_the_date_line():
    around = cells_around("sx0r4h")
    assert len(around) == 8 and all("sx0r4h" in cells_around(cell) for cell in around)
    at_the_line = Point(0.5, 179.99).cell(6)
    assert any(cell_bounds(cell)[0].lon < 0 for cell in cells_around(at_the_line))
    assert cells_around("") == ()
