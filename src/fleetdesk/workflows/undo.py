"""`fleetdesk undo`: put the workbook back as it was before the last run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleetdesk.errors import FleetDeskError, WorkbookRefused
from fleetdesk.sheets.excel_app import PREFIX
from fleetdesk.sheets.file_switch import restore
from fleetdesk.workflows.context import (
    Clock,
    fingerprint,
    is_file,
    locate,
    recorded,
    settle,
    store_of,
    utc_now,
)
from fleetdesk.workflows.undo_excel import UndoneInExcel, undo_in_excel


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
            "text": f"{self.workbook.name} is as it was before run {self.run_id}."
            + (f"\nHow it was until now is kept in {self.kept}" if self.kept else ""),
        }


def undo_anywhere(
    address: str, *, folder: Path | None = None, anyway: bool = False, clock: Clock = utc_now
) -> Undone | UndoneInExcel:
    """Undo the last run of a file or of a workbook that is open in Excel."""
    if is_file(address):
        return undo_run(Path(address), folder=folder, anyway=anyway, clock=clock)
    if address.startswith(PREFIX):
        address, folder = locate(address, folder)
        return undo_in_excel(address.removeprefix(PREFIX), folder, clock=clock)
    raise FleetDeskError(
        "A Google Sheet keeps its own past", fix="Undo by File, Version history in Google Sheets"
    )


def undo_run(
    path: Path, *, folder: Path | None = None, anyway: bool = False, clock: Clock = utc_now
) -> Undone:
    """Restore the workbook byte for byte from the backup that the last run made.

    Edits made since that run would be lost from the workbook, so it is refused then unless
    `anyway`; either way the workbook as it is now is kept as a backup.
    """
    path = path.resolve()
    folder = folder or path.parent
    with store_of(folder, clock=clock) as store, store.runs.lock(clock()):
        settle(folder, store, clock)
        run = store.runs.last_published(recorded(str(path), folder))
        if run is None:
            raise FleetDeskError(
                "There is nothing to undo",
                found=f"no finished run of {path.name} in this workspace",
            )
        present = fingerprint(str(path))
        if present != run.after_sha and not anyway:
            raise WorkbookRefused(
                f"{path.name} was edited since run {run.run_id}; undo would take the edits back",
                found="the workbook is not as the run left it",
                fix="Add --anyway to undo all the same; the workbook as it is now is kept",
            )
        kept = restore(path, run.before_sha, present, clock)
        settle(folder, store, clock)
        return Undone(path, run.run_id, str(kept) if kept else "")
