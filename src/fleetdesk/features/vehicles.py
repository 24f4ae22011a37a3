"""Each vehicle as it stands at one moment."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import ibis

from fleetdesk.features.calendar import hours_between, moment
from fleetdesk.features.nullable import nullable
from fleetdesk.features.phases import phase


def vehicles_now(events: Any, telemetry: Any, sightings: Any, trips: Any, as_of: datetime) -> Any:
    """One row per vehicle known from EVENTS, as last seen at or before `as_of` (UTC-aware).

    Position and battery are the latest of event, ping and sighting; the state is the last event's.
    Columns: vehicle_id, lat, lon, battery_pct, vehicle_state, event_types, phase, state_since_at,
    last_seen_at, last_trip_at, idle_h (at least since its
    first event where no trip is known).
    """
    now = moment(as_of)
    events = events.filter(events.event_at <= now)
    telemetry = telemetry.filter(telemetry.recorded_at <= now)
    sightings = sightings.filter(sightings.seen_at <= now)
    last_event = _last(events)
    state = last_event.select(
        "vehicle_id",
        "vehicle_state",
        "event_types",
        state_since_at=last_event.event_at,
        phase=phase(last_event.vehicle_state, last_event.event_types),
    )
    last_charge = _last(events.filter(events.battery_pct.notnull()))
    pinged, seen = _newest(telemetry, "recorded_at"), _newest(sightings, "seen_at")
    places = _stacked(
        _place(last_event, "event_at", 1),
        _place(pinged, "recorded_at", 2),
        _place(seen, "seen_at", 3),
    )
    charges = _stacked(
        _charge(last_charge, "event_at", 1),
        _charge(pinged.filter(pinged.charged_at.notnull()), "charged_at", 2),
        _charge(seen.filter(seen.charged_at.notnull()), "charged_at", 3),
    )
    place = _first_of(places, [places.at.desc(), places.source])
    charge = _first_of(charges, [charges.at.desc(), charges.source])
    ended = trips.filter(trips.ended_at <= now)
    ridden = ended.group_by("vehicle_id").agg(last_trip_at=ended.ended_at.max())
    known = events.group_by("vehicle_id").agg(first_event_at=events.event_at.min())
    rows = state.inner_join(
        place.select("vehicle_id", "lat", "lon", last_seen_at=place.at), "vehicle_id"
    )
    rows = rows.left_join(charge.select("vehicle_id", "battery_pct"), "vehicle_id")
    rows = rows.drop("vehicle_id_right").left_join(ridden, "vehicle_id").drop("vehicle_id_right")
    rows = rows.left_join(known, "vehicle_id").drop("vehicle_id_right")
    # One that was never ridden has been idle at least for as long as it is known.
    idle_since = rows.last_trip_at.coalesce(rows.first_event_at)
    return rows.mutate(idle_h=hours_between(now, idle_since)).drop("first_event_at")


def _stacked(*tables: Any) -> Any:
    return ibis.union(*(nullable(table) for table in tables))


def _newest(table: Any, when: str) -> Any:
    """Each vehicle's newest position and charge by one aggregate: ranking millions would sort them.

    A vehicle has one row per moment in these tables, so the newest is a single row.
    """
    at, charged = table[when], table.battery_pct.notnull()
    return table.group_by("vehicle_id").agg(
        lat=table.lat.argmax(at),
        lon=table.lon.argmax(at),
        battery_pct=table.battery_pct.argmax(at, where=charged),
        charged_at=at.max(where=charged),
        **{when: at.max()},
    )


def _place(table: Any, when: str, source: int) -> Any:
    return table.select("vehicle_id", "lat", "lon", at=table[when], source=ibis.literal(source))


def _charge(table: Any, when: str, source: int) -> Any:
    return table.select("vehicle_id", "battery_pct", at=table[when], source=ibis.literal(source))


def _last(events: Any) -> Any:
    """Each vehicle's last event: only those of its last moment are ranked."""
    ends = events.group_by("vehicle_id").agg(end_at=events.event_at.max())
    last = events.semi_join(
        ends, [events.vehicle_id == ends.vehicle_id, events.event_at == ends.end_at]
    )
    return _first_of(last, [last.event_at.desc(), last.event_id.desc()])


def _first_of(table: Any, order: list[Any]) -> Any:
    """Each vehicle's first row in this order."""
    ranked = table.mutate(
        rank=ibis.row_number().over(ibis.window(group_by="vehicle_id", order_by=order))
    )
    return ranked.filter(ranked["rank"] == 0).drop("rank")
