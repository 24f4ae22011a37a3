"""What the map's drawing code reads: plain values as JSON that is safe inside a script tag."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from itertools import chain

import numpy as np

from fleetdesk.model.fleet import CellDemand
from fleetdesk.model.places import Point, cell_bounds
from fleetdesk.outputs.map.view import MapCell, MapRoute, MapStop, MapView
from fleetdesk.outputs.palette import Palette, text_on
from fleetdesk.outputs.wording import money, number_ranges
from fleetdesk.routes.roads import Box
from fleetdesk.routes.travel_times import Floats

Position = tuple[float, float]
_LEAST_AIR_DEG = 0.004
_MOST_ROAD_POINTS = 60_000
"""About half a megabyte of the page."""
_UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def drawing_data(view: MapView, colours: Palette) -> dict[str, object]:
    """Layers as lists of records; positions as [lat, lon] rounded to about 10 cm."""
    edges, width = roi_edges(view.cells), demand_width(view.demand)
    return {
        "frame": frame(view),
        "roi": view.roi_name,
        "alert": colours.alert,
        "words": dict(view.words),
        **_ground(view),
        "routes": _routes(view.routes, view.currency),
        "parkings": [
            {"at": _at(p.at), "name": p.name, "n": p.count, "min": p.minimum, "target": p.target}
            for p in view.parkings
        ],
        "cells": [
            {
                "box": [_at(corner) for corner in cell_bounds(c.cell)],
                "cell": c.cell,
                "roi": money(c.roi, view.currency),
                "tasks": c.tasks,
                "rate": None if c.rate_per_h is None else money(c.rate_per_h, view.currency),
                "fill": cell_colour(c.roi, edges, colours),
            }
            for c in view.cells
        ],
        "demand": [
            {
                "box": [_at(corner) for corner in cell_bounds(d.cell)],
                "cell": d.cell,
                "trips": round(d.trips_per_day, 1),
                "here": d.vehicles,
                "short": round(d.short_per_day, 1),
                "fill": demand_colour(d.short_per_day, width, colours),
            }
            for d in view.demand
        ],
        "zones": [
            {
                "name": zone.name,
                "polygons": [
                    [[_at(corner) for corner in ring] for ring in polygon]
                    for polygon in zone.polygons
                ],
            }
            for zone in view.no_parking
        ],
        "dropped": [
            {"at": _at(d.at), "vehicle": d.vehicle, "why": d.reason, "help": d.would_help}
            for d in view.dropped
        ],
        "vehicles": [
            {
                "at": _at(v.at),
                "vehicle": v.vehicle,
                "pct": None if v.battery_pct is None else round(v.battery_pct),
                "phase": v.phase,
                "fill": battery_colour(v.battery_pct, view.battery_bands, colours),
                "idle": None if v.idle_h is None else round(v.idle_h, 1),
                "idleFill": idle_colour(v.idle_h, view.idle_bands, colours),
            }
            for v in view.vehicles
        ],
    }


def as_script_text(data: object) -> str:
    """JSON that cannot end the script tag it stands in."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character, code in _UNSAFE.items():
        text = text.replace(character, code)
    return text


def frame(view: MapView) -> list[list[float]] | None:
    """South-west and north-east corner of the routes; of everything when there are none."""
    on_routes = (_ends(route) + [stop.at for stop in route.stops] for route in view.routes)
    points = list(chain.from_iterable(on_routes)) or [
        *(parking.at for parking in view.parkings),
        *(task.at for task in view.dropped),
        *(vehicle.at for vehicle in view.vehicles),
    ]
    if not points:
        return None
    lats, lons = [p.lat for p in points], [p.lon for p in points]
    return [[min(lats), min(lons)], [max(lats), max(lons)]]


def road_box(view: MapView) -> Box | None:
    """Where roads are drawn: a square around the frame with half of it on each side as air."""
    corners = frame(view)
    if corners is None:
        return None
    (south, west), (north, east) = corners
    shrink = math.cos(math.radians((south + north) / 2))
    reach = max(north - south, (east - west) * shrink, _LEAST_AIR_DEG)
    lat, lon = (south + north) / 2, (west + east) / 2
    return lat - reach, lon - reach / shrink, lat + reach, lon + reach / shrink


def roi_edges(cells: Iterable[MapCell]) -> tuple[float, ...]:
    """Round lower edges of the ROI classes from 0 up, at most one per step of the palette."""
    highest = max((cell.roi for cell in cells), default=0.0)
    if highest <= 0:
        return (0.0,)
    width = _round_up(highest / 5)
    return tuple(width * step for step in range(5) if width * step < highest)


def cell_colour(roi: float, edges: Sequence[float], colours: Palette) -> str:
    """The palette's step for a cell's ROI; under 0 it is the colour below them."""
    if roi < 0:
        return colours.below
    step = sum(roi >= edge for edge in edges) - 1
    return colours.steps[min(step, len(colours.steps) - 1)]


def demand_width(demand: Iterable[CellDemand]) -> float:
    """Trips a day from which a cell is strongly short or full: about half of the largest gap."""
    largest = max((abs(cell.short_per_day) for cell in demand), default=0.0)
    return _round_up(largest / 2) if largest > 0 else 1.0


def demand_steps(colours: Palette) -> tuple[str, ...]:
    """From far too many vehicles over enough to far too few: blue, nothing, orange."""
    return (
        colours.category(0), colours.category(5), colours.below,
        colours.category(4), colours.category(1),
    )  # fmt: skip


def demand_colour(short: float, width: float, colours: Palette) -> str:
    """The step of a cell; within a quarter of `width` of zero it has enough."""
    edges = (-width, -width / 4, width / 4, width)
    return demand_steps(colours)[sum(short >= edge for edge in edges)]


def battery_colour(pct: float | None, bands: Sequence[float], colours: Palette) -> str:
    """The palette's colour for a battery; unknown is the quiet colour."""
    if pct is None:
        return colours.quiet
    return colours.battery[sum(pct >= band for band in bands)]


def idle_colour(hours: float | None, bands: Sequence[float], colours: Palette) -> str:
    """The palette's step for an idle time, darker the longer; unknown is the quiet colour."""
    if hours is None:
        return colours.quiet
    return idle_steps(colours)[sum(hours >= band for band in bands)]


def idle_steps(colours: Palette) -> tuple[str, ...]:
    """The four colours of idle times, shortest first."""
    return (colours.steps[0], *colours.steps[2:5])


def _ground(view: MapView) -> dict[str, object]:
    """Roads by class as steps of 1e-5 degrees, each line's first from (0, 0); tiles as said."""
    ground, box = view.ground, road_box(view)
    found: dict[str, object] = {}
    if ground.roads is not None and box is not None:
        lines = ground.roads.within(box, _MOST_ROAD_POINTS)
        if lines:
            found["roads"] = [[int(kind), [_steps(line) for line in lines[kind]]] for kind in lines]
            found["roadsBy"] = ground.roads.credit
    if ground.tiles is not None:
        found["tiles"] = {"from": ground.tiles.address, "by": ground.tiles.credit}
    return found


def _steps(line: Floats) -> list[int]:
    whole = np.rint(line * 1e5).astype(np.int64)
    steps: list[int] = np.diff(whole, axis=0, prepend=0).ravel().tolist()
    return steps


def _routes(routes: Sequence[MapRoute], currency: str) -> list[dict[str, object]]:
    return [_route(route, currency) for route in routes]


def _route(route: MapRoute, currency: str) -> dict[str, object]:
    return {
        "worker": route.worker,
        "colour": route.colour,
        "ink": text_on(route.colour),
        "dashed": route.dashed,
        "leaves": route.leaves,
        "returns": route.returns,
        "start": route.start and _at(route.start),
        "end": route.end and _at(route.end),
        "line": [_at(stop.at) for stop in route.stops],
        "loads": [0, *(stop.load_vehicles for stop in route.stops)],
        "pauses": [{"at": _at(p.at), "what": p.what, "times": p.times} for p in route.pauses],
        "places": _places(route.stops, currency),
    }


def _places(stops: Sequence[MapStop], currency: str) -> list[dict[str, object]]:
    """Stops of one route at one position share a dot, so that none hides another."""
    at: dict[Position, list[MapStop]] = {}
    for stop in stops:
        at.setdefault(_at(stop.at), []).append(stop)
    return [
        {
            "at": position,
            "label": number_ranges([stop.number for stop in here]),
            "stops": [_stop(stop, currency) for stop in here],
        }
        for position, here in at.items()
    ]


def _stop(stop: MapStop, currency: str) -> dict[str, object]:
    return {
        "n": stop.number,
        "do": stop.action,
        "does": sorted(stop.does),
        "vehicle": stop.vehicle,
        "place": stop.place,
        "at": stop.arrive,
        "from": None if stop.battery_before_pct is None else round(stop.battery_before_pct),
        "to": None if stop.battery_after_pct is None else round(stop.battery_after_pct),
        "load": stop.load_vehicles,
        "left": stop.batteries_left,
        "why": stop.reason,
        "adds": None if stop.adds is None else money(stop.adds, currency),
        "mark": ("locked " if stop.locked else "") + ("must" if stop.must else ""),
    }


def _ends(route: MapRoute) -> list[Point]:
    return [point for point in (route.start, route.end) if point]


def _at(point: Point) -> Position:
    return round(point.lat, 6), round(point.lon, 6)


def _round_up(width: float) -> float:
    """The next of 1, 2, 2.5, 5, 10 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(width))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= width)
