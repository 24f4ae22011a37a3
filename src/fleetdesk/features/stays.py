"""Riders' stays under contract, and what riders without one bought; the grain is told at each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import ibis

from fleetdesk.features.calendar import MONTH_D, hours_between, moment
from fleetdesk.features.trips import countable, priced
from fleetdesk.settings.schema import Settings


def stays(tables: Mapping[str, Any], at: datetime, records_from: datetime | None = None) -> Any:
    """One row per unbroken stay of a rider under contract, as known at the moment.

    An upgrade or downgrade continues a stay; only cancelling ends it. Columns: rider_id, stay_no,
    started_at, months (so far), cancelled, package (the first one: what it became later is not
    known when a stay begins), channel, referrals, entry_months. With `records_from`, stays that
    began before it are seen only from then on (delayed entry): those that ended before it are not
    in the records.
    """
    now = moment(at)
    parts = tables["subscriptions"]
    parts = parts.filter(parts.started_at <= now)
    ended = parts.ended_at.notnull() & (parts.ended_at <= now)
    parts = parts.mutate(
        over=ended, until=ended.ifelse(parts.ended_at, now), gone=ended & is_end(parts.end_cause)
    )
    in_order = ibis.window(group_by="rider_id", order_by=["started_at", "subscription_id"])
    goes_on = ~parts.gone.lag().over(in_order) & parts.over.lag().over(in_order)
    parts = parts.mutate(begins=goes_on.fill_null(False).ifelse(0, 1))
    so_far = ibis.cumulative_window(group_by="rider_id", order_by=["started_at", "subscription_id"])
    parts = parts.mutate(
        stay_no=parts.begins.sum().over(so_far).cast("int64"),
        first_package=(parts.begins == 1).ifelse(parts.package, None),
    )
    found = parts.group_by(["rider_id", "stay_no"]).agg(
        started_at=parts.started_at.min(),
        until=parts.until.max(),
        cancelled=parts.gone.ifelse(1, 0).max() == 1,
        package=parts.first_package.max(),
    )
    people = tables["riders"].select("rider_id", "channel", "referrals", "consent")
    found = found.inner_join(people, "rider_id")
    months = hours_between(found.until, found.started_at) / 24.0 / MONTH_D
    entry = ibis.literal(0.0)
    if records_from is not None:
        seen = hours_between(moment(records_from), found.started_at) / 24.0 / MONTH_D
        entry = seen.clip(lower=0.0)
    rows = found.mutate(months=months, entry_months=entry)
    return rows.filter(rows.months > rows.entry_months).select(
        "rider_id", "stay_no", "started_at", "months", "entry_months", "cancelled", "package",
        "channel", "referrals", "consent",
    )  # fmt: skip


def cancellations(tables: Mapping[str, Any], since: datetime, until: datetime) -> Any:
    """One row per package: how many held it at a moment, and how many of these left by another.

    Columns: package, held, gone. A rider who changes to another package has not left.
    """
    parts = tables["subscriptions"]
    there = parts.filter(
        (parts.started_at <= moment(since))
        & (parts.ended_at.isnull() | (parts.ended_at > moment(since)))
    )
    gone = (there.ended_at <= moment(until)) & is_end(there.end_cause)
    # Spark finds no count, rather than 0, where nobody's end is known.
    gone = gone.fill_null(False)
    return there.group_by("package").agg(held=there.count(), gone=there.count(where=gone))


def purchases(trips: Any, at: datetime, settings: Settings) -> Any:
    """One row per rider with a trip by the moment: how often, how lately and for how much.

    Columns: rider_id, repeats (days with trips after the first), recency_weeks and age_weeks (last
    such day and the moment, after the first), spend (mean gross per repeat day; missing without).
    """
    done = priced(countable(trips), settings.costs)
    done = done.filter(done.rider_id.notnull() & (done.ended_at <= moment(at)))
    days = done.mutate(day=done.started_at.truncate("D"))
    days = days.group_by(["rider_id", "day"]).agg(paid=days.revenue.sum())
    first = days.day.min().over(ibis.window(group_by="rider_id"))
    days = days.mutate(first=first)
    again = days.day > days["first"]
    found = days.group_by("rider_id").agg(
        repeats=days.count(where=again),
        first=days["first"].min(),
        last=days.day.max(),
        spend=days.paid.mean(where=again),
    )
    return found.select(
        "rider_id",
        "repeats",
        "spend",
        recency_weeks=hours_between(found["last"], found["first"]) / 168.0,
        age_weeks=hours_between(moment(at).truncate("D"), found["first"]) / 168.0,
    )


def is_end(cause: Any) -> Any:
    """Whether a package's end was the rider's leaving; one of unknown cause is taken for it."""
    return ~cause.isin(["upgraded", "downgraded"]).fill_null(False)
