"""The window as a whole: first start, pages, keys, names for screen readers, what is remembered."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QLabel, QMessageBox, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from fleetdesk.apps.desktop import app
from fleetdesk.apps.desktop.app import make_window
from fleetdesk.apps.desktop.desk import Desk
from fleetdesk.apps.desktop.mail_dialog import MailDialog
from fleetdesk.apps.desktop.memory import Memory
from fleetdesk.apps.desktop.pages.results import ResultsPage
from fleetdesk.apps.desktop.pages.settings import SettingsPage
from fleetdesk.apps.desktop.pages.today import TodayPage
from fleetdesk.apps.desktop.trouble import TroubleDialog
from fleetdesk.apps.desktop.window import PAGES, MainWindow
from fleetdesk.apps.desktop.work.form_jobs import forms, save_forms
from fleetdesk.apps.desktop.work.messages import Failure
from fleetdesk.workflows.progress import silent

from .conftest import settle

HEAVY = ("pandas", "sklearn", "ortools", "pyvrp", "lifelines", "pyarrow", "ibis", "duckdb", "scipy")
LIGHT = f"""
import sys
from pathlib import Path
from fleetdesk.apps.desktop.app import make_app, make_window
from fleetdesk.apps.desktop.memory import Memory
app = make_app()
window = make_window(app, Memory(Path(sys.argv[1])))
window.show()
app.processEvents()
print(*[name for name in {HEAVY!r} if name in sys.modules])
window.close()
"""


def test_the_first_start_offers_the_sample_city(window: MainWindow) -> None:
    assert window.stack.currentWidget() is window.start
    assert window.start.make.isVisible() and window.start.make.isEnabled()
    assert not window.run_button.isEnabled() and not window.nav.isEnabled()


def test_the_window_loads_none_of_what_the_work_needs(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-c", LIGHT, str(tmp_path / "kept.ini")],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == []


def test_every_control_has_a_name_for_screen_readers(opened: MainWindow, qtbot: QtBot) -> None:
    nameless = []
    for kind in PAGES:
        opened.show_page(kind)
        settle(opened, qtbot)
        nameless += _nameless(kind.title, opened)
    dialogs = {
        "the report": TroubleDialog(Failure("It broke", report="details"), opened),
        "commands": opened.palette_of_commands(),
        "mails": MailDialog(opened.desk, opened),
    }
    for name, dialog in dialogs.items():
        dialog.show()
        settle(opened, qtbot)
        nameless += _nameless(name, dialog)
        dialog.close()
    assert nameless == []


def _nameless(where: str, part: QWidget) -> list[str]:
    return [
        f"{where}: {type(widget).__name__} {widget.objectName()}"
        for widget in part.findChildren(QWidget)
        if widget.focusPolicy() != Qt.FocusPolicy.NoFocus
        and widget.isVisible()
        and not _named(widget)
    ]


def _named(widget: QWidget) -> bool:
    """A name of its own, the words on it, a label that belongs to it, or a part of Qt's."""
    text = getattr(widget, "text", None)
    words = text() if callable(text) and not isinstance(widget, QLabel) else ""
    buddies = [label.buddy() for label in widget.window().findChildren(QLabel)]
    inside = widget.objectName().startswith("qt_") or widget.parentWidget() is None
    own_part = bool(widget.parentWidget() and widget.parentWidget().accessibleName())
    return bool(widget.accessibleName() or words) or widget in buddies or inside or own_part


def test_keys_go_to_pages_and_the_palette_finds_commands(opened: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(opened, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    assert opened.stack.currentWidget() is opened.page(SettingsPage)
    settle(opened, qtbot)
    palette = opened.palette_of_commands()
    palette.show()
    qtbot.keyClicks(palette.typed, "resul")
    assert palette.found.count() >= 1
    rows = [palette.found.item(row).text() for row in range(palette.found.count())]
    palette.found.setCurrentRow(
        next(n for n, text in enumerate(rows) if text.startswith("Results"))
    )
    qtbot.keyClick(palette.typed, Qt.Key.Key_Return)
    assert opened.stack.currentWidget() is opened.page(ResultsPage)
    settle(opened, qtbot)
    palette.deleteLater()


def test_the_keys_go_to_the_page_that_was_asked_for(opened: MainWindow, qtbot: QtBot) -> None:
    opened.activateWindow()
    qtbot.waitUntil(opened.isActiveWindow)
    for number, kind in enumerate(PAGES):
        qtbot.keyClick(opened, Qt.Key(Qt.Key.Key_1 + number), Qt.KeyboardModifier.ControlModifier)
        focus = opened.focusWidget()
        assert focus is not None and opened.page(kind).isAncestorOf(focus), kind.title
    settle(opened, qtbot)


def test_a_table_is_sorted_by_keys_in_the_column_where_they_are(
    opened: MainWindow, qtbot: QtBot
) -> None:
    tasks = opened.page(TodayPage).tasks
    column = tasks.columns.columnCount() - 1
    tasks.setCurrentIndex(tasks.columns.index(0, column))
    before = tasks.columns.text(0, column)
    for _ in range(2):
        qtbot.keyClick(tasks, Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)
        shown = [tasks.columns.text(row, column) for row in range(tasks.columns.rowCount())]
        down = tasks.horizontalHeader().sortIndicatorOrder() == Qt.SortOrder.DescendingOrder
        assert shown == sorted(shown, reverse=down)
    assert down and before in shown


def test_a_dropped_workbook_is_opened_and_listed_as_recent(
    window: MainWindow, qtbot: QtBot, city: Path
) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(city))])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    at, copy = QPointF(5, 5), Qt.DropAction.CopyAction
    entered = QDragEnterEvent(at.toPoint(), copy, data, buttons, keys)
    window.dragEnterEvent(entered)
    assert entered.isAccepted()
    dropped = QDropEvent(at, copy, data, buttons, keys)
    window.dropEvent(dropped)
    settle(window, qtbot)
    assert window.windowTitle() == "FleetDesk.xlsx - FleetDesk"
    assert window.desk.memory.recent == [str(city)]
    page = window.page(TodayPage)
    assert page.tasks.columns.rowCount() > 0 and page.availability.columns.rowCount() > 0


def test_a_file_that_cannot_be_opened_is_said_so(window: MainWindow, tmp_path: Path) -> None:
    window.open(str(tmp_path / "gone.xlsx"))
    banner = window._form.label("banner")
    assert banner.isVisible() and "gone.xlsx cannot be opened" in banner.text()
    assert window.stack.currentWidget() is window.start


def test_layout_look_and_size_of_text_are_remembered(
    window: MainWindow, qapp: QApplication, memory: Memory
) -> None:
    window.resize(1010, 640)
    window.set_look("dark")
    window.set_scale(1)
    assert window.desk.theme.is_dark and window.desk.theme.scale_pct == 110
    window.close()
    again = make_window(qapp, memory)
    try:
        assert again.size().height() == 640  # its width does not fit the screen that is none
        assert again.desk.theme.is_dark and again.desk.theme.scale_pct == 110
    finally:
        again.set_scale(0)
        again.set_look("light")
        again.close()
        again.deleteLater()


def test_with_larger_text_no_button_is_lower_than_its_words(
    opened: MainWindow, qtbot: QtBot
) -> None:
    opened.set_scale(1)
    while opened.desk.theme.scale_pct < 150:
        opened.set_scale(1)
    QApplication.processEvents()
    low = [
        button.text()
        for button in opened.findChildren(QPushButton)
        if button.isVisible() and button.height() < button.fontMetrics().height()
    ]
    tasks, metrics = opened.page(TodayPage).tasks, opened.page(TodayPage).tasks.fontMetrics()
    widest = max(
        metrics.horizontalAdvance(tasks.columns.text(row, 1))
        for row in range(tasks.columns.rowCount())
    )
    fits = tasks.columnWidth(1) > widest and tasks.rowHeight(0) > metrics.height()
    opened.set_scale(0)
    assert low == [] and fits


def test_an_export_that_cannot_be_written_is_said(
    opened: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    page: ResultsPage = opened.page(ResultsPage)
    for name in ("Πίνακας.png", "Πίνακας.pdf"):
        opened._form.label("banner").clear()
        page.export_to(tmp_path / "no such folder" / name)
        assert f"{name} could not be saved" in opened._form.label("banner").text()


def test_a_fault_of_the_window_shows_a_report_to_copy(window: MainWindow, qtbot: QtBot) -> None:
    dialog = TroubleDialog(Failure("It broke", fix="Try again", report="details\n"), window)
    qtbot.addWidget(dialog)
    dialog.show()
    assert dialog.copy.isVisible()
    dialog.copy.click()
    assert QApplication.clipboard().text() == "details\n"
    plain = TroubleDialog(Failure("It broke"), window)
    qtbot.addWidget(plain)
    plain.show()
    assert not plain.copy.isVisible()


def test_a_fault_of_a_job_is_told_where_it_was_asked_and_offers_its_report_once(
    opened: MainWindow, qtbot: QtBot
) -> None:
    told: list[object] = []

    def refused(failure: Failure) -> None:
        told.append(failure)
        opened.desk.failed.emit(failure)

    opened.desk.ask("no such job", told.append, refused)
    settle(opened, qtbot)
    assert len(told) == 1
    (dialog,) = opened.findChildren(TroubleDialog)
    assert "KeyError" in dialog.report.toPlainText()
    dialog.close()


def test_a_workbook_replaced_on_disk_is_read_again_and_one_that_is_gone_is_said(
    opened: MainWindow, qtbot: QtBot, city: Path
) -> None:
    with qtbot.waitSignal(opened.desk.changed, timeout=8000):
        aside = city.with_suffix(".new")
        aside.write_bytes(city.read_bytes() + b"\0")
        aside.replace(city)
    settle(opened, qtbot)
    with qtbot.waitSignal(opened.desk.changed, timeout=8000):
        aside.write_bytes(city.read_bytes()[:-1])
        aside.replace(city)
    settle(opened, qtbot)
    kept = city.rename(city.with_suffix(".away"))
    with qtbot.waitSignal(opened.desk.disturbed, timeout=15000) as said:
        pass
    assert "no longer in its folder" in said.args[0]
    with qtbot.waitSignal(opened.desk.changed, timeout=8000):
        kept.rename(city)
    assert not opened._form.label("banner").isVisible()
    settle(opened, qtbot)


def test_the_trial_of_the_window_ends_though_its_reading_does_not(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Desk, "reading", True)
    monkeypatch.setattr(app, "_PATIENCE_S", 0)
    monkeypatch.setattr(app, "_SHOWN_MS", 1)
    with qtbot.waitSignal(window.desk.failed, timeout=5000) as told:
        app._close_when_read(window)
    assert "still reading after 0 s" in told.args[0].text
    qtbot.waitUntil(lambda: not window.isVisible())


def test_today_says_why_a_workbook_cannot_be_run(
    opened: MainWindow, qtbot: QtBot, city: Path
) -> None:
    told = opened.page(TodayPage).form.label("trouble")
    assert not told.isVisible()
    whole = city.read_bytes()
    city.write_bytes(b"not a workbook")
    opened.desk.changed.emit()
    settle(opened, qtbot)
    assert told.isVisible() and "FleetDesk.xlsx" in told.text()
    city.write_bytes(whole)
    found = forms(silent, workbook=str(city))
    wrong = [
        (sheet.sheet, cell.cell, -5)
        for sheet in found.sheets if sheet.section == "thresholds"
        for cell in sheet.rows[0] if cell.key in ("low_battery_pct", "rentable_pct")
    ]  # fmt: skip
    save_forms(silent, workbook=str(city), changes=wrong, expect=found.fingerprint)
    opened.desk.changed.emit()
    settle(opened, qtbot)
    assert told.isVisible() and f"Thresholds!{wrong[0][1]}: " in told.text()
    city.write_bytes(whole)
    opened.desk.changed.emit()
    settle(opened, qtbot)
    assert not told.isVisible()


def test_another_workbook_is_opened_only_when_changes_may_be_lost(
    opened: MainWindow, qtbot: QtBot, city: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened.show_page(SettingsPage)
    settle(opened, qtbot)
    page: SettingsPage = opened.page(SettingsPage)
    page.editor("Thresholds").fields["low_battery_pct"].setText("45")
    other = city.with_name("Other.xlsx")
    other.write_bytes(city.read_bytes())
    asked: list[str] = []

    def answer(said: QMessageBox.StandardButton) -> None:
        def question(*words: object) -> QMessageBox.StandardButton:
            asked.append(str(words[2]))
            return said

        monkeypatch.setattr(QMessageBox, "question", question)

    answer(QMessageBox.StandardButton.No)
    opened.open(str(other))
    assert opened.desk.workbook == str(city) and page.changes()
    answer(QMessageBox.StandardButton.Yes)
    opened.open(str(other))
    assert opened.desk.workbook == str(other) and not page.changes()
    assert len(asked) == 2 and "Changed settings were not saved." in asked[0]
    settle(opened, qtbot)
