"""Months that batteries have left, learnt from those that have come to their end.

Where enough batteries were followed until they fell below the limit, what their first months of
checks told (level, fade, slope) is held against how long they lasted; who is still in use counts as
censored. The law is used where it misses ends it has not seen by clearly less than straight lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fleetdesk.errors import NotEnoughData
from fleetdesk.fleet.battery_health import (
    FEWEST,
    BatteryOutlook,
    LifeModel,
    degradation_features,
    fit_lives,
    outlook,
    predict_lives,
)

Floats = NDArray[np.float64]
EARLY_MONTHS = 6
"""The checks that a life is told by."""
LEARNT = "learnt from whole lives"
_CLEARLY = 0.8  # lines go on learning from later checks: a law has to be so much nearer


def learnt_outlook(
    checks: pd.DataFrame, limit_pct: float, interval_pct: float, seed: int
) -> tuple[tuple[BatteryOutlook, ...], str]:
    """How long each battery keeps more than `limit_pct`, and by which way that is told.

    Takes the frame of `outlook`, and says what it says of batteries that were not followed for
    `EARLY_MONTHS`, that are below the limit now or have outlived what was learnt, and of all where
    too few have come to their end.
    """
    lines = outlook(checks, limit_pct, interval_pct)
    lives = [
        life
        for name, rows in checks.groupby("battery_id", sort=True)
        if (life := _life(str(name), rows.sort_values("age_months"), limit_pct)) is not None
    ]
    ended = np.array([life.ended for life in lives], dtype=bool)
    try:
        model = fit_lives(_features(lives), np.array([life.months for life in lives]), ended, seed)
    except NotEnoughData:
        return lines, (
            f"Each battery's own line: {int(ended.sum())} were followed to their end, and whole "
            f"lives are learnt from once {FEWEST} or more show a law."
        )
    followed = [life for life in lives if life.ended]
    missed = _missed_by_lines(checks, followed, limit_pct, interval_pct)
    told = f"the ends of {int(ended.sum())} batteries"
    if model.mape_pct > _CLEARLY * missed:
        return lines, (
            f"Straight lines missed {told} by {missed:.0f} %, a law of whole lives by "
            f"{model.mape_pct:.0f} %: lines are used."
        )
    return _by_lives(lines, lives, model, interval_pct), (
        f"Learnt from whole lives ({model.kind}): {told}, each left out in turn, are missed by "
        f"{model.mape_pct:.0f} %, by straight lines {missed:.0f} %."
    )


@dataclass(frozen=True)
class _Life:
    """A battery's health in the first months (EARLY_MONTHS + 1,), and after how many months it
    `ended` or was last seen."""

    battery_id: str
    early_pct: Floats
    months: float
    ended: bool


def _life(name: str, rows: pd.DataFrame, limit_pct: float) -> _Life | None:
    """None for a battery that was not seen above the limit for longer than the first months."""
    age, told = rows["age_months"].to_numpy(float), rows["health_pct"].to_numpy(float)
    # One low reading is no end: the median of three is what counts.
    health = pd.Series(told).rolling(3, center=True, min_periods=1).median().to_numpy()
    below = np.flatnonzero(health < limit_pct)
    ended = below.size > 0
    months = float(age[-1])
    if ended:
        after = int(below[0])
        before = max(after - 1, 0)
        months = float(np.interp(-limit_pct, -health[[before, after]], age[[before, after]]))
    if months <= EARLY_MONTHS:
        return None
    return _Life(name, np.interp(np.arange(EARLY_MONTHS + 1.0), age, told), months, ended)


def _features(lives: Sequence[_Life]) -> pd.DataFrame:
    return degradation_features(
        np.array([life.early_pct for life in lives]).reshape(-1, EARLY_MONTHS + 1)
    )


def _missed_by_lines(
    checks: pd.DataFrame, ended: Sequence[_Life], limit_pct: float, interval_pct: float
) -> float:
    """By how many percent lines through the first months miss these lives, on average."""
    early = checks[checks["age_months"] <= EARLY_MONTHS]
    last = early.groupby("battery_id")["age_months"].max()
    left = {one.battery_id: one.months_left for one in outlook(early, limit_pct, interval_pct)}
    longest = max(life.months for life in ended)

    def told(name: str) -> float:
        months = left[name]
        # A line that sees no end says that it lasts as long as the longest; none of those that are
        # compared ended within the first months.
        return longest if months is None else max(EARLY_MONTHS, float(last[name]) + months)

    off = [abs(np.log(told(life.battery_id) / life.months)) for life in ended]
    return float(100.0 * np.mean(np.expm1(off)))


def _by_lives(
    lines: Sequence[BatteryOutlook], lives: Sequence[_Life], model: LifeModel, interval_pct: float
) -> tuple[BatteryOutlook, ...]:
    alive = [life for life in lives if not life.ended]
    if not alive:
        return tuple(lines)
    found = predict_lives(model, _features(alive), interval_pct)
    left = {
        life.battery_id: tuple(float(months[row]) - life.months
                               for months in (found.life, found.low, found.high))
        for row, life in enumerate(alive)
    }  # fmt: skip
    return tuple(_told(line, left.get(line.battery_id, (0.0, 0.0, 0.0))) for line in lines)


def _told(line: BatteryOutlook, left: tuple[float, ...]) -> BatteryOutlook:
    months, low, high = left
    if line.months_left == 0 or months <= 0:
        return line
    bounds = (max(low, 0.0), high) if np.isfinite(high) else (None, None)
    return replace(line, months_left=months, low=bounds[0], high=bounds[1], basis=LEARNT)
