"""Where travel times come from, as the sheet Routes & travel says."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetdesk.errors import FleetDeskError
from fleetdesk.settings.schema import Settings
from fleetdesk.workflows.travel import travel_times


def test_a_road_file_is_looked_for_beside_the_workbook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, here = tmp_path / "desk", tmp_path / "elsewhere"
    (desk / "roads").mkdir(parents=True)
    here.mkdir()
    monkeypatch.chdir(here)
    settings = Settings(travel={"travel_by": "road graph", "road_file": "roads/city.csv"})
    with pytest.raises(FleetDeskError) as lack:
        travel_times(settings, desk)
    assert str(desk / "roads" / "city.csv") in lack.value.found
    (desk / "roads" / "city.csv").write_text("from,to\n")
    assert travel_times(settings, desk).label == "streets of city.csv"
