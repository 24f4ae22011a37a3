"""What a database's columns hold, and how each is asked for as text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fleetdesk.errors import SourceUnreadable
from fleetdesk.sources.mapped_json import flat_rows

WHOLE, EXACT, FRACTION, TEXT, MOMENT, LOCAL, DAY = (
    "whole number", "decimal", "fraction", "text", "timestamp", "datetime", "date",
)  # fmt: skip
BYTES = "bytes"
LONG_TEXTS = ("json", "longtext", "mediumtext", "text")  # where JSON may be
_FAMILIES = {
    "tinyint": WHOLE, "smallint": WHOLE, "mediumint": WHOLE, "int": WHOLE, "integer": WHOLE,
    "bigint": WHOLE, "year": WHOLE, "bit": "bits", "decimal": EXACT, "numeric": EXACT,
    "float": FRACTION, "double": FRACTION, "real": FRACTION, "char": TEXT, "varchar": TEXT,
    "tinytext": TEXT, "text": TEXT, "mediumtext": TEXT, "longtext": TEXT, "enum": TEXT,
    "set": TEXT, "json": TEXT, "uuid": TEXT, "inet4": TEXT, "inet6": TEXT, "timestamp": MOMENT,
    "datetime": LOCAL, "date": DAY, "time": "time of day", "point": "position",
    "geometry": "position", "binary": BYTES, "varbinary": BYTES,
}  # fmt: skip
_NO_DATE = "0000-00-00"
_MOST_BYTES = 64


@dataclass(frozen=True, slots=True)
class DbColumn:
    """One column: `type` is `bigint`, `full` is `bigint(20) unsigned`."""

    name: str
    type: str
    full: str
    nullable: bool

    @property
    def family(self) -> str:
        """What it holds, whatever its width; "" where nothing can be made of it."""
        found = _FAMILIES.get(self.type, "")
        return "" if found == BYTES and self._width > _MOST_BYTES else found

    @property
    def _width(self) -> int:
        _, _, rest = self.full.partition("(")
        digits = rest.partition(")")[0]
        return int(digits) if digits.isdigit() else 1


def as_text(column: DbColumn, name: str, version: str) -> str:
    """The expression that gives the column, quoted as `name`, as text on this server."""
    if column.family == "position":
        # MySQL 8 gives latitude first where the column has the earth's coordinates.
        order = ", 'axis-order=long-lat'" if _is_mysql_8(version) else ""
        return f"ST_AsText({name}{order})"
    if column.family == "bits":
        return f"CAST({name} + 0 AS CHAR)"
    if column.type == "float":
        return f"CAST({name} + 0e0 AS CHAR)"  # as it is, it would be cut to 6 digits
    if column.family == BYTES:
        return f"LOWER(HEX({name}))"
    return name if column.type in ("char", "varchar") else f"CAST({name} AS CHAR)"


def _is_mysql_8(version: str) -> bool:
    first = version.partition(".")[0]
    return "mariadb" not in version.lower() and first.isdigit() and int(first) >= 8


def cleaned(texts: pa.ChunkedArray, column: DbColumn) -> tuple[pa.Array, int]:
    """The texts with UTC said of timestamps and zero dates empty; how many of these there were."""
    values = texts.combine_chunks()
    values = values.cast(pa.string()) if not pa.types.is_string(values.type) else values
    if column.family not in (MOMENT, LOCAL, DAY):
        return values, 0
    zero = pc.fill_null(pc.starts_with(values, _NO_DATE), False)
    values = pc.if_else(zero, pa.scalar(None, pa.string()), values)
    if column.family == MOMENT:
        values = pc.binary_join_element_wise(values, "Z", "")
    return values, int(pc.sum(zero).as_py() or 0)


def is_json(column: DbColumn, texts: pa.Array) -> bool:
    """Whether all that is there are JSON objects or lists: MariaDB keeps them as texts."""
    given = texts.drop_null()
    return column.family == TEXT and len(given) > 0 and all(
        isinstance(_parsed(text), dict | list) for text in given.to_pylist()
    )  # fmt: skip


def unfolded(
    rows: pa.Table, names: Sequence[str], folded: Sequence[str], header: Sequence[str]
) -> tuple[pa.Table, pa.Array]:
    """Rows whose JSON columns are spread over dotted names, and which row each comes from.

    `names` are those of the columns, `folded` the ones that hold JSON; `header` is what the result
    has, or everything that there is when it is empty. Broken JSON leaves its columns empty.
    """
    spread: list[Mapping[str, str]] = []
    origins: list[int] = []
    for place, row in enumerate(_records(rows, names, folded)):
        for flat in flat_rows(row):
            spread.append(flat)
            origins.append(place)
    header = header or list(dict.fromkeys(name for row in spread for name in row))
    columns = [pa.array([row.get(name) for row in spread], pa.string()) for name in header]
    return pa.Table.from_arrays(columns, names=list(header)), pa.array(origins, pa.int64())


def drift(known: Mapping[str, str], columns: Sequence[DbColumn], table: str) -> None:
    """SourceUnreadable when a column that is read is gone or holds something else than before."""
    now = {column.name: column.family for column in columns}
    changed = [
        f"the column {name} is gone" if name not in now
        else f"the column {name} held {before} and holds {now[name] or 'something else'} now"
        for name, before in known.items() if now.get(name) != before
    ]  # fmt: skip
    if changed:
        raise SourceUnreadable(
            f"The table {table} has changed since the last import",
            found="; ".join(changed),
            fix="Nothing was imported and what is in was kept. If the new table is right, mend "
            "its mapping if need be, and import once with --again to read it from the beginning",
        )


def _records(
    rows: pa.Table, names: Sequence[str], folded: Sequence[str]
) -> Iterator[dict[str, Any]]:
    columns = [column.to_pylist() for column in rows.columns]
    inside = np.array([name in folded for name in names])
    for cells in zip(*columns, strict=True):
        yield {
            name: _parsed(cell) if json_ else cell
            for name, cell, json_ in zip(names, cells, inside, strict=True) if cell is not None
        }  # fmt: skip


def _parsed(text: str | None) -> Any:
    if text is None or text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
