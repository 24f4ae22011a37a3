"""Reading the planner's sheets: every way to go wrong is told at its cell, all at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest

from fleetdesk.errors import Severity, WorkbookRefused
from fleetdesk.settings import rows
from fleetdesk.settings.fields import SECTIONS, inputs_of
from fleetdesk.settings.route_sheets import Travel
from fleetdesk.settings.schema import (
    FORMS,
    LISTS,
    SCHEMA_VERSION,
    SHEET_ORDER,
    Costs,
    Offer,
    Worker,
)

from .conftest import HEAD_ROW, Book

ADDRESS = (
    "nothing for this computer, or an address such as postgresql://host/db or spark:local, "
    "without a password"
)


def test_the_template_reads_back(book, settings):
    reading = book.read()
    assert reading.settings == settings
    assert reading.warnings == ()


@pytest.mark.parametrize(
    ("sheet", "address", "value", "expected"),
    [
        ("Weights", "B5", 1.7, "Weights!B5: 1.7 is above 1. Enter a number from 0 to 1."),
        ("Weights", "B5", -0.1, "Weights!B5: -0.1 is below 0. Enter a number from 0 to 1."),
        ("Weights", "B5", True, "Weights!B5: TRUE is not a number. Enter a number from 0 to 1."),
        ("Weights", "B5", "0,35", "Weights!B5: '0,35' is text with a decimal comma, not a number. "
         "Format the cell as a number and enter 0.35 "
         "(with a comma if your spreadsheet shows decimals so)."),
        ("Weights", "B5", "0.35", "Weights!B5: '0.35' is text, not a number. "
         "Format the cell as a number and enter 0.35."),
        ("Weights", "B5", "35%", "Weights!B5: '35%' is text, not a number. "
         "Enter a number from 0 to 1."),
        ("Weights", "B5", "much", "Weights!B5: 'much' is not a number. "
         "Enter a number from 0 to 1."),
        ("Weights", "B5", float("nan"), "Weights!B5: nan is not a number. "
         "Enter a number from 0 to 1."),
        ("Weights", "B5", float("inf"), "Weights!B5: inf is not a number. "
         "Enter a number from 0 to 1."),
        ("Weights", "B5", 10**400, "Weights!B5: the number is far too large. "
         "Enter a number from 0 to 1."),
        ("Weights", "B5", "#REF!", "Weights!B5: #REF! is an error of the spreadsheet. "
         "Mend the formula or enter a number from 0 to 1."),
        ("Weights", "B5", date(2026, 1, 2), "Weights!B5: 2026-01-02 is a date or time, not a "
         "number. Format the cell as a number and enter a number from 0 to 1."),
        ("City", "B8", 6.5, "City!B8: 6.5 is not a whole number. "
         "Enter a whole number from 5 to 7."),
        ("City", "B8", True, "City!B8: TRUE is not a number. Enter a whole number from 5 to 7."),
        ("City", "B6", "Europe/Atlantis", "City!B6: 'Europe/Atlantis' is not a known time zone. "
         "Enter an IANA time zone such as Europe/Athens."),
        ("City", "B7", "euro", "City!B7: 'euro' has another form than expected. "
         "Enter three capital letters such as EUR."),
        ("City", "B5", "two\nlines", "City!B5: 'two\nlines' holds a line break or another "
         "character that cannot be shown. Enter text."),
        ("City", "B9", "31/12/2026", "City!B9: '31/12/2026' is not a date. "
         "Enter a date from 2000 to 2099 such as 2026-05-31."),
        ("City", "B9", datetime(2026, 5, 1, 8), "City!B9: 2026-05-01 08:00 has a time of day in "
         "it. Enter a date from 2000 to 2099 such as 2026-05-31."),
        ("City", "B9", date(1999, 5, 1), "City!B9: 1999-05-01 is below 2000-01-01. "
         "Enter a date from 2000 to 2099 such as 2026-05-31."),
        ("City", "B9", "2026-02-30", "City!B9: '2026-02-30' is not a day of the calendar. "
         "Enter a date from 2000 to 2099 such as 2026-05-31."),
        ("City", "B10", 1.0, "City!B10: 24:00 is not a time of this day. Enter 23:59."),
        ("City", "B10", datetime(1900, 1, 1), "City!B10: 24:00 is not a time of this day. "
         "Enter 23:59."),
        ("City", "B10", 7.5, "City!B10: 7.5 is not a time of day. "
         "Enter a time of day such as 08:30."),
        ("City", "B10", datetime(2026, 5, 1, 8), "City!B10: 2026-05-01 08:00 has a day in it. "
         "Enter a time of day such as 08:30."),
        ("City", "B12", "our database", "City!B12: 'our database' has another form than expected. "
         f"Enter {ADDRESS}."),
        ("City", "B12", "mysql://db/fleet", "City!B12: 'mysql://db/fleet' has another form than "
         f"expected. Enter {ADDRESS}."),
        ("City", "B12", "postgresql://maria:s3cret@db/fleet", "City!B12: "
         "'postgresql://[secret]@db/fleet' holds a password, which whoever gets the workbook "
         f"could read. Enter {ADDRESS}."),
        ("City", "B12", "postgresql://db/fleet?password=s3cret", "City!B12: "
         "'postgresql://db/fleet?password=[secret]' holds a password, which whoever gets the "
         f"workbook could read. Enter {ADDRESS}."),
        ("Thresholds", "B17", "method 3", "Thresholds!B17: 'method 3' is not one of the choices; "
         "did you mean 'Method 2'? Enter Method 2, Method 1, v0 E[min] or v0 min."),
        ("Thresholds", "B17", "best", "Thresholds!B17: 'best' is not one of the choices. "
         "Enter Method 2, Method 1, v0 E[min] or v0 min."),
        ("Thresholds", "B17", True, "Thresholds!B17: TRUE is not text. "
         "Enter Method 2, Method 1, v0 E[min] or v0 min."),
        ("Thresholds", "B10", "maybe", "Thresholds!B10: 'maybe' is not yes or no. "
         "Enter yes or no."),
        ("Thresholds", "B10", 1, "Thresholds!B10: 1 is not yes or no. Enter yes or no."),
        ("Packages", "B5", None, "Packages!B5: Monthly price is empty. "
         "Enter a number from 0 to 100000."),
        ("Packages", "A6", "x" * 81, "Packages!A6: '" + "x" * 57 + "...' is longer than 80 "
         "characters. Enter text."),
        ("Workers & vans", "B5", "maria at home", "'Workers & vans'!B5: 'maria at home' has "
         "another form than expected. Enter a mail address such as maria@example.org."),
        ("Parkings", "A5", date(2026, 4, 3), "Parkings!A5: 2026-04-03 is a date or time, not "
         "text. Format the cell as text, then type it again."),
    ],
)  # fmt: skip
def test_a_wrong_cell_is_told_with_its_address_and_fix(book, sheet, address, value, expected):
    assert book.set(sheet, address, value).problems() == [expected]


@pytest.mark.parametrize(
    ("sheet", "address", "value", "get", "expected"),
    [
        ("City", "B8", 7.0, lambda s: s.city.cell_precision, 7),
        ("City", "B9", datetime(2026, 5, 1), lambda s: s.city.plan_day, date(2026, 5, 1)),
        ("City", "B9", 46143, lambda s: s.city.plan_day, date(2026, 5, 1)),
        ("City", "B9", "2026-05-01", lambda s: s.city.plan_day, date(2026, 5, 1)),
        ("City", "B9", "  ", lambda s: s.city.plan_day, None),
        ("City", "B10", 0.25, lambda s: s.city.snapshot_time, time(6, 0)),
        ("City", "B10", 0, lambda s: s.city.snapshot_time, time(0, 0)),
        ("City", "B10", datetime(1899, 12, 30, 6, 5), lambda s: s.city.snapshot_time, time(6, 5)),
        ("City", "B10", timedelta(hours=6), lambda s: s.city.snapshot_time, time(6, 0)),
        ("City", "B10", "6:05", lambda s: s.city.snapshot_time, time(6, 5)),
        ("City", "B10", time(5, 59, 59, 999999), lambda s: s.city.snapshot_time, time(6, 0)),
        ("City", "B5", "  Volos ", lambda s: s.city.name, "Volos"),
        ("City", "B14", None, lambda s: s.city.search_effort, 2000),
        ("City", "B12", " spark:local", lambda s: s.city.store, "spark:local"),
        ("Thresholds", "B17", " METHOD 1 ", lambda s: s.thresholds.estimator, "Method 1"),
        ("Thresholds", "B17", None, lambda s: s.thresholds.estimator, "Method 2"),
        ("Thresholds", "B10", "ΌΧΙ", lambda s: s.thresholds.collect_outside, False),
        ("Thresholds", "B10", "Ναι", lambda s: s.thresholds.collect_outside, True),
        ("Thresholds", "B10", False, lambda s: s.thresholds.collect_outside, False),
        ("Thresholds", "B10", "TRUE", lambda s: s.thresholds.collect_outside, True),
        ("Parkings", "A5", 101.0, lambda s: s.parkings[0].parking_id, "101"),
    ],
)
def test_what_a_person_means_is_understood(book, sheet, address, value, get, expected):
    found = get(book.set(sheet, address, value).read().settings)
    assert found == expected
    assert type(found) is type(expected)


def test_a_formula_without_a_result_is_told(book):
    book.sheets["Weights"].cells.pop((5, 2))
    book.uncomputed = {"Weights": ("B5", "H99")}
    assert book.problems() == [
        "Weights!B5: the formula has no stored result. "
        "Open and save the file in Excel once, or enter a number from 0 to 1."
    ]


def test_renamed_labels_and_heads_are_found_again(book):
    book.set("Weights", "A5", "Low batery").set("Parkings", "F4", "Capcity (vehicles)")
    book.set("Thresholds", "A16", "Least profit")
    assert book.problems() == [
        "Weights!A5: 'Low batery' is not a row of this sheet; did you mean 'Low battery'? "
        "Name it 'Low battery'.",
        "Thresholds!A16: 'Least profit' is not a row of this sheet; did you mean 'Lowest ROI'? "
        "Name it 'Lowest ROI'.",
        "Parkings!F4: 'Capcity (vehicles)' is not a column of this sheet; "
        "did you mean 'Capacity'? Name it 'Capacity'.",
    ]


def test_missing_rows_columns_and_sheets_are_told(book):
    for column in (1, 2):
        del book.sheets["Weights"].cells[9, column]
    for row in range(4, 8):
        del book.sheets["Parkings"].cells[row, 6]
    del book.sheets["Offers"]
    book.sheets["Pakages"] = book.sheets.pop("Packages")
    assert book.problems() == [
        "Pakages: 'Pakages' is not a known sheet; did you mean 'Packages'? "
        "Name the sheet 'Packages'.",
        "Weights: the row 'Idle time' is missing. Add a row 'Idle time'.",
        "Parkings: the column 'Capacity' is missing. Add a column 'Capacity'.",
        "Offers: the sheet is missing. Name it 'Offers' again if it has another name now, or copy "
        "it back from the planner's template.",
    ]


def test_a_result_is_not_mistaken_for_the_settings_that_are_missing(book):
    book.sheets["Όρια"] = book.sheets.pop("Thresholds")
    book.sheets["Thresholds result"] = book.sheets["Weights"]
    (problem,) = book.problems()
    assert problem.startswith("Thresholds: the sheet is missing. Name it 'Thresholds' again if")


def test_labels_that_stand_twice_are_told(book):
    book.set("Weights", "A30", "low battery:").set("Parkings", "K4", "Capacity")
    assert book.problems() == [
        "Weights!A30: 'Low battery' stands here and in A5. Keep one of the two rows.",
        "Parkings!K4: 'Capacity' stands here and in F4. Keep one of the two columns.",
    ]


def test_a_sheet_without_its_heads_is_told(book):
    for sheet in ("Weights", "Parkings"):
        cells = book.sheets[sheet].cells
        for address in [address for address in cells if address[0] == 4]:
            del cells[address]
    problems = book.problems()
    assert "Weights: the column 'Value' is missing. Add a column 'Value'." in problems
    assert any(p.startswith("Parkings: the row of column heads is missing.") for p in problems)


def test_an_empty_sheet_tells_all_its_columns(book):
    book.sheets["Parkings"].cells.clear()
    assert book.problems()[0].startswith("Parkings: the row of column heads is missing. Put back")


def test_sheet_names_need_no_exact_case(book, settings):
    book.sheets["WEIGHTS "] = book.sheets.pop("Weights")
    assert book.read().settings == settings


def test_a_note_below_a_list_is_left_alone_but_mentioned(book, settings):
    book.set("Parkings", "A30", "Ask Maria about the harbour")
    reading = book.read()
    assert reading.settings == settings
    assert [(w.address, w.severity) for w in reading.warnings] == [("Parkings!A30", Severity.NOTE)]


def test_a_row_set_apart_with_its_cells_filled_still_counts(book):
    for letter, value in zip("ABCD", ("P9", "Far side", 40.65, 22.93), strict=True):
        book.set("Parkings", f"{letter}30", value)
    assert [parking.parking_id for parking in book.read().settings.parkings][-1] == "P9"


def test_a_half_filled_row_of_the_list_is_told(book):
    book.set("Parkings", "A8", "P9")
    assert [problem.split(". ")[0] for problem in book.problems()] == [
        "Parkings!B8: Name is empty",
        "Parkings!C8: Latitude is empty",
        "Parkings!D8: Longitude is empty",
    ]


def test_another_unit_in_a_head_stops_and_another_currency_warns(book):
    book.set("Packages", "B4", "Monthly price (USD)")
    warnings = book.read().warnings
    assert [str(w) for w in warnings] == [
        "Packages!B4: 'Monthly price (USD)' is counted in EUR. "
        "Check the values and name the column 'Monthly price (EUR)'."
    ]
    assert warnings[0].severity is Severity.WARNING
    book.set("Parkings", "E4", "Radius (km)")
    assert book.problems() == [
        "Parkings!E4: 'Radius (km)' is counted in m. "
        "Check the values and name the column 'Radius (m)'."
    ]


def test_all_problems_are_told_at_once_in_the_order_of_the_work(book):
    book.set("Offers", "D5", 200).set("Weights", "B6", "x").set("Weights", "B5", 2)
    book.set("City", "B7", "€").set("Parkings", "C7", 400).set("Parkings", "G5", 99)
    assert [problem.address for problem in book.errors()] == [
        "City!B7", "Weights!B5", "Weights!B6", "Parkings!G5", "Parkings!C7", "Offers!D5",
    ]  # fmt: skip


NEWER = {
    section: [entry for entry in inputs_of(SECTIONS[section]) if entry.since > 1]
    for section in SHEET_ORDER
    if SECTIONS[section].since == 1
}
NEW_SHEETS = [section for section in SHEET_ORDER if SECTIONS[section].since > 1]


def as_version_1(book: Book) -> Book:
    """The book without the sheets, rows and columns that came later, and without a version."""
    for section in NEW_SHEETS:
        del book.sheets[SECTIONS[section].sheet]
    for section, entries in NEWER.items():
        cells = book.sheets[SECTIONS[section].sheet].cells
        labels = {entry.label for entry in entries}
        gone = {place for place, value in cells.items() if str(value).split(" (")[0] in labels}
        rows = {row for row, _ in gone} if section in FORMS else set()
        columns = {column for _, column in gone} if section in LISTS else set()
        for row, column in list(cells):
            if row in rows or column in columns:
                del cells[row, column]
    book.settings_schema = 1
    return book


def test_an_older_workbook_is_read_with_the_defaults_of_what_is_new(book, settings):
    reading = as_version_1(book).read()
    assert reading.settings == settings.model_copy(update={"task_rules": (), "travel": Travel()})
    added = {section for section, entries in NEWER.items() if entries}
    assert {new.section for new in reading.new} == {*added, *NEW_SHEETS}
    for new in reading.new:
        assert new.inputs == tuple(NEWER.get(new.section, ()))
        assert new.note.severity is Severity.NOTE and new.note in reading.warnings
        assert all(entry.label in str(new.note) for entry in new.inputs)
    city = next(new.note for new in reading.new if new.section == "city")
    assert str(city) == "City: 1 setting is new and has its default: Data store = empty."


def test_what_the_older_version_had_is_still_missed(book):
    del as_version_1(book).sheets["Weights"].cells[5, 1]
    assert book.problems() == [
        "Weights: the row 'Low battery' is missing. Add a row 'Low battery'."
    ]


def test_a_note_of_an_older_workbook_is_not_taken_for_a_new_setting(book):
    as_version_1(book).set("Costs & prices", "A30", "Pay worker per task?")
    assert book.read().settings.costs.pay_per_task is False


def test_a_new_setting_that_is_there_is_read_in_an_older_workbook(book):
    as_version_1(book).set("City", "A30", "Data store").set("City", "B30", "spark:local")
    reading = book.read()
    assert reading.settings.city.store == "spark:local"
    assert "city" not in {new.section for new in reading.new}


def test_a_workbook_of_this_version_misses_a_new_setting(book):
    as_version_1(book).settings_schema = SCHEMA_VERSION
    problems = book.problems()
    assert "City: the row 'Data store' is missing. Add a row 'Data store'." in problems
    assert len(problems) == sum(map(len, NEWER.values())) + len(NEW_SHEETS)


def test_a_sheet_and_a_column_that_are_new_may_be_missing(book, settings, monkeypatch):
    monkeypatch.setattr(Offer, "since", 2)
    monkeypatch.setattr(Costs, "since", 2)
    as_version_1(book)
    del book.sheets["Offers"], book.sheets["Costs & prices"]
    reading = book.read()
    assert reading.settings.offers == () and reading.settings.costs == Costs()
    new = {new.section: new.inputs for new in reading.new}
    assert new["offers"] == () and new["costs"] == ()
    assert "Offers: the sheet is new and its defaults are used." in [
        str(warning) for warning in reading.warnings
    ]
    book.settings_schema = 2
    assert any(told.startswith("Offers: the sheet is missing.") for told in book.problems())


def test_a_column_that_is_new_may_be_missing(book, settings, monkeypatch):
    inputs = tuple(
        replace(entry, since=2) if entry.key == "speed_kmh" else entry
        for entry in inputs_of(Worker)
    )
    monkeypatch.setattr(
        rows, "inputs_of", lambda kind: inputs if kind is Worker else inputs_of(kind)
    )
    as_version_1(book)
    page = book.sheets["Workers & vans"]
    speed = next(c for (r, c), v in page.cells.items() if str(v).startswith("Driving speed"))
    page.cells = {place: value for place, value in page.cells.items() if place[1] != speed}
    reading = book.read()
    assert reading.settings == settings.model_copy(update={"task_rules": (), "travel": Travel()})
    new = [e for n in reading.new for e in n.inputs if n.section == "workers"]
    assert [e.label for e in new if e.since == 2] == ["Driving speed"]


def test_a_newer_workbook_is_refused(book):
    book.settings_schema = SCHEMA_VERSION + 1
    with pytest.raises(WorkbookRefused, match="newer FleetDesk") as caught:
        book.read()
    assert "Update FleetDesk" in caught.value.fix


def test_rules_that_cannot_hold_are_told_at_their_cells(book):
    sheet = "Task rules"
    found = {(r, c): v for (r, c), v in book.sheets[sheet].cells.items() if r == HEAD_ROW}
    column = {str(v).partition(" (")[0]: chr(64 + c) for (_, c), v in found.items()}
    row = HEAD_ROW + 2
    book.sheets[sheet].cells.pop((row, ord(column["Threshold"]) - 64))
    book.set(sheet, f"{column['When']}{row + 1}", "battery below (%)")
    book.set(sheet, f"{column['When']}{row + 2}", "parking above maximum")
    assert [problem.address for problem in book.errors()] == [
        f"'{sheet}'!{column['Threshold']}{row}",
        f"'{sheet}'!{column['Threshold']}{row + 1}",
        f"'{sheet}'!{column['What to do']}{row + 2}",
    ]
    assert "is missing for open complaints" in book.problems()[0]


def test_what_came_later_has_a_default(settings):
    for entries in NEWER.values():
        assert not [entry.label for entry in entries if entry.required]
        assert all(entry.since <= SCHEMA_VERSION for entry in entries)


@pytest.mark.parametrize("version", [3, 4])
def test_settings_of_workbooks_that_are_out_there_stay_what_they_are(version) -> None:
    """A row more needs SCHEMA_VERSION + 1 and `since`; else older workbooks are said to lack it."""
    name = f"settings_of_version_{version}.txt"
    published = (Path(__file__).parent / name).read_text("utf-8").split("\n")
    now = [
        f"{SECTIONS[section].sheet}: {entry.label}"
        for section in SHEET_ORDER
        for entry in inputs_of(SECTIONS[section])
        if max(entry.since, SECTIONS[section].since) <= version
    ]
    assert now == published
