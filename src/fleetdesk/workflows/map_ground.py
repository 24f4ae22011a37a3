"""What lies under the maps, as the sheet Routes & travel says."""

from __future__ import annotations

from pathlib import Path

from fleetdesk.errors import FleetDeskError, Problem, Severity
from fleetdesk.outputs.ground import Ground, Tiles
from fleetdesk.routes.roads import Roads, roads
from fleetdesk.settings.route_sheets import Travel
from fleetdesk.settings.schema import Settings
from fleetdesk.workflows.context import seen_from
from fleetdesk.workflows.travel import file_version, kept_beside

_LISTS_OF_STREETS = (".pbf", ".csv")


def map_ground(settings: Settings, folder: Path) -> tuple[Ground, tuple[Problem, ...]]:
    """Roads of the road file and tiles, with warnings about what cannot be drawn.

    Relative paths are seen from the workspace's `folder`. A map without roads is still a map, so
    nothing here stops a run.
    """
    travel = settings.travel
    warnings = []
    city = seen_from(folder, travel.city_map_file)
    if city is not None and not city.is_file():
        without = "Maps in the window lack the city map:"
        warnings.append(_warning(without, f"no file at {city}", "City map file"))
    drawn: Roads | None = None
    path = seen_from(folder, travel.road_file)
    if path is not None and path.suffix in _LISTS_OF_STREETS:
        try:
            drawn = roads(path, kept_beside(path), file_version(path))
        except FleetDeskError as error:
            why = f"{error.cause}, {error.found}"
            warnings.append(_warning("Maps are drawn without roads:", why, "Road file"))
    tiles = Tiles(travel.map_tiles, travel.map_tiles_credit) if travel.map_tiles else None
    return Ground(drawn, tiles), tuple(warnings)


def _warning(without: str, why: str, row: str) -> Problem:
    fix = f"Correct the row {row} or leave it empty"
    return Problem(Travel.sheet, "", without, why, fix, Severity.WARNING)
