"""How much less often a vehicle is taken when its charge is low: a factor that rises with charge.

Where many vehicles stand, riders need not take one of little charge; where one stands alone, they
do. So cells that are crowded, middling and nearly empty have factors of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import isotonic_regression

from fleetdesk.fleet.counts import CLASS_PCT, CLASSES
from fleetdesk.fleet.empirical_bayes import kappa_of

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

CROWDS = 3
CROWD_TRIPS = 20.0  # a class of a group with this many expected trips is trusted half
CLASS_ABOVE_TRIPS = 2.0  # what the class above counts for, so that an empty class is like it
# From half a charge on all classes count as one: there trips differ by where crews put vehicles.
PLENTY = 10
_MIDDLES_PCT = np.append((np.arange(CLASSES - 1) + 0.5) * CLASS_PCT, 100.0)


@dataclass(frozen=True)
class Multiplier:
    """`factors` (G, 21) of each cell by class of charge; they never fall as the charge rises.

    Over the free hours of all cells they average about 1: groups with few trips lean on the city's.
    """

    factors: Floats

    def at(self, charge_pct: Floats) -> Floats:
        """(G, B): the factors at B charges, evenly between the middles of the classes."""
        return np.stack([np.interp(charge_pct, _MIDDLES_PCT, own) for own in self.factors])


def multiplier_of(trips: Floats, free_h: Floats, per_h: Floats) -> Multiplier:
    """The rising factors that fit the trips best.

    Takes trips by cell and class (G, 21), free hours by cell, slot and class (G, 48, 21), rates
    (G, 48). In the city a class leans a little on the one above; equally crowded cells lean on the
    city.
    """
    expected = np.einsum("gs,gsc->gc", per_h, free_h)
    if not expected.sum() or not trips.sum():
        return Multiplier(np.ones((len(per_h), CLASSES)))
    expected *= trips.sum() / expected.sum()
    trips, expected = _to_plenty(trips), _to_plenty(expected)
    city = _city_factors(trips.sum(axis=0), expected.sum(axis=0))
    crowd = _crowds(free_h.sum(axis=(1, 2)))
    own = []
    for number in range(CROWDS):
        y, e = (table[crowd == number].sum(axis=0) for table in (trips, expected))
        own.append(_rising(city * (CROWD_TRIPS + y) / (CROWD_TRIPS + e * city), e))
    return Multiplier(np.array(own)[crowd][:, np.minimum(np.arange(CLASSES), PLENTY)])


def _to_plenty(by_class: Floats) -> Floats:
    """(G, 11): all classes from half a charge on as one."""
    plenty = by_class[:, PLENTY:].sum(axis=1)
    return np.column_stack([by_class[:, :PLENTY], plenty])


def _city_factors(trips: Floats, expected: Floats) -> Floats:
    """(11,): from the fullest down, each class leaning on the one above."""
    factors, above = np.empty(trips.size), 1.0
    for number in range(trips.size - 1, -1, -1):
        seen = CLASS_ABOVE_TRIPS + trips[number]
        above *= seen / (CLASS_ABOVE_TRIPS + expected[number] * above)
        factors[number] = above
    return _rising(factors, expected)


def _rising(factors: Floats, weights: Floats) -> Floats:
    """The rising numbers nearest to these (Barlow et al. 1972)."""
    return np.asarray(isotonic_regression(factors, weights=weights + 1e-9).x)


def kappa_by_cell(trips: Floats, free_h: Floats, per_h: Floats, multiplier: Multiplier) -> float:
    """How alike cells are in what a charge is good for: the kappa of trips by cell and class of 5 %
    around those expected, with each cell's level taken out; large where all are alike.

    Takes what `multiplier_of` took, and what it gave. A vehicle loses a little while it stands and
    is hardly ever taken exactly full, so that the last class counts with the one below.
    """
    expected = np.einsum("gs,gsc->gc", per_h, free_h) * multiplier.factors
    total = expected.sum(axis=1, keepdims=True)
    level = np.divide(
        trips.sum(axis=1, keepdims=True), total, out=np.zeros_like(total), where=total > 0
    )
    return kappa_of(_nearly_full(trips), _nearly_full(expected * level))


def _nearly_full(by_class: Floats) -> Floats:
    """(G, 20): the last two classes as one."""
    return np.column_stack([by_class[:, :-2], by_class[:, -2:].sum(axis=1)])


def _crowds(free_h: Floats) -> Ints:
    """How crowded each cell is (G,): 0 for those with the fewest vehicles, up to CROWDS - 1.

    Each group has about as many of the free hours.
    """
    order = np.argsort(free_h, kind="stable")
    before = np.cumsum(free_h[order]) - free_h[order] / 2
    found = np.empty(order.size, dtype=np.int64)
    found[order] = np.minimum(CROWDS * before / free_h.sum(), CROWDS - 1)
    return found
