"""Bring a run's answers to the planner: files, result sheets and ledger, all or nothing.

The order makes a crash harmless. Files are written where nobody looks yet; the ledger notes which
workbook is about to be replaced by which; the workbook is replaced in one step; the ledger closes
the run. Whatever was cut off is settled when the workspace is next opened.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleetdesk.model.analysis import Analysis
from fleetdesk.model.findings import Finding
from fleetdesk.settings.flatten import changes, flatten
from fleetdesk.sheets.base import WritePlan
from fleetdesk.workflows.catalog import Answer
from fleetdesk.workflows.context import OUTPUTS_FOLDER, Context, recorded, who
from fleetdesk.workflows.kept_results import keep_results
from fleetdesk.workflows.run_sheets import log_sheet, run_sheets


@dataclass(frozen=True)
class Published:
    """Where the results are; `summary` holds the figures that the ledger keeps."""

    run_id: str
    files: tuple[Path, ...]
    backup: str
    changed: tuple[str, ...]
    summary: Mapping[str, Any]
    fingerprint: str


def publish(
    context: Context,
    run_id: str,
    asked: Sequence[Analysis],
    found: Sequence[Answer],
    findings: Sequence[Finding],
) -> Published:
    """Write the answers' files and sheets; when it raises, the workbook is as it was.

    Actions leave the sheets about the records as the run before them wrote those.
    """
    runs = context.store.runs
    summary = summarise(context, asked, found)
    changed = changed_settings(context)
    files = _write_files(context.folder / OUTPUTS_FOLDER / run_id, found)
    finished_at = context.clock()
    notes = [note for answer in found for note in answer.notes]
    sheets = (
        *(sheet for answer in found for sheet in answer.sheets),
        *(() if all(known.action for known in asked) else run_sheets(context, notes, findings)),
    )
    log = log_sheet(context, run_id, summary, finished_at)
    keep_results(context.store, run_id, sheets)
    migration = context.migration
    plan = WritePlan(
        (*sheets, log), migration.additions, migration.settings_schema, migration.sheets
    )
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
    return Published(run_id, files, receipt.backup, changed, summary, receipt.fingerprint)


def withdraw(context: Context, run_id: str) -> None:
    """Remove the files of a run that came to nothing."""
    shutil.rmtree(context.folder / OUTPUTS_FOLDER / run_id, ignore_errors=True)


def changed_settings(context: Context) -> tuple[str, ...]:
    """Old -> new of every setting against the last published run; nothing on the first."""
    last = context.store.runs.last_published(recorded(context.address, context.folder))
    if last is None:
        return ()
    return tuple(str(c) for c in changes(last.settings_flat, flatten(context.settings)))


def summarise(
    context: Context, asked: Sequence[Analysis], found: Sequence[Answer]
) -> dict[str, Any]:
    """The figures that the ledger, the command line and the run log show of a run."""
    facts: dict[str, Any] = {}
    for answer in found:
        facts |= answer.summary
    return facts | {
        "currency": context.settings.city.currency,
        "questions": [analysis.name for analysis in asked],
        "by": who(),
        "changed": list(changed_settings(context)),
    }


def _write_files(folder: Path, found: Sequence[Answer]) -> tuple[Path, ...]:
    files = {name: content for answer in found for name, content in answer.files.items()}
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
    return tuple(folder / name for name in files)
