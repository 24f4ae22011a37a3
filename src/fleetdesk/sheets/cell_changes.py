"""Single input cells of a workbook in a file, as if the planner had typed them there.

Only the cells named are touched; a cell that holds a formula is refused. A list's table grows over
a row that is entered directly below it, as it does in Excel.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fleetdesk.errors import WorkbookRefused
from fleetdesk.sheets.a1 import Area, address, parse_address
from fleetdesk.sheets.base import Receipt, Value
from fleetdesk.sheets.file_switch import (
    Clock,
    PreparedFile,
    changed,
    fingerprint_of,
    read_workbook,
    refuse_if_locked,
    write_beside,
)
from fleetdesk.sheets.owned import Ownership, find_owned
from fleetdesk.sheets.package_zip import Content, open_package, write_package
from fleetdesk.sheets.parts import Book, SheetEntry, open_book
from fleetdesk.sheets.reading import Reader, scan_cells
from fleetdesk.sheets.setting_room import cells_of
from fleetdesk.sheets.sheet_rows import value_cell
from fleetdesk.sheets.skeleton import SkeletonEdits, skeleton_changes
from fleetdesk.sheets.tables import TablePart
from fleetdesk.sheets.xml_spans import Edit, Node, append_child, apply, as_utf8, parse, put_attr


@dataclass(frozen=True, slots=True)
class CellChange:
    """A sheet's name, an A1 address and what is to stand there; None empties the cell."""

    sheet: str
    cell: str
    value: Value


def change_cells(path: Path, changes: Sequence[CellChange], expect: str, clock: Clock) -> Receipt:
    """Enter the values and put the workbook in place in one step, with a backup.

    WorkbookRefused when the workbook no longer has fingerprint `expect`, is open elsewhere, or a
    cell cannot be changed; nothing is written then.
    """
    refuse_if_locked(path)
    data = read_workbook(path)
    if fingerprint_of(data) != expect:
        raise changed(path.name)
    package = open_package(data, path.name)
    book = open_book(package)
    ownership = find_owned(book, Reader(book))
    parts: dict[str, Content] = {}
    by_sheet: dict[str, dict[tuple[int, int], Value]] = {}
    for change in changes:
        place = parse_address(change.cell)
        if place is None:
            raise _refused(book, change.sheet, f"{change.cell} is no cell")
        by_sheet.setdefault(change.sheet, {})[place] = change.value
    for name, cells in by_sheet.items():
        entry = _entry(book, ownership, name)
        parts |= _sheet_changes(book, ownership, entry, cells)
    parts |= skeleton_changes(book, SkeletonEdits())
    temporary = write_beside(path, lambda out: write_package(package, out, parts))
    after = fingerprint_of(temporary.read_bytes())
    return PreparedFile(path, temporary, expect, after, tuple(by_sheet), (), clock).switch()


def formula_cells(path: Path, names: Iterable[str]) -> Mapping[str, frozenset[str]]:
    """The addresses that hold formulas, by sheet; a sheet that is not there has none."""
    book = open_book(open_package(read_workbook(path), path.name))
    found: dict[str, frozenset[str]] = {}
    for name in names:
        entry = book.sheet(name)
        cells: set[str] = set()

        def note(row: int, column: int, _k: str, _s: str, _t: str, formula: bool,
                 cells: set[str] = cells) -> None:  # fmt: skip
            if formula:
                cells.add(address(row, column))

        if entry is not None and entry.part and entry.kind == "worksheet":
            with book.package.open(entry.part) as stream:
                scan_cells(stream, entry.part, note)
        found[name] = frozenset(cells)
    return found


def _entry(book: Book, ownership: Ownership, name: str) -> SheetEntry:
    entry = book.sheet(name)
    if entry is None and name in ownership.found:
        entry = ownership.found[name].entry
    if entry is None or not entry.part or entry.kind != "worksheet":
        raise _refused(book, name, "there is no such sheet")
    return entry


def _sheet_changes(
    book: Book, ownership: Ownership, entry: SheetEntry, cells: Mapping[tuple[int, int], Value]
) -> dict[str, Content]:
    xml = as_utf8(book.package.part(entry.part))
    root = parse(xml, entry.part)
    protection = root.child("sheetProtection")
    if protection is not None and protection.get("sheet") in ("1", "true"):
        raise _refused(book, entry.name, "the sheet is protected")
    data = root.child("sheetData")
    if data is None:
        raise _refused(book, entry.name, "the sheet has no cells")
    rows = dict(_numbered(data))
    made: dict[str, Content] = {}
    edits: list[Edit] = []
    fresh: list[tuple[int, bytes]] = []
    by_row: dict[int, dict[int, Value]] = {}
    for (row, column), value in sorted(cells.items()):
        by_row.setdefault(row, {})[column] = value
    for number, values in by_row.items():
        node = rows.get(number)
        looks = _looks(rows.get(number - 1))
        if node is None:
            p = root.prefix
            body = b"".join(
                value_cell(p, address(number, column), looks.get(column, 0), value, book.date1904)
                for column, value in sorted(values.items())
            )
            row_xml = f'<{p}row r="{number}">'.encode() + body + f"</{p}row>".encode()
            fresh.append((number, row_xml))
        else:
            edits += _row_edits(book, entry, node, number, values, looks)
    edits += _new_rows(data, rows, fresh)
    grown = _grown(ownership, entry, by_row)
    if grown is not None:
        table, area = grown
        table_edits = [put_attr(table.xml, table.root, "ref", area.ref)]
        own_filter = table.root.child("autoFilter")
        if own_filter is not None:
            table_edits.append(put_attr(table.xml, own_filter, "ref", area.ref))
        made[table.part] = apply(table.xml, table_edits)
    used = root.child("dimension")
    area_used = Area.parse(used.get("ref")) if used else None
    if used is not None and area_used is not None:
        bottom = max(area_used.bottom, *by_row)
        right = max(area_used.right, *(column for _, column in cells))
        whole = Area(area_used.top, area_used.left, bottom, right)
        edits.append(put_attr(xml, used, "ref", whole.ref))
    made[entry.part] = apply(xml, edits)
    return made


def _row_edits(
    book: Book, entry: SheetEntry, row: Node, number: int, values: Mapping[int, Value],
    looks: Mapping[int, int],
) -> list[Edit]:  # fmt: skip
    """The cells of one row: those that are there replaced in place, others put in order."""
    p = row.prefix
    there = dict(cells_of(row))
    edits: list[Edit] = []
    behind: list[bytes] = []
    for column, value in sorted(values.items()):
        cell = there.get(column)
        if cell is not None:
            if cell.child("f") is not None:
                raise _refused(
                    book, entry.name,
                    f"{address(number, column)} holds a formula, which stays yours to change",
                )  # fmt: skip
            style = int(cell.get("s")) if cell.get("s").isdigit() else 0
            new = value_cell(p, address(number, column), style, value, book.date1904)
            edits.append((cell.start, cell.end, new))
            continue
        look = looks.get(column, 0)
        new = value_cell(p, address(number, column), look, value, book.date1904)
        following = next((node for at, node in sorted(there.items()) if at > column), None)
        if following is not None:
            edits.append((following.start, following.start, new))
        else:
            behind.append(new)
    if behind:
        edits.append(append_child(row, b"".join(behind)))
    return edits


def _new_rows(
    data: Node, rows: Mapping[int, Node], fresh: Sequence[tuple[int, bytes]]
) -> list[Edit]:
    edits: list[Edit] = []
    behind = b""
    for number, xml in fresh:
        following = next((node for at, node in sorted(rows.items()) if at > number), None)
        if following is None:
            behind += xml
        else:
            edits.append((following.start, following.start, xml))
    return [*edits, append_child(data, behind)] if behind else edits


def _grown(
    ownership: Ownership, entry: SheetEntry, by_row: Mapping[int, Mapping[int, Value]]
) -> tuple[TablePart, Area] | None:
    """The planner's table that a row was entered below, and the cells that it then has."""
    owned = {found.table.part for found in ownership.found.values() if found.table}
    for other, table in ownership.tables.values():
        if other.part != entry.part or table.totals or table.part in owned:
            continue
        bottom = table.area.bottom
        inside = range(table.area.left, table.area.right + 1)
        while any(column in inside for column in by_row.get(bottom + 1, {})):
            bottom += 1
        if bottom > table.area.bottom:
            grown = Area(table.area.top, table.area.left, bottom, table.area.right)
            return table, grown
    return None


def _looks(row: Node | None) -> dict[int, int]:
    """The formats of a row's cells, for the row below."""
    cells = cells_of(row) if row else ()
    return {column: int(cell.get("s")) for column, cell in cells if cell.get("s").isdigit()}


def _numbered(data: Node) -> Iterable[tuple[int, Node]]:
    number = 0
    for node in data.all("row"):
        given = node.get("r")
        number = int(given) if given.isdigit() else number + 1
        yield number, node


def _refused(book: Book, sheet: str, found: str) -> WorkbookRefused:
    return WorkbookRefused(
        f"The sheet {sheet} of {book.package.where} cannot be changed from here",
        found=found,
        fix="Change it in your spreadsheet program; nothing was written",
    )
