"""Rows that cannot be true, as expressions: which they are, and the tables without them.

A row's own columns tell most faults. Duplicates and overlaps take the vehicle's other rows; they
are only looked for among rows that have no fault of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import cos, radians
from typing import Any

import ibis

from fleetdesk.features.calendar import moment
from fleetdesk.features.inferred import carried
from fleetdesk.features.membership import not_among
from fleetdesk.model.mds import OPERATIONAL_STATES
from fleetdesk.model.places import Point

FAR_KM = 50.0
"""A position farther than this north, south, east or west of the city's middle is not in it."""
LONGEST_TRIP_H = 24.0
CLOCK_APART_H = 1.0
"""A trip whose ridden time and clock times differ by more had its clock set meanwhile."""
OVERLAP_S = 60.0
"""Two trips of a vehicle may overlap by this: clocks of phone and vehicle differ."""
_KM_PER_DEGREE = 111.2


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where and when records can be true: the city's middle, and the times (UTC-aware) between.

    A middle of None says that no position is known, and none is then too far.
    """

    middle: Point | None
    first: datetime
    last: datetime


OFF_CITY = f"position more than {FAR_KM:g} km from the city, or missing (0, 0)"
OFF_CLOCK = "time far from all other records: a clock that was not set"
BATTERY = "battery below 0 or above 100 %"
DUPLICATE = "the same event again under another id"
UNKNOWN_VEHICLE = "trip of a vehicle that no other record knows"
OVERLAP = "trip that starts while the same vehicle's trip before still runs"


def event_faults(events: Any, bounds: Bounds) -> Mapping[str, Any]:
    """The faults that an event's own columns tell, as conditions that leave it out."""
    return {
        OFF_CLOCK: _off_clock(events.event_at, bounds),
        OFF_CITY: _off_city(events.lat, events.lon, bounds) & _in_service(events),
    }


def lost(events: Any, bounds: Bounds) -> Any:
    """Whether an event of a vehicle out of service has no position in the city."""
    return _off_city(events.lat, events.lon, bounds) & ~_in_service(events)


def repositioned(events: Any, bounds: Bounds) -> Any:
    """The events, those that are `lost` at the last place where their vehicle was seen before.

    One without such a place is left out.
    """
    away = lost(events, bounds)
    columns = events.columns
    known = events.mutate(
        **{name: away.ifelse(None, events[name]) for name in ("lat", "lon", "cell")}
    )
    for name in ("lat", "lon", "cell"):
        known = carried(known, name, ["event_at", "event_id"])
    return known.filter(known.lat.notnull()).select(*columns)


def trip_faults(trips: Any, bounds: Bounds) -> Mapping[str, Any]:
    """The faults that a trip's own columns tell, as conditions that leave it out."""
    lasts_s = trips.ended_at.delta(trips.started_at, unit="microsecond") / 1e6
    return {
        OFF_CLOCK: _off_clock(trips.started_at, bounds) | _off_clock(trips.ended_at, bounds),
        "trip that ends before it starts": lasts_s < 0,
        "negative distance or ridden time": (trips.distance_m < 0) | (trips.duration_s < 0),
        "negative revenue": trips.revenue < 0,
        f"trip longer than {LONGEST_TRIP_H:g} h": lasts_s > LONGEST_TRIP_H * 3600,
        f"ridden time and clock more than {CLOCK_APART_H:g} h apart: the clock jumped": (
            (trips.duration_s > 0) & ((lasts_s - trips.duration_s).abs() > CLOCK_APART_H * 3600)
        ),
        OFF_CITY: _off_city(trips.start_lat, trips.start_lon, bounds)
        | _off_city(trips.end_lat, trips.end_lon, bounds),
    }


def ping_faults(rows: Any, when: str, bounds: Bounds) -> Mapping[str, Any]:
    """The same for pings and sightings, whose time is in the column `when`."""
    return {
        OFF_CLOCK: _off_clock(rows[when], bounds),
        OFF_CITY: _off_city(rows.lat, rows.lon, bounds),
    }


def sound(rows: Any, faults: Mapping[str, Any]) -> Any:
    """The rows without any of the faults."""
    broken = ibis.literal(False)
    for condition in faults.values():
        broken = broken | condition.fill_null(False)
    return rows.filter(~broken)


def blanked(rows: Any, *columns: str) -> Any:
    """The rows with batteries outside 0 to 100 % taken for unknown."""
    return rows.mutate(**{
        name: rows[name].between(0.0, 100.0).ifelse(rows[name], ibis.null("float64"))
        for name in columns
    })  # fmt: skip


def impossible(rows: Any, *columns: str) -> Any:
    """Whether one of these batteries is outside 0 to 100 %."""
    found = ibis.literal(False)
    for name in columns:
        found = found | (~rows[name].between(0.0, 100.0)).fill_null(False)
    return found


def repeats(events: Any) -> Any:
    """Events that say what another of the same vehicle and moment says; the first id stays."""
    said = ["vehicle_id", "event_at", "vehicle_state", "event_types"]
    place = ibis.row_number().over(ibis.window(group_by=said, order_by="event_id"))
    numbered = events.mutate(place=place)
    return numbered.filter(numbered.place > 0).drop("place")


def chains(trips: Any) -> Any:
    """Trips of one vehicle of which each starts before one of those before it has ended.

    Columns: trip_id, vehicle_id, chain_no, started_at, ended_at. Trips apart from all others are
    left out.
    """
    known = trips.filter(trips.vehicle_id.notnull())
    known = known.select("trip_id", "vehicle_id", "started_at", "ended_at")
    order = ["started_at", "ended_at", "trip_id"]
    so_far = ibis.cumulative_window(group_by="vehicle_id", order_by=order)
    in_order = ibis.window(group_by="vehicle_id", order_by=order)
    known = known.mutate(reach=known.ended_at.max().over(so_far))
    known = known.mutate(reached=known.reach.lag().over(in_order))
    late_us = known.reached.delta(known.started_at, unit="microsecond")
    known = known.mutate(begins=(late_us > OVERLAP_S * 1e6).fill_null(False).ifelse(0, 1))
    known = known.mutate(chain_no=known.begins.sum().over(so_far))
    together = ibis.window(group_by=["vehicle_id", "chain_no"])
    known = known.mutate(length=known.trip_id.count().over(together))
    return known.filter(known.length > 1).drop("reach", "reached", "begins", "length")


def strangers(trips: Any, vehicles: Any) -> Any:
    """Trips of vehicles that are not among `vehicles` (one column: vehicle_id)."""
    return not_among(trips.filter(trips.vehicle_id.notnull()), vehicles, "vehicle_id")


def _in_service(events: Any) -> Any:
    return events.vehicle_state.isin(sorted(state.value for state in OPERATIONAL_STATES))


def _off_clock(when: Any, bounds: Bounds) -> Any:
    return (when < moment(bounds.first)) | (when > moment(bounds.last))


def _off_city(lat: Any, lon: Any, bounds: Bounds) -> Any:
    nowhere = (lat.abs() < 0.01) & (lon.abs() < 0.01)
    if bounds.middle is None:
        return nowhere
    north = FAR_KM / _KM_PER_DEGREE
    east = north / max(cos(radians(bounds.middle.lat)), 0.01)
    return (
        nowhere
        | ((lat - bounds.middle.lat).abs() > north)
        | ((lon - bounds.middle.lon).abs() > east)
    )
