"""Whether new settings can stand below a settings table, where nothing of the planner's is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fleetdesk.model.sheet_template import FORM_HEADERS, SheetTemplate
from fleetdesk.sheets.a1 import MAX_ROW, Area, address, parse_address
from fleetdesk.sheets.drawing_xml import places
from fleetdesk.sheets.owned import Ownership
from fleetdesk.sheets.parts import Book, SheetEntry, relationships_of
from fleetdesk.sheets.tables import TablePart
from fleetdesk.sheets.xml_spans import Node, as_utf8, parse

Page = tuple[SheetEntry, TablePart, bytes, Node, dict[int, Node]]
_LARGEST = 16 * 2**20  # bytes of a sheet that is worth parsing whole


@dataclass(frozen=True)
class Room:
    """A settings table with free cells below it.

    `columns` are those of the form's heads; `rows` the sheet's rows by number; `area` the cells of
    the new rows.
    """

    entry: SheetEntry
    table: TablePart
    xml: bytes
    root: Node
    columns: dict[str, int]
    rows: dict[int, Node]
    area: Area


def find_room(book: Book, ownership: Ownership, new: SheetTemplate) -> Room | str:
    """Where the new settings of a form go, or why they cannot be put there, in words."""
    page = settings_page(book, ownership, new)
    if isinstance(page, str):
        return page
    entry, table, xml, root, rows = page
    columns = _columns(table)
    if not {*FORM_HEADERS[:2]} <= set(columns):
        return f"the table has no column {FORM_HEADERS[0]} or {FORM_HEADERS[1]}"
    top, count = table.area.bottom + 1, len(new.inputs)
    # One row more stays empty, so that what follows does not touch the table.
    free = Area(top, table.area.left, top + count, table.area.right)
    if free.bottom >= MAX_ROW:
        return "the sheet has no rows left"
    why = obstacle(book, ownership, entry, root, rows, free)
    if why:
        return why
    area = Area(top, free.left, free.bottom - 1, free.right)
    return Room(entry, table, xml, root, columns, rows, area)


def settings_page(book: Book, ownership: Ownership, new: SheetTemplate) -> Page | str:
    """The sheet, the table on it, its XML and rows; or why it cannot grow, in words."""
    found = ownership.tables.get(new.table.casefold())
    if found is None:
        return f"the table {new.table} is no longer there"
    entry, table = found
    if any(owned.entry.part == entry.part for owned in ownership.found.values()):
        return f"the table {new.table} stands on a sheet of results"
    if table.totals:
        return "the table has a row of totals"
    if book.package.members[entry.part].file_size > _LARGEST:
        return "the sheet is too large"
    xml = as_utf8(book.package.part(entry.part))
    root = parse(xml, entry.part)
    data = root.child("sheetData")
    return entry, table, xml, root, dict(_numbered(data)) if data else {}


def cells_of(row: Node) -> Iterator[tuple[int, Node]]:
    """The cells of a row by column."""
    column = 0
    for node in row.all("c"):
        place = parse_address(node.get("r"))
        column = place[1] if place else column + 1
        yield column, node


def _columns(table: TablePart) -> dict[str, int]:
    heads = {head.casefold(): head for head in FORM_HEADERS}
    found = enumerate(table.headers, start=table.area.left)
    return {
        heads[name.strip().casefold()]: column
        for column, name in found
        if name.strip().casefold() in heads
    }


def _numbered(data: Node) -> Iterator[tuple[int, Node]]:
    number = 0
    for node in data.all("row"):
        given = node.get("r")
        number = int(given) if given.isdigit() else number + 1
        yield number, node


def obstacle(
    book: Book, ownership: Ownership, entry: SheetEntry, root: Node,
    rows: dict[int, Node], free: Area,
) -> str:  # fmt: skip
    """What stands in the way on the free cells; "" when nothing does."""
    protection = root.child("sheetProtection")
    if protection is not None and protection.get("sheet") in ("1", "true"):
        return "the sheet is protected"
    for number in range(free.top, free.bottom + 1):
        row = rows.get(number)
        if row is None:
            continue
        if row.get("hidden") in ("1", "true"):
            return f"row {number} is hidden"
        for column, cell in cells_of(row):
            if free.left <= column <= free.right and cell.children:
                return f"{address(number, column)} is in use"
    for other, table in ownership.tables.values():
        if other.part == entry.part and table.area.meets(free):
            return f"the table {table.name} is in the way"
    if _meets(root.child("mergeCells"), free):
        return "merged cells are in the way"
    return _drawn_over(book, entry, free)


def _drawn_over(book: Book, entry: SheetEntry, free: Area) -> str:
    for relationship in relationships_of(book.package, entry.part):
        if relationship.kind == "pivotTable":
            return "a pivot table on the sheet may grow there"
        if relationship.kind != "drawing" or not book.package.has(relationship.target):
            continue
        xml = as_utf8(book.package.part(relationship.target))
        covered = places(xml, parse(xml, relationship.target))
        if any(area is None or area.meets(free) for area in covered):
            return "a chart or picture is in the way"
    return ""


def _meets(merges: Node | None, free: Area) -> bool:
    listed: Sequence[Node] = merges.children if merges else ()
    areas = (Area.parse(node.get("ref")) for node in listed)
    return any(area is not None and area.meets(free) for area in areas)
