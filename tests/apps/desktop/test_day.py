"""The planner's day on the pages: run, cancel, results, routes, history."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import openpyxl
import pytest
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from fleetdesk.apps.desktop.pages.history import HistoryPage
from fleetdesk.apps.desktop.pages.results import ResultsPage, RidersPage
from fleetdesk.apps.desktop.pages.routes import RoutesPage
from fleetdesk.apps.desktop.pages.run import RunPage
from fleetdesk.apps.desktop.pages.sandbox import SandboxPage
from fleetdesk.apps.desktop.pages.settings import SettingsPage
from fleetdesk.apps.desktop.widgets.form_editor import FormEditor
from fleetdesk.apps.desktop.window import MainWindow
from fleetdesk.apps.desktop.work.messages import Failure

from .conftest import LONG_MS, settle

pytestmark = pytest.mark.slow


def go(window: MainWindow, qtbot: QtBot, kind: type) -> object:
    window.show_page(kind)
    settle(window, qtbot)
    return window.page(kind)


def test_a_changed_threshold_a_run_its_results_the_difference_and_undo(
    opened: MainWindow, qtbot: QtBot, city: Path
) -> None:
    settings: SettingsPage = go(opened, qtbot, SettingsPage)  # type: ignore[assignment]
    editor = settings.editor("Thresholds")
    assert isinstance(editor, FormEditor)
    field = editor.fields["low_battery_pct"]
    assert isinstance(field, QLineEdit)
    field.setText("45")
    opened.run()
    opened.page(RunPage).run_wanted.emit(())
    assert not opened.desk.busy, "unsaved changes are asked about first"
    settings.save_changes()
    qtbot.waitUntil(lambda: not settings.changes(), timeout=LONG_MS)
    settle(opened, qtbot)

    run: RunPage = go(opened, qtbot, RunPage)  # type: ignore[assignment]
    assert "plan" in run.ticked()
    outcomes: list[object] = []
    opened.desk.ended.connect(lambda title, outcome, took: outcomes.append(outcome))
    run.start.click()
    assert opened.desk.busy and not run.start.isEnabled() and not opened.desk.run()
    qtbot.waitUntil(lambda: bool(outcomes), timeout=LONG_MS)
    assert isinstance(outcomes[0], dict), outcomes[0]
    assert "Thresholds: Low battery below: " in outcomes[0]["text"]
    settle(opened, qtbot)
    assert run.progress.value() == 1000 and "Planned" in run.form.label("outcome").text()

    results: ResultsPage = go(opened, qtbot, ResultsPage)  # type: ignore[assignment]
    results.choose("Thresholds result")
    settle(opened, qtbot)
    assert results.table.columns.rowCount() > 10 and results.charts
    results.filter.setText("no such text anywhere")
    assert results.table.columns.rowCount() == 0
    results.filter.clear()
    results.table.copy_rows()
    assert QApplication.clipboard().text().startswith("Threshold (%)\t")
    for end in ("xlsx", "csv", "png", "pdf"):
        path = city.parent / f"Κατώφλια.{end}"
        results.export_to(path)
        settle(opened, qtbot)
        assert path.stat().st_size > 500
    book = openpyxl.load_workbook(city.parent / "Κατώφλια.xlsx")
    assert book.active["A4"].value == "Threshold (%)"

    history: HistoryPage = go(opened, qtbot, HistoryPage)  # type: ignore[assignment]
    assert history.runs.topLevelItemCount() == 2
    history.runs.selectAll()
    assert history.compare.isEnabled()
    history.compare.click()
    settle(opened, qtbot)
    first = history.differences.topLevelItem(0)
    assert first is not None and first.child(0).text(0) == "Thresholds: Low battery below"
    assert first.child(0).text(2) == "45"
    history.take_back()
    settle(opened, qtbot)
    assert "is as it was before run" in history.form.label("state").text()
    settle(opened, qtbot)


def test_a_cancelled_run_and_one_whose_process_dies_leave_the_workbook_as_it_was(
    opened: MainWindow, qtbot: QtBot, city: Path
) -> None:
    before = city.read_bytes()
    outcomes: list[object] = []
    opened.desk.ended.connect(lambda title, outcome, took: outcomes.append(outcome))
    steps: list[str] = []
    opened.desk.stepped.connect(lambda step, share: steps.append(step))

    assert opened.desk.run()
    qtbot.waitUntil(lambda: bool(steps), timeout=LONG_MS)
    opened.cancel_button.click()
    qtbot.waitUntil(lambda: bool(outcomes), timeout=4000)
    assert isinstance(outcomes[0], Failure) and outcomes[0].cancelled
    assert city.read_bytes() == before and not opened.desk.busy

    steps.clear()
    outcomes.clear()
    assert opened.desk.run()
    qtbot.waitUntil(lambda: bool(steps), timeout=LONG_MS)
    pid = opened.desk.work_pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: bool(outcomes), timeout=10_000)
    assert isinstance(outcomes[0], Failure) and outcomes[0].report
    assert city.read_bytes() == before
    settle(opened, qtbot)

    outcomes.clear()
    city.write_bytes(b"not a workbook")
    assert opened.desk.run()
    qtbot.waitUntil(lambda: bool(outcomes), timeout=LONG_MS)
    settle(opened, qtbot)
    assert "FleetDesk.xlsx" in opened._form.label("banner").text()
    city.write_bytes(before)
    opened.desk.changed.emit()
    settle(opened, qtbot)
    history: HistoryPage = go(opened, qtbot, HistoryPage)  # type: ignore[assignment]
    assert history.runs.topLevelItemCount() >= 2


def test_a_stop_is_moved_priced_and_kept_by_the_next_plan(opened: MainWindow, qtbot: QtBot) -> None:
    page: RoutesPage = go(opened, qtbot, RoutesPage)  # type: ignore[assignment]
    qtbot.waitUntil(lambda: page.price is not None, timeout=LONG_MS)
    assert page.rounds is not None and page.price is not None
    assert abs(page.price.profit - page.rounds.board.profit) < 0.01
    worker = next(name for name in page.rounds.board.workers if len(page.rounds.of(name)) > 2)
    plain = [stop.row for stop in page.rounds.of(worker)]
    moved = next(row for row in plain if page.rounds.shift(row, 1) or page.rounds.shift(row, -1))
    page._changed()
    settle(opened, qtbot)
    assert "(" in page.form.label("total").text() and page.rounds.changed
    assert not page.buttons["mail"].isEnabled() and page.buttons["discard"].isEnabled()
    wanted = [stop.row for stop in page.rounds.of(worker)]
    assert wanted != plain and moved in wanted
    outcomes: list[object] = []
    opened.desk.ended.connect(lambda title, outcome, took: outcomes.append(outcome))
    page.solve()
    qtbot.waitUntil(lambda: bool(outcomes), timeout=LONG_MS)
    assert isinstance(outcomes[0], dict), outcomes[0]
    settle(opened, qtbot)
    qtbot.waitUntil(lambda: page.rounds is not None, timeout=LONG_MS)
    assert page.rounds is not None
    kept = [stop for stop in page.rounds.of(worker) if stop.row == moved]
    assert kept and kept[0].locked, "the plan keeps what was moved"
    settle(opened, qtbot)


def test_thresholds_are_tried_without_writing(opened: MainWindow, qtbot: QtBot, city: Path) -> None:
    before = city.read_bytes()
    page: SandboxPage = go(opened, qtbot, SandboxPage)  # type: ignore[assignment]
    page.low.setValue(20)
    page.high.setValue(40)
    page.step.setValue(10)
    page.try_out()
    settle(opened, qtbot)
    assert page.table.columns.rowCount() == 3
    chart = page._chart
    assert chart is not None and chart.isVisible()
    qtbot.waitUntil(lambda: chart.height() > 100)
    assert "past days" in page.form.label("state").text() and city.read_bytes() == before


def test_riders_say_what_to_do_where_nothing_was_asked(opened: MainWindow, qtbot: QtBot) -> None:
    page: RidersPage = go(opened, qtbot, RidersPage)  # type: ignore[assignment]
    assert "page Run" in page.form.label("note").text()
