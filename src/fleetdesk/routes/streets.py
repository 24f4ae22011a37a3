"""The streets of a file: OpenStreetMap extracts and road lists as CSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from fleetdesk.errors import FleetDeskError

NOT_FOR_VANS = frozenset(
    {
        "footway", "steps", "path", "pedestrian", "cycleway", "bridleway", "corridor", "raceway",
        "construction", "proposed", "rest_area", "platform", "elevator", "track",
    }
)  # fmt: skip
ONE_WAY = frozenset({"yes", "true", "1"})


class Street(NamedTuple):
    """Its nodes by (id, lat, lon) in driving order, whether it may be driven backwards, its class.

    `highway` is OpenStreetMap's word for the class.
    """

    nodes: Sequence[tuple[object, float, float]]
    both_ways: bool
    highway: str


def read_streets(path: Path) -> Iterator[Street]:
    """The streets that vans may use in an .osm.pbf extract or a road list.

    A road list is a CSV with the columns `highway` and `coordinates`, a JSON list of
    {"lat", "lon"}; streets meet where their positions are equal.
    """
    try:
        if path.suffix.lower() == ".csv":
            yield from _from_csv(path)
        else:
            yield from _from_extract(path)
    except (OSError, RuntimeError, ValueError, csv.Error) as error:
        raise FleetDeskError(
            f"The road file {path.name} cannot be read",
            found=str(error) or type(error).__name__,
            fix="Give the path of an .osm.pbf extract or a road list (.csv) on Routes & travel",
        ) from error


def _from_csv(path: Path) -> Iterator[Street]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        if not {"highway", "coordinates"} <= set(rows.fieldnames or ()):
            raise ValueError("it has no columns highway and coordinates")
        for row in rows:
            highway = row["highway"] or ""
            if highway in NOT_FOR_VANS:
                continue
            nodes = [((lat, lon), lat, lon) for lat, lon in _spots(row, rows.line_num)]
            yield Street(nodes, row.get("oneway") not in ONE_WAY, highway)


def _spots(row: dict[str, Any], line: int) -> list[tuple[float, float]]:
    try:
        told = json.loads(row["coordinates"])
        spots = [(float(at["lat"]), float(at["lon"])) for at in told]
    except (ValueError, KeyError, TypeError, ArithmeticError, RecursionError) as error:
        raise ValueError(f"line {line} holds no list of positions with lat and lon") from error
    if not all(abs(lat) <= 90 and abs(lon) <= 180 for lat, lon in spots):
        raise ValueError(f"line {line} holds a position that is nowhere on the earth")
    return spots


def _from_extract(path: Path) -> Iterator[Street]:
    try:
        import osmium
    except ImportError as error:
        raise FleetDeskError(
            "OpenStreetMap extracts cannot be read",
            found="the package osmium is not installed",
            fix="Install FleetDesk with its part for roads (fleetdesk[roads]), or use a road list",
        ) from error
    ways: Iterable[Any] = (
        osmium.FileProcessor(str(path))
        .with_locations()
        .with_filter(osmium.filter.KeyFilter("highway"))
    )
    for way in ways:
        highway = way.tags.get("highway", "")
        if not way.is_way() or highway in NOT_FOR_VANS:
            continue
        # Clipped extracts name nodes that they do not hold.
        nodes = [(n.ref, n.lat, n.lon) for n in way.nodes if n.location.valid()]
        one_way = way.tags.get("oneway", "no")
        around = way.tags.get("junction") == "roundabout"
        if one_way == "-1":
            nodes.reverse()
        fast = highway in ("motorway", "motorway_link") and one_way != "no"
        both_ways = one_way not in {*ONE_WAY, "-1"} and not around and not fast
        yield Street(nodes, both_ways, highway)
