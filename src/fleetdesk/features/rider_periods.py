"""What each rider rode and paid in each of the last periods; the grain is one rider and period."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from fleetdesk.features.calendar import hours_between, moment
from fleetdesk.features.trips import countable


def rider_periods(trips: Any, as_of: datetime, days: int, periods: int) -> Any:
    """One row per rider and period with a trip; period 0 is the last `days` days before `as_of`.

    Takes priced TRIPS (features.trips). Columns: rider_id, period, km, trips, revenue (gross).
    """
    trips = countable(trips)
    since = as_of - timedelta(days=days * periods)
    trips = trips.filter(
        trips.rider_id.notnull()
        & (trips.started_at > moment(since))
        & (trips.started_at <= moment(as_of))
        & (trips.ended_at <= moment(as_of))
    )
    ago_h = hours_between(moment(as_of), trips.started_at)
    trips = trips.mutate(period=(ago_h / (24.0 * days)).floor().cast("int64"))
    return trips.group_by(["rider_id", "period"]).agg(
        km=(trips.distance_m / 1000.0).sum(), trips=trips.count(), revenue=trips.revenue.sum()
    )
