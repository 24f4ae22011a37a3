"""Tasks on no route that the planner gives to a worker, on the sheet Tasks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from fleetdesk.errors import Problem, Severity
from fleetdesk.model.edits import StopKey
from fleetdesk.sheets.a1 import address
from fleetdesk.sheets.base import SheetCells
from fleetdesk.workflows.route_orders import Row

SHEET = "Tasks"
WORKER, PLACE, KEY = "Give to", "As stop", "Task"

Given = tuple[tuple[Row, ...], tuple[tuple[str, Problem], ...]]
"""Rows as those of the sheet Routes, and what could not be used, each with its task."""


def given_tasks(
    sheet: SheetCells | None, last_rows: Sequence[Mapping[str, Any]], workers: Sequence[str]
) -> Given:
    """Who is to do which task of `last_rows` (what the last run wrote there, by header)."""
    columns, top = columns_of(sheet)
    if sheet is None or not columns:
        return (), ()
    known = {worker.strip().casefold(): worker for worker in workers}
    written = {str(row[KEY]): row for row in last_rows}
    rows: list[Row] = []
    problems: list[tuple[str, Problem]] = []
    for (line, column), typed in sorted(sheet.cells.items()):
        task = str(sheet.cells.get((line, columns[KEY]), ""))
        if line <= top or column != columns[WORKER] or task not in written or not _text(typed):
            continue
        cell = address(line, column)
        row = written[task]
        worker = known.get(_text(typed).casefold())
        if row["Planned?"] != "no":
            problems.append((task, Problem(
                SHEET, cell, f"{row['Vehicle']}: The task is on a route,", f"{row['Planned?']}",
                "Give it to another worker on the sheet Routes", Severity.WARNING,
            )))  # fmt: skip
        elif worker is None:
            problems.append((task, Problem(
                SHEET, cell, f"{row['Vehicle']}: {_text(typed)!r} is no worker",
                "of the sheet Workers & vans", "Choose one of them", Severity.WARNING,
            )))  # fmt: skip
        else:
            place = sheet.cells.get((line, columns[PLACE]))
            rows.append(Row(
                StopKey(task), str(row["Vehicle"]), "", worker, None, _number(place),
                cells={"Worker": cell, "Stop": address(line, columns[PLACE])},
            ))  # fmt: skip
    return tuple(rows), tuple(problems)


def columns_of(sheet: SheetCells | None) -> tuple[Mapping[str, int], int]:
    """Where the columns are, by head, and the row of the heads; nothing on an older sheet."""
    heads: dict[int, dict[str, int]] = {}
    for (row, column), value in sorted(sheet.cells.items()) if sheet else ():
        if value in (KEY, WORKER, PLACE):
            heads.setdefault(row, {}).setdefault(str(value), column)
    return next(((found, row) for row, found in heads.items() if len(found) == 3), ({}, 0))


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()


def _number(value: object) -> float | None:
    """A place in the order; what is no number leaves the place to the plan."""
    try:
        place = float(_text(value).replace(",", "."))
    except ValueError:
        return None
    return place if math.isfinite(place) else None
