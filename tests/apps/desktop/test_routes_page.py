"""Routes: tasks that no route has are brought in, priced at once and kept by the next plan."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest
from pytestqt.qtbot import QtBot

from fleetdesk.apps.desktop.pages.routes import RoutesPage
from fleetdesk.apps.desktop.window import MainWindow

from .conftest import LONG_MS, settle

pytestmark = pytest.mark.slow


@pytest.fixture
def page(opened: MainWindow, qtbot: QtBot) -> RoutesPage:
    opened.resize(1300, 900)
    opened.show_page(RoutesPage)
    found: RoutesPage = opened.page(RoutesPage)
    qtbot.waitUntil(lambda: found.price is not None, timeout=LONG_MS)
    settle(opened, qtbot)
    return found


def rows(page: RoutesPage, worker: str) -> list[str]:
    assert page.rounds is not None
    return [stop.row for stop in page.rounds.of(worker) if not stop.excluded]


def test_a_task_on_no_route_is_put_on_one_priced_and_kept_by_the_next_plan(
    page: RoutesPage, opened: MainWindow, qtbot: QtBot, city: Path
) -> None:
    assert page.rounds is not None and page.price is not None
    workers = sorted(page.rounds.board.workers, key=lambda name: -len(rows(page, name)))
    first, second = workers[0], workers[-1]
    outside = page.rounds.board.left_out[0]
    page.tree.tree.moved.emit(outside.task_id, first, 1)
    settle(opened, qtbot)
    assert rows(page, first)[1] == outside.task_id
    assert "(" in page.form.label("total").text() and page.price.rounds
    assert page.rounds.left(outside.task_id) is None
    page.tree.choose(outside.task_id)
    page.buttons["exclude"].click()
    settle(opened, qtbot)
    assert not page.rounds.changed and page.rounds.left(outside.task_id) is not None

    page.form.get(type(page.takers), "taker").setCurrentText(second)
    model = page.left_out.columns
    place = next(
        n for n in range(model.rowCount())
        if model.text(n, model.columnCount() - 1) == outside.task_id
    )  # fmt: skip
    page.left_out.setCurrentIndex(model.index(place, 0))
    assert page.form.label("why").text() == outside.why
    page.put.click()
    qtbot.waitUntil(lambda: outside.task_id in rows(page, second), timeout=LONG_MS)
    settle(opened, qtbot)
    outcomes: list[object] = []
    opened.desk.ended.connect(lambda title, outcome, took: outcomes.append(outcome))
    opened.run()
    assert not opened.desk.busy, "changed routes are planned again by their page, or discarded"
    page.solve()
    qtbot.waitUntil(lambda: bool(outcomes), timeout=LONG_MS)
    assert isinstance(outcomes[0], dict), outcomes[0]
    sheet = openpyxl.load_workbook(city)["Routes"]
    heads = {cell.value: cell.column - 1 for cell in sheet[4]}
    told = [row for row in sheet.iter_rows(min_row=5, values_only=True)
            if row[heads["Task"]] == outside.task_id]  # fmt: skip
    assert told and f"given to {second}" in told[0][heads["Edit"]]
    settle(opened, qtbot)
    page.forget()
    assert page.left_out.columns.rowCount() == 0 and page.workers.count() == 0
    assert page.form.label("title").text() == "Routes" and not page.form.label("total").text()
