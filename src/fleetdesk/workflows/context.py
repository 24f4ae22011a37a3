"""What a run works with: the workbook and its settings, the store, the clock; built once."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fleetdesk.errors import WorkbookRefused
from fleetdesk.settings.reading import Reading, read_settings
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import Snapshot, Workbook
from fleetdesk.sheets.open import open_workbook
from fleetdesk.store.base import RunState, Store
from fleetdesk.store.duckdb_store import open_store

WORKBOOK_NAME = "FleetDesk.xlsx"
STORE_FOLDER = "store"
OUTPUTS_FOLDER = "outputs"
MAP_NAME = "route map.html"

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The machine's clock; the one place where it is read."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Context:
    """One run's surroundings; `snapshot` is the workbook as it was when the settings were read."""

    path: Path
    workbook: Workbook
    snapshot: Snapshot
    reading: Reading
    store: Store
    clock: Clock

    @property
    def settings(self) -> Settings:
        """The checked settings."""
        return self.reading.settings

    @property
    def folder(self) -> Path:
        """The workspace: the folder in which the workbook lies."""
        return self.path.parent


@contextmanager
def open_context(path: Path, clock: Clock) -> Iterator[Context]:
    """Read the workbook and hold the workspace for one run.

    What a crashed run left open is settled first, so that workbook and store agree.
    """
    workbook = open_workbook(path)
    snapshot = workbook.snapshot()
    reading = read_settings(snapshot)
    with open_store(path.parent / STORE_FOLDER) as store, store.runs.lock(clock()):
        settle(path.parent, store, clock)
        yield Context(path, workbook, snapshot, reading, store, clock)


def settle(folder: Path, store: Store, clock: Clock) -> None:
    """Finish or undo what was cut off, so that workbook, store and outputs agree."""
    for run in store.runs.recover(_fingerprint, at=clock()):
        if run.now is not RunState.FINISHED:
            shutil.rmtree(folder / OUTPUTS_FOLDER / run.run_id, ignore_errors=True)


def map_link(run_id: str) -> str:
    """Where a run's map is, seen from the workbook."""
    return f"{OUTPUTS_FOLDER}/{run_id}/{MAP_NAME}"


def workbook_in(folder: Path) -> Path:
    """The workspace's workbook: FleetDesk.xlsx, or the only workbook there."""
    if (folder / WORKBOOK_NAME).exists():
        return folder / WORKBOOK_NAME
    found = sorted(p for p in folder.glob("*.xlsx") if not p.name.startswith(("~", ".")))
    if len(found) == 1:
        return found[0]
    raise WorkbookRefused(
        f"There is no workbook {WORKBOOK_NAME} in {folder}",
        found=", ".join(p.name for p in found) or "no .xlsx file",
        fix="Name the workbook's path, or make a workspace with fleetdesk import or demo",
    )


def _fingerprint(path: Path) -> str:
    return open_workbook(path).snapshot(names=()).fingerprint
