"""Packages under other terms, tried live on the riders of today and written for a run."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest
from pytestqt.qtbot import QtBot

from fleetdesk.apps.desktop.pages.packages import PackagesPanel
from fleetdesk.apps.desktop.pages.sandbox import SandboxPage
from fleetdesk.apps.desktop.pages.settings import SettingsPage
from fleetdesk.apps.desktop.widgets.list_editor import ListEditor
from fleetdesk.apps.desktop.window import MainWindow
from fleetdesk.apps.desktop.work.form_jobs import forms
from fleetdesk.apps.desktop.work.package_jobs import SECTION, packages, save_packages
from fleetdesk.workflows.progress import silent

from .conftest import LONG_MS, settle

pytestmark = pytest.mark.slow


def figures(panel: PackagesPanel) -> dict[str, dict[str, float]]:
    table = panel.figures.columns.table
    heads = [column.header for column in table.columns[2:]]
    rows = zip(*(column.values for column in table.columns), strict=True)
    return {row[0]: dict(zip(heads, map(float, row[2:]), strict=True)) for row in rows}


def type_in(editor: ListEditor, row: int, key: str, text: str) -> None:
    column = [entry.key for entry in editor.sheet.inputs].index(key)
    assert editor.model.setData(editor.model.index(row, column), text)


def test_a_price_is_changed_in_the_page_tried_at_once_and_written_for_a_run(
    opened: MainWindow, qtbot: QtBot, city: Path
) -> None:
    before = city.read_bytes()
    opened.show_page(SandboxPage)
    page: SandboxPage = opened.page(SandboxPage)
    page.tabs.setCurrentIndex(1)
    panel = page.packages
    qtbot.waitUntil(lambda: panel.outcome is not None, timeout=LONG_MS)
    assert panel.editor is not None and panel.terms() == [] and not panel.write.isEnabled()
    assert all(row["Difference"] == 0 for row in figures(panel).values())

    dearest = panel.editor.model.rowCount() - 1
    name = panel.editor.model.rows[dearest][0].value
    assert not panel.editor.model.setData(panel.editor.model.index(dearest, 1), "-3")
    shown = panel.outcome
    type_in(panel.editor, dearest, "monthly_price", "1")
    assert panel.terms() == [{"name": name, "on_offer": True, "monthly_price": 1.0}]
    qtbot.waitUntil(lambda: panel.outcome is not shown, timeout=LONG_MS)
    found = figures(panel)
    moved = [one for one in found["Riders moved"].values() if isinstance(one, float)]
    assert found["Riders moved"]["On trial"] > 0
    assert all(count.is_integer() for count in moved), "people are counted whole"
    assert found["Paid per rider a month"]["Difference"] < 0
    margin = found["Margin a month"]
    assert margin["From"] <= margin["Difference"] <= margin["To"] < 0
    assert "riders move" in panel.form.label("said").text() and panel._chart is not None
    assert city.read_bytes() == before, "nothing is written before the button is pressed"

    panel.editor._add()
    new = panel.editor.model.rowCount() - 1
    type_in(panel.editor, new, "name", "Νέο")
    qtbot.waitUntil(lambda: "Νέο" in panel.form.label("told").text(), timeout=LONG_MS)
    for key, text in (("monthly_price", "2"), ("included_km", "500"), ("included_swaps", "50")):
        type_in(panel.editor, new, key, text)
    qtbot.waitUntil(lambda: not panel.form.label("told").text(), timeout=LONG_MS)

    assert panel.write.isEnabled()
    panel.write.click()
    qtbot.waitUntil(lambda: "Written" in panel.form.label("told").text(), timeout=LONG_MS)
    rows = list(openpyxl.load_workbook(city)["Package trial"].iter_rows(values_only=True))
    written = [row for row in rows if row[0] in (name, "Νέο")]
    assert written == [(name, 1, *[None] * 4, "yes"), ("Νέο", 2, 500, 50, None, None, "yes")]
    assert not panel.write.isEnabled() and panel.reset.isEnabled()
    opened.show_page(SettingsPage)
    settle(opened, qtbot)
    settings: SettingsPage = opened.page(SettingsPage)
    assert len(settings.editor("Package trial").sheet.rows) == 2

    opened.show_page(SandboxPage)
    panel.reset.click()
    qtbot.waitUntil(lambda: panel.terms() == [] and panel.outcome is not None, timeout=LONG_MS)
    panel.write.click()
    qtbot.waitUntil(lambda: "Written" in panel.form.label("told").text(), timeout=LONG_MS)
    rows = list(openpyxl.load_workbook(city)["Package trial"].iter_rows(values_only=True))
    assert not [row for row in rows if row[0] in (name, "Νέο")]
    settle(opened, qtbot)


def test_terms_are_written_beside_empty_lines_and_notes(city: Path) -> None:
    first, second, third = (
        str(row[0].value) for row in packages(silent, workbook=str(city)).sheet.rows[:3]
    )
    book = openpyxl.load_workbook(city)
    sheet = book["Package trial"]
    top = next(row for row in range(1, 9) if sheet.cell(row, 1).value == "Package")
    for line, column, value in (
        (1, 1, first), (1, 2, 1), (3, 1, second), (3, 2, 2), (5, 2, "as agreed"),
    ):  # fmt: skip
        sheet.cell(top + line, column).value = value
    book.save(city)
    found = packages(silent, workbook=str(city))
    terms = [{"name": name, "monthly_price": 9.0} for name in (first, second, third)]
    save_packages(silent, workbook=str(city), terms=terms, expect=found.fingerprint)
    written = openpyxl.load_workbook(city)["Package trial"]
    rows = [tuple(cell.value for cell in row[:2]) for row in written.iter_rows(min_row=top + 1)]
    assert rows == [
        (first, 9), (None, None), (second, 9), (None, None), (None, "as agreed"), (third, 9),
    ]  # fmt: skip
    (trial,) = (one for one in forms(silent, workbook=str(city)).sheets if one.section == SECTION)
    assert [row[0].value for row in trial.rows] == [first, second, third]
