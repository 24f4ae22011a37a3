"""Routes: map and stops side by side; what a change costs is said at once, and kept by planning."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar

import numpy as np
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import (
    QComboBox,
    QPushButton,
    QSplitter,
    QTabWidget,
    QTreeWidget,
    QVBoxLayout,
)

from fleetdesk.apps.desktop.desk import Desk
from fleetdesk.apps.desktop.form import named, tell
from fleetdesk.apps.desktop.pages.page import Page
from fleetdesk.apps.desktop.rounds import Rounds
from fleetdesk.apps.desktop.widgets.columns import number_text
from fleetdesk.apps.desktop.widgets.map_view import MapView
from fleetdesk.apps.desktop.widgets.stops_tree import DroppedTree, StopsTree
from fleetdesk.apps.desktop.widgets.table_view import TableView
from fleetdesk.apps.desktop.work.messages import Failure
from fleetdesk.apps.desktop.work.shapes import Board, BoardLeftOut, BoardPrice, Column, Table
from fleetdesk.sheets.base import CellStyle

_DRAW_MS = 400


class RoutesPage(Page):
    """Changes stay here until the planner plans again; then they stand on the sheet Routes."""

    title: ClassVar[str] = "Routes"
    icon: ClassVar[str] = "mdi6.routes"
    form_name: ClassVar[str] = "routes"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        get = self.form.get
        self.map = MapView("Map of the routes")
        self.form.place(QVBoxLayout, "mapBox").addWidget(self.map)
        old = get(QTreeWidget, "stops")
        tree = named(DroppedTree(), "Stops of each worker, in their order")
        box = self.form.place(QVBoxLayout, "stopsBox")
        box.replaceWidget(old, tree)
        old.deleteLater()
        self.tree = StopsTree(tree)
        tree.moved.connect(self.move_stop)
        tree.currentItemChanged.connect(lambda *_: self._buttons())
        self.left_out = TableView("Tasks that are on no route")
        self.form.place(QVBoxLayout, "leftBox").insertWidget(0, self.left_out)
        self.left_out.selectionModel().currentRowChanged.connect(lambda *_: self._left_buttons())
        self.takers = named(get(QComboBox, "taker"), "Worker to put the task on")
        self.put = get(QPushButton, "put")
        self.put.clicked.connect(self._put)
        self.tabs = named(get(QTabWidget, "tabs"), "Stops and tasks left out")
        self.workers = named(get(QComboBox, "worker"), "Worker to give the stop to")
        self.buttons = {name: get(QPushButton, name) for name in (
            "up", "down", "give", "lock", "exclude", "mail", "discard", "solve",
        )}  # fmt: skip
        self.buttons["up"].setShortcut("Alt+Up")
        self.buttons["down"].setShortcut("Alt+Down")
        self.buttons["up"].clicked.connect(lambda: self._shift(-1))
        self.buttons["down"].clicked.connect(lambda: self._shift(1))
        self.buttons["give"].clicked.connect(self._give)
        self.buttons["lock"].clicked.connect(self._lock)
        self.buttons["exclude"].clicked.connect(self._exclude)
        self.buttons["discard"].clicked.connect(self.discard)
        self.buttons["solve"].clicked.connect(self.solve)
        self.buttons["mail"].clicked.connect(self._mail)
        self.rounds: Rounds | None = None
        self.price: BoardPrice | None = None
        self._first: BoardPrice | None = None
        self._left: list[BoardLeftOut] = []
        self._asked = 0
        self._drawing = QTimer(self)
        self._drawing.setSingleShot(True)
        self._drawing.setInterval(_DRAW_MS)
        self._drawing.timeout.connect(self._draw)
        get(QSplitter, "split").setSizes([450, 640])
        tell(self.form.label("problems"), "")
        desk.began.connect(lambda _: self._buttons())
        desk.ended.connect(lambda *_: self._buttons())
        self.setFocusProxy(tree)
        self._order_of_keys()
        self._buttons()

    def refresh(self) -> None:
        """Read the last plan, unless changes to it would be lost."""
        if self.rounds is None or not self.rounds.changed:
            self.desk.ask("board", self.show_board, self._no_board)

    def forget(self) -> None:
        """Nothing of another workbook stays."""
        self.rounds = self.price = self._first = None
        tell(self.form.label("problems"), "")
        self.tree.tree.clear()
        self.map.show_file("")
        self._show_left([], "")
        for box in (self.workers, self.takers):
            box.clear()
        self.form.label("title").setText("Routes")
        self.form.label("total").setText("")
        self._buttons()

    def retire(self) -> None:
        """Let the map go."""
        self._drawing.stop()
        self.map.retire()

    def show_board(self, board: Board) -> None:
        """Show the plan's routes, and begin to price them."""
        self.rounds, self.price, self._first = Rounds(board), None, None
        for box in (self.workers, self.takers):
            box.clear()
            box.addItems(list(board.workers))
        self.form.label("title").setText(f"Routes for {board.day}")
        self.form.label("total").setText(f"{number_text(board.profit, 2)} {board.currency}")
        tell(self.form.label("state"), "Preparing to price changes …")
        tell(self.form.label("problems"), "")
        self.map.show_file(board.map_path, board.under)
        self._show()
        self._weigh()

    def move_stop(self, row: str, worker: str, index: int) -> None:
        """Put a stop, or a task on no route, somewhere else; with worker "" it is left out."""
        rounds = self.rounds
        if rounds is None:
            return
        task = rounds.left(row)
        if task is not None and worker:
            rounds.add(task, worker, index)
        elif row not in rounds or (not worker and rounds.stop(row).excluded):
            return
        elif not worker:
            rounds.exclude(row, True)
        elif not rounds.move(row, worker, index):
            self._say("A drop-off stays behind its pick-up, with the same worker.")
            return
        self._changed()

    def discard(self) -> None:
        """Take all changes back."""
        if self.rounds is not None:
            self.rounds.discard()
            self._changed()
            self.map.show_file(self.rounds.board.map_path, self.rounds.board.under)
            self._drawing.stop()

    def solve(self) -> None:
        """Write the changes on the sheet Routes, then plan again; the plan keeps them."""
        if self.rounds is None or self.desk.busy:
            return
        changes = [(one.sheet, one.row, one.header, one.value) for one in self.rounds.changes()]
        if not changes:
            self.desk.run(("plan",))
            return
        self.buttons["solve"].setEnabled(False)
        self.desk.ask(
            "save_board", self._saved, self._not_saved,
            changes=changes, expect=self.rounds.board.fingerprint,
        )  # fmt: skip

    def _order_of_keys(self) -> None:
        """The stops, what can be done with them, and the map last: the keys visit all its signs."""
        up, down, give, lock, exclude, mail, discard, solve = self.buttons.values()
        order = (
            self.tabs, self.tree.tree, up, down, self.workers, give, lock, exclude,
            self.left_out, self.put, self.takers, mail, discard, solve,
        )  # fmt: skip
        for first, second in pairwise(order):
            self.setTabOrder(first, second)

    def _saved(self, _: str) -> None:
        self.rounds = None
        self.desk.run(("plan",))

    def _not_saved(self, failure: Failure) -> None:
        self._buttons()
        self.desk.failed.emit(failure)

    def _changed(self) -> None:
        self._show()
        self._weigh()
        self._drawing.start()

    def _weigh(self) -> None:
        rounds = self.rounds
        if rounds is None:
            return
        self._asked += 1
        asked, as_planned = self._asked, not rounds.changed

        def priced(found: BoardPrice) -> None:
            # Kept though changes have come meanwhile: what they cost is counted from it.
            if as_planned and rounds is self.rounds:
                self._first = found
            if asked == self._asked:
                self._priced(found)

        self.desk.weigh(
            "price", priced, self._not_priced,
            run=rounds.board.run_id, sequences=rounds.sequences(),
        )  # fmt: skip

    def _priced(self, found: BoardPrice) -> None:
        if self.rounds is None:
            return
        self.price = found
        board = self.rounds.board
        now = number_text(found.profit, 2), number_text(found.minutes, 0)
        text = f"{now[0]} {board.currency}, {now[1]} min"
        if self._first is not None and self.rounds.changed:
            money = found.profit - self._first.profit
            minutes = found.minutes - self._first.minutes
            more = number_text(money, 2, signed=True), number_text(minutes, 0, signed=True)
            text += f"   ({more[0]} {board.currency}, {more[1]} min)"
        self.form.label("total").setText(text)
        tell(self.form.label("state"), "")
        broken = [f"{one.worker} {text}." for one in found.rounds for text in one.problems]
        tell(self.form.label("problems"), "\n".join(broken))
        self._show()

    def _not_priced(self, failure: Failure) -> None:
        tell(self.form.label("state"), failure.text)
        self._buttons()

    def _draw(self) -> None:
        if self.rounds is not None and self.rounds.changed:
            self.desk.weigh(
                "draw", self.map.show_file, self._not_priced,
                run=self.rounds.board.run_id, sequences=self.rounds.sequences(),
            )  # fmt: skip

    def _show(self) -> None:
        if self.rounds is not None:
            self.tree.show(self.rounds, self.price, self.rounds.board.currency)
            self._show_left(self.rounds.left_out, self.rounds.board.currency)
        self._buttons()

    def _show_left(self, left: list[BoardLeftOut], currency: str) -> None:
        if left != self._left:
            self._left = left
            self.left_out.show_table(_left_out(left, currency))
            self.tabs.setTabText(1, f"Left out ({len(left)})")

    def _no_board(self, failure: Failure) -> None:
        self.forget()
        tell(self.form.label("state"), failure.text)

    def _shift(self, by: int) -> None:
        if self.rounds is not None and self.tree.row() in self.rounds:
            if self.rounds.shift(self.tree.row(), by):
                self._changed()
            else:
                self._say("It cannot go further that way.")

    def _give(self) -> None:
        row, worker = self.tree.row(), self.workers.currentText()
        if self.rounds is None or not row or not worker:
            return
        if row in self.rounds:
            self.move_stop(row, worker, len(self.rounds.of(worker)))
        else:
            self.bring_in(row, worker)

    def _put(self) -> None:
        self.bring_in(self._chosen_left(), self.takers.currentText())

    def bring_in(self, task_id: str, worker: str) -> None:
        """Put a task that is on no route where it fits best in a worker's order."""
        task = self.rounds.left(task_id) if self.rounds is not None else None
        if self.rounds is None or task is None or not worker:
            return
        self.desk.weigh(
            "best_place", lambda index: self.move_stop(task_id, worker, index), self._not_priced,
            run=self.rounds.board.run_id, sequences=self.rounds.sequences(), worker=worker,
            task=task_id, moves=task.moves,
        )  # fmt: skip

    def _chosen_left(self) -> str:
        """The task chosen in the list of those left out."""
        index, model = self.left_out.currentIndex(), self.left_out.columns
        tasks = model.table.column("Task")
        return str(tasks.values[model.row_of(index.row())]) if index.isValid() and tasks else ""

    def _lock(self) -> None:
        row = self.tree.row()
        if self.rounds is not None and row in self.rounds:
            self.rounds.lock(row, not self.rounds.stop(row).locked)
            self._show()

    def _exclude(self) -> None:
        row = self.tree.row()
        if self.rounds is not None and row in self.rounds:
            self.rounds.exclude(row, not self.rounds.stop(row).excluded)
            self._changed()

    def _mail(self) -> None:
        from fleetdesk.apps.desktop.mail_dialog import MailDialog

        MailDialog(self.desk, self).open()

    def _say(self, text: str) -> None:
        tell(self.form.label("state"), text)

    def _buttons(self) -> None:
        row = self.tree.row()
        rounds = self.rounds
        chosen = rounds is not None and row in rounds
        for name in ("up", "down", "lock", "exclude"):
            self.buttons[name].setEnabled(chosen)
        self.buttons["give"].setEnabled(bool(rounds and row))
        self.workers.setEnabled(bool(rounds and row))
        self._left_buttons()
        if rounds is not None and chosen:
            stop = rounds.stop(row)
            self.buttons["lock"].setText("Unlock" if stop.locked else "Lock")
            self.buttons["exclude"].setText("Take in" if stop.excluded else "Leave out")
        changes = len(rounds.changes()) if rounds else 0
        self.buttons["discard"].setEnabled(bool(changes))
        self.buttons["solve"].setEnabled(rounds is not None and not self.desk.busy)
        self.buttons["mail"].setEnabled(rounds is not None and not changes and not self.desk.busy)
        noun = "change" if changes == 1 else "changes"
        said = f"{changes} {noun} for the workbook" if changes else "As planned"
        self.form.label("edits").setText(said if rounds else "")

    def _left_buttons(self) -> None:
        task = self.rounds.left(self._chosen_left()) if self.rounds is not None else None
        self.put.setEnabled(task is not None)
        self.takers.setEnabled(task is not None)
        tell(self.form.label("why"), task.why if task is not None else "")


def _left_out(rows: Sequence[BoardLeftOut], currency: str) -> Table:
    def texts(header: str, values: list[str], width: float = 14) -> Column:
        wrapped = CellStyle.WRAPPED if width > 40 else CellStyle.TEXT
        return Column(header, wrapped, np.array(values, dtype=object), None, "", width)

    worth = [np.nan if row.roi is None else row.roi for row in rows]
    return Table("Left out", "Left out", "", (
        texts("Vehicle", [row.vehicle for row in rows]),
        texts("What", [row.what for row in rows]),
        Column(f"ROI ({currency})", CellStyle.MONEY, np.array(worth, dtype="float64")),
        texts("Why, and what would bring it in", [row.why for row in rows], 60),
        texts("Where", [row.where for row in rows]),
        texts("Task", [row.task_id for row in rows]),
    ))  # fmt: skip
