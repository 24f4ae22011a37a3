"""Streets to be drawn: by class, cut to the picture, kept on disk."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fleetdesk.errors import FleetDeskError
from fleetdesk.routes import kept_arrays
from fleetdesk.routes.roads import RoadClass, Roads, roads

STREETS = {
    "motorway_link": [(40.0, 22.0), (40.0, 22.02)],
    "tertiary": [(40.001, 22.0), (40.001, 22.01), (40.001, 22.05), (40.001, 22.011)],
    "residential": [(40.002, 22.001), (40.003, 22.002)],
    "service": [(40.002, 22.003), (40.003, 22.003)],
    "footway": [(40.002, 22.004), (40.003, 22.004)],
}
BOX = (39.99, 21.99, 40.01, 22.012)
SIZE = {RoadClass.MAIN: 2, RoadClass.THROUGH: 4, RoadClass.STREET: 2, RoadClass.SERVICE: 2}


def road_list(path: Path) -> Path:
    lines = ["highway,coordinates"]
    for highway, spots in STREETS.items():
        cell = json.dumps([{"lat": lat, "lon": lon} for lat, lon in spots]).replace('"', '""')
        lines.append(f'{highway},"{cell}"')
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def city(tmp_path: Path) -> Roads:
    return roads(road_list(tmp_path / "city.csv"), tmp_path / "kept", "1")


def test_streets_come_by_class_and_ways_for_feet_do_not(city: Roads) -> None:
    found = city.within(BOX, 100)
    assert {kind: sum(map(len, lines)) for kind, lines in found.items()} == SIZE
    np.testing.assert_array_equal(found[RoadClass.MAIN][0], STREETS["motorway_link"])
    assert city.credit == "city.csv"


def test_lines_reach_over_the_edge_and_are_cut_where_they_stay_outside(city: Roads) -> None:
    far = city.within((40.0005, 22.0505, 40.0015, 22.06), 100)
    assert far == {}, "no point of the line is in there"
    left = city.within((40.0005, 21.99, 40.0015, 22.005), 100)[RoadClass.THROUGH]
    assert [len(line) for line in left] == [2]
    both_ends = Roads(
        np.array([0.0, 0.0, 0.0, 0.0, 0.0]), np.array([0.0, 1.0, 2.0, 1.0, 0.0]) * 5,
        np.zeros(5, np.int64), np.zeros(5, np.int8), "",
    ).within((-1, -1, 1, 1), 100)  # fmt: skip
    assert [line[:, 1].tolist() for line in both_ends[RoadClass.MAIN]] == [[0, 5], [5, 0]]


def test_a_straight_street_is_drawn_where_only_its_middle_is_in_the_picture() -> None:
    """From west to east and from north to south; beside the picture it is not."""
    spots = [(0, -9), (0, 9), (9, 0.5), (-9, 0.5), (2, -9), (2, 9), (9, 2), (-9, 2)]
    lat, lon = np.array(spots, np.float64).T
    line = np.repeat(np.arange(4), 2)
    cross = Roads(lat, lon, line, np.zeros(8, np.int8), "")
    found = cross.within((-1, -1, 1, 1), 100)[RoadClass.MAIN]
    assert [one.tolist() for one in found] == [[[0, -9], [0, 9]], [[9, 0.5], [-9, 0.5]]]
    assert cross.reach((-1, -1, 1, 1)) and not cross.reach((3, 3, 4, 4))


@pytest.mark.parametrize("most", range(12))
def test_what_matters_least_is_left_out_first(city: Roads, most: int) -> None:
    found = city.within(BOX, most)
    assert sum(len(line) for lines in found.values() for line in lines) <= most
    assert list(found) == list(RoadClass)[: len(found)]
    if 0 < len(found) < len(SIZE):
        assert sum(SIZE[kind] for kind in list(RoadClass)[: len(found) + 1]) > most


def test_main_streets_alone_over_the_limit_are_thinned_and_still_there() -> None:
    long, short = np.linspace(0, 1, 900), np.full(100, 0.5)
    lat = np.concatenate([long, short])
    line = np.repeat([0, 1], [900, 100])
    many = Roads(lat, lat, line, np.zeros(1000, np.int8), "")
    (found,) = (many.within((-1, -1, 2, 2), 90)[RoadClass.MAIN],)
    assert sum(map(len, found)) <= 90 and len(found[0]) > 70
    assert found[0][0].tolist() == [0, 0] and found[0][-1].tolist() == [1, 1]


def test_streets_are_read_once_and_again_when_the_file_changes(tmp_path: Path) -> None:
    path = road_list(tmp_path / "city.csv")
    first = roads(path, tmp_path / "kept", "1")
    path.write_text("highway,coordinates\n", encoding="utf-8")
    assert len(roads(path, tmp_path / "kept", "1").lat) == len(first.lat)
    (kept,) = (tmp_path / "kept").rglob("*.npz")
    content = kept.read_bytes()
    assert len(roads(path, tmp_path / "kept", "2").lat) == 0
    assert len(list((tmp_path / "kept").rglob("*.npz"))) == 1, "those of before are of no use"
    for torn in _torn(content):
        kept.write_bytes(torn)
        assert len(roads(path, tmp_path / "kept", "1").lat) == 0, "what is kept is torn"


def test_any_number_of_matrices_leaves_the_streets_where_they_are(tmp_path: Path) -> None:
    path = road_list(tmp_path / "city.csv")
    first = roads(path, tmp_path / "kept", "1")
    for number in range(kept_arrays.MOST_KEPT + 1):
        kept_arrays.keep(tmp_path / "kept" / f"{number}.npz", {"a": np.zeros(1)})
    assert len(list((tmp_path / "kept").glob("*.npz"))) == kept_arrays.MOST_KEPT
    path.write_text("highway,coordinates\n", encoding="utf-8")
    assert len(roads(path, tmp_path / "kept", "1").lat) == len(first.lat)


def _torn(content: bytes) -> Iterator[bytes]:
    """Cut off, with bytes turned over in data and heads, and with arrays of text."""
    yield content[:40]
    for at in range(60, len(content) - 60, 37):
        yield (
            content[:at] + bytes(255 - byte for byte in content[at : at + 30]) + content[at + 30 :]
        )
    text = io.BytesIO()
    np.savez(text, **dict.fromkeys(("lat", "lon", "line", "road_class"), np.array(["a", "b"])))
    yield text.getvalue()


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(tmp_path: Path) -> None:
    path = road_list(tmp_path / "city.csv")
    assert len(roads(path, path / "kept", "1").lat) == sum(SIZE.values())


@pytest.mark.parametrize(
    "content",
    [
        "name\nx\n", "highway,coordinates\nprimary\n", "highway,coordinates\nprimary,null\n",
        'highway,coordinates\nprimary,"[1, 2]"\n',
        'highway,coordinates\nprimary,"[{""lat"": null, ""lon"": 1}]"\n',
        'highway,coordinates\nprimary,"[{""lat"": NaN, ""lon"": 1}]"\n',
        'highway,coordinates\nprimary,"[{""lat"": 91, ""lon"": 1}]"\n',
        f"highway,coordinates\nprimary,{'x' * 140_000}\n",
    ],
)  # fmt: skip
def test_a_broken_file_is_a_sentence(tmp_path: Path, content: str) -> None:
    path = tmp_path / "city.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(FleetDeskError, match=r"city\.csv cannot be read"):
        roads(path, tmp_path / "kept", "1")


@pytest.mark.real_data
def test_a_real_extract(shared_data: Path, tmp_path: Path) -> None:
    found = roads(shared_data / "osm" / "Helsinki.osm.pbf", tmp_path, "1")
    assert found.credit == "© OpenStreetMap"
    drawn = found.within((60.165, 24.936, 60.178, 24.952), 60_000)
    assert list(drawn) == list(RoadClass) and len(drawn[RoadClass.STREET]) > 50
