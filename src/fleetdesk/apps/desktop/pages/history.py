"""History: all runs, what differs between two of them, and the way back."""

from __future__ import annotations

from typing import ClassVar

from PySide6.QtCore import QLocale, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QMessageBox,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
)

from fleetdesk.apps.desktop.desk import Desk
from fleetdesk.apps.desktop.form import named, tell
from fleetdesk.apps.desktop.pages.page import Page
from fleetdesk.apps.desktop.widgets.columns import day_text
from fleetdesk.apps.desktop.work.messages import Failure
from fleetdesk.apps.desktop.work.shapes import Difference, Run

_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_STATES = {
    "finished": "done", "failed": "failed", "interrupted": "interrupted", "undone": "undone",
    "running": "under way", "publishing": "under way", "discarded": "discarded",
}  # fmt: skip


class HistoryPage(Page):
    """The ledger of runs."""

    title: ClassVar[str] = "History"
    icon: ClassVar[str] = "mdi6.history"
    form_name: ClassVar[str] = "history"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        get = self.form.get
        self.runs = named(get(QTreeWidget, "runs"), "Runs, the newest first")
        self.runs.setHeaderLabels(["Run", "Started", "Took", "State", "What came of it"])
        self.runs.headerItem().setTextAlignment(2, _RIGHT)
        self.runs.setRootIsDecorated(False)
        self.runs.setAlternatingRowColors(True)
        self.runs.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.runs.itemSelectionChanged.connect(self._buttons)
        self.differences = named(get(QTreeWidget, "differences"), "What differs between two runs")
        self.differences.setHeaderLabels(["What", "Before", "After"])
        self.differences.setAlternatingRowColors(True)
        self.compare = get(QPushButton, "compare")
        self.compare.clicked.connect(self._compare)
        self.undo = get(QPushButton, "undo")
        self.undo.clicked.connect(self.ask_undo)
        tell(self.form.label("state"), "Choose two runs to see what differs between them.")
        self.setFocusProxy(self.runs)
        self._buttons()

    def refresh(self) -> None:
        """Read the ledger."""
        self.desk.ask("history", self._show)

    def forget(self) -> None:
        """Nothing of another workbook stays."""
        self.runs.clear()
        self.differences.clear()

    def ask_undo(self) -> None:
        """Put the workbook back as it was before its last run, once the planner agrees."""
        said = QMessageBox.question(
            self, "Undo the last run",
            "The workbook is put back exactly as it was before its last run. As it is now it is "
            "kept in the folder backups. Go on?",
        )  # fmt: skip
        if said == QMessageBox.StandardButton.Yes:
            self.take_back()

    def take_back(self, anyway: bool = False) -> None:
        """Undo; where the workbook was edited since, ask again."""
        self.desk.ask("undo", self._undone, self._not_undone, anyway=anyway)

    def _undone(self, text: str) -> None:
        tell(self.form.label("state"), text)
        self.desk.changed.emit()

    def _not_undone(self, failure: Failure) -> None:
        if "--anyway" not in failure.fix:
            self.desk.failed.emit(failure)
            return
        said = QMessageBox.question(
            self, "Undo the last run",
            f"{failure.cause}. As it is now it is kept in the folder backups. Undo all the same?",
        )  # fmt: skip
        if said == QMessageBox.StandardButton.Yes:
            self.take_back(anyway=True)

    def _show(self, found: tuple[Run, ...]) -> None:
        self.runs.clear()
        locale = QLocale()
        for run in found:
            local = run.started_at.astimezone()
            day = day_text(local, locale)
            took = "" if run.took_s is None else f"{run.took_s:.0f} s"
            item = QTreeWidgetItem([
                run.run_id, f"{day} {local:%H:%M}", took, _STATES.get(run.state, run.state),
                run.headline or run.reason,
            ])  # fmt: skip
            item.setData(0, Qt.ItemDataRole.UserRole, run)
            item.setTextAlignment(2, _RIGHT)
            self.runs.addTopLevelItem(item)
        for column in range(4):
            self.runs.resizeColumnToContents(column)
        self._buttons()

    def _chosen(self) -> list[Run]:
        runs = [item.data(0, Qt.ItemDataRole.UserRole) for item in self.runs.selectedItems()]
        return sorted((run for run in runs if run.state == "finished"), key=_start)

    def _buttons(self) -> None:
        self.compare.setEnabled(len(self._chosen()) == 2)
        items = [self.runs.topLevelItem(row) for row in range(self.runs.topLevelItemCount())]
        found = [item.data(0, Qt.ItemDataRole.UserRole) for item in items if item]
        self.undo.setEnabled(any(run.can_undo for run in found))

    def _compare(self) -> None:
        old, new = self._chosen()
        self.desk.ask("diff", self.show_difference, old=old.run_id, new=new.run_id)

    def show_difference(self, found: Difference) -> None:
        """List what differs, by kind."""
        tell(self.form.label("state"), f"From run {found.old} to {found.new}")
        self.differences.clear()
        for title, rows in (
            ("Settings", found.settings),
            ("Key figures and profit", found.figures),
            ("Tasks", found.tasks),
        ):
            count = f"{len(rows)} differ" if rows else "no difference"
            top = QTreeWidgetItem([f"{title}: {count}", "", ""])
            for row in rows:
                top.addChild(QTreeWidgetItem(list(row)))
            self.differences.addTopLevelItem(top)
            top.setExpanded(True)
        for column in range(2):
            self.differences.resizeColumnToContents(column)


def _start(run: Run) -> str:
    return run.run_id
