"""Charts beside our tables in a running Excel, each known by its name.

Source: Excel's object model (ChartObjects, Series, Axes), which COM gives on Windows only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from fleetdesk.model.charts import Chart, ChartKind, Series
from fleetdesk.sheets.a1 import Area
from fleetdesk.sheets.base import ResultSheet, Value
from fleetdesk.sheets.chart_scale import scale
from fleetdesk.sheets.excel_page import Page

_COLUMN, _STACKED, _BAR, _LINE, _SCATTER = 51, 52, 57, 4, 75
_TYPES = {
    ChartKind.COLUMN: _COLUMN,
    ChartKind.STACKED: _STACKED,
    ChartKind.BAR: _BAR,
    ChartKind.LINE: _LINE,
    ChartKind.STEP: _LINE,
}
_CATEGORIES, _VALUES = 1, 2
_CIRCLE, _NO_LINE, _BELOW = 8, 0, -4107
_SIZE_PT, _GAP_PT = (480.0, 270.0), 15.0


def draw_charts(page: Page, sheet: ResultSheet, area: Area, right: int) -> None:
    """Renew the sheet's charts, add new ones past column `right`, remove those not wanted.

    A chart that is there keeps the place and size that the planner gave it.
    """
    wanted = sheet.charts if sheet.rows else ()
    names = [f"FleetDesk {sheet.table_name} {number}" for number in range(len(wanted))]
    there = {str(one.Name): one for one in page.do(lambda: list(_objects(page)))}
    for name, one in there.items():
        if name.startswith(f"FleetDesk {sheet.table_name} ") and name not in names:
            page.do(one.Delete)
    for number, (name, chart) in enumerate(zip(names, wanted, strict=True)):
        one = there.get(name) or page.do(lambda n=number: _added(page, area, right, n))  # type: ignore[misc]
        page.do(lambda o=one, n=name: setattr(o, "Name", n))  # type: ignore[misc]
        page.do(lambda o=one, c=chart: _draw(page, o.Chart, c, sheet, area))  # type: ignore[misc]


def _objects(page: Page) -> Iterator[Any]:
    every = page.sheet.api.ChartObjects()
    return (every.Item(number) for number in range(1, every.Count + 1))


def _added(page: Page, area: Area, right: int, number: int) -> Any:
    corner = page.sheet.range((area.top, right + 2))
    width, height = _SIZE_PT
    top = corner.top + number * (height + _GAP_PT)
    return page.sheet.api.ChartObjects().Add(corner.left, top, width, height)


def _draw(page: Page, drawn: Any, chart: Chart, sheet: ResultSheet, area: Area) -> None:
    """Everything is set anew, so that this may be called again after Excel was busy."""
    headers = [column.header for column in sheet.columns]
    categories = headers.index(chart.categories)
    kind = _TYPES[chart.kind]
    if kind == _LINE and len(_numbers(sheet.rows, categories)) == len(sheet.rows):
        kind = _SCATTER
    while drawn.SeriesCollection().Count:
        drawn.SeriesCollection(1).Delete()
    for series in chart.series:
        new = drawn.SeriesCollection().NewSeries()
        new.Name = series.name
        new.XValues = _cells(page, area, categories, len(sheet.rows))
        new.Values = _cells(page, area, headers.index(series.header), len(sheet.rows))
    drawn.ChartType = kind
    for number, series in enumerate(chart.series, start=1):
        _colour(drawn.SeriesCollection(number), series, kind)
    drawn.HasTitle = True
    drawn.ChartTitle.Text = "\n".join(filter(None, (chart.title, chart.note)))
    drawn.HasLegend = len(chart.series) > 1
    if drawn.HasLegend:
        drawn.Legend.Position = _BELOW
    for axis, title in ((_CATEGORIES, chart.x_title), (_VALUES, chart.value_title)):
        drawn.Axes(axis).HasTitle = bool(title)
        if title:
            drawn.Axes(axis).AxisTitle.Text = title
    # A lying chart is read from the top, so the first category stands there.
    drawn.Axes(_CATEGORIES).ReversePlotOrder = kind == _BAR
    if kind != _STACKED:
        every = [n for s in chart.series for n in _numbers(sheet.rows, headers.index(s.header))]
        ends = scale(every, chart.unit)
        drawn.Axes(_VALUES).MinimumScale = ends.low
        drawn.Axes(_VALUES).MaximumScale = ends.high


def _colour(drawn: Any, series: Series, kind: int) -> None:
    red, green, blue = (int(series.colour[at : at + 2], 16) for at in (1, 3, 5))
    colour = red + green * 256 + blue * 65536
    if kind not in (_LINE, _SCATTER):
        drawn.Format.Fill.ForeColor.RGB = colour
    elif series.mark:
        drawn.Format.Line.Visible = _NO_LINE
        drawn.MarkerStyle = _CIRCLE
        drawn.MarkerBackgroundColor = colour
    else:
        drawn.Format.Line.ForeColor.RGB = colour


def _cells(page: Page, area: Area, index: int, rows: int) -> Any:
    column = area.left + index
    return page.sheet.range((area.top + 1, column), (area.top + rows, column)).api


def _numbers(rows: Sequence[Sequence[Value]], index: int) -> list[float]:
    values = (row[index] for row in rows)
    return [float(v) for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
