"""Where vehicles stood free, hour by hour: the exposure that a rate of trips is divided by."""

from __future__ import annotations

from typing import Any

import ibis

from fleetdesk.features.calendar import hours_between
from fleetdesk.features.cycles import SWAP_JUMP_PCT
from fleetdesk.model.mds import VehicleState

_RENTED = [VehicleState.ON_TRIP.value, VehicleState.RESERVED.value]


def exposure(timeline: Any, calendar: Any) -> Any:
    """One row per stay of a free vehicle and UTC hour that it reaches into.

    Takes features.cycles.timeline and features.calendar. Columns: vehicle_id, cycle_no, hour_at,
    local_hour, is_weekend, cell (geohash 7), battery_pct (last known, or null), since_h and until_h
    (hours into the hour), available_h (their difference), taken (1 when a rider took it at the end
    of the row, else 0). Only the state `available` counts: a reserved or ridden vehicle can be
    taken by nobody. Where the charge rose by a swap during the stay, which no event tells of, the
    stay is halved: the hour around its middle has no known charge.
    """
    in_order = ibis.window(group_by="vehicle_id", order_by=["event_at", "event_id"])
    next_state = timeline.vehicle_state.lead().over(in_order).fill_null("")
    after_pct = timeline.battery_pct.lead().over(in_order)
    rise = after_pct - timeline.known_battery_pct
    stays = timeline.mutate(
        rented=next_state.isin(_RENTED),
        swapped_to_pct=(rise >= SWAP_JUMP_PCT).ifelse(after_pct, None),
    )
    stays = stays.filter(
        (stays.vehicle_state == VehicleState.AVAILABLE.value) & (stays.next_at > stays.event_at)
    )
    stays = stays.select(
        "vehicle_id",
        "cycle_no",
        "cell",
        "next_at",
        "rented",
        "swapped_to_pct",
        battery_pct=stays.known_battery_pct,
        since_at=stays.event_at,
        first_hour_at=stays.event_at.truncate("h"),
    )
    rows = stays.join(
        calendar,
        [calendar.hour_at >= stays.first_hour_at, calendar.hour_at < stays.next_at],
    )
    begun_h, over_h = (hours_between(at, rows.hour_at) for at in (rows.since_at, rows.next_at))
    since, until = ibis.greatest(begun_h, 0.0), ibis.least(over_h, 1.0)
    middle_h = (begun_h + over_h) / 2
    charge = ibis.cases(
        (rows.swapped_to_pct.isnull() | (until <= middle_h), rows.battery_pct),
        (since >= middle_h, rows.swapped_to_pct),
    )
    return rows.select(
        "vehicle_id",
        "cycle_no",
        "hour_at",
        "local_hour",
        "is_weekend",
        "cell",
        battery_pct=charge,
        since_h=since,
        until_h=until,
        available_h=until - since,
        taken=(rows.rented & (over_h <= 1.0)).ifelse(1, 0),
    )
