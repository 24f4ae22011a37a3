"""How demand answers to price: log-log with fixed effects, double machine learning, by segment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import GroupKFold, KFold
from statsmodels.regression.linear_model import OLS

from fleetdesk.errors import NotEnoughData
from fleetdesk.riders.threads import fit_for

Floats = NDArray[np.float64]
FEWEST = 30
_FOLDS = 5
_ROUNDS = 200
_STILL = 1e-9


@dataclass(frozen=True, slots=True)
class Elasticity:
    """% change of demand per 1 % of price, its standard error and interval."""

    name: str
    value: float
    error: float
    low: float
    high: float
    rows: int
    method: str

    @property
    def elastic(self) -> bool | None:
        """Whether demand answers more than in proportion; None when the data cannot say."""
        return True if self.high < -1 else False if self.low > -1 else None


def fixed_effects(
    sales: pd.DataFrame,
    *,
    effects: Sequence[str] = (),
    cluster: str | None = None,
    controls: Sequence[str] = (),
    interval_pct: float = 95.0,
    name: str = "all",
) -> Elasticity:
    """Within estimator of log quantity on log price; robust errors, by cluster where one is named.

    `sales` has quantity and price, both above 0, one row per period and unit; `effects` and
    `cluster` name its columns. NotEnoughData when prices never changed within the effects.
    """
    rows = _usable(sales)
    frame = pd.DataFrame(
        {"quantity": np.log(rows["quantity"]), "price": np.log(rows["price"])}
        | {column: rows[column].astype(float) for column in controls}
    )
    codes = [pd.factorize(rows[column])[0] for column in effects]
    inside = _without_means(frame.to_numpy(float), codes)
    _refuse_still(inside[:, 1], name)
    model = OLS(inside[:, 0], inside[:, 1:])
    groups = pd.factorize(rows[cluster])[0] if cluster else None
    fit = (
        model.fit(cov_type="cluster", cov_kwds={"groups": groups})
        if groups is not None
        else model.fit(cov_type="HC1")
    )
    slopes = inside.shape[1] - 1
    room = max(len(rows) - 1 - sum(int(code.max()) for code in codes) - slopes, 1)
    # The absorbed means cost degrees of freedom that the fit does not know of.
    error = float(fit.bse[0]) * np.sqrt((len(rows) - slopes) / room)
    room = len(np.unique(groups)) - 1 if groups is not None else room
    return _with_interval(
        name, float(fit.params[0]), error, len(rows), "log-log, fixed effects", interval_pct, room
    )


def double_ml(
    sales: pd.DataFrame,
    *,
    covariates: Sequence[str],
    cluster: str | None = None,
    interval_pct: float = 95.0,
    seed: int = 1,
    name: str = "all",
) -> Elasticity:
    """Partially linear double machine learning (Chernozhukov et al., 2018), cross-fitted.

    What covariates (numbers or texts) explain of log price and log quantity is taken out by
    boosted trees that never saw the row; rows of one cluster stay in one fold.
    """
    rows = _usable(sales)
    x = pd.DataFrame(
        {
            column: rows[column] if rows[column].dtype.kind in "ifb"
            else pd.factorize(rows[column])[0]
            for column in covariates
        }
    )  # fmt: skip
    groups = pd.factorize(rows[cluster])[0] if cluster else np.arange(len(rows))
    demand = _residuals(x, np.log(rows["quantity"].to_numpy(float)), groups, cluster, seed)
    price = _residuals(x, np.log(rows["price"].to_numpy(float)), groups, cluster, seed)
    _refuse_still(price, name)
    value = float((price * demand).sum() / (price**2).sum())
    moments = price * (demand - value * price)
    summed = np.bincount(groups, weights=moments)
    error = float(np.sqrt((summed**2).sum()) / (price**2).sum())
    return _with_interval(
        name, value, error, len(rows), "double machine learning", interval_pct, len(summed) - 1
    )


def by_segment(
    sales: pd.DataFrame, segment: str, *, interval_pct: float = 95.0, **how: Any
) -> dict[str, Elasticity]:
    """One elasticity per segment, each drawn towards their mean by how unsure it is.

    Empirical Bayes (Morris, 1983) with the variance between segments by DerSimonian and Laird;
    segments whose prices never changed get the mean. Empty when no segment's price changed.
    """
    found: dict[str, Elasticity] = {}
    names = sorted({str(value) for value in sales[segment].unique()})
    for name in names:
        part = sales[sales[segment].astype(str) == name]
        try:
            found[name] = fixed_effects(part, interval_pct=interval_pct, name=name, **how)
        except NotEnoughData:
            continue
    return shrunk(found, names, interval_pct)


def shrunk(
    found: Mapping[str, Elasticity], names: Sequence[str], interval_pct: float
) -> dict[str, Elasticity]:
    """The estimates drawn towards their precision-weighted mean; see `by_segment`."""
    if not found:
        return {}
    values = np.array([one.value for one in found.values()])
    variance = np.array([one.error**2 for one in found.values()]) + 1e-12
    weight = 1 / variance
    mean = float((weight * values).sum() / weight.sum())
    scatter = float((weight * (values - mean) ** 2).sum())
    room = float(weight.sum() - (weight**2).sum() / weight.sum())
    between = max(0.0, (scatter - values.size + 1) / room) if room > 0 else 0.0
    weight = 1 / (variance + between)
    mean, mean_variance = float((weight * values).sum() / weight.sum()), float(1 / weight.sum())
    result = {}
    for name in names:
        one = found.get(name)
        if one is None:
            spread = float(np.sqrt(between + mean_variance))
            result[name] = _with_interval(
                name, mean, spread, 0, "mean of the others", interval_pct, 10**6
            )
            continue
        share = between / (between + one.error**2) if between else 0.0
        value = mean + share * (one.value - mean)
        spread = np.sqrt(share * one.error**2 + (1 - share) ** 2 * mean_variance)
        result[name] = _with_interval(
            name, value, float(spread), one.rows, f"{one.method}, own weight {share:.0%}",
            interval_pct, 10**6,
        )  # fmt: skip
    return result


def _usable(sales: pd.DataFrame) -> pd.DataFrame:
    rows = sales[(sales["quantity"] > 0) & (sales["price"] > 0)].reset_index(drop=True)
    if len(rows) < FEWEST:
        raise NotEnoughData(
            "There are too few sales to tell how demand answers to price",
            found=f"{len(rows)} rows with a price and a quantity",
            fix=f"At least {FEWEST} are needed",
        )
    return rows


def _refuse_still(price: Floats, name: str) -> None:
    if float(np.std(price)) < _STILL:
        raise NotEnoughData(
            f"The price never changed, so nobody can tell what a change would do ({name})",
            found="one price",
            fix="Try two prices at random on some riders, or wait for the next change of price",
        )


def _without_means(values: Floats, codes: Sequence[NDArray[Any]]) -> Floats:
    """Take out the means of every effect, in turn until they stay out."""
    left = values - values.mean(axis=0)
    for _ in range(_ROUNDS if len(codes) > 1 else len(codes)):
        before = left
        for code in codes:
            counts = np.bincount(code)
            for column in range(left.shape[1]):
                means = np.bincount(code, weights=left[:, column]) / counts
                left = left.copy()
                left[:, column] -= means[code]
        if np.abs(left - before).max() < 1e-10:
            break
    return np.asarray(left)


def _residuals(
    x: pd.DataFrame, y: Floats, groups: NDArray[Any], cluster: str | None, seed: int
) -> Floats:
    left = np.empty_like(y)
    folds = (
        GroupKFold(min(_FOLDS, len(np.unique(groups)))).split(x, groups=groups)
        if cluster
        else KFold(_FOLDS, shuffle=True, random_state=seed).split(x)
    )
    with fit_for(len(y)):
        for train, test in folds:
            model = HistGradientBoostingRegressor(max_iter=100, random_state=seed)
            left[test] = y[test] - model.fit(x.iloc[train], y[train]).predict(x.iloc[test])
    return left


def _with_interval(
    name: str, value: float, error: float, rows: int, method: str, interval_pct: float, room: int
) -> Elasticity:
    value, error = float(value), float(error)
    reach = float(stats.t.ppf(0.5 + interval_pct / 200.0, max(room, 1))) * error
    return Elasticity(name, value, error, value - reach, value + reach, rows, method)
