"""What a change did where nobody drew lots: like is compared with like.

Propensity scores with overlap trimming, nearest neighbours, entropy balancing, and a doubly robust
estimate (AIPW) on cross-fitted models, all for the effect on those who got it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize, stats
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from fleetdesk.errors import NotEnoughData

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
FEWEST = 30
FEWEST_PER_HABIT = 10
"""Riders in the smaller arm, for each habit, from which on models of both arms are trusted."""
_FOLDS = 5


@dataclass(frozen=True, slots=True)
class Effect:
    """Effect on those treated by one method, with its interval."""

    method: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Matched:
    """What was found: effects by method, balance before and after, and who was left out.

    `balance` has covariate, before, matched and weighted: standardised mean differences. AIPW is
    among the effects only where both arms have the riders that it `needs`.
    """

    effects: tuple[Effect, ...]
    balance: pd.DataFrame
    treated: int
    control: int
    trimmed_treated: int
    trimmed_control: int
    needs: int

    @property
    def smaller_arm(self) -> int:
        """Riders compared in the arm that has fewer."""
        return min(self.treated - self.trimmed_treated, self.control - self.trimmed_control)

    @property
    def worst(self) -> float:
        """The largest |SMD| after weighting."""
        return float(self.balance["weighted"].abs().max()) if len(self.balance) else 0.0


def compare(
    x: pd.DataFrame, treated: Flags, outcome: Floats, *, seed: int, interval_pct: float = 95.0
) -> Matched:
    """The effect of a change on those who got it, by three methods; `x` is numeric, known before.

    Control riders unlike all treated ones are trimmed: those below the lowest treated propensity,
    and treated ones above the highest of controls. The last effect is the one to go by: AIPW, or
    entropy balancing where there are fewer than ten riders a habit in an arm, too few for models of
    both the change and its outcome. NotEnoughData below 30 in either arm.
    """
    _refuse_few(treated)
    rows = x.to_numpy(float)
    told = rows.std(axis=0) > 0
    rows, names = rows[:, told], list(x.columns[told])
    score = propensity(rows, treated, seed)
    keep = overlap(score, treated)
    _refuse_few(treated[keep])
    before = standardised_differences(rows, treated)
    inside, t, y, p = rows[keep], treated[keep], outcome[keep], score[keep]
    pairs = nearest(p, t)
    weight = entropy_balance(inside, t)
    counted = np.bincount(pairs, minlength=int((~t).sum())).astype(float)
    scale = _scale(rows, treated)
    balance = pd.DataFrame(
        {
            "covariate": names,
            "before": before,
            "matched": _differences(inside, t, counted, scale),
            "weighted": _differences(inside, t, weight, scale),
        }
    )
    reach = float(stats.norm.ppf(0.5 + interval_pct / 200.0))
    effects = [
        _naive(outcome, treated, reach),
        _paired(inside, t, y, pairs, reach),
        _weighted(inside, t, y, weight, reach),
    ]
    needs = FEWEST_PER_HABIT * len(names)
    if min(int(t.sum()), int((~t).sum())) >= needs:
        effects.append(_aipw(inside, t, y, reach, seed))
    return Matched(
        tuple(effects), balance, int(treated.sum()), int((~treated).sum()),
        int((treated & ~keep).sum()), int((~treated & ~keep).sum()), needs,
    )  # fmt: skip


def propensity(rows: Floats, treated: Flags, seed: int) -> Floats:
    """Chance of treatment, by a logistic regression with squares and products, out of fold."""
    score = np.empty(len(rows))
    for train, test in _folds(rows, treated, seed):
        score[test] = (
            _chance_model().fit(rows[train], treated[train]).predict_proba(rows[test])[:, 1]
        )
    return score


def overlap(score: Floats, treated: Flags) -> Flags:
    """Which riders have counterparts in the other arm, by their propensity."""
    # The outermost percent of an arm is luck, not support.
    low = float(np.quantile(score[treated], 0.01))
    high = float(np.quantile(score[~treated], 1 - 1 / max(int((~treated).sum()), 2)))
    return np.asarray((score >= low) & (score <= max(high, low)))


def nearest(score: Floats, treated: Flags) -> NDArray[np.int64]:
    """For each treated rider the number of the nearest control by logit of the score, reusable."""
    logit = np.log(np.clip(score, 1e-6, 1 - 1e-6) / (1 - np.clip(score, 1e-6, 1 - 1e-6)))
    tree = NearestNeighbors(n_neighbors=1).fit(logit[~treated, None])
    found: NDArray[np.int64] = tree.kneighbors(logit[treated, None])[1][:, 0]
    return found


def entropy_balance(rows: Floats, treated: Flags) -> Floats:
    """Weights of the controls, nearest to equal, whose means are those treated have.

    Hainmueller (2012): the dual is convex; solved by Newton steps with a small ridge where the
    means cannot all be met. Weights sum to the number of treated.
    """
    scale = rows.std(axis=0)
    z = (rows[~treated] - rows[treated].mean(axis=0)) / scale

    def dual(lam: Floats) -> tuple[float, Floats]:
        tilt = z @ lam
        top = tilt.max()
        w = np.exp(tilt - top)
        total = w.sum()
        return float(np.log(total) + top + 1e-6 * lam @ lam), (w / total) @ z + 2e-6 * lam

    found = optimize.minimize(dual, np.zeros(z.shape[1]), jac=True, method="BFGS",
                              options={"maxiter": 1000, "gtol": 1e-8})  # fmt: skip
    tilt = z @ found.x
    weight = np.exp(tilt - tilt.max())
    return np.asarray(weight / weight.sum() * treated.sum())


def standardised_differences(rows: Floats, treated: Flags) -> Floats:
    """Difference of means over the pooled standard deviation, per column."""
    return _differences(rows, treated, np.ones(int((~treated).sum())), _scale(rows, treated))


def _scale(rows: Floats, treated: Flags) -> Floats:
    pooled = np.sqrt((rows[treated].var(axis=0) + rows[~treated].var(axis=0)) / 2)
    return np.where(pooled > 0, pooled, 1.0)


def _differences(rows: Floats, treated: Flags, weight: Floats, scale: Floats) -> Floats:
    other = np.average(rows[~treated], axis=0, weights=weight)
    return np.asarray((rows[treated].mean(axis=0) - other) / scale)


def _naive(y: Floats, t: Flags, reach: float) -> Effect:
    error = np.sqrt(y[t].var(ddof=1) / t.sum() + y[~t].var(ddof=1) / (~t).sum())
    return _effect("plain difference", float(y[t].mean() - y[~t].mean()), float(error), reach)


def _paired(rows: Floats, t: Flags, y: Floats, pairs: NDArray[np.int64], reach: float) -> Effect:
    """Nearest neighbours, what still differs in the covariates taken out by regression."""
    model = _outcome_model().fit(rows[~t], y[~t])
    left = y - model.predict(rows)
    gap = left[t] - left[~t][pairs]
    uses = np.bincount(pairs, minlength=int((~t).sum()))
    # Abadie and Imbens (2006): a control used often adds its noise so often.
    noise = float(((uses.astype(float) ** 2) * left[~t] ** 2).sum())
    error = np.sqrt(float(((left[t] - left[t].mean()) ** 2).sum()) + noise) / t.sum()
    return _effect("nearest neighbour", float(gap.mean()), float(error), reach)


def _weighted(rows: Floats, t: Flags, y: Floats, weight: Floats, reach: float) -> Effect:
    w = weight / weight.sum()
    other = float(w @ y[~t])
    left = y[~t] - _outcome_model().fit(rows[~t], y[~t], ridge__sample_weight=w).predict(rows[~t])
    error = np.sqrt(y[t].var(ddof=1) / t.sum() + float((w**2) @ (left**2)))
    return _effect("entropy balancing", float(y[t].mean()) - other, float(error), reach)


def _aipw(rows: Floats, t: Flags, y: Floats, reach: float, seed: int) -> Effect:
    """Doubly robust effect on the treated, every model fitted without the row it speaks of."""
    share = float(t.mean())
    without, chance = np.empty(len(y)), np.empty(len(y))
    for train, test in _folds(rows, t, seed):
        chance[test] = _chance_model().fit(rows[train], t[train]).predict_proba(rows[test])[:, 1]
        control = train[~t[train]]
        without[test] = _outcome_model().fit(rows[control], y[control]).predict(rows[test])
    odds = np.where(t, 0.0, chance / np.maximum(1 - chance, 1e-3))
    # Normalised weights: a single rare control must not carry the answer.
    odds = odds / odds.sum() * t.sum()
    terms = (np.where(t, y - without, 0.0) - odds * (y - without)) / share
    value = float(terms.mean())
    influence = terms - np.where(t, value / share, 0.0)
    error = float(influence.std(ddof=1) / np.sqrt(len(y)))
    return _effect("AIPW, cross-fitted", value, error, reach)


def _effect(method: str, value: float, error: float, reach: float) -> Effect:
    return Effect(method, value, value - reach * error, value + reach * error)


def _folds(rows: Floats, t: Flags, seed: int) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    return list(StratifiedKFold(_FOLDS, shuffle=True, random_state=seed).split(rows, t))


def _chance_model() -> Any:
    return make_pipeline(
        StandardScaler(), PolynomialFeatures(2, include_bias=False), StandardScaler(),
        LogisticRegression(C=1.0, max_iter=2000),
    )  # fmt: skip


def _outcome_model() -> Any:
    return make_pipeline(StandardScaler(), Ridge(1.0))


def _refuse_few(treated: Flags) -> None:
    """The sides are not counted out: a sheet must not tell of so few riders."""
    if min(int(treated.sum()), int((~treated).sum())) < FEWEST:
        raise NotEnoughData(
            "Too few comparable riders to say what the change did",
            found=f"{treated.size} riders, but fewer than {FEWEST} of them on one side",
            fix=f"At least {FEWEST} of each are needed",
        )
