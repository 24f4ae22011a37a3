"""A small sample workspace, made once and copied for each test."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest

from fleetdesk.simulation.city import demo_city
from fleetdesk.workflows.demo import city_settings, run_demo
from fleetdesk.workflows.workspace import make_workbook

START = datetime(2026, 6, 16, 20, 0, tzinfo=UTC)


class Clock:
    """A clock that moves one second at each look."""

    def __init__(self, start: datetime = START) -> None:
        self.now = start

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture(scope="session")
def made_workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "city"
    folder.mkdir()
    settings = city_settings(demo_city(vehicles=80, days=8), seed=3)
    # What a vehicle earns itself pays for more visits in a city so small than the fleet's gain.
    # Its few tasks are soon routed; tests that look at error margins or search ask for more.
    changes = {
        "thresholds": {"roi_level": "scooter", "bootstrap_rounds": 0},
        "city": {"search_effort": 50},
    }
    quick = {name: getattr(settings, name).model_copy(update=new) for name, new in changes.items()}
    make_workbook(folder / "FleetDesk.xlsx", settings.model_copy(update=quick))
    run_demo(folder, seed=3, vehicles=80, days=8, clock=Clock())
    return folder


@pytest.fixture
def workspace(made_workspace: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made_workspace, tmp_path / "my city"))


def edit(workbook: Path, sheet: str, label: str, value: object) -> None:
    """Change a setting as a planner does: find the label, type beside it, save."""
    book = openpyxl.load_workbook(workbook)
    page = book[sheet]
    for row in page.iter_rows():
        for cell in row:
            if cell.value == label:
                page.cell(cell.row, cell.column + 1).value = value
                book.save(workbook)
                return
    raise AssertionError(f"no setting {label!r} on {sheet!r}")


def column(workbook: Path | BytesIO, sheet: str, header: str) -> list[object]:
    """The values below a header."""
    book = openpyxl.load_workbook(workbook)
    for row in book[sheet].iter_rows():
        for cell in row:
            if cell.value == header:
                below = book[sheet].iter_rows(
                    min_row=cell.row + 1, min_col=cell.column, max_col=cell.column, values_only=True
                )
                return [value for (value,) in below]
    raise AssertionError(f"no column {header!r} on {sheet!r}")
