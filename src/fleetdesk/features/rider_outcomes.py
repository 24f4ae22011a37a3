"""What riders did after a moment, which is to be foretold; the grain is one rider at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from fleetdesk.features.calendar import moment
from fleetdesk.features.stays import is_end
from fleetdesk.features.trips import priced
from fleetdesk.settings.schema import Costs


def outcomes(
    tables: Mapping[str, Any],
    at: datetime,
    horizon_days: int,
    costs: Costs,
    *,
    everybody: bool = False,
) -> Any:
    """What each rider who was there at `at` did in the days after it: what is to be foretold.

    There is who has a running package or rode within the `horizon_days` before; `everybody` = all
    who had signed up. Columns: rider_id, at, trips_next, spend_next (trips, at the sheet's prices
    where none is told, and packages due), cancelled, churned (no trip, or a package cancelled).
    """
    now, until = moment(at), moment(at + timedelta(days=horizon_days))
    since = moment(at - timedelta(days=horizon_days))
    trips = priced(tables["trips"], costs)
    trips = trips.filter(
        trips.rider_id.notnull() & (trips.started_at > since) & (trips.started_at <= until)
    )
    before = trips.started_at <= now
    rode = trips.group_by("rider_id").agg(
        trips_before=trips.count(where=before),
        trips_next=trips.count(where=~before),
        trip_spend_next=trips.revenue.sum(where=~before),
    )
    payments = tables["payments"]
    due = payments.filter(
        (payments.due_at > now) & (payments.due_at <= until) & (payments.payment_kind == "package")
    )
    paid = due.group_by("rider_id").agg(package_spend_next=due.amount.sum())
    stays = tables["subscriptions"]
    stays = stays.filter(stays.started_at <= now)
    running = stays.ended_at.isnull() | (stays.ended_at > now)
    cancelled = running & (stays.ended_at <= until) & is_end(stays.end_cause)
    held = stays.group_by("rider_id").agg(
        packages=stays.count(where=running), cancellations=stays.count(where=cancelled)
    )
    riders = tables["riders"]
    rows = riders.filter(riders.signed_up_at <= now).select("rider_id")
    for part in (rode, paid, held):
        rows = rows.left_join(part, "rider_id").drop("rider_id_right")
    counts = ("trips_before", "trips_next", "packages", "cancellations")
    money = ("trip_spend_next", "package_spend_next")
    rows = rows.mutate(
        **{name: rows[name].fill_null(0) for name in counts},
        **{name: rows[name].fill_null(0.0) for name in money},
    )
    if not everybody:
        rows = rows.filter((rows.trips_before > 0) | (rows.packages > 0))
    left = rows.cancellations > 0
    return rows.select(
        "rider_id",
        "trips_next",
        at=now,
        spend_next=rows.trip_spend_next + rows.package_spend_next,
        cancelled=left,
        churned=left | (rows.trips_next == 0),
    )
