"""One table of a database as the mapping sees it: which key, what tells of changes, some rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from fleetdesk.errors import SourceUnreadable
from fleetdesk.sources.base import OnProgress, Tally
from fleetdesk.sources.csv_file import Rows
from fleetdesk.sources.mapping import FILE_NAME, ColumnMapping
from fleetdesk.sources.mapping_words import header_of
from fleetdesk.sources.mysql_columns import (
    LOCAL,
    LONG_TEXTS,
    MOMENT,
    WHOLE,
    DbColumn,
    as_text,
    cleaned,
    is_json,
    unfolded,
)
from fleetdesk.sources.mysql_pages import Page, Plan
from fleetdesk.sources.mysql_server import MySqlServer, quoted

NONE = "none"
_CHANGED = (
    "updated at", "modified at", "changed at", "last updated at", "last modified at",
    "last updated", "last modified", "updated on", "modified on", "date updated", "date modified",
    "update time", "modification time", "updated", "modified", "last update", "last change",
)  # fmt: skip
_END_ROWS, _FEW_ROWS = 2_500, 100


class Ask(Protocol):
    """What answers statements: the driver or DuckDB."""

    def texts(self, sql: str, columns: int) -> pa.Table:
        """All columns as texts."""


@dataclass(frozen=True)
class DbTable:
    """What is known of a table before its mapping is.

    `folded` are the columns that hold JSON; `fast` says that changes are found by an index;
    `sample` asks for some rows, of which a mapping is guessed.
    """

    name: str
    columns: tuple[DbColumn, ...]
    key: tuple[DbColumn, ...]
    changed: DbColumn | None
    folded: frozenset[str]
    version: str
    fast: bool
    sample: Callable[[], pa.Table]

    def plan(self, mapping: ColumnMapping) -> Plan:
        """What is read for this mapping; SourceUnreadable where its columns are not there."""
        own = {column.name: column for column in self.columns}
        wanted = [name for name in mapping.columns if name not in self.folded]
        spread = [name for name in wanted if name not in own]
        # What JSON holds may be missing in the rows that were looked at.
        if spread and not self.folded:
            raise SourceUnreadable(
                f"The table {self.name} does not have the columns of its mapping",
                found=f"no column {', '.join(spread)}",
                fix="Correct the mapping, or let it be guessed anew with --option confirm=yes",
            )
        read = [own[name] for name in wanted if name in own]
        read += [column for column in self.columns if column.name in self.folded and spread]
        zone = ZoneInfo(mapping.timezone)
        return Plan(self.name, tuple(read), self.key, self.changed, self.version, zone)


class TableSample:
    """Some rows of the table, in the form in which a mapping is guessed from files."""

    def __init__(self, table: DbTable) -> None:
        self.path = Path(table.name)
        self._table = table
        plain = [column.name for column in table.columns if column.family]
        self.header = list(self._texts.column_names) if table.folded else plain

    def rows(self, tally: Tally, on_progress: OnProgress | None = None) -> Iterator[Rows]:
        """All of them in one piece."""
        del on_progress
        tally.rows_in += self._texts.num_rows
        names = [f"c{place}" for place in range(self._texts.num_columns)]
        numbers = np.arange(1, self._texts.num_rows + 1, dtype=np.int64)
        yield Rows(numbers, self._texts.rename_columns(names))

    @cached_property
    def _texts(self) -> pa.Table:
        return self._table.sample()


def look_at(server: MySqlServer, options: Mapping[str, str]) -> DbTable:
    """The table that the options name; SourceUnreadable where it has no key to read it by."""
    name = options.get("table", "")
    if not name:
        raise SourceUnreadable(
            "Which table of the database is it?",
            found=", ".join(server.tables()[:30]) or "no table that this user may see",
            fix="Say so with --option table=NAME",
        )
    columns = server.columns(name)
    indexes, version = server.indexes(name), server.version()
    key = _key(name, columns, indexes, options.get("key", ""))
    changed = _changed(name, columns, options.get("updated_at", ""))
    readable = [column for column in columns if column.family]
    longer = [column for column in readable if column.type in LONG_TEXTS]
    folded = frozenset[str]()
    if longer:
        some = _ends(server, name, longer, key, version, _FEW_ROWS)
        folded = _folded(longer, some, many=options.get("into") == "telemetry")

    def sample() -> pa.Table:
        names = [column.name for column in readable]
        texts = _ends(server, name, readable, key, version, _END_ROWS).rename_columns(names)
        return unfolded(texts, names, sorted(folded), ())[0] if folded else texts

    return DbTable(
        name, tuple(columns), key, changed, folded, version,
        fast=changed is None or any(index[0] == changed.name for index in indexes.values()),
        sample=sample,
    )  # fmt: skip


def rows_of(
    page: Page, plan: Plan, table: DbTable, mapping: ColumnMapping, counts: dict[str, int]
) -> tuple[Rows, list[str]]:
    """A page as rows of texts under the mapping's columns, numbered by a key that is a number.

    Zero dates are counted in `counts` by column.
    """
    texts: list[pa.Array] = []
    for place, column in enumerate(plan.columns):
        values, zero = cleaned(page.texts.column(place), column)
        counts[column.name] = counts.get(column.name, 0) + zero
        texts.append(values)
    names = [column.name for column in plan.columns]
    header = [name for name in mapping.columns if name != FILE_NAME]
    rows = pa.Table.from_arrays(texts, names=names)
    numbers = _numbers(page, plan)
    inside = [name for name in names if name in table.folded]
    if inside:
        rows, origins = unfolded(rows, names, inside, header)
        numbers = numbers[np.asarray(origins)]
    rows = rows.select(header).rename_columns([f"c{place}" for place in range(len(header))])
    return Rows(numbers, rows), header


def _numbers(page: Page, plan: Plan) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    if len(plan.key) == 1 and plan.key[0].family == WHOLE:
        numbers = [int(key[0]) for key in page.keys]
        if max(numbers) < 2**63:
            return np.array(numbers, np.int64)
    return np.arange(1, page.rows + 1, dtype=np.int64)


def _key(
    table: str, columns: Sequence[DbColumn], indexes: Mapping[str, list[str]], said: str
) -> tuple[DbColumn, ...]:
    own = {column.name: column for column in columns}
    names = [name.strip() for name in said.split(",") if name.strip()] or indexes.get("PRIMARY", [])
    if not names:
        raise SourceUnreadable(
            f"The table {table} has no primary key",
            found=", ".join(own),
            fix="Name the columns that tell its rows apart with --option key=COLUMN",
        )
    for name in names:
        if name not in own:
            raise _no_column(table, "key", name, own)
        if own[name].nullable or not own[name].family:
            raise SourceUnreadable(
                f"{name} cannot be the key of {table}",
                found="it may be empty" if own[name].nullable else own[name].full,
                fix="Name columns that are never empty with --option key=COLUMN",
            )
    return tuple(own[name] for name in names)


def _changed(table: str, columns: Sequence[DbColumn], said: str) -> DbColumn | None:
    """The column that says when a row was changed; None when there is none."""
    own = {column.name: column for column in columns}
    if said == NONE:
        return None
    if said and said not in own:
        raise _no_column(table, "updated_at", said, own)
    if said:
        if own[said].family not in (MOMENT, LOCAL, "date", WHOLE):
            raise SourceUnreadable(
                f"{said} cannot say when a row of {table} was changed", found=own[said].full,
                fix="Name a column of times with --option updated_at=COLUMN",
            )  # fmt: skip
        return own[said]
    named = {
        header_of(column.name).text: column for column in reversed(columns)
        if column.family in (MOMENT, LOCAL)
    }  # fmt: skip
    return next((named[words] for words in _CHANGED if words in named), None)


def _ends(
    server: MySqlServer, table: str, columns: Sequence[DbColumn], key: Sequence[DbColumn],
    version: str, rows: int,
) -> pa.Table:  # fmt: skip
    """The first and last rows by key."""
    asked = ", ".join(as_text(column, quoted(column.name), version) for column in columns)
    pieces = []
    for way in ("ASC", "DESC"):
        order = ", ".join(f"{quoted(column.name)} {way}" for column in key)
        sql = f"SELECT {asked} FROM {quoted(table)} ORDER BY {order} LIMIT {rows}"  # noqa: S608
        pieces.append(server.texts(sql, len(columns)))
    both = pa.concat_tables(pieces)
    texts = [cleaned(both.column(place), column)[0] for place, column in enumerate(columns)]
    return pa.Table.from_arrays(texts, names=both.column_names)


def _folded(columns: Sequence[DbColumn], texts: pa.Table, *, many: bool) -> frozenset[str]:
    """The columns of JSON that can be spread: `many` = also where one holds several rows."""
    found = set()
    for place, column in enumerate(columns):
        values = texts.column(place).combine_chunks()
        if not is_json(column, values):
            continue
        alone = pa.table({column.name: values.drop_null()})
        spread, _ = unfolded(alone, [column.name], [column.name], ())
        if many or spread.num_rows <= alone.num_rows:
            found.add(column.name)
    return frozenset(found)


def _no_column(table: str, option: str, name: str, own: Mapping[str, DbColumn]) -> SourceUnreadable:
    return SourceUnreadable(
        f"The table {table} has no column {name}", found=", ".join(own),
        fix=f"Check the option {option}",
    )  # fmt: skip
