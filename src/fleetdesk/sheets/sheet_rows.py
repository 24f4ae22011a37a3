"""A sheet's rows as a stream of XML: our table, and the planner's cells around it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from math import isfinite

from fleetdesk.sheets.a1 import Area, address, column_letters
from fleetdesk.sheets.base import NUMBERS, CellStyle, Link, ResultSheet, Value
from fleetdesk.sheets.layout import KEPT_LABEL
from fleetdesk.sheets.styles import Look, look_for, look_of
from fleetdesk.sheets.values import (
    MAX_EXACT_INTEGER,
    MAX_TEXT,
    SPECIAL,
    clean,
    serial,
    text_xml,
)

_BATCH = 500
_LINE = 15.0
_MAX_LINES = 12
_SURE = MAX_TEXT // 2
"""Text shorter than this fits a cell whatever its characters."""
_DATE_LOOKS = {Look.DATETIME, Look.DATE, Look.TIME}


@dataclass
class SheetContent:
    """Everything a written sheet holds: our table at its corner, the planner's cells around it.

    `planner` maps rows to (column, ready XML); `rows` are attributes of rows outside the table;
    `paints` says by row and column what cell format stands for ours where a planner painted.
    """

    sheet: ResultSheet
    area: Area
    last: int
    looks: Mapping[Look, int]
    date1904: bool = False
    planner: dict[int, list[tuple[int, bytes]]] = field(default_factory=dict)
    rows: Mapping[int, bytes] = field(default_factory=dict)
    label_row: int | None = None
    kept_keys: Mapping[int, str] = field(default_factory=dict)
    paints: Mapping[int, Mapping[int, Mapping[int, int]]] = field(default_factory=dict)


def rows_xml(content: SheetContent, prefix: str) -> Iterator[bytes]:
    """All rows of the sheet in order, in pieces of some hundred rows."""
    area, looks = content.area, content.looks
    before = _fixed_rows(content, prefix)
    yield b"".join(
        _row(content, prefix, row, before.get(row, []))
        for row in _rows(content, before, 1, area.top)
    )
    first = area.top + 1
    writer = _RowWriter(content, prefix)
    batch: list[bytes] = []
    for offset, values in enumerate(content.sheet.rows):
        row = first + offset
        extra = content.planner.get(row)
        cells = writer.cells(str(row), values)
        for column, instead in content.paints.get(row, {}).items():
            cells = _painted(cells, address(row, column), instead)
        if extra:
            cells = _around(cells, extra, area.left)
        height = writer.height(values)
        batch.append(b'<%srow r="%d"%s>%s</%srow>' % (writer.p, row, height, cells, writer.p))
        if len(batch) == _BATCH:
            yield b"".join(batch)
            batch.clear()
    if not content.sheet.rows:
        blank = [
            (area.left + index, f'<{prefix}c r="{address(first, area.left + index)}" '
             f's="{looks[look_of(column)]}"/>'.encode())
            for index, column in enumerate(content.sheet.columns)
        ]  # fmt: skip
        batch.append(_row(content, prefix, first, blank))
    yield b"".join(batch)
    bottom = max([content.last, *before, *content.planner, *content.rows])
    yield b"".join(
        _row(content, prefix, row, before.get(row, []))
        for row in _rows(content, before, content.last + 1, bottom)
    )


def plain_rows(rows: Sequence[Sequence[Value]], prefix: str) -> Iterator[bytes]:
    """Rows of a sheet without formats, from A1."""
    for number, values in enumerate(rows, start=1):
        cells = b"".join(
            value_cell(prefix, address(number, column), 0, value, False)
            for column, value in enumerate(values, start=1)
        )
        p = prefix.encode()
        yield b'<%srow r="%d">%s</%srow>' % (p, number, cells, p)


def value_cell(prefix: str, ref: str, style: int, value: Value, date1904: bool) -> bytes:
    """One cell; text is always text, whatever it begins with."""
    if isinstance(value, Link):
        value = value.text
    value = clean(value)
    head = f'<{prefix}c r="{ref}"' + (f' s="{style}"' if style else "")
    p = prefix
    if value is None:
        return f"{head}/>".encode() if style else b""
    if isinstance(value, bool):
        return f'{head} t="b"><{p}v>{int(value)}</{p}v></{p}c>'.encode()
    if isinstance(value, str):
        text, keep = text_xml(value)
        space = ' xml:space="preserve"' if keep else ""
        return f'{head} t="inlineStr"><{p}is><{p}t{space}>{text}</{p}t></{p}is></{p}c>'.encode()
    number = serial(value, date1904) if isinstance(value, date | time) else value
    return f"{head}><{p}v>{number!r}</{p}v></{p}c>".encode()


class _RowWriter:
    """Writes the owned cells of data rows; everything that can be prepared is."""

    def __init__(self, content: SheetContent, prefix: str) -> None:
        self.p = prefix.encode()
        self.date1904 = content.date1904
        p = prefix
        self.columns = []
        for index, column in enumerate(content.sheet.columns):
            letters = column_letters(content.area.left + index)
            look = look_of(column)
            # A plain number in a column of dates must not be shown (and read) as a date.
            numbers = Look.TEXT if look in _DATE_LOOKS else look
            style, numeric = content.looks[look], content.looks[numbers]
            count = numeric
            if column.style is CellStyle.NUMBER:
                count = content.looks[look_for(column.style, 0)]
            moment = content.looks[Look.DATETIME]
            self.columns.append(
                (
                    f'<{p}c r="{letters}',
                    f'" s="{style}"',
                    f'" s="{style}" t="inlineStr"><{p}is><{p}t>',
                    f'" s="{numeric}"><{p}v>',
                    f'" s="{count}"><{p}v>',
                    f'" s="{moment}"><{p}v>',
                )
            )
        self.dates = {look: content.looks[look] for look in _DATE_LOOKS}
        self.wrapped = [
            (index, max(int(column.width * 1.1), 8))
            for index, column in enumerate(content.sheet.columns)
            if column.style is CellStyle.WRAPPED
        ]
        self.number = f"><{p}v>"
        self.number_end = f"</{p}v></{p}c>"
        self.text = f' t="inlineStr"><{p}is><{p}t>'
        self.text_kept = f' t="inlineStr"><{p}is><{p}t xml:space="preserve">'
        self.text_end = f"</{p}t></{p}is></{p}c>"
        self.boolean = f' t="b"><{p}v>'

    def height(self, values: Sequence[Value]) -> bytes:
        """Room for wrapped text; LibreOffice does not find it out by itself."""
        lines = 1
        for index, room in self.wrapped:
            value = values[index]
            if isinstance(value, str) and (len(value) > room or "\n" in value):
                pieces = value[:MAX_TEXT].split("\n")
                lines = max(lines, sum(_lines(len(piece), room) for piece in pieces))
        return b' ht="%g"' % (_LINE * min(lines, _MAX_LINES)) if lines > 1 else b""

    def cells(self, row: str, values: Sequence[Value]) -> bytes:
        parts: list[str] = []
        add = parts.append
        number_end, text_end, special = self.number_end, self.text_end, SPECIAL.search
        for value, looks in zip(values, self.columns, strict=True):
            head, style, text, number, count, moment = looks
            kind = type(value)
            if kind is str and len(value) < _SURE and value and not special(value):  # type: ignore[arg-type]
                add(f"{head}{row}{text}{value}{text_end}")
            elif kind is float and isfinite(value):  # type: ignore[arg-type]
                add(f"{head}{row}{number}{value!r}{number_end}")
            elif kind is int and -MAX_EXACT_INTEGER <= value <= MAX_EXACT_INTEGER:  # type: ignore[operator]
                add(f"{head}{row}{count}{value}{number_end}")
            elif value is None:
                add(f"{head}{row}{style}/>")
            elif kind is bool:
                add(f"{head}{row}{style}{self.boolean}{int(value)}{number_end}")  # type: ignore[arg-type]
            elif kind is datetime and value.year > 1900:  # type: ignore[union-attr]
                add(f"{head}{row}{moment}{serial(value, self.date1904)!r}{number_end}")  # type: ignore[arg-type]
            else:
                add(self._other(head, row, style, number, value))
        return "".join(parts).encode()

    def _other(self, head: str, row: str, style: str, number: str, value: Value) -> str:
        value = clean(value.text if isinstance(value, Link) else value)
        if value is None:
            return f"{head}{row}{style}/>"
        if isinstance(value, date | time):
            look = Look.DATETIME if isinstance(value, datetime) else Look.DATE
            look = Look.TIME if isinstance(value, time) else look
            days = serial(value, self.date1904)
            return f'{head}{row}" s="{self.dates[look]}"{self.number}{days!r}{self.number_end}'
        if isinstance(value, str):
            text, keep = text_xml(value)
            opened = self.text_kept if keep else self.text
            return f"{head}{row}{style}{opened}{text}{self.text_end}"
        # A number of another type (numpy's, for one) that behaves as Python's.
        plain = float(value)  # type: ignore[arg-type]
        cleaned = clean(int(plain) if plain.is_integer() else plain) if plain == plain else None
        if cleaned is None:
            return f"{head}{row}{style}/>"
        return f"{head}{row}{number}{cleaned!r}{self.number_end}"


def _fixed_rows(content: SheetContent, p: str) -> dict[int, list[tuple[int, bytes]]]:
    """Title, note, header and the labels of the kept block."""
    area, looks, sheet = content.area, content.looks, content.sheet
    fixed: dict[int, list[tuple[int, bytes]]] = {}

    def put(row: int, column: int, look: Look, value: str) -> None:
        cell = value_cell(p, address(row, column), looks[look], value, False)
        fixed.setdefault(row, []).append((column, cell))

    if area.top > 3:
        put(area.top - 3, area.left, Look.TITLE, sheet.title)
    if area.top > 2:
        put(area.top - 2, area.left, Look.NOTE, sheet.note)
    for index, column in enumerate(sheet.columns):
        look = Look.HEADER_RIGHT if column.style in NUMBERS else Look.HEADER
        put(area.top, area.left + index, look, column.header)
    if content.label_row is not None:
        put(content.label_row, area.left, Look.KEPT, KEPT_LABEL)
    for row, key in content.kept_keys.items():
        put(row, area.left, Look.KEPT, key)
    return fixed


def _rows(content: SheetContent, fixed: Mapping[int, object], first: int, last: int) -> list[int]:
    wanted = set(fixed) | set(content.planner) | set(content.rows)
    return sorted(row for row in wanted if first <= row <= last)


def _row(content: SheetContent, p: str, row: int, cells: list[tuple[int, bytes]]) -> bytes:
    extra = content.planner.get(row, [])
    taken = {column for column, _ in cells}
    merged = sorted([*cells, *(item for item in extra if item[0] not in taken)])
    attrs = content.rows.get(row, b"")
    if not attrs and content.area.top > 3 and row == content.area.top - 3:
        attrs = b' ht="27" customHeight="1"'
    if not attrs and row == content.area.top:
        attrs = b' ht="%g" customHeight="1"' % (_LINE * _header_lines(content.sheet) + 4)
    name = p.encode()
    body = b"".join(xml for _, xml in merged)
    return b'<%srow r="%d"%s>%s</%srow>' % (name, row, attrs, body, name)


def _painted(cells: bytes, ref: str, instead: Mapping[int, int]) -> bytes:
    style = re.compile(rb'(\sr="%s" s=")(\d+)' % ref.encode())
    return style.sub(lambda found: found[1] + b"%d" % instead[int(found[2])], cells, count=1)


def _around(cells: bytes, extra: list[tuple[int, bytes]], left: int) -> bytes:
    before = b"".join(xml for column, xml in sorted(extra) if column < left)
    return before + cells + b"".join(xml for column, xml in sorted(extra) if column >= left)


def _lines(length: int, room: int) -> int:
    """Lines of so many letters; each line wastes a few where a word does not fit."""
    return 1 + max(length - 1 + length // room * 4, 0) // room


def _header_lines(sheet: ResultSheet) -> int:
    """Lines that the tallest header takes; bold letters and the filter button need room."""
    return max(
        (len(textwrap.wrap(c.header, max(4, int(c.width / 1.15) - 1))) for c in sheet.columns),
        default=1,
    )
