"""Finding one of our tables in what was read of a workbook, wherever it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fleetdesk.sheets.base import Snapshot, Value


def find_table(snapshot: Snapshot, headers: Sequence[str]) -> list[tuple[Value, ...]]:
    """The rows below exactly these headers, in whichever sheet they are; [] when nowhere.

    A table ends at the first row without a value in it.
    """
    for sheet in snapshot.sheets.values():
        for row, column in sorted(at for at, value in sheet.cells.items() if value == headers[0]):
            found = [sheet.cells.get((row, column + index)) for index in range(len(headers))]
            if found == list(headers):
                return _below(sheet.cells, row, column, len(headers))
    return []


def _below(
    cells: Mapping[tuple[int, int], Value], row: int, first: int, width: int
) -> list[tuple[Value, ...]]:
    rows = []
    columns = range(first, first + width)
    while any((row + 1, column) in cells for column in columns):
        row += 1
        rows.append(tuple(cells.get((row, column)) for column in columns))
    return rows
