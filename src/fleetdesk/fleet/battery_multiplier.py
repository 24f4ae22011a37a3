"""How much less often a vehicle is taken when its charge is low: a factor in three bins."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from fleetdesk.fleet.counts import CLASS_PCT, CLASSES

Floats = npt.NDArray[np.float64]

SUPPORT_TRIPS = 20.0  # a bin with this many expected trips is trusted half
_EDGES = range(2, 15)  # in classes of 5 %: from 10 to 70 %


@dataclass(frozen=True)
class Multiplier:
    """Factors below, between and above two edges in %; `factors` (3,) average 1 over free hours."""

    edges_pct: tuple[float, float]
    factors: tuple[float, float, float]

    def at(self, charge_pct: Floats) -> Floats:
        """The factor at any charge; over one class around an edge it passes evenly."""
        low, high = self.edges_pct
        half = CLASS_PCT / 2
        knots = (low - half, low + half, high - half, high + half)
        a, b, c = self.factors
        return np.asarray(np.interp(charge_pct, knots, (a, b, b, c)))

    def of_classes(self) -> Floats:
        """The factor of each class of charge (21,)."""
        return np.array(self.factors)[_bins(*(round(e / CLASS_PCT) for e in self.edges_pct))]


def multiplier_of(trips: Floats, free_h: Floats, per_h: Floats) -> Multiplier:
    """The bins and factors under which the trips are likeliest (Poisson), each leaning on 1.

    Takes trips by class (21,), free hours by cell, slot and class (G, 48, 21), rates (G, 48).
    """
    expected = np.einsum("gs,gsc->c", per_h, free_h)
    if not expected.sum() or not trips.sum():
        return Multiplier((_EDGES[0] * CLASS_PCT, _EDGES[-1] * CLASS_PCT), (1.0, 1.0, 1.0))
    expected = expected * (trips.sum() / expected.sum())
    found = max(combinations(_EDGES, 2), key=lambda edges: _likelihood(trips, expected, edges))
    low, middle, high = _factors(trips, expected, found).tolist()
    return Multiplier((found[0] * CLASS_PCT, found[1] * CLASS_PCT), (low, middle, high))


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


def _bins(low: int, high: int) -> npt.NDArray[np.int64]:
    return np.digitize(np.arange(CLASSES), [low, high])
