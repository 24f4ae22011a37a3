"""A kept result table as columns that the window can show, sort and chart at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fleetdesk.apps.desktop.work.shapes import Column, Table, Values
from fleetdesk.sheets.base import NUMBERS, CellStyle, ResultColumn, ResultSheet


def shown_table(sheet: ResultSheet, kept: pa.Table) -> Table:
    """The kept rows under the looks and charts that the sheet has."""
    known = {
        column.header: column
        for column in sheet.columns
        if column.style is not CellStyle.TEXT or column.help
    }
    columns = tuple(
        _column(known.get(name) or ResultColumn(name, _style_of(kept.schema.field(name).type)),
                kept.column(name))
        for name in kept.column_names
    )  # fmt: skip
    headers = set(kept.column_names)
    charts = tuple(
        chart
        for chart in sheet.charts
        if {chart.categories, *(series.header for series in chart.series)} <= headers
    )
    return Table(sheet.sheet, sheet.title, sheet.note, columns, charts if kept.num_rows else ())


def made_table(sheet: ResultSheet) -> Table:
    """A sheet that was made here and kept nowhere."""
    rows = list(zip(*sheet.rows, strict=True)) or [()] * len(sheet.columns)
    headers = (column.header for column in sheet.columns)
    return shown_table(sheet, pa.table(dict(zip(headers, map(list, rows), strict=True))))


def _column(column: ResultColumn, data: pa.ChunkedArray) -> Column:
    values, ranks = _values(column, data)
    return Column(column.header, column.style, values, ranks, column.help, column.width)


def _values(column: ResultColumn, data: pa.ChunkedArray) -> tuple[Values, Values | None]:
    kind = data.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return data.cast(pa.float64()).to_numpy(zero_copy_only=False), None
    if pa.types.is_null(kind) and column.style in NUMBERS:
        return np.full(len(data), np.nan), None
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        plain = data.cast(pa.timestamp("us"))
        return plain.to_numpy(zero_copy_only=False).astype("datetime64[us]"), None
    texts = [_text(value) for value in data.to_pylist()]
    values = np.array(texts, dtype=object)
    return values, _ranks(texts)


def _ranks(texts: Sequence[str]) -> Values:
    """The place of each text in the alphabet of all, without regard to case."""
    if not texts:
        return np.zeros(0, dtype=np.int32)
    coded = pa.array([text.casefold() for text in texts]).dictionary_encode()
    order = pc.sort_indices(coded.dictionary).to_numpy(zero_copy_only=False)
    place = np.empty(len(order), dtype=np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    ranks: Values = place[coded.indices.to_numpy(zero_copy_only=False)]
    return ranks


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case time():
            return f"{value:%H:%M}"
        case date():
            return value.isoformat()
    return str(value)


def _style_of(kind: pa.DataType) -> CellStyle:
    if pa.types.is_integer(kind):
        return CellStyle.INTEGER
    if pa.types.is_floating(kind):
        return CellStyle.DECIMAL
    return CellStyle.DATETIME if pa.types.is_timestamp(kind) else CellStyle.TEXT
