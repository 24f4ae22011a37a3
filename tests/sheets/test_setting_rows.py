"""New settings go below their table where nothing is in the way, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.chart import BarChart, Reference
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.table import Table

from fleetdesk.errors import WorkbookRefused
from fleetdesk.model.sheet_template import (
    Input,
    InputKind,
    Layout,
    SheetTemplate,
    StartTemplate,
    WorkbookTemplate,
)
from fleetdesk.sheets.base import WritePlan
from fleetdesk.sheets.memory import MemoryWorkbook
from fleetdesk.sheets.template_xlsx import write_template
from fleetdesk.sheets.xlsx_file import XlsxFile

OLD = (
    Input("name", "City", InputKind.TEXT, "Its name.", "text"),
    Input("currency", "Currency", InputKind.TEXT, "Its code.", "three letters"),
    Input("days", "Days", InputKind.WHOLE, "How many.", "a whole number", low=1, high=9),
    Input("share", "Share", InputKind.NUMBER, "How much.", "a number", low=0, high=100),
)
NEW = (
    Input("pay", "Lowest pay", InputKind.NUMBER, "Per task.", "a number from 0 to 2000000",
          unit="money/h", low=0, high=2_000_000),
    Input("how", "Way & <means>", InputKind.CHOICE, "Which way. " * 12, "a or b",
          choices=("a", "b")),
    Input("on", "In use", InputKind.YES_NO, "no = not.", "yes or no"),
    Input("late", "Until", InputKind.TEXT, "Empty = open.", "text"),
)  # fmt: skip
NEW_ROWS = range(9, 13)
HEAD, LAST = 4, 8


def form(*inputs: Input) -> SheetTemplate:
    values = {"name": "Toy", "currency": "EUR", "days": 3, "share": 0.5,
              "pay": 2.5, "how": "b", "on": False, "late": ""}  # fmt: skip
    return SheetTemplate(
        "City & co", "City", "Where.", Layout.FORM, "City", inputs,
        (tuple(values[entry.key] for entry in inputs),), "EUR", (30.0, 20.0, 10.0, 60.0),
        "City_currency",
    )  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A workbook with the old settings."""
    start = StartTemplate("Start", "Toy", "Do.", (), "RunLog", ())
    write_template(tmp_path / "toy.xlsx", WorkbookTemplate(start, (form(*OLD),)))
    return tmp_path / "toy.xlsx"


def add(path: Path, new: SheetTemplate | None = None) -> None:
    book = XlsxFile(path)
    plan = WritePlan((), (new or form(*NEW),), 2)
    book.commit(plan, book.snapshot([]).fingerprint)


def change(path: Path, edit: Callable[[Any], None]) -> None:
    book = openpyxl.load_workbook(path)
    edit(book["City & co"])
    book.save(path)


def test_the_rows_are_those_a_new_workbook_would_have(path: Path, tmp_path: Path) -> None:
    add(path)
    start = StartTemplate("Start", "Toy", "Do.", (), "RunLog", ())
    fresh = tmp_path / "fresh.xlsx"
    write_template(fresh, WorkbookTemplate(start, (form(*OLD, *NEW),)))
    ours, theirs = (openpyxl.load_workbook(p)["City & co"] for p in (path, fresh))
    assert ours.tables["City"].ref == theirs.tables["City"].ref == "A4:D12"
    for row in NEW_ROWS:
        for column in range(1, 5):
            mine, wanted = ours.cell(row, column), theirs.cell(row, column)
            assert (mine.value or "") == (wanted.value or "")
            assert (mine.font.color.rgb, mine.font.b) == (wanted.font.color.rgb, wanted.font.b)
            assert mine.alignment.horizontal == wanted.alignment.horizontal
        height = theirs.row_dimensions[row].height
        assert ours.row_dimensions[row].height == pytest.approx(height, abs=0.5)  # whole pixels
    assert ours.dimensions == theirs.dimensions
    rules = [
        {str(rule.sqref): (rule.type, rule.formula1, rule.formula2, rule.prompt, rule.error,
                           rule.promptTitle, rule.errorTitle, rule.allow_blank)
         for rule in page.data_validations.dataValidation} for page in (ours, theirs)
    ]  # fmt: skip
    assert rules[0] == rules[1]
    names = [openpyxl.load_workbook(p).defined_names for p in (path, fresh)]
    assert {n: d.attr_text for n, d in names[0].items()} == {
        n: d.attr_text for n, d in names[1].items()
    }


def test_the_rows_are_read_back(path: Path) -> None:
    add(path)
    snapshot = XlsxFile(path).snapshot()
    cells = snapshot.sheets["City & co"].cells
    assert [cells.get((row, 2)) for row in NEW_ROWS] == [2.5, "b", "no", None]
    assert [cells.get((row, 3)) for row in NEW_ROWS] == ["EUR/h", None, None, None]
    assert snapshot.settings_schema == 2


def test_a_second_time_goes_below_the_first(path: Path) -> None:
    add(path, form(*NEW[:2]))
    add(path, form(*NEW[2:]))
    page = openpyxl.load_workbook(path)["City & co"]
    assert [page.cell(row, 1).value for row in NEW_ROWS] == [entry.label for entry in NEW]
    assert page.tables["City"].ref == "A4:D12"


def test_a_unit_is_text_where_the_currency_has_no_name(path: Path) -> None:
    book = openpyxl.load_workbook(path)
    del book.defined_names["City_currency"]
    book.save(path)
    add(path)
    assert openpyxl.load_workbook(path)["City & co"].cell(9, 3).value == "EUR/h"


def test_the_planners_cells_beside_the_new_rows_stay(path: Path) -> None:
    def edit(page: Any) -> None:
        page["F9"], page["H11"], page["F13"] = "note", "=B5", 7
        page["B10"].number_format = "0.0"  # an empty cell with a format
        rule = DataValidation(type="list", formula1='"x,y"')
        rule.add("B9:B10")
        page.add_data_validation(rule)

    change(path, edit)
    add(path)
    page = openpyxl.load_workbook(path)["City & co"]
    assert (page["F9"].value, page["H11"].value, page["F13"].value) == ("note", "=B5", 7)
    assert [page.cell(row, 2).value for row in NEW_ROWS] == [2.5, "b", "no", None]
    rules = [str(rule.sqref) for rule in page.data_validations.dataValidation]
    assert "B9:B10" in rules and "B9" not in rules and "B11" in rules


def test_columns_that_the_planner_moved_and_added_are_followed(path: Path) -> None:
    def edit(page: Any) -> None:
        for row in range(HEAD, LAST + 1):
            label = page.cell(row, 1).value
            page.cell(row, 5).value, page.cell(row, 1).value = label, f"mine {row}"
        page.cell(HEAD, 1).value = "Mine"
        page.tables["City"].ref = "A4:E8"
        page.tables["City"].tableColumns[0].name = "Mine"
        page.tables["City"].tableColumns.append(
            openpyxl.worksheet.table.TableColumn(id=5, name="Setting")
        )

    change(path, edit)
    add(path)
    page = openpyxl.load_workbook(path)["City & co"]
    assert [page.cell(row, 5).value for row in NEW_ROWS] == [entry.label for entry in NEW]
    assert [page.cell(row, 1).value for row in NEW_ROWS] == [None] * 4
    assert page.tables["City"].ref == "A4:E12"


def chart_over(page: Any) -> None:
    chart = BarChart()
    chart.add_data(Reference(page, min_col=2, min_row=7, max_row=8))
    page.add_chart(chart, "C10")


def totals(page: Any) -> None:
    page.tables["City"].totalsRowCount = 1


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (lambda page: page.cell(9, 1, "note"), "A9 is in use"),
        (lambda page: page.cell(12, 4, "=1+1"), "D12 is in use"),
        (lambda page: page.cell(13, 2, "touches"), "B13 is in use"),
        (lambda page: page.merge_cells("C12:F12"), "merged cells are in the way"),
        (lambda page: page.add_table(Table(displayName="Mine", ref="D13:E15")), "is in use"),
        (chart_over, "a chart or picture is in the way"),
        (totals, "the table has a row of totals"),
        (lambda page: setattr(page.protection, "sheet", True), "the sheet is protected"),
        (lambda page: setattr(page.row_dimensions[10], "hidden", True), "row 10 is hidden"),
        (lambda page: page.tables.pop("City"), "the table City is no longer there"),
    ],
)
def test_what_is_in_the_way_is_said_and_nothing_is_written(
    path: Path, edit: Callable[[Any], object], why: str
) -> None:
    def fill(page: Any) -> None:
        edit(page)
        if "Mine" in page.tables:
            page["D13"], page["E13"] = "a", "b"

    change(path, fill)
    before = path.read_bytes()
    told = XlsxFile(path).obstacles((form(*NEW),))
    assert why in told["City"]
    with pytest.raises(WorkbookRefused, match="cannot be added"):
        add(path)
    assert path.read_bytes() == before


def test_what_stands_elsewhere_is_not_in_the_way(path: Path) -> None:
    def edit(page: Any) -> None:
        page["A14"], page["E9"], page["E13"] = "a note further down", 1, 2
        page.merge_cells("F9:G12")
        chart = BarChart()
        chart.add_data(Reference(page, min_col=2, min_row=7, max_row=8))
        page.add_chart(chart, "H3")

    change(path, edit)
    assert XlsxFile(path).obstacles((form(*NEW),)) == {}
    add(path)


def test_a_workbook_in_memory_takes_them_too() -> None:
    template = form(*OLD)
    cells: dict[tuple[int, int], Any] = {(1, 1): "City"}
    for row, values in enumerate([template.headers, *template.body()], start=HEAD):
        for column, value in enumerate(values, start=1):
            cells[row, column] = value
    book = MemoryWorkbook({"City & co": {k: v for k, v in cells.items() if v != ""}})
    assert book.obstacles((form(*NEW),)) == {}
    before = book.snapshot()
    book.commit(WritePlan((), (form(*NEW),), 2), before.fingerprint)
    after = book.snapshot()
    assert [after.sheets["City & co"].cells[row, 1] for row in NEW_ROWS] == [
        entry.label for entry in NEW
    ]
    assert after.settings_schema == 2 and before.settings_schema == 1
    book.edit("City & co", 14, 1, "mine")
    assert book.obstacles((form(*NEW[:1]),)) == {"City": "A14 is in use"}
