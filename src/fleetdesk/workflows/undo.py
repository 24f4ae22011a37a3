"""`fleetdesk undo`: put the workbook back as it was before the last run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleetdesk.errors import FleetDeskError, WorkbookRefused
from fleetdesk.sheets.file_switch import restore
from fleetdesk.store.base import RunRecord
from fleetdesk.store.duckdb_store import open_store
from fleetdesk.workflows.context import STORE_FOLDER, Clock, fingerprint, recorded, settle, utc_now


@dataclass(frozen=True)
class Undone:
    """Which run was undone, and where the workbook as it was just now is kept."""

    workbook: Path
    run_id: str
    kept: str

    def as_dict(self) -> Mapping[str, Any]:
        """For the command line."""
        return {
            "workbook": str(self.workbook),
            "undone": self.run_id,
            "kept": self.kept,
            "text": f"{self.workbook.name} is as it was before run {self.run_id}.\n"
            f"How it was until now is kept in {self.kept}",
        }


def undo_run(path: Path, *, anyway: bool = False, clock: Clock = utc_now) -> Undone:
    """Restore the workbook byte for byte from the backup that the last run made.

    Edits made since that run would be lost from the workbook, so it is refused then unless
    `anyway`; either way the workbook as it is now is kept as a backup.
    """
    path = path.resolve()
    with open_store(path.parent / STORE_FOLDER) as store, store.runs.lock(clock()):
        settle(path.parent, store, clock)
        run = _last_run(store.runs.last_published(), path)
        present = fingerprint(str(path)) or ""
        if present != run.after_sha and not anyway:
            raise WorkbookRefused(
                f"{path.name} was edited since run {run.run_id}; undo would take the edits back",
                found="the workbook is not as the run left it",
                fix="Add --anyway to undo all the same; the workbook as it is now is kept",
            )
        kept = restore(path, run.before_sha, present, clock)
        settle(path.parent, store, clock)
        return Undone(path, run.run_id, str(kept))


def _last_run(run: RunRecord | None, path: Path) -> RunRecord:
    if run is None:
        raise FleetDeskError(
            "There is nothing to undo", found="no finished run in this workspace", fix=""
        )
    if run.workbook != recorded(str(path), path.parent):
        raise FleetDeskError(
            f"The last run wrote another workbook than {path.name}",
            found=run.workbook,
            fix="Name that workbook",
        )
    return run
