"""How many trips come true when the battery allows only so many."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import pdtr

Floats = npt.NDArray[np.float64]


def expected_capped(expected: npt.ArrayLike, allowed: npt.ArrayLike) -> Floats:
    """E[min(N, n)] for N ~ Poisson(`expected`) and n = `allowed`, element by element.

    m F(n-2; m) + n (1 - F(n-1; m)), F the Poisson distribution function. Between whole n the value
    is interpolated, because trips differ in length: half a trip's charge serves half of them.
    `allowed` may be infinite; negative arguments count as zero.
    """
    mean, cap = np.broadcast_arrays(
        np.maximum(np.asarray(expected, dtype=np.float64), 0.0),
        np.maximum(np.asarray(allowed, dtype=np.float64), 0.0),
    )
    bounded = np.isfinite(cap)
    n = np.where(bounded, cap, 0.0)
    low = np.floor(n)
    part = n - low
    value = (1 - part) * _whole(mean, low) + part * _whole(mean, low + 1)
    return np.where(bounded, value, mean)


def _whole(mean: Floats, n: Floats) -> Floats:
    return mean * _cdf(n - 2, mean) + n * (1 - _cdf(n - 1, mean))


def _cdf(k: Floats, mean: Floats) -> Floats:
    return np.where(k < 0, 0.0, pdtr(np.maximum(k, 0.0), mean))
