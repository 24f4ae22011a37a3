"""The check at the store's door: rows must have exactly the canonical columns, types and values."""

from __future__ import annotations

import difflib
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from fleetdesk.errors import SourceUnreadable
from fleetdesk.model.tables import TABLES, Column, DType, Table

_KINDS = {
    DType.STRING: lambda t: pa.types.is_string(t) or pa.types.is_large_string(t),
    DType.INT: pa.types.is_integer,
    DType.FLOAT: pa.types.is_floating,
    DType.BOOL: pa.types.is_boolean,
    DType.TIMESTAMP: lambda t: pa.types.is_timestamp(t) and t.tz is None,
}


def schema_of(table: Table) -> pa.Schema:
    """The Arrow schema in which a canonical table is stored."""
    return pa.schema(
        [
            pa.field(column.name, pa.type_for_alias(column.dtype.arrow), column.nullable)
            for column in table.columns
        ]
    )


def canonical(name: str) -> Table:
    """The canonical table of this name; SourceUnreadable names the nearest one."""
    if name in TABLES:
        return TABLES[name]
    near = difflib.get_close_matches(name, TABLES, n=1)
    raise SourceUnreadable(
        f"There is no canonical table {name!r}",
        found=f"known are {', '.join(TABLES)}",
        fix=f"Did you mean {near[0]!r}?" if near else "",
    )


def checked(table: Table, data: pa.Table) -> pa.Table:
    """The same rows in the stored order and types; SourceUnreadable names the column at fault.

    Widths are evened out (int32 to int64, milliseconds to microseconds) where nothing is lost.
    """
    missing = [name for name in table.column_names if name not in data.column_names]
    extra = [name for name in data.column_names if name not in table.column_names]
    if missing or extra or len(data.column_names) != len(table.columns):
        raise SourceUnreadable(
            f"Rows for the table {table.name} do not have its columns",
            found="; ".join(
                [f"missing {', '.join(missing)}"] * bool(missing)
                + [f"not known {', '.join(extra)}"] * bool(extra)
            )
            or "a column is there twice",
            fix=f"Give exactly {', '.join(table.column_names)}",
        )
    return pa.Table.from_arrays(
        [_checked_column(table, column, data.column(column.name)) for column in table.columns],
        schema=schema_of(table),
    )


def _checked_column(table: Table, column: Column, values: Any) -> Any:
    where = f"{table.name}.{column.name}"
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if not (pa.types.is_null(values.type) or _KINDS[column.dtype](values.type)):
        raise SourceUnreadable(
            f"{where} has the wrong type",
            found=f"{values.type} where {column.dtype.arrow} is stored",
            fix="Timestamps are UTC without a zone" if column.dtype is DType.TIMESTAMP else "",
        )
    try:
        values = values.cast(pa.type_for_alias(column.dtype.arrow))
    except pa.ArrowInvalid as trouble:
        raise SourceUnreadable(
            f"{where} holds a value that cannot be stored without loss",
            found=str(trouble).splitlines()[0],
        ) from trouble
    if values.null_count and not column.nullable:
        raise SourceUnreadable(
            f"{where} is empty in {values.null_count} of {len(values)} rows",
            found=f"first in row {_first(pc.is_null(values))} of the rows given",
            fix="Every row needs a value here; drop and count the others",
        )
    if column.dtype is DType.FLOAT and pc.all(pc.is_finite(values)).as_py() is False:
        raise SourceUnreadable(
            f"{where} holds something that is not a number",
            found=f"first in row {_first(pc.invert(pc.is_finite(values)))} of the rows given",
            fix="A missing value is empty, not NaN or infinite",
        )
    return values


def _first(mask: Any) -> int:
    return int(pc.index(mask, True).as_py()) + 1
