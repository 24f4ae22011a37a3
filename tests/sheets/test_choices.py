"""Dropdowns offered in a result: ours follow the rows, the planner's own stay."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
from openpyxl.worksheet.datavalidation import DataValidation
from sheet_books import new_book, result, write

from fleetdesk.sheets.base import ResultColumn, ResultSheet
from fleetdesk.sheets.choices import offered


def with_choices(*keys: str, choices: tuple[str, ...] = ("yes",)) -> ResultSheet:
    plain = result(*keys)
    first, *others = plain.columns
    return replace(plain, columns=(replace(first, choices=choices), *others))


def rules(path: Path) -> list[tuple[str, str]]:
    sheet = openpyxl.load_workbook(path)["Tasks"]
    return sorted((str(r.sqref), r.formula1) for r in sheet.data_validations.dataValidation)


def test_the_dropdown_follows_the_rows(tmp_path: Path) -> None:
    path = new_book(tmp_path / "b.xlsx")
    write(path, with_choices("a", "b"))
    assert rules(path) == [("A5:A6", '"yes"')]
    write(path, with_choices("a", "b", "c", choices=("Μαρία", "A & B")))
    assert rules(path) == [("A5:A7", '"Μαρία,A & B"')]
    write(path, result("a"))
    assert rules(path) == []


def test_the_planner_s_own_rule_stays(tmp_path: Path) -> None:
    path = new_book(tmp_path / "b.xlsx")
    write(path, with_choices("a"))
    book = openpyxl.load_workbook(path)
    own = DataValidation(type="whole", operator="between", formula1="1", formula2="9")
    own.add("F5:F9")
    book["Tasks"].add_data_validation(own)
    book.save(path)
    write(path, with_choices("a", "b"))
    assert rules(path) == [("A5:A6", '"yes"'), ("F5:F9", "1")]


@pytest.mark.parametrize("choices", [(), ("a,b",), ('say "x"',), ("x" * 256,)])
def test_what_cannot_be_written_in_a_rule_is_not_offered(choices: tuple[str, ...]) -> None:
    assert offered(choices) is None


def test_every_column_of_routes_that_takes_yes_offers_it() -> None:
    from fleetdesk.model.plan import Plan
    from fleetdesk.outputs.tables import routes_sheet
    from fleetdesk.settings.schema import Settings

    sheet = routes_sheet(Plan((), (), "", "", 0, 0), Settings())
    offering: dict[str, ResultColumn] = {c.header: c for c in sheet.columns if c.choices}
    assert set(offering) == {"Lock", "Exclude", "Done"}
