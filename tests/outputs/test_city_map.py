"""The city's own map file: its tiles, what is no such file, and the page over it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pmtiles.tile import TileType
from tests.outputs.city_maps import ZOOM, city_map, earth

from fleetdesk.errors import FleetDeskError
from fleetdesk.outputs.city_map import CityMap, over_city
from fleetdesk.outputs.page_policy import POLICY


def test_tiles_are_unpacked_and_those_that_are_not_there_are_empty(tmp_path: Path) -> None:
    city = CityMap(city_map(tmp_path / "city.pmtiles"))
    assert city.max_zoom == ZOOM
    assert city.tile(2, 3, 1) == earth()
    assert city.tile(ZOOM + 1, 0, 0) == city.tile(1, 5, 0) == city.tile(99, 0, 0) == b""


def test_a_torn_file_is_refused(tmp_path: Path) -> None:
    path = city_map(tmp_path / "city.pmtiles")
    content = path.read_bytes()
    for length in (0, 5, 60, 126, 127, 140, len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(FleetDeskError, match=r"city\.pmtiles cannot be drawn"):
            CityMap(path)


def test_a_file_that_is_torn_or_gone_while_it_is_shown_has_empty_tiles(tmp_path: Path) -> None:
    path = city_map(tmp_path / "city.pmtiles")
    city, content = CityMap(path), path.read_bytes()
    for length in (0, 100, 140, len(content) - 20):
        path.write_bytes(content[:length])
        assert city.tile(2, 3, 1) in (b"", earth())
    path.unlink()
    assert city.tile(2, 3, 1) == b""
    city_map(path)
    assert city.tile(2, 3, 1) == earth(), "it is back"


def test_a_tile_of_no_tiles_size_is_left_out(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("tests.outputs.city_maps.earth", lambda: bytes(30_000_000))
    assert CityMap(city_map(tmp_path / "city.pmtiles")).tile(0, 0, 0) == b""


@pytest.mark.parametrize(
    ("content", "found"),
    [(b"PK\x03\x04" * 40, "no .pmtiles"), (b"PMTiles\x02" * 40, "no .pmtiles")],
    ids=["another kind", "an older version"],
)
def test_what_is_no_map_is_refused(tmp_path: Path, content: bytes, found: str) -> None:
    path = tmp_path / "city.pmtiles"
    path.write_bytes(content)
    with pytest.raises(FleetDeskError) as refused:
        CityMap(path)
    assert found in refused.value.found


def test_pictures_and_missing_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FleetDeskError) as refused:
        CityMap(city_map(tmp_path / "city.pmtiles", TileType.PNG))
    assert "pictures" in refused.value.found
    with pytest.raises(FleetDeskError) as refused:
        CityMap(tmp_path / "none.pmtiles")
    assert "No such file" in refused.value.found


def test_the_page_gets_the_script_before_its_own_and_may_fetch_by_one_scheme(
    tmp_path: Path,
) -> None:
    city = CityMap(city_map(tmp_path / "city.pmtiles"))
    page = f'<head><meta content="{POLICY}"></head><body><script>mine()</script></body>'
    over = over_city(page, city, "own://map/tiles/{z}/{x}/{y}")
    assert f'{POLICY}; connect-src own:"' in over
    assert over.index("protomapsL") < over.index("fleetdeskCity") < over.index("mine()")
    tiles = f"own://map/tiles/{{z}}/{{x}}/{{y}}?{city.version}"
    assert f'{{"from": "{tiles}", "zoom": 2, "bounds": [[-85.0, ' in over
    assert "Protomaps LLC" in over, "the licence travels with the code"
    assert "sourceMappingURL" not in over


def test_the_page_over_another_file_of_the_same_size_is_another(tmp_path: Path) -> None:
    path = city_map(tmp_path / "city.pmtiles")
    pages = set()
    for at in (1, 1, 2):
        os.utime(path, (at, at))
        pages.add(over_city("<head></head>", CityMap(path), "own://map/{z}/{x}/{y}"))
    assert len(pages) == 2
