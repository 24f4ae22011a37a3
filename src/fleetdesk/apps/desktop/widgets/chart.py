"""A chart of a result table on screen, drawn from the same description as the workbook's."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from textwrap import wrap

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from fleetdesk.apps.desktop.form import named
from fleetdesk.apps.desktop.work.shapes import Column, Table, Values
from fleetdesk.model.charts import Chart, ChartKind, Series
from fleetdesk.outputs.palette import contrast

_LONGEST, _LINE = 16, 10
_GAP = 6
# What WCAG asks of lines and bars.
_SEEN = 3.0
_FEW = 5


class ChartView(QWidget):
    """One chart with its title; what it shows is also said in words for screen readers."""

    def __init__(self, table: Table, chart: Chart, colours: Mapping[str, str]) -> None:
        super().__init__()
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(2)
        title = QLabel(chart.title)
        title.setProperty("role", "heading")
        box.addWidget(title)
        note = QLabel(chart.note)
        note.setProperty("role", "quiet")
        note.setWordWrap(True)
        note.setVisible(bool(chart.note))
        box.addWidget(note)
        if len(chart.series) > 1:
            legend = QLabel(_legend(chart, colours))
            legend.setWordWrap(True)
            box.addWidget(legend)
        if chart.kind is not ChartKind.BAR:
            # Above the axis and lying: standing beside it, it would be cut off in a low window.
            unit = QLabel(chart.value_title)
            unit.setProperty("role", "quiet")
            box.addWidget(unit)
        self.plot = pg.PlotWidget(background=colours["paper"])
        named(self.plot, chart.alt_text)
        self.plot.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.plot.setMinimumHeight(130)
        box.addWidget(self.plot, 1)
        _dress(self.plot, colours)
        _Drawing(self.plot, table, chart, colours).draw()

    def retire(self) -> None:
        """Let go of what pyqtgraph keeps of a plot."""
        self.plot.close()


def _dress(plot: pg.PlotWidget, colours: Mapping[str, str]) -> None:
    plot.setMenuEnabled(False)
    plot.setMouseEnabled(x=False, y=False)
    plot.hideButtons()
    # What is written below the axis hangs over its edge by some dots.
    plot.getPlotItem().setContentsMargins(0, 0, 0, 6)
    plot.showGrid(x=False, y=True, alpha=0.15)
    for side in ("left", "bottom"):
        axis = plot.getAxis(side)
        axis.setPen(pg.mkPen(colours["line"]))
        axis.setTextPen(pg.mkPen(colours["text"]))
        axis.setStyle(tickFont=plot.font(), autoExpandTextSpace=True)
        # Lines of the grid go behind what is drawn.
        axis.setZValue(-1)


class _Drawing:
    def __init__(
        self, plot: pg.PlotWidget, table: Table, chart: Chart, colours: Mapping[str, str]
    ) -> None:
        self._plot, self._table, self._chart, self._colours = plot, table, chart, colours
        categories = table.column(chart.categories)
        assert categories is not None, "only charts of columns that are there are shown"
        self._categories = categories
        lines = {ChartKind.LINE, ChartKind.STEP}
        self._numeric = chart.kind in lines and categories.is_number
        self._x: Values = (
            categories.values if self._numeric else np.arange(table.rows, dtype="float64")
        )

    def draw(self) -> None:
        chart = self._chart
        lying = chart.kind is ChartKind.BAR
        values, places = ("bottom", "left") if lying else ("left", "bottom")
        css = {"color": self._colours["quiet"]}
        if lying:
            self._plot.setLabel(values, chart.value_title, **css)
        else:
            self._plot.setLabel(places, chart.x_title, **css)
        if lying:
            self._plot.getPlotItem().invertY(True)
        if not self._numeric and not lying:
            # Few columns stay slim: they stand as wide as if there were five.
            beside = max(0.0, (_FEW - self._table.rows) / 2)
            self._plot.setXRange(-0.5 - beside, self._table.rows - 0.5 + beside, padding=0.02)
        if not self._numeric:
            self._plot.getViewBox().sigResized.connect(lambda _: self._ticks(lying=lying))
            self._ticks(lying=lying)
        bars = [series for series in chart.series if not series.mark]
        floor = np.zeros(self._table.rows)
        for number, series in enumerate(chart.series):
            column = self._table.column(series.header)
            assert column is not None
            if series.mark:
                self._points(series, column.values)
            elif chart.kind in (ChartKind.LINE, ChartKind.STEP):
                self._line(series, column.values, dotted=number % 2 == 1)
            else:
                floor = self._bars(series, column.values, floor, bars.index(series), len(bars))

    def _ticks(self, *, lying: bool) -> None:
        """Names of as many categories as there is room for beside each other."""
        box, metrics = self._plot.getViewBox(), self._plot.fontMetrics()
        names = [_short(self._categories, place) for place in range(self._table.rows)]
        if lying:
            axis, shown, needed = "left", names, metrics.height()
        else:
            lines = [wrap(name, _LINE, break_on_hyphens=False) for name in names]
            axis, shown = "bottom", ["\n".join(parts) for parts in lines]
            widths = (metrics.horizontalAdvance(part) for parts in lines for part in parts)
            needed = max(widths, default=0) + _GAP
        low, high = box.viewRange()[1 if lying else 0]
        room = (box.height() if lying else box.width()) / (high - low)
        every = max(1, math.ceil(needed / max(room, 1.0)))
        ticks = [(float(at), shown[at]) for at in range(0, len(shown), every)]
        self._plot.getAxis(axis).setTicks([ticks])

    def _line(self, series: Series, values: Values, *, dotted: bool) -> None:
        style = Qt.PenStyle.DashLine if dotted else Qt.PenStyle.SolidLine
        pen = pg.mkPen(self._colour(series), width=2, style=style)
        step = "right" if self._chart.kind is ChartKind.STEP else None
        self._plot.plot(self._x, values, pen=pen, stepMode=step, connect="finite")

    def _points(self, series: Series, values: Values) -> None:
        there = ~np.isnan(values)
        colour = QColor(self._colour(series))
        self._plot.plot(
            self._x[there], values[there], pen=None, symbol="d", symbolSize=12,
            symbolBrush=colour, symbolPen=pg.mkPen(self._colours["text"]),
        )  # fmt: skip

    def _bars(self, series: Series, values: Values, floor: Values, number: int, of: int) -> Values:
        heights = np.nan_to_num(values)
        brush, pen = pg.mkBrush(self._colour(series)), pg.mkPen(None)
        stacked = self._chart.kind is ChartKind.STACKED
        wide = 0.7 if stacked else 0.7 / of
        shift = 0.0 if stacked else (number - (of - 1) / 2) * wide
        if self._chart.kind is ChartKind.BAR:
            item = pg.BarGraphItem(
                x0=0, y=self._x + shift, height=wide, width=heights, brush=brush, pen=pen,
            )  # fmt: skip
        else:
            item = pg.BarGraphItem(
                x=self._x + shift, width=wide, y0=floor if stacked else 0, height=heights,
                brush=brush, pen=pen,
            )  # fmt: skip
        self._plot.addItem(item)
        return floor + heights if stacked else floor

    def _colour(self, series: Series) -> str:
        return _shown_colour(series, self._colours)


def _shown_colour(series: Series, colours: Mapping[str, str]) -> str:
    """The series' colour, on dark ground as light as it has to be; near-black ones turn white."""
    paper, shown = colours["paper"], QColor(series.colour)
    if QColor(paper).lightness() >= 128:
        return series.colour
    if shown.lightness() < 60:
        return colours["text"]
    while contrast(shown.name(), paper) < _SEEN and shown.value() < 255:
        shown = shown.lighter(110)
    return shown.name()


def _legend(chart: Chart, colours: Mapping[str, str]) -> str:
    """The series' names behind a sign in their colour, above the plot so that it hides nothing."""
    lines = chart.kind in (ChartKind.LINE, ChartKind.STEP)
    parts = []
    for number, series in enumerate(chart.series):
        dashed = "╍╍" if number % 2 else "━━"
        sign = "◆" if series.mark else dashed if lines else "■"
        colour = _shown_colour(series, colours)
        parts.append(f'<span style="color:{colour}">{sign}</span>&nbsp;{escape(series.name)}')
    return "&nbsp;&nbsp; ".join(parts)


def _short(column: Column, place: int) -> str:
    value = column.values[place]
    text = f"{value:g}" if column.is_number else str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
