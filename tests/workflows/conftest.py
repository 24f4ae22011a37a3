"""A small sample workspace, made once and copied for each test."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest

from fleetdesk.simulation.city import demo_city
from fleetdesk.workflows.demo import city_settings, run_demo
from fleetdesk.workflows.run import RunResult, run_workbook
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
    return make_city(tmp_path_factory.mktemp("made") / "city", vehicles=80, days=8)


def make_city(folder: Path, vehicles: int, days: int) -> Path:
    """A sample city that has been planned once, in a short search and without margins."""
    folder.mkdir()
    settings = city_settings(demo_city(vehicles=vehicles, days=days), seed=3)
    # What a vehicle earns itself pays for more visits in a city so small than the fleet's gain.
    # Its few tasks are soon routed; tests that look at error margins or search ask for more.
    changes = {
        "thresholds": {"roi_level": "scooter", "bootstrap_rounds": 0},
        "city": {"search_effort": 50},
    }
    quick = {name: getattr(settings, name).model_copy(update=new) for name, new in changes.items()}
    make_workbook(folder / "FleetDesk.xlsx", settings.model_copy(update=quick))
    run_demo(folder, seed=3, vehicles=vehicles, days=days, clock=Clock())
    return folder


@pytest.fixture
def workspace(made_workspace: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made_workspace, tmp_path / "my city"))


@dataclass(frozen=True)
class Ran:
    """The sample workspace after a second run, which saw another threshold."""

    path: Path
    before: bytes
    result: RunResult

    @property
    def folder(self) -> Path:
        return self.path.parent


@pytest.fixture(scope="session")
def made_run(made_workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = shutil.copytree(made_workspace, tmp_path_factory.mktemp("ran") / "city")
    path = folder / "FleetDesk.xlsx"
    edit(path, "Thresholds", "Low battery below", 60)
    before = path.read_bytes()
    return Ran(path, before, run_workbook(path, clock=Clock()))


@pytest.fixture
def ran(made_run: Ran, tmp_path: Path) -> Ran:
    folder = shutil.copytree(made_run.folder, tmp_path / "my city after a run")
    return replace(made_run, path=folder / made_run.path.name)


def edit(workbook: Path, sheet: str, label: str, value: object) -> None:
    """Change a setting as a planner does: find the label, type beside it, save."""
    edit_all(workbook, (sheet, label, value))


def edit_all(workbook: Path, *changes: tuple[str, str, object]) -> None:
    """Change several and save once: (sheet, label, value)."""
    book = openpyxl.load_workbook(workbook)
    for sheet, label, value in changes:
        cells = (cell for row in book[sheet].iter_rows() for cell in row)
        found = next((cell for cell in cells if cell.value == label), None)
        assert found, f"no setting {label!r} on {sheet!r}"
        book[sheet].cell(found.row, found.column + 1).value = value
    book.save(workbook)


def column(workbook: Path | BytesIO, sheet: str, header: str) -> list[object]:
    """The values below a header."""
    # Read only, the other sheets are left alone, and most of the time is theirs.
    book = openpyxl.load_workbook(workbook, read_only=True)
    try:
        rows = iter(book[sheet].iter_rows(values_only=True))
        place = next((row.index(header) for row in rows if header in row), None)
        assert place is not None, f"no column {header!r} on {sheet!r}"
        return [row[place] if place < len(row) else None for row in rows]
    finally:
        book.close()
