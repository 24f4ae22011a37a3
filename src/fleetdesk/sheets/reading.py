"""Reading sheets into plain values: one pass over the XML, formulas by their stored result.

A library that loads workbooks gives either formulas or results; telling a formula whose result was
never stored from an empty cell would take two passes.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from typing import IO, Any

from fleetdesk.errors import WorkbookRefused
from fleetdesk.sheets.a1 import MAX_COLUMN, MAX_ROW, column_letters, column_number
from fleetdesk.sheets.base import Value
from fleetdesk.sheets.parts import Book
from fleetdesk.sheets.values import date_kind, from_serial, unescape_xstring
from fleetdesk.sheets.xml_spans import as_utf8, feed, new_parser, parse

MAX_CELLS = 5_000_000
_CHUNK = 1 << 16
_DIGITS = "0123456789"


class Reader:
    """Reads sheets of one workbook; shared strings and formats are loaded when first needed."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self._strings: list[str] | None = None
        self._kinds: list[str] | None = None

    def sheet(self, part: str) -> tuple[dict[tuple[int, int], Value], tuple[str, ...]]:
        """The cells that hold something, and the formulas without a stored result."""
        cells: dict[tuple[int, int], Value] = {}
        uncomputed: list[str] = []
        where = f"{self.book.package.where} ({part})"

        def found(row: int, column: int, kind: str, style: str, text: str, formula: bool) -> None:
            if formula and text == "" and kind != "str":
                uncomputed.append(f"{column_letters(column)}{row}")
                return
            value = self.value(kind, style, text, where)
            if value is not None:
                cells[row, column] = value
                if len(cells) > MAX_CELLS:
                    raise WorkbookRefused(
                        f"{where} has more cells than a planner's sheet can have",
                        fix="Delete rows and columns that are not used, save, and run again",
                    )

        with self.book.package.open(part) as stream:
            scan_cells(stream, where, found)
        return cells, tuple(uncomputed)

    def value(self, kind: str, style: str, text: str, where: str) -> Value:
        """A cell's stored text as a value; Excel's errors stay visible as `#REF!`."""
        if text == "":
            return None
        if kind == "n":
            return self._number(text.strip(), style)
        if kind == "s":
            strings = self.strings()
            index = int(text) if text.strip().isdigit() else -1
            if not 0 <= index < len(strings):
                raise WorkbookRefused(
                    f"{where} is damaged: a cell points to a text that is not there",
                    fix="Open the workbook in Excel, let it repair the file, save, and run again",
                )
            return strings[index] or None
        if kind in ("inlineStr", "str"):
            return unescape_xstring(text)
        if kind == "e":
            return text
        if kind == "b":
            return text.strip() in ("1", "true")
        if kind == "d":
            return _iso(text.strip())
        return self._number(text.strip(), style)

    def _number(self, text: str, style: str) -> Value:
        number: int | float
        try:
            number = int(text) if text.lstrip("-").isdigit() else float(text)
        except ValueError:
            return text or None
        kinds = self._date_kinds()
        index = int(style) if style.isdigit() else 0
        if index < len(kinds) and kinds[index]:
            return from_serial(float(number), kinds[index], self.book.date1904)
        return number

    def strings(self) -> list[str]:
        """The workbook's shared strings, without phonetic hints."""
        if self._strings is None:
            part = self.book.related("sharedStrings")
            self._strings = _shared_strings(self.book, part) if part else []
        return self._strings

    def _date_kinds(self) -> list[str]:
        if self._kinds is None:
            part = self.book.related("styles")
            self._kinds = _date_kinds(as_utf8(self.book.package.part(part))) if part else []
        return self._kinds


def scan_cells(
    stream: IO[bytes], where: str, found: Callable[[int, int, str, str, str, bool], None]
) -> None:
    """Call `found(row, column, type, style, text, formula)` for every cell of a sheet.

    `formula` says whether the cell holds one; its result is `text`, empty when it is not stored.
    """
    parser = new_parser(where)
    parser.buffer_text = True
    row = column = 0
    kind = style = ""
    formula = False
    text: list[str] = []
    deaf = True
    skip = 0

    def opened(tag: str, attrs: dict[str, str]) -> None:
        nonlocal row, column, kind, style, formula, deaf, skip
        local = tag if ":" not in tag else tag.rpartition(":")[2]
        if local == "c":
            ref = attrs.get("r")
            if ref is None:
                column += 1
            else:
                letters = ref.rstrip(_DIGITS)
                number = ref[len(letters) :]
                if not number or not letters.isalpha() or len(letters) > 3:
                    raise _out_of_bounds(where, ref)
                row, column = int(number), column_number(letters)
            if not (0 < row <= MAX_ROW and 0 < column <= MAX_COLUMN):
                raise _out_of_bounds(where, ref or f"column {column} of row {row}")
            kind, style = attrs.get("t", "n"), attrs.get("s", "0")
            formula = False
            text.clear()
        elif local == "v":
            deaf = kind == "inlineStr"
        elif local == "t":
            deaf = skip > 0
        elif local == "f":
            formula = True
        elif local == "is":
            text.clear()
        elif local == "row":
            given = attrs.get("r", "")
            row = int(given) if given.isdigit() else row + 1
            column = 0
        elif local == "rPh":
            skip += 1

    def closed(tag: str) -> None:
        nonlocal deaf, skip
        local = tag if ":" not in tag else tag.rpartition(":")[2]
        if local == "c":
            if text or formula:
                found(row, column, kind, style, "".join(text), formula)
        elif local in ("v", "t"):
            deaf = True
        elif local == "rPh":
            skip -= 1

    def heard(piece: str) -> None:
        if not deaf:
            text.append(piece)

    parser.StartElementHandler = opened
    parser.EndElementHandler = closed
    parser.CharacterDataHandler = heard
    feed_stream(parser, stream, where)


def feed_stream(parser: Any, stream: IO[bytes], where: str) -> None:
    """Parse a part piece by piece."""
    head = stream.read(_CHUNK)
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        feed(parser, as_utf8(head + stream.read()), where)
        return
    while head:
        feed(parser, head, where, final=False)
        head = stream.read(_CHUNK)
    feed(parser, b"", where)


def _shared_strings(book: Book, part: str) -> list[str]:
    strings: list[str] = []
    text: list[str] = []
    deaf = True
    skip = 0
    parser = new_parser(part)
    parser.buffer_text = True

    def opened(tag: str, _: dict[str, str]) -> None:
        nonlocal deaf, skip
        local = tag.rpartition(":")[2]
        if local == "si":
            text.clear()
        elif local == "t":
            deaf = skip > 0
        elif local == "rPh":
            skip += 1

    def closed(tag: str) -> None:
        nonlocal deaf, skip
        local = tag.rpartition(":")[2]
        if local == "si":
            strings.append(unescape_xstring("".join(text)))
        elif local == "t":
            deaf = True
        elif local == "rPh":
            skip -= 1

    def heard(piece: str) -> None:
        if not deaf:
            text.append(piece)

    parser.StartElementHandler = opened
    parser.EndElementHandler = closed
    parser.CharacterDataHandler = heard
    with book.package.open(part) as stream:
        feed_stream(parser, stream, part)
    return strings


def _date_kinds(xml: bytes) -> list[str]:
    root = parse(xml, "the workbook's styles", depth=3)
    formats = root.child("numFmts")
    codes = {node.get("numFmtId"): node.get("formatCode") for node in formats.children} if (
        formats
    ) else {}  # fmt: skip
    cells = root.child("cellXfs")
    kinds = []
    for node in cells.children if cells else []:
        number = node.get("numFmtId", "0")
        kinds.append(date_kind(int(number) if number.isdigit() else 0, codes.get(number)))
    return kinds


def _iso(text: str) -> Value:
    for kind in (date.fromisoformat, time.fromisoformat, datetime.fromisoformat):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _out_of_bounds(where: str, ref: str) -> WorkbookRefused:
    return WorkbookRefused(
        f"{where} has a cell outside the sheet",
        found=ref,
        fix="Open the workbook in Excel, let it repair the file, save, and run again",
    )
