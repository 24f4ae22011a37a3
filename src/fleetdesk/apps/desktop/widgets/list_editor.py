"""One settings sheet that is a list: a row each, edited in place; rows are added and emptied."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QLocale, QModelIndex, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from fleetdesk.apps.desktop.form import named, tell
from fleetdesk.apps.desktop.theme import Theme
from fleetdesk.apps.desktop.widgets.columns import Index
from fleetdesk.apps.desktop.widgets.form_editor import Changes, _choices
from fleetdesk.apps.desktop.widgets.inputs import NotUsable, as_text, as_value
from fleetdesk.apps.desktop.work.shapes import FormCell, FormSheet
from fleetdesk.model.sheet_template import MONEY, InputKind
from fleetdesk.sheets.a1 import address

_MOST_SHOWN, _MOST_WIDE = 8, 380
_CENTS = 2
_NUMBERS = (InputKind.NUMBER, InputKind.WHOLE)


class _Rows(QAbstractTableModel):
    """The list's cells as typed; `changes` are those that differ from the sheet."""

    refused = Signal(str)

    def __init__(self, sheet: FormSheet, theme: Theme) -> None:
        super().__init__()
        self.sheet, self._theme = sheet, theme
        self._locale = QLocale()
        self.rows: list[tuple[FormCell, ...]] = list(sheet.rows)
        self.changes: Changes = {}
        self.problems: dict[str, str] = {}

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Rows of the list."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Settings of a row."""
        return 0 if parent.isValid() else len(self.sheet.inputs)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Labels with units."""
        if orientation == Qt.Orientation.Vertical:
            return section + 1 if role == Qt.ItemDataRole.DisplayRole else None
        entry = self.sheet.inputs[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return entry.header(self.sheet.currency)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self._side(section)
        return f"{entry.help} {entry.expects}" if role == Qt.ItemDataRole.ToolTipRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The value as typed, and what is wrong with it."""
        cell = self.rows[index.row()][index.column()]
        place = (self.sheet.sheet, cell.cell)
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            # Money in one column has its cents below each other; it is typed as one likes.
            money = MONEY in self.sheet.inputs[index.column()].unit
            cents = _CENTS if money and role == Qt.ItemDataRole.DisplayRole else 0
            return as_text(self.changes.get(place, cell.value), self._locale, cents)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self._side(index.column())
        if role == Qt.ItemDataRole.ToolTipRole:
            return self.problems.get(cell.cell)
        if role == Qt.ItemDataRole.BackgroundRole:
            name = "bad_ground" if cell.cell in self.problems else "chosen"
            marked = cell.cell in self.problems or place in self.changes
            return QColor(self._theme.colours[name]) if marked else None
        return None

    def _side(self, column: int) -> Qt.AlignmentFlag:
        number = self.sheet.inputs[column].kind in _NUMBERS
        side = Qt.AlignmentFlag.AlignRight if number else Qt.AlignmentFlag.AlignLeft
        return side | Qt.AlignmentFlag.AlignVCenter

    def flags(self, index: Index) -> Qt.ItemFlag:
        """All can be edited but formulas."""
        usual = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        cell = self.rows[index.row()][index.column()]
        return usual | Qt.ItemFlag.ItemIsEditable if cell.cell and not cell.formula else usual

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Take what was typed, or say why not."""
        if role != Qt.ItemDataRole.EditRole:
            return False
        cell = self.rows[index.row()][index.column()]
        entry = self.sheet.inputs[index.column()]
        try:
            typed = as_value(str(value), entry, self._locale)
        except NotUsable as why:
            self.refused.emit(f"{entry.label}: {why}")
            return False
        place = (self.sheet.sheet, cell.cell)
        if as_text(typed, self._locale) == as_text(cell.value, self._locale):
            self.changes.pop(place, None)
        else:
            self.changes[place] = typed
        self.refused.emit("")
        self.dataChanged.emit(index, index)
        return True

    def add(self) -> int:
        """One row more, below the last; returns its number."""
        number = self.sheet.new_row + len(self.rows) - len(self.sheet.rows)
        cells = []
        for entry in self.sheet.inputs:
            column = self.sheet.columns.get(entry.key)
            cells.append(FormCell(entry.key, address(number, column) if column else "", None))
        at = len(self.rows)
        self.beginInsertRows(QModelIndex(), at, at)
        self.rows.append(tuple(cells))
        for entry, cell in zip(self.sheet.inputs, cells, strict=True):
            if entry.default not in (None, "") and cell.cell:
                self.changes[self.sheet.sheet, cell.cell] = entry.default
        self.endInsertRows()
        return at

    def empty(self, row: int) -> None:
        """Take a row out: its cells become empty."""
        for cell in self.rows[row]:
            if cell.cell and not cell.formula:
                place = (self.sheet.sheet, cell.cell)
                if cell.value is None:
                    self.changes.pop(place, None)
                else:
                    self.changes[place] = None
        self.dataChanged.emit(self.index(row, 0), self.index(row, self.columnCount() - 1))

    def tell_problems(self, problems: dict[str, str]) -> None:
        """What is wrong, by cell address."""
        self.problems = problems
        if self.rows:
            last = self.index(len(self.rows) - 1, self.columnCount() - 1)
            self.dataChanged.emit(self.index(0, 0), last)


class _Choosing(QStyledItemDelegate):
    """Offers a list where there is one to choose from."""

    def __init__(self, sheet: FormSheet, parent: QWidget) -> None:
        super().__init__(parent)
        self._sheet = sheet

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        """A combo box for choices, else the usual line."""
        entry = self._sheet.inputs[index.column()]
        choices = _choices(entry, self._sheet)
        if not choices:
            return named(super().createEditor(parent, option, index), entry.label, entry.help)
        box = QComboBox(parent)
        box.addItems(["", *choices] if not entry.required else list(choices))
        return named(box, entry.label, entry.help)


class ListEditor(QWidget):
    """The list with its buttons; of a list whose rows stay, none can be taken out."""

    edited = Signal()

    def __init__(
        self, sheet: FormSheet, theme: Theme, noun: str = "row", *, stay: bool = False
    ) -> None:
        super().__init__()
        self.sheet = sheet
        self.unusable: set[str] = set()
        self.model = _Rows(sheet, theme)
        self.view = named(QTableView(), f"List {sheet.sheet}")
        self.view.setModel(self.model)
        self.view.setItemDelegate(_Choosing(sheet, self.view))
        self.view.setAlternatingRowColors(True)
        self.view.setTabKeyNavigation(False)
        self.view.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.fit_text()
        self._said = QLabel()
        self._said.setProperty("role", "problem")
        self._said.setVisible(False)
        add, take = QPushButton(f"Add a {noun}"), QPushButton(f"Take the {noun} out")
        add.clicked.connect(self._add)
        take.clicked.connect(self._take)
        add.setEnabled(bool(sheet.new_row))
        take.setVisible(not stay)
        self.view.verticalHeader().setVisible(not stay)
        buttons = QHBoxLayout()
        buttons.addWidget(add)
        buttons.addWidget(take)
        buttons.addStretch(1)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 4, 0, 8)
        box.addWidget(self.view, 1)
        box.addWidget(self._said)
        box.addLayout(buttons)
        self.model.dataChanged.connect(self.edited)
        self.model.dataChanged.connect(self._widen)
        self.model.rowsInserted.connect(self.edited)
        self.model.refused.connect(lambda text: tell(self._said, text))

    @property
    def changes(self) -> Changes:
        """The values that differ from the sheet."""
        return self.model.changes

    def tell_problems(self, problems: dict[str, str]) -> None:
        """What is wrong, by cell address."""
        self.model.blockSignals(True)
        self.model.tell_problems(problems)
        self.model.blockSignals(False)
        self.view.viewport().update()
        texts = [f"{cell}: {text}" for cell, text in problems.items()]
        tell(self._said, "\n".join(texts[:4]))

    def fit_text(self) -> None:
        """Make rows and columns as large as their texts need."""
        # Before it is shown it has not got the fonts of its style yet.
        for widget in (self.view, self.view.horizontalHeader(), self.view.verticalHeader()):
            widget.ensurePolished()
        self.view.verticalHeader().setDefaultSectionSize(self.view.fontMetrics().height() + 12)
        self.view.resizeColumnsToContents()

    def fit_height(self) -> None:
        """Be as high as the rows are, for a short list among others."""
        view = self.view
        rows = min(self.model.rowCount(), _MOST_SHOWN) * view.verticalHeader().defaultSectionSize()
        bar = view.horizontalScrollBar().sizeHint().height()
        view.setFixedHeight(rows + view.horizontalHeader().sizeHint().height() + bar + 4)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def _widen(self, index: Index, _: Index) -> None:
        """Let a column hold what was typed into it."""
        column, view = index.column(), self.view
        needed = min(view.sizeHintForColumn(column), _MOST_WIDE)
        view.setColumnWidth(column, max(view.columnWidth(column), needed))

    def _add(self) -> None:
        row = self.model.add()
        self.view.setCurrentIndex(self.model.index(row, 0))
        self.view.edit(self.model.index(row, 0))

    def _take(self) -> None:
        if self.view.currentIndex().isValid():
            self.model.empty(self.view.currentIndex().row())
