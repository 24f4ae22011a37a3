"""How a result sheet looked, kept with its rows, so that it can be shown again as it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pyarrow as pa

from fleetdesk.model.charts import Chart, ChartKind, Series
from fleetdesk.sheets.base import CellStyle, ResultColumn, ResultSheet

_KEY = b"fleetdesk"


def with_looks(table: pa.Table, sheet: ResultSheet) -> pa.Table:
    """The table with title, note, formats and charts of its sheet."""
    looks = {
        "title": sheet.title,
        "note": sheet.note,
        "columns": [
            {"header": c.header, "style": c.style.value, "width": c.width, "help": c.help}
            for c in sheet.columns
        ],
        "charts": [asdict(chart) for chart in sheet.charts],
    }
    return table.replace_schema_metadata({_KEY: json.dumps(looks, ensure_ascii=False).encode()})


def sheet_of(name: str, table: pa.Table) -> ResultSheet:
    """The sheet that the table was kept of, without its rows; bare where an older program kept it.

    A chart of a kind that this program does not know is left out.
    """
    kept = (table.schema.metadata or {}).get(_KEY)
    if kept is None:
        columns = tuple(ResultColumn(header) for header in table.column_names)
        return ResultSheet(name, name, "", name, columns, ())
    looks = json.loads(kept)
    return ResultSheet(
        sheet=name,
        title=looks["title"],
        note=looks["note"],
        table_name=name,
        columns=tuple(
            ResultColumn(c["header"], CellStyle(c["style"]), c["width"], c["help"])
            for c in looks["columns"]
        ),
        rows=(),
        charts=tuple(_chart(chart) for chart in looks["charts"] if chart["kind"] in _KINDS),
    )


_KINDS = {kind.value for kind in ChartKind}


def _chart(kept: Mapping[str, Any]) -> Chart:
    series = tuple(Series(**one) for one in kept["series"])
    return Chart(**{**kept, "kind": ChartKind(kept["kind"]), "series": series})
