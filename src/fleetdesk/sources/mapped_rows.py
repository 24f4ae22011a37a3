"""Rows of texts turned into rows of a canonical table by a mapping; what fails is accounted for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from fleetdesk.features.cells import geohash_many
from fleetdesk.model.tables import TABLES, DType, Table
from fleetdesk.sources.base import Tally, schema_of
from fleetdesk.sources.csv_file import Rows
from fleetdesk.sources.mapped_checks import (
    Check,
    Limits,
    cell,
    nothing,
    row_checks,
    seconds_between,
)
from fleetdesk.sources.mapped_keys import SeenKeys, made_keys
from fleetdesk.sources.mapping import (
    DATE,
    FILE_NAME,
    POSITION,
    TIME_OF_DAY,
    ColumnMapping,
    ColumnRule,
    prefixes,
    target_columns,
)
from fleetdesk.sources.mapping_forms import read_positions, read_values, trimmed
from fleetdesk.sources.mapping_times import doubtful_hours, joined, read_times
from fleetdesk.sources.parsing import Mask, Parsed, floats

_CELL_LETTERS = 7
_HOUR_S = 3600.0
OnRejected = Callable[[Rows, npt.NDArray[np.int64], Sequence[str]], None]


@dataclass
class Counts:
    """What is worth knowing of rows that were kept, under its label."""

    facts: dict[str, float] = field(default_factory=dict)

    def add(self, label: str, rows: float) -> None:
        """Count more of the same; what never happens is not listed."""
        if rows:
            self.facts[label] = self.facts.get(label, 0) + rows


class CanonicalRows:
    """Takes good rows of one table from columns already parsed; shared by all mapped sources.

    Every row that is not kept is counted in `tally` under the first reason that strikes it. With
    `later_wins` a second row of a key is a newer state of it, kept for the store to put in place.
    """

    def __init__(
        self,
        table: Table,
        limits: Limits,
        tally: Tally,
        counts: Counts,
        *,
        later_wins: bool = False,
    ) -> None:
        self._table = table
        self._later_wins = later_wins
        self._limits = limits
        self._tally = tally
        self._counts = counts
        self._seen = SeenKeys()
        self._last: dict[str, int] = {}
        self._met: dict[str, int] = {}

    def take(
        self,
        columns: Mapping[str, pa.Array],
        where: Callable[[int], str],
        checks: Iterable[Check] = (),
    ) -> tuple[pa.Table, npt.NDArray[np.int64], dict[int, str]]:
        """The canonical rows, their places among those given, and the others' reasons by place.

        `columns` are canonical ones of one length; `where` says where a row comes from; `checks`
        come before the table's own.
        """
        count = len(next(iter(columns.values())))
        completed = _completed(self._table, columns, count)
        good = np.ones(count, dtype=bool)
        struck: dict[int, str] = {}

        def strike(reason: str, mask: Mask, told: Callable[[int], str]) -> None:
            places = np.flatnonzero(good & mask)
            if len(places):
                examples = (f"{where(int(p))}: {told(int(p))}".removesuffix(": ") for p in places)
                self._tally.drop(reason, len(places), examples)
                struck.update((int(place), reason) for place in places)
                good[places] = False

        for check in checks:
            strike(*check)
        readable = good.copy()
        for reason, mask, told in row_checks(self._table, completed, self._limits):
            if not reason.startswith("no "):
                met = int((readable & mask).sum())
                self._met[reason] = self._met.get(reason, 0) + met
            strike(reason, mask, told)
        places = np.flatnonzero(good)
        keys = [completed[name].take(pa.array(places)) for name in self._table.key]
        repeated = np.zeros(count, dtype=bool)
        if len(places) and not self._later_wins:
            repeated[places[self._seen.again(keys)]] = True
        strike(f"second row with the same {' and '.join(self._table.key)}", repeated, nothing)
        kept = np.flatnonzero(good)
        rows = _table(self._table, {n: v.take(pa.array(kept)) for n, v in completed.items()})
        self._note(rows)
        return rows, kept, struck

    def overlaps(self) -> dict[str, int]:
        """Faults that rows had besides the one they are counted under: all rows that had them."""
        counted = {entry.reason: entry.rows for entry in self._tally.dropped()}
        return {
            f"{reason}, counting rows with other faults too": rows
            for reason, rows in self._met.items() if rows > counted.get(reason, 0)
        }  # fmt: skip

    def _note(self, rows: pa.Table) -> None:
        if self._table.name == "trips":
            self._note_trips(rows)
        elif self._table.name == "telemetry" and rows.num_rows:
            self._note_order(rows)

    def _note_trips(self, rows: pa.Table) -> None:
        apart = seconds_between(rows.column("started_at"), rows.column("ended_at"))
        duration = floats(rows.column("duration_s"))
        add = self._counts.add
        add("trips whose start and end are the same moment", int((apart == 0).sum()))
        longer = np.abs(apart - duration) > _HOUR_S
        add("trips whose duration is an hour off end less start", int(longer.sum()))
        add("trips without a start position", rows.column("start_lat").null_count)
        add("trips without an end position", rows.column("end_lat").null_count)
        add("trips without a vehicle", rows.column("vehicle_id").null_count)

    def _note_order(self, rows: pa.Table) -> None:
        """Count the pings that come after a later one of their vehicle."""
        coded = rows.column("vehicle_id").combine_chunks().dictionary_encode()
        names, codes = coded.dictionary.to_pylist(), np.asarray(coded.indices)
        micros = np.asarray(rows.column("recorded_at").combine_chunks().cast(pa.int64()))
        order = np.argsort(codes, kind="stable")
        codes, micros = codes[order], micros[order]
        back = int(((np.diff(micros) < 0) & (np.diff(codes) == 0)).sum())
        for first in np.flatnonzero(np.diff(codes, prepend=-1)):
            back += micros[first] < self._last.get(names[codes[first]], micros[first])
        for last in np.flatnonzero(np.diff(codes, append=-1)):
            self._last[names[codes[last]]] = int(micros[last])
        self._counts.add("pings that go back in time after another of the vehicle", back)


class MappedRows:
    """Applies one mapping to rows of files; `types` are the vehicle types to keep, all if empty."""

    def __init__(
        self,
        mapping: ColumnMapping,
        limits: Limits,
        tally: Tally,
        counts: Counts,
        *,
        types: Sequence[str] = (),
        later_wins: bool = False,
    ) -> None:
        self._mapping = mapping
        self._table = TABLES[mapping.table]
        self._targets = target_columns(self._table)
        self._zone = ZoneInfo(mapping.timezone)
        self._types = [name.strip().casefold() for name in types if name.strip()]
        self._counts = counts
        self._rows = CanonicalRows(self._table, limits, tally, counts, later_wins=later_wins)

    def take(
        self, file: str, where: str, header: Sequence[str], rows: Rows, on_rejected: OnRejected
    ) -> tuple[pa.Table, pa.Array]:
        """The canonical rows, and each one's vehicle type, null where none is given.

        `file` is what a rule of FILE_NAME takes; `where` comes before row numbers.
        """
        texts = {name: rows.texts.column(place) for place, name in enumerate(header)}
        texts.setdefault(FILE_NAME, pa.array([file] * len(rows.numbers), pa.string()))
        columns: dict[str, pa.Array] = {}
        broken: list[Check] = []
        for target in dict.fromkeys(rule.target for rule in self._mapping.rules):
            rules = [rule for rule in self._mapping.rules if rule.target == target]
            for name, parsed in self._parsed(target, rules, texts):
                columns[name] = parsed.values
                label = " and ".join(rule.column for rule in rules)
                shown = texts[rules[0].column]
                told = cell(shown) if len(rules) == 1 else _both(shown, texts[rules[-1].column])
                broken.append((f"{label} cannot be read as {name}", parsed.bad, told))
        empty, bare = self._emptiness(rows, columns)
        for target, value in self._mapping.constants:
            column = pa.array([value] * len(rows.numbers), pa.string())
            columns[target] = read_values(column, self._targets[target], "", self._zone).values
        kinds = columns.pop("vehicle_type", pa.nulls(len(rows.numbers), pa.string()))
        if self._table.name == "vehicles":
            columns["vehicle_type"] = kinds
        keys = self._table.key
        if len(keys) == 1 and keys[0] not in columns:
            columns[keys[0]] = made_keys(columns, len(rows.numbers))
        checks = [
            ("empty row", empty, nothing),
            ("null row (nothing but ids)", bare, nothing),
            *broken,
            ("not one of the vehicle types asked for", self._other_type(kinds), cell(kinds)),
        ]
        good, kept, struck = self._rows.take(
            columns, lambda row: f"{where}row {rows.numbers[row]}", checks
        )
        if struck:
            places = np.array(sorted(struck), np.int64)
            on_rejected(rows, places, [struck[int(place)] for place in places])
        kinds = kinds.take(pa.array(kept))
        self._note(good, kinds)
        return good, kinds

    def overlaps(self) -> dict[str, int]:
        """Faults beside the one that a row is counted under."""
        return self._rows.overlaps()

    def _parsed(
        self, target: str, rules: Sequence[ColumnRule], texts: Mapping[str, pa.Array]
    ) -> Iterator[tuple[str, Parsed]]:
        first = next((rule for rule in rules if rule.form != TIME_OF_DAY), rules[0])
        values = trimmed(texts[first.column])
        if target.endswith(POSITION):
            prefix = target.removesuffix(POSITION)
            lat, lon = read_positions(values, first.form)
            yield f"{prefix}lat", lat
            yield f"{prefix}lon", lon
        elif len(rules) > 1:
            clock = next(rule for rule in rules if rule.form == TIME_OF_DAY)
            both = joined(values, trimmed(texts[clock.column]))
            yield target, read_times(both, first.form.removeprefix(DATE), self._zone)
        else:
            column = self._targets[target]
            decimal = self._mapping.decimal
            yield target, read_values(values, column, first.form, self._zone, decimal)

    def _emptiness(self, rows: Rows, columns: Mapping[str, pa.Array]) -> tuple[Mask, Mask]:
        """Rows without anything, and rows that say no more than who they are."""
        nulls = [np.asarray(pc.is_null(trimmed(column))) for column in rows.texts.columns]
        empty = np.all(np.stack(nulls), axis=0)
        telling = [
            np.asarray(pc.is_null(values)) for name, values in columns.items()
            if not name.endswith("_id") and name != "vehicle_type"
        ]  # fmt: skip
        return empty, np.all(np.stack(telling), axis=0) if telling else empty

    def _other_type(self, kinds: pa.Array) -> Mask:
        if not self._types:
            return np.zeros(len(kinds), dtype=bool)
        known = pc.is_in(pc.utf8_lower(kinds), pa.array(self._types, pa.string()))
        return ~np.asarray(pc.fill_null(known, False))

    def _note(self, good: pa.Table, kinds: pa.Array) -> None:
        for entry in pc.value_counts(kinds.drop_null()).to_pylist():
            self._counts.add(f"{self._table.name} of {entry['values']}", entry["counts"])
        time = self._table.time_column
        if time and self._mapping.timezone != "UTC" and good.num_rows:
            micros = np.asarray(good.column(time).combine_chunks().cast(pa.int64()))
            doubtful = doubtful_hours(micros, self._zone)
            self._counts.add("times in an hour that the clock shows twice", doubtful)


def _completed(table: Table, given: Mapping[str, pa.Array], count: int) -> dict[str, pa.Array]:
    """All the table's columns: what can be worked out is, the rest is empty."""
    columns = dict(given)
    if table.name == "trips" and "started_at" in columns:
        start = columns["started_at"].cast(pa.int64())
        if "duration_s" not in columns and "ended_at" in columns:
            between = pc.subtract(columns["ended_at"].cast(pa.int64()), start)
            columns["duration_s"] = pc.divide(between.cast(pa.float64()), 1e6)
        elif "ended_at" not in columns and "duration_s" in columns:
            ridden = pc.round(pc.multiply(columns["duration_s"], 1e6)).cast(pa.int64())
            columns["ended_at"] = pc.add(start, ridden).cast(pa.timestamp("us"))
    for prefix in prefixes(table):
        name = f"{prefix}cell"
        if name in table.column_names and f"{prefix}lat" in columns:
            lat, lon = floats(columns[f"{prefix}lat"]), floats(columns[f"{prefix}lon"])
            cells = np.full(len(lat), None, dtype=object)
            there = (np.abs(lat) <= 90) & (np.abs(lon) <= 180)
            cells[there] = geohash_many(lat[there], lon[there], _CELL_LETTERS)
            columns[name] = pa.array(cells, pa.string())
    for column in table.columns:
        if column.name not in columns:
            columns[column.name] = pa.nulls(count, pa.type_for_alias(column.dtype.arrow))
        elif column.dtype is DType.FLOAT:
            columns[column.name] = columns[column.name].cast(pa.float64())
    return {column.name: columns[column.name] for column in table.columns}


def _table(table: Table, columns: Mapping[str, pa.Array]) -> pa.Table:
    schema = schema_of(table)
    return pa.Table.from_arrays([columns[f.name].cast(f.type) for f in schema], schema=schema)


def _both(first: pa.Array, second: pa.Array) -> Callable[[int], str]:
    return lambda row: f"{first[row]} {second[row]}"
