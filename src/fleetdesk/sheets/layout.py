"""Where a planner's cells go when an owned sheet is written anew.

Notes follow their row's key; formulas stay where they are; what stood below the table keeps its
distance; notes whose row is gone are kept in a labelled block below. Pure: cells are opaque.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from fleetdesk.sheets.base import Link, ResultSheet, Value
from fleetdesk.sheets.values import clean

KEPT_LABEL = "Notes whose row is gone (kept by FleetDesk; delete what you no longer need)"
GAP = 3
"""Rows from the last used one to the label: two stay empty."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PlannerCell(Generic[T]):
    """A cell on an owned sheet that FleetDesk did not write.

    A pinned cell belongs to something that cannot be torn apart (the planner's own table, a merged
    range); an empty one carries only a format.
    """

    row: int
    column: int
    content: T
    formula: bool = False
    pinned: bool = False
    empty: bool = False


@dataclass
class OldSheet(Generic[T]):
    """An owned sheet as found: where its table is and what the planner put around it.

    `last` is the last data row; `owned` maps old columns to headers; `keys` maps rows to keys;
    `kept` is the block of orphaned notes; `totals` says whether a totals row follows the data.
    """

    top: int
    left: int
    last: int
    owned: Mapping[int, str]
    keys: Mapping[int, str] = field(default_factory=dict)
    cells: list[PlannerCell[T]] = field(default_factory=list)
    kept: list[tuple[str, list[tuple[int, T]]]] = field(default_factory=list)
    totals: bool = False
    table_columns: tuple[int, ...] = ()
    """Columns that the planner added to the table itself."""
    painted: Mapping[tuple[int, int], str] = field(default_factory=dict)
    """Cell formats of our own cells that the planner coloured or lettered otherwise."""


@dataclass
class Arrangement(Generic[T]):
    """The new sheet: corner of the table, last data row, the planner's cells, the kept block."""

    top: int
    left: int
    last: int
    cells: dict[tuple[int, int], T]
    label_row: int | None
    kept_keys: dict[int, str]
    totals: bool
    columns: dict[int, int]
    """Old column -> new column for the planner's columns that had to move."""
    displaced_formulas: bool
    """Whether a formula is no longer where it was."""
    painted: dict[tuple[int, int], str] = field(default_factory=dict)
    """Where those cells are now."""

    @property
    def bottom(self) -> int:
        """The table's last row, with the totals row if there is one."""
        return self.last + self.totals


def key_text(value: Value) -> str:
    """A key as compared between runs: 5 and 5.0 are the same row."""
    if isinstance(value, Link):
        value = value.text
    value = clean(value)
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value)


def arrange(old: OldSheet[T], sheet: ResultSheet) -> Arrangement[T]:
    """Place the planner's cells around the new table; nothing of theirs is dropped."""
    width = len(sheet.columns)
    last = old.top + max(len(sheet.rows), 1)
    columns = _new_columns(old, width)
    plan: Arrangement[T] = Arrangement(
        old.top, old.left, last, {}, None, {}, old.totals, columns, False
    )
    homes = _homes(old, sheet)
    growth = last - old.last
    orphans: dict[int, list[tuple[int, T]]] = defaultdict(list)

    def free(row: int, column: int) -> bool:
        inside = plan.top <= row <= last and plan.left <= column < plan.left + width
        return not inside and (row, column) not in plan.cells

    def place(cell: PlannerCell[T], row: int, column: int) -> bool:
        if not free(row, column):
            return False
        plan.cells[row, column] = cell.content
        if cell.formula and (row, column) != (cell.row, cell.column):
            plan.displaced_formulas = True
        return True

    for cell in sorted(old.cells, key=_urgency):
        column = columns.get(cell.column, cell.column)
        if cell.pinned or cell.row < old.top:
            target: tuple[int, int] | None = (cell.row, cell.column)
        elif cell.row == old.top:
            target = (cell.row, column)
        elif old.totals and cell.row == old.last + 1 and _in_table(old, cell.column):
            target = (last + 1, _totals_column(old, sheet, cell.column, columns))
        elif cell.row > old.last:
            stays = cell.formula and free(cell.row, column)
            target = (cell.row if stays else cell.row + growth, column)
        elif cell.formula or cell.empty:
            target = (cell.row, column)
        else:
            home = homes.get(cell.row)
            target = (home, column) if home else None
        if target is not None and place(cell, *target):
            continue
        if not cell.empty:
            orphans[cell.row].append((column, cell.content))
            plan.displaced_formulas |= cell.formula
    entries = _kept_entries(old, sheet, plan, columns, homes)
    entries += [(old.keys.get(row, ""), cells) for row, cells in sorted(orphans.items())]
    _place_kept(plan, entries)
    plan.painted = _painted(old, sheet, homes)
    return plan


def _urgency(cell: PlannerCell[T]) -> tuple[bool, bool, bool, int, int]:
    return cell.empty, not cell.pinned, not cell.formula, cell.row, cell.column


def _new_columns(old: OldSheet[T], width: int) -> dict[int, int]:
    """Planner's columns stay unless the owned table's width changed or they stood inside it."""
    if not old.owned:
        return {}
    owned_end = max(old.owned)
    inside = [c for c in range(old.left, owned_end) if c not in old.owned]
    shift = old.left + width + len(inside) - 1 - owned_end
    moved = {column: old.left + width + index for index, column in enumerate(inside)}
    if shift:
        used = {cell.column for cell in old.cells} | set(old.table_columns)
        used |= {column for _, cells in old.kept for column, _ in cells}
        moved |= {column: column + shift for column in used if column > owned_end}
    return moved


def _homes(old: OldSheet[T], sheet: ResultSheet) -> dict[int, int]:
    """Old row -> new row of the same key; the n-th row of a key meets its n-th row."""
    first = old.top + 1
    noted = {cell.row for cell in old.cells if not cell.empty} | {row for row, _ in old.painted}
    if sheet.key is None:
        end = first + len(sheet.rows)
        return {row: row for row in noted if first <= row < end}
    wanted = {old.keys.get(row, "") for row in noted} | {key for key, _ in old.kept}
    wanted.discard("")
    rows_of = _rows_of_keys(sheet, first, wanted)
    homes: dict[int, int] = {}
    seen: dict[str, int] = defaultdict(int)
    for row, key in sorted(old.keys.items()) if rows_of else ():
        if key in rows_of and old.top < row <= old.last:
            rows = rows_of[key]
            if seen[key] < len(rows):
                homes[row] = rows[seen[key]]
            seen[key] += 1
    return homes


def _rows_of_keys(sheet: ResultSheet, first: int, wanted: Collection[str]) -> dict[str, list[int]]:
    rows: dict[str, list[int]] = {}
    if not wanted:
        return rows
    index = [column.header for column in sheet.columns].index(sheet.key or "")
    for offset, row in enumerate(sheet.rows):
        key = key_text(row[index])
        if key in wanted:
            rows.setdefault(key, []).append(first + offset)
    return rows


def _painted(
    old: OldSheet[T], sheet: ResultSheet, homes: Mapping[int, int]
) -> dict[tuple[int, int], str]:
    """The planner's paint goes with the row's key, and with the column's header."""
    place = {column.header: old.left + index for index, column in enumerate(sheet.columns)}
    return {
        (homes[row], place[old.owned[column]]): style
        for (row, column), style in old.painted.items()
        if row in homes and old.owned.get(column) in place
    }


def _in_table(old: OldSheet[T], column: int) -> bool:
    return column in old.owned or column in old.table_columns


def _totals_column(
    old: OldSheet[T], sheet: ResultSheet, column: int, moved: Mapping[int, int]
) -> int:
    header = old.owned.get(column)
    headers = [column.header for column in sheet.columns]
    if header in headers:
        return old.left + headers.index(header)
    return moved.get(column, column)


def _kept_entries(
    old: OldSheet[T],
    sheet: ResultSheet,
    plan: Arrangement[T],
    columns: Mapping[int, int],
    homes: Mapping[int, int],
) -> list[tuple[str, list[tuple[int, T]]]]:
    """Notes kept earlier: back to their row when it is there again, else still kept."""
    wanted = {key for key, _ in old.kept if key} if sheet.key else set()
    rows_of = _rows_of_keys(sheet, plan.top + 1, wanted)
    taken = set(homes.values())
    left: list[tuple[str, list[tuple[int, T]]]] = []
    for key, cells in old.kept:
        row = next((row for row in rows_of.get(key, ()) if row not in taken), None) if key else None
        rest = []
        for column, content in cells:
            place = (row or 0, columns.get(column, column))
            if row is not None and place not in plan.cells and not _owned(plan, sheet, place):
                plan.cells[place] = content
            else:
                rest.append((column, content))
        if rest:
            left.append((key, rest))
    return left


def _owned(plan: Arrangement[T], sheet: ResultSheet, place: tuple[int, int]) -> bool:
    return plan.left <= place[1] < plan.left + len(sheet.columns)


def _place_kept(plan: Arrangement[T], entries: Sequence[tuple[str, list[tuple[int, T]]]]) -> None:
    if not entries:
        return
    label = max([plan.bottom, *(row for row, _ in plan.cells)]) + GAP
    plan.label_row = label
    for offset, (key, cells) in enumerate(entries):
        row = label + 1 + offset
        plan.kept_keys[row] = key
        for column, content in cells:
            place = max(column, plan.left + 1) if column >= plan.left else column
            while (row, place) in plan.cells:
                place += 1
            plan.cells[row, place] = content
