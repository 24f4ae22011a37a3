"""Settings entered from the command line: all or none, checked before anything is written."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest

from fleetdesk.errors import FleetDeskError, SettingsInvalid
from fleetdesk.settings.reading import read_settings
from fleetdesk.settings.schema import Settings
from fleetdesk.settings.template import templates_for
from fleetdesk.sheets.template_xlsx import write_template
from fleetdesk.sheets.xlsx_file import XlsxFile
from fleetdesk.workflows.set_cells import set_cells


def now() -> datetime:
    return datetime(2026, 6, 1, 8, 0, tzinfo=UTC)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "FleetDesk.xlsx"
    write_template(path, templates_for(Settings()))
    return path


def test_settings_go_into_their_cells_and_are_told(book: Path) -> None:
    done = set_cells(
        str(book),
        ["Weights: Low battery=0.5", "city: city=Λάρισα", "City: Day to plan=2026-06-20",
         "Thresholds: Fill parkings below minimum=no"],
        clock=now,
    )  # fmt: skip
    assert done.changes[0] == "Weights: Low battery: 0.35 -> 0.5"
    assert done.changes[2] == "City: Day to plan: empty -> 2026-06-20"
    settings = read_settings(XlsxFile(book).snapshot()).settings
    assert settings.weights.low_battery == 0.5 and settings.city.name == "Λάρισα"
    assert f"{settings.city.plan_day}" == "2026-06-20"
    assert not settings.thresholds.fill_parkings
    assert Path(done.backup).is_file()
    set_cells(str(book), ["City: Day to plan="], clock=now)
    assert read_settings(XlsxFile(book).snapshot()).settings.city.plan_day is None


def test_a_text_of_digits_stays_as_it_was_typed(book: Path) -> None:
    done = set_cells(str(book), ["Mail: User=00123", "City: Random seed=007"], clock=now)
    assert done.changes[0] == "Mail: User: empty -> 00123"
    settings = read_settings(XlsxFile(book).snapshot()).settings
    assert (settings.mail.user, settings.city.seed) == ("00123", 7)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("Weights: Low battery", "not of the form"),
        ("Nowhere: Low battery=1", "no sheet 'Nowhere'"),
        ("Weights: High battery=1", "has no 'High battery'"),
        ("Weights: Low battery=much", "is text"),
        ("Parkings: Name=x", "no sheet 'Parkings' of single settings"),
    ],
)
def test_what_cannot_be_entered_is_said_and_nothing_is_written(
    book: Path, change: str, words: str
) -> None:
    before = book.read_bytes()
    with pytest.raises(FleetDeskError) as said:
        set_cells(str(book), ["City: Random seed=7", change], clock=now)
    assert words in str(said.value) or "is not" in str(said.value)
    assert book.read_bytes() == before


def test_a_value_out_of_bounds_names_its_cell_and_is_not_written(book: Path) -> None:
    before = book.read_bytes()
    with pytest.raises(SettingsInvalid) as said:
        set_cells(str(book), ["Weights: Low battery=7"], clock=now)
    assert said.value.problems[0].sheet == "Weights"
    assert book.read_bytes() == before and openpyxl.load_workbook(book)
