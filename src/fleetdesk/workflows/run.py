"""`fleetdesk run` and `fleetdesk check`: read the workbook, answer its questions, publish."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from fleetdesk import __version__
from fleetdesk.errors import FleetDeskError, NotEnoughData, Problem
from fleetdesk.model.analysis import Analysis
from fleetdesk.model.findings import Finding
from fleetdesk.settings import secrets
from fleetdesk.settings.flatten import flatten
from fleetdesk.settings.reading import Reading, read_settings
from fleetdesk.sheets.base import Snapshot
from fleetdesk.sheets.open import open_workbook
from fleetdesk.store.base import RunState
from fleetdesk.store.duckdb_store import open_store
from fleetdesk.workflows.catalog import acted, answers, asked
from fleetdesk.workflows.context import (
    MAP_NAME,
    STORE_FOLDER,
    Clock,
    Context,
    locate,
    open_context,
    settle,
    utc_now,
)
from fleetdesk.workflows.known import known
from fleetdesk.workflows.migrate_workbook import plan_migration
from fleetdesk.workflows.progress import OnProgress, part, silent
from fleetdesk.workflows.publish import Published, publish, withdraw
from fleetdesk.workflows.route_edits import edits_on


@dataclass(frozen=True)
class RunResult:
    """What a run did, for the command line."""

    workbook: str
    published: Published
    headlines: tuple[str, ...]
    warnings: tuple[Problem, ...]
    added_settings: tuple[str, ...] = ()

    def as_dict(self) -> Mapping[str, Any]:
        """Figures, paths and a text for people; the exit code tells of routes not mailed."""
        done = self.published
        return {
            "workbook": self.workbook,
            "run": done.run_id,
            "files": [str(path) for path in done.files],
            "backup": done.backup,
            **done.summary,
            "changed": list(done.changed),
            "added_settings": list(self.added_settings),
            "warnings": [str(warning) for warning in self.warnings],
            "exit_code": 1 if done.summary.get("not_mailed") else 0,
            "text": self._text(),
        }

    def _text(self) -> str:
        done = self.published
        lines = [
            *self.headlines,
            *(f"Changed since the last run: {change}" for change in done.changed),
            *(f"Note: {warning}" for warning in self.warnings),
            f"Workbook  {self.workbook}",
            *_places(done.files),
        ]
        if self.added_settings:
            lines.append(f"Backup    {done.backup}")
        return "\n".join(lines)


@dataclass(frozen=True)
class CheckResult:
    """A workbook whose settings can be used, with what is worth a look."""

    workbook: str
    warnings: tuple[Problem, ...]

    def as_dict(self) -> Mapping[str, Any]:
        """For the command line."""
        lines = [f"{self.workbook}: all settings can be used."]
        lines += [f"Note: {warning}" for warning in self.warnings]
        return {
            "workbook": self.workbook,
            "warnings": [asdict(warning) for warning in self.warnings],
            "text": "\n".join(lines),
        }


def run_workbook(
    address: str | Path,
    *,
    only: Sequence[str] = (),
    options: Mapping[str, Any] = MappingProxyType({}),
    folder: Path | None = None,
    clock: Clock = utc_now,
    on_progress: OnProgress = silent,
) -> RunResult:
    """Answer the workbook's questions (or `only` those named) and write the results into it.

    All or nothing: on any error workbook and store stay as they were. Actions come in a run of
    their own after the answers are published; `options` are theirs. When that run fails, the
    answers stay published.
    """
    on_progress("Reading the workbook", 0.0)
    with open_context(str(address), folder, clock) as context:
        analyses = asked(context.settings, only)
        actions = [known for known in analyses if known.action]
        questions = [known for known in analyses if not known.action]
        both = bool(actions and questions)
        share = part(on_progress, 0.0, 0.9) if both else on_progress
        result = _run(context, questions or actions, options, share)
    if both:
        with open_context(str(address), folder, clock) as context:
            then = _run(context, actions, options, part(on_progress, 0.9, 1.0))
            result = _together(result, then)
    on_progress("Done", 1.0)
    return result


def _together(result: RunResult, then: RunResult) -> RunResult:
    """The answers' run with what the actions' run added to it; both tell of the same settings."""
    first, second = result.published, then.published
    questions = [*first.summary["questions"], *second.summary["questions"]]
    published = replace(
        first,
        files=(*first.files, *second.files),
        summary={**second.summary, **first.summary, "questions": questions},
        fingerprint=second.fingerprint,
    )
    return replace(
        result,
        published=published,
        headlines=(*result.headlines, *then.headlines),
        warnings=tuple(dict.fromkeys((*result.warnings, *then.warnings))),
    )


def _run(
    context: Context,
    analyses: Sequence[Analysis],
    options: Mapping[str, Any],
    on_progress: OnProgress,
) -> RunResult:
    run_id = _begin(context)
    try:
        findings: Sequence[Finding] = ()
        if analyses[0].action:
            found = acted(context, analyses, options, part(on_progress, 0.1, 0.9))
        else:
            on_progress("Reading the records", 0.05)
            record = known(context.store, context.settings)
            found = answers(context, record, analyses, part(on_progress, 0.1, 0.9))
            findings = record.findings
        on_progress("Writing the results", 0.9)
        published = publish(context, run_id, analyses, found, findings)
    except BaseException as error:
        _close_after(error, context, run_id)
        raise
    return RunResult(
        workbook=context.address,
        published=published,
        headlines=tuple(answer.headline for answer in found),
        warnings=(
            *context.reading.warnings,
            *(note for answer in found for note in answer.notes),
        ),
        added_settings=context.migration.added,
    )


def check_workbook(address: str | Path, *, folder: Path | None = None) -> CheckResult:
    """Read and check the settings and the edits on Routes; nothing is written.

    SettingsInvalid names every problem of the settings; edits that cannot be used are warnings.
    """
    workbook = open_workbook(address, secrets.reveal)
    snapshot = workbook.snapshot()
    reading = read_settings(snapshot)
    warnings = plan_migration(workbook, reading, writing=False).warnings
    warnings = (*warnings, *_edit_problems(str(address), folder, snapshot, reading))
    return CheckResult(str(address), warnings)


def _edit_problems(
    address: str, folder: Path | None, snapshot: Snapshot, reading: Reading
) -> Sequence[Problem]:
    """What cannot be used of the planner's edits; nothing where no run has been made yet."""
    _, folder = locate(address, folder)
    if not (folder / STORE_FOLDER).is_dir():
        return ()
    with open_store(folder / STORE_FOLDER) as store:
        edits = edits_on(snapshot, reading.settings, store)
    return [problem for _, problem in edits.problems]


def _close_after(error: BaseException, context: Context, run_id: str) -> None:
    """Enter why a run ended early; one whose workbook was switched already is finished."""
    runs = context.store.runs
    state = next(run.state for run in runs.list() if run.run_id == run_id)
    # What goes wrong here is settled by the next command; the first error is the one to tell.
    with contextlib.suppress(FleetDeskError, OSError):
        if state is RunState.RUNNING:
            # First, for on a full disk the entry itself may need the room.
            withdraw(context, run_id)
            reason = str(error) or type(error).__name__
            runs.failed(run_id, ended_at=context.clock(), reason=reason)
        else:
            settle(context.folder, context.store, context.clock)


def _begin(context: Context) -> str:
    store, settings = context.store, context.settings
    window = store.data_window()
    if window is None:
        raise NotEnoughData(
            f"There are no records in {context.folder / 'store'}",
            found="no trips, events or sightings",
            fix="Bring some in with fleetdesk import",
        )
    started_at = context.clock()
    run_id = _free_id(f"{started_at:%Y%m%d-%H%M%S}", {run.run_id for run in store.runs.list()})
    store.runs.begin(
        run_id,
        started_at=started_at,
        settings_json=settings.model_dump_json(),
        settings_flat=flatten(settings),
        seed=settings.city.seed,
        code_version=__version__,
        generation=store.generation,
        data_window=window,
    )
    return run_id


def _places(files: Sequence[Path]) -> Iterator[str]:
    """Where the files are: the map by its name, several others by their folder."""
    folders: dict[Path, list[Path]] = {}
    for path in files:
        if path.name == MAP_NAME:
            yield f"Map       {path}"
        else:
            folders.setdefault(path.parent, []).append(path)
    for folder, inside in folders.items():
        yield f"File      {inside[0]}" if len(inside) == 1 else f"Files     {folder}"


def _free_id(wanted: str, taken: set[str]) -> str:
    run_id, number = wanted, 2
    while run_id in taken:
        run_id, number = f"{wanted}-{number}", number + 1
    return run_id
