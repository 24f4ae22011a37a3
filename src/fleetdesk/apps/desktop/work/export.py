"""A shown table as a file that spreadsheets open: CSV with safe texts, or a native .xlsx."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fleetdesk.apps.desktop.work.shapes import Column, Table
from fleetdesk.outputs.csv_export import csv_text
from fleetdesk.sheets.base import CellStyle, ResultColumn, ResultSheet, Value
from fleetdesk.sheets.plain_xlsx import write_results


def write_csv(path: Path, table: Table) -> None:
    """UTF-8 with the mark by which Excel knows it."""
    path.write_text(csv_text(as_sheet(table)), encoding="utf-8-sig", newline="")


def write_xlsx(path: Path, tables: Sequence[Table]) -> None:
    """One sheet a table."""
    write_results(path, [as_sheet(table) for table in tables])


def as_sheet(table: Table) -> ResultSheet:
    """The table's values as a spreadsheet takes them."""
    columns = [_values(column) for column in table.columns]
    return ResultSheet(
        table.name, table.title, table.note, table.name,
        tuple(ResultColumn(c.header, c.style, c.width) for c in table.columns),
        list(zip(*columns, strict=True)),
    )  # fmt: skip


def _values(column: Column) -> list[Value]:
    if column.is_number:
        whole = column.style is CellStyle.INTEGER
        return [
            None if value != value else int(value) if whole else float(value)
            for value in column.values
        ]
    if column.values.dtype.kind == "M":
        return [None if np.isnat(value) else value.item() for value in column.values]
    return [str(value) if value != "" else None for value in column.values]
