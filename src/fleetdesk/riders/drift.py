"""Whether today's riders are still those that a model learnt from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fleetdesk.riders.matrix import Floats, numbers

_PARTS = 10
_LEAST = 1e-4


@dataclass(frozen=True, slots=True)
class Spread:
    """How a column was spread: shares of riders below, between and above edges, and missing."""

    edges: tuple[float, ...]
    shares: tuple[float, ...]


def spreads(frame: pd.DataFrame, columns: Sequence[str]) -> dict[str, Spread]:
    """The spread of numeric columns over their tenths; what is missing is a part of its own."""
    found = {}
    for name in columns:
        values = numbers(frame[name])
        known = values[~np.isnan(values)]
        inner = np.linspace(0, 1, _PARTS + 1)[1:-1]
        edges = np.unique(np.quantile(known, inner)) if known.size else np.empty(0)
        found[name] = Spread(
            tuple(float(edge) for edge in edges), tuple(float(s) for s in _shares(values, edges))
        )
    return found


def stability_index(then: Mapping[str, Spread], frame: pd.DataFrame) -> dict[str, float]:
    """The population stability index of each column: sum of (now - then) x ln(now / then)."""
    found = {}
    for name, spread in then.items():
        before = np.maximum(np.asarray(spread.shares), _LEAST)
        now = np.maximum(_shares(numbers(frame[name]), np.asarray(spread.edges)), _LEAST)
        found[name] = float(((now - before) * np.log(now / before)).sum())
    return found


def _shares(values: Floats, edges: Floats) -> Floats:
    missing = np.isnan(values)
    place = np.searchsorted(edges, values[~missing], side="right")
    counts = np.bincount(place, minlength=len(edges) + 1).astype(float)
    return np.append(counts, missing.sum()) / max(1, len(values))
