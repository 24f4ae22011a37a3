"""The vehicles that crews could have swapped at, as they stood at some moments of the past."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import ibis
import pyarrow as pa

from fleetdesk.features.calendar import naive_utc
from fleetdesk.features.phases import has
from fleetdesk.model.mds import EventType, VehicleState


def standing(timeline: Any, moments: Sequence[datetime]) -> Any:
    """One row per moment (UTC-aware) and vehicle that stood on the street then.

    Takes features.cycles.timeline. Columns: at, vehicle_id, cell (geohash 7), battery_pct (last
    known), rentable. Vehicles out of service for another reason than their charge are left out.
    """
    table = pa.table({"at": pa.array([naive_utc(at) for at in moments], pa.timestamp("us"))})
    rentable = timeline.vehicle_state == VehicleState.AVAILABLE.value
    empty = (timeline.vehicle_state == VehicleState.NON_OPERATIONAL.value) & has(
        timeline.event_types, EventType.BATTERY_LOW
    )
    stood = timeline.filter(rentable | empty)
    stood = stood.select(
        "vehicle_id",
        "cell",
        "event_at",
        "next_at",
        battery_pct=stood.known_battery_pct,
        rentable=stood.vehicle_state == VehicleState.AVAILABLE.value,
    )
    when = ibis.memtable(table)
    rows = stood.join(when, [when["at"] >= stood.event_at, when["at"] < stood.next_at])
    return rows.select("at", "vehicle_id", "cell", "battery_pct", "rentable")
