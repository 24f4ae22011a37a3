"""A kept result is shown again as it was written: title, formats, charts."""

from __future__ import annotations

import pyarrow as pa

from fleetdesk.model.charts import Chart, ChartKind, Series
from fleetdesk.sheets.base import CellStyle, ResultColumn, ResultSheet
from fleetdesk.workflows.kept_looks import sheet_of, with_looks

CHART = Chart(
    ChartKind.STEP, "Σύνολο", "When", "Worth", "EUR", "When",
    (Series("Worth (EUR)", "#0072B2"), Series("In use", "#D55E00", "in use", mark=True)), "A note.",
)  # fmt: skip
SHEET = ResultSheet(
    "Worth", "Worth: Λάρισα", "One line.", "Worth",
    (ResultColumn("When", CellStyle.DATETIME, 17, "Local."), ResultColumn("Worth (EUR)",
     CellStyle.MONEY)), (), charts=(CHART,),
)  # fmt: skip


def test_looks_come_back_through_a_file_as_they_were() -> None:
    table = pa.table({"When": [], "Worth (EUR)": []})
    kept = with_looks(table, SHEET)
    buffer = pa.BufferOutputStream()
    with pa.ipc.new_file(buffer, kept.schema) as writer:
        writer.write_table(kept)
    read = pa.ipc.open_file(buffer.getvalue()).read_all()
    found = sheet_of("Worth", read)
    assert (found.title, found.note, found.charts) == (SHEET.title, SHEET.note, SHEET.charts)
    assert [(c.header, c.style, c.width, c.help) for c in found.columns] == [
        (c.header, c.style, c.width, c.help) for c in SHEET.columns
    ]


def test_a_table_of_an_older_program_is_shown_bare() -> None:
    found = sheet_of("Old", pa.table({"A": [1]}))
    assert found.title == "Old" and [c.header for c in found.columns] == ["A"] and not found.charts


def test_a_chart_of_an_unknown_kind_is_left_out() -> None:
    kept = with_looks(pa.table({"A": [1]}), SHEET)
    key, text = next(iter(kept.schema.metadata.items()))
    newer = kept.replace_schema_metadata({key: text.replace(b'"step"', b'"spiral"')})
    assert sheet_of("Worth", newer).charts == ()
