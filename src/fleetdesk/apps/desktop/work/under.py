"""What lies under a run's map in the window, as its settings said."""

from __future__ import annotations

import json
from pathlib import Path

from fleetdesk.apps.desktop.work.shapes import Under
from fleetdesk.outputs.ground import Tiles
from fleetdesk.store.base import RunRecord
from fleetdesk.workflows.context import seen_from


def under(run: RunRecord, folder: Path) -> Under:
    """The file of the city's map, there or not, and the tile server that the page may ask.

    Settings of another version would be refused as a whole, and a page for these two with them.
    """
    travel = json.loads(run.settings_json).get("travel", {})
    city, tiles = seen_from(folder, travel.get("city_map_file", "")), travel.get("map_tiles")
    return Under("" if city is None else str(city), Tiles(tiles, "").origin if tiles else "")
