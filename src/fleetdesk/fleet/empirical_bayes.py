"""Gamma-Poisson shrinkage: how far a place's own count may pull its rate away from what is usual.

A place's true rate is the expected one times a factor of mean 1 drawn from Gamma(kappa, kappa), so
its count is negative binomial. kappa is what makes all counts together most likely: large where
places are alike, small where they differ (Robbins 1956; Clayton & Kaldor 1987).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import gammaln

Floats = npt.NDArray[np.float64]

KAPPA_LOW, KAPPA_HIGH = 1e-2, 1e5


def kappa_of(counts: npt.ArrayLike, expected: npt.ArrayLike) -> float:
    """The kappa of greatest negative-binomial marginal likelihood, within fixed bounds.

    Takes counts and what they were expected to be, of one shape; places where nothing was expected
    say nothing. Without any place the highest kappa: then only the expectation is left.
    """
    told = np.asarray(expected, dtype=np.float64).ravel() > 0
    y = np.asarray(counts, dtype=np.float64).ravel()[told]
    e = np.asarray(expected, dtype=np.float64).ravel()[told]
    if not y.size:
        return KAPPA_HIGH

    def surprise(log_kappa: float) -> float:
        k = np.exp(log_kappa)
        # The terms without kappa are left out.
        return -float(
            np.sum(gammaln(y + k) - gammaln(k) + k * np.log(k / (k + e)) - y * np.log(k + e))
        )

    bounds = (np.log(KAPPA_LOW), np.log(KAPPA_HIGH))
    found = minimize_scalar(surprise, bounds=bounds, method="bounded", options={"xatol": 1e-3})
    return float(np.exp(found.x))


def shrunk(counts: npt.ArrayLike, expected: npt.ArrayLike, kappa: float) -> Floats:
    """(kappa + y) / (kappa + e): each place's factor on its expectation; 1 where nothing is known.

    With a prior mean m and exposure E, e = m E, so that m times this is the posterior mean rate
    (kappa + y) / (kappa / m + E).
    """
    y, e = np.asarray(counts, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    return np.asarray((kappa + y) / (kappa + e))
