"""Months until batteries fall below the health that the sheet asks for, and what to order when.

What a battery's early life tells is its level, how far it rose and fell, and how much its capacity
shrank and scattered between an early and a late cycle (Severson et al., Nature Energy 4, 2019). An
elastic net fits the logarithm of the life; batteries still alive enter by an AFT model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import ElasticNetCV
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fleetdesk.errors import NotEnoughData

Floats = NDArray[np.float64]
FEWEST = 20
"""Ended batteries that a model of lives is fitted on at least."""
_FOLDS = 5
_L1_SHARES = (0.1, 0.5, 0.9, 1.0)
_AFT_PENALTY = 0.05


@dataclass(frozen=True)
class LifeModel:
    """A fitted law of lives; `scores` are held-out errors of the log life, ascending."""

    columns: tuple[str, ...]
    predict_log: Any
    scores: Floats
    kind: str

    @property
    def mape_pct(self) -> float:
        """Held-out mean error of a life, in percent of it."""
        return float(100.0 * np.mean(np.expm1(self.scores)))


@dataclass(frozen=True)
class Lives:
    """Predicted lives with an interval, in the unit of the lives that were learnt from."""

    life: Floats
    low: Floats
    high: Floats


def degradation_features(
    capacity: Floats, change: Mapping[str, Floats] | None = None
) -> pd.DataFrame:
    """What the first checks of a battery tell: one row per battery.

    `capacity` is batteries x checks in time order, any unit; `change` may add statistics of the
    change of the discharge curve between an early and a late cycle (variance, least, mean), each
    an array over batteries: their size counts, as a logarithm. Raises ValueError on fewer than
    three checks.
    """
    if capacity.ndim != 2 or capacity.shape[1] < 3:
        raise ValueError("capacity needs batteries in rows and at least three checks in columns")
    smooth = pd.DataFrame(capacity.T).rolling(7, center=True, min_periods=1).median()
    curve = smooth.to_numpy().T
    found = {"first": curve[:, 0], "rise": curve.max(axis=1) - curve[:, 0]}
    if change:
        found |= {f"log_{name}": _log_size(values) for name, values in change.items()}
    else:
        checks = np.arange(capacity.shape[1])
        late = checks >= checks.size // 2
        found |= {
            "fade": curve.max(axis=1) - curve[:, -1],
            "slope": np.polyfit(checks, capacity.T, 1)[0],
            "late_slope": np.polyfit(checks[late], capacity[:, late].T, 1)[0],
        }
    return pd.DataFrame(found)


def fit_lives(
    features: pd.DataFrame, life: Floats, ended: NDArray[np.bool_], seed: int
) -> LifeModel:
    """Learn log life from features; an AFT model takes over when some batteries are still alive.

    `life` is the life so far where `ended` is false. NotEnoughData below 20 ended batteries, where
    the features are the same for all, or where no law fits them.
    """
    if int(ended.sum()) < FEWEST:
        raise NotEnoughData(
            "Too few batteries have come to their end to learn how long they last",
            found=f"{int(ended.sum())} of {ended.size} batteries",
            fix=f"At least {FEWEST} are needed; until then the ageing so far is drawn on",
        )
    columns = tuple(features.columns[features.std().to_numpy() > 0])
    if not columns:
        raise NotEnoughData(
            "What the first checks tell is alike for all batteries",
            found=f"{len(features)} batteries without a difference",
            fix="Enter healths with decimals; until then the ageing so far is drawn on",
        )
    x, y = features[list(columns)], np.log(life)
    fit, kind = (_net, "elastic net") if ended.all() else (_aft, "AFT (Weibull)")
    errors = []
    for train, test in KFold(_FOLDS, shuffle=True, random_state=seed).split(x):
        law = fit(x.iloc[train], y[train], ended[train], seed)
        errors.append(np.abs(law(x.iloc[test]) - y[test])[ended[test]])
    law = fit(x, y, ended, seed)
    return LifeModel(columns, law, np.sort(np.concatenate(errors)), kind)


def predict_lives(model: LifeModel, features: pd.DataFrame, interval_pct: float) -> Lives:
    """Lives of other batteries, with split-conformal intervals on the logarithm."""
    middle = model.predict_log(features[list(model.columns)])
    reach = conformal_quantile(model.scores, interval_pct)
    return Lives(np.exp(middle), np.exp(middle - reach), np.exp(middle + reach))


def conformal_quantile(scores: Floats, interval_pct: float) -> float:
    """The score that a new one stays below in `interval_pct` of cases (Vovk et al., 2005)."""
    size = scores.size
    rank = int(np.ceil((size + 1) * interval_pct / 100.0))
    return float("inf") if rank > size else float(np.sort(scores)[rank - 1])


@dataclass(frozen=True, slots=True)
class BatteryOutlook:
    """One battery: health now, its loss a month, and months until it falls below the limit.

    None where nothing can be said; `high` None also means that no end is in sight.
    """

    battery_id: str
    health_pct: float
    loss_pct_per_month: float | None
    months_left: float | None
    low: float | None
    high: float | None
    checks: int
    basis: str

    def after(self, months: float) -> BatteryOutlook:
        """The same outlook seen `months` after the last check."""

        def left(value: float | None) -> float | None:
            return None if value is None else max(value - months, 0.0)

        return replace(
            self,
            health_pct=self.health_pct - max(self.loss_pct_per_month or 0.0, 0.0) * months,
            months_left=left(self.months_left),
            low=left(self.low),
            high=left(self.high),
        )


def outlook(
    checks: pd.DataFrame, limit_pct: float, interval_pct: float
) -> tuple[BatteryOutlook, ...]:
    """How long each battery keeps more than `limit_pct` of its health.

    `checks` has battery_id, age_months (since the first check) and health_pct. A battery's own
    straight line is drawn towards that of all by how sure it is (empirical Bayes); the interval
    comes from how far such lines missed the last check of every battery.
    """
    if checks.empty:
        return ()
    lines = [_line(str(name), rows) for name, rows in checks.groupby("battery_id", sort=True)]
    slopes = np.array([line.slope for line in lines if line.slope is not None])
    if slopes.size == 0:
        return tuple(
            BatteryOutlook(
                line.battery_id, line.last, None, None, None, None, line.size,
                "needs checks at two times",
            )
            for line in lines
        )  # fmt: skip
    middle, between = _typical(lines)
    reach = _relative_reach(lines, middle, between, interval_pct)
    return tuple(_outlook_of(line, middle, between, reach, limit_pct) for line in lines)


def replacement_plan(
    batteries: Sequence[BatteryOutlook], months: int, stock: int, lead_months: int
) -> pd.DataFrame:
    """Batteries due in each of the coming months, and how many to order when.

    Columns: month (1 = the coming one), due, due_low and due_high (by the edges of the
    intervals), in_stock (at the month's end, never below 0), order (placed `lead_months` ahead).
    """
    ends = [(b.months_left, b.low, b.high) for b in batteries if b.months_left is not None]
    due = _by_month([end[0] for end in ends], months)
    early = _by_month([end[1] if end[1] is not None else end[0] for end in ends], months)
    late = _by_month([end[2] for end in ends if end[2] is not None], months)
    low, high = np.cumsum(late), np.cumsum(early)
    need = np.cumsum(due)
    short = np.maximum(need - stock, 0)
    wanted = np.diff(np.concatenate([[0], short]))
    order = np.zeros(months, dtype=int)
    for month, count in enumerate(wanted):
        order[max(month - lead_months, 0)] += count
    return pd.DataFrame(
        {
            "month": np.arange(1, months + 1),
            "due": due,
            "due_so_far": need,
            "due_so_far_low": np.minimum(low, need),
            "due_so_far_high": np.maximum(high, need),
            "in_stock": np.maximum(stock - need, 0),
            "order": order,
        }
    )


@dataclass(frozen=True)
class _Line:
    battery_id: str
    size: int
    last: float
    lag: float
    slope: float | None
    variance: float
    before_last: tuple[float, float, float, float] | None
    """Without the last check: slope, its variance, months to that check, the change seen."""


def _line(name: str, rows: pd.DataFrame) -> _Line:
    rows = rows.sort_values("age_months")
    age, health = rows["age_months"].to_numpy(float), rows["health_pct"].to_numpy(float)
    slope, variance = _slope(age, health)
    before = None
    if age.size >= 4:
        own, spread = _slope(age[:-1], health[:-1])
        if own is not None:
            before = (own, spread, float(age[-1] - age[-2]), float(health[-1] - health[-2]))
    # The mean of the last three is steadier than the last one, but older by `lag`.
    lag = float(age[-1] - age[-3:].mean())
    return _Line(name, age.size, float(health[-3:].mean()), lag, slope, variance, before)


def _slope(age: Floats, health: Floats) -> tuple[float | None, float]:
    spread = float(((age - age.mean()) ** 2).sum())
    if spread == 0:
        return None, 0.0
    slope = float(((age - age.mean()) * (health - health.mean())).sum() / spread)
    rest = health - health.mean() - slope * (age - age.mean())
    noise = float((rest**2).sum() / (age.size - 2)) if age.size > 2 else 1.0
    return slope, max(noise, 1e-4) / spread


def _typical(lines: Sequence[_Line]) -> tuple[float, float]:
    """Mean slope and its variance between batteries (DerSimonian and Laird, 1986)."""
    slopes = np.array([line.slope for line in lines if line.slope is not None])
    variance = np.array([line.variance for line in lines if line.slope is not None])
    weight = 1 / variance
    mean = float((weight * slopes).sum() / weight.sum())
    scatter = float((weight * (slopes - mean) ** 2).sum())
    room = float(weight.sum() - (weight**2).sum() / weight.sum())
    between = max(0.0, (scatter - (slopes.size - 1)) / room) if room > 0 else 0.0
    weight = 1 / (variance + between)
    return float((weight * slopes).sum() / weight.sum()), between


def _drawn(slope: float | None, variance: float, middle: float, between: float) -> float:
    if slope is None:
        return middle
    share = between / (between + variance) if between + variance else 1.0
    return middle + share * (slope - middle)


def _relative_reach(
    lines: Sequence[_Line], middle: float, between: float, interval_pct: float
) -> float:
    """How far a slope may be off, as a share of it, by how it missed the last check."""
    misses = []
    for line in lines:
        if line.before_last is not None:
            own, variance, months, change = line.before_last
            slope = _drawn(own, variance, middle, between)
            misses.append(abs(change / months - slope) / max(abs(slope), 1e-6))
    if len(misses) < 10:
        return float("inf")
    # One step's noise is not the slope's: over k checks it shrinks by the root of k.
    typical = float(np.median([line.size for line in lines]))
    return float(conformal_quantile(np.array(misses), interval_pct) / np.sqrt(max(typical - 1, 1)))


def _outlook_of(
    line: _Line, middle: float, between: float, reach: float, limit_pct: float
) -> BatteryOutlook:
    slope = _drawn(line.slope, line.variance, middle, between)
    health = line.last + slope * line.lag
    room = max(health - limit_pct, 0.0)
    months = None if slope >= 0 else room / -slope
    low = high = None
    if months is not None and np.isfinite(reach):
        low = room / (-slope * (1 + reach))
        high = room / (-slope * (1 - reach)) if reach < 1 else None
    own = between / (between + line.variance) if line.slope is not None else 0.0
    basis = (
        "below the limit now" if room == 0
        else f"own line {100 * own:.0f} %, all batteries {100 - 100 * own:.0f} %"
    )  # fmt: skip
    return BatteryOutlook(line.battery_id, health, -slope, months, low, high, line.size, basis)


def _by_month(ends: Sequence[float | None], months: int) -> NDArray[np.int64]:
    place = [min(int(end), months) for end in ends if end is not None]
    return np.bincount(place, minlength=months + 1)[:months].astype(np.int64)


def _log_size(values: Floats) -> Floats:
    return np.log10(np.maximum(np.abs(values), 1e-12))


def _net(x: pd.DataFrame, y: Floats, ended: NDArray[np.bool_], seed: int) -> Any:
    del ended
    folds = KFold(min(_FOLDS, len(y)), shuffle=True, random_state=seed)
    model = make_pipeline(
        StandardScaler(), ElasticNetCV(l1_ratio=list(_L1_SHARES), cv=folds, max_iter=20_000)
    )
    return model.fit(x, y).predict


def _aft(x: pd.DataFrame, y: Floats, ended: NDArray[np.bool_], seed: int) -> Any:
    del seed
    from lifelines import WeibullAFTFitter
    from lifelines.exceptions import ConvergenceError

    scaler = StandardScaler().fit(x)

    def scaled(rows: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame(scaler.transform(rows), columns=list(x.columns))

    frame = scaled(x).assign(life=np.exp(y), ended=ended.astype(int))
    try:
        model = WeibullAFTFitter(penalizer=_AFT_PENALTY).fit(frame, "life", "ended")
    except ConvergenceError as error:
        raise NotEnoughData(
            "No law of how long batteries last could be fitted",
            found=f"{int(ended.sum())} ended batteries of {ended.size}, without convergence",
            fix="Wait for more batteries to come to their end; until then lines are used",
        ) from error
    return lambda rows: np.log(model.predict_median(scaled(rows)).to_numpy())
