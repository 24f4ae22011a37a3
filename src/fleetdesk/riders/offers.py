"""Offers under test: who gets which offer next, and what another way of choosing would have earned.

Thompson sampling on the margin that an offer brings, not on whether it was taken: an offer that all
accept may give away more than it brings (Chapelle and Li, 2011; value form).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]
_PRIOR_STRENGTH = 1.0
_PRIOR_SHAPE = 1.0
_DRAWS = 4000


@dataclass(frozen=True)
class Belief:
    """What is believed of each offer's margin in one segment: a normal-inverse-gamma law.

    Arrays over the arms: mean, strength (observations behind it), shape and scale of its variance.
    """

    segment: str
    arms: tuple[str, ...]
    mean: Floats
    strength: Floats
    shape: Floats
    scale: Floats

    def draw(self, rng: np.random.Generator, size: int) -> Floats:
        """`size` rows of plausible mean margins, one column per arm."""
        variance = self.scale / rng.gamma(self.shape, 1.0, (size, len(self.arms)))
        return np.asarray(
            self.mean + np.sqrt(variance / self.strength) * rng.standard_normal(variance.shape)
        )

    def interval(self, interval_pct: float) -> tuple[Floats, Floats]:
        """Credible interval of each arm's mean margin."""
        reach = stats.t.ppf(0.5 + interval_pct / 200.0, 2 * self.shape) * np.sqrt(
            self.scale / self.shape / self.strength
        )
        return self.mean - reach, self.mean + reach


def believe(
    log: pd.DataFrame, segment: str, arms: Sequence[str], *, half_life_days: float, prior: float
) -> Belief:
    """What a log of offers in one segment says of each arm.

    `log` has arm, value (margin, 0 when not taken) and age_days; evidence counts half after
    `half_life_days`. `prior` is the margin expected before anything is known, worth one offer.
    """
    rows = log[log["arm"].isin(list(arms))]
    place = pd.Index(list(arms)).get_indexer(pd.Index(rows["arm"]))
    value = rows["value"].to_numpy(float)
    weight = 0.5 ** (rows["age_days"].to_numpy(float) / half_life_days)
    count = len(arms)
    n = np.bincount(place, weights=weight, minlength=count)
    total = np.bincount(place, weights=weight * value, minlength=count)
    squares = np.bincount(place, weights=weight * value**2, minlength=count)
    own = np.divide(total, n, out=np.full(count, float(prior)), where=n > 0)
    spread = float(np.var(value)) if value.size > 1 else max(prior**2, 1.0)
    spread = spread or max(prior**2, 1.0)
    strength = (_PRIOR_STRENGTH + n).astype(float)
    mean: Floats = ((_PRIOR_STRENGTH * prior + total) / strength).astype(float)
    within = np.maximum(squares - n * own**2, 0.0)
    scale = (
        _PRIOR_SHAPE * spread
        + 0.5 * within
        + 0.5 * _PRIOR_STRENGTH * n / strength * (own - prior) ** 2
    )
    return Belief(segment, tuple(arms), mean, strength, _PRIOR_SHAPE + n / 2, scale)


def propensities(belief: Belief, seed: int, explore_pct: float) -> Floats:
    """The chance that each arm is the one to offer, at least `explore_pct` in equal shares.

    These are to be logged with every offer: without them the log cannot be judged by other rules.
    """
    rng = np.random.default_rng(seed)
    best = belief.draw(rng, _DRAWS).argmax(axis=1)
    chance = np.bincount(best, minlength=len(belief.arms)) / _DRAWS
    share = explore_pct / 100.0
    return np.asarray((1 - share) * chance + share / len(belief.arms))


def choose(belief: Belief, seed: int, size: int, explore_pct: float) -> NDArray[np.int64]:
    """The arms of the next `size` offers, by number."""
    rng = np.random.default_rng(seed)
    best = belief.draw(rng, size).argmax(axis=1)
    at_random = rng.random(size) < explore_pct / 100.0
    return np.where(at_random, rng.integers(0, len(belief.arms), size), best).astype(np.int64)


@dataclass(frozen=True, slots=True)
class PolicyValue:
    """What one way of choosing would have earned per offer, with its interval.

    `effective` is how many offers of the log speak for it (Kish).
    """

    method: str
    value: float
    low: float
    high: float
    effective: float


def inverse_propensity(log: pd.DataFrame, target: Floats, *, interval_pct: float) -> PolicyValue:
    """Self-normalised inverse propensity scoring (Swaminathan and Joachims, 2015).

    `log` has value and propensity (of the offer made, above 0); `target` is the chance with which
    the other rule would have made the same offer.
    """
    weight = target / log["propensity"].to_numpy(float)
    value = log["value"].to_numpy(float)
    if weight.sum() == 0:
        return PolicyValue("IPS", float("nan"), float("nan"), float("nan"), 0.0)
    mean = float((weight * value).sum() / weight.sum())
    influence = weight * (value - mean) / weight.mean()
    return _policy("IPS", mean, influence, weight, interval_pct)


def doubly_robust(
    log: pd.DataFrame, target: Floats, arms: Sequence[str], *, interval_pct: float, folds: int = 5
) -> PolicyValue:
    """Doubly robust value of a rule (Dudik, Langford and Li, 2011), cross-fitted.

    `log` has arm, segment, value, propensity; `target` is rows x arms, the rule's chances. The
    model is the mean margin by segment and arm, drawn towards the arm's.
    """
    value, propensity = log["value"].to_numpy(float), log["propensity"].to_numpy(float)
    place = pd.Index(list(arms)).get_indexer(pd.Index(log["arm"]))
    fold = np.arange(len(log)) % folds
    expected = np.zeros((len(log), len(arms)))
    for number in range(folds):
        test = fold == number
        expected[test] = _means(log[~test], arms, log.loc[test, "segment"])
    rows = np.arange(len(log))
    chosen = target[rows, place]
    weight = chosen / propensity
    terms = (target * expected).sum(axis=1) + weight * (value - expected[rows, place])
    mean = float(terms.mean())
    return _policy("doubly robust", mean, terms - mean, weight, interval_pct)


def _means(log: pd.DataFrame, arms: Sequence[str], segments: Any) -> Floats:
    by_arm = log.groupby("arm")["value"].mean().reindex(list(arms))
    by_arm = by_arm.fillna(log["value"].mean() if len(log) else 0.0)
    cells = log.groupby(["segment", "arm"])["value"].agg(["sum", "count"])
    result = np.empty((len(segments), len(arms)))
    for number, arm in enumerate(arms):
        own = cells.reindex([(segment, arm) for segment in segments]).fillna(0.0)
        result[:, number] = (own["sum"].to_numpy() + 5 * by_arm[arm]) / (
            own["count"].to_numpy() + 5
        )
    return result


def _policy(
    method: str, mean: float, influence: Floats, weight: Floats, interval_pct: float
) -> PolicyValue:
    error = float(influence.std(ddof=1) / np.sqrt(influence.size)) if influence.size > 1 else 0.0
    reach = float(stats.norm.ppf(0.5 + interval_pct / 200.0)) * error
    squares = float((weight**2).sum())
    effective = float(weight.sum() ** 2 / squares) if squares else 0.0
    return PolicyValue(method, mean, mean - reach, mean + reach, effective)
