"""Files of rows in any usual form, read piece by piece as texts under their columns' names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fleetdesk.errors import SourceUnreadable
from fleetdesk.sources.base import OnProgress, Tally
from fleetdesk.sources.csv_file import CsvFile, Rows, encoding_of
from fleetdesk.sources.mapped_json import JsonFile
from fleetdesk.sources.mapped_xlsx import XlsxFile

SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".parquet", ".json", ".jsonl", ".ndjson",
            ".geojson")  # fmt: skip
_BATCH_ROWS = 50_000
_GZIP = b"\x1f\x8b"


class RowFile(Protocol):
    """A file with a header and rows; the readers below all look like this."""

    path: Path
    header: list[str]

    def rows(self, tally: Tally, on_progress: OnProgress | None = None) -> Iterator[Rows]:
        """All rows in bounded memory, one text column per header entry, and their numbers."""


def open_rows(path: Path, *, encoding: str = "", sheet: str = "") -> RowFile:
    """The reader that fits what the file holds, whatever its name says.

    `encoding` is that of a CSV, by default found out; `sheet` is a workbook's, by default the
    first that holds a table.
    """
    if path.is_dir() or not path.exists():
        raise SourceUnreadable(
            f"There is no file {path.name}", found=str(path), fix="Check the path"
        )
    head = _head(path)
    if head.startswith(b"PK\x03\x04"):
        return XlsxFile(path, sheet)
    if head.startswith(b"PAR1"):
        return ParquetFile(path)
    if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"["):
        return JsonFile(path)
    return NamedCsv(path, encoding or encoding_of(path))


def files_at(place: Path) -> list[Path]:
    """The file, or the files of a folder that may hold rows, trip_2 before trip_10."""
    if not place.is_dir():
        return [place]
    found = [
        path for path in place.iterdir()
        if path.is_file() and not path.name.startswith((".", "~"))
        and path.name.lower().removesuffix(".gz").endswith(SUFFIXES)
    ]  # fmt: skip
    if not found:
        raise SourceUnreadable(
            f"The folder {place.name} holds no file of rows",
            found=", ".join(sorted(path.name for path in place.iterdir())[:5]) or "nothing",
            fix=f"Put files there that end in {', '.join(SUFFIXES)}",
        )
    return sorted(found, key=lambda path: _natural(path.name))


def named(header: Sequence[str]) -> list[str]:
    """The header with no name empty or twice."""
    names: list[str] = []
    for place, name in enumerate(header):
        bare = " ".join(name.split()) or f"column {place + 1}"
        names.append(bare if bare not in names else f"{bare} ({place + 1})")
    return names


class NamedCsv(CsvFile):
    """A CSV file whose columns each have a name of their own."""

    def __init__(self, path: Path, encoding: str) -> None:
        super().__init__(path, encoding=encoding)
        self.header = named(self.header)


class ParquetFile:
    """A Parquet file's columns as texts; those that hold lists or records are left out."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with pq.ParquetFile(path) as file:
                self.header = [f.name for f in file.schema_arrow if not pa.types.is_nested(f.type)]
        except (pa.ArrowInvalid, OSError) as trouble:
            raise _damaged(path, trouble) from trouble

    def rows(self, tally: Tally, on_progress: OnProgress | None = None) -> Iterator[Rows]:
        """All rows; they count from 1."""
        given = 0
        try:
            with pq.ParquetFile(self.path) as file:
                total = max(1, file.metadata.num_rows)
                for batch in file.iter_batches(_BATCH_ROWS, columns=self.header):
                    numbers = np.arange(given + 1, given + 1 + batch.num_rows, dtype=np.int64)
                    given += batch.num_rows
                    tally.rows_in += batch.num_rows
                    if on_progress:
                        on_progress(given / total)
                    texts = [_texts(batch.column(name)) for name in self.header]
                    yield Rows(numbers, pa.Table.from_arrays(texts, names=_numbered(texts)))
        except (pa.ArrowInvalid, OSError) as trouble:
            raise _damaged(self.path, trouble) from trouble


def _texts(values: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_finite(values), values, pa.scalar(None, values.type))
    if pa.types.is_binary(values.type) or pa.types.is_large_binary(values.type):
        return pa.nulls(len(values), pa.string())
    return values.cast(pa.string())


def _numbered(columns: Sequence[pa.Array]) -> list[str]:
    return [f"c{place}" for place in range(len(columns))]


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            packed = file.read(2) == _GZIP
        with pa.OSFile(str(path)) as file:
            stream = pa.CompressedInputStream(file, "gzip") if packed else file
            return bytes(stream.read(1024))
    except OSError as trouble:
        raise _damaged(path, trouble) from trouble


def _damaged(path: Path, trouble: Exception) -> SourceUnreadable:
    said = str(trouble).splitlines()[0] if str(trouble) else type(trouble).__name__
    return SourceUnreadable(
        f"{path.name} cannot be read", found=said, fix="Write or copy the file again"
    )


def _natural(name: str) -> list[tuple[int, str]]:
    parts: list[tuple[int, str]] = []
    for digits, other in re.findall(r"(\d+)|(\D+)", name.casefold()):
        parts.append((int(digits), "") if digits else (-1, other))
    return parts
