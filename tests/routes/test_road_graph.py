from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from fleetdesk.errors import FleetDeskError
from fleetdesk.model.places import Point
from fleetdesk.routes.osrm import Osrm
from fleetdesk.routes.road_graph import RoadGraph
from fleetdesk.routes.travel_cache import Cached
from fleetdesk.routes.travel_times import Haversine

A, B, C, D = (40.0, 22.0), (40.0, 22.01), (40.01, 22.01), (40.01, 22.0)


def roads(path: Path, *streets: tuple[list[tuple[float, float]], str, str]) -> Path:
    lines = ["highway,oneway,coordinates"]
    for spots, highway, oneway in streets:
        cell = json.dumps([{"lat": lat, "lon": lon} for lat, lon in spots]).replace('"', '""')
        lines.append(f'{highway},{oneway},"{cell}"')
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_ways_follow_streets_and_obey_one_way(tmp_path) -> None:
    path = roads(
        tmp_path / "ring.csv",
        ([A, B], "residential", "yes"),
        ([B, C, D], "primary", "no"),
        ([D, A], "service", ""),
        ([A, C], "footway", ""),
    )
    points = [Point(*A), Point(*B), Point(*C)]
    metres = RoadGraph(path).matrix(points, 36.0).distance_m
    side, up = points[0].distance_m(points[1]), points[1].distance_m(points[2])
    assert metres[0, 1] == pytest.approx(side, abs=1)
    assert metres[1, 0] == pytest.approx(2 * up + side, rel=0.001)
    assert metres[0, 2] == pytest.approx(side + up, rel=0.001)


def test_seconds_are_those_of_the_vans_speed(tmp_path) -> None:
    path = roads(tmp_path / "one.csv", ([A, B], "residential", ""))
    matrix = RoadGraph(path).matrix([Point(*A), Point(*B)], 36.0)
    assert matrix.duration_s[0, 1] == pytest.approx(matrix.distance_m[0, 1] / 10, abs=1)
    assert (matrix.label, matrix.note) == ("streets of one.csv", "")


def test_islands_and_places_at_sea_are_estimated_and_counted(tmp_path) -> None:
    path = roads(
        tmp_path / "two.csv",
        ([A, B, C], "residential", ""),
        ([(40.5, 22.0), (40.5, 22.01)], "residential", ""),
    )
    points = [Point(*A), Point(*C), Point(40.5, 22.005)]
    matrix = RoadGraph(path).matrix(points, 25.0)
    estimated = Haversine().matrix(points, 25.0)
    assert matrix.distance_m[0, 2] == estimated.distance_m[0, 2]
    assert matrix.distance_m[0, 1] != estimated.distance_m[0, 1]
    assert matrix.note.startswith("66.7 % of legs estimated")
    assert matrix.cut_off == (2,)
    kept = Cached(RoadGraph(path), tmp_path / "kept")
    kept.matrix(points, 25.0)
    path.unlink()
    assert kept.matrix(points, 25.0).cut_off == (2,)


def test_files_that_are_none_are_told(tmp_path) -> None:
    points = [Point(*A), Point(*B)]
    with pytest.raises(FleetDeskError, match="cannot be read"):
        RoadGraph(tmp_path / "none.csv").matrix(points, 25.0)
    (tmp_path / "torn.csv").write_text('highway,coordinates\nprimary,"[{"\n', encoding="utf-8")
    with pytest.raises(FleetDeskError, match="cannot be read"):
        RoadGraph(tmp_path / "torn.csv").matrix(points, 25.0)
    with pytest.raises(FleetDeskError, match="no streets for vans"):
        path = roads(tmp_path / "feet.csv", ([A, B], "footway", ""))
        RoadGraph(path).matrix(points, 25.0)
    with pytest.raises(FleetDeskError, match="OSRM"):
        Osrm(tmp_path / "none.osrm").matrix(points, 25.0)


def test_a_kept_matrix_is_taken_again_and_a_torn_one_is_made_anew(tmp_path) -> None:
    path = roads(tmp_path / "one.csv", ([A, B, C], "residential", ""))
    kept = Cached(RoadGraph(path), tmp_path / "kept", "1")
    points = [Point(*A), Point(*C)]
    first = kept.matrix(points, 25.0)
    path.unlink()
    again = Cached(RoadGraph(path), tmp_path / "kept", "1").matrix(points, 25.0)
    assert np.array_equal(first.distance_m, again.distance_m)
    (file,) = (tmp_path / "kept").glob("*.npz")
    file.write_bytes(file.read_bytes()[:50])
    with pytest.raises(FleetDeskError, match="cannot be read"):
        Cached(RoadGraph(path), tmp_path / "kept", "1").matrix(points, 25.0)
    roads(path, ([A, B, C], "residential", ""))
    anew = Cached(RoadGraph(path), tmp_path / "kept", "1").matrix(points, 25.0)
    assert np.array_equal(first.duration_s, anew.duration_s)


def test_a_folder_that_cannot_be_written_keeps_nothing(tmp_path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    points = [Point(*A), Point(*C)]
    made = Cached(Haversine(), tmp_path / "file" / "kept").matrix(points, 25.0)
    assert made.distance_m[0, 1] > 0


def test_a_full_disk_leaves_nothing_behind(tmp_path, monkeypatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    made = Cached(Haversine(), tmp_path / "kept").matrix([Point(*A), Point(*C)], 25.0)
    assert made.distance_m[0, 1] > 0
    assert list((tmp_path / "kept").iterdir()) == []


@pytest.mark.real_data
def test_the_streets_of_a_real_centre(shared_data) -> None:
    pytest.importorskip("osmium")
    draw = np.random.default_rng(1)
    lat, lon = draw.uniform(60.165, 60.178, 200), draw.uniform(24.937, 24.951, 200)
    points = [Point(a, b) for a, b in zip(lat, lon, strict=True)]
    matrix = RoadGraph(shared_data / "osm" / "Helsinki.osm.pbf").matrix(points, 25.0)
    straight = Haversine(1.0).matrix(points, 25.0).distance_m
    apart = straight > 300
    assert (matrix.distance_m >= straight - 1).all()
    assert 1.1 < np.median(matrix.distance_m[apart] / straight[apart]) < 2.5
