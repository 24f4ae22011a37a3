"""Packages under other terms: changed in the page, and what riders would do is said at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QPushButton, QSplitter, QVBoxLayout

from fleetdesk.apps.desktop.desk import Desk
from fleetdesk.apps.desktop.form import tell
from fleetdesk.apps.desktop.pages.page import Page
from fleetdesk.apps.desktop.widgets.columns import number_text
from fleetdesk.apps.desktop.widgets.list_editor import ListEditor
from fleetdesk.apps.desktop.widgets.table_view import TableView
from fleetdesk.apps.desktop.work.messages import Failure
from fleetdesk.apps.desktop.work.shapes import PackageDesk, PackageOutcome, Table, Terms

if TYPE_CHECKING:
    from fleetdesk.apps.desktop.widgets.chart import ChartView

_TRY_MS = 300


class PackagesPanel(Page):
    """Tries what is typed on the riders of today, in the process that keeps them at hand."""

    sheet_wanted = Signal(str)

    title: ClassVar[str] = "Packages and prices"
    form_name: ClassVar[str] = "packages"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        get = self.form.get
        self.figures = TableView("What packages under these terms would bring")
        self.form.place(QVBoxLayout, "figuresBox").addWidget(self.figures)
        self.reset, self.write = get(QPushButton, "reset"), get(QPushButton, "write")
        self.reset.clicked.connect(self._reset)
        self.write.clicked.connect(self._write)
        get(QPushButton, "sheet").clicked.connect(self._open_sheet)
        get(QSplitter, "panes").setSizes([690, 490])
        self.editor: ListEditor | None = None
        self.outcome: PackageOutcome | None = None
        self._packages: PackageDesk | None = None
        self._chart: ChartView | None = None
        self._asked = 0
        self._note = ""
        self._trying = QTimer(self)
        self._trying.setSingleShot(True)
        self._trying.setInterval(_TRY_MS)
        self._trying.timeout.connect(self._try)
        self._clear("")

    def refresh(self) -> None:
        """Read the packages; terms that were typed stay."""
        self.desk.weigh("packages", self._read, self._not_read)

    def forget(self) -> None:
        """Nothing of another workbook stays."""
        self._note = ""
        self._clear("")

    def retire(self) -> None:
        """Let the chart go."""
        self._trying.stop()
        self._drop_chart()

    def repaint_colours(self) -> None:
        """Draw the chart and mark the changed cells in the new colours."""
        if self.outcome is not None:
            self._draw(self.outcome.moves)

    def _read(self, found: PackageDesk) -> None:
        before = self._packages
        if before is None or not self._differs():
            self.show_packages(found, found.typed)
            return
        # Terms go by the packages' names, so that they can still be tried and written.
        self._packages = replace(before, fingerprint=found.fingerprint, generation=found.generation)
        if found.sheet != before.sheet:
            self._note = "The packages were changed elsewhere; Back to today's shows them."
        self._try()

    def show_packages(self, found: PackageDesk, typed: Mapping[str, object]) -> None:
        """List the packages with what is `typed` over them by cell, and try that."""
        self._clear("Foretelling how far riders will ride …")
        self._packages, sheet = found, found.sheet
        editor = ListEditor(sheet, self.desk.theme, "package", stay=True)
        editor.model.changes |= {(sheet.sheet, cell): value for cell, value in typed.items()}
        editor.fit_height()
        editor.edited.connect(self._typed)
        self.form.place(QVBoxLayout, "listBox").addWidget(editor)
        self.editor = editor
        self._try()

    def terms(self) -> Terms:
        """What differs from the packages of today, by package."""
        if self.editor is None:
            return ()
        sheet, changes = self.editor.sheet.sheet, self.editor.changes
        found = []
        for row in self.editor.model.rows:
            typed = {
                cell.key: changes[sheet, cell.cell] for cell in row if (sheet, cell.cell) in changes
            }
            if any(value is not None for value in typed.values()):
                fixed = {cell.key: cell.value for cell in row if cell.key in ("name", "on_offer")}
                there = {key: value for key, value in fixed.items() if value is not None}
                found.append({**there, **typed})
        return found

    def _typed(self) -> None:
        self._note = ""
        if self.editor is not None:
            self.editor.fit_height()
        self._buttons()
        self._trying.start()

    def _try(self) -> None:
        self._buttons()
        if self._packages is None:
            return
        self._asked += 1
        asked = self._asked
        self.desk.weigh(
            "package_trial", lambda found: self._tried(asked, found),
            lambda failure: self._not_tried(asked, failure), terms=self.terms(),
            fingerprint=self._packages.fingerprint, generation=self._packages.generation,
        )  # fmt: skip

    def _tried(self, asked: int, found: PackageOutcome) -> None:
        if asked != self._asked:
            return
        self.outcome = found
        self._state(self._note)
        self.form.label("said").setText(self._in_words(found))
        self.figures.show_table(found.figures)
        self._draw(found.moves)

    def _in_words(self, found: PackageOutcome) -> str:
        if not self.terms() or self._packages is None:
            return "The packages as they are"
        change, low, high = (number_text(one, 2, signed=True) for one in found.margin)
        money = self._packages.sheet.currency
        moved, riders = number_text(found.moved, 0), number_text(found.riders, 0)
        return f"Margin {change} {money} a month ({low} to {high}); {moved} of {riders} riders move"

    def _not_tried(self, asked: int, failure: Failure) -> None:
        if asked == self._asked:
            self.form.label("said").setText("")
            self._state(failure.text)

    def _not_read(self, failure: Failure) -> None:
        self._clear(failure.text)

    def _write(self) -> None:
        if self._packages is not None:
            self.write.setEnabled(False)
            self.desk.ask(
                "save_packages", self._written, self._not_written, terms=self.terms(),
                expect=self._packages.fingerprint,
            )  # fmt: skip

    def _written(self, _: str) -> None:
        self._packages = None
        self._note = "Written on the sheet Package trial. A run keeps the answer in the workbook."
        self.desk.changed.emit()

    def _not_written(self, failure: Failure) -> None:
        self._buttons()
        self.desk.failed.emit(failure)

    def _reset(self) -> None:
        self._note = ""
        self.desk.weigh("packages", lambda found: self.show_packages(found, {}), self._not_read)

    def _open_sheet(self) -> None:
        if self._packages is not None:
            self.sheet_wanted.emit(self._packages.sheet.sheet)

    def _differs(self) -> bool:
        """Whether something is typed that the workbook does not say."""
        assert self._packages is not None and self.editor is not None
        typed = {cell: value for (_, cell), value in self.editor.changes.items()}
        return typed != dict(self._packages.typed)

    def _buttons(self) -> None:
        there = self._packages is not None and self.editor is not None
        self.reset.setEnabled(bool(there and self.terms()))
        self.write.setEnabled(bool(there and self._differs()))

    def _state(self, text: str) -> None:
        tell(self.form.label("told"), text)

    def _draw(self, moves: Table) -> None:
        from fleetdesk.apps.desktop.widgets.chart import ChartView

        self._drop_chart()
        if moves.charts:
            self._chart = ChartView(moves, moves.charts[0], self.desk.theme.colours)
            self.form.place(QVBoxLayout, "movesBox").addWidget(self._chart)
        self.form.get(QSplitter, "panes").setVisible(True)

    def _clear(self, said: str) -> None:
        self._packages = self.outcome = None
        self._asked += 1
        self._trying.stop()
        self._drop_editor()
        self._drop_chart()
        self.form.label("said").setText("")
        self.form.get(QSplitter, "panes").setVisible(False)
        self._state(said)
        self._buttons()

    def _drop_editor(self) -> None:
        if self.editor is not None:
            # A cell that is still open in it is closed now, which is no typing any more.
            self.editor.blockSignals(True)
            self.editor.hide()
            self.editor.deleteLater()
            self.editor = None

    def _drop_chart(self) -> None:
        if self._chart is not None:
            self._chart.retire()
            self._chart.deleteLater()
            self._chart = None
