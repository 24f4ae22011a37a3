"""Curves of staying: survival and hazard of one group of stays, by month."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from lifelines import KaplanMeierFitter
from numpy.typing import NDArray
from scipy.stats import norm

from fleetdesk.riders.matrix import Floats

Times = tuple[Floats, NDArray[np.bool_], Floats]
"""Of each stay: its duration in months, whether it ended, and from which month on it was seen."""


@dataclass(frozen=True)
class Curve:
    """The Kaplan-Meier curve of one group at whole months, with 95 % intervals.

    It ends where too few stays are still seen: what comes after is the luck of single riders.
    `hazard` is the smoothed chance to leave per month, `hazard_error` its standard error and
    `mean_hazard` the endings per month stayed. `mean_months` is the restricted mean up to the
    horizon; `median_months` is missing while fewer than half have left.
    """

    group: str
    stays: int
    ended: int
    months: Floats
    survival: Floats
    low: Floats
    high: Floats
    at_risk: NDArray[np.int64]
    hazard: Floats
    hazard_error: Floats
    mean_hazard: float
    mean_months: float
    mean_low: float
    mean_high: float
    median_months: float | None

    @property
    def hazard_interval(self) -> tuple[Floats, Floats]:
        """The 95 % interval of each month's hazard."""
        reach = 1.96 * self.hazard_error
        return np.maximum(self.hazard - reach, 0.0), self.hazard + reach

    @property
    def peak_month(self) -> float | None:
        """When riders leave fastest; missing where no month stands out from the mean.

        To stand out among so many months a month must do so beyond 95 % for all of them together.
        """
        reach = float(norm.ppf(1.0 - 0.05 / len(self.months)))
        sure = self.hazard - reach * self.hazard_error > self.mean_hazard
        if not sure.any():
            return None
        return float(self.months[int(np.argmax(np.where(sure, self.hazard, 0.0)))])


def curve_of(group: str, stays: Times, horizon: float, bandwidth: float, fewest: int) -> Curve:
    """The curve of stays over the months at which `fewest` are still seen, up to `horizon`.

    `bandwidth` is how many months the hazard is smoothed over, to both sides.
    """
    duration, ended, entry = stays
    grid = months_seen(duration, entry, horizon, fewest)
    fitted = KaplanMeierFitter().fit(duration, ended, entry=entry)
    survival = np.asarray(fitted.survival_function_at_times(grid), dtype=float)
    interval = fitted.confidence_interval_
    known = np.asarray(interval.index, dtype=float)
    place = np.clip(np.searchsorted(known, grid, side="right") - 1, 0, None)
    # An interval of nobody who left has no width to be told.
    band = np.nan_to_num(interval.to_numpy()[place], nan=1.0)
    mean, error = restricted_mean(duration, ended, entry, horizon)
    hazard, hazard_error = _hazard(duration, ended, entry, grid, bandwidth)
    last = float(grid[-1])
    stayed = float(np.maximum(np.minimum(duration, last) - entry, 0.0).sum())
    half = np.flatnonzero(survival <= 0.5)
    return Curve(
        group=group,
        stays=len(duration),
        ended=int(ended.sum()),
        months=grid,
        survival=survival,
        low=band.min(axis=1),
        high=band.max(axis=1),
        at_risk=_at_risk(duration, entry, grid),
        hazard=hazard,
        hazard_error=hazard_error,
        mean_hazard=float((ended & (duration <= last)).sum()) / stayed if stayed else 0.0,
        mean_months=mean,
        mean_low=max(0.0, mean - 1.96 * error),
        mean_high=min(horizon, mean + 1.96 * error),
        median_months=float(fitted.median_survival_time_) if len(half) else None,
    )


def months_seen(duration: Floats, entry: Floats, longest: float, fewest: int) -> Floats:
    """Whole months from 0 to the last at which `fewest` stays are still seen."""
    grid = np.arange(0.0, longest + 1.0)
    enough = np.flatnonzero(_at_risk(duration, entry, grid) >= fewest)
    return grid[: int(enough[-1]) + 1 if len(enough) else 1]


def _at_risk(duration: Floats, entry: Floats, grid: Floats) -> NDArray[np.int64]:
    return np.array([int(((entry <= t) & (duration >= t)).sum()) for t in grid], dtype=np.int64)


def restricted_mean(
    duration: Floats, ended: NDArray[np.bool_], entry: Floats, horizon: float
) -> tuple[float, float]:
    """Mean months stayed up to the horizon and its standard error (Greenwood)."""
    times, risk, gone = _endings(duration, ended, entry, horizon)
    steps = np.cumprod(1.0 - gone / risk) if len(times) else np.empty(0)
    edges = np.concatenate([[0.0], times, [horizon]])
    pieces = np.concatenate([[1.0], steps]) * np.diff(edges)
    left = np.cumsum(pieces[::-1])[::-1][1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.nansum(np.where(risk > gone, left**2 * gone / (risk * (risk - gone)), 0.0))
    return float(pieces.sum()), float(np.sqrt(variance))


def _hazard(
    duration: Floats, ended: NDArray[np.bool_], entry: Floats, grid: Floats, bandwidth: float
) -> tuple[Floats, Floats]:
    """Epanechnikov-smoothed hazard per month and its standard error (Ramlau-Hansen 1983).

    Near both ends of the grid the kernel is cut and scaled back up. Endings beyond the grid do not
    count: so few are still seen there that each would weigh as much as many before. Missing where
    no whole month is seen.
    """
    if not grid[-1]:
        return np.full(1, np.nan), np.full(1, np.nan)
    times, risk, gone = _endings(duration, ended, entry, float(grid[-1]))
    off = (grid[:, None] - times[None, :]) / bandwidth
    weight = np.where(np.abs(off) <= 1.0, 0.75 * (1.0 - off**2), 0.0) / bandwidth
    inside = _kernel_below(grid / bandwidth) - _kernel_below((grid - grid[-1]) / bandwidth)
    weight /= inside[:, None]
    return weight @ (gone / risk), np.sqrt(weight**2 @ (gone / risk**2))


def _kernel_below(at: Floats) -> Floats:
    """How much of Epanechnikov's kernel lies below these places."""
    edge = np.clip(at, -1.0, 1.0)
    return np.asarray(0.75 * (edge - edge**3 / 3.0) + 0.5)


def _endings(
    duration: Floats, ended: NDArray[np.bool_], entry: Floats, until: float
) -> tuple[Floats, Floats, Floats]:
    """Each time up to `until` at which stays ended, with how many could have and how many did."""
    times = np.unique(duration[ended & (duration <= until)])
    risk = np.array([((entry < t) & (duration >= t)).sum() for t in times], dtype=float)
    gone = np.array([(ended & (duration == t)).sum() for t in times], dtype=float)
    return times, risk, gone
