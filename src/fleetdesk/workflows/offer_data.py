"""The log of offers with what each brought, and riders who changed packages; loads pandas."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from fleetdesk.features.calendar import moment
from fleetdesk.features.rider_outcomes import outcomes
from fleetdesk.features.riders import riders_at
from fleetdesk.features.trips import priced
from fleetdesk.outputs.tables.offers import ArmRow
from fleetdesk.riders.offers import believe, propensities
from fleetdesk.settings.schema import Settings
from fleetdesk.workflows.known import Known
from fleetdesk.workflows.rider_data import first_trip, frame

NO_OFFER = "none"
EVERYBODY = "all"
BEFORE = (
    "km_30d", "trips_30d", "spend_30d", "swaps_30d", "days_active_30d", "days_since_last_trip",
    "tenure_months", "complaints_30d", "late_payments_30d", "weekend_index",
    "km_per_trip",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class BestOffer:
    """An offer and what it brings more than none, in margin per offer made, with its interval."""

    segment: str
    arm: str
    gain: float
    low: float
    high: float


def offer_log(record: Known, settings: Settings) -> pd.DataFrame:
    """Offers whose answer is known, with what each brought.

    Columns: offer_made_id, rider_id, arm, segment, offered_at, accepted, propensity, age_days,
    value.

    Where no value is told it is the gross margin on what the rider paid in the days after, once
    these are over. `propensity` is NaN where it was not logged.
    """
    tables, as_of = record.tables, record.moment.as_of
    made, days = tables["offers_made"], settings.offer_tests.value_days
    rows = frame(made.filter(made.offered_at <= moment(as_of)))
    now = as_of.replace(tzinfo=None)
    rows = rows.assign(
        arm=rows["offer"],
        segment=rows["segment"].fillna(EVERYBODY),
        age_days=(now - rows["offered_at"]).dt.total_seconds() / 86_400.0,
    )
    rows = rows[rows["value"].notna() | (rows["age_days"] >= days)].reset_index(drop=True)
    paid = _paid_after(rows, record, settings, days)
    margin = settings.lifetime_value.margin_pct / 100.0
    cost = np.where(rows["arm"] == NO_OFFER, 0.0, settings.offer_tests.offer_cost)
    value = rows["value"].astype(float).fillna(pd.Series(paid * margin, index=rows.index)) - cost
    columns = ["offer_made_id", "rider_id", "arm", "segment", "offered_at", "accepted",
               "propensity", "age_days"]  # fmt: skip
    return rows[columns].assign(
        value=value, propensity=rows["propensity"].astype(float)
    ).sort_values(["offered_at", "offer_made_id"], ignore_index=True)  # fmt: skip


def _paid_after(
    rows: pd.DataFrame, record: Known, settings: Settings, days: int
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """What each offer's rider paid within the days after it, trips and packages."""
    if rows.empty:
        return np.zeros(0)
    tables, since = record.tables, moment(rows["offered_at"].min().tz_localize("UTC"))
    trips = priced(tables["trips"], settings.costs)
    trips = trips.filter(trips.rider_id.notnull() & (trips.started_at >= since))
    due = tables["payments"]
    due = due.filter((due.due_at >= since) & (due.payment_kind == "package"))
    paid = pd.concat(
        [
            frame(trips.select("rider_id", at=trips.started_at, amount=trips.revenue)),
            frame(due.select("rider_id", "amount", at=due.due_at)),
        ]
    )
    joined = rows[["offer_made_id", "rider_id", "offered_at"]].merge(paid, on="rider_id")
    after = joined["at"] - joined["offered_at"]
    inside = joined[(after >= pd.Timedelta(0)) & (after < pd.Timedelta(days=days))]
    inside = inside.sort_values(["offer_made_id", "at", "amount"])
    sums = inside.groupby("offer_made_id")["amount"].sum()
    return np.asarray(np.nan_to_num(sums.reindex(rows["offer_made_id"]).to_numpy(float)))


def arms_of(log: pd.DataFrame, settings: Settings) -> tuple[str, ...]:
    """Offers of the log and those in use on the sheet, with none."""
    active = {offer.name for offer in settings.offers if offer.active}
    return tuple(sorted({*log["arm"].unique(), *active, NO_OFFER}))


def arm_rows(log: pd.DataFrame, arms: tuple[str, ...], settings: Settings) -> tuple[ArmRow, ...]:
    """What is known of each arm in each segment, and the share of the next offers it gets."""
    tests = settings.offer_tests
    rows = []
    for number, (segment, part) in enumerate(log.groupby("segment", sort=True)):
        belief = believe(
            part, str(segment), arms, half_life_days=tests.half_life_days, prior=tests.prior_margin
        )
        low, high = belief.interval(settings.usage.interval_pct)
        share = propensities(belief, settings.city.seed + number, tests.explore_pct)
        for place, arm in enumerate(arms):
            mine = part[part["arm"] == arm]
            known = mine["accepted"].dropna()
            rows.append(
                ArmRow(
                    str(segment), arm, len(mine),
                    100.0 * float(known.astype(bool).mean()) if len(known) else None,
                    float(belief.mean[place]), float(low[place]), float(high[place]),
                    100.0 * float(share[place]),
                )
            )  # fmt: skip
    return tuple(rows)


def best_offers(rows: Sequence[ArmRow], least: int = 1) -> dict[str, BestOffer]:
    """By segment the offer that brings most against none, of those made `least` times or more.

    A segment in which too few were left without an offer has none: there is nothing to compare
    with.
    """
    made = [row for row in rows if row.made >= least]
    bases = {row.segment: row for row in made if row.arm == NO_OFFER}
    best: dict[str, BestOffer] = {}
    for row in made:
        base = bases.get(row.segment)
        if base is None or row.arm == NO_OFFER:
            continue
        gain = row.mean - base.mean
        if row.segment not in best or gain > best[row.segment].gain:
            below = math.hypot(row.mean - row.low, base.high - base.mean)
            above = math.hypot(row.high - row.mean, base.mean - base.low)
            best[row.segment] = BestOffer(row.segment, row.arm, gain, gain - below, gain + above)
    return best


def features_at_offers(log: pd.DataFrame, record: Known, settings: Settings) -> pd.DataFrame:
    """What was known of each rider at the start of the log, for learning whom offers move.

    One row per row of the log; riders who signed up later have zeros.
    """
    at = log["offered_at"].min().tz_localize("UTC").to_pydatetime()
    known = frame(riders_at(record.tables, at, settings, first_trip(record.tables)))
    known = known.set_index("rider_id")[list(BEFORE)].astype(float)
    return known.reindex(log["rider_id"]).fillna(0.0).reset_index(drop=True)


def package_takers(record: Known, settings: Settings) -> pd.DataFrame:
    """Riders without a package one horizon before the middle moment, by whether they took one.

    Columns: rider_id, taken, spend_next (in the horizon after the middle moment; 0 for who paid
    nothing), and BEFORE as known before anyone had taken it. Only who still rode while packages
    were taken is compared: whoever took one was there to take it, so riders who had gone by then
    would be set beside riders who had not.
    """
    tables, as_of = record.tables, record.moment.as_of
    horizon = timedelta(days=settings.usage.horizon_days)
    start, middle = as_of - 2 * horizon, as_of - horizon
    known = frame(riders_at(tables, start, settings, first_trip(tables)))
    known = known[known["package"].isna() & (known["trips_30d"].fillna(0) > 0)]
    trips, stays = tables["trips"], tables["subscriptions"]
    there = _between(trips, trips.started_at, start, middle)
    taken = _between(stays, stays.started_at, start, middle)
    days = settings.usage.horizon_days
    after = frame(outcomes(tables, middle, days, settings.costs, everybody=True))
    rows = known[known["rider_id"].isin(there)]
    rows = rows.merge(after[["rider_id", "spend_next"]], on="rider_id").sort_values("rider_id")
    figures = rows[list(BEFORE)].astype(float).fillna(0.0)
    return rows[["rider_id", "spend_next"]].assign(
        taken=rows["rider_id"].isin(taken), **{name: figures[name] for name in BEFORE}
    )


def _between(rows: Any, at: Any, start: datetime, end: datetime) -> pd.Series[Any]:
    """The riders with a row after `start`, up to `end`."""
    mine = rows.filter((at > moment(start)) & (at <= moment(end)))
    return frame(mine.select("rider_id").distinct())["rider_id"]
