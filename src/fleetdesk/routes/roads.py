"""The streets of a road file as lines to be drawn, cut to what a picture shows."""

from __future__ import annotations

import hashlib
import math
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
        """Lines (n x 2: lat, lon) in, into and through the box, by class.

        The classes that matter least are left out where all would be over `most_points`; if the
        first alone is, its lines are thinned, and the shortest left out.
        """
        shown = self._shown(box)
        found: dict[RoadClass, list[Floats]] = {}
        left = most_points
        for road_class in RoadClass:
            at = np.flatnonzero(shown & (self.road_class == road_class))
            if not len(at):
                continue
            if len(at) > left and found:
                break
            cuts = (np.diff(at) > 1) | (np.diff(self.line[at]) != 0)
            runs = np.split(at, np.flatnonzero(cuts) + 1)
            lines = [np.column_stack([self.lat[run], self.lon[run]]) for run in runs]
            if len(at) > left:
                lines = _thinned(lines, left)
            if lines:
                found[road_class] = lines
            left -= len(at)
            if left <= 0:
                break
        return found

    def reach(self, box: Box) -> bool:
        """Whether any line is in the box, or goes into it."""
        return bool(self._shown(box).any())

    def _shown(self, box: Box) -> npt.NDArray[np.bool_]:
        """The points in the box, and the ends of steps that go into it or may go through it."""
        south, west, north, east = box
        beyond = (self.lat < south) | (self.lat > north) * np.uint8(2)
        beyond |= (self.lon < west) * np.uint8(4) | (self.lon > east) * np.uint8(8)
        shown = beyond == 0
        # A step whose ends are both beyond one edge stays there (Cohen & Sutherland).
        meets = (self.line[1:] == self.line[:-1]) & ((beyond[1:] & beyond[:-1]) == 0)
        shown[1:] |= meets
        shown[:-1] |= meets
        return np.asarray(shown)


def roads(path: Path, folder: Path, version: str) -> Roads:
    """The streets in `path` (.osm.pbf or .csv), kept in `folder` for next time.

    `version` names the file's state, such as its size and time. FleetDeskError when the file
    cannot be read.
    """
    name = hashlib.sha256(f"{path.name} {version}".encode()).hexdigest()[:32]
    # Apart from matrices, which come and go.
    kept = folder / "roads" / f"{name}.npz"
    names = ("lat", "lon", "line", "road_class")
    arrays = kept_arrays.read(kept, lat="f", lon="f", line="i", road_class="i")
    if arrays is None or len({each.shape for each in arrays}) != 1:
        points = np.fromiter(_points(read_streets(path)), list(zip(names, "ddqb", strict=True)))
        arrays = tuple(np.ascontiguousarray(points[name]) for name in names)
        kept_arrays.keep(kept, dict(zip(names, arrays, strict=True)), most=1)
    lat, lon, line, road_class = arrays
    return Roads(lat, lon, line, road_class, _credit(path))


def _thinned(lines: list[Floats], most_points: int) -> list[Floats]:
    """Every so many points of each line and its last, and of these lines the longest."""
    step = math.ceil(sum(map(len, lines)) / max(most_points, 1))
    thin = [np.vstack([line[:-1:step], line[-1:]]) for line in lines]
    thin.sort(key=len, reverse=True)
    room = np.searchsorted(np.cumsum([len(line) for line in thin]), most_points, side="right")
    return thin[: int(room)]


def _points(streets: Iterable[Street]) -> Iterator[tuple[float, float, int, RoadClass]]:
    for number, street in enumerate(streets):
        road_class = _CLASSES.get(street.highway.removesuffix("_link"), RoadClass.STREET)
        for _, lat, lon in street.nodes:
            yield lat, lon, number, road_class


def _credit(path: Path) -> str:
    """OpenStreetMap asks to be named; where a list comes from is not known."""
    return path.name if path.suffix.lower() == ".csv" else "© OpenStreetMap"
