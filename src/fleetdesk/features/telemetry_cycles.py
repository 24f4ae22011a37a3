"""The events behind the pings: one ledger, whether a vehicle's events are recorded or not.

A vehicle with events keeps them; its pings add the swaps that nobody declared and the charges that
events lack. For a vehicle without events the pings tell all: it operates while it reports and its
battery is usable. What comes out are EVENTS, so that `features.cycles` makes one ledger of both.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import ibis

from fleetdesk.features.calendar import moment
from fleetdesk.features.cell_expressions import geohash_of
from fleetdesk.features.charges import READ_WITHIN_S, read_beside, swaps, turns
from fleetdesk.features.inferred import INFERRED, carried, moment_id
from fleetdesk.features.membership import among, not_among
from fleetdesk.features.nullable import nullable
from fleetdesk.features.phases import RENEWING, has, has_any
from fleetdesk.features.rides import CONTACT_GAP_S, rides, steps
from fleetdesk.features.trips import countable
from fleetdesk.model.mds import EVENT_JOIN, OPERATIONAL_STATES, EventType, VehicleState
from fleetdesk.settings.schema import Thresholds

RECOVERS_PCT = 5.0
"""So much above the usable charge a battery that was too low counts as usable again."""


@dataclass(frozen=True)
class Pings:
    """What reading the pings gives: the few rows at which something changed.

    `changes` are features.charges.turns, `moves` features.rides.steps and `last` the last pings of
    vehicles without events, `beside` the charges that events lack. Store each before it is used:
    what is worked out from them (`undeclared_swaps` too) looks at them several times. Where `last`
    is empty, `moves` are not used.
    """

    changes: Any
    moves: Any
    last: Any
    beside: Any


@dataclass(frozen=True)
class Told:
    """EVENTS and TRIPS with what the pings add to them."""

    events: Any
    trips: Any


def pings(events: Any, telemetry: Any, thresholds: Thresholds, data_end: datetime) -> Pings:
    """Read TELEMETRY up to `data_end` (UTC-aware): each vehicle by itself, without a self-join."""
    telemetry = telemetry.filter(telemetry.recorded_at < moment(data_end))
    events = events.filter(events.event_at < moment(data_end))
    # Named first: pings are not looked through where every vehicle has events.
    names = not_among(telemetry.select("vehicle_id").distinct(), events, "vehicle_id")
    silent = among(telemetry, names, "vehicle_id")
    return Pings(
        changes=turns(telemetry, thresholds.usable_battery_pct, _recovered(thresholds)),
        moves=steps(silent, thresholds.trip_move_m),
        last=_last(silent),
        beside=read_beside(events, telemetry),
    )


def with_telemetry(
    events: Any,
    trips: Any,
    pings: Pings,
    swapped: Any,
    thresholds: Thresholds,
    data_end: datetime,
    *,
    silent: bool = True,
) -> Told:
    """EVENTS and TRIPS, completed from pings up to `data_end` (UTC-aware) and `undeclared_swaps`.

    Ids of added events begin with "seen:". `silent` says whether any vehicle has no events; to
    work out theirs is the larger part.
    """
    seen = events.filter(events.event_at < moment(data_end))
    told = events.left_join(pings.beside, "event_id")
    told = told.mutate(battery_pct=told.battery_pct.coalesce(told.ping_pct))
    parts = [told, swapped]
    rode = trips
    if silent:
        unrecorded = not_among(swaps(pings.changes), seen, "vehicle_id")
        found = rides(pings.moves, unrecorded, thresholds.trip_move_m)
        found = not_among(found, trips, "vehicle_id")
        rode = ibis.union(nullable(trips), nullable(found.select(*trips.columns)))
        own = among(countable(rode), pings.last, "vehicle_id")
        parts.append(_without_events(pings, unrecorded, own, thresholds, data_end))
    return Told(ibis.union(*(nullable(part.select(*events.columns)) for part in parts)), rode)


def undeclared_swaps(events: Any, changes: Any, data_end: datetime) -> Any:
    """The charge before and after each swap, as events that leave the vehicle's state as it is.

    Takes EVENTS and `Pings.changes`, and tells of vehicles with events before `data_end` only.
    Those of a vehicle that could not be rented are left out: whatever follows starts afresh. So are
    those around a service that told its charge, which pings may show some minutes later.
    """
    events = events.filter(events.event_at < moment(data_end))
    served = among(swaps(changes), events, "vehicle_id")
    stamps = ibis.union(
        nullable(_stamp(served, "from_at", "from_pct", 4)),
        nullable(_stamp(served, "at", "battery_pct", 5)),
    )
    # Most swaps were told; only of vehicles with others are all states looked through.
    stamps = _untold(stamps, events)
    states = among(events, stamps, "vehicle_id").select(
        "vehicle_id",
        "vehicle_state",
        "event_id",
        at=events.event_at,
        lat=ibis.null("float64"),
        lon=ibis.null("float64"),
        battery_pct=ibis.null("float64"),
    )
    stamps = stamps.mutate(vehicle_state=ibis.null("string")).select(*states.columns)
    rows = ibis.union(nullable(stamps), nullable(states))
    order = ["at", "event_id"]
    in_order = ibis.window(group_by="vehicle_id", order_by=order)
    rows = rows.mutate(vehicle_state=rows.vehicle_state.lag().over(in_order))
    # States are many and stamps are few: only past other stamps is a state carried on.
    rows = carried(rows.filter(rows.battery_pct.notnull()), "vehicle_state", order)
    rows = rows.filter(rows.vehicle_state.isin(sorted(state.value for state in OPERATIONAL_STATES)))
    return _events(
        rows.mutate(
            event_types=ibis.literal(EventType.UNSPECIFIED.value), trip_id=ibis.null("string")
        )
    )


def _untold(stamps: Any, events: Any) -> Any:
    """The stamps but for those around a service that told its charge."""
    told = events.filter(has_any(events.event_types, RENEWING) & events.battery_pct.notnull())
    services = told.select("vehicle_id", "event_id", at=told.event_at, told_at=told.event_at)
    services = services.mutate(
        **{
            name: ibis.null(stamps[name].type())
            for name in ("from_at", "lat", "lon", "battery_pct")
        }
    )
    stamps = stamps.mutate(told_at=ibis.null("timestamp"))
    rows = ibis.union(nullable(stamps), nullable(services.select(*stamps.columns)))
    so_far = ibis.cumulative_window(group_by="vehicle_id", order_by=["at", "event_id"])
    rows = rows.mutate(told_at=rows.told_at.max().over(so_far))
    since_us = rows.from_at.delta(rows.told_at, unit="microsecond")
    return rows.filter(
        rows.from_at.notnull() & (since_us >= READ_WITHIN_S * 1_000_000).fill_null(True)
    )


def _stamp(served: Any, when: str, charge: str, place: int) -> Any:
    return served.select(
        "vehicle_id",
        "lat",
        "lon",
        at=served[when],
        from_at=served.from_at,
        event_id=_id(served, when, place),
        battery_pct=served[charge],
    )


def _without_events(
    pings: Pings, served: Any, rode: Any, thresholds: Thresholds, data_end: datetime
) -> Any:
    """The events of vehicles that are known from pings (and trips) alone."""
    changes = among(pings.changes, pings.last, "vehicle_id")
    changes = changes.mutate(
        level=ibis.cases(
            (changes.battery_pct <= thresholds.usable_battery_pct, "low"),
            (changes.from_pct.isnull(), "usable"),
            (changes.battery_pct > _recovered(thresholds), "usable"),
        )
    )
    changes = changes.filter(
        changes.from_pct.isnull()
        | (changes.level == "low") & (changes.from_pct > thresholds.usable_battery_pct)
        | (changes.level == "usable") & (changes.from_pct <= _recovered(thresholds))
    )
    first = pings.moves.filter(pings.moves.from_at.isnull())
    gaps = pings.moves.filter(pings.moves.gap)
    silent_us = moment(data_end).delta(pings.last["at"], unit="microsecond")
    is_gone = silent_us > CONTACT_GAP_S * 1e6
    gone, here = pings.last.filter(is_gone), pings.last.filter(~is_gone)
    done = rode.filter(rode.ended_at < moment(data_end))
    begun = rode.filter(rode.started_at < moment(data_end))
    marks = (
        _marks(changes, "at", 0, "battery_pct", charge=changes.level),
        _marks(first, "at", 1, "battery_pct", types=EventType.COMMS_RESTORED, contact="here"),
        _marks(gaps, "at", 1, "battery_pct", types=EventType.COMMS_RESTORED, contact="here"),
        _marks(done, "ended_at", 2, "end_battery_pct", types=EventType.TRIP_END, ride="no",
               side="end_", trip=True),
        _marks(served, "from_at", 4, "from_pct"),
        _marks(served, "at", 5, "battery_pct"),
        _marks(begun, "started_at", 6, "start_battery_pct", types=EventType.TRIP_START, ride="yes",
               side="start_", trip=True),
        _marks(here, "at", 8, "battery_pct"),  # a cycle that still runs has used charge, too
        _marks(gaps, "from_at", 9, "from_pct", types=EventType.COMMS_LOST, contact="lost",
               side="from_"),
        _marks(gone, "at", 9, "battery_pct", types=EventType.COMMS_LOST, contact="lost"),
    )  # fmt: skip
    rows = ibis.union(*(nullable(table) for table in marks))
    order = ["at", "event_id"]
    for signal in ("contact", "charge", "ride", "lat", "lon"):
        rows = carried(rows, signal, order)
    # A trip may be known from before the first ping, and without a place.
    rows = rows.filter(rows.lat.notnull() & rows.lon.notnull())
    is_low = (rows.charge == "low").fill_null(False)
    state = ibis.cases(
        ((rows.ride == "yes").fill_null(False), VehicleState.ON_TRIP.value),
        ((rows.contact == "lost").fill_null(False), VehicleState.NON_CONTACTABLE.value),
        (is_low, VehicleState.NON_OPERATIONAL.value),
        else_=VehicleState.AVAILABLE.value,
    )
    rows = rows.mutate(vehicle_state=state)
    too_low = (rows.vehicle_state == VehicleState.NON_OPERATIONAL.value) & ~has(
        rows.event_types, EventType.BATTERY_LOW
    )
    low_types = rows.event_types + EVENT_JOIN + EventType.BATTERY_LOW.value
    return _events(rows.mutate(event_types=too_low.ifelse(low_types, rows.event_types)))


def _marks(
    rows: Any,
    when: str,
    place: int,
    charge_column: str,
    *,
    types: EventType = EventType.UNSPECIFIED,
    contact: str | None = None,
    charge: Any = None,
    ride: str | None = None,
    side: str = "",
    trip: bool = False,
) -> Any:
    """One change each: what is known from it of contact, charge and ride; the rest is carried."""
    return rows.select(
        vehicle_id=rows.vehicle_id,
        at=rows[when],
        event_id=_id(rows, when, place),
        event_types=ibis.literal(types.value),
        lat=rows[f"{side}lat"],
        lon=rows[f"{side}lon"],
        battery_pct=rows[charge_column],
        trip_id=rows.trip_id if trip else ibis.null("string"),
        contact=_signal(contact),
        charge=ibis.null("string") if charge is None else charge,
        ride=_signal(ride),
    )


def _signal(value: str | None) -> Any:
    return ibis.null("string") if value is None else ibis.literal(value)


def _last(pings: Any) -> Any:
    at = pings.recorded_at
    return pings.group_by("vehicle_id").agg(
        lat=pings.lat.argmax(at),
        lon=pings.lon.argmax(at),
        battery_pct=pings.battery_pct.argmax(at, where=pings.battery_pct.notnull()),
        at=at.max(),
    )


def _recovered(thresholds: Thresholds) -> float:
    return thresholds.usable_battery_pct + RECOVERS_PCT


def _id(rows: Any, when: str, place: int) -> Any:
    """Of events at one moment, the place decides which comes first: a charge counts at once."""
    return INFERRED + moment_id(rows, when) + f":{place}"


def _events(rows: Any) -> Any:
    return rows.select(
        "event_id",
        "vehicle_id",
        "vehicle_state",
        "event_types",
        "lat",
        "lon",
        "battery_pct",
        "trip_id",
        event_at=rows["at"],
        cell=geohash_of(rows.lat, rows.lon),
    )
