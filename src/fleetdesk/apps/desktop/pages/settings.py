"""Settings: the workbook's sheets as typed forms; what is saved goes into the workbook's cells."""

from __future__ import annotations

from typing import ClassVar

from PySide6.QtCore import QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QStackedWidget,
)

from fleetdesk.apps.desktop.desk import Desk
from fleetdesk.apps.desktop.form import named, tell
from fleetdesk.apps.desktop.pages.page import Page
from fleetdesk.apps.desktop.widgets.form_editor import Changes, FormEditor
from fleetdesk.apps.desktop.widgets.list_editor import ListEditor
from fleetdesk.apps.desktop.work.messages import Failure
from fleetdesk.apps.desktop.work.shapes import Forms, FormSheet
from fleetdesk.errors import Problem, Severity
from fleetdesk.model.sheet_template import Layout

_CHECK_MS = 350
_STATE_EM = 16


class SettingsPage(Page):
    """Edits are checked while typing, against all sheets at once, and saved in one step."""

    title: ClassVar[str] = "Settings"
    icon: ClassVar[str] = "mdi6.tune-variant"
    form_name: ClassVar[str] = "settings"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        get = self.form.get
        self.sheets = named(get(QListWidget, "sheets"), "Settings sheets")
        self.editors = get(QStackedWidget, "editors")
        self.save = get(QPushButton, "save")
        self.discard = get(QPushButton, "discard")
        self.take_back = get(QPushButton, "takeBack")
        self._forms: Forms | None = None
        self._outdated = False
        self._wanted = ""
        self._last: list[tuple[str, str, object]] = []
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_CHECK_MS)
        self._timer.timeout.connect(self._check)
        self.sheets.currentRowChanged.connect(self._chosen)
        self.save.clicked.connect(self.save_changes)
        self.discard.clicked.connect(self.discard_changes)
        self.take_back.clicked.connect(self._take_back)
        tell(self.form.label("problems"), "")
        self.setFocusProxy(self.sheets)
        self._buttons()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The bar fits its width."""
        super().resizeEvent(event)
        self._fit_bar()

    def repaint_colours(self) -> None:
        """The bar fits its texts."""
        self._fit_bar()

    def _fit_bar(self) -> None:
        """Say what has changed above the buttons where there is no room beside them."""
        bar, buttons = (self.form.place(QHBoxLayout, name) for name in ("barRow", "barButtons"))
        state = _STATE_EM * self.fontMetrics().averageCharWidth()
        beside = buttons.sizeHint().width() + bar.spacing() + state <= bar.contentsRect().width()
        way = QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom
        bar.setDirection(way)

    def refresh(self) -> None:
        """Read the sheets, unless there are changes that would be lost."""
        if self.changes():
            self.desk.ask("forms", self._compare, self._cannot_read)
            return
        self.desk.ask("forms", self.show_forms, self._cannot_read)

    def _compare(self, forms: Forms) -> None:
        """A run writes results alone, so that what was typed meanwhile can still be saved."""
        if self._forms is not None and forms.sheets == self._forms.sheets:
            self._forms = forms
            self._buttons()
            return
        self._outdated = True
        self.form.label("state").setText(
            "The workbook was changed elsewhere. Discard your changes here to see it as it is."
        )

    def forget(self) -> None:
        """Nothing of another workbook stays."""
        self._forms, self._last = None, []
        self._drop()

    def changes(self) -> Changes:
        """All values that differ from the workbook."""
        merged: Changes = {}
        for editor in self._editors():
            merged |= editor.changes
        return merged

    def editor(self, sheet: str) -> FormEditor | ListEditor:
        """The editor of one sheet."""
        return next(editor for editor in self._editors() if editor.sheet.sheet == sheet)

    def choose(self, sheet: str) -> None:
        """Show the sheet of this name, now or once the sheets have been read."""
        self._wanted = sheet
        self._show_wanted()

    def _show_wanted(self) -> None:
        for row, editor in enumerate(self._editors()):
            if self._wanted and editor.sheet.sheet == self._wanted:
                self.sheets.setCurrentRow(row)
                self._wanted = ""

    def show_forms(self, forms: Forms) -> None:
        """Lay the sheets out."""
        row = max(self.sheets.currentRow(), 0)
        self._forms, self._outdated = forms, False
        self._drop()
        for sheet in forms.sheets:
            form = sheet.layout is Layout.FORM
            editor = FormEditor(sheet) if form else ListEditor(sheet, self.desk.theme)
            editor.edited.connect(self._edited)
            self.editors.addWidget(editor)
            self.sheets.addItem(QListWidgetItem(sheet.sheet))
        self.sheets.setCurrentRow(min(row, self.sheets.count() - 1))
        self._show_wanted()
        self._tell(forms.problems)
        self._buttons()

    def save_changes(self) -> None:
        """Write the changes into their cells."""
        if self._forms is None or not self.changes():
            return
        changes = [(sheet, cell, value) for (sheet, cell), value in self.changes().items()]
        before = self._before(changes)
        self.save.setEnabled(False)
        self.desk.ask(
            "save_forms",
            lambda fingerprint: self._saved(fingerprint, before),
            self._not_saved,
            changes=changes,
            expect=self._forms.fingerprint,
        )

    def discard_changes(self) -> None:
        """Show the sheets as they stand in the workbook."""
        for editor in self._editors():
            editor.changes.clear()
        self.desk.ask("forms", self.show_forms, self._cannot_read)

    def _before(self, changes: list[tuple[str, str, object]]) -> list[tuple[str, str, object]]:
        assert self._forms is not None
        was = {
            (sheet.sheet, cell.cell): cell.value
            for sheet in self._forms.sheets for row in sheet.rows for cell in row
        }  # fmt: skip
        return [(sheet, cell, was.get((sheet, cell))) for sheet, cell, _ in changes]

    def _saved(self, _: str, before: list[tuple[str, str, object]]) -> None:
        self._last = before
        for editor in self._editors():
            editor.changes.clear()
        self.form.label("state").setText("Saved into the workbook. Run to see what it changes.")
        self.desk.ask("forms", self.show_forms, self._cannot_read)
        self.desk.changed.emit()

    def _not_saved(self, failure: Failure) -> None:
        self._buttons()
        self.form.label("state").setText("Not saved.")
        self.desk.failed.emit(failure)

    def _take_back(self) -> None:
        if self._forms is None or not self._last:
            return
        self.desk.ask(
            "save_forms", lambda fingerprint: self._saved(fingerprint, []), self._not_saved,
            changes=self._last, expect=self._forms.fingerprint,
        )  # fmt: skip

    def _edited(self) -> None:
        self._buttons()
        self._timer.start()

    def _check(self) -> None:
        if self._forms is None:
            return
        changes = [(sheet, cell, value) for (sheet, cell), value in self.changes().items()]
        self.desk.ask("check_forms", self._tell, self._cannot_read, changes=changes)

    def _tell(self, problems: tuple[Problem, ...]) -> None:
        """Each problem beside its value; those of whole sheets above the form."""
        errors = [problem for problem in problems if problem.severity is not Severity.NOTE]
        whole: list[str] = []
        for number, editor in enumerate(self._editors()):
            mine = [problem for problem in errors if problem.sheet == editor.sheet.sheet]
            by_cell = {
                problem.cell: f"{problem.what}. {problem.fix}".strip()
                for problem in mine if problem.cell
            }  # fmt: skip
            editor.tell_problems(by_cell)
            whole += [str(problem) for problem in mine if not problem.cell]
            count = len([p for p in mine if p.severity is Severity.ERROR]) + len(editor.unusable)
            item = self.sheets.item(number)
            item.setText(f"{editor.sheet.sheet}  ({count})" if count else editor.sheet.sheet)
            item.setToolTip(f"{count} problems" if count else "")
        known = {editor.sheet.sheet for editor in self._editors()}
        whole += [str(problem) for problem in errors if problem.sheet not in known]
        tell(self.form.label("problems"), "\n".join(whole))

    def _cannot_read(self, failure: Failure) -> None:
        self.form.label("state").setText("")
        tell(self.form.label("problems"), failure.text)

    def _chosen(self, row: int) -> None:
        if self._forms is None or not 0 <= row < len(self._forms.sheets):
            return
        sheet: FormSheet = self._forms.sheets[row]
        self.editors.setCurrentIndex(row)
        self.form.label("title").setText(sheet.sheet)
        self.form.label("intro").setText(sheet.intro)

    def _buttons(self) -> None:
        count = len(self.changes())
        unusable = sum(len(editor.unusable) for editor in self._editors())
        why = self._forms.read_only if self._forms else ""
        self.save.setEnabled(bool(count) and not unusable and not why)
        self.discard.setEnabled(bool(count or unusable))
        self.take_back.setEnabled(bool(self._last) and not count)
        state = self.form.label("state")
        if why:
            state.setText(why)
        elif unusable:
            state.setText(f"{unusable} cannot be used yet")
        elif count and not self._outdated:
            state.setText(f"{count} changed" if count > 1 else "1 changed")
        elif not count and not state.text().startswith("Saved"):
            state.setText("As in the workbook")

    def _editors(self) -> list[FormEditor | ListEditor]:
        found = (self.editors.widget(number) for number in range(self.editors.count()))
        return [editor for editor in found if isinstance(editor, FormEditor | ListEditor)]

    def _drop(self) -> None:
        self.sheets.blockSignals(True)
        self.sheets.clear()
        self.sheets.blockSignals(False)
        while (editor := self.editors.widget(0)) is not None:
            self.editors.removeWidget(editor)
            editor.deleteLater()
