"""What every source of travel times must keep to; new adapters join KINDS."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from time import process_time

import numpy as np
import pytest

from fleetdesk.errors import FleetDeskError
from fleetdesk.model.places import Point
from fleetdesk.routes.road_graph import RoadGraph
from fleetdesk.routes.travel_cache import Cached
from fleetdesk.routes.travel_times import Haversine, TravelTimes

KINDS = ["straight line", "streets", "streets kept on disk"]
CITY = [
    Point(40.6401, 22.9444),
    Point(40.6264, 22.9484),
    Point(40.5900, 22.9600),
    Point(40.6401, 22.9444),
]


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A road list: a grid of streets about the city, 200 m apart."""
    path = tmp_path_factory.mktemp("roads") / "grid.csv"
    lats = [40.56 + n / 500 for n in range(80)]
    lons = [22.88 + n / 400 for n in range(60)]
    streets = [[(lat, lon) for lon in lons] for lat in lats]
    streets += [[(lat, lon) for lat in lats] for lon in lons]
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["name", "highway", "coordinates"])
        for street in streets:
            spots = json.dumps([{"lat": lat, "lon": lon} for lat, lon in street])
            rows.writerow(["", "residential", spots])
    return path


@pytest.fixture(params=KINDS)
def adapter(request: pytest.FixtureRequest, grid: Path, tmp_path: Path) -> TravelTimes:
    if request.param == "straight line":
        return Haversine()
    streets = RoadGraph(grid)
    return streets if request.param == "streets" else Cached(streets, tmp_path)


def test_every_cell_is_a_whole_number_of_metres_and_seconds(adapter: TravelTimes) -> None:
    matrix = adapter.matrix(CITY, 25.0)
    for cells in (matrix.distance_m, matrix.duration_s):
        assert cells.shape == (4, 4)
        assert cells.dtype == np.int64
        assert (cells >= 0).all()
        assert (np.diag(cells) == 0).all()
    assert matrix.label == adapter.label != ""


def test_no_leg_is_shorter_than_the_straight_line(adapter: TravelTimes) -> None:
    matrix = adapter.matrix(CITY, 25.0)
    for row, start in enumerate(CITY):
        for column, end in enumerate(CITY):
            assert matrix.distance_m[row, column] >= int(start.distance_m(end))


def test_the_same_place_twice_is_no_way_apart(adapter: TravelTimes) -> None:
    matrix = adapter.matrix(CITY, 25.0)
    assert matrix.distance_m[0, 3] == matrix.duration_s[3, 0] == 0


@pytest.mark.parametrize("count", [0, 1])
def test_no_points_and_one_point(adapter: TravelTimes, count: int) -> None:
    matrix = adapter.matrix(CITY[:count], 25.0)
    assert matrix.distance_m.shape == matrix.duration_s.shape == (count, count)


@pytest.mark.parametrize("speed_kmh", [0.0, -5.0, float("nan"), float("inf")])
def test_a_speed_that_is_none_is_refused(adapter: TravelTimes, speed_kmh: float) -> None:
    with pytest.raises(FleetDeskError, match="driving speed"):
        adapter.matrix(CITY, speed_kmh)


def test_a_position_off_the_globe_is_refused(adapter: TravelTimes) -> None:
    with pytest.raises(FleetDeskError, match="latitude 140"):
        adapter.matrix([Point(140.0, 22.0)], 25.0)
    with pytest.raises(FleetDeskError, match="longitude nan"):
        adapter.matrix([Point(40.0, float("nan"))], 25.0)


def test_a_thousand_points_in_a_second_or_two(adapter: TravelTimes) -> None:
    """Counting to a million takes 30 ms, or longer where the computer is slow or busy."""
    assert any(_cost(adapter, 40.5 + again / 1e5) <= 60 * _counting() for again in range(3))


def _cost(adapter: TravelTimes, lat: float) -> float:
    points = [Point(lat + n / 5000, 22.9 + n % 37 / 500) for n in range(1000)]
    began = process_time()
    matrix = adapter.matrix(points, 25.0)
    spent = process_time() - began
    assert (matrix.distance_m[~np.eye(1000, dtype=bool)] > 0).all()
    return spent


def _counting() -> float:
    """What it takes here and now to count as many legs."""
    began = process_time()
    assert sum(1 for _ in range(1_000_000)) == 1_000_000
    return process_time() - began
