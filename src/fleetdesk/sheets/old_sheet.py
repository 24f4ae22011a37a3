"""An owned sheet as the planner left it: their cells told from ours, their blocks kept whole."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from fleetdesk.sheets.a1 import Area, rectangle
from fleetdesk.sheets.base import ResultSheet
from fleetdesk.sheets.layout import KEPT_LABEL, OldSheet, PlannerCell, key_text
from fleetdesk.sheets.owned import Found, Ownership, refuse_overlap
from fleetdesk.sheets.parts import Book
from fleetdesk.sheets.reading import Reader
from fleetdesk.sheets.sheet_scan import RawCell, Scan, scan_sheet
from fleetdesk.sheets.xml_spans import parse


def read_old_sheet(
    book: Book,
    reader: Reader,
    ownership: Ownership,
    sheet: ResultSheet,
    found: Found,
    painted: Collection[str],
) -> tuple[Scan, OldSheet[RawCell]]:
    """The owned sheet as it stands, with the planner's cells told from ours.

    `painted` are the cell formats that show a colour or letters of the planner's.
    """
    area, table = found.area, found.table
    totals = bool(table and table.totals)
    last = area.bottom - (table.totals if table else 0)
    by_header = {header: column for column, header in found.columns.items()}
    ours = {(area.top - 3, area.left), (area.top - 2, area.left)}
    where = f"{book.package.where} ({found.entry.name})"

    def read(cell: RawCell) -> str:
        return key_text(reader.value(cell.kind, cell.style, cell.text, where))

    with book.package.open(found.entry.part) as stream:
        scan = scan_sheet(
            stream,
            where,
            replace(area, bottom=last),
            found.columns,
            by_header.get(sheet.key or ""),
            ours,
            read,
            painted,
        )
    old: OldSheet[RawCell] = OldSheet(
        top=area.top,
        left=area.left,
        last=last,
        owned=found.columns,
        totals=totals,
        table_columns=tuple(
            column for column in range(area.left, area.right + 1) if column not in found.columns
        )
        if table
        else (),
    )
    old.keys, old.painted = scan.keys, scan.painted
    new_body = rectangle(
        area.top, area.left, area.top + max(len(sheet.rows), 1), len(sheet.columns)
    )
    solid = _solid_areas(scan, book, ownership, found, new_body)
    block = next(
        (c.row for c in scan.cells
         if c.column == area.left and c.row > last and c.text and read(c) == KEPT_LABEL),
        None,
    )  # fmt: skip
    in_block = _block_rows(scan.cells, block)
    entries: dict[int, tuple[str, list[tuple[int, RawCell]]]] = {row: ("", []) for row in in_block}
    for cell in scan.cells:
        at_left = cell.column == area.left
        if cell.row == block and at_left:
            continue
        if at_left and cell.row < area.top and cell.text and read(cell) in (
            sheet.title, sheet.note
        ):  # fmt: skip
            continue
        if cell.row in entries:
            notes = entries[cell.row][1]
            if at_left:
                entries[cell.row] = (read(cell), notes)
            else:
                notes.append((cell.column, cell))
            continue
        pinned = any(area.holds(cell.row, cell.column) for area in solid)
        empty = not cell.inner.strip()
        old.cells.append(
            PlannerCell(cell.row, cell.column, cell, cell.formula is not None, pinned, empty)
        )
    old.kept = [entry for _, entry in sorted(entries.items()) if entry[1]]
    return scan, old


def _block_rows(cells: Sequence[RawCell], label: int | None) -> list[int]:
    """The rows of the kept block: those under its label up to the first empty one."""
    if label is None:
        return []
    filled = {cell.row for cell in cells if cell.inner.strip()}
    rows = []
    row = label + 1
    while row in filled:
        rows.append(row)
        row += 1
    return rows


def _solid_areas(
    scan: Scan, book: Book, ownership: Ownership, found: Found, body: Area
) -> list[Area]:
    """Areas whose cells must stay together: the planner's tables and merged cells."""
    areas = refuse_overlap(book, found, ownership, body)
    merges = parse(scan.skeleton, found.entry.part).child("mergeCells")
    for node in merges.children if merges else []:
        area = Area.parse(node.get("ref"))
        if area is not None and not area.meets(body):
            areas.append(area)
    return areas
