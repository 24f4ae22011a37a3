"""Drags stops of a toy board on the page Routes with the mouse; prints what came of each drag.

Run on a screen (a bare offscreen platform cannot drag): `python drag_routes.py FOLDER`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMainWindow

from fleetdesk.apps.desktop.app import make_app
from fleetdesk.apps.desktop.desk import Desk
from fleetdesk.apps.desktop.memory import Memory
from fleetdesk.apps.desktop.pages.routes import RoutesPage
from fleetdesk.apps.desktop.theme import Theme
from fleetdesk.apps.desktop.work.shapes import Board, BoardLeftOut, BoardStop

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
STEP_MS, SPENT_MS = 80, 700


class DeskOfToys(Desk):
    """Nothing is worked out: what a change costs is not what is tried here."""

    def weigh(self, job: str, then: Any, otherwise: Any, **given: Any) -> None:
        """Leave it."""


def stop(row: str, worker: str, place: int) -> BoardStop:
    return BoardStop(
        row, row, False, row, "swap battery", "", worker, float(place),
        was_worker=worker, was_place=place,
    )  # fmt: skip


def board() -> Board:
    stops = [stop(row, "Maria", n) for n, row in enumerate("abc", start=1)]
    stops += [stop(row, "Νίκος", n) for n, row in enumerate("xy", start=1)]
    left = BoardLeftOut("q", "q", "swap battery", "", 3.0, "It needs 1 battery more.")
    return Board("r", "2026-06-17", "EUR", ("Maria", "Νίκος"), tuple(stops), (left,), 1.0, "f")


def drag(page: RoutesPage, source: str, target: str, *, below: bool) -> None:
    """Press on a row, pull it to another's lower or upper edge, let go."""
    tree, window = page.tree.tree, page.window()
    heads = [tree.topLevelItem(number) for number in range(tree.topLevelItemCount())]
    items = [head.child(number) for head in heads for number in range(head.childCount())]
    at = {item.data(0, Qt.ItemDataRole.UserRole): tree.visualItemRect(item) for item in items}

    def spot(y: int) -> QPoint:
        return tree.viewport().mapTo(window, QPoint(60, y))

    start = spot(at[source].center().y())
    end = spot(at[target].bottom() if below else at[target].top() + 1)
    handle = window.windowHandle()
    steps: list[Callable[[], object]] = [
        lambda: QTest.mousePress(handle, LEFT, NONE, start),
        lambda: QTest.mouseMove(handle, start + QPoint(0, 4)),
        lambda: QTest.mouseMove(handle, start + QPoint(4, 24)),
        lambda: QTest.mouseMove(handle, end + QPoint(6, 0)),
        lambda: QTest.mouseMove(handle, end),
        lambda: QTest.mouseRelease(handle, LEFT, NONE, end),
    ]
    # A drag has an event loop of its own, in which the later steps come.
    for number, step in enumerate(steps):
        QTimer.singleShot(STEP_MS * number, page, step)
    QTest.qWait(STEP_MS * len(steps) + SPENT_MS)


def main(folder: Path) -> None:
    app = make_app()
    page = RoutesPage(DeskOfToys(Memory(folder / "kept.ini"), Theme(app)))
    window = QMainWindow()
    window.setCentralWidget(page)
    window.resize(1200, 800)
    window.show()
    QTest.qWaitForWindowExposed(window)
    page.show_board(board())
    tree = page.tree.tree
    tree.topLevelItem(tree.topLevelItemCount() - 1).setExpanded(True)
    QTest.qWait(200)
    found = []
    for source, target, below in (("a", "b", True), ("c", "y", False), ("q", "x", True),
                                  ("q", "b", False), ("x", "a", True)):  # fmt: skip
        drag(page, source, target, below=below)
        rounds = page.rounds
        assert rounds is not None
        found.append({worker: "".join(one.row for one in rounds.of(worker)) for worker in
                      rounds.board.workers})  # fmt: skip
    print(json.dumps({"rounds": found, "changes": [
        [one.sheet, one.row, one.header] for one in page.rounds.changes()  # type: ignore[union-attr]
    ]}))  # fmt: skip
    page.retire()
    page.desk.close()
    window.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
