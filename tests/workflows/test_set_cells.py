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
    emptied = set_cells(str(book), ["City: Day to plan=", "Weights: Low battery="], clock=now)
    assert emptied.changes == (
        "City: Day to plan: 2026-06-20 -> empty",
        "Weights: Low battery: 0.5 -> empty, so the default 0.35 counts",
    )
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
        ("Weigths: Low battery=1", "Did you mean 'Weights'?"),
        ("Weights: Low batery=1", "Did you mean 'Low battery'?"),
        ("Weights: Colour=1", "Known are Low battery, "),
        ("Weights: Low battery=much", "'much' is not a number. Enter a number from 0 to 1."),
        (
            "Weights: Low battery=0,5",
            "is text with a decimal comma, not a number. Enter a number "
            "from 0 to 1, decimals with a point.",
        ),
        ("City: Day to plan=20/6/2026", "'20/6/2026' is not a date. Enter a date from 2000 to "),
        ("Parkings: Name=x", "Parkings is a table. Edit its rows in the workbook"),
        ("Workers: Name=x", "Workers & vans is a table."),
        ("Costs: Unlock price=1", "Did you mean 'Costs & prices'?"),
    ],
)
def test_what_cannot_be_entered_is_said_and_nothing_is_written(
    book: Path, change: str, words: str
) -> None:
    before = book.read_bytes()
    with pytest.raises(FleetDeskError) as said:
        set_cells(str(book), ["City: Random seed=7", change], clock=now)
    assert words in str(said.value)
    assert book.read_bytes() == before


def test_a_value_out_of_bounds_names_its_cell_and_is_not_written(book: Path) -> None:
    before = book.read_bytes()
    with pytest.raises(SettingsInvalid) as said:
        set_cells(str(book), ["Weights: Low battery=7"], clock=now)
    assert said.value.problems[0].sheet == "Weights"
    assert book.read_bytes() == before and openpyxl.load_workbook(book)


def test_a_broken_workbook_is_mended_one_cell_at_a_time(book: Path) -> None:
    page = openpyxl.load_workbook(book)
    cells = {row[0].value: row[1] for row in page["Weights"].iter_rows()}
    cells["Low battery"].value, cells["Idle time"].value = "much", 9
    page.save(book)
    with pytest.raises(SettingsInvalid) as said:
        set_cells(str(book), ["City: Random seed=-1"], clock=now)
    assert [wrong.sheet for wrong in said.value.problems] == ["City"]
    done = set_cells(str(book), ["Weights: Low battery=0.5"], clock=now)
    assert done.changes == ("Weights: Low battery: 'much' -> 0.5",)
    (left,) = done.still_wrong
    assert left.found == "9" and f"Still to mend: {left}" in str(done.as_dict()["text"])
    assert not set_cells(str(book), ["Weights: Idle time=0.1"], clock=now).still_wrong
