"""The streets of a road file as lines to be drawn, cut to what a picture shows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fleetdesk.routes import kept_arrays
from fleetdesk.routes.streets import Street, read_streets
from fleetdesk.routes.travel_times import Floats

Ints = npt.NDArray[np.int64]
Box = tuple[float, float, float, float]
"""South, west, north and east, in degrees."""


class RoadClass(IntEnum):
    """What a street is to its city; the first ones matter most."""

    MAIN = 0
    THROUGH = 1
    STREET = 2
    SERVICE = 3


_CLASSES = {
    "motorway": RoadClass.MAIN, "trunk": RoadClass.MAIN, "primary": RoadClass.MAIN,
    "secondary": RoadClass.THROUGH, "tertiary": RoadClass.THROUGH,
    "service": RoadClass.SERVICE,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Roads:
    """Points in the order of the lines: `lat`, `lon` (degrees), number of the line, its class.

    `credit` names who made them, for the line under a map.
    """

    lat: Floats
    lon: Floats
    line: Ints
    road_class: npt.NDArray[np.int8]
    credit: str

    def within(self, box: Box, most_points: int) -> dict[RoadClass, list[Floats]]:
        """Lines (n x 2: lat, lon) in and into the box, by class.

        The classes that matter least are left out where all would be over `most_points`.
        """
        south, west, north, east = box
        inside = (self.lat >= south) & (self.lat <= north)
        inside &= (self.lon >= west) & (self.lon <= east)
        joined = self.line[1:] == self.line[:-1]
        shown = inside.copy()
        shown[1:] |= inside[:-1] & joined  # lines reach over the edge
        shown[:-1] |= inside[1:] & joined
        found: dict[RoadClass, list[Floats]] = {}
        left = most_points
        for road_class in RoadClass:
            at = np.flatnonzero(shown & (self.road_class == road_class))
            left -= len(at)
            if left < 0:
                break
            if len(at):
                cuts = (np.diff(at) > 1) | (np.diff(self.line[at]) != 0)
                runs = np.split(at, np.flatnonzero(cuts) + 1)
                found[road_class] = [np.column_stack([self.lat[r], self.lon[r]]) for r in runs]
        return found


def roads(path: Path, folder: Path, version: str) -> Roads:
    """The streets in `path` (.osm.pbf or .csv), kept in `folder` for next time.

    `version` names the file's state, such as its size and time. FleetDeskError when the file
    cannot be read.
    """
    name = hashlib.sha256(f"roads {path.name} {version}".encode()).hexdigest()[:32]
    kept = folder / f"{name}.npz"
    names = ("lat", "lon", "line", "road_class")
    arrays = kept_arrays.read(kept, *names)
    if arrays is None or len({len(each) for each in arrays}) != 1:
        points = np.fromiter(_points(read_streets(path)), list(zip(names, "ddqb", strict=True)))
        arrays = tuple(np.ascontiguousarray(points[name]) for name in names)
        kept_arrays.keep(kept, dict(zip(names, arrays, strict=True)))
    lat, lon, line, road_class = arrays
    return Roads(lat, lon, line, road_class, _credit(path))


def _points(streets: Iterable[Street]) -> Iterator[tuple[float, float, int, RoadClass]]:
    for number, street in enumerate(streets):
        road_class = _CLASSES.get(street.highway.removesuffix("_link"), RoadClass.STREET)
        for _, lat, lon in street.nodes:
            yield lat, lon, number, road_class


def _credit(path: Path) -> str:
    """OpenStreetMap asks to be named; where a list comes from is not known."""
    return path.name if path.suffix == ".csv" else "© OpenStreetMap"
