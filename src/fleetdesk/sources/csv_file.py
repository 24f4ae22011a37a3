"""CSV files read piece by piece as texts, with the row numbers a spreadsheet would show."""

from __future__ import annotations

import codecs
import csv
import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pacsv

from fleetdesk.errors import SourceUnreadable
from fleetdesk.sources.base import OnProgress, Tally

BLOCK_BYTES = 2**20  # the reader keeps up to 32 blocks ahead
_HEAD_BYTES = 64 * 1024
_GZIP = b"\x1f\x8b"
_DELIMITERS = ",;\t|"
_FIRST_LETTER = 0xA1  # in Windows' alphabets; below are signs
_ENOUGH = 10_000
_LOOKED_AT = 256  # blocks
_OTHER_FORMATS = (
    (b"PK\x03\x04", "an Excel workbook or a zip file", "Save the sheet as CSV, or unpack the file"),
    (b"PAR1", "a Parquet file", "Import it as a folder of canonical files"),
    (b"SQLite format 3", "an SQLite database", "Export the table as CSV"),
    (b"<", "a web page or XML", "Download the file itself, not the page that shows it"),
    (b"{", "JSON", "Convert it to CSV with one row per vehicle and snapshot"),
    (b"[", "JSON", "Convert it to CSV with one row per vehicle and snapshot"),
)


@dataclass(frozen=True)
class Rows:
    """Some rows of the file: every column as text, empty cells null; `numbers` counts from 1."""

    numbers: npt.NDArray[np.int64]
    texts: pa.Table


class CsvFile:
    """One CSV file, plain or gzip; SourceUnreadable at once when it is something else."""

    def __init__(self, path: Path, *, encoding: str = "utf-8") -> None:
        self.path = path
        self.encoding = encoding
        with _readable(path):
            head = self._head()
        if encoding != "utf-8":
            # As a stream, because the head may end within a character.
            text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(head)
            head = text.encode("utf-8", errors="replace")
        self.delimiter = _looked_at(path, head)
        first = head.decode("utf-8-sig", errors="replace").splitlines()[0]
        self.header = [name.strip() for name in next(csv.reader([first], delimiter=self.delimiter))]

    def rows(self, tally: Tally, on_progress: OnProgress | None = None) -> Iterator[Rows]:
        """All rows in bounded memory; those with too many or too few cells are counted, not given.

        Rows are numbered as lines: the header is row 1. Cells that span lines shift the count.
        """
        broken: list[int] = []

        def skip(row: Any) -> str:
            broken.append(row.number)
            told = f"row {row.number}: {row.actual_columns} cells instead of {row.expected_columns}"
            tally.rows_in += 1
            tally.drop("wrong number of cells", 1, iter([told]))
            return "skip"

        size = max(1, self.path.stat().st_size)
        with _readable(self.path), pa.OSFile(str(self.path)) as file:
            stream = pa.CompressedInputStream(file, "gzip") if self._is_gzip else file
            reader = pacsv.open_csv(
                stream,
                read_options=pacsv.ReadOptions(
                    block_size=BLOCK_BYTES, use_threads=False, encoding=self.encoding,
                    column_names=[f"c{place}" for place in range(len(self.header))], skip_rows=1,
                ),
                parse_options=pacsv.ParseOptions(
                    delimiter=self.delimiter, invalid_row_handler=skip, ignore_empty_lines=False,
                    newlines_in_values=True,
                ),
                convert_options=pacsv.ConvertOptions(
                    column_types={f"c{place}": pa.string() for place in range(len(self.header))},
                    strings_can_be_null=True, null_values=["", "NULL", "null", "NaN", "nan"],
                ),
            )  # fmt: skip
            given = 0
            for batch in reader:
                numbers = _line_numbers(given, batch.num_rows, broken)
                given += batch.num_rows
                tally.rows_in += batch.num_rows
                if on_progress:
                    on_progress(min(1.0, file.tell() / size))
                yield Rows(numbers, pa.Table.from_batches([batch]))

    def _head(self) -> bytes:
        with self.path.open("rb") as file:
            self._is_gzip = file.read(2) == _GZIP
        with pa.OSFile(str(self.path)) as file:
            stream = pa.CompressedInputStream(file, "gzip") if self._is_gzip else file
            return bytes(stream.read(_HEAD_BYTES))


def encoding_of(path: Path) -> str:
    """UTF-8, UTF-16 or, where a CSV file is neither, Windows' own for Greek or for the west.

    Letters beyond ASCII come in runs in Greek and singly in the languages of the west.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    high = runs = 0
    utf8 = True
    for piece in itertools.islice(_pieces(path), _LOOKED_AT):
        if not high and piece.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        try:
            decoder.decode(piece)
        except UnicodeDecodeError:
            utf8 = False
        is_high = np.frombuffer(piece, np.uint8) >= _FIRST_LETTER
        high += int(is_high.sum())
        runs += int((is_high[1:] & is_high[:-1]).sum())
        if not utf8 and high > _ENOUGH:
            break
    if utf8:
        return "utf-8"
    return "cp1253" if runs > high / 2 else "cp1252"


def _pieces(path: Path) -> Iterator[bytes]:
    with _readable(path), path.open("rb") as plain:
        is_gzip = plain.read(2) == _GZIP
        plain.seek(0)
        with pa.PythonFile(plain, mode="r") as file:
            stream = pa.CompressedInputStream(file, "gzip") if is_gzip else file
            while piece := stream.read(BLOCK_BYTES):
                yield bytes(piece)


def _looked_at(path: Path, head: bytes) -> str:
    """The delimiter; SourceUnreadable when the file's beginning is not that of a CSV."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text:
        raise _unreadable(path, "it is empty", "Export it again")
    for mark, what, fix in _OTHER_FORMATS:
        if text.startswith(mark):
            raise _unreadable(path, f"it is {what}", fix)
    if b"\0" in head:
        raise _unreadable(path, "it is a binary file", "Save it as CSV (UTF-8)")
    first = text.splitlines()[0].decode("utf-8", errors="replace")
    delimiter = max(_DELIMITERS, key=first.count)
    if not first.count(delimiter):
        raise _unreadable(
            path, f"its first row is {first[:60]!r}", "The first row must name the columns"
        )
    return delimiter


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """What goes wrong below, as a sentence."""
    try:
        yield
    except FileNotFoundError as trouble:
        raise _unreadable(path, "there is no such file", "Check the path") from trouble
    except IsADirectoryError as trouble:
        raise _unreadable(path, "it is a folder", "Name a CSV file in it") from trouble
    except (pa.ArrowInvalid, EOFError, OSError, UnicodeError) as trouble:
        said = str(trouble).splitlines()[0] if str(trouble) else type(trouble).__name__
        if "Truncated" in said or "inflate" in said:
            raise _unreadable(
                path, "the compressed file is cut off or damaged", "Download or copy it again"
            ) from trouble
        if "too short" in said:
            raise _unreadable(path, "it has no rows", "Export it again") from trouble
        if "straddl" in said:
            found = f"a row of more than {BLOCK_BYTES // 2**20} MB, or a quotation mark that is not"
            raise _unreadable(path, f"{found} closed", "Export it again") from trouble
        if "UTF8" in said:
            raise _unreadable(path, "it is not UTF-8 text", "Save it as CSV (UTF-8)") from trouble
        raise _unreadable(path, said, "Export it again as CSV (UTF-8)") from trouble


def _unreadable(path: Path, found: str, fix: str) -> SourceUnreadable:
    return SourceUnreadable(f"{path.name} cannot be read as CSV", found=found, fix=fix)


def _line_numbers(given: int, count: int, broken: Sequence[int]) -> npt.NDArray[np.int64]:
    """Line numbers of rows `given` to `given + count`, stepping over the broken ones."""
    places = np.arange(given, given + count, dtype=np.int64)
    rows_before_broken = np.asarray(broken, dtype=np.int64) - 2 - np.arange(len(broken))
    return places + 2 + np.searchsorted(rows_before_broken, places, side="right")
