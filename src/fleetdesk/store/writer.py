"""Writing one generation: rows come in any order and size, leave as one sorted file per day."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fleetdesk.model.quality import QualityReport
from fleetdesk.model.tables import TABLES, DType, Table
from fleetdesk.store.base import ImportRecord, TableCounts
from fleetdesk.store.files import disk_trouble, flush, flush_folder, link_or_copy, sha256_of
from fleetdesk.store.generations import UNFINISHED, WHOLE, Manifest, Part, folder_of, write_manifest
from fleetdesk.store.quality import canonical, checked, schema_of

_ORDER = "_order"


class GenerationWriter:
    """A generation in the making, in a folder of its own that nobody reads.

    Rows are held by table and day and put aside on the disk whenever they exceed `buffer_bytes`,
    so that memory is bounded by that and by one day's rows.
    """

    def __init__(
        self,
        store: Path,
        name: str,
        base: Manifest | None,
        *,
        buffer_bytes: int,
    ) -> None:
        self.name = name
        self._store = store
        self._base = base
        self._folder = folder_of(store, name + UNFINISHED)
        self._aside = self._folder / "aside"
        self._buffer_bytes = buffer_bytes
        self._held: dict[tuple[str, str], list[pa.Table]] = defaultdict(list)
        self._held_bytes = 0
        self._put_aside: dict[tuple[str, str], list[Path]] = defaultdict(list)
        self._received: dict[str, int] = defaultdict(int)
        self._report: QualityReport | None = None
        self._note = ""
        self.reach: tuple[str, Mapping[str, str]] | None = None
        self._unwanted: tuple[str, str] | None = None
        self.left_out: dict[str, int] = defaultdict(int)
        with disk_trouble("starting a generation", store):
            self._aside.mkdir(parents=True)

    def append(self, table: str, data: pa.Table | pa.RecordBatch) -> None:
        """Add rows of a canonical table; a later row replaces an earlier one of the same key."""
        definition = canonical(table)
        if isinstance(data, pa.RecordBatch):
            data = pa.Table.from_batches([data])
        rows = checked(definition, data)
        self._received[table] += rows.num_rows
        for day, of_day in _by_day(definition, rows):
            self._held[table, day].append(of_day)
            self._held_bytes += of_day.nbytes
        if self._held_bytes > self._buffer_bytes:
            self._relieve()

    def describe(self, report: QualityReport | None, note: str = "") -> None:
        """Attach the source's account, and a remark, to this generation."""
        self._report, self._note = report, note

    def reached(self, origin: str, watermark: Mapping[str, str]) -> None:
        """With this generation the source `origin` is in up to `watermark`: both, or neither."""
        self.reach = origin, watermark

    def leave_out(self, column: str, value: str) -> None:
        """Take over no row of the generation before that has this value; `left_out` counts them."""
        self._unwanted = column, value

    def complete(self, source: str, schema_version: int, at: datetime) -> Manifest:
        """Write the days, carry the rest over, and give the folder its name."""
        with disk_trouble("writing a generation", self._store):
            parts = self._carry_over()
            replaced: dict[str, int] = defaultdict(int)
            for table, day in sorted({*self._held, *self._put_aside}):
                part, gone = self._write_day(table, day)
                parts[table][day] = part
                replaced[table] += gone
            shutil.rmtree(self._aside)
            for table in parts:
                flush_folder(self._folder / table)
            manifest = Manifest(
                schema_version=schema_version,
                generation=self.name,
                based_on=self._base.generation if self._base else "",
                record=ImportRecord(
                    generation=self.name,
                    imported_at=at,
                    source=source,
                    note=self._note,
                    tables={
                        table: TableCounts(
                            rows=sum(part.rows for part in days.values()),
                            received=self._received[table],
                            replaced=replaced[table],
                        )
                        for table, days in parts.items()
                    },
                    report=self._report,
                    origin=self.reach[0] if self.reach else "",
                ),
                parts=parts,
            )
            write_manifest(self._folder, manifest)
            self._folder.rename(folder_of(self._store, self.name))
            flush_folder(self._store / "generations")
        return manifest

    def abandon(self) -> None:
        """Remove everything; the store is as it was."""
        self._held.clear()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _relieve(self) -> None:
        with disk_trouble("writing a generation", self._store):
            for (table, day), pieces in self._held.items():
                earlier = self._put_aside[table, day]
                path = self._aside / f"{table}-{day}-{len(earlier):05d}.parquet"
                pq.write_table(
                    pa.concat_tables(pieces), path, compression="lz4", use_dictionary=False
                )
                earlier.append(path)
        self._held.clear()
        self._held_bytes = 0

    def _carry_over(self) -> dict[str, dict[str, Part]]:
        """Link the files of the generation before that this one leaves alone."""
        parts: dict[str, dict[str, Part]] = defaultdict(dict)
        touched = {*self._held, *self._put_aside}
        for table, _ in touched:
            (self._folder / table).mkdir(exist_ok=True)
        for table, days in (self._base.parts if self._base else {}).items():
            (self._folder / table).mkdir(exist_ok=True)
            for day, part in days.items():
                if (table, day) not in touched and (taken := self._taken_over(table, part)):
                    parts[table][day] = taken
        return parts

    def _taken_over(self, table: str, part: Part) -> Part | None:
        """A file of the generation before in this one; None when no row of it stays."""
        old, new = self._base_folder / part.file, self._folder / part.file
        column, value = self._unwanted or ("", "")
        if column in TABLES[table].column_names:
            unwanted = pc.equal(pq.read_table(old, columns=[column]).column(column), value)
            count = pc.sum(unwanted).as_py() or 0
            if count:
                self.left_out[table] += count
                stay = pc.invert(pc.fill_null(unwanted, False))
                rows = pq.read_table(old, schema=schema_of(TABLES[table])).filter(stay)
                return _written(TABLES[table], rows, new, part.file) if rows.num_rows else None
        link_or_copy(old, new)
        return part

    @property
    def _base_folder(self) -> Path:
        return folder_of(self._store, self._base.generation if self._base else "")

    def _write_day(self, table: str, day: str) -> tuple[Part, int]:
        """Merge a day's old and new rows into one file; returns it and how many rows gave way."""
        definition = TABLES[table]
        before = self._base.parts.get(table, {}).get(day) if self._base else None
        earlier = [self._base_folder / before.file] if before else []
        earlier += self._put_aside.pop((table, day), [])
        pieces = [pq.read_table(path, schema=schema_of(definition)) for path in earlier]
        rows = pa.concat_tables(pieces + self._held.pop((table, day), []))
        latest = latest_of_each_key(definition, rows)
        file = f"{table}/{day}.parquet"
        part = _written(definition, latest, self._folder / file, file)
        return part, rows.num_rows - latest.num_rows


def _written(table: Table, rows: pa.Table, path: Path, file: str) -> Part:
    """Rows as a file of a generation, on the disk for good."""
    texts = [column.name for column in table.columns if column.dtype is DType.STRING]
    # A dictionary pays for texts; for measured numbers it costs more than it saves.
    pq.write_table(rows, path, compression="zstd", use_dictionary=texts)
    flush(path)
    return Part(file, rows.num_rows, path.stat().st_size, sha256_of(path), *_span(table, rows))


def latest_of_each_key(table: Table, rows: pa.Table) -> pa.Table:
    """The last row of each key, sorted by key, so that equal rows give an equal file."""
    rows = rows.append_column(_ORDER, pa.array(np.arange(rows.num_rows))).combine_chunks()
    by_key = [(name, "ascending") for name in (*table.key, _ORDER)]
    rows = rows.take(pc.sort_indices(rows, by_key)).drop_columns([_ORDER])
    ends_key = np.ones(rows.num_rows, dtype=bool)
    ends_key[:-1] = False
    for name in table.key:
        values = rows.column(name)
        ends_key[:-1] |= np.asarray(pc.not_equal(values.slice(1), values.slice(0, len(values) - 1)))
    return rows if ends_key.all() else rows.filter(pa.array(ends_key))


def _by_day(table: Table, rows: pa.Table) -> list[tuple[str, pa.Table]]:
    """Cut rows by the UTC day of the table's time column, keeping their order within a day."""
    if not rows.num_rows:
        return []
    if table.time_column is None:
        return [(WHOLE, rows)]
    days = pc.cast(rows.column(table.time_column), pa.date32(), safe=False).combine_chunks()
    numbers = np.asarray(days.cast(pa.int32()))
    if numbers.min() != numbers.max():
        order = np.argsort(numbers, kind="stable")
        rows, numbers = rows.take(pa.array(order)), numbers[order]
    starts = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(numbers)]
    return [
        (str(np.datetime64(int(numbers[start]), "D")), rows.slice(start, stop - start))
        for start, stop in pairwise(starts)
    ]


def _span(table: Table, rows: pa.Table) -> tuple[datetime | None, datetime | None]:
    if table.time_column is None:
        return None, None
    span = pc.min_max(rows.column(table.time_column))
    return span["min"].as_py(), span["max"].as_py()
