"""The store's schema, version by version; an older store is brought up after a backup."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from fleetdesk.errors import StoreUnusable
from fleetdesk.store import state
from fleetdesk.store.files import replace_text
from fleetdesk.store.locks import alone

STATE_FILE = "state.sqlite"
VERSION_FILE = "schema_version"


@dataclass(frozen=True, slots=True)
class Step:
    """What leads from the version before to `version`."""

    version: int
    statements: tuple[str, ...]


STEPS: tuple[Step, ...] = (
    Step(
        1,
        (
            """
            CREATE TABLE imports (
                generation TEXT PRIMARY KEY,
                imported_at TEXT NOT NULL,
                source TEXT NOT NULL,
                note TEXT NOT NULL,
                tables TEXT NOT NULL,
                report TEXT
            ) STRICT
            """,
            """
            CREATE TABLE settings_snapshots (
                settings_sha TEXT PRIMARY KEY,
                settings_json TEXT NOT NULL,
                settings_flat TEXT NOT NULL
            ) STRICT
            """,
            """
            CREATE TABLE runs (
                position INTEGER PRIMARY KEY,
                run_id TEXT NOT NULL UNIQUE,
                state TEXT NOT NULL CHECK (state IN (
                    'running', 'publishing', 'finished', 'failed', 'interrupted', 'discarded',
                    'undone')),
                started_at TEXT NOT NULL,
                ended_at TEXT,
                pid INTEGER NOT NULL,
                seed INTEGER NOT NULL,
                code_version TEXT NOT NULL,
                generation TEXT NOT NULL,
                first_at TEXT,
                last_at TEXT,
                settings_sha TEXT NOT NULL REFERENCES settings_snapshots (settings_sha),
                workbook TEXT,
                before_sha TEXT NOT NULL DEFAULT '',
                after_sha TEXT NOT NULL DEFAULT '',
                summary TEXT NOT NULL DEFAULT '{}',
                reason TEXT NOT NULL DEFAULT ''
            ) STRICT
            """,
        ),
    ),
    Step(
        2,
        (
            "ALTER TABLE imports ADD COLUMN origin TEXT NOT NULL DEFAULT ''",
            """
            CREATE TABLE visits (
                origin TEXT NOT NULL,
                generation TEXT NOT NULL,
                visited_at TEXT NOT NULL,
                watermark TEXT NOT NULL,
                report TEXT NOT NULL,
                PRIMARY KEY (origin, generation)
            ) STRICT
            """,
            "CREATE TABLE notes (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
        ),
    ),
)


def create(folder: Path, steps: Sequence[Step] = STEPS) -> None:
    """Lay the ledger of a new store; finishes what an interrupted creation left."""
    with closing(state.connect(folder / STATE_FILE, create=True)) as database:
        _apply(database, _version_of(database), steps)


def mark(folder: Path, steps: Sequence[Step] = STEPS) -> None:
    """Write the version into the folder; the last act of a creation or migration."""
    replace_text(folder / VERSION_FILE, f"{steps[-1].version}\n")


def bring_up(folder: Path, steps: Sequence[Step] = STEPS) -> Path | None:
    """Bring an older store to the newest version; returns the backup made, if any.

    The backup is `backups/state-v<old>.sqlite`. A store of a newer version is refused.
    """
    newest = steps[-1].version
    marked = _marked_version(folder)
    with ExitStack() as held:
        if marked < newest:
            held.enter_context(alone(folder / "setup.lock", "bringing up an older store"))
        database = held.enter_context(closing(state.connect(folder / STATE_FILE)))
        found = _version_of(database)
        if max(found, marked) > newest:
            raise StoreUnusable(
                "The workspace was made by a newer FleetDesk",
                found=f"its store has version {max(found, marked)}, this program knows {newest}",
                fix="Update FleetDesk, or open a workspace made by this version",
            )
        backup = None
        if found < newest:
            backup = _back_up(database, folder, found)
            _apply(database, found, steps)
        if marked < newest:
            mark(folder, steps)
        return backup


def _apply(database: sqlite3.Connection, found: int, steps: Sequence[Step]) -> None:
    with state.writing(database):
        for step in steps:
            if step.version > found:
                for statement in step.statements:
                    database.execute(statement)
        # user_version is part of the transaction: schema and number change together.
        database.execute(f"PRAGMA user_version = {steps[-1].version:d}")


def _back_up(database: sqlite3.Connection, folder: Path, version: int) -> Path:
    target = folder / "backups" / f"state-v{version}.sqlite"
    target.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(target)) as copy:
        database.backup(copy)
    return target


def _version_of(database: sqlite3.Connection) -> int:
    return int(database.execute("PRAGMA user_version").fetchone()[0])


def _marked_version(folder: Path) -> int:
    text = (folder / VERSION_FILE).read_text(encoding="utf-8").strip()
    if not text.isdecimal():
        raise StoreUnusable(
            "The workspace's store is damaged",
            found=f"{VERSION_FILE} says {text[:40]!r}",
            fix="Restore the folder from a backup, or import the data into a new workspace",
        )
    return int(text)
