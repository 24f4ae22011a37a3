"""The table model: order, filter, formats, copying."""

from __future__ import annotations

import time
from datetime import datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QLocale, Qt

from fleetdesk.apps.desktop.widgets.columns import ColumnModel, number_text
from fleetdesk.apps.desktop.work.shapes import Table
from fleetdesk.apps.desktop.work.tables import shown_table
from fleetdesk.sheets.base import CellStyle, ResultColumn, ResultSheet

ASCENDING, DESCENDING = Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder
GREEK = QLocale(QLocale.Language.Greek, QLocale.Country.Greece)


def table(**columns: list[object]) -> Table:
    sheet = ResultSheet(
        "T", "T", "", "T",
        tuple(ResultColumn(name, CellStyle.MONEY) for name in columns if name == "EUR"), (),
    )  # fmt: skip
    return shown_table(sheet, pa.table(columns))


def shown(model: ColumnModel, column: int) -> list[str]:
    return [model.text(row, column) for row in range(model.rowCount())]


@settings(deadline=None)
@given(st.lists(st.none() | st.floats(-1e6, 1e6), max_size=30))
def test_numbers_sort_both_ways_with_the_empty_last(values: list[float | None]) -> None:
    model = ColumnModel(QLocale.c())
    model.show(table(EUR=[None if v is None else round(v, 2) for v in values]))
    there = sorted(round(v, 2) for v in values if v is not None)
    model.sort(0, ASCENDING)
    order = [model.table.columns[0].values[row] for row in model._shown]
    assert order[: len(there)] == there and all(v != v for v in order[len(there) :])
    model.sort(0, DESCENDING)
    order = [model.table.columns[0].values[row] for row in model._shown]
    assert order[: len(there)] == there[::-1] and all(v != v for v in order[len(there) :])


def test_texts_sort_by_letter_without_case_and_the_empty_last() -> None:
    model = ColumnModel(QLocale.c())
    model.show(table(Name=["beta", None, "Alpha", "Ωμέγα", "ώμος", "alpha"]))
    model.sort(0, ASCENDING)
    assert shown(model, 0) == ["Alpha", "alpha", "beta", "Ωμέγα", "ώμος", ""]
    model.sort(-1, ASCENDING)
    assert shown(model, 0)[0] == "beta"


def test_a_filter_keeps_rows_with_the_text_and_sorting_keeps_the_filter() -> None:
    model = ColumnModel(QLocale.c())
    model.show(table(Name=["Μαρία", "Nikos", "μαρία 2"], EUR=[3.0, 2.0, 1.0]))
    model.keep("ΜΑΡ")
    assert model.rowCount() == 0 or shown(model, 0) == ["Μαρία", "μαρία 2"]
    model.keep("nik")
    assert shown(model, 0) == ["Nikos"]
    model.keep("")
    model.sort(1, ASCENDING)
    assert shown(model, 0) == ["μαρία 2", "Nikos", "Μαρία"]


def test_counts_among_figures_of_several_kinds_are_shown_whole() -> None:
    columns = (ResultColumn("Value", CellStyle.NUMBER),)
    model = ColumnModel(QLocale.c())
    model.show(shown_table(ResultSheet("T", "T", "", "T", columns, ()),
                           pa.table({"Value": [120.0, 5.25, None]})))  # fmt: skip
    assert shown(model, 0) == ["120", "5.25", ""]


def test_numbers_and_days_are_written_as_the_locale_does_and_stand_right() -> None:
    model = ColumnModel(GREEK)
    model.show(table(EUR=[1234.5], When=[datetime(2026, 6, 17, 8, 5)]))
    assert model.text(0, 0) == "1.234,50"
    assert model.text(0, 1).endswith("08:05") and "17" in model.text(0, 1)
    right = model.data(model.index(0, 0), Qt.ItemDataRole.TextAlignmentRole)
    assert right & Qt.AlignmentFlag.AlignRight


def test_copied_rows_have_their_heads() -> None:
    model = ColumnModel(QLocale.c())
    model.show(table(Name=["a", "b"], EUR=[1.0, None]))
    assert model.as_text([0, 1], [0, 1]) == "Name\tEUR\na\t1.00\nb\t"


@pytest.mark.parametrize("column", [0, 1, 2])
def test_a_hundred_thousand_rows_sort_in_a_blink(column: int) -> None:
    rows = 100_000
    draw = np.random.default_rng(1)
    made = pa.table(
        {
            "EUR": draw.normal(size=rows),
            "Name": [f"vehicle {n}" for n in draw.integers(0, 5000, rows)],
            "When": pa.array(draw.integers(0, 2**50, rows)).cast(pa.timestamp("us")),
        }
    )
    model = ColumnModel(QLocale.c())
    model.show(shown_table(ResultSheet("T", "T", "", "T", (), ()), made))
    took = []
    for order in (ASCENDING, DESCENDING, ASCENDING):
        began = time.process_time()
        model.sort(column, order)
        took.append(time.process_time() - began)
    assert min(took) < 0.1


def test_what_rounds_to_nothing_has_no_minus() -> None:
    assert number_text(-0.3, 0, signed=True) == "+0"
    assert number_text(-0.004, 2) == "0.00"
    assert number_text(-0.006, 2, signed=True) == "-0.01"
