"""A chart as a DrawingML part whose ranges are the columns of an owned table.

What the ranges hold is stored beside them, so that viewers that never calculate show the chart.
Source: ECMA-376 part 1, 21.2 (DrawingML charts).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time
from xml.sax.saxutils import escape

from fleetdesk.model.charts import Chart, ChartKind, Series
from fleetdesk.sheets.a1 import Area, column_letters
from fleetdesk.sheets.base import Link, ResultSheet, Value
from fleetdesk.sheets.chart_scale import Scale, scale
from fleetdesk.sheets.styles import LOOK_OF, NUMBER_FORMATS
from fleetdesk.sheets.values import clean, escape_xstring, plain_text

_INK, _QUIET, _AXIS, _GRID = "1F2328", "5B6770", "9AA5AD", "E3E7EA"
_TITLE_SIZE, _NOTE_SIZE, _TEXT_SIZE = 1300, 1000, 900
"""In hundredths of a point."""
_LINE_WIDTH = 28_575
_HAIRLINE = 9_525
"""In EMU: 2.25 and 0.75 points."""
_GAP_PCT, _FEW_GAP_PCT, _FEW = 40, 150, 3
"""Air between columns, in percent of their width; a few columns must not become walls."""
_CATEGORY_AXIS, _VALUE_AXIS = 111_111_111, 222_222_222
"""Looked up within one chart only, so every chart can have the same."""


def chart_xml(chart: Chart, sheet: ResultSheet, area: Area, shown_as: str, strict: bool) -> bytes:
    """The whole part; `area` is the table with its header row, `shown_as` its sheet's name now.

    Deterministic: the same chart over the same rows is the same bytes.
    """
    plot = _plot(chart, sheet, area, shown_as)
    base = "http://purl.oclc.org/ooxml" if strict else "http://schemas.openxmlformats.org"
    year = "" if strict else "2006/"
    relations = f"{base}/officeDocument/{year}relationships"
    legend = len(chart.series) > 1
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        f'<c:chartSpace xmlns:c="{base}/drawingml/{year}chart" '
        f'xmlns:a="{base}/drawingml/{year}main" xmlns:r="{relations}">'
        '<c:roundedCorners val="0"/><c:chart>'
        + _title(chart)
        + f'<c:autoTitleDeleted val="0"/><c:plotArea><c:layout/>{plot}'
        "<c:spPr><a:noFill/><a:ln><a:noFill/></a:ln></c:spPr></c:plotArea>"
        + (_LEGEND if legend else "")
        + '<c:plotVisOnly val="1"/><c:dispBlanksAs val="gap"/></c:chart>'
        + f"<c:spPr>{_fill('FFFFFF')}{_line(_GRID, _HAIRLINE)}</c:spPr>"
        + f"<c:txPr><a:bodyPr/><a:lstStyle/><a:p><a:pPr>{_text(_TEXT_SIZE, _QUIET, tag='defRPr')}"
        '</a:pPr><a:endParaRPr lang="en-US"/></a:p></c:txPr></c:chartSpace>'
    ).encode()


@dataclass(frozen=True, slots=True)
class _Column:
    """One column of the table as a range with what it holds."""

    header_ref: str
    ref: str
    values: tuple[Value, ...]
    number_format: str

    @property
    def numeric(self) -> bool:
        known = [value for value in self.values if value is not None]
        return bool(known) and all(_is_number(value) for value in known)

    @property
    def numbers(self) -> list[float]:
        return [float(value) for value in self.values if _is_number(value)]  # type: ignore[arg-type]


def _plot(chart: Chart, sheet: ResultSheet, area: Area, shown_as: str) -> str:
    def column(header: str) -> _Column:
        return _column(sheet, area, shown_as, header)

    categories = column(chart.categories)
    values = [column(series.header) for series in chart.series]
    all_values = [number for one in values for number in one.numbers]
    if chart.kind is ChartKind.STACKED:
        all_values = _piles(values)
    upright = scale(all_values, chart.unit)
    pairs = list(zip(chart.series, values, strict=True))
    if chart.kind in (ChartKind.LINE, ChartKind.STEP):
        if categories.numeric:
            across = scale(categories.numbers, "", from_zero=False)
            return _scatter(pairs, categories) + (
                _value_axis(_CATEGORY_AXIS, _VALUE_AXIS, "b", chart.x_title, across, grid=False)
                + _value_axis(_VALUE_AXIS, _CATEGORY_AXIS, "l", chart.value_title, upright)
            )
        return _lines(pairs, categories) + _axes(chart, upright)
    return _bars(chart.kind, pairs, categories, upright) + _axes(chart, upright)


def _bars(
    kind: ChartKind,
    pairs: Sequence[tuple[Series, _Column]],
    categories: _Column,
    upright: Scale,
) -> str:
    stacked = kind is ChartKind.STACKED
    labels = "" if stacked or len(pairs) > 1 else _value_labels(upright)
    series = "".join(
        _series_head(index, one, values, f"<c:spPr>{_fill(one.colour)}</c:spPr>")
        + '<c:invertIfNegative val="0"/>'
        + labels
        + f"<c:cat>{_data(categories)}</c:cat><c:val>{_data(values, numbers=True)}</c:val></c:ser>"
        for index, (one, values) in enumerate(pairs)
    )
    gap = _FEW_GAP_PCT if len(categories.values) <= _FEW else _GAP_PCT
    direction = "bar" if kind is ChartKind.BAR else "col"
    return (
        f'<c:barChart><c:barDir val="{direction}"/>'
        f'<c:grouping val="{"stacked" if stacked else "clustered"}"/><c:varyColors val="0"/>'
        f'{series}<c:gapWidth val="{gap}"/>'
        + ('<c:overlap val="100"/>' if stacked else "")
        + f"{_AXIS_IDS}</c:barChart>"
    )


def _lines(pairs: Sequence[tuple[Series, _Column]], categories: _Column) -> str:
    series = "".join(
        _series_head(index, one, values, _stroke(one))
        + f"<c:cat>{_data(categories)}</c:cat><c:val>{_data(values, numbers=True)}</c:val>"
        '<c:smooth val="0"/></c:ser>'
        for index, (one, values) in enumerate(pairs)
    )
    return (
        '<c:lineChart><c:grouping val="standard"/><c:varyColors val="0"/>'
        f'{series}<c:marker val="1"/>{_AXIS_IDS}</c:lineChart>'
    )


def _scatter(pairs: Sequence[tuple[Series, _Column]], categories: _Column) -> str:
    series = "".join(
        _series_head(index, one, values, _stroke(one))
        + f"<c:xVal>{_data(categories)}</c:xVal><c:yVal>{_data(values, numbers=True)}</c:yVal>"
        '<c:smooth val="0"/></c:ser>'
        for index, (one, values) in enumerate(pairs)
    )
    return (
        '<c:scatterChart><c:scatterStyle val="lineMarker"/><c:varyColors val="0"/>'
        f"{series}{_AXIS_IDS}</c:scatterChart>"
    )


def _series_head(index: int, series: Series, values: _Column, look: str) -> str:
    """The series up to its look; a label of our own stands in for the header's cell."""
    if series.label:
        name = f"<c:v>{_escaped(series.label)}</c:v>"
    else:
        name = (
            f"<c:strRef><c:f>{_escaped(values.header_ref)}</c:f><c:strCache>"
            f'<c:ptCount val="1"/><c:pt idx="0"><c:v>{_escaped(series.header)}</c:v></c:pt>'
            "</c:strCache></c:strRef>"
        )
    return f'<c:ser><c:idx val="{index}"/><c:order val="{index}"/><c:tx>{name}</c:tx>{look}'


def _stroke(series: Series) -> str:
    if series.mark:
        return (
            f'<c:spPr><a:ln w="{_LINE_WIDTH}"><a:noFill/></a:ln></c:spPr>'
            '<c:marker><c:symbol val="circle"/><c:size val="10"/>'
            f"<c:spPr>{_fill(series.colour)}{_line('FFFFFF', _HAIRLINE)}</c:spPr></c:marker>"
        )
    return (
        f"<c:spPr>{_line(series.colour, _LINE_WIDTH, cap=True)}</c:spPr>"
        '<c:marker><c:symbol val="none"/></c:marker>'
    )


def _axes(chart: Chart, upright: Scale) -> str:
    lying = chart.kind is ChartKind.BAR
    # A lying chart is read from the top, so the first category stands there.
    order = "maxMin" if lying else "minMax"
    category = (
        f'<c:catAx><c:axId val="{_CATEGORY_AXIS}"/><c:scaling><c:orientation val="{order}"/>'
        f'</c:scaling><c:delete val="0"/><c:axPos val="{"l" if lying else "b"}"/>'
        + _axis_title(chart.x_title, turned=lying)
        + '<c:numFmt formatCode="General" sourceLinked="0"/>'
        + _TICKS
        + '<c:tickLblPos val="low"/>'
        + f"<c:spPr>{_line(_AXIS, _HAIRLINE)}</c:spPr>"
        + f'<c:crossAx val="{_VALUE_AXIS}"/><c:crosses val="autoZero"/><c:auto val="0"/>'
        '<c:lblAlgn val="ctr"/><c:lblOffset val="100"/><c:noMultiLvlLbl val="1"/></c:catAx>'
    )
    side = "b" if lying else "l"
    values = _value_axis(
        _VALUE_AXIS, _CATEGORY_AXIS, side, chart.value_title, upright,
        crosses="max" if lying else "autoZero", between="between",
    )  # fmt: skip
    return category + values


def _value_axis(
    own: int,
    other: int,
    side: str,
    title: str,
    ends: Scale,
    *,
    grid: bool = True,
    crosses: str = "min",
    between: str = "midCat",
) -> str:
    lines = f"<c:majorGridlines><c:spPr>{_line(_GRID, _HAIRLINE)}</c:spPr></c:majorGridlines>"
    edge = _line(_AXIS, _HAIRLINE) if not grid else "<a:ln><a:noFill/></a:ln>"
    return (
        f'<c:valAx><c:axId val="{own}"/><c:scaling><c:orientation val="minMax"/>'
        f'<c:max val="{ends.high:.15g}"/><c:min val="{ends.low:.15g}"/></c:scaling>'
        f'<c:delete val="0"/><c:axPos val="{side}"/>'
        + (lines if grid else "")
        + _axis_title(title, turned=side == "l")
        + f'<c:numFmt formatCode="{ends.number_format}" sourceLinked="0"/>'
        + _TICKS
        + f'<c:tickLblPos val="nextTo"/><c:spPr>{edge}</c:spPr><c:crossAx val="{other}"/>'
        f'<c:crosses val="{crosses}"/><c:crossBetween val="{between}"/>'
        f'<c:majorUnit val="{ends.step:.15g}"/></c:valAx>'
    )


def _title(chart: Chart) -> str:
    lines = [_run(chart.title, _TITLE_SIZE, _INK, bold=True)]
    if chart.note:
        lines.append(_run(chart.note, _NOTE_SIZE, _QUIET))
    text = "".join(f"<a:p>{line}</a:p>" for line in lines)
    return (
        f"<c:title><c:tx><c:rich><a:bodyPr/><a:lstStyle/>{text}</c:rich></c:tx>"
        '<c:overlay val="0"/></c:title>'
    )


def _axis_title(text: str, *, turned: bool) -> str:
    body = '<a:bodyPr rot="-5400000" vert="horz"/>' if turned else "<a:bodyPr/>"
    return (
        f"<c:title><c:tx><c:rich>{body}<a:lstStyle/><a:p>{_run(text, _TEXT_SIZE, _QUIET)}</a:p>"
        '</c:rich></c:tx><c:overlay val="0"/></c:title>'
    )


def _value_labels(ends: Scale) -> str:
    return (
        f'<c:dLbls><c:numFmt formatCode="{ends.number_format}" sourceLinked="0"/>'
        "<c:spPr><a:noFill/><a:ln><a:noFill/></a:ln></c:spPr>"
        "<c:txPr><a:bodyPr/><a:lstStyle/><a:p><a:pPr>"
        + _text(_TEXT_SIZE, _INK, tag="defRPr")
        + '</a:pPr><a:endParaRPr lang="en-US"/></a:p></c:txPr><c:dLblPos val="outEnd"/>'
        '<c:showLegendKey val="0"/><c:showVal val="1"/><c:showCatName val="0"/>'
        '<c:showSerName val="0"/><c:showPercent val="0"/><c:showBubbleSize val="0"/></c:dLbls>'
    )


def _data(column: _Column, *, numbers: bool = False) -> str:
    """A range and what it holds; empty cells are left out, as spreadsheet programs do."""
    as_numbers = numbers or column.numeric
    points = []
    for index, value in enumerate(column.values):
        if value is None or (as_numbers and not _is_number(value)):
            continue
        shown = repr(value) if as_numbers else _escaped(str(value))
        points.append(f'<c:pt idx="{index}"><c:v>{shown}</c:v></c:pt>')
    count = f'<c:ptCount val="{len(column.values)}"/>'
    ref = f"<c:f>{_escaped(column.ref)}</c:f>"
    if as_numbers:
        form = f"<c:formatCode>{_escaped(column.number_format)}</c:formatCode>"
        cache = f"<c:numCache>{form}{count}{''.join(points)}</c:numCache>"
        return f"<c:numRef>{ref}{cache}</c:numRef>"
    return f"<c:strRef>{ref}<c:strCache>{count}{''.join(points)}</c:strCache></c:strRef>"


def _column(sheet: ResultSheet, area: Area, shown_as: str, header: str) -> _Column:
    index = [column.header for column in sheet.columns].index(header)
    letters = column_letters(area.left + index)
    quoted = "'" + shown_as.replace("'", "''") + "'"
    last = area.top + len(sheet.rows)
    return _Column(
        f"{quoted}!${letters}${area.top}",
        f"{quoted}!${letters}${area.top + 1}:${letters}${last}",
        tuple(_plain(row[index]) for row in sheet.rows),
        NUMBER_FORMATS.get(LOOK_OF[sheet.columns[index].style], "General"),
    )


def _plain(value: Value) -> Value:
    """A cell as a chart reads it: links by their text, dates and truth values as text."""
    value = clean(value.text if isinstance(value, Link) else value)
    if isinstance(value, bool):
        return str(value).upper()
    return value.isoformat() if isinstance(value, date | time) else value


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _piles(columns: Sequence[_Column]) -> list[float]:
    """The ends of every pile, upwards and below zero."""
    ends = []
    for row in zip(*(column.values for column in columns), strict=True):
        known = [float(value) for value in row if _is_number(value)]
        ends += [sum(v for v in known if v > 0), sum(v for v in known if v < 0)]
    return ends


def _run(text: str, size: int, colour: str, *, bold: bool = False) -> str:
    look = _text(size, colour, bold=bold)
    return f"<a:pPr>{_text(size, colour, bold=bold, tag='defRPr')}</a:pPr><a:r>{look}<a:t>" + (
        f"{escape(plain_text(text))}</a:t></a:r>"
    )


def _text(size: int, colour: str, *, bold: bool = False, tag: str = "rPr") -> str:
    language = ' lang="en-US"' if tag == "rPr" else ""
    return f'<a:{tag}{language} sz="{size}" b="{int(bold)}">{_fill(colour)}</a:{tag}>'


def _fill(colour: str) -> str:
    return f'<a:solidFill><a:srgbClr val="{colour.lstrip("#").upper()}"/></a:solidFill>'


def _line(colour: str, width: int, *, cap: bool = False) -> str:
    round_cap = ' cap="rnd"' if cap else ""
    join = "<a:round/>" if cap else ""
    return f'<a:ln w="{width}"{round_cap}>{_fill(colour)}{join}</a:ln>'


def _escaped(text: str) -> str:
    return escape(escape_xstring(text))


_TICKS = '<c:majorTickMark val="none"/><c:minorTickMark val="none"/>'
_AXIS_IDS = f'<c:axId val="{_CATEGORY_AXIS}"/><c:axId val="{_VALUE_AXIS}"/>'
_LEGEND = '<c:legend><c:legendPos val="b"/><c:overlay val="0"/></c:legend>'
