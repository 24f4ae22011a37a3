"""What the planner changed on the sheet Routes since the last run wrote it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, TypeVar

from fleetdesk.errors import Problem, Severity, StoreUnusable
from fleetdesk.model.edits import Edits, StopKey
from fleetdesk.model.plan import Action
from fleetdesk.settings.cells import YES
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.a1 import address
from fleetdesk.sheets.base import SheetCells, Snapshot, Value
from fleetdesk.store.base import Store
from fleetdesk.workflows import given_tasks
from fleetdesk.workflows.context import Context
from fleetdesk.workflows.given_tasks import Given
from fleetdesk.workflows.kept_results import last_plan
from fleetdesk.workflows.route_orders import Row, edited

SHEET = "Routes"
INPUTS = ("Worker", "Stop", "Lock", "Exclude")
DONE = "Done"
_Before = TypeVar("_Before", bool, None)
_NO = frozenset({"", "no", "n", "false", "όχι"})


def route_edits(context: Context) -> Edits:
    """The edits on the workbook's Routes against what the last finished run wrote there."""
    return edits_on(context.snapshot, context.settings, context.store)


def edits_on(snapshot: Snapshot, settings: Settings, store: Store) -> Edits:
    """The same for a workbook that was only read."""
    last = last_plan(store)
    if last is None:
        return Edits()
    try:
        rows = store.result(last.run_id, SHEET).to_pylist()
        tasks = store.result(last.run_id, given_tasks.SHEET).to_pylist()
    except StoreUnusable:
        # The run is from before results were kept, so nothing says what it wrote.
        return Edits()
    workers = [worker.name for worker in settings.workers]
    given = given_tasks.given_tasks(snapshot.sheets.get(given_tasks.SHEET), tasks, workers)
    edits = read_edits(snapshot, rows, workers, given)
    return replace(edits, day=date.fromisoformat(last.summary["day"]))


def read_edits(
    snapshot: Snapshot, last_rows: Sequence[Mapping[str, Any]], workers: Sequence[str],
    given: Given = ((), ()),
) -> Edits:  # fmt: skip
    """Every edit and every value that cannot be used; `last_rows` are what was written, by header.

    Rows find each other by the column Row, wherever the planner has sorted them to. Those `given`
    on the sheet Tasks come to them.
    """
    written = {str(row["Row"]): row for row in last_rows if row.get("Task")}
    sheet = snapshot.sheets.get(SHEET)
    table = _Table.find(sheet) if sheet else None
    if table is None:
        return Edits()
    found = dict(table.rows())
    reader = _Reader(table, {worker.strip().casefold(): worker for worker in workers})
    rows = [reader.row(row, found.get(name)) for name, row in written.items()]
    there = {row.key.task_id for row in rows if row.worker or row.excluded}
    new = {row.key.task_id: row for row in given[0] if row.key.task_id not in there}
    # What was done before a rest was planned has no place among the rows that are left.
    left = (row for row in rows if row.key.task_id not in new and not row.over)
    edits = edited([*left, *new.values()])
    done = {row.key: row.said for row in rows if row.said is not None}
    return replace(edits, problems=(*reader.problems, *given[1], *edits.problems), done=done)


@dataclass(frozen=True)
class _Table:
    """Where the sheet's columns are."""

    sheet: SheetCells
    top: int
    columns: Mapping[str, int]

    @classmethod
    def find(cls, sheet: SheetCells) -> _Table | None:
        wanted = {*INPUTS, "Row"}
        by_row: dict[int, dict[str, int]] = {}
        for (row, column), value in sorted(sheet.cells.items()):
            # Sheets of older runs have no column Done.
            if isinstance(value, str) and value in {*wanted, DONE}:
                by_row.setdefault(row, {}).setdefault(value, column)
        return next(
            (cls(sheet, r, cols) for r, cols in by_row.items() if wanted <= set(cols)), None
        )

    def rows(self) -> Iterator[tuple[str, int]]:
        """The first row of each key below the headers."""
        seen: set[str] = set()
        for (row, column), value in sorted(self.sheet.cells.items()):
            if column == self.columns["Row"] and row > self.top and str(value) not in seen:
                seen.add(str(value))
                yield str(value), row

    def value(self, row: int, header: str) -> Value:
        """What stands there now."""
        return self.sheet.cells.get((row, self.columns.get(header, 0)))

    def cell(self, row: int, header: str) -> str:
        """The address."""
        return address(row, self.columns[header])


class _Reader:
    """Turns cells into rows; a value that cannot be used is listed and counts as unchanged."""

    def __init__(self, table: _Table, workers: Mapping[str, str]) -> None:
        self._table, self._workers = table, workers
        self.problems: list[tuple[str, Problem]] = []

    def row(self, was: Mapping[str, Any], at: int | None) -> Row:
        key = StopKey(str(was["Task"]), was["Action"] == Action.DROP_OFF.value)
        before = Row(
            key=key,
            vehicle=str(was["Vehicle"]),
            was_worker=was["Worker"] or "",
            worker=was["Worker"] or "",
            was_stop=was["Stop"],
            stop=was["Stop"],
            was_locked=_is_yes(was["Lock"]),
            locked=_is_yes(was["Lock"]),
            excluded=_is_yes(was["Exclude"]),
            text=was["Edit"] or "",
            done=_is_yes(was.get(DONE)),
        )
        before = replace(before, said=self._said(before, at))
        if before.over:
            self._tell_of_changes(before, at)
            return before
        if at is None:
            self._warn(before, "", "The row was deleted,", "which changes nothing",
                       "Set Exclude to yes to leave a task out")  # fmt: skip
            return before
        stop = self._stop(before, at)
        return replace(
            before,
            worker=self._worker(before, at),
            # One that was not done after all has lost its place among those that are left.
            stop=None if before.done and stop == before.was_stop else stop,
            locked=self._yes(before, at, "Lock", before.locked),
            excluded=self._yes(before, at, "Exclude", before.excluded),
            cells={header: self._table.cell(at, header) for header in INPUTS},
        )

    def _said(self, row: Row, at: int | None) -> bool | None:
        """Whether the planner says that the stop is done; None where nothing is said."""
        typed = None if at is None else self._table.value(at, DONE)
        if at is None or typed is None or not str(typed).strip():
            return None
        return self._yes(row, at, DONE, None)

    def _tell_of_changes(self, row: Row, at: int | None) -> None:
        """A word where another worker, place or Exclude is asked of a stop that is over."""
        if at is None:
            return
        worker, place = (self._table.value(at, header) for header in ("Worker", "Stop"))
        asked = {
            "Worker": str(worker or row.worker).strip().casefold() != row.worker.casefold(),
            "Stop": isinstance(place, int | float) and place != row.was_stop,
            "Exclude": _is_yes(self._table.value(at, "Exclude")),
        }
        for header in (header for header, changed in asked.items() if changed):
            cell = self._table.cell(at, header)
            self._warn(
                row, cell, "It was done before the last plan,",
                f"so {header} counts for nothing", "If it was not, enter no in Done",
            )  # fmt: skip

    def _worker(self, row: Row, at: int) -> str:
        typed = str(self._table.value(at, "Worker") or "").strip()
        if not typed and row.was_worker:
            self._warn(
                row, self._table.cell(at, "Worker"), "The worker is missing,",
                f"so {row.was_worker} keeps the task", "To leave it out, set Exclude",
            )  # fmt: skip
        known = self._workers.get(typed.casefold())
        if typed and known is None:
            self._warn(row, self._table.cell(at, "Worker"), f"{typed!r} is no worker",
                       "of the sheet Workers & vans", "Choose one of them")  # fmt: skip
        return known or row.was_worker

    def _stop(self, row: Row, at: int) -> float | None:
        typed = self._table.value(at, "Stop")
        if typed is None or (isinstance(typed, str) and not typed.strip()):
            return row.was_stop
        try:
            place = float(str(typed).replace(",", "."))
        except ValueError:
            place = math.nan
        if math.isfinite(place):
            return place
        self._warn(
            row, self._table.cell(at, "Stop"), f"{typed!r} is no number,",
            "so the order is unchanged", "Enter a place such as 3 or 2.5",
        )  # fmt: skip
        return row.was_stop

    def _yes(self, row: Row, at: int, header: str, before: _Before) -> bool | _Before:
        typed = self._table.value(at, header)
        text = str(typed if typed is not None else "").strip().casefold()
        if _is_yes(typed):
            return True
        if typed is False or text in _NO:
            return False
        known, fix = (
            ("neither yes nor no,", "Enter yes or no, or clear the cell")
            if header == DONE
            else ("neither yes nor empty,", "Enter yes or clear the cell")
        )
        self._warn(row, self._table.cell(at, header), f"{typed!r} is {known}",
                   f"so {header} is unchanged", fix)  # fmt: skip
        return before

    def _warn(self, row: Row, cell: str, found: str, expected: str, fix: str) -> None:
        about = f"{row.vehicle}: {found}"
        problem = Problem(SHEET, cell, about, expected, fix, Severity.WARNING)
        self.problems.append((row.key.task_id, problem))


def _is_yes(value: object) -> bool:
    return value is True or str(value or "").strip().casefold() in YES
