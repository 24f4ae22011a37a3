"""Charts and dropdowns in a running Excel: beside the figures, never in their way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from excel_engine import FakeBook, FakeExcel, refused

from fleetdesk.model.charts import Chart, ChartKind, Series
from fleetdesk.sheets.base import CellStyle, ResultColumn, ResultSheet, WritePlan
from fleetdesk.sheets.excel_live import ExcelLive

COLUMNS = (
    ResultColumn("Hour", CellStyle.INTEGER),
    ResultColumn("ROI", CellStyle.MONEY),
    ResultColumn("Lock", input=True, choices=("yes",)),
)
SERIES = (Series("ROI", "#0072B2"), Series("ROI", "#D55E00", "Best", mark=True))


@pytest.fixture
def book(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeBook:
    made = openpyxl.Workbook()
    made.active.append(["City", "Thessaloniki"])
    return FakeExcel().install(monkeypatch).open("Plan.xlsx", made, tmp_path / "Plan.xlsx")


def run(rows: int, *charts: Chart) -> None:
    values = [(hour, hour * 1.5, None) for hour in range(rows)]
    sheet = ResultSheet("ROI", "ROI", "By hour.", "ROI", COLUMNS, values, charts=charts)
    live = ExcelLive("Plan.xlsx")
    live.commit(WritePlan((sheet,)), live.snapshot().fingerprint)


def chart(kind: ChartKind = ChartKind.LINE) -> Chart:
    return Chart(kind, "Return", "Hour", "ROI", "EUR", "Hour", SERIES, "Net")


@pytest.mark.parametrize("kind", list(ChartKind))
def test_a_chart_is_renewed_where_the_planner_has_put_it(book: FakeBook, kind: ChartKind) -> None:
    run(3, chart(kind), chart(kind))
    first, second = drawn(book)
    assert first.place[1] < second.place[1], "one below the other"
    first.place = "where the planner wants it"
    run(5, chart(kind))
    (kept,) = drawn(book)
    assert kept.place == "where the planner wants it"
    assert [series.val.numRef.f for series in kept.series] == ["'ROI'!$B$5:$B$9"] * 2
    run(0, chart(kind))
    assert drawn(book) == [], "nothing to draw"


def test_the_planner_s_own_chart_stays(book: FakeBook) -> None:
    run(2, chart())
    (ours,) = drawn(book)
    ours.name = "My chart"
    run(2)
    assert drawn(book) == [ours]


def test_a_dropdown_follows_the_rows(book: FakeBook) -> None:
    for rows, area in ((4, "C5:C8"), (2, "C5:C6"), (3, "C5:C7")):
        run(rows)
        rules = book.book["ROI"].data_validations.dataValidation
        assert [(str(rule.sqref), rule.formula1) for rule in rules] == [(area, '"yes"')]


def test_figures_are_written_though_excel_will_not_draw(book: FakeBook) -> None:
    def fails(call: str) -> None:
        if call == "ChartObjects.Add":
            raise refused()

    book.excel.on_call = fails
    run(3, chart())
    assert book.book["ROI"]["B6"].value == 1.5
    assert drawn(book) == []
    book.excel.on_call = lambda _: None
    run(3, replace(chart(), note=""))
    assert len(drawn(book)) == 1


def drawn(book: FakeBook) -> list[Any]:
    return list(book.book["ROI"]._charts)
