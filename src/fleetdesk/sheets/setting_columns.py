"""New settings as columns at the right of a settings list, in the look of the columns beside them.

Nothing is moved: only cells that were empty are written, and the table grows over them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from fleetdesk.model.sheet_template import Input, SheetTemplate
from fleetdesk.sheets.a1 import MAX_COLUMN, Area, address, column_letters
from fleetdesk.sheets.input_rules import number_format, rule_xml
from fleetdesk.sheets.owned import Ownership
from fleetdesk.sheets.parts import Book, SheetEntry
from fleetdesk.sheets.setting_room import cells_of, obstacle, settings_page
from fleetdesk.sheets.setting_rows import grown_rules, typed
from fleetdesk.sheets.sheet_rows import value_cell
from fleetdesk.sheets.styles import format_codes
from fleetdesk.sheets.tables import TablePart
from fleetdesk.sheets.values import escape_xstring
from fleetdesk.sheets.xml_spans import Edit, Node, append_child, apply, cut_attr, put_attr

_RULED_ROWS = 200
"""Rows below a list's head in which its rules hold, for the rows that planners will add."""


@dataclass(frozen=True)
class ColumnRoom:
    """A settings list with free columns at its right; `area` holds the heads and values to come."""

    entry: SheetEntry
    table: TablePart
    xml: bytes
    root: Node
    rows: dict[int, Node]
    area: Area


def find_columns(book: Book, ownership: Ownership, new: SheetTemplate) -> ColumnRoom | str:
    """Where the new settings of a list go, or why they cannot be put there, in words."""
    page = settings_page(book, ownership, new)
    if isinstance(page, str):
        return page
    entry, table, xml, root, rows = page
    old = table.area
    # One column more stays empty, so that what follows does not touch the table.
    free = Area(old.top, old.right + 1, old.bottom, old.right + len(new.inputs) + 1)
    if free.right >= MAX_COLUMN:
        return "the sheet has no columns left"
    if old.top not in rows:
        return f"the table {new.table} has no heads"
    why = obstacle(book, ownership, entry, root, rows, free)
    if why:
        return why
    area = Area(free.top, free.left, free.bottom, free.right - 1)
    return ColumnRoom(entry, table, xml, root, rows, area)


def append_columns(
    room: ColumnRoom, new: SheetTemplate, styles: bytes | None, date1904: bool
) -> dict[str, bytes]:
    """Write the heads, and each setting's default beside every filled row."""
    looks = _looks(room, format_codes(styles) if styles else [])
    edits: list[Edit] = [*_dimension(room), *_widths(room, new)]
    for number in range(room.area.top, room.area.bottom + 1):
        row = room.rows.get(number)
        if row is None or not _is_filled(row, room.table.area):
            continue
        head = number == room.area.top
        cells = b""
        for column, (entry, header) in enumerate(
            zip(new.inputs, new.headers, strict=True), start=room.area.left
        ):
            beside = _look_beside(row, room.table.area.right)
            look = beside if head else looks.get(number_format(entry).casefold(), beside)
            value = header if head else typed(entry.default)
            place = address(number, column)
            cells += value_cell(room.root.prefix, place, look, value, date1904)
        edits += _put(room, row, cells)
    ruled = [_rule_place(room, column) for column in range(room.area.left, room.area.right + 1)]
    edits += grown_rules(room.xml, room.root, _rules(room, new.inputs, ruled, date1904))
    return {room.entry.part: apply(room.xml, edits), room.table.part: _wider_table(room, new)}


def _put(room: ColumnRoom, row: Node, cells: bytes) -> list[Edit]:
    """Our cells before what the planner has farther to the right in this row."""
    cut = cut_attr(room.xml, row, "spans")
    edits: list[Edit] = [cut] if cut else []
    # Empty cells that stand where ours go are replaced.
    there = [n for c, n in cells_of(row) if room.area.left <= c <= room.area.right]
    edits += [(node.start, node.end, b"") for node in there]
    behind = next((node for c, node in cells_of(row) if c > room.area.right), None)
    if behind is None:
        return [*edits, append_child(row, cells)]
    return [*edits, (behind.start, behind.start, cells)]


def _is_filled(row: Node, table: Area) -> bool:
    return any(node.children and table.left <= c <= table.right for c, node in cells_of(row))


def _look_beside(row: Node, column: int) -> int:
    found = [node.get("s") for at, node in cells_of(row) if at == column]
    return int(found[0]) if found and found[0].isdigit() else 0


def _looks(room: ColumnRoom, codes: Sequence[str]) -> dict[str, int]:
    """The look of values in the list by their number format."""
    looks: dict[str, int] = {}
    for number in range(room.table.area.top + 1, room.table.area.bottom + 1):
        row = room.rows.get(number)
        for _, cell in cells_of(row) if row else ():
            style = int(cell.get("s")) if cell.get("s").isdigit() else 0
            if style < len(codes):
                looks.setdefault(codes[style].casefold(), style)
    return looks


def _dimension(room: ColumnRoom) -> list[Edit]:
    node = room.root.child("dimension")
    used = Area.parse(node.get("ref")) if node else None
    if node is None or used is None:
        return []
    right = max(used.right, room.area.right)
    return [put_attr(room.xml, node, "ref", Area(used.top, used.left, used.bottom, right).ref)]


def _widths(room: ColumnRoom, new: SheetTemplate) -> list[Edit]:
    """Widths for columns that have none of their own yet."""
    cols = room.root.child("cols")
    if cols is None or any(
        int(col.get("max") or MAX_COLUMN) >= room.area.left for col in cols.children
    ):
        return []
    p = room.root.prefix
    added = "".join(
        f'<{p}col min="{column}" max="{column}" width="{width:g}" customWidth="1"/>'
        for column, width in enumerate(new.widths, start=room.area.left)
    )
    return [append_child(cols, added.encode())]


def _rule_place(room: ColumnRoom, column: int) -> str:
    letters = column_letters(column)
    bottom = max(room.area.bottom, room.area.top + _RULED_ROWS)
    return f"{letters}{room.area.top + 1}:{letters}{bottom}"


def _rules(
    room: ColumnRoom, inputs: Sequence[Input], places: Sequence[str], date1904: bool
) -> list[bytes]:
    p = room.root.prefix
    return [
        rule_xml(entry, place, p, date1904) for entry, place in zip(inputs, places, strict=True)
    ]


def _wider_table(room: ColumnRoom, new: SheetTemplate) -> bytes:
    """The table over the new columns too, its filter with it; what it sorts by stays."""
    table = room.table
    grown = Area(table.area.top, table.area.left, table.area.bottom, room.area.right)
    listed = table.root.child("tableColumns")
    assert listed is not None, "a table that was read has columns"
    p = table.root.prefix
    next_id = max((int(node.get("id") or 0) for node in table.columns), default=0) + 1
    added = "".join(
        f'<{p}tableColumn id="{number}" name={quoteattr(escape_xstring(header))}/>'
        for number, header in enumerate(new.headers, start=next_id)
    )
    count = str(len(table.columns) + len(new.inputs))
    edits = [
        put_attr(table.xml, table.root, "ref", grown.ref),
        put_attr(table.xml, listed, "count", count),
        append_child(listed, added.encode()),
    ]
    own_filter = table.root.child("autoFilter")
    if own_filter is not None:
        edits.append(put_attr(table.xml, own_filter, "ref", grown.ref))
    return apply(table.xml, edits)
