"""A toy history, built row by row in the form of the canonical tables."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import ibis
import pyarrow as pa
import pytest

from fleetdesk.model.tables import TABLES, DType

T0 = datetime(2024, 6, 3)  # a Monday; naive UTC as in the tables

_ARROW = {
    DType.STRING: (pa.string(), "x"),
    DType.INT: (pa.int64(), 0),
    DType.FLOAT: (pa.float64(), 0.0),
    DType.BOOL: (pa.bool_(), False),
    DType.TIMESTAMP: (pa.timestamp("us"), T0),
}


def build(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    """Rows of a canonical table; columns left out are null where legal, else a dull value."""
    columns = TABLES[name].columns
    schema = pa.schema([(column.name, _ARROW[column.dtype][0]) for column in columns])
    dull = {c.name: None if c.nullable else _ARROW[c.dtype][1] for c in columns}
    return pa.Table.from_pylist([dull | row for row in rows], schema=schema)


@pytest.fixture(scope="session")
def table():
    """`table(name, rows)` -> an Ibis table of that canonical table."""
    return lambda name, rows: ibis.memtable(build(name, rows))


@pytest.fixture(scope="session")
def run():
    """`run(expression)` -> its rows as dictionaries."""
    engine = ibis.duckdb.connect()
    return lambda expression: engine.to_pyarrow(expression).to_pylist()


@pytest.fixture(scope="session")
def history(table):
    """`history(events, trips)` -> two tables from (hours, ...) tuples of vehicle v, see below.

    Event: (h, state, types, battery or None, cell); trip: (from_h, to_h, revenue). A first element
    that is a text names another vehicle.
    """

    def make(events: list[tuple], trips: list[tuple] = ()) -> tuple[Any, Any]:
        event_rows = []
        for number, row in enumerate(events):
            vehicle, row = (row[0], row[1:]) if isinstance(row[0], str) else ("v", row)
            h, state, types, battery, cell = (*row, None, "sx0r4m1")[:5] if len(row) == 3 else (
                *row, "sx0r4m1")[:5]  # fmt: skip
            event_rows.append(
                {
                    "event_id": f"e{number:03d}",
                    "vehicle_id": vehicle,
                    "event_at": T0 + timedelta(hours=h),
                    "vehicle_state": state,
                    "event_types": types,
                    "battery_pct": battery,
                    "cell": cell,
                }
            )
        trip_rows = []
        for number, row in enumerate(trips):
            vehicle, row = (row[0], row[1:]) if isinstance(row[0], str) else ("v", row)
            start, end, revenue = row
            trip_rows.append(
                {
                    "trip_id": f"t{number:03d}",
                    "vehicle_id": vehicle,
                    "started_at": T0 + timedelta(hours=start),
                    "ended_at": T0 + timedelta(hours=end),
                    "start_cell": "sx0r4m1",
                    "revenue": revenue,
                    "distance_m": 2000.0,
                    "duration_s": (end - start) * 3600.0,
                }
            )
        return table("events", event_rows), table("trips", trip_rows)

    return make
