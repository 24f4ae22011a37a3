"""The city on the ground: cells, parkings and metres, worked out once from the spec."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from fleetdesk.features.cells import geohash_many
from fleetdesk.model.places import cell_bounds
from fleetdesk.simulation.city import CitySpec
from fleetdesk.simulation.places import PLACES, Kind, Place, on_land, shore_lon
from fleetdesk.simulation.streams import Floats, Ints

ORIGIN_LAT, ORIGIN_LON = 40.6264, 22.9484
M_PER_DEG = 111_195.08
M_PER_DEG_LON = M_PER_DEG * math.cos(math.radians(ORIGIN_LAT))
CELL_PRECISION = 6
PARKING_RADIUS_M = 30.0
_SPOTS_PER_SIDE = 9


@dataclass(frozen=True)
class Layout:
    """Cells and parkings; x and y are metres east and north of the White Tower.

    Cells are geohashes of 6 characters. `spots_x/y` (cells x spots) are points ashore in each
    cell; `parking_of` lists the parkings cell by cell, those of cell c at
    `first_parking[c] : first_parking[c + 1]`. `pull` (kinds x cells) is what draws riders there.
    """

    cells: tuple[str, ...]
    cell_x: Floats
    cell_y: Floats
    spots_x: Floats
    spots_y: Floats
    pull: Floats
    places: tuple[Place, ...]
    parking_x: Floats
    parking_y: Floats
    parking_cell: Ints
    parking_of: Ints
    first_parking: Ints
    capacity: Ints
    minimum: Ints
    target: Ints
    cabinet: tuple[bool, ...]


def build_layout(spec: CitySpec) -> Layout:
    """The ground plan that a spec asks for."""
    places = PLACES[: spec.parkings]
    parking_x, parking_y = to_metres(
        np.array([place.lat for place in places]), np.array([place.lon for place in places])
    )
    cells = _cells(spec, parking_x, parking_y)
    spots_x, spots_y = _spots(cells)
    cell_x, cell_y = spots_x.mean(axis=1), spots_y.mean(axis=1)
    pull = _pull(places, parking_x, parking_y, cell_x, cell_y)
    index = {cell: number for number, cell in enumerate(cells)}
    lat, lon = to_degrees(parking_x, parking_y)
    parking_cell = np.array([index[c] for c in geohash_many(lat, lon, CELL_PRECISION)])
    weight = np.array([place.pull for place in places]) ** (1.0 + spec.deployment_bias)
    target = np.maximum(2, np.round(0.75 * spec.vehicles * weight / weight.sum())).astype(np.int64)
    return Layout(
        cells=cells,
        cell_x=cell_x,
        cell_y=cell_y,
        spots_x=spots_x,
        spots_y=spots_y,
        pull=pull,
        places=places,
        parking_x=parking_x,
        parking_y=parking_y,
        parking_cell=parking_cell,
        parking_of=np.argsort(parking_cell, kind="stable"),
        first_parking=np.searchsorted(np.sort(parking_cell), np.arange(len(cells) + 1)),
        capacity=2 * target + 4,
        minimum=np.maximum(1, target // 3),
        target=target,
        cabinet=tuple(number % 6 == 0 for number in range(len(places))),
    )


def to_metres(lat: Floats, lon: Floats) -> tuple[Floats, Floats]:
    """Degrees to metres on a plane that touches the city; exact to 1 in 1,000 over 10 km."""
    return (lon - ORIGIN_LON) * M_PER_DEG_LON, (lat - ORIGIN_LAT) * M_PER_DEG


def to_degrees(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """The way back: latitude, longitude."""
    return ORIGIN_LAT + y / M_PER_DEG, ORIGIN_LON + x / M_PER_DEG_LON


def ashore(lat: Floats, lon: Floats) -> Floats:
    """The longitudes with points in the gulf pulled to the quay."""
    return np.asarray(np.maximum(lon, shore_lon(lat) + 0.0001))


def pulled_ashore(x: float, y: float) -> tuple[float, float]:
    """A point in metres, on the quay where it was in the gulf."""
    lat, lon = to_degrees(np.array([x]), np.array([y]))
    east, north = to_metres(lat, ashore(lat, lon))
    return float(east[0]), float(north[0])


def _cells(spec: CitySpec, parking_x: Floats, parking_y: Floats) -> tuple[str, ...]:
    lat, lon = to_degrees(parking_x, parking_y)
    wanted = set(geohash_many(lat, lon, CELL_PRECISION).tolist())
    if spec.cell_reach_m > 0:
        north, east = np.meshgrid(np.arange(40.56, 40.69, 0.0025), np.arange(22.88, 23.02, 0.005))
        near_lat, near_lon = north.ravel(), east.ravel()
        ashore_here = on_land(near_lat, near_lon)
        x, y = to_metres(near_lat, near_lon)
        reach = np.hypot(x[:, None] - parking_x, y[:, None] - parking_y).min(axis=1)
        near = ashore_here & (reach < spec.cell_reach_m)
        wanted |= set(geohash_many(near_lat[near], near_lon[near], CELL_PRECISION).tolist())
    return tuple(sorted(wanted))


def _spots(cells: tuple[str, ...]) -> tuple[Floats, Floats]:
    """A grid of points ashore per cell; cells cut by the shore repeat the points they have."""
    steps = (np.arange(_SPOTS_PER_SIDE) + 0.5) / _SPOTS_PER_SIDE
    xs, ys = [], []
    for cell in cells:
        south_west, north_east = cell_bounds(cell)
        lat, lon = np.meshgrid(
            south_west.lat + steps * (north_east.lat - south_west.lat),
            south_west.lon + steps * (north_east.lon - south_west.lon),
        )
        dry = on_land(lat.ravel(), lon.ravel())
        kept = np.flatnonzero(dry) if dry.any() else np.arange(dry.size)
        x, y = to_metres(lat.ravel(), lon.ravel())
        chosen = np.resize(kept, dry.size)
        xs.append(x[chosen])
        ys.append(y[chosen])
    return np.array(xs), np.array(ys)


def _pull(
    places: tuple[Place, ...], x: Floats, y: Floats, cell_x: Floats, cell_y: Floats
) -> Floats:
    """Each place draws riders from its surroundings, falling off over about 400 m."""
    pull = np.zeros((len(Kind), cell_x.size))
    for place, place_x, place_y in zip(places, x, y, strict=True):
        near = np.exp(-((cell_x - place_x) ** 2 + (cell_y - place_y) ** 2) / (2 * 400.0**2))
        pull[list(Kind).index(place.kind)] += place.pull * near / near.sum()
    return pull
