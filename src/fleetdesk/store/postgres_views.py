"""One generation's rows in PostgreSQL as views that expressions read."""

# ruff: noqa: S608 - names in statements are those of the canonical tables

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, cast

import pyarrow as pa
from ibis.backends.postgres import Backend
from psycopg.adapt import Buffer, Loader
from psycopg.rows import tuple_row

from fleetdesk.model.tables import TABLES
from fleetdesk.store import postgres_connection as pg
from fleetdesk.store.postgres_schema import quoted
from fleetdesk.store.views import Views, let_go_of_cached

# One process per query and no joining of another's scan: with either, the last digit of a sum
# differs from run to run.
_READING = (
    "SET max_parallel_workers_per_gather = 0",
    "SET synchronize_seqscans = off",
    "SET jit = off",
    "SET work_mem = '64MB'",
)


class PostgresViews(Views):
    """The rows of one generation as views of a connection of their own."""

    def __init__(self, connection: pg.Connection, generation: int) -> None:
        self._connection = connection
        with pg.trouble("reading"):
            # Ibis takes rows by position.
            connection.row_factory = cast(Any, tuple_row)
            connection.adapters.register_loader("numeric", _Number)
            for statement in _READING:
                connection.execute(cast(Any, statement))
            for table in TABLES.values():
                columns = quoted(table.column_names)
                body = (
                    f'CREATE TEMP VIEW {table.name}_now AS SELECT {columns} FROM "{table.name}"'
                    f" WHERE _since <= {generation} AND _until > {generation}"
                )
                connection.execute(cast(Any, body))
        self._engine = _Engine.from_connection(connection)

    def look_up(self, name: str) -> Any:
        """The table expression of this name."""
        return self._engine.table(f"{name}_now")

    def close(self) -> None:
        """Let go of what was cached, then of the connection."""
        if not self._connection.closed:
            let_go_of_cached(self._engine)
        self._connection.close()


class _Number(Loader):
    """What the server counts in decimals, such as a written 0.0, as expressions count it."""

    def load(self, data: Buffer) -> int | float:
        digits = bytes(data)
        return int(digits) if digits.lstrip(b"-").isdigit() else float(digits)


class _Engine(Backend):
    """Ibis' engine, which says in sentences what the database says when rows are read."""

    def execute(self, expr: Any, /, **given: Any) -> Any:
        with pg.trouble("reading"):
            return super().execute(expr, **given)

    def to_pyarrow(self, expr: Any, /, **given: Any) -> Any:
        with pg.trouble("reading"):
            return super().to_pyarrow(expr, **given)

    def to_pyarrow_batches(self, expr: Any, /, **given: Any) -> pa.RecordBatchReader:
        with pg.trouble("reading"):
            reader = super().to_pyarrow_batches(expr, **given)
        return pa.RecordBatchReader.from_batches(reader.schema, _told(reader))

    def _create_cached_table(self, name: str, expr: Any) -> Any:
        with pg.trouble("reading"):
            return super()._create_cached_table(name, expr)


def _told(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    with pg.trouble("reading"):
        yield from batches
