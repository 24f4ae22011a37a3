"""The shared store's schema: the ledgers of every store, and the rows with their generations.

A row counts in the generations from `_since` up to, not including, `_until`. A new generation is so
only the rows that changed, and becomes visible with the transaction that wrote them.
"""

from __future__ import annotations

from typing import Any, cast

from fleetdesk.errors import StoreUnusable
from fleetdesk.model.tables import TABLES, DType, Table
from fleetdesk.store import migrations
from fleetdesk.store.postgres_connection import LAY, LOCK_CLASS, SCHEMA, Connection, one, trouble

OPEN_END = 2**31 - 1  # `_until` of a row that nothing has replaced
# Texts compare byte by byte, as on the other engines, whatever the database's language.
BACKUP = "before_v"
SQL_TYPES = {
    DType.STRING: 'text COLLATE "C"',
    DType.INT: "bigint",
    DType.FLOAT: "double precision",
    DType.BOOL: "boolean",
    DType.TIMESTAMP: "timestamp",
}
_OWN = (
    "CREATE TABLE schema_version (version integer NOT NULL)",
    "CREATE TABLE holders (number integer PRIMARY KEY, holder text NOT NULL)",
    "CREATE TABLE generations (generation integer PRIMARY KEY, windows text NOT NULL)",
    "CREATE TABLE results (run_id text, name text, data bytea NOT NULL,"
    " PRIMARY KEY (run_id, name))",
)


def exists(connection: Connection) -> bool:
    """Whether there is a store in this database."""
    with trouble("opening it"):
        found = one(
            connection,
            "SELECT to_regclass(%s) IS NOT NULL AS yes",
            (f"{SCHEMA}.schema_version",),
        )
    return bool(found["yes"])


def bring_up(connection: Connection) -> None:
    """Lay the store, or bring it to the newest version, in one transaction.

    A store of a newer version is refused. Before a migration the ledger is copied into tables whose
    names begin with `before_v` and the new version; records are not touched by migrations.
    """
    newest = migrations.STEPS[-1].version
    with trouble("bringing its schema up"), connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", (LOCK_CLASS, LAY))
        found = _version(connection) if exists(connection) else 0
        if found > newest:
            raise StoreUnusable(
                "The shared store was made by a newer FleetDesk",
                found=f"it has version {found}, this program knows {newest}",
                fix="Update FleetDesk on this computer",
            )
        if not found:
            _run(connection, f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
            for statement in _OWN:
                _run(connection, statement)
            _run(connection, "INSERT INTO generations VALUES (0, '{}')")
            _run(connection, "INSERT INTO schema_version VALUES (0)")
        if found < newest:
            if found:
                _back_up(connection, newest)
            for step in migrations.STEPS:
                if step.version > found:
                    for statement in step.statements:
                        _run(connection, translated(statement))
            connection.execute("UPDATE schema_version SET version = %s", (newest,))
        _add_missing(connection)


def translated(statement: str) -> str:
    """A statement of the ledger's schema as PostgreSQL says it."""
    return (
        statement.replace(") STRICT", ")")
        .replace("INTEGER PRIMARY KEY", "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY")
        .replace("INTEGER", "bigint")
    )


def quoted(names: tuple[str, ...], prefix: str = "") -> str:
    """Column names for a statement, each behind `prefix`."""
    return ", ".join(f'{prefix}"{name}"' for name in names)


def _back_up(connection: Connection, newest: int) -> None:
    """Copy the ledger's tables as they are."""
    rows = connection.execute(
        "SELECT table_name AS t FROM information_schema.tables WHERE table_schema = %s"
        " AND table_type = 'BASE TABLE' ORDER BY 1", (SCHEMA,),
    ).fetchall()  # fmt: skip
    for row in rows:
        name = row["t"]
        if name not in TABLES and name != "results" and not name.startswith(BACKUP):
            _run(connection, f'CREATE TABLE "{BACKUP}{newest}_{name}" AS TABLE "{name}"')


def _add_missing(connection: Connection) -> None:
    """Make canonical tables and columns that this program knows and the store lacks."""
    rows = connection.execute(
        "SELECT table_name AS t, column_name AS c FROM information_schema.columns"
        " WHERE table_schema = %s", (SCHEMA,),
    )  # fmt: skip
    there = {(row["t"], row["c"]) for row in rows}
    tables = {name for name, _ in there}
    for table in TABLES.values():
        if table.name not in tables:
            _make(connection, table)
            continue
        for column in table.columns:
            if (table.name, column.name) not in there:
                kind = SQL_TYPES[column.dtype]
                _run(connection, f'ALTER TABLE "{table.name}" ADD COLUMN "{column.name}" {kind}')


def _make(connection: Connection, table: Table) -> None:
    columns = [
        f'"{column.name}" {SQL_TYPES[column.dtype]}{"" if column.nullable else " NOT NULL"}'
        for column in table.columns
    ]
    columns += ["_since integer NOT NULL", f"_until integer NOT NULL DEFAULT {OPEN_END}"]
    _run(connection, f'CREATE TABLE "{table.name}" ({", ".join(columns)})')
    key = f'"{table.name}_key" ON "{table.name}" ({quoted(table.key)}, _until)'
    _run(connection, f"CREATE UNIQUE INDEX {key}")
    old = f'"{table.name}_old" ON "{table.name}" (_until) WHERE _until < {OPEN_END}'
    _run(connection, f"CREATE INDEX {old}")


def _version(connection: Connection) -> int:
    return int(one(connection, "SELECT version FROM schema_version")["version"])


def _run(connection: Connection, statement: str) -> None:
    connection.execute(cast(Any, statement))
