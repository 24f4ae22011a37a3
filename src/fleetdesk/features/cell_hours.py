"""Hourly snapshots: where each rentable vehicle stood at each full hour, and what came after."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import ibis

from fleetdesk.features.calendar import hours_between
from fleetdesk.features.cycles import spans, within
from fleetdesk.features.nullable import nullable
from fleetdesk.model.mds import Phase

_EPOCH = ibis.timestamp("1970-01-01")
_HOUR_US = 3_600_000_000


def cell_hours(timeline: Any, trips: Any, calendar: Any, data_end: datetime) -> Any:
    """One row per vehicle and UTC hour at whose start it was operational.

    Takes features.cycles.timeline, priced TRIPS and features.calendar. Columns: vehicle_id,
    cycle_no, hour_at, local_hour, local_weekday, local_date, cell (geohash 7), battery_pct (last
    known, or null), hours_to_end, trips_to_end, revenue_to_end, net_revenue_to_end, event_observed.
    "End" is that of the cycle's row, so censored rows count up to where the view was lost.
    """
    ends = spans(timeline, data_end)
    earned = _earned_later(_marks(timeline, calendar), within(ends, trips, data_end))
    rows = earned.inner_join(calendar, "hour_at").inner_join(ends, ["vehicle_id", "cycle_no"])
    return rows.select(
        "vehicle_id",
        "cycle_no",
        "hour_at",
        "local_hour",
        "local_weekday",
        "local_date",
        "cell",
        "battery_pct",
        "event_observed",
        "revenue_to_end",
        "net_revenue_to_end",
        "trips_to_end",
        hours_to_end=hours_between(rows.ended_at, rows.hour_at),
    )


def _marks(told: Any, calendar: Any) -> Any:
    """Each full hour of the calendar that an operational stay between two events holds."""
    stays = told.filter((told.phase == Phase.OPERATIONAL.value) & (told.cycle_no > 0))
    # Hours are numbered: to compare each stay with each hour would take their product.
    stays = stays.select(
        "vehicle_id",
        "cycle_no",
        "cell",
        battery_pct=stays.known_battery_pct,
        number=ibis.range(_hours_before(stays.event_at), _hours_before(stays.next_at)).unnest(),
    )
    hours = calendar.select("hour_at", number=_hours_before(calendar.hour_at))
    return stays.inner_join(hours, "number").drop("number")


def _hours_before(when: Any) -> Any:
    """How many full hours since 1970 came before a moment: the number of the first one not to."""
    return -(-when.delta(_EPOCH, unit="microsecond") // _HOUR_US)


def _earned_later(marks: Any, trips: Any) -> Any:
    """What each cycle earned from each mark on: a running sum backwards from its end."""
    trips = trips.select(
        "vehicle_id",
        "cycle_no",
        "revenue",
        "net_revenue",
        hour_at=trips.started_at,
        cell=ibis.null("string"),
        battery_pct=ibis.null("float64"),
        trip=ibis.literal(1, "int64"),
    )
    marks = marks.select(
        "vehicle_id",
        "cycle_no",
        "hour_at",
        "cell",
        "battery_pct",
        revenue=ibis.literal(0.0),
        net_revenue=ibis.literal(0.0),
        trip=ibis.literal(0, "int64"),
    )
    both = ibis.union(nullable(trips), nullable(marks.select(trips.columns)))
    # A trip that starts on the hour is still ahead of that hour's mark, so it comes first.
    backwards = ibis.cumulative_window(
        group_by=["vehicle_id", "cycle_no"],
        order_by=[both.hour_at.desc(), both.trip.desc()],
    )
    summed = both.mutate(
        revenue_to_end=both.revenue.sum().over(backwards),
        net_revenue_to_end=both.net_revenue.sum().over(backwards),
        trips_to_end=both.trip.sum().over(backwards),
    )
    return summed.filter(summed.trip == 0).drop("trip", "revenue", "net_revenue")
