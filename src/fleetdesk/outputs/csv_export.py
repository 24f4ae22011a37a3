"""A result sheet as CSV for sharing, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime, time

from fleetdesk.model.csv_guard import guarded
from fleetdesk.sheets.base import Link, ResultSheet, Value


def csv_text(sheet: ResultSheet) -> str:
    """Headers and rows, comma-separated with CRLF (RFC 4180); texts cannot become formulas.

    Write it as `utf-8-sig`, so that spreadsheets read other alphabets right.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([guarded(column.header) for column in sheet.columns])
    for row in sheet.rows:
        writer.writerow([_cell(value) for value in row])
    return out.getvalue()


def _cell(value: Value) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return repr(value)
        case datetime():
            return value.isoformat(sep=" ", timespec="seconds")
        case date() | time():
            return value.isoformat()
        case Link():
            return guarded(value.target if "://" in value.target else value.text)
    return guarded(value)
