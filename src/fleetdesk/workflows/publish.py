"""Bring a day's plan to the planner: map, result sheets and ledger, all or nothing.

The order makes a crash harmless. The map is written where nobody looks yet; the ledger notes which
workbook is about to be replaced by which; the workbook is replaced in one step; the ledger closes
the run. Whatever was cut off is settled when the workspace is next opened.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleetdesk.outputs.map import map_view, route_map
from fleetdesk.settings.flatten import changes, flatten
from fleetdesk.sheets.base import WritePlan
from fleetdesk.workflows.context import MAP_NAME, OUTPUTS_FOLDER, Context, recorded, who
from fleetdesk.workflows.kept_results import keep_results
from fleetdesk.workflows.plan_day import DayPlan
from fleetdesk.workflows.result_sheets import log_sheet, plan_sheets


@dataclass(frozen=True)
class Published:
    """Where the results are; `summary` holds the figures that the ledger keeps."""

    run_id: str
    map_path: Path
    backup: str
    changed: tuple[str, ...]
    summary: Mapping[str, Any]
    fingerprint: str


def publish(context: Context, day: DayPlan, run_id: str) -> Published:
    """Write the plan's map and sheets; when it raises, the workbook is as it was."""
    runs = context.store.runs
    summary = summarise(day, context)
    changed = changed_settings(context)
    map_path = _write_map(context.folder / OUTPUTS_FOLDER / run_id, day, context)
    finished_at = context.clock()
    sheets = plan_sheets(context, day)
    log = log_sheet(context, run_id, summary, finished_at)
    keep_results(context.store, run_id, sheets)
    migration = context.migration
    plan = WritePlan((*sheets, log), migration.additions, migration.settings_schema)
    prepared = context.workbook.prepare(plan, context.snapshot.fingerprint)
    try:
        runs.publishing(
            run_id,
            workbook=recorded(context.address, context.folder),
            before_sha=prepared.before,
            after_sha=prepared.after,
            summary=summary,
        )
        receipt = prepared.switch()
    except BaseException:
        prepared.discard()
        raise
    runs.finish(run_id, ended_at=finished_at)
    return Published(run_id, map_path, receipt.backup, changed, summary, receipt.fingerprint)


def withdraw(context: Context, run_id: str) -> None:
    """Remove the map of a run that came to nothing."""
    shutil.rmtree(context.folder / OUTPUTS_FOLDER / run_id, ignore_errors=True)


def changed_settings(context: Context) -> tuple[str, ...]:
    """Old -> new of every setting against the last published run; nothing on the first."""
    last = context.store.runs.last_published(recorded(context.address, context.folder))
    if last is None:
        return ()
    return tuple(str(c) for c in changes(last.settings_flat, flatten(context.settings)))


def summarise(day: DayPlan, context: Context) -> dict[str, Any]:
    """The figures that the ledger, the command line and the run log show of a run."""
    return {
        "day": day.moment.day.isoformat(),
        "as_of": day.moment.as_of.isoformat(),
        "vehicles": len(day.fleet),
        "tasks_found": len(day.tasks),
        "tasks_planned": len(day.plan.planned_task_ids),
        "routes": sum(bool(route.visits) for route in day.plan.routes),
        "profit": day.plan.profit_milli / 1000,
        "currency": context.settings.city.currency,
        "by": who(),
        "changed": list(changed_settings(context)),
    }


def _write_map(folder: Path, day: DayPlan, context: Context) -> Path:
    view = map_view(
        day.plan,
        day.tasks,
        context.settings,
        day.moment.day,
        rois=day.rois,
        vans=day.vans,
        fleet=day.fleet,
        rates_per_h=day.cell_rates,
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / MAP_NAME
    with path.open("w", encoding="utf-8") as file:
        file.write(route_map(view))
        file.flush()
        os.fsync(file.fileno())
    return path
