"""Which of a scooter's trips the fleet would not have had without it.

N rivals together are taken in proportion to N^e (`rivals`), so that one more and one fewer of them
change that by 1/2 [(N + 1)^e - (N - 1)^e] on average. Where nobody stood nothing is learnt: demand
is not mistaken for what was there to be taken.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from fleetdesk.fleet.counts import SLOTS, Counts
from fleetdesk.fleet.empirical_bayes import kappa_of, shrunk
from fleetdesk.fleet.rivals import Rivalry

Floats = npt.NDArray[np.float64]

SUPPORT_TRIPS = 5.0  # a cell's slot with this many trips is trusted half
_FIRST = (0.3, 0.01)  # the elasticity and reach that the search begins with
_BOUNDS = ((0.01, 1.0), (0.0, 1.0))


@dataclass(frozen=True)
class Additional:
    """`share` (G, 48) of a scooter's trips that are new to the fleet, and that of the whole `city`.

    `rivalry` is what they were worked out from.
    """

    share: Floats
    city: float
    rivalry: Rivalry


def additional(counts: Counts) -> Additional:
    """Fit demand and rivalry to the stock of `counts` by maximum likelihood (Poisson).

    Without trips every trip would be new.
    """
    stock = counts.stock
    shape = (len(counts.cells), SLOTS)
    if not stock.taken.sum():
        return Additional(np.ones(shape), 1.0, Rivalry(1.0, 0.0))

    def surprise(law: Floats) -> float:
        rate = _rate(counts, Rivalry(*law.tolist()))
        return -float(np.sum(stock.taken * np.log(np.maximum(rate, 1e-12)) - rate * stock.hours))

    found = minimize(
        surprise, _FIRST, method="Nelder-Mead", bounds=_BOUNDS,
        options={"xatol": 1e-3, "fatol": 1e-2},
    )  # fmt: skip
    rivalry = Rivalry(*found.x.tolist())
    cell, slot, vehicles, around = stock.key
    at, size = cell * SLOTS + slot, shape[0] * SLOTS
    trips = _rate(counts, rivalry) * stock.hours
    share = new_share(rivalry.rivals(vehicles, around), rivalry.elasticity)
    own = np.bincount(at, weights=trips, minlength=size)
    new = np.bincount(at, weights=trips * share, minlength=size)
    city = float(new.sum() / own.sum())
    share = (new + SUPPORT_TRIPS * city) / (own + SUPPORT_TRIPS)
    return Additional(np.minimum(share, 1.0).reshape(shape), city, rivalry)


def by_cell(counts: Counts) -> dict[str, float]:
    """The share of each cell's trips that are new to the fleet, under "" that of the city."""
    found = additional(counts)
    trips = counts.trips.sum(axis=0) + 1e-9
    shares = (found.share * trips).sum(axis=1) / trips.sum(axis=1)
    return {**dict(zip(counts.cells, shares.tolist(), strict=True)), "": found.city}


def new_share(rivals: npt.ArrayLike, elasticity: float) -> Floats:
    """The share of a vehicle's trips that are new among n: n/2 [(n+1)^e - (n-1)^e] / n^e."""
    n = np.asarray(rivals, dtype=np.float64)
    gain = ((n + 1) ** elasticity - (n - 1) ** elasticity) / 2
    return np.asarray(n * gain / n**elasticity)


def _rate(counts: Counts, rivalry: Rivalry) -> Floats:
    """Riders taken per hour (S,) while so many vehicles stood there and around.

    The city's profile x the cell's level x its slot's, shrunk as the rates are.
    """
    cell, slot, vehicles, around = counts.stock.key
    taken, size = counts.stock.taken, len(counts.cells) * SLOTS
    served = vehicles * rivalry.per_vehicle(vehicles, around)
    exposed = counts.stock.hours * served
    per_slot = np.bincount(slot, weights=exposed, minlength=SLOTS)
    profile = np.bincount(slot, weights=taken, minlength=SLOTS) / np.maximum(per_slot, 1e-9)
    demand = profile[slot]
    for place, places in ((cell, len(counts.cells)), (cell * SLOTS + slot, size)):
        y = np.bincount(place, weights=taken, minlength=places)
        e = np.bincount(place, weights=exposed * demand, minlength=places)
        demand = demand * shrunk(y, e, kappa_of(y, e))[place]
    return np.asarray(demand * served)
