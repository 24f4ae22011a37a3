"""Package months as sales, and the situation that dynamic prices look at; loads pandas."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd

from fleetdesk.features.calendar import moment
from fleetdesk.features.rider_periods import rider_periods
from fleetdesk.features.trips import priced
from fleetdesk.settings.schema import Settings
from fleetdesk.workflows.known import Known
from fleetdesk.workflows.rider_data import first_trip, frame

_DEMAND_DAYS = 28


def package_months(record: Known) -> pd.DataFrame:
    """One row per package and month that is over: the price most riders paid, and how many did.

    Columns: package, month, price, quantity. Payments are joined to the stay they fell due in.
    """
    tables, now = record.tables, moment(record.moment.as_of)
    stays = tables["subscriptions"].select(
        "package", "started_at", "ended_at", of=tables["subscriptions"].rider_id
    )
    due = tables["payments"]
    due = due.filter((due.payment_kind == "package") & (due.due_at <= now) & (due.amount > 0))
    paid = due.join(
        stays,
        [
            due.rider_id == stays.of,
            due.due_at >= stays.started_at,
        ],
    )
    paid = paid.filter(paid.ended_at.isnull() | (paid.due_at < paid.ended_at))
    rows = frame(paid.select("package", "rider_id", "amount", month=paid.due_at.truncate("M")))
    if rows.empty:
        return pd.DataFrame({"package": [], "month": [], "price": [], "quantity": []})
    months = rows.groupby(["package", "month"]).agg(
        price=("amount", "median"), quantity=("rider_id", "nunique")
    ).reset_index()  # fmt: skip
    this_month = pd.Timestamp(record.moment.as_of.replace(tzinfo=None)).to_period("M").start_time
    return months[months["month"] < this_month].reset_index(drop=True)


def demand_pct(record: Known, settings: Settings) -> float | None:
    """Trips of the last 28 days, in percent of the busiest 28 days known; None below 56 days."""
    first, as_of = first_trip(record.tables), record.moment.as_of
    periods = int((as_of - first) / timedelta(days=_DEMAND_DAYS)) if first else 0
    if periods < 2:
        return None
    trips = priced(record.tables["trips"], settings.costs)
    sums = rider_periods(trips, as_of, _DEMAND_DAYS, periods)
    rows = frame(sums.group_by("period").agg(trips=sums.trips.sum()))
    most = float(rows["trips"].max()) if len(rows) else 0.0
    last = float(rows.loc[rows["period"] == 0, "trips"].sum())
    return 100.0 * last / most if most else None
