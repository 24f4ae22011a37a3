"""A folder of files that are in the canonical form already: `trips.csv`, `events/2024-05.parquet`.

The table is the name of the file or of the folder it lies in.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fleetdesk.errors import SourceUnreadable
from fleetdesk.features.cells import geohash_many
from fleetdesk.model.places import GEOHASH_ALPHABET
from fleetdesk.model.quality import QualityReport
from fleetdesk.model.tables import TABLES, Column, DType, Table
from fleetdesk.sources.base import OnProgress, Tally, schema_of
from fleetdesk.sources.csv_file import CsvFile
from fleetdesk.sources.parsing import Mask, floats, parse
from fleetdesk.sources.zone_rows import FORMS, form_troubles

_SUFFIXES = (".parquet", ".csv", ".csv.gz")
_BATCH_ROWS = 200_000
_CELL_LETTERS = 7
_CELL = f"^[{GEOHASH_ALPHABET}]{{{_CELL_LETTERS}}}$"


class CanonicalFolder:
    """All Parquet and CSV files of a folder; SourceUnreadable at once when a name fits no table.

    Optional columns may be missing. Where a position is known its `cell` is worked out; one that is
    given and is another, or is none, is counted. Rows with a value that cannot be read, or nothing
    where something is needed, are dropped and counted.
    """

    def __init__(self, folder: Path) -> None:
        self.name = folder.name
        self._files, self._ignored = _files(folder)
        self._notes: list[str] = []
        self._report: QualityReport | None = None

    def read(self, on_progress: OnProgress | None = None) -> Iterator[tuple[str, pa.Table]]:
        """Yield the tables piece by piece, file after file in the order of names."""
        tally = Tally()
        rows_of: dict[str, int] = {}
        amended: dict[str, int] = {}
        self._notes = [f"Not read: {', '.join(self._ignored)}."] if self._ignored else []
        for position, (table, path) in enumerate(self._files):
            pieces = _parquet if path.suffix == ".parquet" else _csv
            for rows in pieces(path, table, tally):
                self._note(table, path, rows)
                columns, wrong = _with_cells(table, rows)
                if wrong:
                    amended[table.name] = amended.get(table.name, 0) + wrong
                good = _canonical(table, path, replace(rows, columns=columns), tally)
                rows_of[table.name] = rows_of.get(table.name, 0) + good.num_rows
                yield table.name, good
            if on_progress:
                on_progress((position + 1) / len(self._files))
        facts = {f"rows of {name}": count for name, count in sorted(rows_of.items())} | {
            f"cells of {name} that were not those of their positions, or none: put right": count
            for name, count in sorted(amended.items())
        }
        self._report = tally.report(self.name, notes=tuple(self._notes), facts=facts)

    def report(self) -> QualityReport:
        """What became of the rows; only after `read` has come to its end."""
        if self._report is None:
            raise RuntimeError("the report exists only after the source has been read")
        return self._report

    def _note(self, table: Table, path: Path, rows: _Piece) -> None:
        for note in (
            *(f"{path.name}: column {name} is not known to {table.name} and was left out."
              for name in rows.extra),
            *(f"{path.name}: there is no column {name}; it stays empty."
              for name in rows.absent),
        ):  # fmt: skip
            if note not in self._notes:
                self._notes.append(note)


@dataclass(frozen=True)
class _Piece:
    """Some rows of one file: typed columns, what could not be read, and the rows' numbers."""

    columns: Mapping[str, Any]
    bad: Mapping[str, Mask]
    given: Mapping[str, Any]
    numbers: npt.NDArray[np.int64]
    extra: list[str]
    absent: list[str]


def _files(folder: Path) -> tuple[list[tuple[Table, Path]], list[str]]:
    if not folder.is_dir():
        raise SourceUnreadable(
            f"There is no folder {folder.name}", found=str(folder), fix="Check the path"
        )
    files, ignored = [], []
    for path in sorted(folder.rglob("*")):
        if path.is_dir():
            continue
        if not path.name.endswith(_SUFFIXES):
            ignored.append(path.name)
            continue
        inside = path.relative_to(folder).parts
        name = inside[0] if len(inside) > 1 else path.name.split(".")[0]
        if name not in TABLES:
            near = difflib.get_close_matches(name, TABLES, n=1)
            raise SourceUnreadable(
                f"{'/'.join(inside)} belongs to no canonical table",
                found=f"tables are {', '.join(TABLES)}",
                fix=f"Did you mean {near[0]!r}?" if near else "Rename or remove the file",
            )
        files.append((TABLES[name], path))
    if not files:
        raise SourceUnreadable(
            f"The folder {folder.name} holds no Parquet or CSV file",
            found=", ".join(ignored) or "nothing",
            fix="Name files by their table, such as trips.csv or events.parquet",
        )
    return files, ignored


def _csv(path: Path, table: Table, tally: Tally) -> Iterator[_Piece]:
    file = CsvFile(path)
    extra, absent = _compared(path, table, file.header)
    wanted = {c.name: c for c in table.columns if c.name in file.header}
    for rows in file.rows(tally):
        texts = {name: rows.texts.column(file.header.index(name)) for name in wanted}
        parsed = {
            name: parse(texts[name], wanted[name].dtype, zoneless_utc=True) for name in wanted
        }
        yield _Piece(
            {name: column.values for name, column in parsed.items()},
            {name: column.bad for name, column in parsed.items()},
            texts, rows.numbers, extra, absent,
        )  # fmt: skip


def _parquet(path: Path, table: Table, tally: Tally) -> Iterator[_Piece]:
    try:
        with pq.ParquetFile(path) as file:
            extra, absent = _compared(path, table, file.schema_arrow.names)
            wanted = {c.name: c for c in table.columns if c.name in file.schema_arrow.names}
            first = 1
            for batch in file.iter_batches(_BATCH_ROWS, columns=list(wanted)):
                tally.rows_in += batch.num_rows
                columns = {
                    name: _typed(path, column, batch.column(name))
                    for name, column in wanted.items()
                }
                numbers = np.arange(first, first + batch.num_rows)
                first += batch.num_rows
                yield _Piece(columns, {}, columns, numbers, extra, absent)
    except (pa.ArrowInvalid, OSError) as trouble:
        raise SourceUnreadable(
            f"{path.name} cannot be read as Parquet",
            found=str(trouble).splitlines()[0],
            fix="Write or copy the file again",
        ) from trouble


def _compared(path: Path, table: Table, names: list[str]) -> tuple[list[str], list[str]]:
    """Columns that are not known, and optional ones that are missing; a needed one is an error."""
    missing = [
        column for column in table.columns
        if column.name not in names and not _position_of(column.name, names)
    ]  # fmt: skip
    needed = [column.name for column in missing if not column.nullable]
    extra = [name for name in names if name not in table.column_names]
    if needed:
        near = {name: difflib.get_close_matches(name, extra, n=1) for name in needed}
        raise SourceUnreadable(
            f"{path.name} lacks columns of {table.name}",
            found="missing "
            + ", ".join(
                f"{name} (did you mean {close[0]!r}?)" if close else name
                for name, close in near.items()
            ),
            fix=f"The columns are {', '.join(table.column_names)}",
        )
    if len(set(names)) < len(names):
        raise SourceUnreadable(f"{path.name} has a column twice", found=", ".join(names))
    return extra, [column.name for column in missing]


def _typed(path: Path, column: Column, values: pa.Array) -> pa.Array:
    wanted = pa.type_for_alias(column.dtype.arrow)
    try:
        if pa.types.is_dictionary(values.type):
            values = values.cast(values.type.value_type)
        if pa.types.is_string(values.type) and column.dtype is not DType.STRING:
            raise pa.ArrowInvalid(f"texts where {column.dtype.arrow} is needed")
        if pa.types.is_timestamp(values.type) and values.type.unit == "ns":
            values = pc.floor_temporal(values, unit="microsecond")  # as pandas writes them
        values = values.cast(wanted)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as trouble:
        raise SourceUnreadable(
            f"{path.name}: the column {column.name} has the wrong type",
            found=str(trouble).splitlines()[0],
            fix=f"Write it as {column.dtype.arrow}",
        ) from trouble
    if column.dtype is DType.FLOAT:
        return pc.if_else(pc.is_finite(values), values, pa.scalar(None, wanted))
    return values


def _with_cells(table: Table, piece: _Piece) -> tuple[dict[str, Any], int]:
    """The columns with the cell of every position, and how many cells stood there that were wrong.

    Where no position is known a cell that can be read stays.
    """
    columns, wrong = dict(piece.columns), 0
    for name in table.column_names:
        if not name.endswith("cell"):
            continue
        given = columns.get(name, pa.nulls(len(piece.numbers), pa.string()))
        readable = pc.fill_null(pc.match_substring_regex(given, _CELL), False)
        cells = pc.if_else(readable, given, pa.scalar(None, pa.string()))
        position = _position_of(name, list(columns))
        if position:
            lat, lon = (floats(columns[part]) for part in position)
            there = pa.array(geohash_many(lat, lon, _CELL_LETTERS), pa.string())
            cells = pc.if_else(pc.equal(there, ""), cells, there)
        changed = pc.fill_null(pc.not_equal(cells, given), True)
        wrong += pc.sum(pc.and_(pc.is_valid(given), changed)).as_py() or 0
        columns[name] = cells
    return columns, wrong


def _canonical(table: Table, path: Path, piece: _Piece, tally: Tally) -> pa.Table:
    """The good rows in the canonical columns; the others are counted."""
    good = np.ones(len(piece.numbers), dtype=bool)

    def strike(reason: str, mask: Mask, told: Any) -> None:
        struck = np.flatnonzero(good & mask)
        if len(struck):
            examples = (f"{path.name} row {piece.numbers[row]}{told(row)}" for row in struck)
            tally.drop(f"{table.name}: {reason}", len(struck), examples)
        good[struck] = False

    for name, mask in piece.bad.items():
        strike(f"{name} cannot be read", mask, lambda row, n=name: f": {piece.given[n][row]}")
    for column in table.columns:
        values = piece.columns.get(column.name)
        if values is None:
            continue
        if not column.nullable:
            strike(f"no {column.name}", np.asarray(pc.is_null(values)), _nothing)
        if column.unit in FORMS:
            troubles = form_troubles(column, values)
            strike(
                f"{column.name} cannot be used", np.array([bool(told) for told in troubles]),
                lambda row, told=troubles: f": {told[row]}",
            )  # fmt: skip
        if column.unit == "deg":
            limit = 90 if column.name.endswith("lat") else 180
            strike(
                f"{column.name} off the earth", np.abs(floats(values)) > limit,
                lambda row, v=values: f": {v[row]}",
            )  # fmt: skip
    keep = pa.array(np.flatnonzero(good))
    kept = {name: values.take(keep) for name, values in piece.columns.items()}
    schema = schema_of(table)
    return pa.Table.from_arrays(
        [kept.get(field.name, pa.nulls(len(keep), field.type)) for field in schema], schema=schema
    )


def _nothing(row: int) -> str:  # noqa: ARG001
    return ""


def _position_of(name: str, names: list[str]) -> tuple[str, str] | None:
    """The columns that a cell column can be worked out from: start_cell from start_lat, _lon."""
    if not name.endswith("cell"):
        return None
    prefix = name.removesuffix("cell")
    position = f"{prefix}lat", f"{prefix}lon"
    return position if set(position) <= set(names) else None
