"""Scores for benchmarks/roi.py: estimates against the truth. Knows nothing of FleetDesk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Figure:
    """One figure against its target; `limit` None = none is set. `better` "near" = as near to
    `aim` as `limit` allows."""

    value: float
    limit: float | None = None
    better: str = "higher"
    aim: float = 0.0

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        if self.limit is None:
            return None
        if self.better == "higher":
            return self.value >= self.limit
        if self.better == "lower":
            return self.value <= self.limit
        return abs(self.value - self.aim) <= self.limit

    def line(self) -> dict[str, float | str | bool | None]:
        """As it is printed."""
        shown = {"value": round(self.value, 4), "limit": self.limit, "better": self.better}
        aim = {"aim": round(self.aim, 4)} if self.better == "near" else {}
        return shown | aim | {"met": self.met}


def bias(estimated: Floats, true: Floats) -> float:
    """Mean of what is estimated less the mean of what is true."""
    return float(np.mean(estimated) - np.mean(true))


def rmse(estimated: Floats, true: Floats) -> float:
    """Root of the mean squared error, the truth's own noise included."""
    return float(np.sqrt(np.mean((estimated - true) ** 2)))


def spearman(estimated: Floats, true: Floats) -> float:
    """Rank correlation; 0 where one of them never changes."""
    if np.ptp(estimated) == 0 or np.ptp(true) == 0:
        return 0.0
    return float(spearmanr(estimated, true).statistic)


def capture(chosen: NDArray[np.bool_], true: Floats) -> float:
    """Money that the chosen tasks really bring, as a share of what the oracle's bring.

    The oracle does the tasks whose true return is positive. 1 where none is and none is chosen.
    """
    oracle = float(true[true > 0].sum())
    if oracle == 0:
        return 1.0 if not chosen.any() else 0.0
    return float(true[chosen].sum()) / oracle


def best_threshold(battery_pct: Floats, returns: Floats) -> float:
    """The x that maximises the sum of returns of tasks with a battery below x.

    From 0 (none) to above the largest (all); where several are best, the lowest.
    """
    levels = np.concatenate([[0.0], np.unique(battery_pct) + 1e-9])
    order = np.argsort(battery_pct)
    running = np.concatenate([[0.0], np.cumsum(returns[order])])
    sums = running[np.searchsorted(battery_pct[order], levels, side="left")]
    return float(levels[int(np.argmax(sums))])


def coverage(low: Floats, high: Floats, true: Floats, noise_se: Floats) -> float:
    """Share of intervals that hold the truth, where the truth itself is known with some noise.

    An interval of half-width w for a truth with standard error e is read as one for what was
    measured: it is widened to sqrt(w^2 + (1.645 e)^2) around its middle.
    """
    middle, half = (low + high) / 2, (high - low) / 2
    wide = np.sqrt(half**2 + (1.645 * noise_se) ** 2)
    return float(np.mean(np.abs(true - middle) <= wide))
