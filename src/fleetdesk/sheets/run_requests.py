"""Run requests: planners ask in their sheet, FleetDesk answers in its own.

`Run requests` is the planners': the menu, or a hand, adds rows to it and FleetDesk never writes
there. `Run answers` is FleetDesk's: one row per request, found again by the request's id, which a
formula beside the request shows as its state. So no cell of a planner's is ever written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fleetdesk.errors import WorkbookRefused
from fleetdesk.sheets.base import (
    CellStyle,
    Receipt,
    ResultColumn,
    ResultSheet,
    Snapshot,
    Value,
    Workbook,
    WritePlan,
)
from fleetdesk.sheets.layout import key_text

REQUESTS, ANSWERS = "Run requests", "Run answers"
HEADERS = ("When", "Who", "What", "Request")
_COLUMNS = (
    ResultColumn("Request", CellStyle.TEXT, 38),
    ResultColumn("State", CellStyle.TEXT, 12),
    ResultColumn("Answer", CellStyle.WRAPPED, 70),
    ResultColumn("Answered", CellStyle.DATETIME, 18),
)
_MOST = 500
"""Answers that are kept; the oldest go, and with them requests nobody looks for any more."""
_TRIES = 3
_SEEK_ROWS = 20


class RequestState(StrEnum):
    """What has become of a request; it waits while there is no answer to it."""

    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True)
class RunRequest:
    """One row of the sheet: `what` is run, check or undo, or whatever else was typed."""

    id: str
    when: Value
    who: str
    what: str


def requests(workbook: Workbook) -> tuple[RunRequest, ...]:
    """The requests that have no answer yet, the oldest first.

    A row without an id (typed by hand) is known by its content, so a copy of it is the same
    request. One that FleetDesk was working on when it was stopped has its answer `running` and is
    not begun again by itself.
    """
    snapshot = workbook.snapshot((REQUESTS, ANSWERS))
    answered = {key_text(row[0]) for row in _answers(snapshot)}
    found: dict[str, RunRequest] = {}
    for request in _asked(snapshot):
        if request.id not in answered:
            found.setdefault(request.id, request)
    return tuple(found.values())


def answer(
    workbook: Workbook, request: RunRequest, state: RequestState, text: str, at: datetime
) -> Receipt:
    """Write what has become of a request; `at` is local time.

    An edit by the planner at the same moment is no reason to give up: it is tried again.
    """
    tries = 0
    while True:
        tries += 1
        snapshot = workbook.snapshot((REQUESTS, ANSWERS))
        rows = [row for row in _answers(snapshot) if key_text(row[0]) != request.id]
        rows.append((request.id, state.value, text, at))
        sheet = ResultSheet(
            sheet=ANSWERS,
            title="Answers to run requests",
            note=f"FleetDesk's answers to the sheet {REQUESTS}, the newest last.",
            table_name="RunAnswers",
            columns=_COLUMNS,
            rows=rows[-_MOST:],
            key="Request",
        )
        try:
            return workbook.commit(WritePlan((sheet,)), snapshot.fingerprint)
        except WorkbookRefused as error:
            if not error.retry_helps or tries == _TRIES:
                raise


def _asked(snapshot: Snapshot) -> list[RunRequest]:
    cells = _cells(snapshot, REQUESTS)
    head = _header(cells, HEADERS[:3])
    if head is None:
        return []
    top, columns = head
    asked = []
    for row in sorted({row for row, _ in cells if row > top}):
        when, who, what, key = (
            cells.get((row, columns[name])) if name in columns else None for name in HEADERS
        )
        word = key_text(what).strip().casefold()
        if word:
            known = key_text(key).strip() or f"{key_text(when)} {key_text(who)} {word}"
            asked.append(RunRequest(known, when, key_text(who), word))
    return asked


def _answers(snapshot: Snapshot) -> list[tuple[Value, ...]]:
    cells = _cells(snapshot, ANSWERS)
    head = _header(cells, tuple(column.header for column in _COLUMNS))
    if head is None:
        return []
    top, columns = head
    rows = []
    row = top + 1
    while cells.get((row, columns["Request"])) is not None:
        rows.append(tuple(cells.get((row, columns[column.header])) for column in _COLUMNS))
        row += 1
    return rows


def _header(
    cells: Mapping[tuple[int, int], Value], wanted: tuple[str, ...]
) -> tuple[int, dict[str, int]] | None:
    """The first row that holds all wanted headers, and the column of each header there."""
    for row in range(1, _SEEK_ROWS + 1):
        names = {str(v).strip(): c for (r, c), v in sorted(cells.items()) if r == row}
        if all(name in names for name in wanted):
            return row, names
    return None


def _cells(snapshot: Snapshot, sheet: str) -> Mapping[tuple[int, int], Value]:
    found = snapshot.sheets.get(sheet)
    return found.cells if found else {}
