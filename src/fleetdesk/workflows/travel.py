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
    path = folder / Path(travel.road_file).expanduser()
    if not travel.road_file or not (path.exists() or travel.travel_by == "OSRM"):
        raise FleetDeskError(
            f"Travel times by {travel.travel_by} need a road file",
            found=f"no file at {path}" if travel.road_file else "no path",
            fix='Enter its path on the sheet Routes & travel, or choose "estimated"',
        )
    source = RoadGraph(path, estimate) if travel.travel_by == "road graph" else Osrm(path, estimate)
    stat = path.stat() if path.exists() else None
    version = f"{stat.st_size} {stat.st_mtime_ns}" if stat else ""
    return Cached(source, path.with_name(f"{path.name}.travel"), version)


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
