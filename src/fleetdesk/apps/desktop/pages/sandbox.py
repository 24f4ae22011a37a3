"""What if: thresholds tried on past days and packages on today's riders; nothing is sold or set."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QProgressBar,
    QPushButton,
    QSpinBox,
    QSplitter,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from fleetdesk.apps.desktop.desk import Desk
from fleetdesk.apps.desktop.form import named, tell
from fleetdesk.apps.desktop.pages.packages import PackagesPanel
from fleetdesk.apps.desktop.pages.page import Page
from fleetdesk.apps.desktop.widgets.table_view import TableView
from fleetdesk.apps.desktop.work.messages import Failure
from fleetdesk.apps.desktop.work.shapes import Column, Table, TrialRow, Trials
from fleetdesk.model.charts import Chart, ChartKind, Series
from fleetdesk.sheets.base import CellStyle

if TYPE_CHECKING:
    from fleetdesk.apps.desktop.widgets.chart import ChartView

_TITLE = "Trying thresholds"
_FULL = 1000


class SandboxPage(Page):
    """Choose a range of thresholds and compare them; a second page in it changes packages.

    `sheet_wanted` names the settings sheet that the planner should be shown.
    """

    sheet_wanted = Signal(str)

    title: ClassVar[str] = "What if"
    icon: ClassVar[str] = "mdi6.flask-outline"
    form_name: ClassVar[str] = "sandbox"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        get = self.form.get
        self.low = named(get(QSpinBox, "low"), "Lowest threshold")
        self.high = named(get(QSpinBox, "high"), "Highest threshold")
        self.step = named(get(QSpinBox, "stepBy"), "Steps between thresholds")
        self.start = get(QPushButton, "try_")
        self.stop = get(QPushButton, "stop")
        self.progress = named(get(QProgressBar, "progress"), "How far the trial is")
        self.table = TableView("Thresholds tried")
        self.form.place(QVBoxLayout, "tableBox").addWidget(self.table)
        self._chart: ChartView | None = None
        get(QWidget, "chart").setVisible(False)
        get(QSplitter, "split").setSizes([330, 270])
        self.table.setVisible(False)
        self._trials: Trials | None = None
        self._trying = False
        self.packages = PackagesPanel(desk)
        self.packages.sheet_wanted.connect(self.sheet_wanted)
        self.form.place(QVBoxLayout, "packagesBox").addWidget(self.packages)
        self.tabs = named(get(QTabWidget, "tabs"), "What to change")
        self.start.clicked.connect(self.try_out)
        self.stop.clicked.connect(desk.cancel)
        desk.began.connect(lambda _: self._buttons())
        desk.stepped.connect(self._stepped)
        desk.ended.connect(self._ended)
        self.setFocusProxy(self.tabs)
        self._buttons()

    def forget(self) -> None:
        """Nothing of another workbook stays."""
        self._drop()
        self.table.show_table(Table("", "", "", ()))

    def retire(self) -> None:
        """Let the charts go."""
        self._drop()
        self.packages.retire()

    def repaint_colours(self) -> None:
        """Draw the charts in the new colours."""
        self.packages.repaint_colours()
        if self._trials is not None:
            self.show_trials(self._trials)

    def try_out(self) -> None:
        """Try the range."""
        low, high = sorted((self.low.value(), self.high.value()))
        thresholds = list(range(low, high + 1, self.step.value()))
        # Progress comes while this is being said, so it is known to be ours before.
        self._trying = not self.desk.busy
        self.desk.start(_TITLE, "sandbox", workbook=self.desk.workbook, thresholds=thresholds)

    def show_trials(self, found: Trials) -> None:
        """Show what each threshold would have brought a day."""
        from fleetdesk.apps.desktop.widgets.chart import ChartView

        self._trials = found
        table = _table(found)
        self.table.show_table(table)
        self.table.setVisible(True)
        self._drop()
        self._chart = ChartView(table, table.charts[0], self.desk.theme.colours)
        self.form.place(QVBoxLayout, "chartBox").addWidget(self._chart)
        self.form.get(QWidget, "chart").setVisible(True)

    def _stepped(self, step: str, share: float) -> None:
        if self._trying:
            self.progress.setValue(round(share * _FULL))
            self.form.label("state").setText(step)

    def _ended(self, title: str, outcome: object, took_s: float) -> None:
        self._trying = False
        self._buttons()
        self.progress.setValue(0)
        if title != _TITLE:
            return
        if isinstance(outcome, Trials):
            self.show_trials(outcome)
            text = f"Per day, over {outcome.days} past days; {took_s:.0f} s"
            self.form.label("state").setText(text)
        elif isinstance(outcome, Failure):
            tell(self.form.label("state"), outcome.text)

    def _buttons(self) -> None:
        self.start.setEnabled(not self.desk.busy)
        self.stop.setEnabled(self._trying)
        self.progress.setVisible(self._trying)

    def _drop(self) -> None:
        if self._chart is not None:
            self._chart.retire()
            self._chart.deleteLater()
            self._chart = None


def _table(found: Trials) -> Table:
    money = f"{found.roi_name} ({found.currency} a day)"
    by_threshold = {row.threshold_pct: row for row in found.rows if row.threshold_pct is not None}
    tried = list(by_threshold.values())
    rule = next((row for row in found.rows if row.threshold_pct is None), None)
    tried.sort(key=lambda row: row.threshold_pct or 0.0)

    def numbers(name: str, style: CellStyle, of: str) -> Column:
        values = [getattr(row, of) for row in tried]
        return Column(
            name, style, np.array([np.nan if v is None else v for v in values], dtype="float64")
        )

    columns = (
        numbers("Threshold (%)", CellStyle.INTEGER, "threshold_pct"),
        numbers("Swaps a day", CellStyle.DECIMAL, "swaps"),
        numbers(money, CellStyle.MONEY, "roi"),
        numbers("Crew time at vehicles (h a day)", CellStyle.DECIMAL, "crew_h"),
        numbers("Missed rides a day", CellStyle.DECIMAL, "missed_rides"),
        numbers("Cost/revenue (%)", CellStyle.PERCENT, "cost_per_revenue_pct"),
    )
    chart = Chart(
        ChartKind.LINE, "What a day would have brought, by threshold", "Threshold (%)",
        found.roi_name, f"{found.currency} a day", "Threshold (%)", (Series(money, "#0072B2"),),
        note=_rule(rule, found.currency),
    )  # fmt: skip
    return Table("What if", "What if", "", columns, (chart,))


def _rule(row: TrialRow | None, currency: str) -> str:
    if row is None:
        return ""
    return f"Swapping wherever it pays would have brought {row.roi:.2f} {currency} a day."
