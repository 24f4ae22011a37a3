"""Result sheets as a new .xlsx to pass on: native tables, nothing that could become a formula."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from xlsxwriter import Workbook

from fleetdesk.sheets.base import CellStyle, Link, ResultSheet, Value
from fleetdesk.sheets.file_switch import explained

_FORMATS = {
    CellStyle.INTEGER: "#,##0",
    CellStyle.DECIMAL: "#,##0.00",
    CellStyle.NUMBER: "#,##0.00",
    CellStyle.FINE: "0.0000",
    CellStyle.MONEY: "#,##0.00",
    CellStyle.PERCENT: "0.0",
    CellStyle.DATETIME: "yyyy-mm-dd hh:mm",
}
_NAME_CHARACTERS = re.compile(r"[\[\]:*?/\\']")
_LONGEST_NAME = 31


def write_results(path: Path, sheets: Sequence[ResultSheet]) -> None:
    """Write the file in one step; one that is there is replaced. WorkbookRefused says why not."""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".fleetdesk-", suffix=".xlsx")
        os.close(handle)
        try:
            _fill(temporary, sheets)
            Path(temporary).chmod(0o644)
            Path(temporary).replace(path)
        finally:
            Path(temporary).unlink(missing_ok=True)
    except OSError as error:
        raise explained(error, path.name) from error


def _fill(temporary: str, sheets: Sequence[ResultSheet]) -> None:
    book = Workbook(temporary, {"remove_timezone": True})
    looks = {style: book.add_format({"num_format": code}) for style, code in _FORMATS.items()}
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    title, note = (
        book.add_format({"bold": True, "font_size": 14}),
        book.add_format({"italic": True}),
    )
    for sheet in sheets:
        page = book.add_worksheet(_NAME_CHARACTERS.sub(" ", sheet.sheet)[:_LONGEST_NAME])
        page.write_string(0, 0, sheet.title, title)
        page.write_string(1, 0, sheet.note, note)
        for index, column in enumerate(sheet.columns):
            page.set_column(index, index, column.width)
            look = wrapped if column.style is CellStyle.WRAPPED else looks.get(column.style)
            for number, row in enumerate(sheet.rows, start=4):
                value = row[index]
                count = column.style is CellStyle.NUMBER and isinstance(value, int)
                _write(page, number, index, value, looks[CellStyle.INTEGER] if count else look)
        if sheet.columns:
            bottom = max(4, 3 + len(sheet.rows))
            heads = [{"header": column.header} for column in sheet.columns]
            page.add_table(3, 0, bottom, len(sheet.columns) - 1, {"columns": heads})
        page.freeze_panes(4, 0)
    book.close()


def _write(page: Any, row: int, column: int, value: Value, look: Any) -> None:
    match value:
        case None:
            return
        case bool():
            page.write_string(row, column, "yes" if value else "no", look)
        case int() | float():
            page.write_number(row, column, value, look)
        case datetime() | date() | time():
            page.write_datetime(row, column, value, look)
        case Link():
            page.write_string(row, column, value.text, look)
        case _:
            page.write_string(row, column, value, look)
