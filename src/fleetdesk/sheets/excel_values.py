"""Values between Python and a running Excel, and what identifies a workbook's content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from itertools import groupby
from typing import TypeVar

from fleetdesk.sheets.base import CellStyle, Link, Value
from fleetdesk.sheets.styles import NUMBER_FORMATS, Look, look_for
from fleetdesk.sheets.values import MAX_EXACT_INTEGER, MAX_TEXT, clean, from_serial, serial

T = TypeVar("T")

GENERAL = "General"
_EPOCH = datetime(1899, 12, 30)
_ERROR_BASE = -2146828288
_ERRORS = {
    2000: "#NULL!", 2007: "#DIV/0!", 2015: "#VALUE!", 2023: "#REF!", 2029: "#NAME?",
    2036: "#NUM!", 2042: "#N/A", 2043: "#GETTING_DATA", 2045: "#SPILL!", 2046: "#CONNECT!",
    2047: "#BLOCKED!", 2048: "#UNKNOWN!", 2049: "#FIELD!", 2050: "#CALC!",
}  # fmt: skip
_DATES = (Look.DATETIME, Look.DATE, Look.TIME)


@dataclass(frozen=True, slots=True)
class Content:
    """What stands in a cell: a formula, or else a value."""

    value: Value = None
    formula: str = ""


Contents = Mapping[tuple[int, int], Content]


@dataclass(frozen=True)
class Cells:
    """A sheet as read: only cells that hold something."""

    contents: dict[tuple[int, int], Content] = field(default_factory=dict)

    @property
    def values(self) -> dict[tuple[int, int], Value]:
        """What the cells show."""
        found = {place: content.value for place, content in self.contents.items()}
        return {place: value for place, value in found.items() if value is not None}


def from_excel(value: object, kind: str) -> Value:
    """A value as COM gives it; `kind` is what its number format shows (see `date_kind`)."""
    match value:
        case None | "":
            return None
        case bool() | str():
            return value
        case int():
            # Numbers are always floats there; a whole number is the code of an error.
            return _ERRORS.get(value - _ERROR_BASE, "#UNKNOWN!")
        case Decimal():
            return float(value)
        case float():
            whole = value.is_integer() and abs(value) <= MAX_EXACT_INTEGER
            return int(value) if whole else value
        case datetime():
            days = (value.replace(tzinfo=None) - _EPOCH).total_seconds() / 86_400
            return from_serial(days, kind or "dt", False)
    return str(value)


def to_excel(value: Value, date1904: bool) -> object:
    """What to assign so that Excel holds exactly this value.

    Excel reads assigned text as if it were typed; the apostrophe before it says that it is text,
    and is not part of the cell's value.
    """
    value = clean(value.text if isinstance(value, Link) else value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return "'" + value[: MAX_TEXT - 1]
    if isinstance(value, date | time):
        return serial(value, date1904)
    return float(value)  # type: ignore[arg-type]


def number_format(value: Value, style: CellStyle) -> str:
    """A cell's number format: its column's, unless the value would then be shown as another."""
    look = look_for(style, value)
    value = clean(value.text if isinstance(value, Link) else value)
    if isinstance(value, datetime):
        look = Look.DATETIME
    elif isinstance(value, date):
        look = Look.DATE
    elif isinstance(value, time):
        look = Look.TIME
    elif isinstance(value, bool | int | float) and look in _DATES:
        look = Look.TEXT
    return NUMBER_FORMATS.get(look, GENERAL)


def runs(items: Iterable[T]) -> list[tuple[int, int, T]]:
    """(first index, last index, item) of each stretch of equal items."""
    found: list[tuple[int, int, T]] = []
    for item, group in groupby(items):
        first = found[-1][1] + 1 if found else 0
        found.append((first, first + len(list(group)) - 1, item))
    return found


def rectangles(places: Iterable[tuple[int, int]]) -> list[tuple[int, int, int, int]]:
    """Cells as few rectangles (top, left, bottom, right), so that each is written in one call."""
    columns: dict[int, list[int]] = {}
    for row, column in places:
        columns.setdefault(column, []).append(row)
    open_: dict[tuple[int, int], tuple[int, int]] = {}
    done: list[tuple[int, int, int, int]] = []
    for column in sorted(columns):
        stretches = _stretches(sorted(columns[column]))
        for stretch in [
            s for s, (_, right) in open_.items() if s not in stretches or right < column - 1
        ]:
            left, right = open_.pop(stretch)
            done.append((stretch[0], left, stretch[1], right))
        for stretch in stretches:
            open_[stretch] = (open_[stretch][0] if stretch in open_ else column, column)
    done += [(top, left, bottom, right) for (top, bottom), (left, right) in open_.items()]
    return sorted(done)


def fingerprint(sheets: Mapping[str, Contents], marker: str) -> str:
    """SHA-256 over the planner's sheets and the mark that the last run left.

    A formula counts by its text: its result may change with what FleetDesk writes.
    """
    digest = hashlib.sha256(marker.encode())
    for name, contents in sheets.items():
        cells = [(place, c.formula or repr(c.value)) for place, c in sorted(contents.items())]
        digest.update(repr((name, cells)).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _stretches(rows: Sequence[int]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for row in rows:
        if found and found[-1][1] == row - 1:
            found[-1] = (found[-1][0], row)
        else:
            found.append((row, row))
    return found
