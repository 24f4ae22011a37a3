"""The stops of all workers as a tree: dragged to another place or worker, or moved by keys."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QAbstractItemView, QTreeWidget, QTreeWidgetItem

from fleetdesk.apps.desktop.rounds import Rounds
from fleetdesk.apps.desktop.widgets.columns import number_text
from fleetdesk.apps.desktop.work.shapes import BoardLeftOut, BoardPrice, BoardStop

_ROW = Qt.ItemDataRole.UserRole
_WORKER = Qt.ItemDataRole.UserRole + 1
_HEADS = ["Stop", "At", "What", "Vehicle", "Where", "Adds", ""]
_WHERE, _ADDS = _HEADS.index("Where"), _HEADS.index("Adds")
_PLACE_CHARACTERS = 24
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class StopsTree:
    """Fills a tree with rounds: one head a worker, the stops below it."""

    def __init__(self, tree: QTreeWidget) -> None:
        self.tree = tree
        tree.setHeaderLabels(_HEADS)
        tree.setColumnCount(len(_HEADS))
        tree.headerItem().setTextAlignment(_ADDS, _RIGHT)
        tree.setUniformRowHeights(True)
        tree.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        tree.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        tree.setDropIndicatorShown(True)

    def show(self, rounds: Rounds, price: BoardPrice | None, currency: str) -> None:
        """Draw the rounds with what they come to."""
        chosen = self.row()
        folded = self._folded()
        self.tree.clear()
        by_worker = {one.worker: one for one in price.rounds} if price else {}
        for worker in rounds.board.workers:
            stops = rounds.of(worker)
            one = by_worker.get(worker)
            said = f"{worker}: {_stops(len(stops))}"
            if one is not None:
                said = (
                    f"{worker}: {_stops(one.stops)}, {number_text(one.minutes, 0)} min, "
                    f"{number_text(one.km, 1)} km, {number_text(one.profit, 2)} {currency}"
                )
            top = self._head(said, worker)
            arrivals = one.arrivals if one is not None else ()
            for number, stop in enumerate(stops):
                at = arrivals[number] if number < len(arrivals) else stop.arrive
                item = self._item(number + 1, stop, at)
                top.addChild(item)
                if stop.row == chosen:
                    self.tree.setCurrentItem(item)
            top.setExpanded(worker not in folded)
        left = rounds.left_out
        top = self._head(f"On no route: {len(left)} tasks", "")
        for task in left:
            item = self._left(task)
            top.addChild(item)
            if task.task_id == chosen:
                self.tree.setCurrentItem(item)
        top.setExpanded("" not in folded)
        for column in range(len(_HEADS)):
            self.tree.resizeColumnToContents(column)
        # Long names of places must not push what has become of a stop out of sight.
        most = _PLACE_CHARACTERS * self.tree.fontMetrics().averageCharWidth()
        self.tree.setColumnWidth(_WHERE, min(self.tree.columnWidth(_WHERE), most))

    def row(self) -> str:
        """The chosen stop, or task on no route; "" for none."""
        item = self.tree.currentItem()
        return str(item.data(0, _ROW) or "") if item else ""

    def choose(self, row: str) -> None:
        """Make a stop, or a task on no route, the chosen one."""
        for top in range(self.tree.topLevelItemCount()):
            parent = self.tree.topLevelItem(top)
            for number in range(parent.childCount() if parent else 0):
                item = parent.child(number) if parent else None
                if item is not None and item.data(0, _ROW) == row:
                    self.tree.setCurrentItem(item)

    def _folded(self) -> set[str]:
        """The heads that are folded now; at first that of the tasks on no route."""
        tops = [self.tree.topLevelItem(row) for row in range(self.tree.topLevelItemCount())]
        closed = (top for top in tops if top is not None and not top.isExpanded())
        return {str(top.data(0, _WORKER)) for top in closed} if tops else {""}

    def _head(self, said: str, worker: str) -> QTreeWidgetItem:
        top = QTreeWidgetItem([said])
        top.setData(0, _WORKER, worker)
        top.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsDropEnabled)
        font = top.font(0)
        font.setBold(True)
        top.setFont(0, font)
        self.tree.addTopLevelItem(top)
        top.setFirstColumnSpanned(True)
        return top

    def _left(self, task: BoardLeftOut) -> QTreeWidgetItem:
        item = QTreeWidgetItem(["", "", task.what, task.vehicle, task.where, "", task.why])
        item.setData(0, _ROW, task.task_id)
        for column in range(len(_HEADS)):
            item.setToolTip(column, task.why)
        item.setFlags(
            Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsDragEnabled
        )
        return item

    def _item(self, number: int, stop: BoardStop, at: str) -> QTreeWidgetItem:
        marks = [
            "locked" if stop.locked else "",
            "left out" if stop.excluded else "",
            "added" if not stop.was_worker else "changed" if _changed(stop) else "",
        ]
        item = QTreeWidgetItem([
            "" if stop.excluded else str(number), "" if stop.excluded else at, stop.action,
            stop.vehicle, stop.where, "" if stop.adds is None else number_text(stop.adds, 2),
            ", ".join(mark for mark in marks if mark),
        ])  # fmt: skip
        item.setData(0, _ROW, stop.row)
        item.setToolTip(_WHERE, stop.where)
        item.setTextAlignment(_ADDS, _RIGHT)
        if stop.note:
            item.setToolTip(6, stop.note)
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        item.setFlags(flags if stop.excluded else flags | Qt.ItemFlag.ItemIsDragEnabled)
        if stop.excluded:
            font = item.font(0)
            font.setStrikeOut(True)
            for column in range(len(_HEADS) - 1):
                item.setFont(column, font)
        return item


def _stops(count: int) -> str:
    return "1 stop" if count == 1 else f"{count} stops"


def _changed(stop: BoardStop) -> bool:
    return stop.worker != stop.was_worker or stop.place != stop.was_place


class DroppedTree(QTreeWidget):
    """A tree that says where a stop was dropped instead of moving its item; worker "" = nobody."""

    moved = Signal(str, str, int)

    def dropEvent(self, event: QDropEvent) -> None:
        """Tell the row, the worker and the place among the worker's other stops."""
        dragged = self.currentItem()
        target = self.itemAt(event.position().toPoint())
        if dragged is None or target is None or dragged is target:
            event.ignore()
            return
        row = str(dragged.data(0, _ROW) or "")
        parent = target.parent()
        top = parent or target
        worker = str(top.data(0, _WORKER))
        index = 0
        if parent is not None:
            others = [parent.child(n) for n in range(parent.childCount())]
            rows = [item.data(0, _ROW) for item in others if item and item.data(0, _ROW) != row]
            index = rows.index(target.data(0, _ROW))
            below = QAbstractItemView.DropIndicatorPosition.BelowItem
            index += self.dropIndicatorPosition() == below
        event.setDropAction(Qt.DropAction.IgnoreAction)
        event.accept()
        if row:
            self.moved.emit(row, worker, index)
