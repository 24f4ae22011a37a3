"""The small database beside the Parquet files: imports, runs and settings snapshots."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fleetdesk.errors import StoreUnusable

WAIT_S = 10.0


class Sqlite:
    """The database as the ledgers know it."""

    def __init__(self, path: Path) -> None:
        self._connection = connect(path)

    def execute(self, statement: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Run one statement."""
        return self._connection.execute(statement, values)

    @contextmanager
    def writing(self) -> Iterator[Sqlite]:
        """One transaction: all of it or nothing."""
        with writing(self._connection):
            yield self

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def connect(path: Path, *, create: bool = False) -> sqlite3.Connection:
    """Open the database; StoreUnusable when it is missing or damaged."""
    if not create and not path.is_file():
        raise StoreUnusable(
            "The workspace's ledger is missing",
            found=f"no file {path}",
            fix="Restore the file from a backup, or import the data into a new workspace",
        )
    # isolation_level None: transactions are opened by `writing`, never behind our back.
    database = sqlite3.connect(path, timeout=WAIT_S, isolation_level=None)
    database.row_factory = sqlite3.Row
    try:
        database.execute("PRAGMA journal_mode = WAL")
        # FULL: what `publishing` says must be on the disk before the workbook is switched.
        database.execute("PRAGMA synchronous = FULL")
        database.execute("PRAGMA foreign_keys = ON")
        (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as trouble:
        database.close()
        raise ledger_trouble(trouble, path) from trouble
    if verdict != "ok":
        database.close()
        raise ledger_trouble(sqlite3.DatabaseError(verdict), path)
    return database


@contextmanager
def writing(database: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """One transaction that excludes other writers from its first statement; all or nothing."""
    try:
        database.execute("BEGIN IMMEDIATE")
        try:
            yield database
        except BaseException:
            database.execute("ROLLBACK")
            raise
        database.execute("COMMIT")
    except sqlite3.IntegrityError:
        raise
    except sqlite3.DatabaseError as trouble:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise ledger_trouble(trouble, path_of(database)) from trouble


def path_of(database: sqlite3.Connection) -> Path:
    """The file behind a connection."""
    return Path(database.execute("PRAGMA database_list").fetchone()[2])


def ledger_trouble(trouble: sqlite3.DatabaseError, path: Path) -> StoreUnusable:
    """The sentence for what SQLite complained about."""
    found = f"{trouble} in {path}"
    if "locked" in str(trouble):
        return StoreUnusable(
            "The workspace's ledger is in use by another program",
            found=found,
            fix="Wait until the other program has finished",
            retry_helps=True,
        )
    if "full" in str(trouble) or "disk I/O" in str(trouble):
        return StoreUnusable(
            "The disk gave out while writing the workspace's ledger",
            found=found,
            fix="Free some room or check the disk; the data is as it was before",
            retry_helps=True,
        )
    if "unable to open" in str(trouble) or "readonly" in str(trouble):
        return StoreUnusable(
            "The workspace's ledger cannot be written to",
            found=found,
            fix="Allow writing in that folder, or copy the whole workspace to a folder of your own",
            retry_helps=True,
        )
    return StoreUnusable(
        "The workspace's ledger is damaged",
        found=found,
        fix="Restore the file from a backup, or import the data into a new workspace",
    )
