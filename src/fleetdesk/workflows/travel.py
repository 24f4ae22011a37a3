"""Where travel times come from and how work is shared out, as the sheets say."""

from __future__ import annotations

from pathlib import Path

from fleetdesk.errors import FleetDeskError
from fleetdesk.routes.building import Wishes
from fleetdesk.routes.osrm import Osrm
from fleetdesk.routes.road_graph import RoadGraph
from fleetdesk.routes.travel_cache import Cached
from fleetdesk.routes.travel_times import Haversine, TravelTimes
from fleetdesk.settings.schema import Settings
from fleetdesk.workflows.context import seen_from
from fleetdesk.workflows.moment import words


def travel_times(settings: Settings, folder: Path) -> TravelTimes:
    """The source that the sheet Routes & travel names; matrices of roads are kept beside the file.

    A relative path of the road file is seen from the workspace's `folder`. FleetDeskError when a
    road file is needed and there is none.
    """
    travel = settings.travel
    estimate = Haversine(travel.detour_factor)
    if travel.travel_by == "estimated":
        return estimate
    path = seen_from(folder, travel.road_file)
    if path is None or not (file_version(path) or travel.travel_by == "OSRM"):
        raise FleetDeskError(
            f"Travel times by {travel.travel_by} need a road file",
            found="no path" if path is None else f"no file at {path}",
            fix='Enter its path on the sheet Routes & travel, or choose "estimated"',
        )
    source = RoadGraph(path, estimate) if travel.travel_by == "road graph" else Osrm(path, estimate)
    return Cached(source, kept_beside(path), file_version(path))


def kept_beside(path: Path) -> Path:
    """The folder that keeps what was worked out from a road file."""
    return path.with_name(f"{path.name}.travel")


def file_version(path: Path) -> str:
    """The state of a file, so that what was made from an older one is not used; "" for none."""
    try:
        stat = path.stat()
    except (OSError, ValueError):
        return ""
    return f"{stat.st_size} {stat.st_mtime_ns}"


def wishes(settings: Settings) -> Wishes:
    """What even rounds and workers in their own areas are worth."""
    working = [worker for worker in settings.workers if worker.active]
    wage = max((worker.cost_per_h for worker in working), default=0.0)
    return Wishes(
        balance_per_h=wage * settings.travel.balance_pct / 100,
        familiar_bonus=settings.travel.familiar_bonus,
        known_cells={worker.name: words(worker.area) for worker in working if words(worker.area)}
        if settings.travel.familiar_bonus
        else {},
    )
