"""From one worker's day to the map that the worker gets: no money, no reasons, only this round."""

from __future__ import annotations

from collections.abc import Sequence

from fleetdesk.model.places import Parking
from fleetdesk.outputs.crew.map_words import MAP_WORDS
from fleetdesk.outputs.crew.stops import CrewRoute, CrewStop
from fleetdesk.outputs.crew.words import ENGLISH, Words
from fleetdesk.outputs.ground import PLAIN, Ground
from fleetdesk.outputs.map.view import (
    MapParking,
    MapPause,
    MapRoute,
    MapStop,
    MapView,
    does_at,
)
from fleetdesk.outputs.palette import palette

_NO_ROADS = "Lines join the stops in order, they are not roads."


def crew_map(
    route: CrewRoute,
    parkings: Sequence[Parking],
    words: Words = ENGLISH,
    ground: Ground = PLAIN,
) -> MapView:
    """The worker's own round with its stops, breaks and the parkings by name."""
    map_words = MAP_WORDS.get(words.code, {})
    leaves, returns = route.clock(route.starts_at), route.clock(route.ends_at)
    return MapView(
        title=words.title(route),
        subtitle=f"{route.city} · {words.summary(route)}",
        currency=route.currency,
        center=route.start,
        routes=(
            MapRoute(
                worker=route.worker,
                colour=palette().category(0),
                stops=tuple(_stop(route, stop, words) for stop in route.stops),
                start=route.start,
                end=route.end,
                leaves=leaves,
                returns=returns,
                distance_m=round(route.distance_km * 1000),
                duration_s=round((route.ends_at - route.starts_at).total_seconds()),
                pauses=tuple(
                    MapPause(
                        pause.at,
                        words.pauses[pause.kind],
                        f"{route.clock(pause.start_at)}\u2013{route.clock(pause.end_at)}",
                    )
                    for pause in route.pauses
                ),
            ),
        ),
        parkings=tuple(MapParking(parking.name, parking.at) for parking in parkings),
        notes=(map_words.get(_NO_ROADS, _NO_ROADS),),
        ground=ground,
        language=words.code,
        words=map_words,
    )


def _stop(route: CrewRoute, stop: CrewStop, words: Words) -> MapStop:
    return MapStop(
        number=stop.number,
        action=words.todo(stop),
        vehicle=stop.vehicle,
        at=stop.at,
        place=stop.place,
        arrive=route.clock(stop.arrive_at),
        battery_before_pct=None,
        battery_after_pct=None,
        load_vehicles=stop.on_board,
        batteries_left=stop.batteries_left,
        reason="",
        does=does_at(stop.action, stop.kinds),
        must=stop.must,
    )
