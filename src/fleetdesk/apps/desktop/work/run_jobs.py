"""Runs: do one, take the last one back, list them and compare two."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fleetdesk.apps.desktop.work.jobs import OnProgress
from fleetdesk.apps.desktop.work.shapes import Difference, Question, Run, TrialRow, Trials
from fleetdesk.settings import secrets
from fleetdesk.settings.flatten import Change
from fleetdesk.settings.reading import read_settings
from fleetdesk.sheets.open import open_workbook
from fleetdesk.store.base import RunRecord, RunState
from fleetdesk.workflows.context import (
    MAP_NAME,
    OUTPUTS_FOLDER,
    STORE_FOLDER,
    fingerprint,
    recorded,
    store_of,
)


def run(on_progress: OnProgress, *, workbook: str, only: Sequence[str] = ()) -> dict[str, Any]:
    """Answer the workbook's questions, or only those named."""
    from fleetdesk.workflows.run import run_workbook

    return dict(run_workbook(workbook, only=only, on_progress=on_progress).as_dict())


def undo(_: OnProgress, *, workbook: str, anyway: bool = False) -> str:
    """Put the workbook back as it was before its last run; says so."""
    from fleetdesk.workflows.undo import undo_run

    return str(undo_run(Path(workbook), anyway=anyway).as_dict()["text"])


def history(_: OnProgress, *, workbook: str) -> tuple[Run, ...]:
    """The workspace's runs, the newest first."""
    path = Path(workbook)
    if not (path.parent / STORE_FOLDER).is_dir():
        return ()
    with store_of(path.parent) as store:
        runs = store.runs.list()
        last = store.runs.last_published(recorded(str(path), path.parent))
        can_undo = last is not None and path.exists() and fingerprint(workbook) is not None
        return tuple(
            shown(run, path.parent, can_undo and last is not None and run.run_id == last.run_id)
            for run in reversed(runs)
        )


def shown(run: RunRecord, folder: Path, can_undo: bool = False) -> Run:
    """A run of the ledger as the window shows it."""
    facts = run.summary
    headline = ""
    if "tasks_planned" in facts:
        noun = "route" if facts["routes"] == 1 else "routes"
        headline = (
            f"{facts['tasks_planned']} of {facts['tasks_found']} tasks on {facts['routes']} "
            f"{noun}, profit {facts['profit']:.2f} {facts['currency']}"
        )
    elif "mailed" in facts:
        headline = f"Mailed: {', '.join(facts['mailed']) or 'nobody'}"
    page = folder / OUTPUTS_FOLDER / run.run_id / MAP_NAME
    took = (run.ended_at - run.started_at).total_seconds() if run.ended_at else None
    return Run(
        run.run_id, run.state.value, run.started_at, took, headline, run.reason,
        str(page) if page.is_file() and run.state is RunState.FINISHED else "", can_undo,
    )  # fmt: skip


def diff(_: OnProgress, *, workbook: str, old: str, new: str) -> Difference:
    """What differs between two finished runs."""
    from fleetdesk.workflows.kept_results import diff_runs

    found = diff_runs(Path(workbook).parent, old, new)
    return Difference(
        found.old.run_id, found.new.run_id,
        _rows(found.settings), _rows(found.figures), _rows(found.tasks),
    )  # fmt: skip


def questions(_: OnProgress, *, workbook: str) -> tuple[Question, ...]:
    """All questions, and which of them the workbook asks."""
    from fleetdesk.model.analyses import ANALYSES

    settings = read_settings(open_workbook(workbook, secrets.reveal).snapshot()).settings
    return tuple(
        Question(
            known.name, known.title, known.question, known.group.value,
            bool(getattr(settings.questions, known.name)),
        )
        for known in ANALYSES
        if not known.action
    )  # fmt: skip


def sandbox(on_progress: OnProgress, *, workbook: str, thresholds: Sequence[int]) -> Trials:
    """What thresholds of charge would have meant on past days; nothing is written."""
    from fleetdesk.workflows.sandbox import sandbox as trial

    values = ",".join(str(value) for value in thresholds)
    found = trial(workbook, (f"Thresholds: Low battery below={values}",), on_progress=on_progress)
    rows = [
        TrialRow(
            name, getattr(one, "threshold_pct", None), one.swaps, one.roi, one.crew_h,
            one.missed_rides, one.cost_per_revenue_pct,
        )
        for name, one in found.trials
    ]  # fmt: skip
    return Trials(tuple(rows), found.days, found.roi_name, found.currency)


def _rows(found: Sequence[Change]) -> tuple[tuple[str, str, str], ...]:
    return tuple((change.key, _text(change.old), _text(change.new)) for change in found)


def _text(value: object) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
