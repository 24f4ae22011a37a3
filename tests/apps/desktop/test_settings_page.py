"""Settings: typed forms, problems beside the value, saved into the workbook's own cells."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import openpyxl
import pytest
from PySide6.QtCore import QLocale, QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QLineEdit, QTableView
from pytestqt.qtbot import QtBot

from fleetdesk.apps.desktop.pages.settings import SettingsPage
from fleetdesk.apps.desktop.pages.today import TodayPage
from fleetdesk.apps.desktop.widgets.form_editor import FormEditor
from fleetdesk.apps.desktop.widgets.inputs import NotUsable, as_text, as_value
from fleetdesk.apps.desktop.widgets.list_editor import ListEditor
from fleetdesk.apps.desktop.window import MainWindow
from fleetdesk.settings.fields import inputs_of
from fleetdesk.settings.schema import City, Weights

from .conftest import settle

GREEK = QLocale(QLocale.Language.Greek, QLocale.Country.Greece)
LOW = next(entry for entry in inputs_of(Weights) if entry.key == "low_battery")
DAY = next(entry for entry in inputs_of(City) if entry.key == "plan_day")


@pytest.fixture
def page(opened: MainWindow, qtbot: QtBot) -> SettingsPage:
    opened.show_page(SettingsPage)
    settle(opened, qtbot)
    found: SettingsPage = opened.page(SettingsPage)
    return found


def form(page: SettingsPage, sheet: str) -> FormEditor:
    editor = page.editor(sheet)
    assert isinstance(editor, FormEditor)
    return editor


def value(book: Path, sheet: str, cell: str) -> object:
    return openpyxl.load_workbook(book)[sheet][cell].value


def cell_of(editor: FormEditor, key: str) -> str:
    return next(cell.cell for cell in editor.sheet.rows[0] if cell.key == key)


def said(editor: FormEditor) -> list[str]:
    labels = editor.findChildren(QLabel)
    return [one.text() for one in labels if one.property("role") == "problem" and one.text()]


def test_a_typed_value_is_checked_at_once_and_saved_into_its_cell(
    page: SettingsPage, opened: MainWindow, qtbot: QtBot, city: Path
) -> None:
    editor = form(page, "Weights")
    field = editor.fields["low_battery"]
    assert isinstance(field, QLineEdit)
    field.setText("7")
    assert "Enter a number from 0 to 1" in said(editor) and not page.save.isEnabled()
    field.setText("0.5")
    assert page.save.isEnabled() and not said(editor)
    cell, before = cell_of(editor, "low_battery"), city.read_bytes()
    page.save_changes()
    settle(opened, qtbot)
    qtbot.waitUntil(lambda: not page.changes(), timeout=60_000)
    settle(opened, qtbot)
    assert value(city, "Weights", cell) == 0.5
    assert (city.parent / "backups").is_dir()
    page.take_back.click()
    settle(opened, qtbot)
    qtbot.waitUntil(lambda: value(city, "Weights", cell) != 0.5, timeout=60_000)
    settle(opened, qtbot)
    assert value(city, "Weights", cell) == openpyxl_value(before, city, cell)


def openpyxl_value(data: bytes, near: Path, cell: str) -> object:
    aside = near.with_name("before.xlsx")
    aside.write_bytes(data)
    return value(aside, "Weights", cell)


def cut(view: QTableView) -> list[str]:
    """The heads of columns with a text that has no room, and "rows" where these are too low."""
    heads, model = view.horizontalHeader(), view.model()
    found = [
        model.headerData(column, Qt.Orientation.Horizontal)
        for column in range(model.columnCount())
        if view.columnWidth(column)
        < max(heads.sectionSizeHint(column), view.sizeHintForColumn(column))
    ]
    low = view.verticalHeader().defaultSectionSize() < view.fontMetrics().height()
    return [*found, *(["rows"] if low else [])]


def test_larger_texts_are_not_cut_what_a_value_does_then_stands_beneath_it(
    page: SettingsPage, opened: MainWindow, qtbot: QtBot
) -> None:
    page.choose("Thresholds")
    editor = form(page, "Thresholds")
    field = editor.fields["low_battery_pct"]
    (does,) = (one for one in editor.findChildren(QLabel) if one.text() == field_help(editor))
    opened.resize(1366, 740)
    qtbot.waitUntil(lambda: does.x() > field.geometry().right())
    for _ in range(3):
        opened.set_scale(1)
    try:
        qtbot.waitUntil(lambda: does.y() > field.geometry().bottom())
        qtbot.waitUntil(lambda: editor.horizontalScrollBar().maximum() == 0)
        qtbot.waitUntil(lambda: page.sheets.horizontalScrollBar().maximum() == 0)
        for _ in range(2):
            opened.set_scale(1)
        (label,) = (one for one in editor.findChildren(QLabel) if one.buddy() is field)
        qtbot.waitUntil(lambda: label.geometry().bottom() <= field.y())
        qtbot.waitUntil(lambda: editor.horizontalScrollBar().maximum() == 0)
        listed = page.editor("Parkings")
        assert isinstance(listed, ListEditor)
        page.choose("Parkings")
        qtbot.waitUntil(lambda: not cut(listed.view))
        qtbot.waitUntil(lambda: page.save.width() >= page.save.sizeHint().width())
        page.choose("Thresholds")
    finally:
        opened.set_scale(0)
    qtbot.waitUntil(lambda: does.x() > field.geometry().right())


def field_help(editor: FormEditor) -> str:
    return next(entry.help for entry in editor.sheet.inputs if entry.key == "low_battery_pct")


def test_settings_are_saved_by_a_key_and_scrolling_past_a_choice_changes_nothing(
    page: SettingsPage, opened: MainWindow, qtbot: QtBot, city: Path
) -> None:
    editor = form(page, "Thresholds")
    choice, number = editor.fields["roi_level"], editor.fields["low_battery_pct"]
    assert isinstance(choice, QComboBox) and isinstance(number, QLineEdit)
    none, nowhere = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.NoButton
    wheel = QWheelEvent(
        QPointF(5, 5), QPointF(5, 5), QPoint(0, 0), QPoint(0, -120), nowhere, none,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(choice, wheel)
    assert not page.changes()
    number.setText("35")
    opened.activateWindow()
    qtbot.waitUntil(opened.isActiveWindow)
    qtbot.keyClick(opened, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: not page.changes(), timeout=60_000)
    settle(opened, qtbot)
    assert value(city, "Thresholds", cell_of(editor, "low_battery_pct")) == 35


def test_what_is_wrong_across_sheets_is_said_before_it_is_saved(
    page: SettingsPage, opened: MainWindow, qtbot: QtBot
) -> None:
    editor = form(page, "City")
    field = editor.fields["timezone"]
    assert isinstance(field, QLineEdit)
    field.setText("Mars/Olympus")
    qtbot.wait(500)
    settle(opened, qtbot)
    assert any("known time zone" in text for text in said(editor))
    assert "(1)" in page.sheets.item(0).text()
    page.discard_changes()
    settle(opened, qtbot)
    assert not page.changes()


def test_a_list_is_edited_in_place_and_grows(
    page: SettingsPage, opened: MainWindow, qtbot: QtBot, city: Path
) -> None:
    editor = page.editor("Parkings")
    assert isinstance(editor, ListEditor)
    rows = editor.model.rowCount()
    index = editor.model.index(0, 1)
    assert editor.model.setData(index, "Πλατεία Ελευθερίας")
    at = editor.model.add()
    for column, text in enumerate(["P-99", "Νέα", "40.63", "22.95"]):
        assert editor.model.setData(editor.model.index(at, column), text)
    assert not editor.model.setData(editor.model.index(at, 2), "north")
    qtbot.wait(500)
    settle(opened, qtbot)
    page.save_changes()
    qtbot.waitUntil(lambda: not page.changes(), timeout=60_000)
    settle(opened, qtbot)
    again = page.editor("Parkings")
    assert isinstance(again, ListEditor)
    assert again.model.rowCount() == rows + 1
    assert again.model.data(again.model.index(rows, 0)) == "P-99"
    assert again.model.data(again.model.index(0, 1)) == "Πλατεία Ελευθερίας"


def test_changes_made_elsewhere_do_not_drop_what_was_typed_here(
    page: SettingsPage, opened: MainWindow, qtbot: QtBot, city: Path
) -> None:
    field = form(page, "Weights").fields["roi"]
    assert isinstance(field, QLineEdit)
    field.setText("0.9")
    book = openpyxl.load_workbook(city)
    book["City"]["B5"] = "Larisa"
    book.save(city)
    qtbot.waitUntil(lambda: "changed elsewhere" in page.form.label("state").text(), timeout=15_000)
    settle(opened, qtbot)
    assert page.changes()
    refused = []
    opened.desk.failed.connect(refused.append)
    page.save_changes()
    qtbot.waitUntil(lambda: bool(refused), timeout=60_000)
    settle(opened, qtbot)
    assert "was changed while" in refused[0].cause and page.changes()
    assert value(city, "City", "B5") == "Larisa"
    page.discard_changes()
    settle(opened, qtbot)


def test_what_is_typed_while_results_are_written_can_still_be_saved(
    page: SettingsPage, opened: MainWindow, qtbot: QtBot, city: Path
) -> None:
    editor = form(page, "Weights")
    field = editor.fields["roi"]
    assert isinstance(field, QLineEdit)
    field.setText("0.9")
    book = openpyxl.load_workbook(city)
    book["KPIs"]["A1"] = "Another title"
    book.save(city)
    opened.desk.changed.emit()
    settle(opened, qtbot)
    cell = cell_of(editor, "roi")
    page.save_changes()
    qtbot.waitUntil(lambda: not page.changes(), timeout=60_000)
    settle(opened, qtbot)
    assert value(city, "Weights", cell) == 0.9


def test_a_locked_workbook_is_shown_and_not_written(
    opened: MainWindow, qtbot: QtBot, city: Path
) -> None:
    city.with_name(f".~lock.{city.name}#").write_text(",Ελένη,host,now;", encoding="utf-8")
    opened.show_page(SettingsPage)
    settle(opened, qtbot)
    page: SettingsPage = opened.page(SettingsPage)
    field = form(page, "Weights").fields["roi"]
    assert isinstance(field, QLineEdit)
    field.setText("0.9")
    assert "open in LibreOffice" in page.form.label("state").text()
    assert not page.save.isEnabled()
    page.discard_changes()
    settle(opened, qtbot)


def test_a_broken_workbook_is_a_sentence(opened: MainWindow, qtbot: QtBot, city: Path) -> None:
    city.write_bytes(b"not a workbook")
    opened.desk.changed.emit()
    opened.show_page(SettingsPage)
    settle(opened, qtbot)
    text = opened.page(SettingsPage).form.label("problems").text()
    assert "FleetDesk.xlsx" in text
    opened.show_page(TodayPage)
    settle(opened, qtbot)
    today = opened.page(TodayPage).form
    assert today.label("day").text() == city.parent.name, "no city that nobody named"
    assert "FleetDesk.xlsx" in today.label("trouble").text()


@pytest.mark.parametrize(("text", "expected"), [("0,5", 0.5), ("0.5", 0.5), ("", None)])
def test_numbers_are_understood_with_the_locales_sign_and_the_point(
    text: str, expected: object
) -> None:
    assert as_value(text, LOW, GREEK) == expected
    assert as_text(expected, GREEK) == text.replace(".", ",")


@pytest.mark.parametrize("text", ["2", "-0.1", "much", "1e400"])
def test_a_number_out_of_bounds_says_what_is_expected(text: str) -> None:
    with pytest.raises(NotUsable, match="a number from 0 to 1"):
        as_value(text, LOW, GREEK)


@pytest.mark.parametrize("language", ["C", "el_GR", "de_DE", "en_US"])
def test_days_are_understood_as_iso_and_as_the_locale_writes_them(language: str) -> None:
    day, locale = date(2026, 6, 17), QLocale(language)
    assert as_value("2026-06-17", DAY, locale) == day
    assert as_value(as_text(day, locale), DAY, locale) == day


def test_a_day_is_shown_as_the_locale_writes_it() -> None:
    assert as_text(date(2026, 6, 17), GREEK) == "17/6/26"
