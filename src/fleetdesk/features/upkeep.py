"""What each vehicle has done since its last service, and what riders complain about."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import ibis

from fleetdesk.features.calendar import hours_between, moment
from fleetdesk.features.nullable import nullable
from fleetdesk.features.phases import has
from fleetdesk.model.mds import EventType, VehicleState

SERVICES = ("inspect", "maintenance", "repair", "service")
"""Kinds of a crew's task that count as a service."""
DRIFT_HDOP = 5.0
"""Pings less sure of their place than this do not say that a vehicle moved."""


def upkeep(
    events: Any, trips: Any, telemetry: Any, service_tasks: Any, complaints: Any, as_of: datetime
) -> Any:
    """One row per vehicle known from EVENTS at or before `as_of` (UTC-aware).

    Columns: vehicle_id; days_since_service, km, rides and ridden_h since its last service, or since
    its first event where none is known; open_complaints; left_lat and left_lon, where its last
    event left it; ping_lat and ping_lon, where a later ping found it (null without one).
    """
    now = moment(as_of)
    events = events.filter(events.event_at <= now)
    known = _known(events)
    serviced = _services(events, service_tasks, now)
    rows = known.left_join(serviced, "vehicle_id").drop("vehicle_id_right")
    rows = rows.mutate(since_at=rows.service_at.coalesce(rows.first_at))
    ridden = _ridden(trips, rows.select("vehicle_id", "since_at"), now)
    rows = rows.left_join(ridden, "vehicle_id").drop("vehicle_id_right")
    rows = rows.left_join(_open(complaints, now), "vehicle_id").drop("vehicle_id_right")
    found = _found(telemetry, rows.select("vehicle_id", "last_at"), now)
    rows = rows.left_join(found, "vehicle_id").drop("vehicle_id_right")
    return rows.select(
        "vehicle_id",
        "left_lat",
        "left_lon",
        "ping_lat",
        "ping_lon",
        days_since_service=hours_between(now, rows.since_at) / 24.0,
        km=rows.km.coalesce(0.0),
        rides=rows.rides.coalesce(0),
        ridden_h=rows.ridden_h.coalesce(0.0),
        open_complaints=rows.complaints.coalesce(0),
    )


def _known(events: Any) -> Any:
    """When each vehicle was first and last heard of, and where the last event left it."""
    span = events.group_by("vehicle_id").agg(
        first_at=events.event_at.min(), last_at=events.event_at.max()
    )
    ends = events.select("vehicle_id", "event_at", "event_id", "lat", "lon").inner_join(
        span, "vehicle_id"
    )
    ends = ends.filter(ends.event_at == ends.last_at)
    # Of events of one moment the last by id counts, as in features.vehicles.
    return ends.group_by("vehicle_id").agg(
        first_at=ends.first_at.min(),
        last_at=ends.last_at.max(),
        left_lat=ends.lat.argmax(ends.event_id),
        left_lon=ends.lon.argmax(ends.event_id),
    )


def _services(events: Any, service_tasks: Any, now: Any) -> Any:
    """Each vehicle's last service: by a crew's record, or by MDS events that say one was done."""
    done = service_tasks.filter(
        (service_tasks.completed_at <= now) & service_tasks.task_kind.isin(SERVICES)
    )
    back = has(events.event_types, EventType.MAINTENANCE) & (
        events.vehicle_state == VehicleState.AVAILABLE.value
    )
    told = events.filter(back | has(events.event_types, EventType.MAINTENANCE_PICK_UP))
    services = ibis.union(
        nullable(done.select("vehicle_id", at=done.completed_at)),
        nullable(told.select("vehicle_id", at=told.event_at)),
    )
    return services.group_by("vehicle_id").agg(service_at=services["at"].max())


def _ridden(trips: Any, since: Any, now: Any) -> Any:
    ended = trips.filter((trips.ended_at <= now) & trips.vehicle_id.notnull())
    rides = ended.select("vehicle_id", "started_at", "distance_m", "duration_s").inner_join(
        since, "vehicle_id"
    )
    rides = rides.filter(rides.started_at >= rides.since_at)
    return rides.group_by("vehicle_id").agg(
        km=rides.distance_m.sum() / 1000.0,
        rides=rides.count(),
        ridden_h=rides.duration_s.sum() / 3600.0,
    )


def _open(complaints: Any, now: Any) -> Any:
    filed = complaints.filter(
        complaints.vehicle_id.notnull()
        & (complaints.filed_at <= now)
        & (complaints.resolved_at.isnull() | (complaints.resolved_at > now))
    )
    return filed.group_by("vehicle_id").agg(complaints=filed.count())


def _found(telemetry: Any, last: Any, now: Any) -> Any:
    """Each vehicle's newest ping after its last event."""
    sure = telemetry.hdop.isnull() | (telemetry.hdop <= DRIFT_HDOP)
    pings = telemetry.filter((telemetry.recorded_at <= now) & sure)
    pings = pings.select("vehicle_id", "recorded_at", "lat", "lon").inner_join(last, "vehicle_id")
    later = pings.filter(pings.recorded_at > pings.last_at)
    return later.group_by("vehicle_id").agg(
        ping_lat=later.lat.argmax(later.recorded_at), ping_lon=later.lon.argmax(later.recorded_at)
    )
