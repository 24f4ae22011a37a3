"""How much less often a vehicle is taken when its charge is low: a factor in three bins.

Where many vehicles stand, riders need not take one of little charge; where one stands alone, they
do. So cells that are crowded, middling and nearly empty have factors of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from fleetdesk.fleet.counts import CLASS_PCT, CLASSES
from fleetdesk.fleet.empirical_bayes import kappa_of

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SUPPORT_TRIPS = 20.0  # a bin with this many expected trips is trusted half
CROWDS = 3
_EDGES = range(2, 15)  # in classes of 5 %: from 10 to 70 %


@dataclass(frozen=True)
class Multiplier:
    """`factors` (G, 3) of each cell below, between and above two edges in percent of charge.

    Over the free hours of all cells they average about 1: groups with few trips lean on the city's.
    """

    edges_pct: tuple[float, float]
    factors: Floats

    def at(self, charge_pct: Floats) -> Floats:
        """(G, B): the factors at B charges; over one class around an edge they pass evenly."""
        low, high = self.edges_pct
        half = CLASS_PCT / 2
        knots = (low - half, low + half, high - half, high + half)
        bins = [np.interp(charge_pct, knots, values) for values in ((1, 0, 0, 0), (0, 1, 1, 0),
                                                                    (0, 0, 0, 1))]  # fmt: skip
        return np.asarray(self.factors @ np.stack(bins))

    def of_classes(self) -> Floats:
        """The factor of each class of charge (G, 21)."""
        return self.factors[:, _bins(*(round(e / CLASS_PCT) for e in self.edges_pct))]


def multiplier_of(trips: Floats, free_h: Floats, per_h: Floats) -> Multiplier:
    """The bins and factors under which the trips are likeliest (Poisson).

    Takes trips by cell and class (G, 21), free hours by cell, slot and class (G, 48, 21), rates
    (G, 48). The city's factors lean on 1, those of equally crowded cells on the city's.
    """
    expected = np.einsum("gs,gsc->gc", per_h, free_h)
    if not expected.sum() or not trips.sum():
        edges = (_EDGES[0] * CLASS_PCT, _EDGES[-1] * CLASS_PCT)
        return Multiplier(edges, np.ones((len(per_h), 3)))
    expected *= trips.sum() / expected.sum()
    city_trips, city_expected = trips.sum(axis=0), expected.sum(axis=0)
    found = max(
        combinations(_EDGES, 2), key=lambda edges: _likelihood(city_trips, city_expected, edges)
    )
    city = _factors(city_trips, city_expected, found)
    expected *= city[_bins(*found)]
    crowd = _crowds(free_h.sum(axis=(1, 2)))
    own = [
        _factors(trips[crowd == number].sum(axis=0), expected[crowd == number].sum(axis=0), found)
        for number in range(CROWDS)
    ]
    return Multiplier((found[0] * CLASS_PCT, found[1] * CLASS_PCT), city * np.array(own)[crowd])


def kappa_by_cell(trips: Floats, free_h: Floats, per_h: Floats, multiplier: Multiplier) -> float:
    """How alike cells are in what a charge is good for: the kappa of trips by cell and class of 5 %
    around those expected, with each cell's level taken out; large where all are alike.

    Takes what `multiplier_of` took, and what it gave. A vehicle loses a little while it stands and
    is hardly ever taken exactly full, so that the last class counts with the one below.
    """
    expected = np.einsum("gs,gsc->gc", per_h, free_h) * multiplier.of_classes()
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


def _likelihood(trips: Floats, expected: Floats, edges: tuple[int, int]) -> float:
    bins = _bins(*edges)
    factors = _factors(trips, expected, edges)
    mean = factors[bins] * expected
    return float(np.sum(trips * np.log(np.maximum(factors[bins], 1e-12)) - mean))


def _factors(trips: Floats, expected: Floats, edges: tuple[int, int]) -> Floats:
    bins = _bins(*edges)
    y = np.bincount(bins, weights=trips, minlength=3)
    e = np.bincount(bins, weights=expected, minlength=3)
    return np.asarray((SUPPORT_TRIPS + y) / (SUPPORT_TRIPS + e))


def _bins(low: int, high: int) -> Ints:
    return np.digitize(np.arange(CLASSES), [low, high])
