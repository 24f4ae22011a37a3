"""The sheets about the run itself: what to look at, which records came in, and the run log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from fleetdesk.errors import Problem
from fleetdesk.model.analyses import ANALYSES
from fleetdesk.model.analysis import Analysis
from fleetdesk.model.findings import Finding
from fleetdesk.outputs.tables import (
    ImportAccount,
    RunLogRow,
    issues_sheet,
    quality_sheet,
    run_log_sheet,
)
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import ResultSheet
from fleetdesk.store.base import RunRecord, RunState, Store
from fleetdesk.workflows.catalog import empty_sheets_of
from fleetdesk.workflows.context import Context, map_link, recorded
from fleetdesk.workflows.tables_in_sheets import find_table


def run_sheets(
    context: Context, notes: Sequence[Problem], findings: Sequence[Finding]
) -> tuple[ResultSheet, ...]:
    """What every run writes beside its answers: its notes, and the account of the records."""
    return (
        issues_sheet([*context.reading.warnings, *notes]),
        quality_sheet(accounts(context.store), context.settings, findings),
    )


def empty_sheets(
    settings: Settings, analyses: Sequence[Analysis] = ANALYSES
) -> tuple[ResultSheet, ...]:
    """All sheets before the first run, so that links and Start find them in their order."""
    return (
        *empty_sheets_of(settings, analyses),
        issues_sheet([]),
        quality_sheet([], settings),
        run_log_sheet([], settings),
    )


def accounts(store: Store) -> list[ImportAccount]:
    """Every account that sources gave, those of looks without news included."""
    imports = [ImportAccount(i.imported_at, i.report) for i in store.imports() if i.report]
    told = [account.report for account in imports]
    return imports + [
        ImportAccount(visit.visited_at, visit.report)
        for visit in store.visits()
        if visit.report and visit.report.rows_in and visit.report not in told
    ]


def log_sheet(
    context: Context, run_id: str, summary: Mapping[str, Any], finished_at: datetime
) -> ResultSheet:
    """The run log: this workbook's runs from the ledger, below those that only the sheet knows."""
    runs = context.store.runs.list()
    here = recorded(context.address, context.folder)
    rows = [
        _row(context, run, run.summary, run.ended_at)
        for run in runs
        if run.state is RunState.FINISHED and run.workbook == here
    ]
    this = next(run for run in runs if run.run_id == run_id)
    log = run_log_sheet([*rows, _row(context, this, summary, finished_at)], context.settings)
    known = {row[0] for row in log.rows}
    strangers = [
        (*values[:-1], None)
        for values in find_table(context.snapshot, log)
        if values[0] and values[0] not in known and values[0] not in {r.run_id for r in runs}
    ]
    return replace(log, rows=[*strangers, *log.rows])


def _row(
    context: Context, run: RunRecord, summary: Mapping[str, Any], finished_at: datetime | None
) -> RunLogRow:
    first, last = run.data_window or (None, None)
    return RunLogRow(
        run=run.run_id,
        started_at=run.started_at,
        finished_at=finished_at,
        by=summary["by"],
        result="done",
        data_from=first,
        data_to=last,
        tasks_found=summary.get("tasks_found"),
        tasks_planned=summary.get("tasks_planned"),
        profit=summary.get("profit"),
        changes=tuple(summary["changed"]),
        seed=run.seed,
        version=run.code_version,
        map_path=(
            map_link(context.folder, context.address, run.run_id)
            if "tasks_planned" in summary
            else ""
        ),
    )
