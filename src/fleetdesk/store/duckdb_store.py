"""The store of one computer: Parquet per table and day, read through DuckDB in memory.

No DuckDB file is shared, because while one process has it open for writing, all others are
refused, readers included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fleetdesk.errors import StoreUnusable
from fleetdesk.model.tables import TABLES, DType, Table
from fleetdesk.store import generations, migrations, state
from fleetdesk.store.base import (
    REMOVAL,
    Gap,
    Generation,
    ImportRecord,
    Removed,
    StoreCapabilities,
)
from fleetdesk.store.files import disk_trouble
from fleetdesk.store.ledger import Reach
from fleetdesk.store.locks import FileLock, alone
from fleetdesk.store.pinned import PinnedStore
from fleetdesk.store.results import ResultFolder
from fleetdesk.store.views import Views, let_go_of_cached, observed
from fleetdesk.store.writer import GenerationWriter

GAPS = (
    Gap("several computers", lasting=True,
        reason="locks and switches of files are not to be trusted on network drives"),
)  # fmt: skip
BUFFER_BYTES = 64 * 2**20
_SQL_TYPES = {
    DType.STRING: "VARCHAR",
    DType.INT: "BIGINT",
    DType.FLOAT: "DOUBLE",
    DType.BOOL: "BOOLEAN",
    DType.TIMESTAMP: "TIMESTAMP",
}


def open_store(
    folder: Path,
    *,
    create: bool = False,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    threads: int = 1,
    memory_limit: str = "1GB",
) -> DuckDbStore:
    """Open a workspace's store folder, laying a new one with `create` where there is none.

    One thread by default: with more, sums of floats differ in the last digit from run to run.
    StoreUnusable when the folder is missing, damaged or of a newer version.
    """
    if not (folder / migrations.VERSION_FILE).is_file():
        if not create:
            raise StoreUnusable(
                "There is no FleetDesk store in this folder",
                found=f"no file {folder / migrations.VERSION_FILE}",
                fix="Import data first, or name the workspace's folder",
            )
        with disk_trouble("laying a new store", folder):
            folder.mkdir(parents=True, exist_ok=True)
            with alone(folder / "setup.lock", "laying a new store"):
                if not (folder / migrations.VERSION_FILE).is_file():
                    _lay(folder, clock())
    with disk_trouble("opening the store", folder):
        migrations.bring_up(folder)
    return DuckDbStore(folder, clock=clock, threads=threads, memory_limit=memory_limit)


class DuckDbStore(PinnedStore):
    """A workspace's store, pinned to one generation; made by `open_store`."""

    def __init__(
        self, folder: Path, *, clock: Callable[[], datetime], threads: int, memory_limit: str
    ) -> None:
        self.folder = folder
        self._settings = {"threads": threads, "memory_limit": memory_limit}
        self._manifest, self._pin = generations.open_current(folder)
        self._ledgers = state.Sqlite(folder / migrations.STATE_FILE)
        super().__init__(
            self._ledgers,
            writer_lock=FileLock(folder / "write.lock"),
            run_lock=FileLock(folder / "run.lock"),
            results=ResultFolder(folder / "runs"),
            clock=clock,
        )

    def capabilities(self) -> StoreCapabilities:
        """One computer, data larger than memory."""
        return StoreCapabilities(
            "duckdb", several_machines=False, larger_than_memory=True, gaps=GAPS
        )

    @property
    def generation(self) -> str:
        """The generation this store reads: the current one at opening, or one it wrote since."""
        return self._manifest.generation

    def data_window(self) -> tuple[datetime, datetime] | None:
        """First and last observation (UTC-aware); None when there is none."""
        return observed(self._manifest.window)

    @contextmanager
    def new_generation(self, source: str, *, keep: bool = True) -> Iterator[Generation]:
        """Write a generation; with `keep` it adds to the current one, else it starts afresh.

        When the block ends well, the generation becomes current and this store reads it. When it
        does not, nothing has changed. StoreUnusable while another process is writing.
        """
        started = self._clock()
        with self._writing(source):
            generations.collect(self.folder)
            base, pin = generations.open_current(self.folder)
            try:
                writer = GenerationWriter(
                    self.folder,
                    generations.next_name(self.folder),
                    base if keep else None,
                    buffer_bytes=BUFFER_BYTES,
                )
                try:
                    yield writer
                    manifest = writer.complete(source, migrations.STEPS[-1].version, started)
                except BaseException:
                    writer.abandon()
                    raise
            finally:
                pin.release()
            self._enter(manifest.record, writer.reach, after=base.generation)
            with disk_trouble("switching the generation", self.folder):
                generations.switch(self.folder, manifest.generation)
            self._turn_to_current()
            generations.collect(self.folder)

    def verify(self) -> None:
        """Compare every file of the generation with its checksum; StoreUnusable names the first."""
        generations.verify(self.folder, self._manifest)

    def remove_rows(self, column: str, value: str) -> Removed:
        """Remove for good all rows with this value in a column of this name, in all generations.

        Files that hold none are taken over as links; generations before go at once. StoreUnusable
        while another process is writing.
        """
        with self._writing(REMOVAL):
            with self.new_generation(REMOVAL) as generation:
                assert isinstance(generation, GenerationWriter)
                generation.leave_out(column, value)
            generations.collect(self.folder, behind=0)
            return Removed(generation.left_out, generations.behind_current(self.folder))

    def close(self) -> None:
        """Let go of everything; the store cannot be used after."""
        self._drop_views()
        self._pin.release()
        self._ledgers.close()

    def _enter(self, record: ImportRecord, reach: Reach | None, after: str) -> None:
        """Put an import and its watermark into the ledger before its generation is switched to.

        Entries beyond the current generation do not count, so a crash or a full disk between the
        two leaves nothing to see, and the next import clears it.
        """
        with self._ledgers.writing() as database:
            self._imports.forget(database, after)
            self._imports.enter(database, record, reach, self._clock())

    def _open_views(self) -> Views:
        return _DuckDbViews(self.folder, self._manifest, self._settings)

    def _turn_to_current(self) -> None:
        self._drop_views()
        self._pin.release()
        self._manifest, self._pin = generations.open_current(self.folder)

    def _collect(self, *, dry_run: bool = False) -> list[str]:
        return generations.collect(self.folder, dry_run=dry_run)


class _DuckDbViews(Views):
    """The tables of one generation in a DuckDB of their own; each is looked up when asked for."""

    def __init__(
        self, store: Path, manifest: generations.Manifest, settings: Mapping[str, Any]
    ) -> None:
        import ibis  # it takes a second to load, which an import without news does not have

        self._spill = TemporaryDirectory(prefix="fleetdesk-", ignore_cleanup_errors=True)
        self._connection = ibis.duckdb.connect(
            temp_directory=self._spill.name, preserve_insertion_order=True, **settings
        )
        # It would be drawn into what commands print.
        self._connection.raw_sql("SET enable_progress_bar = false")
        for table in TABLES.values():
            files = generations.files_of(store, manifest, table.name)
            self._connection.raw_sql(_view(table, files))

    def look_up(self, name: str) -> Any:
        return self._connection.table(name)

    def close(self) -> None:
        let_go_of_cached(self._connection)
        self._connection.disconnect()
        self._spill.cleanup()


def _view(table: Table, files: Sequence[Path]) -> str:
    columns = ", ".join(f'"{name}"' for name in table.column_names)
    if files:
        paths = ", ".join("'" + str(path).replace("'", "''") + "'" for path in files)
        body = f"SELECT {columns} FROM read_parquet([{paths}])"  # noqa: S608
    else:
        empty = ", ".join(
            f'NULL::{_SQL_TYPES[column.dtype]} AS "{column.name}"' for column in table.columns
        )
        body = f"SELECT {empty} WHERE false"
    return f'CREATE VIEW "{table.name}" AS {body}'


def _lay(folder: Path, at: datetime) -> None:
    """Make an empty store; the version file comes last, so that half a store is none."""
    empty = generations.folder_of(folder, "000000")
    empty.mkdir(parents=True, exist_ok=True)
    (folder / "runs").mkdir(exist_ok=True)
    migrations.create(folder)
    record = ImportRecord("000000", at, source="", note="", tables={}, report=None)
    version = migrations.STEPS[-1].version
    generations.write_manifest(empty, generations.Manifest(version, "000000", "", record))
    generations.switch(folder, "000000")
    migrations.mark(folder)
