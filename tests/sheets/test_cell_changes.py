"""Single cells are changed as a planner would, and nothing else of the workbook."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from pathlib import Path

import openpyxl
import pytest
from sheet_books import raw_members

from fleetdesk.errors import WorkbookRefused
from fleetdesk.settings.schema import Settings
from fleetdesk.settings.template import templates_for
from fleetdesk.sheets.base import CellStyle, ResultColumn, ResultSheet
from fleetdesk.sheets.cell_changes import CellChange, change_cells, formula_cells
from fleetdesk.sheets.plain_xlsx import write_results
from fleetdesk.sheets.template_xlsx import write_template
from fleetdesk.sheets.xlsx_file import XlsxFile


def now() -> datetime:
    return datetime(2026, 6, 1, 8, 0, tzinfo=UTC)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "FleetDesk.xlsx"
    write_template(path, templates_for(Settings()))
    return path


def change(path: Path, *changes: CellChange) -> None:
    change_cells(path, changes, XlsxFile(path).snapshot().fingerprint, now)


def place_of(path: Path, sheet: str, text: str) -> str:
    for row in openpyxl.load_workbook(path)[sheet].iter_rows():
        for cell in row:
            if cell.value == text:
                return str(cell.coordinate)
    raise AssertionError(f"no {text} on {sheet}")


def test_values_of_every_kind_are_read_back_as_they_were_typed(book: Path) -> None:
    day = f"B{place_of(book, 'City', 'Day to plan')[1:]}"
    clock = f"B{place_of(book, 'City', 'Fleet as of')[1:]}"
    change(
        book,
        CellChange("City", "B5", "Λάρισα & <Πύργος>"),
        CellChange("City", day, date(2026, 6, 20)),
        CellChange("City", clock, time(14, 30)),
        CellChange("Weights", "B5", 0.125),
    )
    page = openpyxl.load_workbook(book)
    assert page["City"]["B5"].value == "Λάρισα & <Πύργος>"
    assert page["City"][day].value == datetime(2026, 6, 20)
    assert page["City"][clock].value == time(14, 30)
    assert page["Weights"]["B5"].value == 0.125


def test_only_the_sheet_with_the_cell_changes_and_a_backup_is_kept(book: Path) -> None:
    before, old = raw_members(book), book.read_bytes()
    change(book, CellChange("Weights", "B5", 0.5))
    after = raw_members(book)
    changed = {name for name in after if after[name] != before.get(name)}
    assert len([name for name in changed if "worksheets/" in name]) == 1
    assert changed <= {"xl/workbook.xml", *(n for n in changed if "worksheets/" in n)}
    (backup,) = (book.parent / "backups").iterdir()
    assert backup.read_bytes() == old


def test_the_look_of_the_cell_stays(book: Path) -> None:
    look = openpyxl.load_workbook(book)["Weights"]["B5"].style_id
    change(book, CellChange("Weights", "B5", 0.5))
    assert openpyxl.load_workbook(book)["Weights"]["B5"].style_id == look


def test_a_row_below_a_list_is_taken_into_its_table(book: Path) -> None:
    table = openpyxl.load_workbook(book)["Parkings"].tables["Parkings"].ref
    bottom = int(table.split(":")[1][1:])
    change(
        book,
        CellChange("Parkings", f"A{bottom + 1}", "P-new"),
        CellChange("Parkings", f"B{bottom + 1}", "Πλατεία"),
    )
    page = openpyxl.load_workbook(book)["Parkings"]
    assert page[f"A{bottom + 1}"].value == "P-new"
    assert page.tables["Parkings"].ref.endswith(str(bottom + 1))


def test_an_emptied_cell_is_empty(book: Path) -> None:
    change(book, CellChange("Weights", "B5", None))
    assert openpyxl.load_workbook(book)["Weights"]["B5"].value is None


def test_a_formula_is_the_planners_own(book: Path) -> None:
    page = openpyxl.load_workbook(book)
    page["Weights"]["B5"] = "=1/4"
    page.save(book)
    found = formula_cells(book, ["Weights", "Nowhere"])
    assert "B5" in found["Weights"] and "B6" not in found["Weights"]
    assert found["Nowhere"] == frozenset()
    before = book.read_bytes()
    with pytest.raises(WorkbookRefused, match="formula"):
        change(book, CellChange("Weights", "B5", 0.5))
    assert book.read_bytes() == before


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ([CellChange("Nowhere", "B5", 1)], "no such sheet"),
        ([CellChange("Weights", "B", 1)], "no cell"),
    ],
)
def test_what_is_not_there_is_refused(book: Path, changes: list[CellChange], words: str) -> None:
    before = book.read_bytes()
    with pytest.raises(WorkbookRefused, match=words):
        change(book, *changes)
    assert book.read_bytes() == before


def test_a_protected_sheet_and_one_changed_meanwhile_are_refused(book: Path) -> None:
    with pytest.raises(WorkbookRefused, match="changed while"):
        change_cells(book, [CellChange("Weights", "B5", 0.5)], "another", now)
    page = openpyxl.load_workbook(book)
    page["Weights"].protection.sheet = True
    page.save(book)
    with pytest.raises(WorkbookRefused, match="protected"):
        change(book, CellChange("Weights", "B5", 0.5))


def test_results_are_passed_on_as_values_that_cannot_become_formulas(tmp_path: Path) -> None:
    path = tmp_path / "out.xlsx"
    sheet = ResultSheet(
        "Tasks/1", "Tasks", "One line.", "Tasks",
        (ResultColumn("Task"), ResultColumn("Worth (EUR)", CellStyle.MONEY)),
        [("=1+1", 2.5), ("Ναι", None)],
    )  # fmt: skip
    write_results(path, [sheet])
    page = openpyxl.load_workbook(path)["Tasks 1"]
    assert [cell.value for cell in page[4]] == ["Task", "Worth (EUR)"]
    assert page["A5"].value == "=1+1" and page["A5"].data_type == "s"
    assert page["B5"].value == 2.5 and page["A6"].value == "Ναι"
