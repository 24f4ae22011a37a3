"""The planner's blank workbook as a file: tables, names, dropdowns, notes, and its first sheet."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import zipfile
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest
from openpyxl.worksheet.table import Table

from fleetdesk.errors import WorkbookRefused
from fleetdesk.model.sheet_template import (
    Input,
    InputKind,
    LastRunLine,
    Layout,
    SheetTemplate,
    StartTemplate,
    Step,
    WorkbookTemplate,
)
from fleetdesk.sheets.template_xlsx import template_bytes, write_template


def toy_template(rows: int = 2) -> WorkbookTemplate:
    weight = Input(
        "low_battery", "Low battery", InputKind.NUMBER, "Emptier first.", "a number from 0 to 1",
        low=0.0, high=1.0,
    )  # fmt: skip
    price = Input(
        "price", "Unlock price", InputKind.NUMBER, "Per trip.", "a number from 0 to 10",
        unit="money/min", low=0.0, high=10.0,
    )  # fmt: skip
    currency = Input("currency", "Currency", InputKind.TEXT, "Code.", "three letters")
    name = Input("name", "Package", InputKind.TEXT, "Its name.", "text", required=True)
    active = Input("active", "On offer", InputKind.YES_NO, "no = kept.", "yes or no")
    chosen = Input(
        "package", "Package", InputKind.TEXT, "Which.", "text", choices_from=("Packages", "Package")
    )
    return WorkbookTemplate(
        StartTemplate(
            "Start", "FleetDesk: Toy town", "Set, run, read.",
            (Step("Set it.", ("City & co",)), Step("Run it.")),
            "RunLog", (LastRunLine("Result", "Result"), LastRunLine("Tasks", "Tasks planned")),
        ),
        (
            SheetTemplate(
                "City & co", "City", "Where.", Layout.FORM, "City", (currency, weight, price),
                (("EUR", 0.35, 1.5),), "EUR", (30.0, 12.0, 10.0, 60.0),
                "City_currency",
            ),
            SheetTemplate(
                "Packages", "Packages", "What.", Layout.LIST, "Packages", (name, active),
                tuple((f"=P{i}", i % 2 == 0) for i in range(rows)), "EUR", (20.0, 10.0),
                "City_currency",
            ),
            SheetTemplate(
                "Offers", "Offers", "Which.", Layout.LIST, "Offers", (chosen,), (), "EUR", (20.0,),
                "City_currency",
            ),
        ),
    )  # fmt: skip


@pytest.fixture
def book() -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(template_bytes(toy_template())))


def test_sheets_stand_in_the_order_of_the_work(book):
    assert book.sheetnames == ["Start", "City & co", "Packages", "Offers"]


def test_every_sheet_is_one_native_table(book):
    tables = {t.name: (page.title, t.ref) for page in book for t in page.tables.values()}
    assert tables == {
        "City": ("City & co", "A4:D7"),
        "Packages": ("Packages", "A4:B6"),
        "Offers": ("Offers", "A4:A5"),
    }


def test_every_value_of_a_form_has_a_name(book):
    names = {name: defined.attr_text for name, defined in book.defined_names.items()}
    assert names == {
        "City_currency": "'City & co'!$B$5",
        "City_low_battery": "'City & co'!$B$6",
        "City_price": "'City & co'!$B$7",
    }


def test_text_is_never_a_formula(book):
    cell = book["Packages"]["A5"]
    assert (cell.value, cell.data_type) == ("=P0", "s")


def test_units_follow_the_currency(book):
    assert book["City & co"]["C7"].value == '=City_currency&"/min"'
    stored = openpyxl.load_workbook(io.BytesIO(template_bytes(toy_template())), data_only=True)
    assert stored["City & co"]["C7"].value == "EUR/min"


def test_inputs_are_unlocked_filled_and_commented(book):
    page = book["City & co"]
    assert not page["B6"].protection.locked
    assert page["D6"].protection.locked
    assert page["B6"].fill.fgColor.rgb == "FFFFF8E6"
    assert page["A6"].comment.text == "Emptier first.\nA number from 0 to 1."
    assert book["Packages"]["A4"].comment.text == "Its name."


def test_what_may_be_typed_is_bounded(book):
    rules = {str(rule.sqref): rule for rule in book["City & co"].data_validations.dataValidation}
    bounds = rules["B6"]
    assert (bounds.type, bounds.operator or "between") == ("decimal", "between")
    assert (float(bounds.formula1), float(bounds.formula2)) == (0.0, 1.0)
    assert bounds.error == "Enter a number from 0 to 1."
    lists = {
        page.title: [r.formula1 for r in page.data_validations.dataValidation if r.type == "list"]
        for page in (book["Packages"], book["Offers"])
    }
    assert lists == {"Packages": ['"yes,no"'], "Offers": ['INDIRECT("Packages[Package]")']}


def test_the_dropdown_waits_below_the_list(book):
    (rule,) = [r for r in book["Packages"].data_validations.dataValidation if r.type == "list"]
    assert "B400" in rule.sqref


def test_heads_stay_in_sight_and_pages_fit(book):
    for page in book.worksheets[1:]:
        assert page.freeze_panes in {"A5", "B5"}
        assert page.print_title_rows == "$4:$4"
        assert page.page_setup.fitToHeight == 0
        assert page.sheet_properties.pageSetUpPr.fitToPage


def test_the_first_sheet_leads_to_the_others(book):
    links = [cell.hyperlink.location for row in book["Start"] for cell in row if cell.hyperlink]
    assert links == ["'City & co'!A1"]
    assert book.active.title == "Start"


def test_the_same_template_is_the_same_file():
    assert template_bytes(toy_template()) == template_bytes(toy_template())
    other_day = template_bytes(toy_template(), created=datetime(2026, 1, 1))
    assert other_day != template_bytes(toy_template())


def test_a_file_that_exists_is_never_overwritten(tmp_path: Path):
    path = tmp_path / "plan.xlsx"
    write_template(path, toy_template())
    before = path.read_bytes()
    with pytest.raises(WorkbookRefused, match="already a file"):
        write_template(path, toy_template(rows=5))
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["plan.xlsx"]


def test_hundreds_of_rows_are_fine():
    book = openpyxl.load_workbook(io.BytesIO(template_bytes(toy_template(rows=500))))
    assert book["Packages"].tables["Packages"].ref == "A4:B504"
    assert book["Packages"]["A504"].value == "=P499"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_the_last_run_shows_before_and_after_the_first_run(tmp_path: Path):
    before = tmp_path / "before.xlsx"
    write_template(before, toy_template())
    book = openpyxl.load_workbook(before)
    log = book.create_sheet("Run log")
    for row in (["Result", "Tasks planned"], ["failed", 0], ["done", 38]):
        log.append(row)
    log.add_table(Table(displayName="RunLog", ref="A1:B3"))
    after = tmp_path / "after.xlsx"
    book.save(after)
    profile = (tmp_path / "profile").as_uri()
    subprocess.run(
        ["soffice", f"-env:UserInstallation={profile}", "--headless", "--convert-to", "ods",
         "--outdir", str(tmp_path), str(before), str(after)],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    assert shown(tmp_path / "before.ods")[-4:-1] == ["not yet", "Tasks", "not yet"]
    assert shown(tmp_path / "after.ods")[-4:-1] == ["done", "Tasks", "38"]


def shown(path: Path) -> list[str]:
    """The texts of the first sheet as LibreOffice shows them."""
    content = zipfile.ZipFile(path).read("content.xml").decode()
    first = re.search(r"<table:table .*?</table:table>", content, re.DOTALL)
    assert first is not None
    return re.findall(r"<text:p>(?:<text:a [^>]*>)?([^<]+)<", first.group(0))
