"""What lies under the maps, as the sheet Routes & travel says."""

from __future__ import annotations

from pathlib import Path

from fleetdesk.errors import FleetDeskError, Problem, Severity
from fleetdesk.outputs.city_map import CityMap
from fleetdesk.outputs.ground import Ground, Tiles
from fleetdesk.routes.roads import Roads, roads
from fleetdesk.settings.route_sheets import Travel
from fleetdesk.settings.schema import Settings
from fleetdesk.workflows.context import seen_from
from fleetdesk.workflows.travel import file_version, kept_beside

_LISTS_OF_STREETS = (".pbf", ".csv")
_NO_ROADS = "Maps are drawn without roads:"
_NEAR = 0.3
"""Degrees: streets farther from all depots belong to another city."""


def map_ground(settings: Settings, folder: Path) -> tuple[Ground, tuple[Problem, ...]]:
    """Roads of the road file and tiles, with warnings about what cannot be drawn.

    Relative paths are seen from the workspace's `folder`. A map without roads is still a map, so
    nothing here stops a run.
    """
    travel = settings.travel
    tiles = Tiles(travel.map_tiles, travel.map_tiles_credit) if travel.map_tiles else None
    drawn, without_roads = _roads(settings, folder)
    return Ground(drawn, tiles), (*_without_city(travel, folder), *without_roads)


def _roads(settings: Settings, folder: Path) -> tuple[Roads | None, tuple[Problem, ...]]:
    path = seen_from(folder, settings.travel.road_file)
    if path is None or path.suffix.lower() not in _LISTS_OF_STREETS:
        return None, ()
    try:
        drawn = roads(path, kept_beside(path), file_version(path))
    except FleetDeskError as error:
        return None, (_warning(_NO_ROADS, f"{error.cause}, {error.found}", "Road file"),)
    if not len(drawn.lat):
        return None, (_warning(_NO_ROADS, f"{path.name} holds no street", "Road file"),)
    starts = [(w.start_lat, w.start_lon) for w in settings.workers if w.active]
    boxes = [(lat - _NEAR, lon - _NEAR, lat + _NEAR, lon + _NEAR) for lat, lon in starts]
    if starts and not any(drawn.reach(box) for box in boxes):
        far = f"no street of {path.name} is near where a worker starts"
        return drawn, (_warning(_NO_ROADS, far, "Road file"),)
    return drawn, ()


def _without_city(travel: Travel, folder: Path) -> tuple[Problem, ...]:
    path = seen_from(folder, travel.city_map_file)
    if path is None:
        return ()
    try:
        CityMap(path)
    except FleetDeskError as error:
        without = "Maps in the window lack the city map:"
        return (_warning(without, f"{path}, {error.found}", "City map file"),)
    return ()


def _warning(without: str, why: str, row: str) -> Problem:
    fix = f"Correct the row {row} or leave it empty"
    return Problem(Travel.sheet, "", without, why, fix, Severity.WARNING)
