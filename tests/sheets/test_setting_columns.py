"""New settings of a list stand as columns at its right, and nothing of the planner's moves."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from fleetdesk.model.sheet_template import SheetTemplate
from fleetdesk.settings.reading import read_settings
from fleetdesk.settings.schema import SHEET_ORDER, Settings
from fleetdesk.settings.starter import starter_settings
from fleetdesk.settings.template import templates_for
from fleetdesk.sheets.base import WritePlan
from fleetdesk.sheets.template_xlsx import write_template
from fleetdesk.sheets.xlsx_file import XlsxFile

NEW = ("active", "shift_end", "speed_kmh")


def workers(settings: Settings) -> SheetTemplate:
    return templates_for(settings).sheets[SHEET_ORDER.index("workers")]


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A workbook whose list of workers lacks three columns, with notes of the planner's beside."""
    settings = starter_settings()
    template = templates_for(settings)
    sheet = workers(settings)
    keys = {entry.key for entry in sheet.inputs if entry.key not in NEW}
    sheets = tuple(sheet.only(keys) if s == sheet else s for s in template.sheets)
    path = tmp_path / "FleetDesk.xlsx"
    write_template(path, replace(template, sheets=sheets))
    return path


def add(path: Path) -> None:
    book = XlsxFile(path)
    new = workers(starter_settings()).only(NEW)
    book.commit(WritePlan((), new_settings=(new,)), book.snapshot([]).fingerprint)


def parts(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def right_of(path: Path) -> int:
    page = openpyxl.load_workbook(path)["Workers & vans"]
    return page[page.tables["Workers"].ref][0][-1].column


def test_the_settings_are_read_as_if_they_had_always_been_there(old: Path) -> None:
    add(old)
    assert read_settings(XlsxFile(old).snapshot()).settings.workers[0].speed_kmh == 25
    page = openpyxl.load_workbook(old)["Workers & vans"]
    heads = [cell.value for cell in page[page.tables["Workers"].ref][0]]
    assert heads[-3:] == ["Working", "Shift ends", "Driving speed (km/h)"]
    assert heads == [column.name for column in page.tables["Workers"].tableColumns]
    first = page[page.tables["Workers"].ref][1]
    assert [cell.value for cell in first[-3:]][::2] == ["yes", 25]
    assert first[-2].number_format == "hh:mm" and f"{first[-2].value:%H:%M}" == "16:00"


def test_what_may_be_typed_is_said_for_the_new_columns(old: Path) -> None:
    before = openpyxl.load_workbook(old)["Workers & vans"].data_validations.count
    add(old)
    rules = openpyxl.load_workbook(old)["Workers & vans"].data_validations
    assert rules.count == before + 3
    assert rules.dataValidation[-3].type == "list"


def test_only_the_sheet_and_its_table_change(old: Path) -> None:
    before = parts(old)
    add(old)
    after = parts(old)
    changed = {name for name in before if before[name] != after[name]}
    assert sum(n.startswith("xl/worksheets/sheet") for n in changed) == 1
    assert sum(n.startswith("xl/tables/") for n in changed) == 1


def test_cells_farther_right_and_below_stay(old: Path) -> None:
    book = openpyxl.load_workbook(old)
    page = book["Workers & vans"]
    far = right_of(old) + 6
    page.cell(5, far).value, page.cell(30, far - 5).value = "mine", "=SUM(A1:A2)"
    book.save(old)
    add(old)
    page = openpyxl.load_workbook(old)["Workers & vans"]
    assert page.cell(5, far).value == "mine" and page.cell(30, far - 5).value == "=SUM(A1:A2)"


def test_a_cell_in_the_way_is_named_and_nothing_is_added(old: Path) -> None:
    book = openpyxl.load_workbook(old)
    page = book["Workers & vans"]
    place = page.cell(6, right_of(old) + 2)
    place.value = "note"
    book.save(old)
    told = XlsxFile(old).obstacles((workers(starter_settings()).only(NEW),))
    assert told == {"Workers": f"{place.coordinate} is in use"}
