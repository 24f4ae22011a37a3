"""What was imported and how far each source is in, in whichever small database a store has."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol

from fleetdesk.model.quality import QualityReport
from fleetdesk.store.base import ImportRecord, Visit
from fleetdesk.store.generations import record_as_dict, record_from_dict

VISITS_KEPT = 10
Row = Mapping[str, Any]
Reach = tuple[str, Mapping[str, str]]


class Rows(Protocol):
    """What a statement found."""

    def fetchone(self) -> Any:
        """The next row, or None."""

    def __iter__(self) -> Any:
        """The rows."""


class Database(Protocol):
    """A small database; statements are in the SQL that SQLite and PostgreSQL share, with `?`."""

    def execute(self, statement: str, values: Sequence[Any] = ()) -> Rows:
        """Run one statement; rows give their values by column name."""

    def writing(self) -> AbstractContextManager[Database]:
        """One transaction: all of it or nothing."""


class ImportLedger:
    """Imports, visits to sources, and notes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def imports(self, upto: str) -> list[ImportRecord]:
        """What was imported up to this generation, the oldest first."""
        rows = self._database.execute(
            "SELECT * FROM imports WHERE generation <= ? ORDER BY generation", (upto,)
        )
        return [_record(row) for row in rows]

    def last(self, upto: str) -> ImportRecord | None:
        """The latest import up to this generation."""
        row = self._database.execute(
            "SELECT * FROM imports WHERE generation <= ? ORDER BY generation DESC LIMIT 1", (upto,)
        ).fetchone()
        return _record(row) if row else None

    def enter(
        self, database: Database, record: ImportRecord, reach: Reach | None, at: datetime
    ) -> None:
        """Put an import and its watermark in; part of the caller's transaction on `database`."""
        values = record_as_dict(record)
        account = json.dumps(values["report"])
        database.execute(
            "INSERT INTO imports (generation, imported_at, source, note, tables, report, origin)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                record.generation, values["imported_at"], record.source, record.note,
                json.dumps(values["tables"]), account, record.origin,
            ),
        )  # fmt: skip
        if reach is not None:
            origin, watermark = reach
            _note_visit(database, origin, record.generation, at, watermark, account)
            # A feed asked every minute would leave half a million a year; readers of older
            # generations than these have only the look of the status to lose.
            database.execute(
                "DELETE FROM visits WHERE origin = ? AND generation NOT IN (SELECT generation"
                " FROM visits WHERE origin = ? ORDER BY generation DESC LIMIT ?)",
                (origin, origin, VISITS_KEPT),
            )

    def forget(self, database: Database, after: str) -> None:
        """Take out what belongs to generations beyond this one; they were never switched to."""
        for table in ("imports", "visits"):
            database.execute(f"DELETE FROM {table} WHERE generation > ?", (after,))  # noqa: S608

    def visits(self, upto: str) -> list[Visit]:
        """The latest look at each source, by origin, as this generation knows it."""
        rows: Iterable[Row] = self._database.execute(
            "SELECT * FROM visits WHERE generation <= ? ORDER BY generation", (upto,)
        )
        latest = {row["origin"]: row for row in rows}
        return [_visit(row) for _, row in sorted(latest.items())]

    def visited(
        self,
        origin: str,
        generation: str,
        at: datetime,
        watermark: Mapping[str, str],
        report: QualityReport | None,
    ) -> None:
        """Note a look that ended without further rows, and give an import the account it lacks."""
        account = json.dumps(report.as_dict() if report else None)
        with self._database.writing() as database:
            _note_visit(database, origin, generation, at, watermark, account)
            database.execute(
                "UPDATE imports SET report = ? WHERE generation = ? AND origin = ?"
                " AND report = 'null'",
                (account, generation, origin),
            )

    def note(self, name: str) -> str | None:
        """A short text kept about the store as a whole."""
        row = self._database.execute("SELECT value FROM notes WHERE name = ?", (name,)).fetchone()
        return str(row["value"]) if row else None

    def keep_note(self, name: str, value: str) -> None:
        """Keep or replace such a text."""
        with self._database.writing() as database:
            database.execute(
                "INSERT INTO notes (name, value) VALUES (?, ?)"
                " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (name, value),
            )


def _record(row: Row) -> ImportRecord:
    plain = ("generation", "imported_at", "source", "note", "origin")
    return record_from_dict(
        {name: row[name] for name in plain}
        | {"tables": json.loads(row["tables"]), "report": json.loads(row["report"])}
    )


def _note_visit(
    database: Database,
    origin: str,
    generation: str,
    at: datetime,
    watermark: Mapping[str, str],
    account: str,
) -> None:
    database.execute(
        "INSERT INTO visits (origin, generation, visited_at, watermark, report)"
        " VALUES (?, ?, ?, ?, ?) ON CONFLICT (origin, generation) DO UPDATE SET"
        " visited_at = excluded.visited_at, watermark = excluded.watermark,"
        " report = excluded.report",
        (origin, generation, at.isoformat(), json.dumps(dict(watermark)), account),
    )


def _visit(row: Row) -> Visit:
    account = json.loads(row["report"])
    return Visit(
        origin=row["origin"],
        visited_at=datetime.fromisoformat(row["visited_at"]),
        generation=row["generation"],
        watermark=json.loads(row["watermark"]),
        report=QualityReport.from_dict(account) if account else None,
    )
