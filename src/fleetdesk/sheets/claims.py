"""What is FleetDesk's in a workbook of any kind, and the refusals where it is the planner's.

Shared by every adapter that finds its sheets by a manifest.
"""

from __future__ import annotations

from collections.abc import Mapping

from fleetdesk.errors import WorkbookRefused
from fleetdesk.sheets.a1 import Area
from fleetdesk.sheets.base import Value
from fleetdesk.sheets.manifest import OwnedSheet

SEEK_ROWS = 200
"""How far down a header row is sought when its table is gone."""


def seek_headers(
    record: OwnedSheet, cells: Mapping[tuple[int, int], Value]
) -> tuple[Area, dict[int, str]] | None:
    """The table's area and owned columns by its header row, nearest to where it last was.

    For a sheet whose table was turned into plain cells; None when the header row is gone too.
    """
    area = Area.parse(record.ref)
    if area is None:
        return None
    rows = sorted({row for row, _ in cells if row <= SEEK_ROWS})
    for row in sorted(rows, key=lambda row: abs(row - area.top)):
        columns = {c: str(v) for (r, c), v in cells.items() if r == row and v in record.headers}
        if set(columns.values()) == set(record.headers) and len(columns) == len(record.headers):
            bottom = row + area.bottom - area.top
            return Area(row, min(columns), bottom, max(columns)), columns
    return None


def foreign_sheet(where: str, name: str) -> WorkbookRefused:
    """The refusal of a plan whose sheet the planner has made for something of their own."""
    return WorkbookRefused(
        f"{where} has a sheet of your own named {name}, where FleetDesk would write its results",
        found="it does not hold FleetDesk's table, so it was left as it is",
        fix=f"Rename your sheet, for example to 'My {name}', and run again",
    )


def foreign_table(where: str, table: str, sheet: str) -> WorkbookRefused:
    """The refusal of a plan whose table the planner has made for something of their own."""
    return WorkbookRefused(
        f"{where} has a table of your own named {table}, a name FleetDesk needs",
        found=f"it is on the sheet {sheet}",
        fix="Give your table another name (Excel: Table Design, Table Name) and run again",
    )


def foreign_name(where: str, name: str) -> WorkbookRefused:
    """The refusal of a plan whose table's name the planner has given to something else."""
    return WorkbookRefused(
        f"{where} uses the name {name}, which FleetDesk needs for its table",
        fix="Give your name another spelling (Excel: Formulas, Name Manager) and run again",
    )


def table_in_the_way(
    where: str, sheet: str, table: str, area: Area, needed: Area
) -> WorkbookRefused:
    """The refusal when the new result would cover the planner's own table on an owned sheet."""
    return WorkbookRefused(
        f"Your table {table} on the sheet {sheet} of {where} is in the way of the new result",
        found=f"it stands at {area.ref}; the result needs {needed.ref}",
        fix="Move your table to a sheet of its own and run again",
    )
