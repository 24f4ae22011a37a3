"""Results as CSV that no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from fleetdesk.errors import FleetDeskError
from fleetdesk.settings.schema import Settings
from fleetdesk.workflows.catalog import asked
from fleetdesk.workflows.export import export_run
from fleetdesk.workflows.run_sheets import empty_sheets

from .conftest import column


def test_the_last_run_as_csv(made_workspace: Path, tmp_path: Path) -> None:
    exported = export_run(made_workspace, "last", tmp_path / "out")
    sheets = empty_sheets(Settings(), asked(Settings()))
    names = [sheet.sheet for sheet in sheets if sheet.sheet != "Run log"]
    assert [path.name for path in exported.files] == [f"{name}.csv" for name in names]
    with (tmp_path / "out" / "Tasks.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    shown = column(made_workspace / "FleetDesk.xlsx", "Tasks", "Task")
    assert [row["Task"] for row in rows] == shown
    assert all(not row["Why it is here"].startswith(("=", "+", "@")) for row in rows)


def test_an_unknown_run_is_a_sentence(made_workspace: Path, tmp_path: Path) -> None:
    with pytest.raises(FleetDeskError, match="no finished run"):
        export_run(made_workspace, "yesterday", tmp_path)
