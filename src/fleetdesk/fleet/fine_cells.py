"""Rates of places within a cell: the cell's, times what the place and its neighbours add to it.

A place's prior is its cell's rate x the kernel-weighted ratio of trips to expected trips around it;
its own count pulls it away from that by the same shrinkage as everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from fleetdesk.fleet.counts import Counts
from fleetdesk.fleet.empirical_bayes import kappa_of, shrunk
from fleetdesk.fleet.hourly_rates import HourlyRates
from fleetdesk.model.places import EARTH_RADIUS_M, cell_bounds

Floats = npt.NDArray[np.float64]

BANDWIDTH_M = 150.0  # one geohash of 7 characters
CLASSES = 3
_REACH = 3.0  # in bandwidths; beyond, the kernel is next to nothing


@dataclass(frozen=True)
class Neighbourhood:
    """What does not change from one draw of cycles to the next.

    `kernel` (F, F) weighs the places around each, itself left out; `expected` (K, F) is how many
    trips the cells' rates would bring; the kappas are those of the places' level around the cell's
    and around the neighbours'.
    """

    kernel: csr_array
    expected: Floats
    cell_kappa: float
    place_kappa: float


def neighbourhood(counts: Counts, rates: HourlyRates) -> Neighbourhood:
    """Look around every place once, with the rates of all blocks together."""
    block, place, slot, charge = counts.stays
    cell = counts.parent[place]
    # The last column is that of UNKNOWN = -1.
    worth = np.pad(rates.multiplier.factors, ((0, 0), (0, 1)), constant_values=1.0)
    hours = counts.stay_h * worth[cell, charge] * rates.per_h[cell, slot]
    shape = counts.place_trips.shape
    at = block * shape[1] + place
    sums = np.bincount(at, weights=hours, minlength=shape[0] * shape[1])
    expected = np.asarray(sums, dtype=np.float64).reshape(shape)
    kernel = _kernel(counts.places)
    trips, usual = counts.place_trips.sum(axis=0), expected.sum(axis=0)
    cell_kappa = kappa_of(trips, usual)
    prior = shrunk(kernel @ trips, kernel @ usual, cell_kappa)
    return Neighbourhood(kernel, expected, cell_kappa, kappa_of(trips, usual * prior))


def place_factors(counts: Counts, around: Neighbourhood, weights: Floats) -> Floats:
    """Each place's rate over its cell's (F,), from the blocks weighted (K,)."""
    trips, usual = weights @ counts.place_trips, weights @ around.expected
    prior = shrunk(around.kernel @ trips, around.kernel @ usual, around.cell_kappa)
    return prior * shrunk(trips, usual * prior, around.place_kappa)


def arrival_factors(counts: Counts, factors: Floats, weights: Floats) -> Floats:
    """Factors of where trips to each cell end, as `CLASSES` equally likely ones (G, CLASSES).

    Vehicles come to the better places, but those that come to the others stay there longer: one
    mean would promise too much.
    """
    ends = weights @ counts.place_ends
    found = np.ones((len(counts.cells), CLASSES))
    order = np.lexsort((factors, counts.parent))
    starts = np.searchsorted(counts.parent[order], np.arange(len(counts.cells) + 1))
    marks = np.linspace(0, 1, CLASSES + 1)
    for cell, (low, high) in enumerate(pairwise(starts.tolist())):
        mine = order[low:high]
        total = ends[mine].sum()
        if total > 0:
            share = np.append(0.0, np.cumsum(ends[mine]) / total)
            partial = np.append(0.0, np.cumsum(ends[mine] * factors[mine]) / total)
            found[cell] = np.diff(np.interp(marks, share, partial)) * CLASSES
    return found


def _kernel(places: tuple[str, ...]) -> csr_array:
    if not places:
        return csr_array((0, 0))
    corners = [cell_bounds(place) for place in places]
    lat = np.radians([(low.lat + high.lat) / 2 for low, high in corners])
    lon = np.radians([(low.lon + high.lon) / 2 for low, high in corners])
    flat = np.column_stack([lat, lon * np.cos(lat.mean())]) * EARTH_RADIUS_M
    tree = cKDTree(flat)
    near = tree.query_pairs(_REACH * BANDWIDTH_M, output_type="ndarray")
    apart = np.linalg.norm(flat[near[:, 0]] - flat[near[:, 1]], axis=1)
    weight = np.exp(-0.5 * (apart / BANDWIDTH_M) ** 2)
    rows, columns = np.concatenate([near, near[:, ::-1]]).T
    size = len(places)
    return csr_array((np.tile(weight, 2), (rows, columns)), shape=(size, size))
