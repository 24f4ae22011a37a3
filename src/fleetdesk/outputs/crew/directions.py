"""Links that open a route in a phone's map program, in legs that phones accept.

Source: Google, Maps URLs (`api=1`): phones take up to three waypoints. RFC 5870: `geo:`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from fleetdesk.model.places import Point
from fleetdesk.outputs.crew.stops import CrewRoute, CrewStop

MOST_POINTS = 5  # origin, three waypoints, destination


@dataclass(frozen=True, slots=True)
class Leg:
    """A stretch of the route; the next one begins where it ends."""

    label: str
    url: str


def legs(route: CrewRoute) -> tuple[Leg, ...]:
    """The whole way from start to end in overlapping legs of at most five points."""
    names = ["start", *(str(stop.number) for stop in route.stops), "end"]
    points = [route.start, *(stop.at for stop in route.stops), route.end]
    cuts = range(0, len(points) - 1, MOST_POINTS - 1)
    return tuple(
        Leg(
            f"{names[first]} to {names[min(first + MOST_POINTS, len(points)) - 1]}",
            _google(points[first : first + MOST_POINTS]),
        )
        for first in cuts
    )


def geo(stop: CrewStop) -> str:
    """A `geo:` link that opens the stop in whatever map program the phone has."""
    place = f"{stop.at.lat:.6f},{stop.at.lon:.6f}"
    return f"geo:{place}?q={place}({quote(f'{stop.number} {stop.vehicle}')})"


def _google(points: Sequence[Point]) -> str:
    first, *between, last = (f"{point.lat:.6f},{point.lon:.6f}" for point in points)
    query = {"api": "1", "origin": first, "destination": last, "travelmode": "driving"}
    if between:
        query["waypoints"] = "|".join(between)
    return "https://www.google.com/maps/dir/?" + urlencode(query, safe=",")
