"""One settings sheet that is a form: label, value, unit and what it does, a row each."""

from __future__ import annotations

from enum import Enum

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QGridLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QWidget,
)

from fleetdesk.apps.desktop.form import named, tell
from fleetdesk.apps.desktop.widgets.inputs import NotUsable, as_text, as_value
from fleetdesk.apps.desktop.work.shapes import FormCell, FormSheet
from fleetdesk.model.sheet_template import Input, InputKind

Changes = dict[tuple[str, str], object]
_LINES = 4  # Label and what a value does have lines of their own where there is no room beside it.
_BESIDE_EM = 18


class _Fit(Enum):
    """What stands beside a value: label and what it does, the label alone, or nothing."""

    BOTH = 1
    LABEL = 2
    NOTHING = 3


class FormEditor(QScrollArea):
    """`changes` are the values that differ from the sheet, by (sheet, cell)."""

    edited = Signal()

    def __init__(self, sheet: FormSheet) -> None:
        super().__init__()
        self.sheet = sheet
        self.changes: Changes = {}
        self.unusable: set[str] = set()
        self.fields: dict[str, QLineEdit | QComboBox] = {}
        self._said: dict[str, QLabel] = {}
        self._rows: list[tuple[QLabel, QWidget, QLabel, QLabel]] = []
        self._fitted = _Fit.BOTH
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        named(self, f"Settings of {sheet.sheet}")
        inside = QWidget()
        inside.setObjectName("inside")
        self._grid = grid = QGridLayout(inside)
        grid.setContentsMargins(0, 4, 12, 12)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(3, 1)
        cells = sheet.rows[0] if sheet.rows else ()
        for row, (entry, cell) in enumerate(zip(sheet.inputs, cells, strict=False)):
            self._add(grid, _LINES * row, entry, cell)
        grid.setRowStretch(_LINES * len(cells), 1)
        self.setWidget(inside)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Scrolling past a choice must not change it; the form fits its width and its texts."""
        if watched is self.widget() and event.type() in (
            QEvent.Type.Resize, QEvent.Type.LayoutRequest,
        ):  # fmt: skip
            self._fit()
        if event.type() == QEvent.Type.Wheel and watched is not QApplication.focusWidget():
            event.ignore()
            return True
        return super().eventFilter(watched, event)

    def tell_problems(self, problems: dict[str, str]) -> None:
        """What is wrong, by cell address; each is said beside its value."""
        for cell in self.sheet.rows[0] if self.sheet.rows else ():
            if cell.cell and cell.key in self._said and cell.key not in self.unusable:
                text = problems.get(cell.cell, "")
                tell(self._said[cell.key], text)
                self._state(cell, "bad" if text else self._changed_state(cell))

    def _add(self, grid: QGridLayout, row: int, entry: Input, cell: FormCell) -> None:
        label = QLabel(entry.label)
        field = self._field(entry, cell)
        field.setProperty("role", "setting")
        named(field, entry.label, entry.help)
        field.setToolTip(f"{entry.help} {entry.expects[:1].upper()}{entry.expects[1:]}.")
        label.setBuddy(field)
        unit = QLabel(entry.shown_unit(self.sheet.currency))
        unit.setProperty("role", "quiet")
        does = QLabel(entry.help)
        does.setProperty("role", "quiet")
        does.setWordWrap(True)
        grid.addWidget(label, row + 1, 0)
        grid.addWidget(field, row + 1, 1)
        grid.addWidget(unit, row + 1, 2)
        grid.addWidget(does, row + 1, 3)
        self._rows.append((label, field, unit, does))
        said = QLabel()
        said.setProperty("role", "problem")
        said.setWordWrap(True)
        said.setVisible(False)
        grid.addWidget(said, row + 3, 1, 1, 3)
        self.fields[entry.key], self._said[entry.key] = field, said
        if not cell.cell:
            field.setEnabled(False)
            tell(said, "The sheet lacks this row; its default holds.")
        elif cell.formula:
            field.setEnabled(False)
            field.setToolTip("A formula of yours; change it in the workbook.")

    def _fit(self) -> None:
        """Put beside each value what has room there, so that nothing scrolls sideways."""
        grid = self._grid
        edges = grid.contentsMargins()
        used = edges.left() + edges.right() + self.verticalScrollBar().sizeHint().width()
        for column in range(3):
            items = (grid.itemAt(grid.indexOf(row[column])) for row in self._rows)
            widths = (item.minimumSize().width() for item in items if item)
            used += grid.horizontalSpacing() + max(widths, default=0)
        room = self.width() - used
        enough = _BESIDE_EM * self.fontMetrics().averageCharWidth()
        fit = _Fit.BOTH if room >= enough else _Fit.LABEL if room >= 0 else _Fit.NOTHING
        if fit is self._fitted:
            return
        self._fitted = fit
        for line, (label, _, _, does) in enumerate(self._rows):
            top = _LINES * line
            grid.removeWidget(label)
            grid.removeWidget(does)
            if fit is _Fit.NOTHING:
                grid.addWidget(label, top, 1, 1, 3)
            else:
                grid.addWidget(label, top + 1, 0)
            if fit is _Fit.BOTH:
                grid.addWidget(does, top + 1, 3)
            else:
                grid.addWidget(does, top + 2, 1, 1, 3)

    def _field(self, entry: Input, cell: FormCell) -> QLineEdit | QComboBox:
        text = as_text(cell.value, self.locale())
        choices = _choices(entry, self.sheet)
        if choices:
            box = QComboBox()
            if not entry.required:
                box.addItem("")
            box.addItems(list(choices))
            if text and text not in choices:
                box.addItem(text)
            box.setCurrentText(text)
            box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            box.installEventFilter(self)
            box.currentTextChanged.connect(lambda typed: self._typed(entry, cell, typed))
            return box
        line = QLineEdit(text)
        line.setPlaceholderText(
            ""
            if entry.default in (None, "")
            else f"empty = {as_text(entry.default, self.locale())}"
        )
        if entry.kind in (InputKind.NUMBER, InputKind.WHOLE):
            line.setAlignment(Qt.AlignmentFlag.AlignRight)
        line.textChanged.connect(lambda typed: self._typed(entry, cell, typed))
        return line

    def _typed(self, entry: Input, cell: FormCell, text: str) -> None:
        place = (self.sheet.sheet, cell.cell)
        try:
            value = as_value(text, entry, self.locale())
        except NotUsable as why:
            self.unusable.add(entry.key)
            self.changes.pop(place, None)
            tell(self._said[entry.key], str(why))
            self._state(cell, "bad")
            self.edited.emit()
            return
        self.unusable.discard(entry.key)
        tell(self._said[entry.key], "")
        if as_text(value, self.locale()) == as_text(cell.value, self.locale()):
            self.changes.pop(place, None)
        else:
            self.changes[place] = value
        self._state(cell, self._changed_state(cell))
        self.edited.emit()

    def _changed_state(self, cell: FormCell) -> str:
        return "changed" if (self.sheet.sheet, cell.cell) in self.changes else ""

    def _state(self, cell: FormCell, state: str) -> None:
        field = self.fields[cell.key]
        if field.property("state") != state:
            field.setProperty("state", state)
            field.style().unpolish(field)
            field.style().polish(field)


def _choices(entry: Input, sheet: FormSheet) -> tuple[str, ...]:
    if entry.kind is InputKind.CHOICE:
        return entry.choices
    if entry.kind is InputKind.YES_NO:
        return ("yes", "no")
    return sheet.choices.get(entry.key, ())
