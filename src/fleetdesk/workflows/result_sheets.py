"""A day's plan as the owned sheets of the workbook, the run log with its past included."""

from __future__ import annotations

import getpass
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from fleetdesk import __version__
from fleetdesk.model.plan import Plan
from fleetdesk.outputs.tables import (
    RunLogRow,
    issues_sheet,
    kpis_sheet,
    roi_sheet,
    routes_sheet,
    run_log_sheet,
    tasks_sheet,
)
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import Link, ResultSheet, Snapshot, Value
from fleetdesk.workflows.context import Context, map_link
from fleetdesk.workflows.plan_day import DayPlan


def result_sheets(
    context: Context,
    day: DayPlan,
    run_id: str,
    summary: Mapping[str, Any],
    changed: Sequence[str],
    finished_at: datetime,
) -> tuple[ResultSheet, ...]:
    """All owned sheets in the order in which a planner reads them."""
    settings = context.settings
    adds = {task_id: roi.roi for task_id, roi in day.rois.items()}
    log = run_log_sheet([_this_run(context, run_id, summary, changed, finished_at)], settings)
    return (
        kpis_sheet(day.kpis),
        tasks_sheet(day.tasks, day.priorities, day.rois, day.plan, day.fleet, settings),
        routes_sheet(day.plan, settings, adds=adds),
        roi_sheet(day.tasks, day.rois, day.plan, day.cell_support, settings),
        issues_sheet([*context.reading.warnings, *day.notes]),
        replace(log, rows=[*_logged(context.snapshot, log), *log.rows]),
    )


def empty_sheets(settings: Settings) -> tuple[ResultSheet, ...]:
    """The same before the first run, so that links and the sheet Start find them in their order."""
    plan = Plan((), (), engine="", travel_times="not planned yet", seed=0, iterations=0)
    return (
        kpis_sheet([]),
        tasks_sheet([], [], {}, plan, [], settings),
        routes_sheet(plan, settings),
        roi_sheet([], {}, plan, {}, settings),
        issues_sheet([]),
        run_log_sheet([], settings),
    )


def _this_run(
    context: Context,
    run_id: str,
    summary: Mapping[str, Any],
    changed: Sequence[str],
    finished_at: datetime,
) -> RunLogRow:
    run = next(run for run in context.store.runs.list() if run.run_id == run_id)
    first, last = run.data_window or (None, None)
    return RunLogRow(
        run=run_id,
        started_at=run.started_at,
        finished_at=finished_at,
        by=getpass.getuser(),
        result="done",
        data_from=first,
        data_to=last,
        tasks_found=summary["tasks_found"],
        tasks_planned=summary["tasks_planned"],
        profit=summary["profit"],
        changes=tuple(changed),
        seed=run.seed,
        version=__version__,
        map_path=map_link(run_id),
    )


def _logged(snapshot: Snapshot, log: ResultSheet) -> list[tuple[Value, ...]]:
    """The rows that the workbook's run log holds already; the log is only ever added to."""
    headers = [column.header for column in log.columns]
    for sheet in snapshot.sheets.values():
        cells = sheet.cells
        for row, column in sorted(cells):
            if column == 1 and [cells.get((row, c + 1)) for c in range(len(headers))] == headers:
                return [_again(values, headers) for values in _below(cells, row, len(headers))]
    return []


def _below(cells: Mapping[tuple[int, int], Value], row: int, width: int) -> list[tuple[Value, ...]]:
    rows = []
    while (row + 1, 1) in cells:
        row += 1
        rows.append(tuple(cells.get((row, column)) for column in range(1, width + 1)))
    return rows


def _again(values: tuple[Value, ...], headers: Sequence[str]) -> tuple[Value, ...]:
    """A row as it was; a link is read as its text, so it is made anew from the run's id."""
    at = headers.index("Map")
    text = values[at]
    if not isinstance(text, str):
        return values
    return (*values[:at], Link(map_link(str(values[0])), text), *values[at + 1 :])
