"""The fast way to many rows of a MySQL table: DuckDB's scanner, where it is installed."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from fleetdesk.sources.mysql_server import Address

_PACKAGE = "duckdb_extension_mysql_scanner"
_ALONE = {
    "threads": 1,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


class Bulk:
    """Sends the same statements as `MySqlServer` and gives the same texts, in half the time."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def texts(self, sql: str, columns: int) -> pa.Table:
        """What a statement gives, all columns as texts; duckdb.Error when it cannot be had."""
        rows = self._connection.execute("SELECT * FROM mysql_query('fleet', ?)", [sql])
        table = rows.to_arrow_table()
        arrays = [table.column(place).cast(pa.string()) for place in range(columns)]
        return pa.Table.from_arrays(arrays, names=[f"c{place}" for place in range(columns)])

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def open_bulk(address: Address, password: str) -> Bulk | None:
    """A connection of its own; None where the extension is missing or does not get through."""
    try:
        extension = _extension()
        connection = duckdb.connect(config=_ALONE)
        connection.execute(f"LOAD {_text(str(extension))}")
        connection.execute("SET mysql_pool_size = 1")
        connection.execute("SET mysql_session_time_zone = '+00:00'")
        connection.execute(
            f"CREATE SECRET fleet (TYPE mysql, HOST {_text(address.host)}, PORT {address.port}, "
            f"DATABASE {_text(address.database)}, USER {_text(address.user)}, "
            f"PASSWORD {_text(password)})"
        )
        connection.execute("ATTACH '' AS fleet (TYPE mysql, SECRET fleet)")
    except (ImportError, OSError, duckdb.Error):
        return None
    return Bulk(connection)


def _extension() -> Path:
    module = importlib.import_module(_PACKAGE)
    folder = Path(str(module.__file__)).parent / "extensions" / f"v{duckdb.__version__}"
    return folder / "mysql_scanner.duckdb_extension"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
