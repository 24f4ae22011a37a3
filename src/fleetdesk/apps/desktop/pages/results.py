"""Results: every result sheet of the runs as a table with its charts; copy and export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import QBuffer, QIODevice, QMarginsF, QPoint, Qt
from PySide6.QtGui import QPageLayout, QPageSize, QPainter, QPdfWriter
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from fleetdesk.apps.desktop.desk import Desk
from fleetdesk.apps.desktop.form import named, tell
from fleetdesk.apps.desktop.pages.page import Page
from fleetdesk.apps.desktop.widgets.columns import number_text
from fleetdesk.apps.desktop.widgets.table_view import TableView
from fleetdesk.apps.desktop.work.messages import Failure
from fleetdesk.apps.desktop.work.shapes import Listed, Table

if TYPE_CHECKING:
    from fleetdesk.apps.desktop.widgets.chart import ChartView

_KINDS = "Excel (*.xlsx);;CSV (*.csv);;Picture (*.png);;PDF (*.pdf)"
_MOST_CHARTS = 3


class ResultsPage(Page):
    """The results of all questions, or of one group's."""

    title: ClassVar[str] = "Results"
    icon: ClassVar[str] = "mdi6.table-large"
    form_name: ClassVar[str] = "results"
    group: ClassVar[str] = ""
    nothing: ClassVar[str] = "There are no results yet. Press Run."

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        get = self.form.get
        self.names = named(get(QListWidget, "names"), "Result sheets")
        self.names.setFixedWidth(230)
        self.finder = named(get(QLineEdit, "find"), "Find a result sheet")
        self.finder.setFixedWidth(230)
        self.filter = named(get(QLineEdit, "filter"), "Show only rows with this text")
        self.filter.setFixedWidth(200)
        self.table = TableView("Result table")
        self.form.place(QVBoxLayout, "tableBox").addWidget(self.table)
        self.charts: list[ChartView] = []
        self._chart_row = QHBoxLayout()
        self.form.place(QVBoxLayout, "chartsBox").addLayout(self._chart_row)
        get(QWidget, "charts").setVisible(False)
        get(QSplitter, "split").setSizes([320, 420])
        self.names.currentItemChanged.connect(self._chosen)
        self.finder.textChanged.connect(self._find)
        self.filter.textChanged.connect(self._filter)
        get(QPushButton, "copy").clicked.connect(self.table.copy_rows)
        get(QPushButton, "export_").clicked.connect(self.ask_where)
        self.setFocusProxy(self.names)
        self._say_nothing()

    def refresh(self) -> None:
        """List the result sheets, and show the present one anew."""
        self.desk.ask("listed", self._list)

    def forget(self) -> None:
        """Nothing of another workbook stays."""
        self.names.clear()
        self._clear()

    def retire(self) -> None:
        """Let the charts go."""
        self._drop_charts()

    def repaint_colours(self) -> None:
        """Draw the charts in the new colours."""
        if self.table.columns.table.charts:
            self._draw(self.table.columns.table)

    def choose(self, name: str) -> None:
        """Show the sheet of this name."""
        for row in range(self.names.count()):
            if self.names.item(row).data(Qt.ItemDataRole.UserRole) == name:
                self.names.setCurrentRow(row)

    def export_to(self, path: Path) -> None:
        """Write the shown sheet as .xlsx or .csv, its charts and rows as .png or .pdf."""
        suffix = path.suffix.lower()
        if suffix in (".png", ".pdf"):
            try:
                path.write_bytes(self._as_png() if suffix == ".png" else self._as_pdf())
            except OSError as error:
                self.desk.failed.emit(_not_saved(path, error))
            else:
                self._said(f"Saved {path}")
        else:
            name = self.table.columns.table.name
            self.desk.ask("export_tables", self._exported, names=[name], to=str(path))

    def ask_where(self) -> None:
        """Let the planner choose a file to export into."""
        name = self.table.columns.table.name
        if not name:
            return
        suggestion = str(self.desk.folder / f"{name}.xlsx")
        path, _ = QFileDialog.getSaveFileName(self, "Export", suggestion, _KINDS)
        if path:
            self.export_to(Path(path))

    def _list(self, found: tuple[Listed, ...]) -> None:
        shown = [sheet for sheet in found if not self.group or sheet.group == self.group]
        present = self.names.currentItem()
        name = present.data(Qt.ItemDataRole.UserRole) if present else ""
        self.names.blockSignals(True)
        self.names.clear()
        for sheet in shown:
            item = QListWidgetItem(sheet.name)
            item.setToolTip(f"Answers: {sheet.question}")
            item.setData(Qt.ItemDataRole.UserRole, sheet.name)
            self.names.addItem(item)
        self.names.blockSignals(False)
        if not shown:
            self._clear()
            return
        self.choose(name or shown[0].name)
        if self.names.currentRow() < 0:
            self.names.setCurrentRow(0)

    def _chosen(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self.desk.ask("table", self.show_table, name=item.data(Qt.ItemDataRole.UserRole))

    def show_table(self, table: Table) -> None:
        """Show a result sheet with its charts."""
        self.form.label("title").setText(table.title)
        tell(self.form.label("note"), table.note)
        self.table.show_table(table)
        self._count()
        self._draw(table)

    def _draw(self, table: Table) -> None:
        # The charts' library is loaded with the first chart, so that the window is there sooner.
        from fleetdesk.apps.desktop.widgets.chart import ChartView

        self._drop_charts()
        for chart in table.charts[:_MOST_CHARTS]:
            view = ChartView(table, chart, self.desk.theme.colours)
            self.charts.append(view)
            self._chart_row.addWidget(view)
        self.form.get(QWidget, "charts").setVisible(bool(self.charts))
        split = self.form.get(QSplitter, "split")
        needed = min(self.table.needed_height(), split.height() // 2)
        split.setSizes([split.height() - needed, needed])

    def _drop_charts(self) -> None:
        for view in self.charts:
            self._chart_row.removeWidget(view)
            view.retire()
            view.deleteLater()
        self.charts.clear()

    def _find(self, text: str) -> None:
        for row in range(self.names.count()):
            item = self.names.item(row)
            item.setHidden(text.strip().casefold() not in item.text().casefold())

    def _filter(self, text: str) -> None:
        self.table.columns.keep(text)
        self._count()

    def _count(self) -> None:
        model = self.table.columns
        shown, of = model.rowCount(), model.table.rows
        rows = number_text(of, 0)
        text = f"{rows} rows" if shown == of else f"{number_text(shown, 0)} of {rows} rows"
        self.form.label("count").setText(text)

    def _clear(self) -> None:
        self._drop_charts()
        self.table.show_table(Table("", "", "", ()))
        self._say_nothing()

    def _say_nothing(self) -> None:
        self.form.label("title").setText(self.title)
        tell(self.form.label("note"), self.nothing)
        self.form.label("count").setText("")

    def _picture_of(self) -> QWidget:
        return self.form.get(QSplitter, "split")

    def _as_png(self) -> bytes:
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        self._picture_of().grab().save(buffer, "PNG")
        return bytes(buffer.data().data())

    def _as_pdf(self) -> bytes:
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        writer = QPdfWriter(buffer)
        writer.setTitle(self.table.columns.table.title)
        writer.setPageSize(QPageSize(QPageSize.PageSizeId.A4))
        writer.setPageOrientation(QPageLayout.Orientation.Landscape)
        writer.setPageMargins(QMarginsF(12, 12, 12, 12))
        part = self._picture_of()
        painter = QPainter(writer)
        try:
            share = min(writer.width() / part.width(), writer.height() / part.height())
            painter.scale(share, share)
            part.render(painter, QPoint())
        finally:
            painter.end()
        return bytes(buffer.data().data())

    def _exported(self, files: tuple[str, ...]) -> None:
        self._said("Saved " + ", ".join(files))

    def _said(self, text: str) -> None:
        self.form.label("count").setText(text)


def _not_saved(path: Path, error: OSError) -> Failure:
    return Failure(
        f"{path.name} could not be saved", found=f"{error.strerror or error}: {path.parent}",
        fix="Choose another folder, or make room",
    )  # fmt: skip


class RidersPage(ResultsPage):
    """What is known of riders: segments, what they are worth, which leave."""

    title: ClassVar[str] = "Riders"
    icon: ClassVar[str] = "mdi6.account-group-outline"
    group: ClassVar[str] = "Riders"
    nothing: ClassVar[str] = (
        "No question about riders has been answered yet. Tick some on the page Run, and run."
    )
