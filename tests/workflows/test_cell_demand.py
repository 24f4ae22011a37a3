"""Demand less supply by cell: the map's layer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import ibis
import pyarrow as pa
import pytest

from fleetdesk.model.fleet import VehicleNow
from fleetdesk.model.mds import VehicleState
from fleetdesk.model.places import Point
from fleetdesk.settings.schema import Settings
from fleetdesk.workflows.cell_demand import cell_demand

AT = datetime(2026, 6, 17, 6, tzinfo=UTC)
EMPTY, FULL = 2.0, 80.0


def standing(*cells: str, battery_pct: float | None = FULL) -> list[VehicleNow]:
    return [
        VehicleNow(
            f"V{n}", Point(40.6, 22.9), cell, battery_pct, "idle", VehicleState.AVAILABLE, AT, AT
        )
        for n, cell in enumerate(cells)
    ]


def history(*cells: str, days: int = 2):
    first = (AT - timedelta(days=days)).replace(tzinfo=None)
    table = pa.table(
        {
            "start_cell": pa.array(cells, pa.string()),
            "started_at": pa.array([first] * len(cells), pa.timestamp("us")),
        }
    )
    trips = ibis.memtable(table)
    return SimpleNamespace(recent_trips=lambda _: trips, as_of=AT)


def test_where_trips_start_and_nobody_stands_vehicles_are_missing() -> None:
    busy, calm = "sx0r4h", "sx0r4j"
    past = history(busy + "zz", busy, busy, calm, None)
    found = {c.cell: c for c in cell_demand(past, standing(calm, calm), Settings())}
    assert found[busy].trips_per_day == 1.5 and found[busy].vehicles == 0
    assert found[busy].short_per_day == pytest.approx(1.5)
    assert found[calm].short_per_day == pytest.approx(0.5 - 2.0)
    assert sum(c.short_per_day for c in found.values()) == pytest.approx(0)


def test_vehicles_without_charge_supply_nothing() -> None:
    past = history("sx0r4h", "sx0r4j")
    fleet = standing("sx0r4h") + standing("sx0r4j", battery_pct=EMPTY)
    found = {c.cell: c for c in cell_demand(past, fleet, Settings())}
    assert (found["sx0r4h"].vehicles, found["sx0r4j"].vehicles) == (1, 0)
    assert found["sx0r4j"].short_per_day > 0 > found["sx0r4h"].short_per_day


def test_without_trips_or_vehicles_nothing_is_said() -> None:
    assert cell_demand(history(), standing("sx0r4h"), Settings()) == ()
    assert cell_demand(history("sx0r4h"), [], Settings()) == ()
