"""`fleetdesk gc`: give back the room of what nobody needs any more."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fleetdesk.store.base import RunState, Store
from fleetdesk.workflows.context import (
    OUTPUTS_FOLDER,
    RAW_FOLDER,
    STORE_FOLDER,
    Clock,
    settle,
    store_of,
    utc_now,
)
from fleetdesk.workflows.disk import freed_by, in_words
from fleetdesk.workflows.model_places import newest_models

RUNS_KEPT = 50
RAW_KEPT = timedelta(days=90)
LEFT_BEHIND = timedelta(days=1)


@dataclass(frozen=True)
class Collected:
    """What was, or with `dry_run` would be, removed: kind -> names; `size` in bytes."""

    removed: Mapping[str, tuple[str, ...]]
    size: int
    dry_run: bool

    def as_dict(self) -> Mapping[str, Any]:
        """For the command line."""
        return {
            "removed": {kind: list(names) for kind, names in self.removed.items()},
            "bytes": self.size,
            "dry_run": self.dry_run,
            "text": self._text(),
        }

    def _text(self) -> str:
        verb = "Would remove" if self.dry_run else "Removed"
        lines = [
            f"{verb} {kind} ({len(names)}): {', '.join(names[:5])}{', ...' * (len(names) > 5)}"
            for kind, names in self.removed.items()
            if names
        ]
        if not lines:
            return "Nothing to remove."
        room = f"{in_words(self.size)} {'would be given' if self.dry_run else 'given'} back."
        return "\n".join([*lines, room])


def collect_garbage(
    folder: Path,
    *,
    dry_run: bool = False,
    runs_kept: int = RUNS_KEPT,
    raw_kept: timedelta = RAW_KEPT,
    clock: Clock = utc_now,
) -> Collected:
    """Remove old generations, results and maps of all but the last `runs_kept` runs and those with
    the newest models, and raw answers older than `raw_kept`.

    The records themselves, the ledger, the workbook and its backups are never touched. The raw
    answers' rows are in the store.
    """
    with store_of(folder, clock=clock) as store, store.runs.lock(clock()):
        if not dry_run:
            settle(folder, store, clock)
        local = {
            "results and maps of old runs": list(_old_outputs(folder, store, runs_kept)),
            "raw answers": list(_older(folder / RAW_FOLDER, clock() - raw_kept)),
            "leftovers of crashes": list(_leftovers(folder / STORE_FOLDER, clock() - LEFT_BEHIND)),
        }
        in_store = store.collect_garbage(dry_run=True)
        paths = [*(folder / STORE_FOLDER / name for name in in_store),
                 *(path for kind in local.values() for path in kind)]  # fmt: skip
        size = freed_by(paths)
        if not dry_run:
            old_runs = _old_runs(folder, store, runs_kept)
            in_store = store.collect_garbage()
            for run_id in old_runs:
                store.runs.drop_results(run_id)
            _remove(path for kind in local.values() for path in kind)
            _remove_empty(folder / RAW_FOLDER)
    unseen = tuple(sorted(name for name in in_store if name.startswith("runs/")))
    removed = {
        "old generations": tuple(sorted(set(in_store).difference(unseen))),
        "results of runs that came to nothing": unseen,
    }
    for kind, found in local.items():
        removed[kind] = tuple(path.relative_to(folder).as_posix() for path in found)
    return Collected(removed, size, dry_run)


def _old_runs(folder: Path, store: Store, kept: int) -> list[str]:
    """Finished runs before the last `kept`, without those whose models are still in use."""
    finished = [run.run_id for run in store.runs.list() if run.state is RunState.FINISHED]
    in_use = {place.parents[1].name for place in newest_models(folder, finished).values()}
    return [run for run in finished[: max(0, len(finished) - kept)] if run not in in_use]


def _old_outputs(folder: Path, store: Store, kept: int) -> Iterator[Path]:
    """The folders of old runs, and those of maps whose run came to nothing."""
    old = set(_old_runs(folder, store, kept))
    states = {run.run_id: run.state for run in store.runs.list()}
    open_or_shown = (RunState.RUNNING, RunState.PUBLISHING, RunState.FINISHED)
    for path in sorted((folder / OUTPUTS_FOLDER).glob("*")):
        state = states.get(path.name)
        if path.name in old or (state is not None and state not in open_or_shown):
            yield path
    for run_id in sorted(old):
        path = folder / STORE_FOLDER / "runs" / run_id
        if path.exists():
            yield path


def _older(folder: Path, limit: datetime) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and _changed_at(path) < limit:
            yield path


def _leftovers(store: Path, limit: datetime) -> Iterator[Path]:
    """Files that were being written when something died; generations clear theirs themselves."""
    for path in sorted([*store.glob("*.tmp"), *store.glob("runs/*/*.tmp")]):
        if path.is_file() and _changed_at(path) < limit:
            yield path


def _changed_at(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _remove_empty(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
