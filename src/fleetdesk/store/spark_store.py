"""The store of a cluster: the same folder as on one computer, read through Spark.

Generations, ledgers and results stay as they are, so the folder must be where every worker of the
cluster sees it under the same path. What is imported is written by this computer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ibis.backends.pyspark import Backend
from pyspark.sql import SparkSession

from fleetdesk.errors import StoreUnusable
from fleetdesk.model.tables import TABLES, DType, Table
from fleetdesk.store import generations
from fleetdesk.store.base import Gap, StoreCapabilities
from fleetdesk.store.duckdb_store import GAPS as FOLDER_GAPS
from fleetdesk.store.duckdb_store import DuckDbStore, open_store
from fleetdesk.store.views import Views, let_go_of_cached

MEMORY = "1200m"
GAPS = (
    *FOLDER_GAPS,
    Gap("writing on the cluster", lasting=False,
        reason="imports and results are written by the computer that asks for them"),
)  # fmt: skip
_SQL_TYPES = {
    DType.STRING: "STRING",
    DType.INT: "BIGINT",
    DType.FLOAT: "DOUBLE",
    DType.BOOL: "BOOLEAN",
    DType.TIMESTAMP: "TIMESTAMP_NTZ",
}
_OPTIONS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
    # Our days are few megabytes each: many tasks would cost more than they share.
    "spark.sql.shuffle.partitions": "4",
    # Times in the files carry no zone, and must get none.
    "spark.sql.parquet.inferTimestampNTZ.enabled": "true",
}
_LOCAL = {
    "spark.driver.memory": MEMORY,
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
}


def open_spark(
    address: str,
    folder: Path,
    *,
    create: bool = False,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> SparkStore:
    """Open a workspace's store folder for reading through `spark:local` or `spark://host:port`.

    Spark is started when tables are asked for; what only looks after the folder does without.
    """
    with open_store(folder, create=create, clock=clock):
        pass  # it is there, whole and of our version
    return SparkStore(folder, address, clock=clock)


class SparkStore(DuckDbStore):
    """A workspace's store whose tables are Spark's; made by `open_spark`."""

    def __init__(self, folder: Path, address: str, *, clock: Callable[[], datetime]) -> None:
        super().__init__(folder, clock=clock, threads=1, memory_limit="")
        self._address = address

    def capabilities(self) -> StoreCapabilities:
        """Queries on several computers, writers on one."""
        return StoreCapabilities(
            "spark", several_machines=False, larger_than_memory=True, gaps=GAPS
        )

    def _open_views(self) -> Views:
        return _SparkViews(_session(self._address).newSession(), self.folder, self._manifest)


class _SparkViews(Views):
    """The tables of one generation as views of a Spark session of their own."""

    def __init__(self, session: SparkSession, store: Path, manifest: generations.Manifest) -> None:
        self._session = session
        for table in TABLES.values():
            files = generations.files_of(store, manifest, table.name)
            if files:
                rows = session.read.parquet(*(_unglobbed(file) for file in files))
                rows = rows.select(*table.column_names)
            else:
                rows = session.sql(_nothing(table))
            rows.createOrReplaceTempView(table.name)
        _Engine.register_options()  # what its compiler asks for
        self._engine = _Engine()
        self._engine.do_connect(session)

    def look_up(self, name: str) -> Any:
        return self._engine.table(name)

    def close(self) -> None:
        let_go_of_cached(self._engine)
        for name in TABLES:
            self._session.catalog.dropTempView(name)


class _Engine(Backend):
    """Ibis' engine, which forgets to hand over tables in memory before it caches what uses them."""

    def _create_cached_table(self, name: str, expr: Any) -> Any:
        self._run_pre_execute_hooks(expr)
        return super()._create_cached_table(name, expr)


def _session(address: str) -> SparkSession:
    """The process's Spark, started with the first store that needs it."""
    master = "local[2]" if address == "spark:local" else address
    options: Mapping[str, str] = _OPTIONS | (_LOCAL if master.startswith("local") else {})
    builder = SparkSession.builder.master(master).appName("FleetDesk")
    for name, value in options.items():
        builder = builder.config(name, value)
    try:
        return builder.getOrCreate()
    except Exception as error:
        raise StoreUnusable(
            f"Spark cannot be started for {address}",
            found=str(error).strip().splitlines()[0],
            fix="Install Java 17 and check City: Data store",
            retry_helps=True,
        ) from error


def _unglobbed(path: Path) -> str:
    """A path as Spark takes it for one file, whatever characters it has."""
    return "".join(f"\\{sign}" if sign in "[]{}*?\\" else sign for sign in str(path))


def _nothing(table: Table) -> str:
    columns = [f"CAST(NULL AS {_SQL_TYPES[c.dtype]}) AS `{c.name}`" for c in table.columns]
    return f"SELECT {', '.join(columns)} WHERE false"
