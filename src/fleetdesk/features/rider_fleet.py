"""What riders' features need of the vehicles they rode: one row per vehicle at a moment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import ibis

from fleetdesk.features.calendar import hours_between, moment
from fleetdesk.features.phases import phase
from fleetdesk.model.mds import Phase

_DAYS = 90


def vehicle_facts(tables: Mapping[str, Any], at: datetime) -> Any:
    """Range, capacity, health and uptime of each vehicle over the 90 days before `at`.

    Health is the range that trips' use of charge tells of, against the range when new. Uptime is
    the share of the hours in sight in which it could be rented. Columns: vehicle_id, full_range_m,
    battery_capacity_wh, battery_health_pct, uptime_pct; what is not told is missing.
    """
    vehicles = tables["vehicles"]
    known = vehicles.select("vehicle_id", "full_range_m", "battery_capacity_wh")
    used, up = _used(tables["trips"], at), _up(tables["events"], at)
    rows = known.left_join(used, "vehicle_id").drop("vehicle_id_right")
    rows = rows.left_join(up, "vehicle_id").drop("vehicle_id_right")
    new_m = rows.full_range_m.nullif(0.0)
    return rows.select(
        "vehicle_id",
        "full_range_m",
        "battery_capacity_wh",
        "uptime_pct",
        battery_health_pct=rows.m_per_pct * 100.0 / new_m * 100.0,
    )


def _used(trips: Any, at: datetime) -> Any:
    """Metres per percent of charge, over trips that say what they used."""
    drop = trips.start_battery_pct - trips.end_battery_pct
    done = trips.filter((trips.ended_at <= moment(at)) & (trips.started_at > _start(at)))
    done = done.mutate(drop_pct=drop).filter(drop > 0)
    sums = done.group_by("vehicle_id").agg(
        driven_m=done.distance_m.sum(), dropped_pct=done.drop_pct.sum()
    )
    sums = sums.filter(sums.vehicle_id.notnull())
    return sums.select("vehicle_id", m_per_pct=sums.driven_m / sums.dropped_pct)


def _up(events: Any, at: datetime) -> Any:
    """Share of hours in an operational state, of the hours in which the vehicle was in sight."""
    told = events.filter((events.event_at <= moment(at)) & (events.event_at > _start(at)))
    told = told.mutate(phase=phase(told.vehicle_state, told.event_types))
    in_order = ibis.window(group_by="vehicle_id", order_by=["event_at", "event_id"])
    until = told.event_at.lead().over(in_order).coalesce(moment(at))
    told = told.mutate(lasts_h=hours_between(until, told.event_at))
    in_sight = told.phase != Phase.CENSORED.value
    sums = told.group_by("vehicle_id").agg(
        up_h=told.lasts_h.sum(where=told.phase == Phase.OPERATIONAL.value),
        seen_h=told.lasts_h.sum(where=in_sight),
    )
    up = sums.up_h.fill_null(0.0) / sums.seen_h.nullif(0.0) * 100.0
    return sums.select("vehicle_id", uptime_pct=up)


def _start(at: datetime) -> Any:
    return moment(at - timedelta(days=_DAYS))
