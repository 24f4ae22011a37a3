"""The few cell formats of owned sheets, appended to the workbook's styles.

Formats that are there from an earlier run are found again, so the part does not grow.
"""

from __future__ import annotations

from enum import StrEnum
from xml.sax.saxutils import quoteattr

from fleetdesk.sheets.base import CellStyle, ResultColumn, Value
from fleetdesk.sheets.paints import Letters, letters, painted_styles, with_paint
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
    FINE = "fine"
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
    CellStyle.NUMBER: Look.DECIMAL,
    CellStyle.FINE: Look.FINE,
    CellStyle.MONEY: Look.DECIMAL,
    CellStyle.PERCENT: Look.PERCENT,
    CellStyle.DATETIME: Look.DATETIME,
    CellStyle.LINK: Look.LINK,
}
_TO_EDIT = {Look.TEXT: Look.TEXT_INPUT, Look.INTEGER: Look.INTEGER_INPUT}

NUMBER_FORMATS = {
    Look.INTEGER: "#,##0",
    Look.INTEGER_INPUT: "#,##0",
    Look.DECIMAL: "#,##0.00",
    Look.FINE: "0.0000",
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


def look_of(column: ResultColumn) -> Look:
    """How the column's cells are shown; those that a planner may edit have the soft fill."""
    look = LOOK_OF[column.style]
    return _TO_EDIT.get(look, look) if column.input else look


def look_for(style: CellStyle, value: Value) -> Look:
    """How a value in a column of this style is shown: as the column is, counts whole."""
    count = style is CellStyle.NUMBER and isinstance(value, int)
    return Look.INTEGER if count else LOOK_OF[style]


class Styles:
    """The workbook's styles with every look in them; a new part when there is none.

    `index` is each look's cell format. `painted` are the formats that show a colour or letters of
    the planner's.
    """

    def __init__(self, xml: bytes | None, namespace: str) -> None:
        data = xml if xml is not None else _EMPTY.format(namespace=namespace).encode()
        root = parse(data, "the workbook's styles")
        if not root.children:
            data = _EMPTY.format(namespace=namespace).encode()
            root = parse(data, "the workbook's styles")
        self._data, self._root = data, root
        self._fonts, self._fills, self._borders, self._formats, self._cells = (
            _Shelf(data, root, name) for name in ("fonts", "fills", "borders", "numFmts", "cellXfs")
        )
        self._paints = painted_styles(root, set(_FILLS.values()), _our_letters())
        self.painted = frozenset(str(place) for place in self._paints)
        family = _font_family(root)
        codes = {node.get("formatCode"): int(node.get("numFmtId")) for node in self._formats.nodes}
        self.index = {look: self._look(look, family, codes) for look in Look}

    def paint(self, style: str) -> dict[int, int]:
        """Each look of a table's cells -> the same with the paint of a `painted` format."""
        fill, font = self._paints[int(style)]
        return {
            self.index[look]: self._cells.find(
                with_paint(self._cells.items[self.index[look]], fill, font).decode()
            )
            for look in Look
            if look not in _PLAIN
        }

    @property
    def xml(self) -> bytes:
        """The part as it is to be stored, with all that was asked for so far."""
        edits: list[Edit] = []
        for shelf in (self._formats, self._fonts, self._fills, self._borders, self._cells):
            edits += shelf.edits()
        return apply(self._data, edits)

    def _look(self, look: Look, family: str, codes: dict[str, int]) -> int:
        p = self._root.prefix
        code = NUMBER_FORMATS.get(look, "General")
        number = _BUILTIN.get(code, codes.get(code, -1))
        if number < 0:
            number = codes[code] = max([163, *codes.values()]) + 1
            self._formats.find(f'<{p}numFmt numFmtId="{number}" formatCode={quoteattr(code)}/>')
        font = fill = border = 0
        if look in _FONTS:
            font = self._fonts.find(
                _prefixed(f"<font>{_FONTS[look]}<name val={quoteattr(family)}/></font>", p)
            )
        if look in _FILLS:
            fill = self._fills.find(
                _prefixed(
                    f'<fill><patternFill patternType="solid"><fgColor rgb="{_FILLS[look]}"/>'
                    '<bgColor indexed="64"/></patternFill></fill>', p,
                )
            )  # fmt: skip
        if look not in _PLAIN:
            line = f"<border><left/><right/><top/>{_LINE}<diagonal/></border>"
            border = self._borders.find(_prefixed(line, p))
        based = ' xfId="0"' if self._root.child("cellStyleXfs") else ""
        alignment = _ALIGNMENT.get(look, 'vertical="top"')
        return self._cells.find(
            f'<{p}xf numFmtId="{number}" fontId="{font}" fillId="{fill}" borderId="{border}"{based}'
            ' applyNumberFormat="1" applyFont="1" applyFill="1" applyBorder="1" '
            f'applyAlignment="1"><{p}alignment {alignment}/></{p}xf>'
        )


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


def _our_letters() -> set[Letters]:
    fonts = (parse(f"<font>{font}</font>".encode(), "a font of ours") for font in _FONTS.values())
    return {letters(font) for font in fonts}


def _font_family(root: Node) -> str:
    fonts = root.child("fonts")
    first = fonts.children[0] if fonts and fonts.children else None
    name = first.child("name") if first else None
    return (name.get("val") if name else "") or "Calibri"


def _prefixed(xml: str, prefix: str) -> str:
    if not prefix:
        return xml
    return xml.replace("</", "\0").replace("<", f"<{prefix}").replace("\0", f"</{prefix}")
