"""What lies under the maps: never a reason for a run to stop."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetdesk.errors import Severity
from fleetdesk.settings.schema import Settings
from fleetdesk.workflows.map_ground import map_ground


def test_without_a_word_on_the_sheet_the_ground_is_plain(tmp_path: Path) -> None:
    ground, warnings = map_ground(Settings(), tmp_path)
    assert (ground.roads, ground.tiles, warnings) == (None, None, ())


def test_roads_are_drawn_whatever_gives_the_times_and_kept_beside_their_file(
    tmp_path: Path,
) -> None:
    path = tmp_path / "roads" / "city.csv"
    path.parent.mkdir()
    path.write_text('highway,coordinates\nprimary,"[{""lat"": 1, ""lon"": 2}]"\n')
    ground, warnings = map_ground(Settings(travel={"road_file": "roads/city.csv"}), tmp_path)
    assert ground.roads is not None and ground.roads.lat.tolist() == [1.0]
    assert warnings == ()
    assert list((tmp_path / "roads" / "city.csv.travel").rglob("*.npz"))


@pytest.mark.parametrize(
    ("travel", "row"),
    [
        ({"road_file": "none.csv"}, "Road file"),
        ({"road_file": "torn.osm.pbf"}, "Road file"),
        ({"city_map_file": "none.pmtiles"}, "City map file"),
        ({"city_map_file": "torn.osm.pbf"}, "City map file"),
        ({"city_map_file": f"{'x' * 300}.pmtiles"}, "City map file"),
        ({"road_file": f"{'x' * 300}.csv"}, "Road file"),
        ({"road_file": "~nobody of that name/city.csv"}, "Road file"),
    ],
)
def test_what_cannot_be_drawn_is_a_warning(tmp_path: Path, travel, row: str) -> None:
    (tmp_path / "torn.osm.pbf").write_bytes(b"\0\0\0\x0dnonsense")
    ground, (warning,) = map_ground(Settings(travel=travel), tmp_path)
    assert ground.roads is None
    assert warning.severity is Severity.WARNING and row in warning.fix
    assert next(iter(travel.values())) in str(warning)


def test_a_file_without_streets_or_of_another_city_is_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "city.CSV"
    settings = Settings(
        travel={"road_file": "city.CSV"},
        workers=[{"name": "Maria", "start_lat": 40.6, "start_lon": 22.9}],
    )
    path.write_text('highway,coordinates\nfootway,"[{""lat"": 40.6, ""lon"": 22.9}]"\n')
    ground, (warning,) = map_ground(settings, tmp_path)
    assert ground.roads is None and "holds no street" in str(warning)
    path.write_text('highway,coordinates\nprimary,"[{""lat"": 22.9, ""lon"": 40.6}]"\n')
    _, (warning,) = map_ground(settings, tmp_path)
    assert "no street of city.CSV is near where a worker starts" in str(warning)
    path.write_text('highway,coordinates\nprimary,"[{""lat"": 40.61, ""lon"": 22.9}]"\n,\n')
    _, (warning,) = map_ground(settings, tmp_path)
    assert "line 3 holds no list of positions" in str(warning)
    path.write_text('highway,coordinates\nprimary,"[{""lat"": 40.61, ""lon"": 22.9}]"\n')
    assert map_ground(settings, tmp_path)[1] == ()


def test_the_network_of_osrm_holds_no_streets_to_draw(tmp_path: Path) -> None:
    ground, warnings = map_ground(Settings(travel={"road_file": "city.osrm"}), tmp_path)
    assert (ground.roads, warnings) == (None, ())


def test_tiles_are_those_of_the_sheet(tmp_path: Path) -> None:
    for address, origin in (
        ("https://example.org/{x}/{y}?z={z}", "https://example.org"),
        ("https://Tiles.Example.org:443/{z}/{y}/{x}.png", "https://tiles.example.org"),
        ("http://localhost:80/{z}/{x}/{y}", "http://localhost"),
        (
            "https://{s}.tiles.example.org:8443/v1/{z}/{x}/{y}{r}.png?key=1",
            "https://*.tiles.example.org:8443",
        ),
    ):
        ground, _ = map_ground(Settings(travel={"map_tiles": address}), tmp_path)
        assert ground.tiles is not None
        assert ground.tiles.origin == origin
    assert ground.tiles.credit == "© OpenStreetMap contributors"


@pytest.mark.parametrize(
    "address",
    [
        "tiles.example.org/{z}/{x}/{y}.png", "ftp://example.org/{z}/{x}/{y}",
        "https://example.org/", "https://example.org/{z}/{x}.png",
        "https://example.org'; script-src */{z}/{x}/{y}", "https://*/{z}/{x}/{y}",
        "https://example.org/{z}/{x}/{y}/{token}", "https://{host}/{z}/{x}/{y}",
        "https://a@example.org/{z}/{x}/{y}", "https://example.org/{x}/{x}/{x}",
        "https://χάρτης.gr/{z}/{x}/{y}", "https://example.org:999999/{z}/{x}/{y}",
    ],
)  # fmt: skip
def test_an_address_that_is_none_of_a_tile_server_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="map_tiles"):
        Settings(travel={"map_tiles": address})
