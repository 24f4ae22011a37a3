"""The template as data, and the values that it carries."""

from __future__ import annotations

import csv
import io

import openpyxl

from fleetdesk.model.places import Point
from fleetdesk.model.sheet_template import Layout
from fleetdesk.settings.fields import SECTIONS, inputs_of
from fleetdesk.settings.schema import SHEET_ORDER, Package, Thresholds
from fleetdesk.settings.starter import starter_settings
from fleetdesk.settings.template import csv_sheets, templates_for
from fleetdesk.sheets.template_xlsx import template_bytes


def test_every_setting_of_the_schema_is_in_the_template(settings):
    sheets = templates_for(settings).sheets
    assert [sheet.sheet for sheet in sheets] == [SECTIONS[s].sheet for s in SHEET_ORDER]
    for section, sheet in zip(SHEET_ORDER, sheets, strict=True):
        assert [entry.key for entry in sheet.inputs] == list(SECTIONS[section].model_fields)


def test_every_setting_says_what_it_does_and_what_it_takes():
    for kind in SECTIONS.values():
        for entry in inputs_of(kind):
            assert entry.label and entry.help.endswith((".", "?")) and entry.expects


def test_every_number_has_both_bounds():
    for kind in SECTIONS.values():
        for entry in inputs_of(kind):
            if entry.kind.value in {"number", "whole number"}:
                assert entry.low is not None and entry.high is not None, entry.label


def test_a_choice_offers_its_words_in_a_dropdown():
    book = openpyxl.load_workbook(io.BytesIO(template_bytes(templates_for(starter_settings()))))
    offered = {}
    for rule in book["Thresholds"].data_validations.dataValidation:
        if rule.type == "list":
            label = book["Thresholds"].cell(next(iter(rule.sqref.ranges)).min_row, 1).value
            offered[label] = rule.formula1
    assert offered["ROI estimated by"] == '"Method 2,Method 1,v0 E[min],v0 min"'
    assert offered["Threshold taken from"] == '"sheet,region,cell and hour"'
    for entry in inputs_of(Thresholds):
        assert bool(entry.choices) == (entry.kind.value == "choice")
        assert not entry.choices or entry.default in entry.choices
        # Excel takes a list in a rule only up to this length, and parts it at commas.
        assert len(",".join(entry.choices)) <= 255
        assert not any("," in choice for choice in entry.choices)


def test_money_is_shown_in_the_currency_of_the_city():
    sheets = {s.sheet: s for s in templates_for(starter_settings(currency="USD")).sheets}
    assert "Monthly price (USD)" in sheets["Packages"].headers
    units = [row[2] for row in sheets["Costs & prices"].body()]
    assert {"USD", "USD/min", "USD/km"} <= set(units)
    assert not [text for text in units if "money" in str(text)]


def test_a_head_does_not_say_its_unit_twice():
    sheets = {s.sheet: s for s in templates_for(starter_settings()).sheets}
    assert "Included km" in sheets["Packages"].headers
    assert "Price per extra km (EUR/km)" in sheets["Packages"].headers


def test_a_form_has_one_row_and_names_for_its_values(settings):
    for sheet in templates_for(settings).sheets:
        if sheet.layout is Layout.FORM:
            assert len(sheet.rows) == 1
    weights = templates_for(settings).sheets[1]
    assert weights.name_of(weights.inputs[0]) == "Weights_low_battery"


def test_the_starter_sets_out_from_the_given_place():
    settings = starter_settings("Volos", centre=Point(39.36, 22.94))
    assert {(w.start_lat, w.start_lon) for w in settings.workers} == {(39.36, 22.94)}
    limits = [(p.included_km, p.included_swaps) for p in settings.packages]
    assert limits[:3] == [(500, 10), (1000, 20), (2000, 35)]


def test_csv_holds_the_same_table_and_no_formula(settings):
    package = Package(name="=1+1", monthly_price=1, included_km=2, included_swaps=3)
    files = csv_sheets(templates_for(settings.model_copy(update={"packages": (package,)})))
    rows = list(csv.reader(io.StringIO(files["Packages.csv"])))
    assert rows[1] == ["'=1+1", "1", "2", "3", "0", "0", "0", "yes"]
    assert rows[0][:2] == ["Package", "Monthly price (EUR)"]
    offers = list(csv.reader(io.StringIO(files["Offers.csv"])))
    assert offers[1] == ["Autumn upgrade", "Daily Commuter", "all", "15", "", "", "no"]


def test_csv_guards_a_name_as_strictly_as_a_result(settings):
    package = Package(name="＝1+1", monthly_price=1, included_km=2, included_swaps=3)
    files = csv_sheets(templates_for(settings.model_copy(update={"packages": (package,)})))
    assert "\n'＝1+1," in files["Packages.csv"]


def test_csv_of_negative_numbers_stays_a_number(settings):
    thresholds = settings.thresholds.model_copy(update={"min_roi": -5.0})
    files = csv_sheets(templates_for(settings.model_copy(update={"thresholds": thresholds})))
    assert "Lowest ROI,-5,EUR" in files["Thresholds.csv"]


def test_csv_reads_back_as_a_spreadsheet_imports_it(make_book, settings):
    book = make_book(settings)
    for name, text in csv_sheets(templates_for(settings)).items():
        book.sheets[name.removesuffix(".csv")].cells = {
            (row, column): imported(value)
            for row, line in enumerate(csv.reader(io.StringIO(text)), start=1)
            for column, value in enumerate(line, start=1)
        }
    assert book.read().settings == settings


def imported(text: str) -> object:
    try:
        return float(text)
    except ValueError:
        return text or None
