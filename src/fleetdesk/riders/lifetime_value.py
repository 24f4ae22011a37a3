"""What a rider is still worth: the margin of each month, as likely as the rider is still there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from fleetdesk.riders.lifetimes import Lifetimes
from fleetdesk.riders.matrix import Floats, numbers
from fleetdesk.riders.purchases import BgNbd, GammaGamma
from fleetdesk.settings.rider_sheets import LifetimeValue

TIERS = ("Platinum", "Gold", "Silver", "Bronze")
DRAWS = 40
"""Curves of staying that the intervals are made of."""
_ROWS = 20_000
_STRETCHES_MONTHS = (0, 3, 6, 12, 24, 36, 60, 120, 240, 600)
_WEEKS_PER_MONTH = 365.25 / 12 / 7


@dataclass(frozen=True)
class Values:
    """Each rider's value in money with a 90 % interval, months expected, and tier (in TIERS).

    The interval tells how sure the law of staying is, not how a single rider's life will go.
    `counted` is over how many months the values are.
    """

    value: Floats
    low: Floats
    high: Floats
    months: Floats
    tier: np.ndarray[tuple[int], np.dtype[np.int64]]
    counted: float


def present_value(monthly_margin: Floats, staying: Floats, discount_pct: float) -> Floats:
    """Sum over months of margin x chance to be there / (1 + rate)^(month / 12).

    `staying` is riders x months from 0 (now) on; money is due at the start of each month.
    """
    months = np.arange(staying.shape[1])
    worth = (1.0 + discount_pct / 100.0) ** (-months / 12.0)
    return np.asarray(monthly_margin * (staying @ worth), dtype=np.float64)


def contract_values(
    riders: pd.DataFrame,
    model: Lifetimes,
    settings: LifetimeValue,
    draws: int = DRAWS,
    months: float | None = None,
) -> Values:
    """Riders under contract, by their own curve of staying, after the months they have stayed.

    Reads monthly_spend, months (stayed so far), referrals and the model's factors. Over so many
    `months`, by default the sheet's.
    """
    counted = float(settings.horizon_months) if months is None else months
    parts = [
        _contract_part(riders.iloc[rows], model, settings, draws, counted)
        for rows in np.array_split(np.arange(len(riders)), max(1, len(riders) // _ROWS))
    ]
    value, low, high, expected = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Values(value, low, high, expected, tiers(value, settings), counted)


def free_values(
    history: pd.DataFrame, often: BgNbd, much: GammaGamma, settings: LifetimeValue
) -> Values:
    """Riders without a contract, by how often they are expected back and what they pay then.

    Reads repeats, recency_weeks, age_weeks, spend and referrals. Visits are discounted at the
    middle of stretches that grow with time. `months` are those until half the visits are over.
    Only `months_foretold` are counted.
    """
    counted = months_foretold(often, settings)
    edges = [float(m) for m in _STRETCHES_MONTHS if m < counted]
    edges.append(counted)
    sums = [np.zeros(len(history))]
    sums += [often.expected(history, month * _WEEKS_PER_MONTH) for month in edges[1:]]
    visits = np.diff(np.column_stack(sums), axis=1)
    middle = (np.asarray(edges[1:]) + np.asarray(edges[:-1])) / 2.0
    worth = (1.0 + settings.discount_pct / 100.0) ** (-middle / 12.0)
    margin = much.expected(history) * settings.margin_pct / 100.0
    value = margin * (visits @ worth) + _referrals(history, settings)
    unknown = np.full(len(history), np.nan)
    return Values(
        value, unknown, unknown, _half_way(visits, edges), tiers(value, settings), counted
    )


def months_foretold(often: BgNbd, settings: LifetimeValue) -> float:
    """The sheet's months, but no more than riders have been seen for.

    Records shorter than riders stay hardly show who is lost: carried on, the law of a month calls
    nearly everybody there in ten years. As far ahead as it looks back it errs by a fifth.
    """
    return min(float(settings.horizon_months), often.weeks / _WEEKS_PER_MONTH)


def tiers(value: Floats, settings: LifetimeValue) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The place in TIERS of each value, by the sheet's limits."""
    return np.select(
        [
            value >= settings.platinum_from,
            value >= settings.gold_from,
            value >= settings.silver_from,
        ],
        [0, 1, 2],
        default=3,
    ).astype(np.int64)


def mean_interval(values: Floats, seed: int, rounds: int = 200) -> tuple[float, float, float]:
    """The mean over riders and its 90 % bootstrap interval; missing without riders."""
    if not len(values):
        return float("nan"), float("nan"), float("nan")
    chance = np.random.default_rng(seed)
    means = [values[chance.integers(0, len(values), len(values))].mean() for _ in range(rounds)]
    low, high = np.quantile(means, (0.05, 0.95))
    return float(values.mean()), float(low), float(high)


def _half_way(visits: Floats, edges: list[float]) -> Floats:
    """Each rider's month by which half of the visits are over, even within a stretch."""
    so_far = np.cumsum(visits, axis=1)
    half = so_far[:, -1] / 2.0
    at = (so_far >= half[:, None]).argmax(axis=1)
    rows = np.arange(len(visits))
    inside = visits[rows, at]
    share = 1.0 - (so_far[rows, at] - half) / np.where(inside > 0, inside, 1.0)
    first, last = np.asarray(edges[:-1])[at], np.asarray(edges[1:])[at]
    return np.asarray(first + share * (last - first), dtype=np.float64)


def _contract_part(
    riders: pd.DataFrame, model: Lifetimes, settings: LifetimeValue, draws: int, counted: float
) -> tuple[Floats, Floats, Floats, Floats]:
    months = np.arange(np.ceil(counted), dtype=float)
    part = np.minimum(1.0, counted - months)  # of the last month only what is counted
    so_far = np.nan_to_num(numbers(riders["months"]))
    margin = np.nan_to_num(numbers(riders["monthly_spend"])) * settings.margin_pct / 100.0
    referred = _referrals(riders, settings)
    staying = part * model.staying(riders, so_far, months)
    value = present_value(margin, staying, settings.discount_pct) + referred
    drawn = [
        present_value(
            margin, part * model.staying(riders, so_far, months, draw), settings.discount_pct
        )
        + referred
        for draw in range(min(draws, len(model.draws)))
    ]
    if not drawn:
        return value, value, value, staying.sum(axis=1)
    low, high = np.quantile(np.vstack(drawn), (0.05, 0.95), axis=0)
    return value, np.minimum(low, value), np.maximum(high, value), staying.sum(axis=1)


def _referrals(riders: pd.DataFrame, settings: LifetimeValue) -> Floats:
    return np.nan_to_num(numbers(riders["referrals"])) * settings.referral_value
