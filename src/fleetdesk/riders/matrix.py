"""Feature columns as a matrix that distances can be measured in; kept so that new riders fit it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_SKEWED = 1.0  # from here on a distribution is measured by its logarithm
_REACH = 4.0  # standard deviations beyond which a rider is no farther


@dataclass(frozen=True)
class Scale:
    """How each column is turned into units of its spread; learnt once, used for all riders.

    `left_out` are columns that tell nothing: the same for all riders, or known for none.
    """

    columns: tuple[str, ...]
    logged: tuple[bool, ...]
    fill: tuple[float, ...]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    left_out: tuple[str, ...]

    def matrix(self, frame: pd.DataFrame, *, reach: float = _REACH) -> Floats:
        """One row per rider, in standard deviations from the mean, cut at `reach`.

        What is missing stands at the middle rider's value.
        """
        if not self.columns:
            return np.zeros((len(frame), 0))
        given = np.column_stack([numbers(frame[name]) for name in self.columns])
        given = np.where(np.isnan(given), np.asarray(self.fill), given)
        given = np.where(np.asarray(self.logged), np.log1p(np.maximum(given, 0.0)), given)
        scaled = (given - np.asarray(self.mean)) / np.asarray(self.deviation)
        return np.asarray(np.clip(scaled, -reach, reach))


def learn_scale(frame: pd.DataFrame, columns: Sequence[str]) -> Scale:
    """Learn the scale of numeric columns; skewed amounts are measured by their logarithm."""
    kept: list[tuple[str, bool, float, float, float]] = []
    left_out: list[str] = []
    for name in columns:
        values = numbers(frame[name])
        known = values[~np.isnan(values)]
        if known.size == 0 or np.ptp(known) <= 1e-12 * max(1.0, float(np.abs(known).max())):
            left_out.append(name)
            continue
        middle = float(np.median(known))
        logged = bool(known.min() >= 0.0 and _skew(known) > _SKEWED)
        full = np.where(np.isnan(values), middle, values)
        full = np.log1p(full) if logged else full
        kept.append((name, logged, middle, float(full.mean()), float(full.std()) or 1.0))
    columns_, logged_, fill, mean, deviation = zip(*kept, strict=True) if kept else ((),) * 5
    return Scale(columns_, logged_, fill, mean, deviation, tuple(left_out))


def numbers(column: pd.Series) -> Floats:
    """A column as floats, NaN where it is missing."""
    return np.asarray(pd.to_numeric(column, errors="coerce"), dtype=np.float64)


def drawn(size: int, most: int, seed: int) -> NDArray[np.int64]:
    """All places, or `most` of them drawn without repeats, in order."""
    if size <= most:
        return np.arange(size)
    chance = np.random.default_rng(seed)
    return np.sort(chance.choice(size, most, replace=False))


def _skew(values: Floats) -> float:
    off = values - values.mean()
    spread = float(np.sqrt((off**2).mean()))
    return float((off**3).mean()) / spread**3 if spread > 0.0 else 0.0
