"""A workbook in memory, for tests and the demo: the same port and the same placing of notes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from fleetdesk.errors import WorkbookRefused
from fleetdesk.model.charts import Chart
from fleetdesk.model.sheet_template import FORM_HEADERS, SheetTemplate
from fleetdesk.sheets.a1 import address
from fleetdesk.sheets.base import (
    MANIFEST_SHEET,
    SCHEMA_ROW,
    Capabilities,
    Image,
    Link,
    Receipt,
    ResultSheet,
    SheetCells,
    Snapshot,
    Value,
    WritePlan,
)
from fleetdesk.sheets.layout import KEPT_LABEL, OldSheet, PlannerCell, arrange, key_text
from fleetdesk.sheets.plan_check import check_plan, links_of
from fleetdesk.sheets.setting_sheet import as_sheet
from fleetdesk.sheets.values import clean

Cells = dict[tuple[int, int], Value]

_HEADER_ROW = 4


@dataclass
class _Owned:
    """Where an owned sheet is now and what was last written to it."""

    shown_as: str
    headers: tuple[str, ...]
    last: int
    label_row: int | None = None
    kept_rows: tuple[int, ...] = ()
    charts: tuple[Chart, ...] = ()
    images: tuple[Image, ...] = ()


@dataclass
class _State:
    sheets: dict[str, Cells]
    owned: dict[str, _Owned] = field(default_factory=dict)

    def fingerprint(self) -> str:
        ordered = [(name, sorted(cells.items())) for name, cells in self.sheets.items()]
        return hashlib.sha256(repr(ordered).encode()).hexdigest()

    def copy(self) -> _State:
        return _State({n: dict(c) for n, c in self.sheets.items()}, dict(self.owned))


class MemoryWorkbook:
    """Sheets as dictionaries; `edit`, `rename` and `delete` are what a planner does meanwhile."""

    def __init__(
        self, sheets: Mapping[str, Mapping[tuple[int, int], Value]], where: str = "memory"
    ) -> None:
        self._state = _State({name: dict(cells) for name, cells in sheets.items()})
        self._where = where
        self.backups: list[dict[str, Cells]] = []

    def capabilities(self) -> Capabilities:
        """Charts and pictures are kept as what they are drawn from."""
        return Capabilities(kind="memory", charts=True, images=True, live=False)

    def snapshot(self, names: Sequence[str] | None = None) -> Snapshot:
        """The named sheets as they are now; an owned one also under its name in plans."""
        state = self._state
        wanted = {name: name for name in state.sheets}
        if names is not None:
            actual = {n: n for n in names if n in state.sheets}
            followed = {n: o.shown_as for n, o in state.owned.items() if n in names}
            wanted = {n: s for n, s in (followed | actual).items() if s in state.sheets}
        sheets = {
            name: SheetCells(shown, dict(state.sheets[shown])) for name, shown in wanted.items()
        }
        return Snapshot(self._where, sheets, tuple(state.sheets), state.fingerprint())

    def obstacles(
        self, new: Sequence[SheetTemplate], whole: Sequence[SheetTemplate] = ()
    ) -> dict[str, str]:
        """Why new settings cannot be added, by table; the others can be."""
        found = {sheet.table: _room(self._state, sheet) for sheet in new}
        taken = {
            sheet.table: f"there is a sheet of your own named {sheet.sheet}"
            for sheet in whole
            if sheet.sheet in self._state.sheets
        }
        return {table: why for table, why in found.items() if isinstance(why, str)} | taken

    def prepare(self, plan: WritePlan, expect: str) -> PreparedMemory:
        """Build the new sheets aside; refused when the workbook has changed since `expect`."""
        check_plan(plan)
        self._refuse_changed(expect)
        state = self._state.copy()
        added = [sheet.sheet for sheet in plan.sheets if _write(state, sheet, self._where)]
        for new in plan.new_settings:
            _add_settings(state, new, self._where)
        for new in plan.new_sheets:
            state.sheets[new.sheet] = dict(_drawn(as_sheet(new)))
        if plan.settings_schema is not None:
            state.sheets[MANIFEST_SHEET] = {(1, 1): SCHEMA_ROW, (1, 2): plan.settings_schema}
        written = tuple(sheet.sheet for sheet in plan.sheets)
        return PreparedMemory(self, state, expect, state.fingerprint(), written, tuple(added))

    def commit(self, plan: WritePlan, expect: str) -> Receipt:
        """Prepare and switch: all or nothing."""
        return self.prepare(plan, expect).switch()

    def edit(self, sheet: str, row: int, column: int, value: Value) -> None:
        """Type a value into a cell, making the sheet when there is none."""
        cells = self._state.sheets.setdefault(sheet, {})
        cells.pop((row, column), None)
        if value is not None:
            cells[row, column] = value

    def charts(self, sheet: str) -> tuple[Chart, ...]:
        """The charts that stand on an owned sheet, by its present name."""
        owned = (o for o in self._state.owned.values() if o.shown_as == sheet)
        return next((one.charts for one in owned), ())

    def rename(self, sheet: str, name: str) -> None:
        """Give a sheet another name."""
        self._state.sheets = {
            (name if old == sheet else old): cells for old, cells in self._state.sheets.items()
        }
        for owned in self._state.owned.values():
            if owned.shown_as == sheet:
                owned.shown_as = name

    def delete(self, sheet: str) -> None:
        """Remove a sheet."""
        del self._state.sheets[sheet]
        self._state.owned = {n: o for n, o in self._state.owned.items() if o.shown_as != sheet}

    def _refuse_changed(self, expect: str) -> None:
        if self._state.fingerprint() != expect:
            raise WorkbookRefused(
                f"{self._where} was changed while FleetDesk was working, so nothing was written",
                fix="Run again, so that the new settings are used",
                retry_helps=True,
            )

    def _accept(self, state: _State, before: str) -> str:
        self._refuse_changed(before)
        self.backups.append({name: dict(cells) for name, cells in self._state.sheets.items()})
        self._state = state
        return f"{self._where} backup {len(self.backups)}"


@dataclass(frozen=True)
class PreparedMemory:
    """New sheets waiting to replace the old ones."""

    workbook: MemoryWorkbook
    state: _State
    before: str
    after: str
    written: tuple[str, ...]
    added: tuple[str, ...]

    def switch(self) -> Receipt:
        """Put the new sheets in place, after checking that nobody changed the old ones."""
        backup = self.workbook._accept(self.state, self.before)
        return Receipt(self.after, backup, self.written, self.added)

    def discard(self) -> None:
        """Nothing to remove: the new sheets were never in the workbook."""


def _write(state: _State, sheet: ResultSheet, where: str) -> bool:
    """Write one owned sheet; true when it was added."""
    owned = state.owned.get(sheet.sheet)
    shown = owned.shown_as if owned else sheet.sheet
    taken = {name.casefold(): name for name in state.sheets}
    if owned is None and shown.casefold() in taken:
        raise WorkbookRefused(
            f"{where} has a sheet of your own named {taken[shown.casefold()]}, where FleetDesk "
            "would write its results",
            fix="Rename your sheet and run again",
        )
    links_of(sheet)
    old = _old_sheet(state.sheets.get(shown, {}), sheet, owned)
    plan = arrange(old, sheet)
    cells: Cells = dict(plan.cells)
    top, left = plan.top, plan.left
    cells[top - 3, left] = sheet.title
    cells[top - 2, left] = sheet.note
    for index, column in enumerate(sheet.columns):
        cells[top, left + index] = column.header
    for offset, row in enumerate(sheet.rows):
        for index, value in enumerate(row):
            shown_value = clean(value.text if isinstance(value, Link) else value)
            if shown_value is not None:
                cells[top + 1 + offset, left + index] = shown_value
    if plan.label_row is not None:
        cells[plan.label_row, left] = KEPT_LABEL
        cells |= {(row, left): key for row, key in plan.kept_keys.items() if key}
    state.sheets[shown] = {place: value for place, value in cells.items() if value is not None}
    headers = tuple(column.header for column in sheet.columns)
    rows = tuple(plan.kept_keys)
    charts = sheet.charts if sheet.rows else ()
    state.owned[sheet.sheet] = _Owned(
        shown, headers, plan.last, plan.label_row, rows, charts, sheet.images
    )
    return owned is None


def _drawn(sheet: ResultSheet) -> Iterator[tuple[tuple[int, int], Value]]:
    yield (1, 1), sheet.title
    yield (2, 1), sheet.note
    rows = [tuple(column.header for column in sheet.columns), *sheet.rows]
    for row, values in enumerate(rows, start=_HEADER_ROW):
        for column, value in enumerate(values, start=1):
            if value is not None:
                yield (row, column), value


def _room(state: _State, new: SheetTemplate) -> tuple[int, int] | str:
    """The row and column of the first new label below a form, or what is in the way."""
    cells = state.sheets.get(new.sheet, {})
    width = len(FORM_HEADERS)
    for row, column in cells:
        if tuple(cells.get((row, column + i)) for i in range(width)) == FORM_HEADERS:
            while cells.get((row, column)) is not None:
                row += 1
            wanted = {
                (row + down, column + right)
                for down in range(len(new.inputs) + 1)
                for right in range(width)
            }
            used = sorted(place for place in wanted if cells.get(place) is not None)
            return f"{address(*used[0])} is in use" if used else (row, column)
    return "the heads of the settings are no longer there"


def _add_settings(state: _State, new: SheetTemplate, where: str) -> None:
    room = _room(state, new)
    if isinstance(room, str):
        raise WorkbookRefused(
            f"New settings cannot be added to the sheet {new.sheet} of {where}", found=room
        )
    for row, values in enumerate(new.body(), start=room[0]):
        for column, value in enumerate(values, start=room[1]):
            if value not in (None, ""):
                state.sheets[new.sheet][row, column] = value


def _old_sheet(cells: Cells, sheet: ResultSheet, owned: _Owned | None) -> OldSheet[Value]:
    if owned is None:
        return OldSheet(top=_HEADER_ROW, left=1, last=_HEADER_ROW + 1, owned={})
    columns = dict(enumerate(owned.headers, start=1))
    old: OldSheet[Value] = OldSheet(_HEADER_ROW, 1, owned.last, columns)
    keys: dict[int, str] = {}
    key = next((c for c, header in columns.items() if header == sheet.key), 0)
    kept: dict[int, tuple[str, list[tuple[int, Value]]]] = {
        row: (key_text(cells.get((row, 1))), []) for row in owned.kept_rows
    }
    for (row, column), value in sorted(cells.items(), key=lambda item: item[0]):
        ours = column in columns and _HEADER_ROW <= row <= owned.last
        if column == key and ours:
            keys[row] = key_text(value)
        if ours or (row, column) in ((1, 1), (2, 1), (owned.label_row, 1)):
            continue
        if row in kept:
            if column != 1:
                kept[row][1].append((column, value))
            continue
        formula = isinstance(value, str) and value.startswith("=")
        old.cells.append(PlannerCell(row, column, value, formula))
    old.keys = keys
    old.kept = [entry for _, entry in sorted(kept.items()) if entry[1]]
    return old
