"""Pages of a table in the order of (last change, key), and what of them was given before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from fleetdesk.sources.mapped_keys import row_hashes
from fleetdesk.sources.mysql_columns import BYTES, EXACT, LOCAL, WHOLE, DbColumn, as_text
from fleetdesk.sources.mysql_server import quoted

OVERLAP = timedelta(minutes=15)
MOST_REMEMBERED = 20_000
"""Of the rows of the overlap, the last so many; a busier quarter of an hour is cut short."""
Key = tuple[str, ...]
Hashes = npt.NDArray[np.uint64]
_SEPARATOR, _NOTHING = "\x1f", "\x00"
_MILLISECONDS, _MICROSECONDS = 1e11, 1e14  # smaller numbers of a clock are seconds


@dataclass(frozen=True)
class Cursor:
    """Where to go on: after this row, or, without a key, at the first one of this change."""

    changed: str = ""
    key: Key = ()


@dataclass(frozen=True)
class Plan:
    """Which columns of which table are read, by what key, and what tells of changes, if anything.

    `version` is the server's.
    """

    table: str
    columns: tuple[DbColumn, ...]
    key: tuple[DbColumn, ...]
    changed: DbColumn | None
    version: str
    zone: ZoneInfo

    @property
    def width(self) -> int:
        """How many columns a page's statement gives."""
        return len(self.columns) + len(self.key) + (self.changed is not None)

    def sql(self, after: Cursor | None, rows: int, *, unchanged: bool = False) -> str:
        """The statement of one page; `unchanged` are the rows that were never changed (NULL)."""
        lead = [] if self.changed is None or unchanged else [self.changed]
        order = [*lead, *self.key]
        where = []
        if self.changed is not None:
            name = quoted(self.changed.name)
            where.append(f"{name} IS NULL" if unchanged else f"{name} IS NOT NULL")
        if after is not None:
            values = (*([after.changed] if lead else []), *after.key)
            where.append(_after(order, values))
        first = [self.changed] if self.changed is not None else []
        # Names of their own, because a column may be asked for twice.
        asked = [f"{as_text(c, quoted(c.name), self.version)} AS `fleetdesk {place}`"
                 for place, c in enumerate((*first, *self.key, *self.columns))]  # fmt: skip
        return (
            f"SELECT {', '.join(asked)} FROM {quoted(self.table)}"  # noqa: S608 - quoted
            + (f" WHERE {' AND '.join(where)}" if where else "")
            + f" ORDER BY {', '.join(quoted(c.name) for c in order)} LIMIT {rows}"
        )

    def count_sql(self, after: Cursor) -> str:
        """The statement that counts what comes from there on."""
        lead = [self.changed] if self.changed is not None else []
        values = (*([after.changed] if lead else []), *after.key)
        where = _after([*lead, *self.key], values)
        return f"SELECT COUNT(*) FROM {quoted(self.table)} WHERE {where}"  # noqa: S608 - quoted

    def page(self, texts: pa.Table) -> Page:
        """The answer to `sql`, taken apart."""
        marks = 0 if self.changed is None else 1
        through = marks + len(self.key)
        changes = texts.column(0).to_pylist() if marks else [""] * texts.num_rows
        keys = list(
            zip(*(texts.column(place).to_pylist() for place in range(marks, through)), strict=True)
        )
        return Page(changes, keys, texts.select(range(through, self.width)), fingerprints(texts))


@dataclass(frozen=True)
class Page:
    """Some rows: when each was changed ("" or None = unknown), its key, what it says, its hash."""

    changes: list[str]
    keys: list[Key]
    texts: pa.Table
    hashes: Hashes

    @property
    def rows(self) -> int:
        """How many."""
        return len(self.keys)

    @property
    def last(self) -> Cursor:
        """After its last row."""
        return Cursor(self.changes[-1] or "", self.keys[-1])


def pages(
    plan: Plan, ask: Callable[[str, int], pa.Table], after: Cursor | None, rows: int,
    *, unchanged: bool = False,
) -> Iterator[Page]:  # fmt: skip
    """All pages from there on; each is a question of its own, so that none is held open."""
    while True:
        page = plan.page(ask(plan.sql(after, rows, unchanged=unchanged), plan.width))
        if page.rows:
            yield page
            after = page.last
        if page.rows < rows:
            return


@dataclass
class Tail:
    """The rows of the last quarter of an hour, by which the next import knows what is new.

    A row that is committed late has an earlier time of change than others that were read before.
    """

    plan: Plan
    _rows: list[tuple[str, Key, np.uint64]] = field(default_factory=list)
    _floor: str = ""

    def add(self, page: Page) -> None:
        """Take note of a page, after the one before."""
        self._floor = floor_of(page.changes[-1], self.plan)
        lowest = _order(self._floor, self.plan)
        recent = slice(-MOST_REMEMBERED - 1, None)
        fresh = zip(page.changes[recent], page.keys[recent], page.hashes[recent], strict=True)
        self._rows = [
            row for row in [*self._rows, *fresh][recent] if _order(row[0], self.plan) >= lowest
        ]

    @property
    def since(self) -> Cursor:
        """Where the next import begins."""
        if len(self._rows) > MOST_REMEMBERED:
            return Cursor(*self._rows[0][:2])
        return Cursor(self._floor)

    @property
    def hashes(self) -> Hashes:
        """Of the rows that the next import will meet again."""
        return np.array([row[2] for row in self._rows[-MOST_REMEMBERED:]], np.uint64)

    def __bool__(self) -> bool:
        return bool(self._rows)


def floor_of(changed: str, plan: Plan) -> str:
    """A quarter of an hour before; before an hour that the local clock shows twice, if in it."""
    assert plan.changed is not None
    if plan.changed.family == WHOLE:
        number = int(changed)
        factor = 1 + 999 * (number > _MILLISECONDS) + 999_000 * (number > _MICROSECONDS)
        return str(number - int(OVERLAP.total_seconds()) * factor)
    try:
        shown = datetime.fromisoformat(changed)
    except ValueError:  # a zero date
        return changed
    back = shown - OVERLAP
    if plan.changed.family == LOCAL:
        back -= max(_twice(shown, plan.zone), _twice(back, plan.zone))
    return back.isoformat(sep=" ")


def fingerprints(texts: pa.Table) -> Hashes:
    """A 64-bit hash of each row."""
    columns = [column.to_pylist() for column in texts.columns]
    return row_hashes(
        [
            _SEPARATOR.join([_NOTHING if cell is None else cell for cell in row])
            for row in zip(*columns, strict=True)
        ]
    )


def _twice(shown: datetime, zone: ZoneInfo) -> timedelta:
    """How far the clock goes back at the end of the hour, if it shows this time twice."""
    first, second = (
        shown.replace(tzinfo=zone, fold=fold).utcoffset() or timedelta() for fold in (0, 1)
    )
    return max(first - second, timedelta())


def _order(changed: str, plan: Plan) -> Any:
    return int(changed) if plan.changed and plan.changed.family == WHOLE else changed


def _after(order: Sequence[DbColumn], values: Sequence[str]) -> str:
    """The rows behind these values in this order; at them where only the first is given."""
    first, value = quoted(order[0].name), _literal(order[0], values[0])
    if len(values) == 1:
        return f"{first} >{'=' if len(order) > 1 else ''} {value}"
    rest = _after(order[1:], values[1:])
    # The plain bound beside it is what an index is used for.
    return f"{first} >= {value} AND ({first} > {value} OR ({first} = {value} AND {rest}))"


def _literal(column: DbColumn, value: str) -> str:
    """A value as it came from the column; texts as bytes, which need no signs of escape."""
    if column.family in (WHOLE, EXACT):
        return str(int(value) if column.family == WHOLE else Decimal(value))
    if column.family == BYTES:
        return f"X'{value}'"
    return f"_utf8mb4 X'{value.encode().hex()}'"
