"""A result table on screen: sorted by its heads, filtered, copied with heads."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from fleetdesk.apps.desktop.form import named
from fleetdesk.apps.desktop.widgets.columns import ColumnModel
from fleetdesk.apps.desktop.work.shapes import Table
from fleetdesk.sheets.base import CellStyle

_MIN_WIDTH, _MAX_WIDTH = 56, 380


class TableView(QTableView):
    """A view with its own column model."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        named(self, name)
        self.columns = ColumnModel(self.locale())
        self.setModel(self.columns)
        self.setSortingEnabled(True)
        self.setAlternatingRowColors(True)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.verticalHeader().setVisible(False)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        head = self.horizontalHeader()
        head.setSortIndicatorShown(True)
        head.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        head.setHighlightSections(False)
        head.setStretchLastSection(True)
        self._offer("Copy", QKeySequence.StandardKey.Copy, self.copy_rows)
        self._offer("Sort by this column", "Ctrl+T", self.sort_here)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)

    def show_table(self, table: Table) -> None:
        """Another table, with columns as wide as they need."""
        self.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.columns.show(table)
        # A column of numbers stays beside the one before; texts may take the room that is left.
        stretched = bool(table.columns) and not table.columns[-1].is_number
        self.horizontalHeader().setStretchLastSection(stretched)
        self.fit_text()

    def fit_text(self) -> None:
        """Make rows and columns as large as their texts need."""
        table, metrics = self.columns.table, self.fontMetrics()
        self.verticalHeader().setDefaultSectionSize(metrics.height() + 10)
        for number, column in enumerate(table.columns):
            texts = [self.columns.text(row, number) for row in range(min(60, table.rows))]
            widest = max((metrics.horizontalAdvance(text) for text in texts), default=0)
            head = metrics.horizontalAdvance(column.header) * 1.12 + 22
            width = int(max(_MIN_WIDTH, head, widest + 22))
            most = _MAX_WIDTH if column.style is not CellStyle.WRAPPED else _MAX_WIDTH + 120
            self.setColumnWidth(number, min(width, max(most, int(head))))

    def sort_here(self) -> None:
        """Sort by the column where the keys are; once more for the other way round."""
        column, head = self.currentIndex().column(), self.horizontalHeader()
        up, down = Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder
        again = head.sortIndicatorSection() == column and head.sortIndicatorOrder() == up
        if column >= 0:
            self.sortByColumn(column, down if again else up)

    def needed_height(self) -> int:
        """How high it is with all rows shown."""
        rows = self.columns.rowCount() * self.verticalHeader().defaultSectionSize()
        bar = self.horizontalScrollBar().sizeHint().height()
        return rows + self.horizontalHeader().sizeHint().height() + bar + 4

    def fit_height(self) -> None:
        """Be as high as the rows are, for a short table among others."""
        self.setFixedHeight(self.needed_height())

    def copy_rows(self) -> None:
        """Copy the chosen rows, or all that are shown, with the heads."""
        chosen = sorted({index.row() for index in self.selectionModel().selectedRows()})
        rows = chosen or list(range(self.columns.rowCount()))
        columns = list(range(self.columns.columnCount()))
        QGuiApplication.clipboard().setText(self.columns.as_text(rows, columns))

    def _offer(
        self, text: str, keys: str | QKeySequence.StandardKey, do: Callable[[], None]
    ) -> None:
        action = QAction(text, self)
        action.setShortcut(QKeySequence(keys))
        action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        action.triggered.connect(lambda _=False: do())
        self.addAction(action)
