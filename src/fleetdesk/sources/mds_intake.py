"""Records of MDS on their way into canonical tables: counted, explained, gathered into pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from fleetdesk.errors import SourceUnreadable
from fleetdesk.features.cells import geohash_many
from fleetdesk.model.quality import QualityReport
from fleetdesk.model.tables import TABLES, VEHICLES, DType
from fleetdesk.sources.base import Tally, schema_of
from fleetdesk.sources.mds_checks import Fault
from fleetdesk.sources.mds_json import Page, Record
from fleetdesk.sources.mds_rows import Reading, Sight, read_record
from fleetdesk.sources.mds_shapes import SINGLES, Shape, shape_of
from fleetdesk.sources.mds_values import OLDEST_MS, Door, Row, Unusable, plain
from fleetdesk.sources.mds_zones import NOT_KNOWN, Zones

PIECE_ROWS = 20_000
HOPELESS_ROWS = 100_000  # so many records without one of use, and the rest is not waited for
UNKNOWN_TYPE = "unknown"
_CELL_LETTERS = 7
_SHOWN = 60
_NOTED = 2
_MOST_EXTRA = 30


@dataclass
class Intake:
    """Takes records one by one; `pieces` gives what has gathered.

    `known` gives the canonical tables `vehicles` and `zones` of earlier imports by their names, and
    is asked once there are records that need them.
    """

    door: Door
    known: Callable[[str], pa.Table]
    version: str = ""
    tally: Tally = field(default_factory=Tally)
    _borne: dict[str, Tally] = field(default_factory=dict)
    _extra: dict[str, int] = field(default_factory=dict)
    _kept: dict[str, int] = field(default_factory=dict)
    _read_as: dict[str, int] = field(default_factory=dict)
    _rows: dict[str, list[Row]] = field(default_factory=dict)
    _notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._vehicles = Vehicles(lambda: self.known("vehicles"))
        self._zones = Zones(lambda: self.known("zones"))

    def take(self, record: Record, where: str) -> None:
        """One record of the place `where`; SourceUnreadable when it is of an MDS too old or new."""
        self.tally.rows_in += 1
        self._give_up_on_garbage()
        if record.broken:
            self._drop("", record.broken, where, None)
            return
        if not isinstance(record.value, dict):
            self._drop("", "not an object", where, record.value)
            return
        value, name = _unwrapped(record)
        keys = frozenset(value)
        declared = generation_of(record.page.version or self.version, where)
        shape = shape_of(keys, name, declared)
        if shape is None:
            self._drop("", "not a record of MDS", where, ", ".join(sorted(keys)[:4]))
            return
        try:
            reading = read_record(value, shape, self.door)
        except Unusable as unusable:
            self._drop(f"{shape.name} {unusable.path}", unusable.what, where, unusable.shown)
            return
        self._keep(reading, shape, declared, record.page, where)
        for given in keys - shape.fields.required.keys() - shape.fields.optional.keys():
            name = plain(given)[:_SHOWN]
            if name in self._extra or len(self._extra) < _MOST_EXTRA:
                self._extra[name] = self._extra.get(name, 0) + 1

    def skip(self, reason: str, where: str) -> None:
        """Something that cannot even be split into records: it counts as one."""
        self.tally.rows_in += 1
        self._drop("", reason, where, None)

    def note(self, text: str) -> None:
        """A sentence for the report, once."""
        if text not in self._notes:
            self._notes.append(text)

    def pieces(self, *, all_: bool = False) -> Iterator[tuple[str, pa.Table]]:
        """Tables that have gathered enough rows; with `all_` everything, vehicles included."""
        for name, rows in self._rows.items():
            if len(rows) >= (1 if all_ else PIECE_ROWS):
                yield name, _table(name, rows)
                rows.clear()
        if all_:
            vehicles = self._vehicles.changed(self.door.latest_ms)
            if vehicles.num_rows:
                yield "vehicles", vehicles
            zones = self._zones.changed()
            if zones.num_rows:
                self._kept["zones"] = self._kept.get("zones", 0) + zones.num_rows
                yield "zones", zones

    def report(self, source: str) -> QualityReport:
        """The account of all that was taken, once."""
        for where in self._zones.unplaced():
            self._drop("policies", NOT_KNOWN, where, None)
        facts = {f"rows of {name}": count for name, count in sorted(self._kept.items())}
        facts["vehicles"] = len(self._vehicles)
        notes = [
            *self._notes,
            *(f"{count} records {how}." for how, count in sorted(self._read_as.items())),
            *(f"{name} that were kept: {_in_words(tally)}." for name, tally in self._borne.items()),
        ]
        if self._extra:
            told = ", ".join(f"{name} ({count})" for name, count in sorted(self._extra.items()))
            notes.append(f"Fields that the standard does not know, with their rows: {told}.")
        if without := self._vehicles.without_motor:
            notes.append(f"{len(without)} vehicles are registered without an electric motor.")
        return self.tally.report(source, notes=tuple(notes), facts=facts)

    @property
    def rows_kept(self) -> int:
        """Records of use so far."""
        return self.tally.rows_in - self.tally.rows_dropped

    def _keep(
        self, reading: Reading, shape: Shape, declared: int | None, page: Page, where: str
    ) -> None:
        for path, what, shown in _each_once(reading.faults):
            borne = self._borne.setdefault(shape.name, Tally())
            borne.drop(f"{path}: {what}", 1, iter([_example(where, shown)]))
        if declared != shape.generation:
            version = plain(page.version or self.version)[:_SHOWN]
            how = f"declare MDS {version}, but have the fields of" if version else "tell no version"
            how += f" MDS {_SPOKEN[shape.generation]}" if version else ""
            how += f" and were read as MDS {_SPOKEN[shape.generation]}"
            self._read_as[how] = self._read_as.get(how, 0) + 1
        for name, row in reading.rows:
            self._rows.setdefault(name, []).append(row)
            self._kept[name] = self._kept.get(name, 0) + 1
        if reading.ruling:
            self._zones.see(reading.ruling, where)
        if reading.sight:
            told = page.last_updated or 0
            believed = OLDEST_MS <= told <= self.door.latest_ms
            self._vehicles.see(reading.sight, told if believed else None)

    def _drop(self, path: str, what: str, where: str, shown: Any) -> None:
        reason = f"{path}: {what}" if path else what
        self.tally.drop(reason, 1, iter([_example(where, shown)]))

    def _give_up_on_garbage(self) -> None:
        if self.tally.rows_in > HOPELESS_ROWS and self.tally.rows_dropped == self.tally.rows_in - 1:
            found = self.tally.dropped()[0]
            raise SourceUnreadable(
                f"None of the first {HOPELESS_ROWS} records can be used",
                found=f"{found.reason} ({found.examples[0]})",
                fix="Check that this is MDS; nothing was imported",
            )


def _in_words(tally: Tally) -> str:
    """The faults of one kind of records: fields with the same fault in as many rows at once."""
    fields: dict[tuple[str, int], list[str]] = {}
    examples: dict[tuple[str, int], str] = {}
    for fault in tally.dropped():
        path, _, what = fault.reason.partition(": ")
        fields.setdefault((what, fault.rows), []).append(path)
        examples.setdefault((what, fault.rows), ", ".join(fault.examples[:_NOTED]))
    return "; ".join(
        f"{', '.join(paths)}: {what}, in {rows} rows ({examples[what, rows]})"
        for (what, rows), paths in fields.items()
    )


_NOTHING_TOLD = (False, False, -1, "")
_SPOKEN = ("0.4", "1", "2")


def generation_of(version: str, where: str) -> int | None:
    """0, 1 or 2; None for no version or none that can be read."""
    parts = version.strip().split(".")
    if not version or not all(part.isdigit() and len(part) < 6 for part in parts):
        return None
    major, minor = int(parts[0]), int(parts[1]) if len(parts) > 1 else 0
    if (major, minor) < (0, 3) or major > 2:
        raise SourceUnreadable(
            f"MDS {version} is not among the versions that are read",
            found=f"{where} declares it; 0.4 to 2.0 are read",
            fix="Ask the provider for one of these; a server tells by its Accept header",
        )
    return major


@dataclass
class Vehicles:
    """What is known of each vehicle: the first time seen, the best type, the battery.

    `known` gives the table VEHICLES of earlier imports.
    """

    known: Callable[[], pa.Table]
    without_motor: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._first: dict[str, int] = {}
        self._type: dict[str, tuple[bool, bool, int, str]] = {}
        self._capacity: dict[str, float] = {}
        self._touched: set[str] = set()

    def __len__(self) -> int:
        return len(self._type)

    def see(self, sight: Sight, page_ms: int | None) -> None:
        """Note a vehicle; the same in whatever order its records come."""
        vehicle_id, at = sight.vehicle_id, sight.at_ms
        if at is None and sight.registered:
            at = page_ms
        if at is not None and at < self._first.get(vehicle_id, at + 1):
            self._first[vehicle_id] = at
            self._touched.add(vehicle_id)
        told = (sight.vehicle_type != "", sight.registered, at or 0, sight.vehicle_type)
        if told > self._type.get(vehicle_id, _NOTHING_TOLD):
            self._type[vehicle_id] = told
            self._touched.add(vehicle_id)
        if sight.capacity_wh is not None:
            most = max(sight.capacity_wh, self._capacity.get(vehicle_id, 0.0))
            self._capacity[vehicle_id] = most
        if sight.without_motor:
            self.without_motor.add(vehicle_id)

    @cached_property
    def _known(self) -> dict[str, dict[str, Any]]:
        rows = self.known().cast(_PLAIN_TIMES).to_pylist()
        return {row["vehicle_id"]: row for row in rows}

    def changed(self, latest_ms: int) -> pa.Table:
        """The vehicles of which something new was learned since the last call."""
        rows = [self._row(vehicle_id, latest_ms) for vehicle_id in sorted(self._touched)]
        self._touched.clear()
        return _table("vehicles", rows)

    def _row(self, vehicle_id: str, latest_ms: int) -> Row:
        before = self._known.get(vehicle_id, {})
        first = [
            time
            for time in (
                before.get("first_seen_at"),
                self._first[vehicle_id] * 1000 if vehicle_id in self._first else None,
            )
            if time is not None
        ]
        _, registered, _, kind = self._type.get(vehicle_id, _NOTHING_TOLD)
        if not (registered and kind) and before.get("vehicle_type", UNKNOWN_TYPE) != UNKNOWN_TYPE:
            kind = before["vehicle_type"]  # a model is worth more than a kind told in passing
        return {
            "vehicle_id": vehicle_id,
            "vehicle_type": kind or UNKNOWN_TYPE,
            "full_range_m": before.get("full_range_m"),
            "battery_capacity_wh": self._capacity.get(
                vehicle_id, before.get("battery_capacity_wh")
            ),
            "first_seen_at": min(first, default=latest_ms * 1000),
        }


_PLAIN_TIMES = pa.schema(
    [
        pa.field(
            one.name, pa.int64() if pa.types.is_timestamp(one.type) else one.type, one.nullable
        )
        for one in schema_of(VEHICLES)
    ]
)


def _table(name: str, rows: list[Row]) -> pa.Table:
    """Rows in the canonical columns, cells worked out; times are given in microseconds."""
    table = TABLES[name]
    columns = {}
    for column in table.columns:
        if column.name.endswith("cell"):
            prefix = column.name.removesuffix("cell")
            lat, lon = (
                np.array([row[f"{prefix}{part}"] for row in rows], dtype=np.float64)
                for part in ("lat", "lon")
            )
            columns[column.name] = pa.array(geohash_many(lat, lon, _CELL_LETTERS), pa.string())
            continue
        values = [row.get(column.name) for row in rows]
        plain = pa.int64() if column.dtype is DType.TIMESTAMP else None
        wanted = pa.type_for_alias(column.dtype.arrow)
        columns[column.name] = pa.array(values, plain or wanted).cast(wanted)
    return pa.Table.from_pydict(columns, schema=schema_of(table))


def _unwrapped(record: Record) -> tuple[dict[str, Any], str]:
    """The record itself where it comes as the one member of another, and what it is called."""
    for single, name in SINGLES.items():
        inner = record.value.get(single)
        if isinstance(inner, dict) and record.name in ("", name):
            return inner, name
    return record.value, record.name


def _each_once(faults: list[Fault]) -> list[Fault]:
    """One fault per place and kind: a row counts once, however often it errs."""
    if len(faults) < 2:
        return faults
    found: Mapping[tuple[str, str], Fault] = {
        (path, what): (path, what, shown) for path, what, shown in reversed(faults)
    }
    return list(found.values())[::-1]


def _example(where: str, shown: Any) -> str:
    if shown is None:
        return where
    text = repr(shown)
    return f"{where}: {text if len(text) <= _SHOWN else text[: _SHOWN - 3] + '...'}"
