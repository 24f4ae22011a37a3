"""A day's plan as the owned sheets of the workbook, the run log with its past included."""

from __future__ import annotations

import getpass
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from fleetdesk import __version__
from fleetdesk.fleet.cycle_length import CycleLength
from fleetdesk.model.plan import Plan
from fleetdesk.outputs.charts import (
    availability_sheet,
    battery_sheet,
    cycles_sheet,
    left_out_sheet,
    threshold_sheet,
    workload_sheet,
)
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
from fleetdesk.sheets.base import Link, ResultSheet, Value
from fleetdesk.workflows.context import Context, map_link
from fleetdesk.workflows.plan_day import DayPlan
from fleetdesk.workflows.tables_in_sheets import find_table


def plan_sheets(context: Context, day: DayPlan) -> tuple[ResultSheet, ...]:
    """The owned sheets about the day, in the order in which a planner reads them."""
    settings = context.settings
    adds = {task_id: roi.roi for task_id, roi in day.rois.items()}
    return (
        kpis_sheet(day.kpis),
        battery_sheet(day.fleet, settings),
        availability_sheet(day.fleet, settings),
        tasks_sheet(day.tasks, day.priorities, day.rois, day.plan, day.fleet, settings),
        routes_sheet(
            day.plan,
            settings,
            adds=adds,
            edits=day.edits.outcomes,
            problems=day.edits.problems,
            tasks=day.tasks,
        ),
        workload_sheet(day.plan, day.vans, settings),
        left_out_sheet(day.tasks, day.rois, day.plan, settings),
        roi_sheet(day.tasks, day.rois, day.plan, day.cell_support, settings),
        threshold_sheet(day.tasks, day.rois, settings),
        cycles_sheet(day.cycle_length, settings),
        issues_sheet([*context.reading.warnings, *day.notes]),
    )


def log_sheet(
    context: Context,
    run_id: str,
    summary: Mapping[str, Any],
    changed: Sequence[str],
    finished_at: datetime,
) -> ResultSheet:
    """The run log with this run added below what the workbook holds already."""
    row = _this_run(context, run_id, summary, changed, finished_at)
    log = run_log_sheet([row], context.settings)
    headers = [column.header for column in log.columns]
    logged = [_again(values, headers) for values in find_table(context.snapshot, headers)]
    return replace(log, rows=[*logged, *log.rows])


def empty_sheets(settings: Settings) -> tuple[ResultSheet, ...]:
    """The same before the first run, so that links and the sheet Start find them in their order."""
    plan = Plan((), (), engine="", travel_times="not planned yet", seed=0, iterations=0)
    return (
        kpis_sheet([]),
        battery_sheet([], settings),
        availability_sheet([], settings),
        tasks_sheet([], [], {}, plan, [], settings),
        routes_sheet(plan, settings),
        workload_sheet(plan, [], settings),
        left_out_sheet([], {}, plan, settings),
        roi_sheet([], {}, plan, {}, settings),
        threshold_sheet([], {}, settings),
        cycles_sheet(CycleLength((), (), 0, 0), settings),
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


def _again(values: tuple[Value, ...], headers: Sequence[str]) -> tuple[Value, ...]:
    """A row as it was; a link is read as its text, so it is made anew from the run's id."""
    at = headers.index("Map")
    text = values[at]
    if not isinstance(text, str):
        return values
    return (*values[:at], Link(map_link(str(values[0])), text), *values[at + 1 :])
