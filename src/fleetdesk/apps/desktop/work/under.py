"""What lies under a run's map in the window, as its settings said."""

from __future__ import annotations

from pathlib import Path

from fleetdesk.apps.desktop.work.shapes import Under
from fleetdesk.outputs.ground import Tiles
from fleetdesk.settings.schema import Settings
from fleetdesk.store.base import RunRecord
from fleetdesk.workflows.context import seen_from


def under(run: RunRecord, folder: Path) -> Under:
    """The file of the city's map, there or not, and the tile server that the page may ask."""
    travel = Settings.model_validate_json(run.settings_json).travel
    city = seen_from(folder, travel.city_map_file)
    return Under(
        "" if city is None else str(city),
        Tiles(travel.map_tiles, travel.map_tiles_credit).origin if travel.map_tiles else "",
    )
