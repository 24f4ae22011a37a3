from __future__ import annotations

import ibis
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetdesk.features.cell_expressions import haversine_m
from fleetdesk.features.cells import geohash_many, haversine
from fleetdesk.model.places import Point, geohash

LATS = st.floats(-90, 90, allow_nan=False)
LONS = st.floats(-180, 180, allow_nan=False)


@given(st.lists(st.tuples(LATS, LONS), min_size=1, max_size=20), st.integers(1, 12))
def test_geohash_many_agrees_with_one_at_a_time(points, precision):
    lats, lons = zip(*points, strict=True)
    expected = [geohash(lat, lon, precision) for lat, lon in points]
    assert geohash_many(lats, lons, precision).tolist() == expected


def test_geohash_of_a_published_point():
    assert geohash_many([57.64911], [10.40744], 11).tolist() == ["u4pruydqqvj"]


def test_geohash_many_of_nothing_is_empty_text():
    cells = geohash_many([], [], 7)
    assert cells.shape == (0,)
    assert cells.dtype.kind == "U"


def test_a_missing_coordinate_has_no_cell():
    assert geohash_many([40.6, np.nan], [22.9, 22.9], 5).tolist()[1] == ""


def test_unequal_lengths_are_refused():
    with pytest.raises(ValueError, match="2 latitudes but 1 longitudes"):
        geohash_many([1, 2], [1], 6)


@given(LATS, LONS, LATS, LONS)
def test_haversine_agrees_with_the_model(lat_a, lon_a, lat_b, lon_b):
    expected = Point(lat_a, lon_a).distance_m(Point(lat_b, lon_b))
    assert haversine(lat_a, lon_a, lat_b, lon_b) == pytest.approx(expected, abs=1e-3)


def test_haversine_expression_agrees_with_numpy():
    rng = np.random.default_rng(3)
    lat_a, lat_b = rng.uniform(-90, 90, (2, 200))
    lon_a, lon_b = rng.uniform(-180, 180, (2, 200))
    table = ibis.memtable({"a": lat_a, "b": lon_a, "c": lat_b, "d": lon_b})
    found = ibis.duckdb.connect().execute(haversine_m(table.a, table.b, table.c, table.d))
    np.testing.assert_allclose(found, haversine(lat_a, lon_a, lat_b, lon_b), rtol=1e-9, atol=1e-6)
