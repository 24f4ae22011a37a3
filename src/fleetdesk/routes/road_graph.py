"""Travel times on the streets of a file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial import cKDTree

from fleetdesk.errors import FleetDeskError
from fleetdesk.model.places import EARTH_RADIUS_M, Point
from fleetdesk.routes.streets import Street, read_streets
from fleetdesk.routes.travel_times import (
    Floats,
    Haversine,
    TravelMatrix,
    on_streets,
    require_usable,
)

FARTHEST_M = 500.0
"""Farther from any street, legs are estimated: a depot in the sea has no road."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class RoadGraph:
    """Shortest ways on the streets in `path` (.osm.pbf or .csv), driven at the van's speed.

    Where there is no way, or no street within 500 m, legs are those of `fallback`, and the matrix
    says how many. FleetDeskError when the file cannot be read or holds no street.
    """

    path: Path
    fallback: Haversine = field(default_factory=Haversine)

    @property
    def label(self) -> str:
        """`streets of helsinki.osm.pbf`."""
        return f"streets of {self.path.name}"

    def matrix(self, points: Sequence[Point], speed_kmh: float) -> TravelMatrix:
        """All legs between `points`; ways of a van that obeys one-way streets."""
        require_usable(points, speed_kmh)
        if len(points) < 2:
            return self.fallback.matrix(points, speed_kmh)
        lat, lon = np.array([(point.lat, point.lon) for point in points]).T
        nodes, off_m = self._streets.nearest(lat, lon)
        chosen, place = np.unique(nodes, return_inverse=True)
        between = self._streets.ways(chosen)[np.ix_(place, place)]
        metres = between + off_m[:, None] + off_m[None, :]
        return on_streets(points, metres, None, self.fallback, speed_kmh, self.label)

    @cached_property
    def _streets(self) -> _Streets:
        streets = _Streets(read_streets(self.path))
        if not streets.count:
            raise FleetDeskError(
                f"{self.path.name} holds no streets for vans",
                found="no way with a highway class that vans may use",
                fix="Choose an OpenStreetMap extract or a road list of the city",
            )
        return streets


class _Streets:
    """All streets as one list of steps between neighbouring nodes."""

    def __init__(self, streets: Iterable[Street]) -> None:
        number: dict[object, int] = {}
        lat: list[float] = []
        lon: list[float] = []
        walked: list[int] = []
        street_of: list[int] = []
        both: list[bool] = []
        for count, street in enumerate(streets):
            for node, at_lat, at_lon in street.nodes:
                if node not in number:
                    number[node] = len(number)
                    lat.append(at_lat)
                    lon.append(at_lon)
                walked.append(number[node])
                street_of.append(count)
                both.append(street.both_ways)
        self.count = len(number)
        self._lat, self._lon = np.array(lat), np.array(lon)
        self._walked, self._street = np.array(walked, np.int64), np.array(street_of, np.int64)
        self._both = np.array(both, bool)
        if self.count:
            self._prepare()

    def nearest(self, lat: Floats, lon: Floats) -> tuple[Ints, Floats]:
        """The street node nearest to each position and its distance, infinite beyond 500 m."""
        off, at = self._tree.query(self._flat(lat, lon))
        off = np.where(off <= FARTHEST_M, off, np.inf)
        return self._core[at], off

    def ways(self, nodes: Ints) -> Floats:
        """Metres of the shortest way between some nodes (n x n), infinite where there is none.

        Between the nodes that matter (crossings, ends and `nodes`) streets become single steps,
        which makes the graph about eight times smaller and loses nothing.
        """
        keep = self._matters.copy()
        keep[nodes] = True
        kept = np.flatnonzero(keep[self._walked])
        at, street, along = self._walked[kept], self._street[kept], self._along[kept]
        joined = street[1:] == street[:-1]
        frm, to = at[:-1][joined], at[1:][joined]
        metres = (along[1:] - along[:-1])[joined]
        back = self._both[kept][:-1][joined]
        small = np.full(self.count, -1)
        small[np.flatnonzero(keep)] = np.arange(int(keep.sum()))
        graph = _graph(
            small[np.concatenate([frm, to[back]])],
            small[np.concatenate([to, frm[back]])],
            np.concatenate([metres, metres[back]]),
            int(keep.sum()),
        )
        found: Floats = dijkstra(graph, indices=small[nodes])[:, small[nodes]]
        return found

    def _prepare(self) -> None:
        joined = self._street[1:] == self._street[:-1]
        frm, to = self._walked[:-1], self._walked[1:]
        steps = np.where(joined, self._straight_m(frm, to), 0.0)
        self._along = np.concatenate([[0.0], np.cumsum(steps)])
        uses = np.bincount(self._walked, minlength=self.count)
        first = np.concatenate([[True], ~joined])
        last = np.concatenate([~joined, [True]])
        self._matters = uses > 1
        self._matters[self._walked[first | last]] = True
        back = self._both[:-1] & joined
        whole = _graph(
            np.concatenate([frm[joined], to[back]]),
            np.concatenate([to[joined], frm[back]]),
            np.ones(int(joined.sum() + back.sum())),
            self.count,
        )
        # Positions are put on the largest part that can be driven to and fro.
        _, part = connected_components(whole, directed=True, connection="strong")
        self._core = np.flatnonzero(part == np.bincount(part).argmax())
        self._middle = float(np.radians(self._lat.mean()))
        self._tree = cKDTree(self._flat(self._lat[self._core], self._lon[self._core]))

    def _flat(self, lat: Floats, lon: Floats) -> Floats:
        """Metres on a plane that is true near the city's middle."""
        x = np.radians(lon) * np.cos(self._middle) * EARTH_RADIUS_M
        return np.column_stack([x, np.radians(lat) * EARTH_RADIUS_M])

    def _straight_m(self, frm: Ints, to: Ints) -> Floats:
        lat_a, lat_b = np.radians(self._lat[frm]), np.radians(self._lat[to])
        half_lon = np.radians(self._lon[to] - self._lon[frm]) / 2
        h = np.sin((lat_b - lat_a) / 2) ** 2
        h = h + np.cos(lat_a) * np.cos(lat_b) * np.sin(half_lon) ** 2
        metres: Floats = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.minimum(h, 1.0)))
        return metres


def _graph(frm: Ints, to: Ints, metres: Floats, count: int) -> csr_matrix:
    """A sparse graph; of parallel streets the shortest (the sparse format would add them up)."""
    order = np.lexsort((metres, to, frm))
    frm, to, metres = frm[order], to[order], metres[order]
    first = np.concatenate([[True], (frm[1:] != frm[:-1]) | (to[1:] != to[:-1])])
    first &= frm != to
    # A step of no length would be no step at all.
    return csr_matrix((np.maximum(metres[first], 0.01), (frm[first], to[first])), (count, count))
