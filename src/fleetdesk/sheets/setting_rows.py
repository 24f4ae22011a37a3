"""New settings as rows at the end of a settings table, in the look of the rows above.

Nothing is moved: only cells that were empty are written, and the table grows over them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from fleetdesk.model.sheet_template import (
    FORM_HEADERS,
    Input,
    SheetTemplate,
    TemplateValue,
)
from fleetdesk.sheets.a1 import Area, address, column_letters
from fleetdesk.sheets.input_rules import number_format, row_height, rule_xml
from fleetdesk.sheets.setting_room import Room, cells_of
from fleetdesk.sheets.sheet_frame import put_element
from fleetdesk.sheets.sheet_rows import value_cell
from fleetdesk.sheets.styles import format_codes
from fleetdesk.sheets.xml_spans import Edit, Node, append_child, apply, cut_attr, put_attr

_LABEL, _VALUE, _UNIT, _HELP = FORM_HEADERS


@dataclass(frozen=True)
class Appended:
    """The parts that changed, and the names for the new values: (name, what it refers to)."""

    changes: dict[str, bytes]
    names: list[tuple[str, str]]


def append_rows(
    room: Room, new: SheetTemplate, styles: bytes | None, date1904: bool, names: Collection[str]
) -> Appended:
    """Write the settings into the room below their table; `names` are those of the workbook."""
    p = room.root.prefix
    looks = _Looks(room, format_codes(styles) if styles else [])
    rows: dict[int, list[tuple[int, bytes]]] = {}
    values = zip(new.inputs, new.rows[0], strict=True)
    for row, (entry, value) in enumerate(values, start=room.area.top):
        texts = {_LABEL: entry.label, _VALUE: typed(value), _HELP: entry.help}
        unit = entry.shown_unit(new.currency)
        texts[_UNIT] = unit or None
        formula = new.unit_formula(entry) if new.currency_name in names else None
        cells: list[tuple[int, bytes]] = []
        for column in range(room.area.left, room.area.right + 1):
            head = looks.heads.get(column, "")
            look = looks.value(entry) if head == _VALUE else looks.last.get(column, 0)
            place = address(row, column)
            if head == _UNIT and formula:
                xml = _formula_cell(p, place, look, formula, unit)
            else:
                xml = value_cell(p, place, look, texts.get(head), date1904)
            cells.append((column, xml))
        rows[row] = cells
    heights = [row_height(entry, new) for entry in new.inputs]
    edits = [
        *_row_edits(room, rows, dict(zip(rows, heights, strict=True))),
        *_dimension(room),
        *_rules(room, new.inputs, date1904),
    ]
    quoted = room.entry.name.replace("'", "''")
    letters = column_letters(room.columns[_VALUE])
    made = [
        (new.name_of(entry), f"'{quoted}'!${letters}${row}")
        for row, entry in enumerate(new.inputs, start=room.area.top)
    ]
    changes = {room.entry.part: apply(room.xml, edits), room.table.part: _grown_table(room)}
    return Appended(changes, made)


class _Looks:
    """The formats of the table's last row, and of its values by their number format."""

    def __init__(self, room: Room, codes: Sequence[str]) -> None:
        self.heads = {column: head for head, column in room.columns.items()}
        self.last: dict[int, int] = {}
        self._by_code: dict[str, int] = {}
        for number in range(room.table.area.top + 1, room.table.area.bottom + 1):
            row = room.rows.get(number)
            for column, cell in cells_of(row) if row else ():
                style = int(cell.get("s")) if cell.get("s").isdigit() else 0
                self.last[column] = style
                if self.heads.get(column) == _VALUE and style < len(codes):
                    self._by_code[codes[style].casefold()] = style

    def value(self, entry: Input) -> int:
        """The look of a value of the same kind further up, else of one without a format."""
        wanted = number_format(entry).casefold()
        return self._by_code.get(wanted, self._by_code.get("general", 0))


def typed(value: TemplateValue) -> TemplateValue:
    """A value as a planner would have typed it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return None if value == "" else value


def _formula_cell(p: str, place: str, look: int, formula: str, shown: str) -> bytes:
    return (
        f'<{p}c r="{place}" s="{look}" t="str"><{p}f>{escape(formula)}</{p}f>'
        f"<{p}v>{escape(shown)}</{p}v></{p}c>"
    ).encode()


def _row_edits(
    room: Room, rows: dict[int, list[tuple[int, bytes]]], heights: dict[int, float]
) -> list[Edit]:
    """The new cells in rows that are there, and new rows between those or behind the last."""
    p = room.root.prefix
    edits: list[Edit] = []
    fresh: dict[int, bytes] = {}
    for number, cells in rows.items():
        row = room.rows.get(number)
        if row is not None:
            edits += _filled_row(room.xml, row, cells, heights[number])
            continue
        body = b"".join(xml for _, xml in cells)
        opened = f'<{p}row r="{number}" ht="{heights[number]:g}" customHeight="1">'
        fresh[number] = opened.encode() + body + f"</{p}row>".encode()
    data = room.root.child("sheetData")
    assert data is not None, "the table's own rows are there"
    behind = b""
    for number, xml in fresh.items():
        following = next((node for at, node in room.rows.items() if at > number), None)
        if following is None:
            behind += xml
        else:
            edits.append((following.start, following.start, xml))
    return [*edits, append_child(data, behind)] if behind else edits


def _filled_row(xml: bytes, row: Node, cells: list[tuple[int, bytes]], height: float) -> list[Edit]:
    """Our cells in the place of the row's empty ones; the planner's beside them stay."""
    ours = dict(cells)
    kept = [(column, xml[node.start : node.end]) for column, node in cells_of(row)]
    merged = sorted([*((c, raw) for c, raw in kept if c not in ours), *cells])
    others = b"".join(xml[node.start : node.end] for node in row.children if node.local != "c")
    content = b"".join(raw for _, raw in merged) + others
    cut = cut_attr(xml, row, "spans")
    edits: list[Edit] = [cut] if cut else []
    if not row.get("ht"):
        edits += [
            put_attr(xml, row, "customHeight", "1"),
            put_attr(xml, row, "ht", f"{height:g}"),
        ]
    if row.open_end == row.end:
        return [*edits, append_child(row, content)]
    return [*edits, (row.open_end, row.close_start, content)]


def _dimension(room: Room) -> list[Edit]:
    node = room.root.child("dimension")
    used = Area.parse(node.get("ref")) if node else None
    if node is None or used is None:
        return []
    grown = Area(
        min(used.top, room.area.top), min(used.left, room.area.left),
        max(used.bottom, room.area.bottom), max(used.right, room.area.right),
    )  # fmt: skip
    return [put_attr(room.xml, node, "ref", grown.ref)]


def _rules(room: Room, inputs: Sequence[Input], date1904: bool) -> list[Edit]:
    """What may be typed into the new cells, unless the planner has a rule of their own there."""
    old = room.root.child("dataValidations")
    p, column = room.root.prefix, room.columns[_VALUE]
    theirs = [
        area
        for node in (old.children if old else [])
        for area in map(Area.parse, node.get("sqref").split())
        if area is not None
    ]
    ours = [
        rule_xml(entry, address(row, column), p, date1904)
        for row, entry in enumerate(inputs, start=room.area.top)
        if not any(area.holds(row, column) for area in theirs)
    ]
    return grown_rules(room.xml, room.root, ours)


def grown_rules(xml: bytes, root: Node, ours: Sequence[bytes]) -> list[Edit]:
    """A sheet's rules for its cells with ours behind the ones that are there."""
    if not ours:
        return []
    old, p, rules = root.child("dataValidations"), root.prefix, b"".join(ours)
    if old is None:
        opened = f'<{p}dataValidations count="{len(ours)}">'.encode()
        whole = opened + rules + f"</{p}dataValidations>".encode()
        return [put_element(root, "dataValidations", whole)]
    count = str(len(old.children) + len(ours))
    return [put_attr(xml, old, "count", count), append_child(old, rules)]


def _grown_table(room: Room) -> bytes:
    """The table over the new rows too, its filter with it."""
    table = room.table
    grown = Area(table.area.top, table.area.left, room.area.bottom, table.area.right)
    edits = [put_attr(table.xml, table.root, "ref", grown.ref)]
    for name in ("insertRow", "insertRowShift"):
        cut = cut_attr(table.xml, table.root, name)
        edits += [cut] if cut else []
    own_filter = table.root.child("autoFilter")
    if own_filter is not None:
        edits.append(put_attr(table.xml, own_filter, "ref", grown.ref))
    return apply(table.xml, edits)
