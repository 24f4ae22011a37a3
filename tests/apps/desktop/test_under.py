"""What lies under a run's map, read from settings of whatever version."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fleetdesk.apps.desktop.work.shapes import Under
from fleetdesk.apps.desktop.work.under import under
from fleetdesk.settings.schema import Settings

TILES = "https://{s}.tiles.example.org/{z}/{x}/{y}.png"


@pytest.mark.parametrize(
    ("travel", "expected"),
    [
        ({}, Under()),
        ({"city_map_file": "maps/city.pmtiles"}, Under(str(Path("/town/maps/city.pmtiles")))),
        ({"map_tiles": TILES}, Under(tiles="https://*.tiles.example.org")),
    ],
)
def test_the_sheet_says_what_lies_under_a_map(travel: dict[str, Any], expected: Under) -> None:
    run: Any = SimpleNamespace(settings_json=Settings(travel=travel).model_dump_json())
    assert under(run, Path("/town")) == expected


def test_a_run_of_another_version_has_its_map_all_the_same() -> None:
    for told in ("{}", '{"travel": {"gone since": 1, "city_map_file": ""}, "new": {}}'):
        run: Any = SimpleNamespace(settings_json=told)
        assert under(run, Path("/town")) == Under()
