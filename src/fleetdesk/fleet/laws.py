"""The laws of a city as one draw of its cycles shows them: rates, goals, money, use and more."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import isotonic_regression

from fleetdesk.fleet.counts import DAYPARTS, WHOLE_PCT, Counts
from fleetdesk.fleet.empirical_bayes import kappa_of, shrunk
from fleetdesk.fleet.hourly_rates import HourlyRates, Kappas, hourly_rates

Floats = npt.NDArray[np.float64]

FLOW_MASS = 8.0  # trips that the wider pattern of destinations counts for
PLACE_SUPPORT_TRIPS = 50.0  # a cell with this many trips is trusted half for money and use
USE_CLASSES = 8  # equally likely amounts of charge that a trip may take


@dataclass(frozen=True)
class Laws:
    """What a backward recursion needs, by cell (G).

    `rates.per_h` (G, 48) trips per free hour; `goals` (4, G, G) by daypart, rows sum to 1;
    `per_trip` (G,) city currency; `uses_pct` (G, 8) equally likely amounts of charge a trip takes,
    all zero where no charge is known; `fault_per_h` and `standing_pct_per_h` for the whole city.
    `swaps` (G, 21): the share of the trips to a cell after which a rider puts in a full battery, by
    class of the charge at the end.
    """

    rates: HourlyRates
    goals: Floats
    per_trip: Floats
    uses_pct: Floats
    fault_per_h: float
    standing_pct_per_h: float
    swaps: Floats


def laws(counts: Counts, weights: Floats, kappas: Kappas | None = None) -> Laws:
    """The laws from the blocks of `counts`, weighted (K,); `kappas` are fitted unless given."""
    trips = weights @ counts.started
    at_risk = float(weights @ counts.operational_h)
    return Laws(
        rates=hourly_rates(counts, weights, kappas),
        goals=_goals(counts, weights),
        per_trip=_means(weights @ counts.revenue, trips),
        uses_pct=_means(weights @ counts.used_pct, weights @ counts.measured)[:, None]
        * _use_shape(counts.uses),
        fault_per_h=float(weights @ counts.ends) / at_risk if at_risk else 0.0,
        standing_pct_per_h=counts.standing_pct_per_h,
        swaps=_swaps(counts.rider_swaps, counts.trips_ended),
    )


def _swaps(swapped: Floats, ended: Floats) -> Floats:
    """(G, 21): the city's share never rises with the charge; each cell leans on it."""
    every, total = ended.sum(axis=0), swapped.sum(axis=0)
    share = total / np.maximum(every, 1.0)
    falling = isotonic_regression(share, weights=np.maximum(every, 1e-9), increasing=False).x
    expected = ended @ falling
    own = shrunk(swapped.sum(axis=1), expected, kappa_of(swapped.sum(axis=1), expected))
    return np.asarray(np.minimum(own[:, None] * falling, 1.0))


def _means(sums: Floats, trips: Floats) -> Floats:
    """Each cell's mean per trip, leaning on the city's."""
    city = sums.sum() / trips.sum() if trips.sum() else 0.0
    return np.asarray((sums + PLACE_SUPPORT_TRIPS * city) / (trips + PLACE_SUPPORT_TRIPS))


def _use_shape(uses: Floats) -> Floats:
    """The spread of what trips use, as `USE_CLASSES` equally likely multiples of the mean."""
    total = uses.sum()
    mean = float(uses @ np.arange(WHOLE_PCT)) / total if total else 0.0
    if not mean:
        return np.ones(USE_CLASSES)
    # The mean of each class is the rise of the partial expectation over it.
    share = np.concatenate([[0.0], np.cumsum(uses) / total])
    partial = np.concatenate([[0.0], np.cumsum(uses * np.arange(WHOLE_PCT)) / total])
    rise = np.diff(np.interp(np.linspace(0, 1, USE_CLASSES + 1), share, partial))
    return np.asarray(rise * USE_CLASSES / mean)


def _goals(counts: Counts, weights: Floats) -> Floats:
    """P_h(g -> g') with Dirichlet smoothing: the daypart leans on the day, the day on the city."""
    g = len(counts.cells)
    block, origin, goal, part, trips = counts.flow
    flat = np.ravel_multi_index((part, origin, goal), (DAYPARTS, g, g))
    sums = np.bincount(flat, weights=weights[block] * trips, minlength=DAYPARTS * g * g)
    went = np.asarray(sums, dtype=np.float64).reshape(DAYPARTS, g, g)
    ends = went.sum(axis=(0, 1))
    city = (ends + 1.0 / g) / (ends.sum() + 1.0) if g else ends
    day = _leaning(went.sum(axis=0), city[None, :])
    return _leaning(went, day[None, :, :])


def _leaning(went: Floats, wider: Floats) -> Floats:
    return np.asarray((went + FLOW_MASS * wider) / (went.sum(axis=-1, keepdims=True) + FLOW_MASS))
