"""Riders without a contract: how often they will come back, and for how much.

BG/NBD (Fader, Hardie and Lee 2005) for how often, Gamma-Gamma (Fader and Hardie 2013) for how
much; both fitted here by maximum likelihood. Times are in weeks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import gammaln, hyp2f1

from fleetdesk.errors import NotEnoughData
from fleetdesk.riders.matrix import Floats, numbers

FEWEST_RETURNS = 20
LOSS_LIMIT = 5.991
"""95 % of chi-square for the two parameters of being lost; as one lies at its bound, on the safe
side (Self and Liang 1987)."""
_TERMS = 200
_ALIKE = 6.0
"""Logarithm of the highest parameters: riders are then all but alike, and beyond it what is
expected of them overflows."""
_STARTS = ((0.5, 5.0, 0.8, 2.5), (1.0, 10.0, 1.0, 5.0), (0.2, 1.0, 0.3, 1.0))


@dataclass(frozen=True, slots=True)
class BgNbd:
    """The fitted law: rates of coming are Gamma(r, alpha), chances to be lost Beta(a, b).

    `never_lost` is the log-likelihood of the law in which nobody is ever lost (NBD); `weeks` is how
    long at least 20 riders have been seen, which is how far the law has been put to the test.
    """

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float
    riders: int
    never_lost: float
    weeks: float

    @property
    def loss_ratio(self) -> float:
        """Twice the log-likelihood that being lost adds; under LOSS_LIMIT it cannot be told."""
        return max(0.0, 2.0 * (self.log_likelihood - self.never_lost))

    def expected(self, history: pd.DataFrame, weeks: float) -> Floats:
        """Days with trips that each rider is expected to have in the next `weeks`."""
        x, _, age = _history(history)
        a, b, r, alpha = self.a, self.b, self.r, self.alpha
        # The formula has a hole at a = 1, with the same value on both sides.
        a = a if abs(a - 1.0) > 1e-6 else 1.0 + 1e-6
        z = weeks / (alpha + age + weeks)
        # By Euler's transformation: as the paper has it, the series of who rides daily overflows.
        shrink = ((alpha + age) / (alpha + age + weeks)) ** (a - 1.0)
        series = _hypergeometric(a + b - 1.0 - r, a - 1.0, a + b + x - 1.0, z)
        gained = (a + b + x - 1.0) / (a - 1.0) * (1.0 - shrink * series)
        return np.asarray(gained * self.alive(history), dtype=np.float64)

    def alive(self, history: pd.DataFrame) -> Floats:
        """The chance that each rider is not lost yet; one who never came back is taken to be."""
        x, recency, age = _history(history)
        odds = (
            self.a
            / np.maximum(self.b + x - 1.0, 1e-9)
            * ((self.alpha + age) / (self.alpha + recency)) ** (self.r + x)
        )
        return np.asarray(np.where(x > 0, 1.0 / (1.0 + odds), 1.0), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class GammaGamma:
    """The fitted law of what a rider pays on a day: Gamma(p, nu) with nu ~ Gamma(q, v)."""

    p: float
    q: float
    v: float
    log_likelihood: float

    def expected(self, history: pd.DataFrame) -> Floats:
        """What each rider is expected to pay per day with trips, drawn to the mean of all."""
        x, _, _ = _history(history)
        spend = np.nan_to_num(numbers(history["spend"]))
        return np.asarray(
            self.p * (self.v + x * spend) / (self.p * x + self.q - 1.0), dtype=np.float64
        )


def fit_bg_nbd(history: pd.DataFrame) -> BgNbd:
    """Fit to features.stays.purchases: columns repeats, recency_weeks, age_weeks.

    Raises NotEnoughData where fewer than 20 riders ever came back.
    """
    x, recency, age = _history(history)
    back = int((x > 0).sum())
    if back < FEWEST_RETURNS:
        raise NotEnoughData(
            "Too few riders have come back to say how often they will",
            found=f"{back} of {len(x)} riders rode on more than one day",
            fix=f"At least {FEWEST_RETURNS} are needed; import more trips",
        )
    # One stray trip of long ago makes no long history.
    weeks = float(np.sort(age)[-FEWEST_RETURNS])
    # Many riders share a history: each is counted once, with its number of riders.
    rows, counts = np.unique(np.column_stack([x, recency, age]), axis=0, return_counts=True)
    x, recency, age = rows.T

    def loss(logs: Floats) -> float:
        return -float((counts * _log_likelihood(np.exp(logs), x, recency, age)).sum())

    def loss_never_lost(logs: Floats) -> float:
        r, alpha = np.exp(logs)
        return -float((counts * (_coming(r, alpha, x) - (r + x) * np.log(alpha + age))).sum())

    best = min((_lowest(loss, start, _ALIKE) for start in _STARTS), key=lambda found: found[1])
    stays = min(_lowest(loss_never_lost, start[:2], _ALIKE)[1] for start in _STARTS)
    r, alpha, a, b = np.exp(best[0])
    return BgNbd(
        float(r), float(alpha), float(a), float(b), -best[1], int(counts.sum()), -stays, weeks
    )


def fit_gamma_gamma(history: pd.DataFrame) -> GammaGamma:
    """Fit to riders who came back: columns repeats and spend (mean per day, above 0)."""
    x, _, _ = _history(history)
    spend = numbers(history["spend"])
    told = (x > 0) & (np.nan_to_num(spend) > 0)
    if int(told.sum()) < FEWEST_RETURNS:
        raise NotEnoughData(
            "Too few riders have paid twice to say what they will pay",
            found=f"{int(told.sum())} riders",
            fix=f"At least {FEWEST_RETURNS} are needed; import trips with their revenue",
        )
    x, z = x[told], spend[told]

    def loss(logs: Floats) -> float:
        p, q, v = np.exp(logs)
        part = gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(v)
        part += (p * x - 1.0) * np.log(z) + p * x * np.log(x) - (p * x + q) * np.log(x * z + v)
        # Without a mean for all (q <= 1) nothing could be foretold.
        return -float(part.sum()) + (1e6 * (1.05 - q) ** 2 if q < 1.05 else 0.0)

    starts = ((6.0, 4.0, float(z.mean()) * 3.0 / 6.0), (1.0, 3.0, float(z.mean()) * 2.0))
    best = min((_lowest(loss, start) for start in starts), key=lambda found: found[1])
    p, q, v = np.exp(best[0])
    return GammaGamma(float(p), float(q), float(v), -best[1])


def _log_likelihood(parameters: Floats, x: Floats, recency: Floats, age: Floats) -> Floats:
    r, alpha, a, b = parameters
    shared = _coming(r, alpha, x)
    shared += gammaln(a + b) + gammaln(b + x) - gammaln(b) - gammaln(a + b + x)
    alive = -(r + x) * np.log(alpha + age)
    lost = np.log(a) - np.log(np.maximum(b + x - 1.0, 1e-12)) - (r + x) * np.log(alpha + recency)
    both = np.logaddexp(alive, np.where(x > 0, lost, -np.inf))
    return np.asarray(shared + both, dtype=np.float64)


def _coming(r: float, alpha: float, x: Floats) -> Floats:
    return np.asarray(gammaln(r + x) - gammaln(r) + r * np.log(alpha), dtype=np.float64)


def _hypergeometric(p: float, q: float, c: Floats, z: Floats) -> Floats:
    """Gauss's 2F1; where `c` is so large that the library overflows, few terms of the sum do."""
    found = np.asarray(hyp2f1(p, q, c, z), dtype=np.float64)
    lost = ~np.isfinite(found)
    term, total = np.ones(int(lost.sum())), np.ones(int(lost.sum()))
    for n in range(_TERMS if lost.any() else 0):
        term = term * (p + n) * (q + n) / (c[lost] + n) / (n + 1.0) * z[lost]
        total = total + term
    found[lost] = total
    return found


def _lowest(loss: object, start: tuple[float, ...], highest: float = 12.0) -> tuple[Floats, float]:
    """Downhill from one start, in logarithms so that all parameters stay above zero."""
    bounds = [(-8.0, highest)] * len(start)
    rough = minimize(loss, np.log(start), method="L-BFGS-B", bounds=bounds)
    fine = minimize(
        loss, rough.x, method="Nelder-Mead", bounds=bounds,
        options={"xatol": 1e-7, "fatol": 1e-7, "maxiter": 4000},
    )  # fmt: skip
    return np.asarray(fine.x), float(fine.fun)


def _history(history: pd.DataFrame) -> tuple[Floats, Floats, Floats]:
    return tuple(  # type: ignore[return-value]
        numbers(history[name]) for name in ("repeats", "recency_weeks", "age_weeks")
    )
