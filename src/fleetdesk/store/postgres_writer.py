"""Writing one generation of the shared store: one transaction on a connection of its own."""

# ruff: noqa: S608 - names in statements are those of the canonical tables

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pc_csv

from fleetdesk.errors import SourceUnreadable
from fleetdesk.model.quality import QualityReport
from fleetdesk.model.tables import TABLES, Table
from fleetdesk.store.base import ImportRecord, TableCounts
from fleetdesk.store.ledger import Reach
from fleetdesk.store.postgres_connection import Connection, trouble
from fleetdesk.store.postgres_schema import OPEN_END, quoted
from fleetdesk.store.quality import canonical, checked

Window = tuple[datetime, datetime]


@dataclass
class _Received:
    rows: int = 0
    window: Window | None = None


@dataclass(frozen=True)
class Base:
    """The generation that another is written on; nothing of it counts when that starts afresh."""

    generation: int
    tables: Mapping[str, TableCounts] = field(default_factory=dict)
    windows: Mapping[str, Window] = field(default_factory=dict)
    keep: bool = True


class PostgresWriter:
    """A generation in the making; until `complete` and the commit nobody sees anything of it."""

    def __init__(self, connection: Connection, base: Base) -> None:
        self.generation = base.generation + 1
        self.name = f"{self.generation:06d}"
        self.reach: Reach | None = None
        self.windows: dict[str, Window] = dict(base.windows) if base.keep else {}
        self._connection = connection
        self._base = base
        self._received: dict[str, _Received] = {}
        self._report: QualityReport | None = None
        self._note = ""
        self._unwanted: tuple[str, str] | None = None
        self.left_out: dict[str, int] = {}

    def append(self, table: str, data: pa.Table | pa.RecordBatch) -> None:
        """Add rows of a canonical table; a later row replaces an earlier one of the same key."""
        definition = canonical(table)
        if isinstance(data, pa.RecordBatch):
            data = pa.Table.from_batches([data])
        rows = checked(definition, data)
        if table not in self._received:
            self._received[table] = _Received()
            self._run(
                f"CREATE TEMP TABLE {_new(definition)} ON COMMIT DROP AS"
                f' SELECT {quoted(definition.column_names)} FROM "{table}" WITH NO DATA'
            )
            self._run(f"ALTER TABLE {_new(definition)} ADD COLUMN _order bigserial")
        if not rows.num_rows:
            return
        self._copy(definition, rows)
        received = self._received[table]
        received.rows += rows.num_rows
        received.window = _wider(received.window, _window(definition, rows))

    def describe(self, report: QualityReport | None, note: str = "") -> None:
        """Attach the source's account, and a remark, to this generation."""
        self._report, self._note = report, note

    def reached(self, origin: str, watermark: Mapping[str, str]) -> None:
        """With this generation the source `origin` is in up to `watermark`: both, or neither."""
        self.reach = origin, watermark

    def leave_out(self, column: str, value: str) -> None:
        """Remove all rows with this value for good; `left_out` counts those of the present."""
        self._unwanted = column, value

    def complete(self, source: str, at: datetime) -> ImportRecord:
        """Put the rows in their tables; the caller enters the record and commits."""
        with trouble("writing a generation"):
            if not self._base.keep:
                for table in TABLES.values():
                    self._close_all(table)
            counts = dict(self._base.tables) if self._base.keep else {}
            counts = {name: TableCounts(count.rows, 0, 0) for name, count in counts.items()}
            for name, received in self._received.items():
                gone = self._merge(TABLES[name])
                before = counts[name].rows if name in counts else 0
                rows = before + received.rows - gone
                counts[name] = TableCounts(rows, received.rows, gone)
                window = _wider(self.windows.get(name), received.window)
                if window is not None:
                    self.windows[name] = window
            for name, gone in self._removed().items():
                counts[name] = TableCounts(counts[name].rows - gone, 0, 0)
            self._connection.execute(
                "INSERT INTO generations VALUES (%s, %s)",
                (self.generation, windows_as_text(self.windows)),
            )
        return ImportRecord(
            generation=self.name,
            imported_at=at,
            source=source,
            note=self._note,
            tables=counts,
            report=self._report,
            origin=self.reach[0] if self.reach else "",
        )

    def _removed(self) -> Mapping[str, int]:
        """Remove what is to be left out; rows of the present by table."""
        column, value = self._unwanted or ("", "")
        for table in TABLES.values():
            if column in table.column_names:
                statement = f'DELETE FROM "{table.name}" WHERE "{column}" = %s RETURNING _until'
                ends = self._connection.execute(cast(Any, statement), (value,)).fetchall()
                if ends:
                    self.left_out[table.name] = sum(row["_until"] == OPEN_END for row in ends)
        return self.left_out

    def _copy(self, table: Table, rows: pa.Table) -> None:
        """Send rows as CSV, which the server reads faster than single values."""
        text = io.BytesIO()
        # Every value is quoted, so that an empty text and a missing one differ.
        options = pc_csv.WriteOptions(include_header=False, quoting_style="all_valid")
        pc_csv.write_csv(rows, text, options)
        columns = quoted(table.column_names)
        statement = f"COPY {_new(table)} ({columns}) FROM STDIN (FORMAT csv)"
        with trouble("writing a generation"):
            try:
                with (
                    self._connection.cursor() as cursor,
                    cursor.copy(cast(Any, statement)) as copy,
                ):
                    copy.write(text.getbuffer())
            except psycopg.DataError as error:
                raise SourceUnreadable(
                    f"A row for the table {table.name} holds what the shared store cannot keep",
                    found=str(error).splitlines()[0],
                    fix="Take characters with the code 0 out of the texts",
                ) from error

    def _merge(self, table: Table) -> int:
        """Let new rows take the place of old ones; returns how many rows gave way."""
        new, key = _new(table), quoted(table.key)
        same_key = " AND ".join(f't."{name}" = n."{name}"' for name in table.key)
        live = f"{same_key} AND t._until = {OPEN_END}"
        doubled = self._run(
            f"DELETE FROM {new} USING (SELECT _order AS o, lead(_order) OVER"
            f" (PARTITION BY {key} ORDER BY _order) AS later FROM {new}) AS d"
            f" WHERE _order = d.o AND d.later IS NOT NULL"
        )
        self._run(f"ANALYZE {new}")
        # What is there already stays as it is: an import without news writes nothing.
        others = tuple(name for name in table.column_names if name not in table.key)
        alike = f"({quoted(others, 't.')}) IS NOT DISTINCT FROM ({quoted(others, 'n.')})"
        if len(others) == 1:
            alike = f't."{others[0]}" IS NOT DISTINCT FROM n."{others[0]}"'
        kept = self._run(f'DELETE FROM {new} n USING "{table.name}" t WHERE {live} AND {alike}')
        closed = self._run(
            f'UPDATE "{table.name}" t SET _until = {self.generation} FROM {new} n WHERE {live}'
        )
        columns = quoted(table.column_names)
        added = self._run(
            f'INSERT INTO "{table.name}" ({columns}, _since)'
            f" SELECT {columns}, {self.generation} FROM {new} ORDER BY {key}"
        )
        if added:
            self._run(f'ANALYZE "{table.name}"')
        return doubled + kept + closed

    def _close_all(self, table: Table) -> None:
        self._run(f'UPDATE "{table.name}" SET _until = {self.generation} WHERE _until = {OPEN_END}')

    def _run(self, statement: str) -> int:
        with trouble("writing a generation"):
            return self._connection.execute(cast(Any, statement)).rowcount


def windows_as_text(windows: Mapping[str, Window]) -> str:
    """First and last time of each table, for the database."""
    return json.dumps(
        {name: [moment.isoformat() for moment in window] for name, window in windows.items()}
    )


def windows_from_text(text: str) -> dict[str, Window]:
    """Read back what `windows_as_text` wrote."""
    return {
        name: (datetime.fromisoformat(first), datetime.fromisoformat(last))
        for name, (first, last) in json.loads(text).items()
    }


def _new(table: Table) -> str:
    return f'pg_temp."new_{table.name}"'


def _window(table: Table, rows: pa.Table) -> Window | None:
    if table.time_column is None:
        return None
    span = pc.min_max(rows.column(table.time_column))
    return span["min"].as_py(), span["max"].as_py()


def _wider(one: Window | None, other: Window | None) -> Window | None:
    known = [window for window in (one, other) if window is not None]
    return (min(w[0] for w in known), max(w[1] for w in known)) if known else None
