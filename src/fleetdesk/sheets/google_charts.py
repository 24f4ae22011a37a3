"""Charts beside our tables in a Google Sheet, each known by an id of its own.

A chart that is there keeps the place and size that the planner gave it. Source: Sheets API v4,
`EmbeddedChart` and `BasicChartSpec`.
"""

from __future__ import annotations

import hashlib

from fleetdesk.model.charts import Chart, ChartKind, Series
from fleetdesk.sheets.a1 import Area
from fleetdesk.sheets.base import ResultSheet
from fleetdesk.sheets.chart_scale import scale
from fleetdesk.sheets.google_place import Placed
from fleetdesk.sheets.google_requests import Batch, grid_range
from fleetdesk.sheets.google_values import Json

SIZE_PX = 640, 360
_GAP_PX = 20
_MOST = 12  # charts that one sheet of ours may have had
_TYPES = {
    ChartKind.COLUMN: "COLUMN",
    ChartKind.STACKED: "COLUMN",
    ChartKind.BAR: "BAR",
    ChartKind.LINE: "LINE",
    ChartKind.STEP: "LINE",
}


def draw_charts(batch: Batch, item: Placed, right: int) -> None:
    """Add the sheet's charts, renew those that are there, remove those no longer wanted.

    A new chart stands past column `right`, the last one in use.
    """
    sheet = item.sheet
    there = set(item.owned.page.charts) if item.owned else set()
    wanted = sheet.charts if sheet.rows else ()
    for number in range(_MOST):
        key = chart_id(sheet.table_name, number)
        if number < len(wanted):
            spec = chart_spec(wanted[number], sheet, item.page_id, item.body)
            if key in there:
                batch.update_chart(key, spec)
            else:
                batch.add_chart(key, spec, _anchor(item, number, right))
        elif key in there:
            batch.remove_chart(key)


def chart_id(table: str, number: int) -> int:
    """The id of a table's chart, the same in every run."""
    digest = hashlib.sha256(f"FleetDesk chart {table} {number}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def chart_spec(chart: Chart, sheet: ResultSheet, page: int, area: Area) -> Json:
    """What is drawn, from the columns of the table in `area` (its header included)."""
    headers = [column.header for column in sheet.columns]

    def source(header: str) -> Json:
        column = area.left + headers.index(header)
        place = Area(area.top, column, area.top + len(sheet.rows), column)
        return {"sourceRange": {"sources": [grid_range(page, place)]}}

    def numbers(header: str) -> list[float]:
        values = (row[headers.index(header)] for row in sheet.rows)
        return [float(v) for v in values if isinstance(v, int | float) and not isinstance(v, bool)]

    kind = _TYPES[chart.kind]
    if kind == "LINE" and len(numbers(chart.categories)) == len(sheet.rows):
        kind = "SCATTER"
    lying = kind == "BAR"
    category_axis, value_axis = ("LEFT", "BOTTOM") if lying else ("BOTTOM", "LEFT")
    values: Json = {"position": f"{value_axis}_AXIS", "title": chart.value_title}
    if chart.kind is not ChartKind.STACKED:
        ends = scale([n for one in chart.series for n in numbers(one.header)], chart.unit)
        values["viewWindowOptions"] = {
            "viewWindowMin": ends.low,
            "viewWindowMax": ends.high,
            "viewWindowMode": "EXPLICIT",
        }
    basic: Json = {
        "chartType": kind,
        "headerCount": 1,
        "legendPosition": "BOTTOM_LEGEND" if len(chart.series) > 1 else "NO_LEGEND",
        "axis": [{"position": f"{category_axis}_AXIS", "title": chart.x_title}, values],
        "domains": [{"domain": source(chart.categories)}],
        "series": [
            {"series": source(one.header), "targetAxis": f"{value_axis}_AXIS", **_look(one, kind)}
            for one in chart.series
        ],
    }
    if chart.kind is ChartKind.STACKED:
        basic["stackedType"] = "STACKED"
    return {
        "title": chart.title,
        "subtitle": chart.note,
        "altText": chart.alt_text,
        "basicChart": basic,
    }


def _look(series: Series, kind: str) -> Json:
    red, green, blue = (int(series.colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    look: Json = {"colorStyle": {"rgbColor": {"red": red, "green": green, "blue": blue}}}
    if kind in ("LINE", "SCATTER"):
        if series.mark:
            look["lineStyle"] = {"type": "INVISIBLE"}
            look["pointStyle"] = {"shape": "CIRCLE", "size": 10}
        else:
            look["lineStyle"] = {"type": "SOLID", "width": 2}
            look["pointStyle"] = {"shape": "CIRCLE", "size": 0}
    return look


def _anchor(item: Placed, number: int, right: int) -> Json:
    width, height = SIZE_PX
    return {
        "anchorCell": {
            "sheetId": item.page_id,
            "rowIndex": item.plan.top - 1,
            "columnIndex": right + 1,
        },
        "offsetYPixels": number * (height + _GAP_PX),
        "widthPixels": width,
        "heightPixels": height,
    }
