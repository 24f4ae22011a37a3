"""What the columns of a planner's own file mean: file column -> canonical column, unit and form."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from fleetdesk.errors import SourceUnreadable
from fleetdesk.model.tables import TABLES, Column, DType, Table

FILE_NAME = "(file name)"  # a column that every file has
DATE = "date: "  # begins the form of a date whose time of day is in a column of its own
TIME_OF_DAY = "time of day"
POSITION = "position"
RIDER = "rider_id"  # whose values are shown and put aside as pseudonyms only
# What a row of these tables may say of its vehicle beside its own columns.
_ALSO = {"trips": ("vehicle_type",), "telemetry": ("vehicle_type",)}


@dataclass(frozen=True, slots=True)
class ColumnRule:
    """A column of the file, what it means, and its `form`: the unit, or how times are written.

    `target` is a canonical column or a position (`start_position`) for latitude and longitude in
    one text. Two rules share a target where a date and its time of day are apart.
    """

    column: str
    target: str
    form: str = ""


@dataclass(frozen=True)
class ColumnMapping:
    """How one kind of file becomes rows of a canonical table.

    `constants` are (canonical column, text as it would stand in a cell); `timezone` is that of
    times without a zone; `decimal` is the sign before the fraction of a number.
    """

    table: str
    rules: tuple[ColumnRule, ...]
    constants: tuple[tuple[str, str], ...] = ()
    timezone: str = "UTC"
    decimal: str = "."

    @property
    def columns(self) -> tuple[str, ...]:
        """The file's columns that are used."""
        return tuple(dict.fromkeys(rule.column for rule in self.rules if rule.column != FILE_NAME))

    @property
    def targets(self) -> frozenset[str]:
        """The canonical columns that get a value from a column or a constant."""
        named = {rule.target for rule in self.rules} | {name for name, _ in self.constants}
        for prefix in prefixes(TABLES[self.table]):
            if f"{prefix}{POSITION}" in named:
                named |= {f"{prefix}lat", f"{prefix}lon"}
        return frozenset(named)


def fingerprint(mapping: ColumnMapping) -> str:
    """The same for equal mappings only."""
    return hashlib.sha256(repr(mapping).encode()).hexdigest()[:12]


def target_columns(table: Table) -> dict[str, Column]:
    """What a file's column may mean, by name: the table's columns and what else a row may say."""
    own = {column.name: column for column in table.columns}
    beside = {column.name: column for column in TABLES["vehicles"].columns}
    return own | {name: beside[name] for name in _ALSO.get(table.name, ())}


def prefixes(table: Table) -> tuple[str, ...]:
    """What stands before `lat` and `lon` in a table: "start_" and "end_", "" or nothing."""
    return tuple(c.name.removesuffix("lat") for c in table.columns if c.name.endswith("lat"))


def missing(mapping: ColumnMapping) -> tuple[str, ...]:
    """The needed columns that the mapping gives no value, nor anything to work them out from."""
    table, given = TABLES[mapping.table], mapping.targets
    derived = {name for name in table.column_names if _derivable(table, name, given)}
    return tuple(
        column.name for column in table.columns
        if not column.nullable and column.name not in given | derived
    )  # fmt: skip


def checked(mapping: ColumnMapping) -> ColumnMapping:
    """The same mapping; SourceUnreadable when it names what is not there or lacks a column."""
    if mapping.table not in TABLES:
        raise _wrong(f"there is no table {mapping.table!r}", f"Tables are {', '.join(TABLES)}")
    known = set(target_columns(TABLES[mapping.table]))
    known |= {f"{prefix}{POSITION}" for prefix in prefixes(TABLES[mapping.table])}
    named = [rule.target for rule in mapping.rules] + [name for name, _ in mapping.constants]
    strange = sorted(set(named) - known)
    if strange:
        raise _wrong(
            f"{mapping.table} has no column {', '.join(strange)}",
            f"Its columns are {', '.join(sorted(known))}",
        )
    parts = {(rule.target, rule.form == TIME_OF_DAY) for rule in mapping.rules}
    if len(parts) < len(mapping.rules):
        twice = sorted({name for name in named if named.count(name) > 1})
        raise _wrong(f"two columns mean {', '.join(twice)}", "Leave one of the two meanings empty")
    if mapping.decimal not in (".", ","):
        raise _wrong(f"the decimal sign is {mapping.decimal!r}", "It is . or ,")
    try:
        ZoneInfo(mapping.timezone)
    except (KeyError, ValueError, OSError) as trouble:
        raise _wrong(
            f"there is no time zone {mapping.timezone!r}", "Give one such as Europe/Athens"
        ) from trouble
    lacking = missing(mapping)
    if lacking:
        raise _wrong(
            f"no column means {', '.join(lacking)}",
            f"Every row of {mapping.table} needs it: name the column, or add a line "
            "(value) with the value that holds for all rows",
        )
    return mapping


def _derivable(table: Table, name: str, given: frozenset[str]) -> bool:
    if name.endswith("cell"):
        return f"{name.removesuffix('cell')}lat" in given
    if table.key == (name,):
        return target_columns(table)[name].dtype is DType.STRING  # made from what the row says
    other = {"ended_at": "duration_s", "duration_s": "ended_at"}.get(name)
    return table.name == "trips" and other in given


def _wrong(found: str, fix: str) -> SourceUnreadable:
    return SourceUnreadable("The mapping cannot be used", found=found, fix=fix)
