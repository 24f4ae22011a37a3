"""What pings tell of batteries: rises that mean a swap, and the charge at an event without one."""

from __future__ import annotations

from typing import Any

import ibis

from fleetdesk.features.cycles import SWAP_JUMP_PCT
from fleetdesk.features.phases import has_any
from fleetdesk.model.mds import DROP_OFFS, EventType

SMALLEST_RISE_PCT = 1.0
"""Less than this from one ping to the next is the gauge's noise."""
RISE_BREAK_S = 1800.0
"""Rises with a longer pause between them are not of one charge."""
READ_WITHIN_S = 900
"""A ping this near to an event tells the event's charge."""
_EPOCH = ibis.timestamp("1970-01-01")
# After these the battery may be another one than before; at all others it is the one from before.
_BACK = (
    EventType.BATTERY_CHARGED, EventType.COMMS_RESTORED, EventType.LOCATED, EventType.MAINTENANCE,
    EventType.ON_HOURS, EventType.SYSTEM_RESUME, *sorted(DROP_OFFS),
)  # fmt: skip


def turns(telemetry: Any, usable_pct: float, recovered_pct: float) -> Any:
    """The pings at which a battery rose, fell too low to rent, or was usable again.

    One pass over TELEMETRY, each vehicle by itself. Columns: vehicle_id, from_at (the charge told
    before; null at a vehicle's first), at, from_pct, battery_pct, lat, lon. Charges outside 0 to
    100 are not looked at.
    """
    told = telemetry.filter(telemetry.battery_pct.between(0.0, 100.0))
    in_order = ibis.window(group_by="vehicle_id", order_by="recorded_at")
    steps = told.select(
        "vehicle_id",
        "battery_pct",
        "lat",
        "lon",
        at=told.recorded_at,
        from_at=told.recorded_at.lag().over(in_order),
        from_pct=told.battery_pct.lag().over(in_order),
    )
    now, before = steps.battery_pct, steps.from_pct
    return steps.filter(
        before.isnull()
        | (now - before >= SMALLEST_RISE_PCT)
        | ((now <= usable_pct) & (before > usable_pct))
        | ((now > recovered_pct) & (before <= recovered_pct))
    )


def swaps(turns: Any, *, swap_jump_pct: float = SWAP_JUMP_PCT) -> Any:
    """One row per swap or charge that the pings show: a rise, in one step or in many.

    Columns: vehicle_id, from_at and at (the last ping before it and the first after it), from_pct,
    battery_pct, lat, lon. Rises belong together while no charge is lost between them.
    """
    rises = turns.filter(turns.battery_pct - turns.from_pct >= SMALLEST_RISE_PCT)
    in_order = ibis.window(group_by="vehicle_id", order_by="at")
    pause_us = rises.from_at.delta(rises.at.lag().over(in_order), unit="microsecond")
    goes_on = (pause_us <= RISE_BREAK_S * 1e6) & (
        rises.from_pct >= rises.battery_pct.lag().over(in_order)
    )
    rises = rises.mutate(begins=goes_on.fill_null(False).ifelse(0, 1))
    so_far = ibis.cumulative_window(group_by="vehicle_id", order_by="at")
    rises = rises.mutate(charge_no=rises.begins.sum().over(so_far))
    found = rises.group_by(["vehicle_id", "charge_no"]).agg(
        from_pct=rises.from_pct.argmin(rises.at),
        battery_pct=rises.battery_pct.argmax(rises.at),
        lat=rises.lat.argmax(rises.at),
        lon=rises.lon.argmax(rises.at),
        from_at=rises.from_at.min(),
        at=rises["at"].max(),
    )
    found = found.filter(found.battery_pct - found.from_pct >= swap_jump_pct)
    return found.drop("charge_no")


def read_beside(events: Any, telemetry: Any) -> Any:
    """The charge that a ping tells for each of EVENTS without one: event_id, ping_pct.

    It is the last ping up to 15 minutes before, or the first after an event that brings a vehicle
    back. Events without such a ping are left out.
    """
    lacking = events.filter(events.battery_pct.isnull())
    lacking = lacking.mutate(back=has_any(lacking.event_types, _BACK))
    slot = _slot(lacking.event_at)
    # Each event is looked up in its own quarter of an hour and the one beside it on its side.
    near = lacking.select("event_id", "event_at", "back", of=lacking.vehicle_id, slot=slot)
    beside = near.mutate(slot=near.slot + near.back.ifelse(1, -1))
    near = ibis.union(near, beside)
    told = telemetry.filter(telemetry.battery_pct.between(0.0, 100.0))
    told = told.select(
        "vehicle_id", "recorded_at", ping_pct=told.battery_pct, slot=_slot(told.recorded_at)
    )
    pairs = near.inner_join(told, [near.of == told.vehicle_id, near.slot == told.slot])
    late_us = pairs.recorded_at.delta(pairs.event_at, unit="microsecond")
    pairs = pairs.mutate(off_us=pairs.back.ifelse(late_us, -late_us))
    pairs = pairs.filter((pairs.off_us >= 0) & (pairs.off_us <= READ_WITHIN_S * 1_000_000))
    return pairs.group_by("event_id").agg(ping_pct=pairs.ping_pct.argmin(pairs.off_us))


def _slot(when: Any) -> Any:
    return when.delta(_EPOCH, unit="microsecond") // (READ_WITHIN_S * 1_000_000)
