"""Where trips go: each trip with its cycle, the hour it starts in, its two cells and its use."""

from __future__ import annotations

from typing import Any

import ibis

from fleetdesk.features.calendar import hours_between


def flows(trips: Any, timeline: Any, calendar: Any) -> Any:
    """One row per trip between known cells that starts within the calendar and within a cycle.

    Takes priced TRIPS, features.cycles.timeline and features.calendar. Columns: vehicle_id,
    cycle_no, started_at, hour_at, local_hour, is_weekend, start_cell, end_cell, battery_pct at the
    start (or null), used_pct and the left_pct at the end (null where not known or where the charge
    rose: a rider swapped), revenue, net_revenue, ridden_h.
    """
    starts = timeline.filter(timeline.is_start)
    in_order = ibis.window(group_by="vehicle_id", order_by="cycle_no")
    spans = starts.select(
        "cycle_no",
        rider_of=starts.vehicle_id,
        from_at=starts.event_at,
        until_at=starts.event_at.lead().over(in_order),
    )
    known = trips.filter(trips.start_cell.notnull() & trips.end_cell.notnull())
    keyed = known.mutate(
        hour_at=known.started_at.truncate("h"),
        drop=known.start_battery_pct - known.end_battery_pct,
        ridden_h=hours_between(known.ended_at, known.started_at),
    )
    rows = keyed.inner_join(calendar, "hour_at")
    rows = rows.inner_join(
        spans,
        [
            rows.vehicle_id == spans.rider_of,
            rows.started_at >= spans.from_at,
            (rows.started_at < spans.until_at) | spans.until_at.isnull(),
        ],
    )
    return rows.select(
        "vehicle_id",
        "cycle_no",
        "started_at",
        "hour_at",
        "local_hour",
        "is_weekend",
        "start_cell",
        "end_cell",
        "revenue",
        "net_revenue",
        "ridden_h",
        battery_pct=rows.start_battery_pct,
        used_pct=(rows["drop"] >= 0).ifelse(rows["drop"], None),
        left_pct=(rows["drop"] >= 0).ifelse(rows.end_battery_pct, None),
    )
