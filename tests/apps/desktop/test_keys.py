"""The planner's day by keys alone: nothing here is clicked, and nothing is called but by a key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from fleetdesk.apps.desktop.commands import CommandPalette
from fleetdesk.apps.desktop.mail_dialog import SENDING, MailDialog
from fleetdesk.apps.desktop.pages.history import HistoryPage
from fleetdesk.apps.desktop.pages.routes import RoutesPage
from fleetdesk.apps.desktop.window import MainWindow
from fleetdesk.apps.desktop.work.form_jobs import forms, save_forms
from fleetdesk.workflows.progress import silent

from .conftest import LONG_MS, settle

pytestmark = pytest.mark.slow

CTRL = Qt.KeyboardModifier.ControlModifier
MOST_TABS = 40
ASK = QMessageBox.question


def press(key: Qt.Key, held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    """A key for whatever has the keys now."""
    target = QApplication.focusWidget() or QApplication.activeWindow()
    assert target is not None
    QTest.keyClick(target, key, held)


def tab_to(wanted: QWidget) -> None:
    for _ in range(MOST_TABS):
        if QApplication.focusWidget() is wanted:
            return
        press(Qt.Key.Key_Tab)
    raise AssertionError(f"Tab never comes to {wanted.objectName()}")


@pytest.fixture
def active(opened: MainWindow, qtbot: QtBot) -> MainWindow:
    opened.resize(1300, 900)
    opened.activateWindow()
    qtbot.waitUntil(opened.isActiveWindow)
    return opened


def test_a_stop_is_left_out_locked_and_taken_in_by_keys(active: MainWindow, qtbot: QtBot) -> None:
    press(Qt.Key.Key_5, CTRL)
    page: RoutesPage = active.page(RoutesPage)
    qtbot.waitUntil(lambda: page.price is not None, timeout=LONG_MS)
    settle(active, qtbot)
    assert page.rounds is not None
    tree = page.tree.tree
    assert QApplication.focusWidget() is tree
    press(Qt.Key.Key_Home)
    while page.tree.row() not in page.rounds:
        press(Qt.Key.Key_Down)
    row = page.tree.row()
    tab_to(page.buttons["exclude"])
    press(Qt.Key.Key_Space)
    assert page.rounds.stop(row).excluded and page.rounds.changed
    assert page.buttons["exclude"].text() == "Take in", "the stop is still the chosen one"
    settle(active, qtbot)
    assert "(" in page.form.label("total").text()
    press(Qt.Key.Key_Space)
    assert not page.rounds.stop(row).excluded and not page.rounds.changed
    settle(active, qtbot)
    tab_to(page.buttons["lock"])
    press(Qt.Key.Key_Space)
    assert page.rounds.stop(row).locked
    tab_to(page.buttons["discard"])
    press(Qt.Key.Key_Space)
    assert not page.rounds.changed
    settle(active, qtbot)


def give_addresses(city: Path) -> None:
    found = forms(silent, workbook=str(city))
    crew = next(sheet for sheet in found.sheets if sheet.section == "workers")
    changes = [
        (crew.sheet, cell.cell, f"crew{number}@fleet.example")
        for number, row in enumerate(crew.rows) for cell in row if cell.key == "email"
    ]  # fmt: skip
    save_forms(silent, workbook=str(city), changes=changes, expect=found.fingerprint)


def test_mails_are_looked_at_chosen_and_sent_by_keys(
    active: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, city: Path
) -> None:
    give_addresses(city)
    press(Qt.Key.Key_5, CTRL)
    page: RoutesPage = active.page(RoutesPage)
    qtbot.waitUntil(page.buttons["mail"].isEnabled, timeout=LONG_MS)
    settle(active, qtbot)
    press(Qt.Key.Key_M, CTRL)
    (dialog,) = active.findChildren(MailDialog)
    qtbot.waitUntil(lambda: dialog.letters.count() > 1, timeout=LONG_MS)
    qtbot.waitUntil(dialog.isActiveWindow)
    tab_to(dialog.page)
    assert "href" in dialog.page.toHtml()
    press(Qt.Key.Key_Tab)
    assert QApplication.focusWidget() is dialog.again, "the links of the mail are no stops"
    tab_to(dialog.letters)
    names = [dialog.letters.item(row).text() for row in range(dialog.letters.count())]
    press(Qt.Key.Key_Down)
    press(Qt.Key.Key_Space)
    press(Qt.Key.Key_Up)
    assert dialog.letters.currentRow() == 0
    begun: list[object] = []
    monkeypatch.setattr(active.desk, "start", lambda *_, **given: begun.append(given) or True)
    tab_to(dialog.send)
    press(Qt.Key.Key_Space)
    (given,) = begun
    assert given["workers"] == [names[0], *names[2:]]  # type: ignore[index]
    assert not dialog.isVisible()
    told = {
        "text": "Mailed 1 route; 1 could not be sent.\nWorkbook",
        "warnings": ["Nikos: refused"],
    }
    active.desk.ended.emit(SENDING, told, 2.0)
    said = active._form.label("banner").text()
    assert said == "Mailed 1 route; 1 could not be sent. Nikos: refused"


def test_a_run_is_taken_back_by_keys_once_the_question_is_answered(
    active: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, city: Path
) -> None:
    monkeypatch.setattr(QMessageBox, "question", ASK)
    before = city.read_bytes()
    press(Qt.Key.Key_8, CTRL)
    page: HistoryPage = active.page(HistoryPage)
    settle(active, qtbot)
    assert page.runs.topLevelItemCount() == 1 and page.undo.isEnabled()

    def by_palette(answer: Qt.Key) -> None:
        active.activateWindow()
        qtbot.waitUntil(active.isActiveWindow)
        _later(lambda: _choose("undo the last run", answer))
        press(Qt.Key.Key_K, CTRL)
        settle(active, qtbot)

    by_palette(Qt.Key.Key_Escape)
    assert city.read_bytes() == before
    by_palette(Qt.Key.Key_Y)
    assert "is as it was before run" in page.form.label("state").text()
    assert city.read_bytes() != before


def _choose(words: str, answer: Qt.Key) -> None:
    palette = QApplication.activeModalWidget()
    assert isinstance(palette, CommandPalette)
    QTest.keyClicks(QApplication.focusWidget(), words)
    assert palette.found.count() == 1
    _later(lambda: _answer(answer))
    press(Qt.Key.Key_Return)


def _answer(key: Qt.Key) -> None:
    box = QApplication.activeModalWidget()
    assert isinstance(box, QMessageBox)
    QTest.keyClick(box, key)


def _later(do: Callable[[], None]) -> None:
    QTimer.singleShot(100, do)
