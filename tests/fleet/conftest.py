"""A toy city in the form of the canonical tables."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import ibis
import pyarrow as pa
import pytest

from fleetdesk.model.tables import TABLES, DType

_ARROW = {
    DType.STRING: (pa.string(), "x"),
    DType.INT: (pa.int64(), 0),
    DType.FLOAT: (pa.float64(), 0.0),
    DType.BOOL: (pa.bool_(), False),
    DType.TIMESTAMP: (pa.timestamp("us"), datetime(2024, 6, 3)),
}


@pytest.fixture(scope="session")
def tables():
    """`tables(trips=[{...}], ...)` -> all canonical tables by name, those not given empty.

    Columns left out of a row are null where that is legal, else a dull value.
    """

    def make(**rows: list[dict[str, Any]]) -> dict[str, Any]:
        engine = ibis.duckdb.connect()
        made = {}
        for name, canonical in TABLES.items():
            columns = canonical.columns
            schema = pa.schema([(c.name, _ARROW[c.dtype][0]) for c in columns])
            dull = {c.name: None if c.nullable else _ARROW[c.dtype][1] for c in columns}
            filled = [dull | row for row in rows.get(name, [])]
            made[name] = engine.create_table(name, pa.Table.from_pylist(filled, schema=schema))
        return made

    return make
