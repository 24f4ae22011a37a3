"""Which of a scooter's trips the fleet would not have had without it.

While n free vehicles stand in a cell, riders take one at the rate mu n^e: mu is how many would find
one that stands alone, and e, between 0 and 1, how far vehicles are from standing in each other's
way. At 0 any one of them serves the whole cell, at 1 each has riders of its own. Where nobody stood
nothing is learnt, so that demand is not mistaken for what was there to be taken. An added and a
removed vehicle change the rate by mu/2 [(n + 1)^e - (n - 1)^e] on average.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

from fleetdesk.fleet.counts import SLOTS, Counts
from fleetdesk.fleet.empirical_bayes import kappa_of, shrunk

Floats = npt.NDArray[np.float64]

SUPPORT_TRIPS = 5.0  # a cell's slot with this many trips is trusted half
_LEAST, _MOST = 0.01, 1.0


@dataclass(frozen=True)
class Additional:
    """`share` (G, 48) of a scooter's trips that are new to the fleet, and that of the whole `city`.

    `elasticity` is the e of the city.
    """

    share: Floats
    city: float
    elasticity: float


def additional(counts: Counts) -> Additional:
    """Fit demand and elasticity to the stock of `counts` by maximum likelihood (Poisson).

    Without trips every trip would be new.
    """
    taken, hours = counts.stock_taken, counts.stock_h
    shape = (len(counts.cells), SLOTS)
    if not taken.sum():
        return Additional(np.ones(shape), 1.0, 1.0)

    def surprise(elasticity: float) -> float:
        rate = _rate(counts, elasticity)
        return -float(np.sum(taken * np.log(np.maximum(rate, 1e-12)) - rate * hours))

    found = minimize_scalar(
        surprise, bounds=(_LEAST, _MOST), method="bounded", options={"xatol": 1e-3}
    )
    elasticity = float(found.x)
    cell, slot, vehicles = counts.stock
    at, size = cell * SLOTS + slot, shape[0] * SLOTS
    trips = _rate(counts, elasticity) * hours
    own = np.bincount(at, weights=trips, minlength=size)
    new = np.bincount(at, weights=trips * new_share(vehicles, elasticity), minlength=size)
    city = float(new.sum() / own.sum())
    share = (new + SUPPORT_TRIPS * city) / (own + SUPPORT_TRIPS)
    return Additional(np.minimum(share, 1.0).reshape(shape), city, elasticity)


def by_cell(counts: Counts) -> dict[str, float]:
    """The share of each cell's trips that are new to the fleet, under "" that of the city."""
    found = additional(counts)
    trips = counts.trips.sum(axis=0) + 1e-9
    shares = (found.share * trips).sum(axis=1) / trips.sum(axis=1)
    return {**dict(zip(counts.cells, shares.tolist(), strict=True)), "": found.city}


def new_share(vehicles: npt.ArrayLike, elasticity: float) -> Floats:
    """The share of a vehicle's trips that are new where n stand: n/2 [(n+1)^e - (n-1)^e] / n^e."""
    n = np.asarray(vehicles, dtype=np.float64)
    gain = ((n + 1) ** elasticity - (n - 1) ** elasticity) / 2
    return np.asarray(n * gain / n**elasticity)


def _rate(counts: Counts, elasticity: float) -> Floats:
    """Riders taken per hour (S,) while so many vehicles stood.

    The city's profile x the cell's level x its slot's, shrunk as the rates are.
    """
    cell, slot, vehicles = counts.stock
    taken, size = counts.stock_taken, len(counts.cells) * SLOTS
    served = vehicles.astype(np.float64) ** elasticity
    exposed = counts.stock_h * served
    per_slot = np.bincount(slot, weights=exposed, minlength=SLOTS)
    profile = np.bincount(slot, weights=taken, minlength=SLOTS) / np.maximum(per_slot, 1e-9)
    demand = profile[slot]
    for place, places in ((cell, len(counts.cells)), (cell * SLOTS + slot, size)):
        y = np.bincount(place, weights=taken, minlength=places)
        e = np.bincount(place, weights=exposed * demand, minlength=places)
        demand = demand * shrunk(y, e, kappa_of(y, e))[place]
    return np.asarray(demand * served)
