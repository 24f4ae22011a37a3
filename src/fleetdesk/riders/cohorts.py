"""Riders by the month of their sign-up: who stays, what they ride and pay, month by month."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

_Window = tuple[pd.Timestamp | None, pd.Timestamp]


@dataclass(frozen=True)
class Cohorts:
    """`cells` has one row per cohort and age; `channels` and `changes` one per channel and age.

    cells: cohort (first of the month), age_months, riders (who signed up), active, revenue, km,
    and per rider retention_pct, revenue_per_rider, km_per_rider. Riders are counted in the months
    that are over only. changes: age_months, upgraded, downgraded, cancelled, at_risk.
    """

    cells: pd.DataFrame
    channels: pd.DataFrame
    changes: pd.DataFrame


def cohorts(
    riders: pd.DataFrame,
    months: pd.DataFrame,
    stays: pd.DataFrame,
    last_month: pd.Timestamp,
    first_month: pd.Timestamp | None = None,
) -> Cohorts:
    """Cohorts by sign-up month x age; age 0 is the month of the sign-up.

    riders: rider_id, signed_up_month, channel. months: rider_id, month, km, trips, revenue, one row
    per rider and month with any. stays: rider_id, package, started_month, ended_month (NaT =
    running), end_cause. Months after `last_month` or before `first_month` (where the records
    begin) have no cells: nobody knows who rode then. Revenue of all cells sums to that of `months`
    between them, of known riders.
    """
    inside = months["month"] <= last_month
    if first_month is not None:
        inside &= months["month"] >= first_month
    known = months[inside].merge(riders, on="rider_id", how="inner", validate="many_to_one")
    known = known.assign(age_months=_age(known["month"], known["signed_up_month"]))
    # Rides before the sign-up date are a clock's fault; they count in the first month.
    known["age_months"] = known["age_months"].clip(lower=0)
    window = first_month, last_month
    cells = _cells(known, riders, ["signed_up_month"], window)
    cells = cells.rename(columns={"signed_up_month": "cohort"})
    return Cohorts(cells, _channels(known, riders, window), _changes(riders, stays, last_month))


def _cells(
    known: pd.DataFrame, riders: pd.DataFrame, by: list[str], window: _Window
) -> pd.DataFrame:
    first, last = window
    size = riders[riders["signed_up_month"] <= last].groupby(by).size().rename("riders")
    sums = known.groupby([*by, "age_months"]).agg(
        active=("rider_id", "nunique"), revenue=("revenue", "sum"), km=("km", "sum")
    )
    grid = size.reset_index()
    ages = [range(int(age) + 1) for age in _age(last, grid["signed_up_month"])]
    grid = grid.assign(age_months=pd.Series(ages, index=grid.index, dtype=object)).explode(
        "age_months", ignore_index=True
    )
    grid = grid.assign(age_months=grid["age_months"].astype("int64"))
    if first is not None:
        grid = grid[grid["age_months"] >= _age(first, grid["signed_up_month"])]
    full = grid.merge(sums.reset_index(), on=[*by, "age_months"], how="left")
    return _per_rider(full.fillna({"active": 0, "revenue": 0.0, "km": 0.0}))


def _channels(known: pd.DataFrame, riders: pd.DataFrame, window: _Window) -> pd.DataFrame:
    """By channel and age, over the riders who are old enough to have that age."""
    cells = _cells(known, riders, ["channel", "signed_up_month"], window)
    sums = cells.groupby(["channel", "age_months"], as_index=False)[
        ["riders", "active", "revenue", "km"]
    ].sum()
    return _per_rider(sums)


def _changes(riders: pd.DataFrame, stays: pd.DataFrame, last: pd.Timestamp) -> pd.DataFrame:
    """When, after the start of a package, riders go up, go down or cancel."""
    stays = stays[stays["rider_id"].isin(riders["rider_id"])]
    ended = stays["ended_month"].notna() & (stays["ended_month"] <= last)
    until = stays["ended_month"].where(ended, last)
    age = _age(until, stays["started_month"]).clip(lower=0)
    top = int(age.max()) if len(age) else -1
    rows = []
    for month in range(top + 1):
        at = ended & (age == month)
        cause = stays.loc[at, "end_cause"]
        rows.append(
            (month, *(int((cause == word).sum()) for word in ("upgraded", "downgraded",
                                                              "cancelled")),
             int((age >= month).sum()))
        )  # fmt: skip
    return pd.DataFrame(
        rows, columns=["age_months", "upgraded", "downgraded", "cancelled", "at_risk"]
    )


def _per_rider(cells: pd.DataFrame) -> pd.DataFrame:
    base = cells["riders"].where(cells["riders"] > 0)
    return cells.assign(
        active=cells["active"].astype("int64"),
        retention_pct=100.0 * cells["active"] / base,
        revenue_per_rider=cells["revenue"] / base,
        km_per_rider=cells["km"] / base,
    )


def _age(later: pd.Series | pd.Timestamp, earlier: pd.Series) -> pd.Series:
    """Whole calendar months from one first of the month to another."""
    if isinstance(later, pd.Timestamp):
        months = later.year * 12 + later.month - earlier.dt.year * 12 - earlier.dt.month
    else:
        months = (later.dt.year - earlier.dt.year) * 12 + later.dt.month - earlier.dt.month
    return months.astype("int64") if len(months) else pd.Series(np.empty(0, dtype="int64"))
