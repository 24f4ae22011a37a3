"""A sheet of an .xlsx workbook as rows of texts, within bounds of size and memory."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import numpy as np
import pyarrow as pa

from fleetdesk.errors import SourceUnreadable
from fleetdesk.sources.base import OnProgress, Tally
from fleetdesk.sources.csv_file import Rows

MAX_FILE = 256 * 2**20
MAX_TOTAL = 2 * 2**30
MAX_STRINGS = 512 * 2**20
"""Shared strings are held in memory as a whole."""
MAX_RATIO = 400
RATIO_FROM = 64 * 2**20
MAX_COLUMNS = 512
_BATCH_ROWS = 10_000
_HEADER_WITHIN = 20
_BROKEN = (
    zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError, IndexError, EOFError,
    ParseError, OSError, zipfile.LargeZipFile, NotImplementedError, RuntimeError,
)  # fmt: skip


class XlsxFile:
    """One sheet: the first row of at least two texts is the header, all below are rows."""

    def __init__(self, path: Path, sheet: str = "") -> None:
        self.path = path
        _check_size(path)
        book = self._opened()
        try:
            self.sheet, self._first, names = self._found(book, sheet)
        finally:
            book.close()
        self.header: list[str] = []
        for place, name in enumerate(names):
            bare = " ".join(name.split()) or f"column {place + 1}"
            self.header.append(bare if bare not in self.header else f"{bare} ({place + 1})")

    def rows(self, tally: Tally, on_progress: OnProgress | None = None) -> Iterator[Rows]:
        """All rows with anything in them, numbered as the sheet numbers them."""
        book = self._opened()
        try:
            page = book[self.sheet]
            most = page.max_row or 0
            numbers: list[int] = []
            cells: list[list[str | None]] = []
            for row, values in self._values(page, self._first + 1):
                texts = [_text(value) for value in values[: len(self.header)]]
                texts += [None] * (len(self.header) - len(texts))
                if any(text is not None for text in texts):
                    numbers.append(row)
                    cells.append(texts)
                if len(cells) == _BATCH_ROWS:
                    yield self._batch(numbers, cells, tally)
                    numbers, cells = [], []
                    if on_progress and most:
                        on_progress(min(1.0, row / most))
            if cells:
                yield self._batch(numbers, cells, tally)
        finally:
            book.close()

    def _batch(
        self, numbers: Sequence[int], cells: Sequence[Sequence[str | None]], tally: Tally
    ) -> Rows:
        tally.rows_in += len(cells)
        columns = [pa.array(column, pa.string()) for column in zip(*cells, strict=True)]
        names = [f"c{place}" for place in range(len(columns))]
        return Rows(np.array(numbers, np.int64), pa.Table.from_arrays(columns, names=names))

    def _opened(self) -> Any:
        from openpyxl import load_workbook

        try:
            return load_workbook(self.path, read_only=True, data_only=True, keep_links=False)
        except _BROKEN as trouble:
            raise _damaged(self.path, trouble) from trouble

    def _values(self, page: Any, first: int) -> Iterator[tuple[int, tuple[Any, ...]]]:
        try:
            rows = page.iter_rows(min_row=first, max_col=MAX_COLUMNS, values_only=True)
            yield from enumerate(rows, start=first)
        except _BROKEN as trouble:
            raise _damaged(self.path, trouble) from trouble

    def _found(self, book: Any, wanted: str) -> tuple[str, int, list[str]]:
        """The sheet's name, the row of its header, and the header."""
        names = [page.title for page in book.worksheets]
        if wanted and wanted not in names:
            raise SourceUnreadable(
                f"{self.path.name} has no sheet {wanted!r}",
                found=", ".join(names), fix="Name one of these with --option sheet=NAME",
            )  # fmt: skip
        for page in book.worksheets:
            if wanted and page.title != wanted:
                continue
            if not wanted and page.sheet_state != "visible":
                continue
            page.reset_dimensions()  # what a file says of its size need not be so
            for row, values in self._values(page, 1):
                if row > _HEADER_WITHIN:
                    break
                texts = [_text(value) or "" for value in values]
                while texts and not texts[-1]:
                    texts.pop()
                if sum(map(bool, texts)) >= 2:  # a title stands alone
                    return page.title, row, texts
        raise SourceUnreadable(
            f"{self.path.name} holds no table",
            found=f"sheets {', '.join(names)}",
            fix="The first row of the table must name its columns",
        )


def _text(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()  # so that a date without a time is known as such
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value)


def _check_size(path: Path) -> None:
    """Refuse what would not fit, before anything is unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
    except _BROKEN as trouble:
        raise _damaged(path, trouble) from trouble
    packed, total = path.stat().st_size, sum(info.file_size for info in infos)
    strings = sum(i.file_size for i in infos if i.filename.casefold().endswith("sharedstrings.xml"))
    bomb = total > RATIO_FROM and total > MAX_RATIO * packed
    if packed > MAX_FILE or total > MAX_TOTAL or strings > MAX_STRINGS or bomb:
        raise SourceUnreadable(
            f"{path.name} is too big to be read as a workbook",
            found=f"{packed / 1e6:.0f} MB that unpack to {total / 1e6:.0f} MB",
            fix="Save the sheet as CSV and import that",
        )
    if not any(info.filename.casefold().endswith("workbook.xml") for info in infos):
        raise SourceUnreadable(
            f"{path.name} is a zip file, not a workbook", found=infos[0].filename if infos else "",
            fix="Unpack it and import the file inside",
        )  # fmt: skip


def _damaged(path: Path, trouble: Exception) -> SourceUnreadable:
    return SourceUnreadable(
        f"{path.name} cannot be read as a workbook",
        found=str(trouble).splitlines()[0] if str(trouble) else type(trouble).__name__,
        fix="Open it in a spreadsheet program and save it again, or save the sheet as CSV",
    )
