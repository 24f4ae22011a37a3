"""The rule engine: limits and buffers choose a package as a planner would by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fleetdesk.riders.package_costs import Usage, rider_costs
from fleetdesk.settings.schema import Package

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
NONE = -1


@dataclass(frozen=True, slots=True)
class Buffers:
    """Room that a limit leaves, in percent, and how long a package is kept before going down."""

    growth_pct: float
    season_pct: float
    new_pct: float
    new_months: float
    keep_months: float


def by_rules(
    km: Floats, swaps: Floats, packages: Sequence[Package], buffers: Buffers, *,
    tenure_months: Floats, peak_season: bool,
) -> Ints:  # fmt: skip
    """The first package whose limits hold usage and buffers, the largest where none does.

    Buffers multiply. `packages` in order of their included km.
    """
    room = (1 + buffers.growth_pct / 100) * (1 + buffers.season_pct / 100 * peak_season)
    newness = np.where(tenure_months < buffers.new_months, 1 + buffers.new_pct / 100, 1.0)
    return _first_that_holds(km * room * newness, swaps * room * newness, packages)


def by_newsvendor(usage: Usage, packages: Sequence[Package]) -> Ints:
    """The package up to which one more included km still pays (newsvendor, marginal form).

    Going up from one package to the next costs the difference of prices and saves the dearer
    extra km and swaps, as often as usage gets there: the critical ratio met in scenarios.
    """
    price = rider_costs(usage, packages)
    chosen, rows = np.zeros(usage.riders, dtype=np.int64), np.arange(usage.riders)
    for number in range(1, len(packages)):
        chosen = np.where(price[:, number] < price[rows, chosen], number, chosen)
    return chosen


def protected(wanted: Ints, current: Ints, package_months: Floats, keep_months: float) -> Ints:
    """No step down before `keep_months` in the present package (-1 = none)."""
    early = (current != NONE) & (wanted < current) & ~(package_months >= keep_months)
    return np.where(early, current, wanted)


def _first_that_holds(km: Floats, swaps: Floats, packages: Sequence[Package]) -> Ints:
    limit_km = np.array([package.included_km for package in packages])
    limit_swaps = np.array([package.included_swaps for package in packages])
    holds = (km[:, None] <= limit_km) & (swaps[:, None] <= limit_swaps)
    return np.where(holds.any(axis=1), holds.argmax(axis=1), len(packages) - 1).astype(np.int64)
