"""Links that open a route in a phone's map program, in legs that phones accept.

Source: Google, Maps URLs (`api=1`): phones take up to three waypoints. RFC 5870: `geo:`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import quote, urlencode

from fleetdesk.model.places import Point
from fleetdesk.model.plan import PauseKind
from fleetdesk.outputs.crew.stops import CrewRoute, CrewStop
from fleetdesk.outputs.crew.words import ENGLISH, Words

MOST_POINTS = 5  # origin, three waypoints, destination


@dataclass(frozen=True, slots=True)
class Leg:
    """A stretch of the route; the next one begins where it ends."""

    label: str
    url: str


def legs(route: CrewRoute, words: Words = ENGLISH) -> tuple[Leg, ...]:
    """The whole way from start to end in overlapping legs of at most five points.

    Stops at one place are one point, and reloads are points on the way.
    """
    places = _places(route, words)
    cuts = range(0, len(places) - 1, MOST_POINTS - 1)
    return tuple(
        Leg(
            words.from_to.format(places[first][0], places[first : first + MOST_POINTS][-1][0]),
            _google([at for _, at in places[first : first + MOST_POINTS]]),
        )
        for first in cuts
    )


def _places(route: CrewRoute, words: Words) -> list[tuple[str, Point]]:
    """Name and position of each place on the way; who is there already is not sent there."""
    way = [(words.start, route.start)]
    halts = {pause.after_stop: pause for pause in route.pauses if pause.kind is PauseKind.RELOAD}
    for number in range(len(route.stops) + 1):
        if number > 0:
            stop = route.stops[number - 1]
            way.append((str(stop.number), stop.at))
        if number in halts:
            way.append((words.pauses[PauseKind.RELOAD], halts[number].at))
    way.append((words.end, route.end))
    between = [place for before, place in pairwise(way[:-1]) if place[1] != before[1]]
    return [way[0], *between, way[-1]]


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
