"""The store that several computers share: rows, ledgers and results in one PostgreSQL database."""

# ruff: noqa: S608 - names in statements are those of the canonical tables

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from fleetdesk.errors import StoreUnusable
from fleetdesk.model.tables import TABLES
from fleetdesk.store import postgres_connection as pg
from fleetdesk.store.base import (
    REMOVAL,
    Gap,
    Generation,
    Removed,
    StoreCapabilities,
)
from fleetdesk.store.pinned import PinnedStore
from fleetdesk.store.postgres_schema import OPEN_END, bring_up, exists
from fleetdesk.store.postgres_views import PostgresViews
from fleetdesk.store.postgres_writer import Base, PostgresWriter, windows_from_text
from fleetdesk.store.views import Views, observed

KEPT_BEHIND_CURRENT = 2
GAPS = (
    Gap("texts with a NUL", lasting=True, reason="PostgreSQL cannot keep the character of code 0"),
    Gap("content checksums", lasting=True,
        reason="the database checks its own pages; rows are counted instead"),
)  # fmt: skip


def open_postgres(
    address: str,
    *,
    create: bool = False,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    secret: pg.Secret = lambda _: None,
) -> PostgresStore:
    """Open the store in the database at `address`, laying a new one with `create`.

    `secret` gives the password by its name. StoreUnusable when the server cannot be reached, or
    there is no store, or one of a newer version.
    """
    connection = pg.connect(address, secret)
    try:
        if not create and not exists(connection):
            raise StoreUnusable(
                "There is no FleetDesk store in this database",
                found=f"no schema {pg.SCHEMA} in {connection.info.dbname}",
                fix="Import data first, or check City: Data store",
            )
        bring_up(connection)
        return PostgresStore(connection, lambda: pg.connect(address, secret), clock)
    except BaseException:
        connection.close()
        raise


class PostgresStore(PinnedStore):
    """A shared store, pinned to one generation; made by `open_postgres`."""

    def __init__(
        self,
        connection: pg.Connection,
        another: Callable[[], pg.Connection],
        clock: Callable[[], datetime],
    ) -> None:
        self._connection = connection
        self._another = another
        self._number = _pin_current(connection)
        super().__init__(
            pg.Database(connection),
            writer_lock=pg.AdvisoryLock(connection, pg.WRITE),
            run_lock=pg.AdvisoryLock(connection, pg.RUN),
            results=_Results(connection),
            clock=clock,
        )

    def capabilities(self) -> StoreCapabilities:
        """Several computers, data larger than memory."""
        return StoreCapabilities(
            "postgres", several_machines=True, larger_than_memory=True, gaps=GAPS
        )

    @property
    def generation(self) -> str:
        """The generation this store reads: the current one at opening, or one it wrote since."""
        return f"{self._number:06d}"

    def data_window(self) -> tuple[datetime, datetime] | None:
        """First and last observation (UTC-aware); None when there is none."""
        with pg.trouble("looking at its generations"):
            row = pg.one(
                self._connection,
                "SELECT windows FROM generations WHERE generation = %s",
                (self._number,),
            )
        return observed(windows_from_text(row["windows"]).get)

    @contextmanager
    def new_generation(self, source: str, *, keep: bool = True) -> Iterator[Generation]:
        """Write a generation; with `keep` it adds to the current one, else it starts afresh.

        All is one transaction: when the block ends well it is committed and this store reads it.
        When it does not, or the line is cut, nothing has changed.
        """
        started = self._clock()
        with self._writing(source):
            connection = self._another()
            try:
                with pg.trouble("writing a generation"), connection.transaction():
                    writer = PostgresWriter(connection, self._base(connection, keep=keep))
                    yield writer
                    record = writer.complete(source, started)
                    database = pg.Database(connection)
                    self._imports.enter(database, record, writer.reach, self._clock())
            finally:
                connection.close()
            self._turn_to_current()
            _collect(self._connection)

    def verify(self) -> None:
        """Count each table's rows against the ledger; StoreUnusable names the first that differs.

        The content of pages is the database's own to check.
        """
        latest = self.last_import()
        for name, counts in latest.tables.items() if latest else ():
            with pg.trouble("counting its rows"):
                row = pg.one(
                    self._connection,
                    f'SELECT count(*) AS n FROM "{name}" WHERE _since <= %s AND _until > %s',
                    (self._number, self._number),
                )
            if row["n"] != counts.rows:
                raise StoreUnusable(
                    "The shared store is damaged",
                    found=f"the table {name} has {row['n']} rows instead of {counts.rows}",
                    fix="Restore the database from a backup, or import into a new one",
                )

    def remove_rows(self, column: str, value: str) -> Removed:
        """Remove for good all rows with this value in a column of this name, in all generations.

        Readers of older generations miss them too. StoreUnusable while another process is writing.
        """
        with self._writing(REMOVAL):
            with self.new_generation(REMOVAL) as generation:
                assert isinstance(generation, PostgresWriter)
                generation.leave_out(column, value)
            for table in generation.left_out:
                with pg.trouble("giving room back"):
                    self._connection.execute(cast(Any, f'VACUUM "{table}"'))
        return Removed(generation.left_out)

    def close(self) -> None:
        """Let go of everything; the store cannot be used after."""
        self._drop_views()
        # The server would let go of the pins too, but some time after the connection is closed.
        pg.unlock_all(self._connection)
        self._connection.close()

    def _base(self, connection: pg.Connection, *, keep: bool) -> Base:
        row = pg.one(
            connection,
            "SELECT generation, windows FROM generations ORDER BY generation DESC LIMIT 1",
        )
        number = row["generation"]
        latest = self._imports.last(f"{number:06d}")
        return Base(
            generation=number,
            tables=latest.tables if latest else {},
            windows=windows_from_text(row["windows"]),
            keep=keep,
        )

    def _turn_to_current(self) -> None:
        self._drop_views()
        with pg.trouble("turning to the newest generation"):
            before, self._number = self._number, _pin_current(self._connection)
            pg.unshare(self._connection, before)

    def _open_views(self) -> Views:
        return PostgresViews(self._another(), self._number)

    def _collect(self, *, dry_run: bool = False) -> list[str]:
        return _collect(self._connection, dry_run=dry_run)


class _Results:
    """Result tables of runs, as one Parquet file each in a column."""

    def __init__(self, connection: pg.Connection) -> None:
        self._connection = connection

    def save(self, run_id: str, name: str, data: pa.Table) -> None:
        file = io.BytesIO()
        pq.write_table(data, file, compression="zstd")
        with pg.trouble("keeping a result"):
            self._connection.execute(
                "INSERT INTO results VALUES (%s, %s, %s)"
                " ON CONFLICT (run_id, name) DO UPDATE SET data = excluded.data",
                (run_id, name, file.getvalue()),
            )

    def load(self, run_id: str, name: str) -> pa.Table | None:
        with pg.trouble("reading a result"):
            row = self._connection.execute(
                "SELECT data FROM results WHERE run_id = %s AND name = %s", (run_id, name)
            ).fetchone()
        return pq.read_table(io.BytesIO(row["data"])) if row else None

    def remove(self, run_id: str) -> None:
        with pg.trouble("removing results"):
            self._connection.execute("DELETE FROM results WHERE run_id = %s", (run_id,))

    def runs(self) -> Sequence[str]:
        with pg.trouble("looking for results"):
            rows = self._connection.execute("SELECT DISTINCT run_id FROM results ORDER BY 1")
            return [row["run_id"] for row in rows]


def _pin_current(connection: pg.Connection) -> int:
    """Take hold of the newest generation so that nobody collects it."""
    with pg.trouble("opening it"):
        while True:
            number = _kept(connection)[-1]
            pg.share(connection, number)
            if number in _kept(connection):
                return number
            # It was collected while we reached for it: there is a newer one.
            pg.unshare(connection, number)


def _kept(connection: pg.Connection) -> list[int]:
    rows = connection.execute("SELECT generation FROM generations ORDER BY generation")
    return [row["generation"] for row in rows]


def _collect(connection: pg.Connection, *, dry_run: bool = False) -> list[str]:
    """Forget old generations that nobody reads, and the rows that only they showed.

    The current generation and the two before it stay; the writer's lock is held.
    """
    removed = []
    with pg.trouble("collecting garbage"):
        for number in _kept(connection)[: -1 - KEPT_BEHIND_CURRENT]:
            if pg.try_lock(connection, number):
                try:
                    if not dry_run:
                        connection.execute(
                            "DELETE FROM generations WHERE generation = %s", (number,)
                        )
                finally:
                    pg.unlock(connection, number)
                removed.append(f"generations/{number:06d}")
        for table in TABLES if removed and not dry_run else ():
            statement = (
                f'DELETE FROM "{table}" WHERE _until < {OPEN_END} AND NOT EXISTS (SELECT 1'
                " FROM generations WHERE generation >= _since AND generation < _until)"
            )
            connection.execute(cast(Any, statement))
    return removed
