"""Each vehicle as it stands at one moment."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import ibis

from fleetdesk.features.calendar import hours_between, moment
from fleetdesk.features.phases import phase


def vehicles_now(events: Any, telemetry: Any, sightings: Any, trips: Any, as_of: datetime) -> Any:
    """One row per vehicle known from EVENTS, as last seen before `as_of` (UTC-aware).

    Position and battery are the latest of event, ping and sighting; the state is the last event's.
    Columns: vehicle_id, lat, lon, cell, battery_pct, vehicle_state, event_types, phase,
    state_since_at, last_seen_at, last_trip_at, idle_h. `cell` is the last event's or sighting's, so
    a ping in a new cell leaves it; cut it anew from lat and lon where that matters.
    """
    now = moment(as_of)
    events = events.filter(events.event_at <= now)
    telemetry = telemetry.filter(telemetry.recorded_at <= now)
    sightings = sightings.filter(sightings.seen_at <= now)
    state = _last(events, ["event_at", "event_id"]).select(
        "vehicle_id", "vehicle_state", "event_types", "cell", state_since_at=ibis._.event_at
    )
    state = state.mutate(phase=phase(state.vehicle_state, state.event_types))
    seen = ibis.union(
        _fixes(events, "event_at"), _fixes(telemetry, "recorded_at"), _fixes(sightings, "seen_at")
    )
    place = _latest(seen.filter(seen.lat.notnull() & seen.lon.notnull()), ["lat", "lon"]).select(
        "vehicle_id", "lat", "lon", last_seen_at=ibis._.at
    )
    charge = _latest(seen.filter(seen.battery_pct.notnull()), ["battery_pct"]).select(
        "vehicle_id", "battery_pct"
    )
    ended = trips.filter(trips.ended_at <= now)
    ridden = ended.group_by("vehicle_id").agg(last_trip_at=ended.ended_at.max())
    rows = state.inner_join(place, "vehicle_id")
    rows = rows.left_join(charge, "vehicle_id").drop("vehicle_id_right")
    rows = rows.left_join(ridden, "vehicle_id").drop("vehicle_id_right")
    return rows.mutate(idle_h=hours_between(now, rows.last_trip_at))


def _fixes(table: Any, when: str) -> Any:
    return table.select("vehicle_id", "lat", "lon", "battery_pct", at=table[when])


def _last(table: Any, order: list[str]) -> Any:
    """Each vehicle's last row in this order."""
    newest = ibis.window(group_by="vehicle_id", order_by=[table[column].desc() for column in order])
    ranked = table.mutate(rank=ibis.row_number().over(newest))
    return ranked.filter(ranked["rank"] == 0).drop("rank")


def _latest(seen: Any, ties: list[str]) -> Any:
    """Each vehicle's latest fix; of several at one moment the one with the greatest `ties`.

    The latest moment comes from an aggregate before rows are ranked, because ranking millions of
    pings would sort them all.
    """
    newest = seen.group_by("vehicle_id").agg(latest_at=seen.at.max())
    last = seen.inner_join(newest, "vehicle_id")
    return _last(last.filter(last.at == last.latest_at), ties)
