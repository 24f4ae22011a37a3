"""Thresholds per cell and local hour, leaning on the region's and trusted only where proved.

ROI falls about evenly with the charge. One line is fitted to all tasks, and each (cell, hour) may
depart from it by an offset and a slope under a ridge; its threshold lies off the region's by as
much as its line crosses zero elsewhere. Departures on few tasks would be chance: a threshold of its
own takes 30 tasks and a gain on weeks that it was not learnt from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fleetdesk.fleet.thresholds import Returns, best_threshold

Floats = npt.NDArray[np.float64]

TASKS_NEEDED = 30
STRENGTHS = (3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)  # a group of so many tasks is trusted half
_SCALE_PCT = 10.0  # a slope is counted per 10 % of charge, so that one ridge fits both
_HIGHEST_PCT = 95.0

Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class LocalThreshold:
    """A (cell, hour)'s tasks, its shrunk threshold, and what that gained on held-out weeks."""

    cell: str
    hour: int
    tasks: int
    threshold_pct: float
    held_out_gain: float
    overrides: bool


@dataclass(frozen=True)
class ThresholdPolicy:
    """The region's threshold and those of the cells and hours that proved their own."""

    region_pct: float
    local: Mapping[Place, LocalThreshold]

    def at(self, cell: str, hour: int) -> float:
        """The threshold that holds in a cell (of the sheet's size) at a local hour."""
        found = self.local.get((cell, hour))
        return found.threshold_pct if found and found.overrides else self.region_pct


def learn(returns: Returns) -> ThresholdPolicy:
    """Learn from all weeks; what overrides is decided by leaving out one week after another."""
    region = best_threshold(returns)
    places, group = _groups(returns)
    counts = np.bincount(group, minlength=len(places))
    candidates = np.flatnonzero(counts >= TASKS_NEEDED)
    weeks = np.unique(returns.week)
    if not candidates.size or weeks.size < 2:
        return ThresholdPolicy(region, {})
    strength = _strength(returns, group, len(places), weeks)
    gains = np.zeros(len(places))
    for week in weeks:
        mine = returns.week == week
        rest = returns.only(~mine)
        wide = best_threshold(rest)
        own = _local(rest, group[~mine], len(places), strength, wide)[group[mine]]
        battery, roi = returns.battery_pct[mine], returns.roi[mine]
        more = roi * ((battery < own).astype(float) - (battery < wide))
        gains += np.bincount(group[mine], weights=more, minlength=len(places))
    local = _local(returns, group, len(places), strength, region)
    return ThresholdPolicy(
        region,
        {
            places[i]: LocalThreshold(
                *places[i], int(counts[i]), float(local[i]), float(gains[i]), bool(gains[i] > 0)
            )
            for i in candidates.tolist()
        },
    )


def _groups(returns: Returns) -> tuple[list[Place], npt.NDArray[np.int64]]:
    keys = list(zip(returns.cell.tolist(), returns.hour.tolist(), strict=True))
    places = sorted(set(keys))
    number = {place: index for index, place in enumerate(places)}
    return places, np.array([number[key] for key in keys], dtype=np.int64)


def _strength(
    returns: Returns, group: npt.NDArray[np.int64], groups: int, weeks: npt.NDArray[np.int64]
) -> float:
    """The ridge that foretells left-out weeks best."""
    missed = []
    for strength in STRENGTHS:
        total = 0.0
        for week in weeks:
            mine = returns.week == week
            line, offsets = _lines(returns.only(~mine), group[~mine], groups, strength)
            foretold = _at(line + offsets[group[mine]], returns.battery_pct[mine])
            total += float(np.sum((returns.roi[mine] - foretold) ** 2))
        missed.append(total)
    return STRENGTHS[int(np.argmin(missed))]


def _local(
    returns: Returns, group: npt.NDArray[np.int64], groups: int, strength: float, region: float
) -> Floats:
    """Each group's threshold (groups,)."""
    line, offsets = _lines(returns, group, groups, strength)
    own = line + offsets
    if line[1] >= 0:  # more charge is not worth less: there is no line to move along
        return np.full(groups, region)
    shift = _crossing(own) - _crossing(line[None, :])
    shift = np.where(own[:, 1] < 0, shift, 0.0)
    return np.clip(region + shift, 0.0, _HIGHEST_PCT)


def _lines(
    returns: Returns, group: npt.NDArray[np.int64], groups: int, strength: float
) -> tuple[Floats, Floats]:
    """The line of all tasks (2,): ROI at no charge and per 10 %; and each group's departure."""
    x = np.stack([np.ones(len(returns)), returns.battery_pct / _SCALE_PCT], axis=1)
    line, *_ = np.linalg.lstsq(x, returns.roi, rcond=None)
    # Measured from the mean charge, an offset and a slope do not stand in for one another.
    middle = float(x[:, 1].mean()) if len(returns) else 0.0
    z = np.stack([x[:, 0], x[:, 1] - middle], axis=1)
    rest = returns.roi - x @ line
    squares = np.zeros((groups, 2, 2))
    products = np.zeros((groups, 2))
    np.add.at(squares, group, z[:, :, None] * z[:, None, :])
    np.add.at(products, group, z * rest[:, None])
    spread = np.array([1.0, float(np.mean(z[:, 1] ** 2)) if len(returns) else 1.0])
    ridge = strength * np.diag(np.maximum(spread, 1e-9))
    departure = np.linalg.solve(squares + ridge, products[:, :, None])[:, :, 0]
    departure[:, 0] -= departure[:, 1] * middle
    return np.asarray(line, dtype=np.float64), np.asarray(departure, dtype=np.float64)


def _at(lines: Floats, battery_pct: Floats) -> Floats:
    return np.asarray(lines[:, 0] + lines[:, 1] * battery_pct / _SCALE_PCT)


def _crossing(lines: Floats) -> Floats:
    """The charge in % at which each line (L, 2) crosses zero."""
    slope = np.where(lines[:, 1] < 0, lines[:, 1], -1e-9)
    return np.asarray(-lines[:, 0] / slope * _SCALE_PCT)
