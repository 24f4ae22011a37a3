"""The route map: one HTML file that opens anywhere, with no network."""

from fleetdesk.outputs.map.crew_view import crew_map
from fleetdesk.outputs.map.page import route_map
from fleetdesk.outputs.map.plan_view import map_view
from fleetdesk.outputs.map.view import (
    MapCell,
    MapDropped,
    MapParking,
    MapPause,
    MapRoute,
    MapStop,
    MapVehicle,
    MapView,
)

__all__ = [
    "MapCell",
    "MapDropped",
    "MapParking",
    "MapPause",
    "MapRoute",
    "MapStop",
    "MapVehicle",
    "MapView",
    "crew_map",
    "map_view",
    "route_map",
]
