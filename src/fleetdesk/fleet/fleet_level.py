"""Which of a scooter's trips the fleet would not have had without it.

While n free vehicles stand in a cell, riders take one at the rate mu (1 - exp(-a n)): mu is how
many come in an hour, whether they find a vehicle or not, and a is the reach of one vehicle, the
same in the whole city. Where nobody stood nothing is learnt, so that demand is not mistaken for
what was there to be taken. With a large reach any vehicle serves the whole cell and every count
below n is exact, one of n a lower bound: the censored Poisson. An added and a removed vehicle
change the rate by mu/2 [S(n + 1) - S(n - 1)] on average, S(n) = 1 - exp(-a n).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

from fleetdesk.fleet.counts import SLOTS, Counts
from fleetdesk.fleet.empirical_bayes import kappa_of, shrunk

Floats = npt.NDArray[np.float64]

_REACH = (1e-3, 10.0)
SUPPORT_TRIPS = 5.0  # a cell's slot with this many trips is trusted half


@dataclass(frozen=True)
class Additional:
    """`share` (G, 48) of a scooter's trips that are new to the fleet, and that of the whole `city`.

    `reach` is that of one vehicle.
    """

    share: Floats
    city: float
    reach: float


def additional(counts: Counts) -> Additional:
    """Fit demand and reach to the stock of `counts`; without trips every trip would be new."""
    taken, hours = counts.stock_taken, counts.stock_h
    shape = (len(counts.cells), SLOTS)
    if not taken.sum():
        return Additional(np.ones(shape), 1.0, 0.0)

    def surprise(log_reach: float) -> float:
        rate = _demand(counts, float(np.exp(log_reach)))
        return -float(np.sum(taken * np.log(np.maximum(rate, 1e-12)) - rate * hours))

    found = minimize_scalar(
        surprise, bounds=np.log(_REACH), method="bounded", options={"xatol": 0.01, "maxiter": 25}
    )
    reach = float(np.exp(found.x))
    cell, slot, vehicles = counts.stock
    rate, served = _demand(counts, reach), served_share(vehicles, reach)
    gain = (served_share(vehicles + 1, reach) - served_share(vehicles - 1, reach)) / 2
    at = cell * SLOTS + slot
    own = np.bincount(at, weights=rate * hours, minlength=shape[0] * SLOTS)
    # Each of the n vehicles adds as much: the share is that of all of them together.
    new = np.bincount(
        at, weights=rate / served * gain * vehicles * hours, minlength=shape[0] * SLOTS
    )
    city = new.sum() / own.sum()
    share = (new + SUPPORT_TRIPS * city) / (own + SUPPORT_TRIPS)
    return Additional(np.minimum(share, 1.0).reshape(shape), float(city), reach)


def served_share(vehicles: npt.ArrayLike, reach: float) -> Floats:
    """S(n) = 1 - exp(-reach n): the share of riders who find one of n vehicles near enough."""
    return np.asarray(-np.expm1(-reach * np.asarray(vehicles, dtype=np.float64)))


def _demand(counts: Counts, reach: float) -> Floats:
    """Riders taken per hour (S,) while so many vehicles stood, under this reach.

    The city's profile x the cell's level x its slot's, shrunk as the rates are.
    """
    cell, slot, vehicles = counts.stock
    taken, size = counts.stock_taken, len(counts.cells) * SLOTS
    served = served_share(vehicles, reach)
    exposed = counts.stock_h * served
    per_slot = np.bincount(slot, weights=exposed, minlength=SLOTS)
    profile = np.bincount(slot, weights=taken, minlength=SLOTS) / np.maximum(per_slot, 1e-9)
    demand = profile[slot]
    for place, places in ((cell, len(counts.cells)), (cell * SLOTS + slot, size)):
        y = np.bincount(place, weights=taken, minlength=places)
        e = np.bincount(place, weights=exposed * demand, minlength=places)
        demand = demand * shrunk(y, e, kappa_of(y, e))[place]
    return np.asarray(demand * served)
