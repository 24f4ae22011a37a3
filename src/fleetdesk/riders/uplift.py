"""Whom an offer moves: uplift learners, how well they rank, and the read-out of an A/B test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fleetdesk.errors import NotEnoughData
from fleetdesk.riders.threads import fit_for

Floats = NDArray[np.float64]
FEWEST = 200
"""Riders in each arm below which no uplift is learnt."""
MEAN = "mean"
_FOLDS = 5
_INNER = 3
_CLIP = 0.02


@dataclass(frozen=True)
class Uplift:
    """Held-out uplift of every rider by each learner, and how well each ranks them.

    The last one, "mean", is the mean of the others: it is what is acted on, so that no learner is
    picked for its luck on these riders.
    """

    by_learner: dict[str, Floats]
    qini: dict[str, float]

    @property
    def effect(self) -> Floats:
        """The uplift that is acted on."""
        return self.by_learner[MEAN]


def cross_fitted(
    x: pd.DataFrame, treated: NDArray[np.bool_], outcome: Floats, seed: int,
    propensity: Floats | None = None,
) -> Uplift:  # fmt: skip
    """Uplift by T-, X- (Kuenzel et al., 2019) and DR-learner (Kennedy, 2023), out of fold.

    `x` is numeric; `propensity` the known chance of treatment, else it is learnt. NotEnoughData
    below 200 riders in either arm.
    """
    _refuse_few(treated)
    names = {"T": _t_learner, "X": _x_learner, "DR": _dr_learner}
    found = {name: np.zeros(len(outcome)) for name in names}
    rows = x.to_numpy(float)
    for train, test in StratifiedKFold(_FOLDS, shuffle=True, random_state=seed).split(
        rows, treated
    ):
        chance = (
            propensity[train] if propensity is not None
            else _propensity(rows[train], treated[train], seed)
        )  # fmt: skip
        for name, learner in names.items():
            with fit_for(len(rows)):
                law = learner(rows[train], treated[train], outcome[train], chance, seed)
                found[name][test] = law(rows[test])
    found[MEAN] = np.asarray(np.mean(list(found.values()), axis=0))
    return Uplift(found, {name: qini(effect, treated, outcome) for name, effect in found.items()})


def qini_curve(effect: Floats, treated: NDArray[np.bool_], outcome: Floats) -> Floats:
    """Extra outcome after treating the first k riders by effect, k = 0 to all (Radcliffe, 2007)."""
    order = np.argsort(-effect, kind="stable")
    t, y = treated[order].astype(float), outcome[order]
    n_t, n_c = np.cumsum(t), np.cumsum(1 - t)
    y_t, y_c = np.cumsum(y * t), np.cumsum(y * (1 - t))
    gained = y_t - np.divide(y_c * n_t, n_c, out=np.zeros_like(y_c), where=n_c > 0)
    return np.concatenate([[0.0], gained])


def qini(effect: Floats, treated: NDArray[np.bool_], outcome: Floats) -> float:
    """Area between the Qini curve and random targeting, as a share of the perfect ranking's."""
    curve = qini_curve(effect, treated, outcome)
    first = np.where(treated, outcome, -outcome)
    perfect = qini_curve(first, treated, outcome)
    at_random = curve[-1] / 2
    best = float(perfect.mean()) - at_random
    return float((curve.mean() - at_random) / best) if best else 0.0


@dataclass(frozen=True, slots=True)
class Targeting:
    """Value per rider of treating the share of riders with the largest uplift, with interval."""

    share_pct: float
    value: float
    low: float
    high: float


def policy_values(
    effect: Floats, treated: NDArray[np.bool_], outcome: Floats, *, cost: float,
    shares_pct: tuple[float, ...], interval_pct: float, propensity: float | None = None,
) -> tuple[Targeting, ...]:  # fmt: skip
    """Gain over treating nobody, per rider, less the cost of the offer; inverse-propensity means.

    `outcome` in money, `cost` per treated rider.
    """
    chance = propensity if propensity is not None else float(treated.mean())
    gain = np.where(treated, outcome / chance, -outcome / (1 - chance)) - cost
    order = np.argsort(-effect, kind="stable")
    reach = float(stats.norm.ppf(0.5 + interval_pct / 200.0))
    rows = []
    for share in shares_pct:
        chosen = np.zeros(effect.size)
        chosen[order[: round(effect.size * share / 100.0)]] = 1.0
        terms = chosen * gain
        error = float(terms.std(ddof=1) / np.sqrt(terms.size))
        mean = float(terms.mean())
        rows.append(Targeting(share, mean, mean - reach * error, mean + reach * error))
    return tuple(rows)


@dataclass(frozen=True, slots=True)
class ReadOut:
    """An A/B test: means, difference with interval, p-value, and what the test could have seen.

    `detectable` is the smallest difference that 80 % of such tests would find; `power_pct` the
    chance to find the difference seen, were it true.
    """

    treated: int
    control: int
    treated_mean: float
    control_mean: float
    difference: float
    low: float
    high: float
    p_value: float
    detectable: float
    power_pct: float


def read_out(treated: NDArray[np.bool_], outcome: Floats, *, interval_pct: float = 95.0) -> ReadOut:
    """Welch's comparison of two arms; NotEnoughData below two riders in either."""
    a, b = outcome[treated], outcome[~treated]
    if min(a.size, b.size) < 2:
        raise NotEnoughData(
            "An A/B test needs riders in both arms",
            found=f"{a.size} with the offer and {b.size} without",
            fix="Leave some riders without the offer, drawn at random",
        )
    error = float(np.sqrt(a.var(ddof=1) / a.size + b.var(ddof=1) / b.size))
    difference = float(a.mean() - b.mean())
    alpha = 1 - interval_pct / 100.0
    critical = float(stats.norm.ppf(1 - alpha / 2))
    p = float(2 * stats.norm.sf(abs(difference) / error)) if error else float(difference == 0)
    seen = abs(difference) / error if error else np.inf
    power = float(stats.norm.sf(critical - seen) + stats.norm.cdf(-critical - seen))
    return ReadOut(
        a.size, b.size, float(a.mean()), float(b.mean()), difference,
        difference - critical * error, difference + critical * error, p,
        (critical + float(stats.norm.ppf(0.8))) * error, 100 * power,
    )  # fmt: skip


def _refuse_few(treated: NDArray[np.bool_]) -> None:
    least = min(int(treated.sum()), int((~treated).sum()))
    if least < FEWEST:
        raise NotEnoughData(
            "Too few riders to learn whom an offer moves",
            found=f"{int(treated.sum())} with the offer and {int((~treated).sum())} without",
            fix=f"At least {FEWEST} of each are needed; the A/B read-out needs fewer",
        )


def _propensity(x: Floats, treated: NDArray[np.bool_], seed: int) -> Floats:
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000, random_state=seed))
    return np.asarray(np.clip(model.fit(x, treated).predict_proba(x)[:, 1], _CLIP, 1 - _CLIP))


def _trees(seed: int, least: int, depth: int = 3) -> HistGradientBoostingRegressor:
    return HistGradientBoostingRegressor(
        max_depth=depth, learning_rate=0.05, max_iter=60, min_samples_leaf=least,
        l2_regularization=10.0, random_state=seed,
    )  # fmt: skip


Law = Callable[[Floats], Any]


def _two(x: Floats, treated: NDArray[np.bool_], y: Floats, seed: int) -> tuple[Law, Law]:
    least = max(20, len(y) // 200)
    with_it, without = (_trees(seed, least).fit(x[arm], y[arm]) for arm in (treated, ~treated))
    return with_it.predict, without.predict


def _t_learner(x: Floats, treated: NDArray[np.bool_], y: Floats, chance: Floats, seed: int) -> Law:
    del chance
    with_it, without = _two(x, treated, y, seed)
    return lambda rows: with_it(rows) - without(rows)


def _x_learner(x: Floats, treated: NDArray[np.bool_], y: Floats, chance: Floats, seed: int) -> Law:
    with_it, without = _two(x, treated, y, seed)
    least = max(20, len(y) // 100)
    gained = _trees(seed, least, 2).fit(x[treated], y[treated] - without(x[treated])).predict
    missed = _trees(seed, least, 2).fit(x[~treated], with_it(x[~treated]) - y[~treated]).predict
    share = float(chance.mean())
    return lambda rows: share * missed(rows) + (1 - share) * gained(rows)


def _dr_learner(x: Floats, treated: NDArray[np.bool_], y: Floats, chance: Floats, seed: int) -> Law:
    score = np.empty(len(y))
    for train, test in StratifiedKFold(_INNER, shuffle=True, random_state=seed).split(x, treated):
        with_it, without = _two(x[train], treated[train], y[train], seed)
        one, none = with_it(x[test]), without(x[test])
        t, e = treated[test], chance[test]
        score[test] = one - none + np.where(t, (y[test] - one) / e, -(y[test] - none) / (1 - e))
    return _trees(seed, max(20, len(y) // 100), 2).fit(x, score).predict  # type: ignore[no-any-return]
