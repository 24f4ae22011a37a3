"""Hourly snapshots: where each rentable vehicle stood at each full hour, and what came after."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import ibis

from fleetdesk.features.calendar import hours_between, moment
from fleetdesk.features.cycles import SWAP_JUMP_PCT, cycles, timeline
from fleetdesk.features.nullable import nullable
from fleetdesk.model.mds import Phase


def cell_hours(
    events: Any,
    trips: Any,
    calendar: Any,
    data_end: datetime,
    *,
    swap_jump_pct: float = SWAP_JUMP_PCT,
) -> Any:
    """One row per vehicle and UTC hour at whose start it was operational.

    Takes EVENTS, priced TRIPS and features.calendar. Columns: vehicle_id, cycle_no, hour_at,
    local_hour, local_weekday, local_date, cell (geohash 7), battery_pct (last known, or null),
    hours_to_end, trips_to_end, revenue_to_end, net_revenue_to_end, event_observed. "End" is that of
    the cycle's row, so censored rows count up to where the view was lost.
    """
    stays = _stays(timeline(events, data_end, swap_jump_pct=swap_jump_pct))
    at_hour = stays.join(
        calendar, [calendar.hour_at >= stays.since_at, calendar.hour_at < stays.next_at]
    )
    ledger = cycles(events, trips, data_end, swap_jump_pct=swap_jump_pct)
    ends = ledger.select("vehicle_id", "cycle_no", "started_at", "ended_at", "event_observed")
    snapshots = at_hour.inner_join(ends, ["vehicle_id", "cycle_no"])
    snapshots = snapshots.select(
        "vehicle_id",
        "cycle_no",
        "hour_at",
        "local_hour",
        "local_weekday",
        "local_date",
        "cell",
        "battery_pct",
        "event_observed",
        hours_to_end=hours_between(snapshots.ended_at, snapshots.hour_at),
    )
    return snapshots.inner_join(
        _earned_later(snapshots, ends, trips, data_end), ["vehicle_id", "cycle_no", "hour_at"]
    )


def _stays(events: Any) -> Any:
    """The operational intervals between events that hold a full hour; the rest shows in none."""
    kept = events.filter(events.phase == Phase.OPERATIONAL.value)
    kept = kept.mutate(
        battery_pct=kept.known_battery_pct,
        last_hour_at=kept.next_at.truncate("h"),
    )
    # An interval that ends exactly on the hour does not hold that hour, hence the second part.
    kept = kept.filter(
        (kept.last_hour_at >= kept.event_at) & (kept.event_at < kept.next_at),
    )
    return kept.select(
        "vehicle_id", "cycle_no", "cell", "battery_pct", "next_at", since_at=kept.event_at
    )


def _earned_later(snapshots: Any, ends: Any, trips: Any, data_end: datetime) -> Any:
    """What each cycle earned from each snapshot on: a running sum backwards from its end."""
    done = trips.filter(trips.ended_at <= moment(data_end))
    done = done.select("revenue", "net_revenue", rider_of=done.vehicle_id, hour_at=done.started_at)
    earned = ends.join(
        done,
        [
            ends.vehicle_id == done.rider_of,
            done.hour_at >= ends.started_at,
            done.hour_at < ends.ended_at,
        ],
    )
    earned = earned.select(
        "vehicle_id",
        "cycle_no",
        "hour_at",
        "revenue",
        "net_revenue",
        trip=ibis.literal(1, "int64"),
    )
    marks = snapshots.select(
        "vehicle_id",
        "cycle_no",
        "hour_at",
        revenue=ibis.literal(0.0),
        net_revenue=ibis.literal(0.0),
        trip=ibis.literal(0, "int64"),
    )
    both = ibis.union(nullable(earned), nullable(marks))
    # A trip that starts on the hour is still ahead of that hour's snapshot, so it comes first.
    backwards = ibis.cumulative_window(
        group_by=["vehicle_id", "cycle_no"],
        order_by=[both.hour_at.desc(), both.trip.desc()],
    )
    summed = both.mutate(
        revenue_to_end=both.revenue.sum().over(backwards),
        net_revenue_to_end=both.net_revenue.sum().over(backwards),
        trips_to_end=both.trip.sum().over(backwards),
    )
    return summed.filter(summed.trip == 0).select(
        "vehicle_id",
        "cycle_no",
        "hour_at",
        "revenue_to_end",
        "net_revenue_to_end",
        "trips_to_end",
    )
