"""An owned sheet as it stands: the planner's cells around our table, and the XML around the cells.

Streams: only the planner's cells, the key column and what surrounds `sheetData` are held.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import IO, Any

from fleetdesk.errors import WorkbookRefused
from fleetdesk.sheets.a1 import MAX_COLUMN, MAX_ROW, Area, column_letters, column_number
from fleetdesk.sheets.xml_spans import as_utf8, feed, new_parser, tag_end

_CHUNK = 1 << 18
_DIGITS = "0123456789"
_ROW_END = b"</row>"
_ROW = re.compile(rb'<row\b[^>]*?\sr="([0-9]+)"')
_REF = re.compile(rb"\sr\s*=\s*(\"[^\"]*\"|'[^']*')")
_ROW_NOISE = re.compile(rb"\s(?:r|spans|[\w.]+:dyDescent)\s*=\s*(\"[^\"]*\"|'[^']*')")
_NAME = re.compile(rb"<[^\s/>]+")


@dataclass(slots=True)
class RawCell:
    """One cell as stored: its attributes but for the address, and its content, both XML.

    `shared` is the number of the shared formula it belongs to; `master` whether it defines it.
    """

    row: int
    column: int
    attrs: bytes
    inner: bytes
    kind: str
    style: str
    text: str
    formula: str | None = None
    formula_kind: str = ""
    shared: str = ""
    master: bool = False


@dataclass
class Scan:
    """What was found: planner's cells, key cells, row attributes, and the XML without its cells.

    `painted` are our cells, below the header, of a format that the planner chose.
    """

    cells: list[RawCell] = field(default_factory=list)
    keys: dict[int, str] = field(default_factory=dict)
    rows: dict[int, bytes] = field(default_factory=dict)
    skeleton: bytes = b""
    lost_formula: bool = False
    painted: dict[tuple[int, int], str] = field(default_factory=dict)


def scan_sheet(
    stream: IO[bytes],
    where: str,
    body: Area,
    owned: Collection[int],
    key_column: int | None,
    ours: Collection[tuple[int, int]],
    key_of: Callable[[RawCell], str],
    painted: Collection[str] = (),
) -> Scan:
    """Read an owned sheet whose table's header and data are `body`.

    Cells in the `owned` columns of `body` and the cells `ours` belong to FleetDesk; of them only
    the `key_column` is kept, and where one has a format of `painted`. Everything else is the
    planner's.
    """
    scan = Scan()
    text = _Rolling()
    row = column = 0
    cell: RawCell | None = None
    planners = False
    start = 0
    words: list[str] = []
    hears = ""
    parser = new_parser(where)
    parser.buffer_text = True
    owned_columns = frozenset(owned)

    def opened(tag: str, attrs: dict[str, str]) -> None:
        nonlocal row, column, cell, planners, start, hears
        local = tag if ":" not in tag else tag.rpartition(":")[2]
        if local == "c":
            ref = attrs.get("r")
            if ref is None:
                column += 1
            else:
                letters = ref.rstrip(_DIGITS)
                number = ref[len(letters) :]
                row, column = int(number or 0), column_number(letters)
                if not (letters.isalpha() and 0 < row <= MAX_ROW and 0 < column <= MAX_COLUMN):
                    raise WorkbookRefused(
                        f"{where} has a cell outside the sheet",
                        found=ref,
                        fix="Open the workbook in Excel, let it repair the file, and save it",
                    )
            inside = body.top <= row <= body.bottom and column in owned_columns
            planners = not inside and (row, column) not in ours
            if inside and row > body.top and attrs.get("s") in painted:
                scan.painted[row, column] = attrs["s"]
            if planners or (inside and column == key_column):
                start = text.seen = parser.CurrentByteIndex
                cell = RawCell(row, column, b"", b"", attrs.get("t", "n"), attrs.get("s", "0"), "")
                words.clear()
            else:
                cell = None
        elif local == "f":
            if cell is None or not planners:
                scan.lost_formula = True
            else:
                cell.formula = ""
                cell.formula_kind = attrs.get("t", "normal")
                cell.shared = attrs.get("si", "") if cell.formula_kind == "shared" else ""
                cell.master = "ref" in attrs
                hears = "f"
        elif cell is not None and local in ("v", "t"):
            hears = local
        elif local == "row":
            given = attrs.get("r", "")
            row = int(given) if given.isdigit() else row + 1
            column = 0
            text.seen = parser.CurrentByteIndex
            if not body.top <= row <= body.bottom:
                scan.rows[row] = _row_attrs(text.tag(parser.CurrentByteIndex))
        elif local == "sheetData":
            text.open_cells(parser.CurrentByteIndex)

    def closed(tag: str) -> None:
        nonlocal cell, hears
        local = tag if ":" not in tag else tag.rpartition(":")[2]
        if local == "c":
            if cell is not None:
                cell.text = "".join(words)
                if planners:
                    cell.attrs, cell.inner = text.cell(start, parser.CurrentByteIndex)
                    scan.cells.append(cell)
                else:
                    scan.keys[cell.row] = key_of(cell)
                cell = None
        elif local in ("f", "v", "t"):
            hears = ""
        elif local == "sheetData":
            text.close_cells(parser.CurrentByteIndex)

    def heard(piece: str) -> None:
        if not hears or cell is None:
            return
        if hears == "f":
            cell.formula = (cell.formula or "") + piece
        else:
            words.append(piece)

    parser.StartElementHandler = opened
    parser.EndElementHandler = closed
    parser.CharacterDataHandler = heard
    skip = [column for column in owned_columns if column != key_column]
    _feed(parser, _without_plain_cells(stream, body, skip, painted), where, text)
    scan.skeleton = text.skeleton()
    return scan


class _Rolling:
    """The text read so far, forgotten up to the last row or cell begun; offsets are the part's."""

    def __init__(self) -> None:
        self.base = 0
        self.buffer = bytearray()
        self.seen = 0
        self.head = b""
        self.inside = False

    def add(self, chunk: bytes) -> None:
        self.buffer += chunk

    def forget(self) -> None:
        if self.inside and self.seen > self.base:
            del self.buffer[: self.seen - self.base]
            self.base = self.seen

    def tag(self, at: int) -> bytes:
        data = bytes(self.buffer[at - self.base : at - self.base + 4096])
        return data[: tag_end(data, 0)]

    def cell(self, start: int, end: int) -> tuple[bytes, bytes]:
        """Attributes (without the address) and content of the cell that stands here."""
        data = bytes(self.buffer[start - self.base : max(end, start + 1) - self.base])
        whole = data if data.endswith(b">") else data + b">"
        opened = tag_end(whole, 0)
        tag = whole[:opened]
        attrs = _NAME.sub(b"", tag, count=1).rstrip(b">").rstrip(b"/").rstrip()
        closed = tag.endswith(b"/>")
        return _REF.sub(b"", attrs, count=1), b"" if closed else data[opened:]

    def open_cells(self, at: int) -> None:
        data = bytes(self.buffer)
        end = tag_end(data, at - self.base)
        self.head = data[:end]
        self.inside = True
        self.seen = at

    def close_cells(self, at: int) -> None:
        self.seen = at
        self.forget()
        self.inside = False

    def skeleton(self) -> bytes:
        return self.head + bytes(self.buffer)


def _feed(parser: Any, pieces: Iterator[bytes], where: str, text: _Rolling) -> None:
    for piece in pieces:
        text.add(piece)
        feed(parser, piece, where, final=False)
        text.forget()
    feed(parser, b"", where)


def _without_plain_cells(
    stream: IO[bytes], body: Area, columns: Collection[int], painted: Collection[str]
) -> Iterator[bytes]:
    """The part in pieces; our own cells without formulas, most of it, are taken out unparsed.

    Only where that is certain: whole rows inside `body`, no comments, the usual spelling.
    """
    letters = "|".join(sorted(map(column_letters, columns), key=len, reverse=True))
    chosen = rb'(?![^>]*\ss="(?:%s)")' % "|".join(painted).encode() if painted else b""
    cell = re.compile(
        rb'<c r="(?:%s)[0-9]+"%s[^>/]*(?:/>|>(?:<v>[^<]*</v>|<is><t[^>]*>[^<]*</t></is>)?</c>)'
        % ((letters or "-").encode(), chosen)
    )
    head = stream.read(_CHUNK)
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        yield as_utf8(head + stream.read())
        return
    rest = b""
    while head:
        piece = rest + head
        end = piece.rfind(_ROW_END) + len(_ROW_END)
        if end < len(_ROW_END):
            end = len(piece) if len(piece) > 4 * _CHUNK else 0
        whole, rest = piece[:end], piece[end:]
        rows = _ROW.findall(whole)
        inside = (
            bool(rows) and body.top < min(map(int, rows)) and max(map(int, rows)) <= body.bottom
        )
        if inside and whole.lstrip().startswith(b"<row") and b"<!" not in whole:
            whole = cell.sub(b"", whole)
        yield whole
        head = stream.read(_CHUNK)
    yield rest


def _row_attrs(tag: bytes) -> bytes:
    attrs = _NAME.sub(b"", tag, count=1).rstrip(b">").rstrip(b"/").rstrip()
    return _ROW_NOISE.sub(b"", attrs)
