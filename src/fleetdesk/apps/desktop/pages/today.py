"""Today: what needs attention, where the fleet is, and which tasks are worth doing."""

from __future__ import annotations

from typing import ClassVar

from PySide6.QtCore import QLocale, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout

from fleetdesk.apps.desktop.desk import Desk
from fleetdesk.apps.desktop.form import tell
from fleetdesk.apps.desktop.pages.page import Page
from fleetdesk.apps.desktop.widgets.columns import day_text, number_text
from fleetdesk.apps.desktop.widgets.map_view import MapView
from fleetdesk.apps.desktop.widgets.table_view import TableView
from fleetdesk.apps.desktop.work.messages import Failure
from fleetdesk.apps.desktop.work.shapes import Figure, Overview, Table
from fleetdesk.errors import Problem, Severity

_WARNINGS_SHOWN = 3


class TodayPage(Page):
    """The first page of the day."""

    title: ClassVar[str] = "Today"
    icon: ClassVar[str] = "mdi6.calendar-today"
    form_name: ClassVar[str] = "today"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.map = MapView("Map of the plan")
        self.form.place(QVBoxLayout, "mapBox").addWidget(self.map)
        self.availability = TableView("Availability by cause")
        self.form.place(QVBoxLayout, "availabilityBox").addWidget(self.availability)
        self.tasks = TableView("Tasks worth doing")
        self.form.place(QVBoxLayout, "tasksBox").addWidget(self.tasks)
        for name in ("trouble", "warnings"):
            tell(self.form.label(name), "")
        self.setFocusProxy(self.tasks)

    def refresh(self) -> None:
        """Look at the workspace, then whether its workbook can be run as it is."""
        self.desk.ask("overview", self.show_overview)
        self.desk.ask("check_forms", self._checked, self._unreadable, changes=())

    def forget(self) -> None:
        """Nothing of another workbook stays."""
        tell(self.form.label("trouble"), "")

    def retire(self) -> None:
        """Let the map go."""
        self.map.retire()

    def show_overview(self, found: Overview) -> None:
        """Put a workspace's state on the page."""
        run = found.run
        self.form.label("day").setText(found.city)
        tell(self.form.label("when"), _when(found))
        warnings = list(found.issues[:_WARNINGS_SHOWN])
        more = len(found.issues) - len(warnings)
        if more > 0:
            warnings.append(f"and {more} more on the result Issues")
        tell(self.form.label("warnings"), "\n".join(warnings))
        self._figures(found.figures)
        empty = Table("", "", "", ())
        self.availability.show_table(_bare(found.availability) or empty)
        self.availability.fit_height()
        self.tasks.show_table(found.tasks or empty)
        self.map.show_file(run.map_path if run else "", found.under)

    def _checked(self, problems: tuple[Problem, ...]) -> None:
        wrong = [problem for problem in problems if problem.severity is Severity.ERROR]
        shown = [str(problem) for problem in wrong[:_WARNINGS_SHOWN]]
        if len(wrong) > len(shown):
            shown.append(f"and {len(wrong) - len(shown)} more on the page Settings")
        said = ["Nothing can be run before this is mended:", *shown] if wrong else []
        tell(self.form.label("trouble"), "\n".join(said))

    def _unreadable(self, failure: Failure) -> None:
        tell(self.form.label("trouble"), failure.text)

    def _figures(self, figures: tuple[Figure, ...]) -> None:
        row = self.form.place(QHBoxLayout, "figures")
        while (item := row.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        for figure in figures:
            row.addWidget(_card(figure))


def _card(figure: Figure) -> QFrame:
    card = QFrame()
    card.setProperty("role", "card")
    box = QVBoxLayout(card)
    box.setContentsMargins(14, 10, 14, 10)
    box.setSpacing(2)
    shown = f"{number_text(figure.value, figure.decimals)} {figure.unit}".strip()
    for text, role in ((figure.label, "quiet"), (shown, "number")):
        label = QLabel(text)
        label.setProperty("role", role)
        label.setWordWrap(True)
        label.setAlignment(Qt.AlignmentFlag.AlignBottom)
        box.addWidget(label)
    card.setToolTip(figure.help)
    card.setAccessibleName(f"{figure.label}: {shown}")
    return card


def _when(found: Overview) -> str:
    run = found.run
    if run is None:
        return f"No run yet: press Run. Records: {found.records}"
    local, locale = run.started_at.astimezone(), QLocale()
    return f"Last run {day_text(local, locale)} {local:%H:%M}. Records: {found.records}"


def _bare(table: Table | None) -> Table | None:
    """Without the column that only says how each cause is counted."""
    if table is None:
        return None
    kept = tuple(column for column in table.columns if column.header != "Counted")
    return Table(table.name, table.title, table.note, kept)
