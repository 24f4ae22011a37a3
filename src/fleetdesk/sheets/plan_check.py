"""A plan must be something every workbook can hold; a wrong one is the program's own mistake."""

from __future__ import annotations

import re

from fleetdesk.sheets.a1 import MAX_COLUMN, MAX_ROW, parse_address
from fleetdesk.sheets.base import MANIFEST_SHEET, Link, ResultSheet, WritePlan

_SHEET_NAME = re.compile(r"^[^\[\]:*?/\\]{1,31}$")
_TABLE_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_.]{0,254}$")
_R1C1 = re.compile(r"^[Rr]\d*[Cc]?\d*$|^[Cc]\d*$")
_ROOM = 1_000
"""Rows left free above and below the table for title, notes and the planner's own."""


def check_plan(plan: WritePlan) -> None:
    """Raise ValueError for names, headers or rows that no workbook could hold."""
    for names in (
        [sheet.sheet.casefold() for sheet in plan.sheets],
        [sheet.table_name.casefold() for sheet in plan.sheets],
    ):
        if len(set(names)) != len(names):
            raise ValueError(f"a plan names the same sheet or table twice: {names}")
    for sheet in plan.sheets:
        _check_names(sheet)
        _check_table(sheet)


def _check_names(sheet: ResultSheet) -> None:
    name = sheet.sheet
    bad = name.startswith("'") or name.endswith("'") or name.casefold() == "history"
    if bad or not _SHEET_NAME.match(name) or name.casefold() == MANIFEST_SHEET:
        raise ValueError(f"{name!r} is no name for a sheet")
    table = sheet.table_name
    if not _TABLE_NAME.match(table) or _R1C1.match(table) or parse_address(table):
        raise ValueError(f"{table!r} is no name for a table")


def _check_table(sheet: ResultSheet) -> None:
    headers = [column.header for column in sheet.columns]
    if not headers or len(headers) > MAX_COLUMN // 2 or len(sheet.rows) > MAX_ROW - _ROOM:
        raise ValueError(f"{sheet.sheet} has no columns, or more rows or columns than a sheet")
    folded = {header.casefold() for header in headers}
    if len(folded) != len(headers):
        raise ValueError(f"{sheet.sheet} has two columns of one name: {headers}")
    if any(not header.strip() or len(header) > 255 for header in headers):
        raise ValueError(f"{sheet.sheet} has an empty or very long header: {headers}")
    for chart in sheet.charts:
        named = {chart.categories, *(series.header for series in chart.series)}
        if not chart.series or not named <= set(headers):
            raise ValueError(f"the chart {chart.title!r} of {sheet.sheet} names no such columns")
    if sheet.key is not None and sheet.key not in headers:
        raise ValueError(f"the key {sheet.key!r} is no column of {sheet.sheet}")


def links_of(sheet: ResultSheet) -> list[tuple[int, int, Link]]:
    """(row, column, link) of every link, counted from 0; a row of another width is a mistake."""
    width = len(sheet.columns)
    links: list[tuple[int, int, Link]] = []
    for number, row in enumerate(sheet.rows):
        if len(row) != width:
            raise ValueError(
                f"row {number} of {sheet.sheet} has {len(row)} values for {width} columns"
            )
        if Link in map(type, row):
            links += [(number, c, value) for c, value in enumerate(row) if isinstance(value, Link)]
    return links
