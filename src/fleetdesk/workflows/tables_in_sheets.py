"""Finding one of our tables in what was read of a workbook, as the planner may have left it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from fleetdesk.sheets.base import ResultSheet, Snapshot, Value

Cells = Mapping[tuple[int, int], Value]


def find_table(snapshot: Snapshot, sheet: ResultSheet) -> list[tuple[Value, ...]]:
    """The rows of our table as wide as `sheet.columns`, cells of a missing column None.

    Columns are found by their headers, so that a planner may put others between them. The table is
    sought on the sheet of its name and else on any. What stands apart below it and fills less than
    half of its columns is the planner's own.
    """
    headers = [column.header for column in sheet.columns]
    pages = sorted(snapshot.sheets.values(), key=lambda page: page.name != sheet.sheet)
    for page in pages:
        found = _columns(page.cells, headers)
        if found is not None:
            row, places = found
            return _below(page.cells, row, places)
    return []


def _columns(cells: Cells, headers: Sequence[str]) -> tuple[int, list[int | None]] | None:
    """The first row that holds most of the headers, and the column of each."""
    by_row: dict[int, dict[str, int]] = {}
    wanted = set(headers)
    for (row, column), value in cells.items():
        if isinstance(value, str) and value in wanted:
            by_row.setdefault(row, {}).setdefault(value, column)
    for row, places in sorted(by_row.items()):
        if 2 * len(places) > len(headers):
            return row, [places.get(header) for header in headers]
    return None


def _below(cells: Cells, head: int, places: Sequence[int | None]) -> list[tuple[Value, ...]]:
    known = {place for place in places if place is not None}
    filled = Counter(row for row, column in cells if row > head and column in known)
    rows = [head]
    for row in sorted(filled):
        if row == rows[-1] + 1 or 2 * filled[row] >= len(known):
            rows.append(row)
    return [
        tuple(None if place is None else cells.get((row, place)) for place in places)
        for row in rows[1:]
    ]
