"""How far each rider will ride next month: learnt over past months, with honest intervals.

Models only ever see what was known before the month that they are scored on. Intervals are
conformal and adaptive: their width follows the size of the forecast, and their level follows how
often they held lately (Gibbs and Candes, 2021).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor

from fleetdesk.riders.threads import fit_for

Floats = NDArray[np.float64]
NAIVE, BOOSTING, FOREST = "seasonal naive", "gradient boosting", "random forest"
_FEWEST_ROWS = 200
_FOLDS = 5
_STEP = 0.5
_LEAST_KM = 1.0
_SHUFFLES = 3
_SHUFFLED_ROWS = 2000
_YEAR = 12


@dataclass(frozen=True, slots=True)
class Score:
    """How well one model foretold months that it had not seen; `r2` None = all rode alike."""

    model: str
    rmse_km: float
    mape_pct: float | None
    wape_pct: float | None
    r2: float | None
    coverage_pct: float | None
    rows: int
    chosen: bool


@dataclass(frozen=True)
class UsageForecast:
    """`riders` has rider_id, km, low, high (NaN where no interval can be given).

    `scores` are of the last month that is known, which no choice was made on where there are two
    or more to score; `importance` the rise of the error (km) when a feature is shuffled.
    """

    riders: pd.DataFrame
    scores: tuple[Score, ...]
    importance: tuple[tuple[str, float], ...]
    model: str
    months_learnt: int
    note: str


def forecast_usage(
    history: pd.DataFrame, features: Sequence[str], *, interval_pct: float, seed: int,
    models: Sequence[str] = (BOOSTING, FOREST),
) -> UsageForecast:  # fmt: skip
    """Foretell `km_next` for the rows of the last moment.

    `history` has rider_id, at (moments one horizon apart), km (ridden in the horizon before `at`),
    km_next (in the one after it; ignored at the last moment) and the numeric `features`, NaN where
    unknown. With too few months or rows the seasonal-naive forecast is given, and `note` says so.
    """
    moments = sorted(history["at"].unique())
    if not moments:
        return UsageForecast(_empty(), (), (), NAIVE, 0, "There are no riders.")
    parts = [history[history["at"] == at] for at in moments]
    naive = _naive(history, moments)
    now, past = parts[-1], parts[:-1]
    known = past[1:][-_FOLDS:]
    laws = {name: _LAWS[name] for name in models}
    rows = len(past[0]) if past else 0
    rode = bool(past) and float(past[0]["km_next"].sum()) > 0
    if not known or rows < _FEWEST_ROWS or not rode:
        found = _rows(now, naive(now), None, None)
        note = (
            f"{len(past)} months before this one and {rows} riders in the first: two months, and "
            f"{_FEWEST_ROWS} riders some of whom rode, are needed to learn. Next month is taken to "
            "be like the last."
        )
        return UsageForecast(found, (), (), NAIVE, len(past), note)
    walked = _walk(past, len(known), features, laws, naive, seed)
    # Early months had little to learn from; the choice is made where there was most.
    trial = walked[-3:-1] or walked
    best = min((NAIVE, *laws), key=lambda name: _pooled_rmse(trial, name))
    bands = {name: _bands(walked, name, interval_pct) for name in (NAIVE, *laws)}
    scores = tuple(_score(walked[-1], name, bands[name].coverage_pct, best) for name in bands)
    if best == NAIVE:
        km = naive(now)
        importance: tuple[tuple[str, float], ...] = ()
    else:
        km = _fit(laws[best], past, features, seed).predict(now)
        importance = _importance(_fit(laws[best], past[:-1], features, seed), past[-1], seed)
    low, high = bands[best].around(km)
    note = (
        f"Learnt from {len(past)} months; scored on {len(known)}, each foretold from the months "
        f"before it."
    )
    return UsageForecast(_rows(now, km, low, high), scores, importance, best, len(past), note)


@dataclass(frozen=True)
class _Band:
    """Interval law: reach below and above in units of (km + 1) ** power."""

    power: float
    below: float
    above: float
    coverage_pct: float | None

    def around(self, km: Floats) -> tuple[Floats, Floats]:
        size = (km + _LEAST_KM) ** self.power
        return np.maximum(km - self.below * size, 0.0), np.maximum(km + self.above * size, 0.0)


@dataclass(frozen=True)
class _Walked:
    actual: Floats
    foretold: dict[str, Floats]


def _walk(
    past: Sequence[pd.DataFrame], folds: int, features: Sequence[str],
    laws: dict[str, Callable[[int], Any]], naive: Callable[[pd.DataFrame], Floats], seed: int,
) -> list[_Walked]:  # fmt: skip
    """Each of the last `folds` months foretold from those before it."""
    walked = []
    for place in range(len(past) - folds, len(past)):
        part, before = past[place], past[:place]
        foretold = {NAIVE: naive(part)}
        for name, law in laws.items():
            foretold[name] = _fit(law, before, features, seed).predict(part)
        walked.append(_Walked(part["km_next"].to_numpy(float), foretold))
    return walked


def _bands(walked: Sequence[_Walked], name: str, interval_pct: float) -> _Band:
    """Set the interval from months past, month by month, and see how often it held."""
    wanted = 1 - interval_pct / 100.0
    level, held, seen = wanted, 0, 0
    for place in range(1, len(walked)):
        band = _set(walked[:place], name, level)
        month = walked[place]
        low, high = band.around(month.foretold[name])
        missed = (month.actual < low) | (month.actual > high)
        held, seen = held + int((~missed).sum()), seen + missed.size
        level = min(max(level + _STEP * (wanted - float(missed.mean())), 0.005), 0.5)
    band = _set(walked, name, level)
    return _Band(band.power, band.below, band.above, 100.0 * held / seen if seen else None)


def _set(walked: Sequence[_Walked], name: str, level: float) -> _Band:
    actual = np.concatenate([month.actual for month in walked])
    foretold = np.concatenate([month.foretold[name] for month in walked])
    miss = actual - foretold
    power = _spread_power(foretold, miss)
    size = (foretold + _LEAST_KM) ** power
    rank = min(1.0, (1 - level / 2) * (1 + 1 / miss.size))
    below, above = (
        float(np.quantile(side / size, rank, method="higher")) for side in (-miss, miss)
    )
    return _Band(power, below, above, None)


def _spread_power(foretold: Floats, miss: Floats) -> float:
    """How misses grow with the forecast: the slope of their logarithms."""
    x, y = np.log(foretold + _LEAST_KM), np.log(np.abs(miss) + 0.1)
    spread = float(((x - x.mean()) ** 2).sum())
    slope = float(((x - x.mean()) * (y - y.mean())).sum() / spread) if spread else 0.5
    return min(max(slope, 0.0), 1.0)


def _score(month: _Walked, name: str, coverage: float | None, best: str) -> Score:
    actual, foretold = month.actual, month.foretold[name]
    miss = actual - foretold
    rode = actual >= _LEAST_KM
    scatter = float(((actual - actual.mean()) ** 2).sum())
    return Score(
        model=name,
        rmse_km=float(np.sqrt((miss**2).mean())),
        mape_pct=float(100 * np.mean(np.abs(miss[rode]) / actual[rode])) if rode.any() else None,
        wape_pct=float(100 * np.abs(miss).sum() / actual.sum()) if actual.sum() else None,
        r2=1 - float((miss**2).sum()) / scatter if scatter else None,
        coverage_pct=coverage,
        rows=miss.size,
        chosen=name == best,
    )


def _pooled_rmse(walked: Sequence[_Walked], name: str) -> float:
    return float(np.mean(np.concatenate([(w.actual - w.foretold[name]) ** 2 for w in walked])))


@dataclass(frozen=True)
class _Fitted:
    model: Any
    features: tuple[str, ...]

    def predict(self, part: pd.DataFrame) -> Floats:
        """Km, never below 0."""
        rows = _x([part], self.features)
        with fit_for(len(rows)):
            found: Floats = np.maximum(self.model.predict(rows), 0.0)
        return found


def _fit(
    law: Callable[[int], Any], parts: Sequence[pd.DataFrame], features: Sequence[str], seed: int
) -> _Fitted:
    """Learn from months, by the features that were known of anybody then."""
    known = tuple(name for name in features if any(part[name].notna().any() for part in parts))
    rows = _x(parts, known)
    with fit_for(len(rows)):
        return _Fitted(law(seed).fit(rows, _y(parts)), known)


def _importance(fitted: _Fitted, part: pd.DataFrame, seed: int) -> tuple[tuple[str, float], ...]:
    from sklearn.inspection import permutation_importance

    part = part.iloc[: min(len(part), _SHUFFLED_ROWS)]
    with fit_for(len(part)):
        found = permutation_importance(
            fitted.model, _x([part], fitted.features), _y([part]), n_repeats=_SHUFFLES,
            random_state=seed, scoring="neg_root_mean_squared_error",
        )  # fmt: skip
    pairs = zip(fitted.features, found.importances_mean.tolist(), strict=True)
    return tuple(sorted(pairs, key=lambda pair: (-pair[1], pair[0])))


def _naive(history: pd.DataFrame, moments: Sequence[Any]) -> Callable[[pd.DataFrame], Floats]:
    """Last month's km; where a year is known, the same month's of last year."""
    # What followed twelve months before is the month ahead, a year ago.
    year_ago = {at: moments[place - _YEAR] for place, at in enumerate(moments)
                if place >= _YEAR}  # fmt: skip
    by_rider = history.set_index(["rider_id", "at"])["km_next"]

    def foretell(part: pd.DataFrame) -> Floats:
        last = part["km"].fillna(0.0).to_numpy(float)
        at = part["at"].iloc[0] if len(part) else None
        if at not in year_ago:
            return last
        keys = pd.MultiIndex.from_arrays([part["rider_id"], [year_ago[at]] * len(part)])
        then = by_rider.reindex(keys).to_numpy(float)
        return np.where(np.isnan(then), last, then)

    return foretell


def _rows(now: pd.DataFrame, km: Floats, low: Floats | None, high: Floats | None) -> pd.DataFrame:
    unknown = np.full(len(now), np.nan)
    return pd.DataFrame(
        {
            "rider_id": now["rider_id"].to_list(),
            "km": km,
            "low": unknown if low is None else low,
            "high": unknown if high is None else high,
        }
    )


def _empty() -> pd.DataFrame:
    figures = {name: pd.Series(dtype=float) for name in ("km", "low", "high")}
    return pd.DataFrame({"rider_id": pd.Series(dtype=object)} | figures)


def _x(parts: Sequence[pd.DataFrame], features: Sequence[str]) -> Floats:
    return np.concatenate([part[list(features)].to_numpy(float) for part in parts])


def _y(parts: Sequence[pd.DataFrame]) -> Floats:
    return np.concatenate([part["km_next"].to_numpy(float) for part in parts])


def _boosting(seed: int) -> Any:
    return HistGradientBoostingRegressor(
        loss="poisson", learning_rate=0.06, max_iter=120, min_samples_leaf=30,
        l2_regularization=1.0, random_state=seed,
    )  # fmt: skip


def _forest(seed: int) -> Any:
    return RandomForestRegressor(60, min_samples_leaf=10, max_features=0.4, random_state=seed)


_LAWS: dict[str, Callable[[int], Any]] = {BOOSTING: _boosting, FOREST: _forest}
