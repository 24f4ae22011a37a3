"""Undo for a workbook that is open in Excel."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleetdesk.errors import FleetDeskError
from fleetdesk.sheets.excel_app import PREFIX
from fleetdesk.sheets.excel_live import ExcelLive
from fleetdesk.store.base import RunRecord, RunState, Store
from fleetdesk.workflows.context import OUTPUTS_FOLDER, Clock, settle, store_of, utc_now


@dataclass(frozen=True)
class UndoneInExcel:
    """Which run was undone, and where the workbook as it was just now is kept."""

    workbook: str
    run_id: str
    kept: Path

    def as_dict(self) -> Mapping[str, Any]:
        """For the launcher and the command line."""
        return {
            "workbook": self.workbook,
            "undone": self.run_id,
            "kept": str(self.kept),
            "text": f"{self.workbook} is as it was before run {self.run_id}.\n"
            f"How it was until now is kept in {self.kept}",
        }


def undo_in_excel(name: str, folder: Path, *, clock: Clock = utc_now) -> UndoneInExcel:
    """Put the open workbook `name` back as it was before its last run, and take the run back.

    Refused when an input was changed since; Excel closes the workbook and opens it again.
    """
    with store_of(folder) as store, store.runs.lock(clock()):
        settle(folder, store, clock)
        run = last_run_in_excel(store, name)
        if run is None:
            raise FleetDeskError(
                "There is nothing to undo", found=f"no finished run of {name} in this workspace"
            )
        kept = ExcelLive(name, clock).put_back(run.after_sha or "")
        store.runs.undone(run.run_id, ended_at=clock())
        shutil.rmtree(folder / OUTPUTS_FOLDER / run.run_id, ignore_errors=True)
        return UndoneInExcel(name, run.run_id, kept)


def last_run_in_excel(store: Store, name: str) -> RunRecord | None:
    """The latest finished run that wrote into this workbook while it was open in Excel."""
    runs = [run for run in store.runs.list() if run.state is RunState.FINISHED]
    return next((run for run in reversed(runs) if run.workbook == PREFIX + name), None)
