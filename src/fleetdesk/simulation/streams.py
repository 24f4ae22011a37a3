"""Independent random streams: the same address always gives the same numbers.

Philox is counter-based, so a stream is addressed instead of consumed: what happens in one cell
and hour never shifts the numbers of another, and two runs that differ in one task stay paired.
"""

from __future__ import annotations

import math
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Purpose(IntEnum):
    """What a stream is for; part of its address."""

    WEATHER = 1
    ARRIVALS = 2
    FAULTS = 3
    CREWS = 4
    RIDERS = 5
    RIDER_DAYS = 6
    VEHICLES = 7
    TELEMETRY = 8
    LATE_ROWS = 9
    LIKINGS = 10
    OFFERS = 11
    RATINGS = 12
    BATTERIES = 13


def stream(seed: int, purpose: Purpose, first: int = 0, second: int = 0) -> np.random.Generator:
    """The generator at address (seed, purpose, first, second); all not negative."""
    key = np.array([seed, purpose], dtype=np.uint64)
    counter = np.array([0, first, second, 0], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=counter))


def poisson(uniform: float, mean: float) -> int:
    """The Poisson quantile of `uniform`, by summing the terms; `mean` up to some hundreds."""
    term = total = math.exp(-mean)
    count = 0
    while uniform > total and term > 0.0:
        count += 1
        term *= mean / count
        total += term
    return count


def normals(first: Floats, second: Floats) -> tuple[Floats, Floats]:
    """Two standard normals from two uniforms (Box and Muller, 1958)."""
    radius = np.sqrt(-2.0 * np.log1p(-first))
    return radius * np.cos(2 * np.pi * second), radius * np.sin(2 * np.pi * second)
