"""The few cell formats of owned sheets, appended to the workbook's styles.

Formats that are there from an earlier run are found again, so the part does not grow.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from xml.sax.saxutils import quoteattr

from fleetdesk.sheets.base import CellStyle, ResultColumn
from fleetdesk.sheets.xml_spans import Edit, Node, append_child, apply, parse, put_attr


class Look(StrEnum):
    """How an owned cell is shown."""

    TITLE = "title"
    NOTE = "note"
    HEADER = "header"
    HEADER_RIGHT = "header right"
    TEXT = "text"
    WRAPPED = "wrapped"
    TEXT_INPUT = "text to edit"
    INTEGER = "integer"
    INTEGER_INPUT = "integer to edit"
    DECIMAL = "decimal"
    PERCENT = "percent"
    DATETIME = "datetime"
    DATE = "date"
    TIME = "time"
    LINK = "link"
    KEPT = "kept"


LOOK_OF = {
    CellStyle.TEXT: Look.TEXT,
    CellStyle.WRAPPED: Look.WRAPPED,
    CellStyle.INTEGER: Look.INTEGER,
    CellStyle.DECIMAL: Look.DECIMAL,
    CellStyle.MONEY: Look.DECIMAL,
    CellStyle.PERCENT: Look.PERCENT,
    CellStyle.DATETIME: Look.DATETIME,
    CellStyle.LINK: Look.LINK,
}
_TO_EDIT = {Look.TEXT: Look.TEXT_INPUT, Look.INTEGER: Look.INTEGER_INPUT}
RIGHT = {CellStyle.INTEGER, CellStyle.DECIMAL, CellStyle.MONEY, CellStyle.PERCENT}

NUMBER_FORMATS = {
    Look.INTEGER: "#,##0",
    Look.INTEGER_INPUT: "#,##0",
    Look.DECIMAL: "#,##0.00",
    Look.PERCENT: "0.0",
    Look.DATETIME: "yyyy-mm-dd hh:mm",
    Look.DATE: "yyyy-mm-dd",
    Look.TIME: "hh:mm",
}
_BUILTIN = {"General": 0, "0": 1, "0.00": 2, "#,##0": 3, "#,##0.00": 4, "@": 49}
_ALIGNMENT = {
    Look.TITLE: 'vertical="center"',
    Look.NOTE: 'vertical="top"',
    Look.HEADER: 'horizontal="left" vertical="center" wrapText="1" indent="1"',
    Look.HEADER_RIGHT: 'horizontal="right" vertical="center" wrapText="1"',
    Look.TEXT: 'horizontal="left" vertical="top" indent="1"',
    Look.TEXT_INPUT: 'horizontal="left" vertical="top" indent="1"',
    Look.LINK: 'horizontal="left" vertical="top" indent="1"',
    Look.DATETIME: 'horizontal="left" vertical="top" indent="1"',
    Look.DATE: 'horizontal="left" vertical="top" indent="1"',
    Look.TIME: 'horizontal="left" vertical="top" indent="1"',
    Look.WRAPPED: 'horizontal="left" vertical="top" wrapText="1" indent="1"',
    Look.KEPT: 'vertical="top"',
}
_FONTS = {
    Look.TITLE: '<b/><sz val="16"/><color rgb="FF1F3A4D"/>',
    Look.NOTE: '<i/><sz val="10"/><color rgb="FF5B6770"/>',
    Look.KEPT: '<i/><sz val="10"/><color rgb="FF5B6770"/>',
    Look.HEADER: '<b/><sz val="11"/><color rgb="FFFFFFFF"/>',
    Look.HEADER_RIGHT: '<b/><sz val="11"/><color rgb="FFFFFFFF"/>',
    Look.LINK: '<u/><sz val="11"/><color rgb="FF0B5CAD"/>',
}
_FILLS = {
    **dict.fromkeys((Look.HEADER, Look.HEADER_RIGHT), "FF1F5A6E"),
    **dict.fromkeys(_TO_EDIT.values(), "FFFFF8E6"),
}
_LINE = '<bottom style="thin"><color rgb="FFDDE3E7"/></bottom>'
_PLAIN = (Look.TITLE, Look.NOTE, Look.KEPT, Look.HEADER, Look.HEADER_RIGHT)

_EMPTY = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<styleSheet xmlns="{namespace}">'
    '<fonts count="1"><font><sz val="11"/><name val="Calibri"/><family val="2"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
    "</styleSheet>"
)
_DEFAULTS = {
    "fonts": ("<font/>",),
    "fills": (
        '<fill><patternFill patternType="none"/></fill>',
        '<fill><patternFill patternType="gray125"/></fill>',
    ),
    "borders": ("<border/>",),
    "cellXfs": ('<xf numFmtId="0" fontId="0" fillId="0" borderId="0"/>',),
}
"""What the first places of each list must be, in a workbook that lacks the list."""
_ORDER = [
    "numFmts",
    "fonts",
    "fills",
    "borders",
    "cellStyleXfs",
    "cellXfs",
    "cellStyles",
    "dxfs",
    "tableStyles",
    "colors",
    "extLst",
]


@dataclass(frozen=True)
class Styled:
    """The styles part to store and the index of every look in it."""

    xml: bytes
    index: dict[Look, int]


def look_of(column: ResultColumn) -> Look:
    """How the column's cells are shown; those that a planner may edit have the soft fill."""
    look = LOOK_OF[column.style]
    return _TO_EDIT.get(look, look) if column.input else look


def with_looks(xml: bytes | None, namespace: str) -> Styled:
    """The workbook's styles with every look in it; a new part when there is none."""
    data = xml if xml is not None else _EMPTY.format(namespace=namespace).encode()
    root = parse(data, "the workbook's styles")
    if not root.children:
        data = _EMPTY.format(namespace=namespace).encode()
        root = parse(data, "the workbook's styles")
    p = root.prefix
    fonts = _Shelf(data, root, "fonts")
    fills = _Shelf(data, root, "fills")
    borders = _Shelf(data, root, "borders")
    formats = _Shelf(data, root, "numFmts")
    cells = _Shelf(data, root, "cellXfs")
    family = _font_family(root)
    based = ' xfId="0"' if root.child("cellStyleXfs") else ""
    codes = {node.get("formatCode"): int(node.get("numFmtId")) for node in formats.nodes}
    index: dict[Look, int] = {}
    for look in Look:
        code = NUMBER_FORMATS.get(look, "General")
        number = _BUILTIN.get(code, codes.get(code, -1))
        if number < 0:
            number = codes[code] = max([163, *codes.values()]) + 1
            formats.find(f'<{p}numFmt numFmtId="{number}" formatCode={quoteattr(code)}/>')
        font = fill = border = 0
        if look in _FONTS:
            font = fonts.find(
                _prefixed(f"<font>{_FONTS[look]}<name val={quoteattr(family)}/></font>", p)
            )
        if look in _FILLS:
            fill = fills.find(
                _prefixed(
                    f'<fill><patternFill patternType="solid"><fgColor rgb="{_FILLS[look]}"/>'
                    '<bgColor indexed="64"/></patternFill></fill>', p,
                )
            )  # fmt: skip
        if look not in _PLAIN:
            line = f"<border><left/><right/><top/>{_LINE}<diagonal/></border>"
            border = borders.find(_prefixed(line, p))
        alignment = _ALIGNMENT.get(look, 'vertical="top"')
        index[look] = cells.find(
            f'<{p}xf numFmtId="{number}" fontId="{font}" fillId="{fill}" borderId="{border}"{based}'
            ' applyNumberFormat="1" applyFont="1" applyFill="1" applyBorder="1" '
            f'applyAlignment="1"><{p}alignment {alignment}/></{p}xf>'
        )
    edits: list[Edit] = []
    for shelf in (formats, fonts, fills, borders, cells):
        edits += shelf.edits()
    return Styled(apply(data, edits), index)


def format_codes(xml: bytes) -> list[str]:
    """The number format of every cell format; "" for those built in that no setting has."""
    root = parse(xml, "the workbook's styles", depth=3)
    formats, cells = root.child("numFmts"), root.child("cellXfs")
    codes = {str(number): code for code, number in _BUILTIN.items()}
    codes |= {n.get("numFmtId"): n.get("formatCode") for n in (formats.children if formats else [])}
    return [codes.get(node.get("numFmtId", "0"), "") for node in (cells.children if cells else [])]


class _Shelf:
    """One counted list of the styles part: items are found again or added at its end."""

    def __init__(self, data: bytes, root: Node, name: str) -> None:
        self.data, self.root, self.name = data, root, name
        self.node = root.child(name)
        self.nodes = list(self.node.children) if self.node else []
        self.items = [data[node.start : node.end] for node in self.nodes]
        self.added: list[bytes] = []
        if not self.items:
            for default in _DEFAULTS.get(name, ()):
                self.find(_prefixed(default, root.prefix))

    def find(self, xml: str) -> int:
        """The position of an item, added when it is not there."""
        item = xml.encode()
        if item in self.items:
            return self.items.index(item)
        self.items.append(item)
        self.added.append(item)
        return len(self.items) - 1

    def edits(self) -> list[Edit]:
        if not self.added:
            return []
        new = b"".join(self.added)
        if self.node is not None:
            count = put_attr(self.data, self.node, "count", str(len(self.items)))
            return [count, append_child(self.node, new)]
        p = self.root.prefix
        earlier = _ORDER[: _ORDER.index(self.name)]
        before = [node for node in self.root.children if node.local in earlier]
        at = before[-1].end if before else self.root.open_end
        whole = f'<{p}{self.name} count="{len(self.items)}">'.encode() + new
        return [(at, at, whole + f"</{p}{self.name}>".encode())]


def _font_family(root: Node) -> str:
    fonts = root.child("fonts")
    first = fonts.children[0] if fonts and fonts.children else None
    name = first.child("name") if first else None
    return (name.get("val") if name else "") or "Calibri"


def _prefixed(xml: str, prefix: str) -> str:
    if not prefix:
        return xml
    return xml.replace("</", "\0").replace("<", f"<{prefix}").replace("\0", f"</{prefix}")
