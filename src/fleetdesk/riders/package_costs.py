"""What a package costs a rider and leaves to the operator, over what the rider may come to use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fleetdesk.settings.schema import Costs, Package

Floats = NDArray[np.float64]
_SCENARIOS = 41


@dataclass(frozen=True)
class Usage:
    """What riders may use in a month: riders x scenarios, equally likely, km and swaps."""

    km: Floats
    swaps: Floats

    @property
    def riders(self) -> int:
        """How many riders."""
        return int(self.km.shape[0])


def usage_scenarios(
    km: Floats, low: Floats, high: Floats, swaps_per_km: Floats, interval_pct: float
) -> Usage:
    """Scenarios from a forecast with its interval: log-normal halves below and above the middle.

    A rider whose interval ends at 0 can use nothing. Swaps follow the km.
    """
    from scipy import stats

    share = (np.arange(_SCENARIOS) + 0.5) / _SCENARIOS
    z = stats.norm.ppf(share) / stats.norm.ppf(0.5 + interval_pct / 200.0)
    middle = np.maximum(km, 1e-9)[:, None]
    below = np.log(np.maximum(low, middle[:, 0] * 0.02) / middle[:, 0])
    above = np.log(np.maximum(high, middle[:, 0]) / middle[:, 0])
    spread = np.where(z < 0, -below[:, None] * z, above[:, None] * z)
    drawn = np.where(km[:, None] > 0, middle * np.exp(spread), 0.0)
    return Usage(drawn, drawn * swaps_per_km[:, None])


def rider_costs(usage: Usage, packages: Sequence[Package]) -> Floats:
    """Expected payment a month: riders x packages."""
    return np.stack([_payment(usage, package).mean(axis=1) for package in packages], axis=1)


def margins(usage: Usage, packages: Sequence[Package], costs: Costs, cost_per_km: float) -> Floats:
    """Expected monthly margin: payment net of tax and fee, less km and swaps: riders x packages."""
    kept = 1.0 / (1.0 + costs.vat_pct / 100.0) - costs.payment_fee_pct / 100.0
    spent = (usage.km * cost_per_km + usage.swaps * costs.swap_cost).mean(axis=1)
    return np.asarray(kept * rider_costs(usage, packages) - spent[:, None])


def _payment(usage: Usage, package: Package) -> Floats:
    extra_km = np.maximum(usage.km - package.included_km, 0.0)
    extra_swaps = np.maximum(usage.swaps - package.included_swaps, 0.0)
    return np.asarray(
        package.monthly_price
        + extra_km * package.extra_km_price
        + extra_swaps * package.extra_swap_price
    )
