"""One suite for every kind of workbook: what is written comes back, what is not ours stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Protocol

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.sheets.excel_engine import FakeExcel
from tests.sheets.google_server import KEY, GoogleServer, Time

from fleetdesk.errors import WorkbookRefused
from fleetdesk.model.charts import Chart, ChartKind, Series
from fleetdesk.model.sheet_template import Input, InputKind, Layout, SheetTemplate
from fleetdesk.sheets.base import (
    CellStyle,
    Link,
    ResultColumn,
    ResultSheet,
    Value,
    Workbook,
    WritePlan,
)
from fleetdesk.sheets.excel_live import ExcelLive
from fleetdesk.sheets.google import GoogleSheet
from fleetdesk.sheets.google_http import SheetsHttp
from fleetdesk.sheets.layout import KEPT_LABEL
from fleetdesk.sheets.memory import MemoryWorkbook
from fleetdesk.sheets.values import clean
from fleetdesk.sheets.xlsx_file import XlsxFile

TOP = 4
WIDTH = 3
COLUMNS = (
    ResultColumn("Task", CellStyle.TEXT, 12),
    ResultColumn("ROI (EUR)", CellStyle.MONEY, 12),
    ResultColumn("Why", CellStyle.WRAPPED, 40),
)


class Planner(Protocol):
    """The workbook under test, and the hands of the planner who uses it."""

    workbook: Workbook

    def edit(self, sheet: str, row: int, column: int, value: Any) -> None: ...
    def rename(self, sheet: str, name: str) -> None: ...
    def delete(self, sheet: str) -> None: ...
    def charts(self, sheet: str) -> list[str]: ...


class MemoryPlanner:
    def __init__(self) -> None:
        self.workbook = MemoryWorkbook({"City": {(1, 1): "City", (1, 2): "Thessaloniki"}})
        self.edit = self.workbook.edit
        self.rename = self.workbook.rename
        self.delete = self.workbook.delete

    def charts(self, sheet: str) -> list[str]:
        return [chart.title for chart in self.workbook.charts(sheet)]


class XlsxPlanner:
    """Edits through openpyxl, which renumbers parts and shares strings as Excel does."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "book.xlsx"
        book = openpyxl.Workbook()
        book.active.title = "City"
        book.active.append(["City", "Thessaloniki"])
        book.save(self.path)
        self.workbook = XlsxFile(self.path, clock=lambda: datetime(2024, 5, 1, 10, 0, 0))

    def edit(self, sheet: str, row: int, column: int, value: Any) -> None:
        def change(book: Any) -> None:
            page = book[sheet] if sheet in book.sheetnames else book.create_sheet(sheet)
            page.cell(row, column).value = value

        self._with(change)

    def rename(self, sheet: str, name: str) -> None:
        self._with(lambda book: setattr(book[sheet], "title", name))

    def delete(self, sheet: str) -> None:
        self._with(lambda book: book.remove(book[sheet]))

    def charts(self, sheet: str) -> list[str]:
        found = openpyxl.load_workbook(self.path)[sheet]._charts
        return [chart.title.tx.rich.p[0].r[0].t for chart in found]

    def _with(self, change: Callable[[Any], None]) -> None:
        book = openpyxl.load_workbook(self.path)
        change(book)
        book.save(self.path)


class ExcelPlanner:
    """The workbook is open in Excel, and the planner types beside us."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        book = openpyxl.Workbook()
        book.active.title = "City"
        book.active.append(["City", "Thessaloniki"])
        self.open = FakeExcel().install(monkeypatch).open("Book1", book)
        self.workbook = ExcelLive("Book1")
        self.edit = self.open.put

    def rename(self, sheet: str, name: str) -> None:
        self.open.book[sheet].title = name

    def delete(self, sheet: str) -> None:
        self.open.book.remove(self.open.book[sheet])

    def charts(self, sheet: str) -> list[str]:
        return [chart.title.tx.rich.p[0].r[0].t for chart in self.open.book[sheet]._charts]


class GooglePlanner:
    """Real gspread against a loopback server that speaks Google's interfaces."""

    def __init__(self, server: GoogleServer) -> None:
        server.add("City", 0)
        server.edit("City", 1, 1, "City")
        server.edit("City", 1, 2, "Thessaloniki")
        time = Time()
        client = SheetsHttp(None, server.session(), clock=time.clock, sleep=time.sleep)
        self.workbook = GoogleSheet(KEY, client)
        self.server = server
        self.edit = server.edit
        self.rename = server.rename
        self.delete = server.delete

    def charts(self, sheet: str) -> list[str]:
        return [chart["spec"]["title"] for chart in self.server.page(sheet).get("charts", [])]


@pytest.fixture(params=["memory", "xlsx", "excel", "google"])
def planner(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Planner]:
    if request.param == "google":
        server = GoogleServer()
        yield GooglePlanner(server)
        server.close()
    elif request.param == "excel":
        yield ExcelPlanner(monkeypatch)
    else:
        yield MemoryPlanner() if request.param == "memory" else XlsxPlanner(tmp_path)


def tasks(*keys: str, name: str = "Tasks") -> ResultSheet:
    rows = [(key, 10.5 * index, f"why {key}") for index, key in enumerate(keys)]
    return ResultSheet(name, "Tasks today", "What pays and why.", name, COLUMNS, rows, key="Task")


def write(planner: Planner, *sheets: ResultSheet) -> Any:
    fingerprint = planner.workbook.snapshot().fingerprint
    return planner.workbook.commit(WritePlan(sheets), fingerprint)


def cells(planner: Planner, sheet: str = "Tasks") -> dict[tuple[int, int], Value]:
    return dict(planner.workbook.snapshot([sheet]).sheets[sheet].cells)


def test_a_written_sheet_is_read_back(planner: Planner) -> None:
    receipt = write(planner, tasks("a", "b"))
    assert receipt.added == ("Tasks",)
    assert receipt.fingerprint == planner.workbook.snapshot().fingerprint
    assert cells(planner) == {
        (1, 1): "Tasks today",
        (2, 1): "What pays and why.",
        **{(TOP, 1): "Task", (TOP, 2): "ROI (EUR)", (TOP, 3): "Why"},
        **{(5, 1): "a", (5, 2): 0.0, (5, 3): "why a"},
        **{(6, 1): "b", (6, 2): 10.5, (6, 3): "why b"},
    }


def test_the_planners_sheets_stay(planner: Planner) -> None:
    before = cells(planner, "City")
    write(planner, tasks("a"))
    write(planner, tasks("b", "c"))
    assert cells(planner, "City") == before


def test_a_second_write_replaces_all_rows(planner: Planner) -> None:
    write(planner, tasks("a", "b", "c"))
    receipt = write(planner, tasks("d"))
    assert receipt.added == ()
    assert {v for (r, c), v in cells(planner).items() if r > TOP and c == 1} == {"d"}


def test_an_empty_result_is_a_header_only(planner: Planner) -> None:
    write(planner, tasks())
    assert max(row for row, _ in cells(planner)) == TOP
    write(planner, tasks("a"))
    assert cells(planner)[5, 1] == "a"


def test_a_changed_workbook_is_refused(planner: Planner) -> None:
    fingerprint = planner.workbook.snapshot().fingerprint
    planner.edit("City", 1, 2, "Volos")
    with pytest.raises(WorkbookRefused) as refused:
        planner.workbook.commit(WritePlan((tasks("a"),)), fingerprint)
    assert refused.value.retry_helps
    assert "Tasks" not in planner.workbook.snapshot().sheet_names


def test_a_change_between_prepare_and_switch_is_refused(planner: Planner) -> None:
    fingerprint = planner.workbook.snapshot().fingerprint
    prepared = planner.workbook.prepare(WritePlan((tasks("a"),)), fingerprint)
    planner.edit("City", 1, 2, "Volos")
    with pytest.raises(WorkbookRefused):
        prepared.switch()
    assert cells(planner, "City")[1, 2] == "Volos"


def test_prepare_alone_changes_nothing(planner: Planner) -> None:
    before = planner.workbook.snapshot()
    prepared = planner.workbook.prepare(WritePlan((tasks("a"),)), before.fingerprint)
    assert prepared.before == before.fingerprint != prepared.after
    assert planner.workbook.snapshot() == before
    prepared.discard()
    assert planner.workbook.snapshot() == before


def test_a_planners_sheet_of_our_name_is_never_overwritten(planner: Planner) -> None:
    planner.edit("Tasks", 1, 1, "my own list")
    with pytest.raises(WorkbookRefused, match="of your own"):
        write(planner, tasks("a"))
    assert cells(planner) == {(1, 1): "my own list"}


def test_a_renamed_sheet_is_followed(planner: Planner) -> None:
    write(planner, tasks("a"))
    planner.rename("Tasks", "Monday")
    receipt = write(planner, tasks("b"))
    assert receipt.added == ()
    assert cells(planner, "Monday")[5, 1] == "b"
    assert planner.workbook.snapshot(["Tasks"]).sheets["Tasks"].name == "Monday"


def test_a_deleted_sheet_comes_back(planner: Planner) -> None:
    write(planner, tasks("a"))
    planner.delete("Tasks")
    assert write(planner, tasks("b")).added == ("Tasks",)
    assert cells(planner)[5, 1] == "b"


def test_a_deleted_sheets_name_taken_by_the_planner_is_refused(planner: Planner) -> None:
    write(planner, tasks("a"))
    planner.delete("Tasks")
    planner.edit("Tasks", 1, 1, "mine now")
    with pytest.raises(WorkbookRefused):
        write(planner, tasks("b"))


def test_notes_follow_their_row(planner: Planner) -> None:
    write(planner, tasks("a", "b", "c"))
    planner.edit("Tasks", 5, 4, "call Maria")
    planner.edit("Tasks", 7, 5, "van 2")
    write(planner, tasks("c", "x", "a", "b"))
    after = cells(planner)
    assert after[7, 4] == "call Maria"
    assert after[5, 5] == "van 2"
    assert (5, 4) not in after


def test_notes_without_a_row_are_kept_and_return(planner: Planner) -> None:
    write(planner, tasks("a", "b"))
    planner.edit("Tasks", 5, 4, "call Maria")
    write(planner, tasks("b"))
    for _ in range(2):
        after = cells(planner)
        label = next(row for (row, _), value in after.items() if value == KEPT_LABEL)
        assert (after[label + 1, 1], after[label + 1, 4]) == ("a", "call Maria")
        write(planner, tasks("b", "c"))
    write(planner, tasks("b", "a"))
    after = cells(planner)
    assert after[6, 4] == "call Maria"
    assert KEPT_LABEL not in after.values()


def test_formulas_stay_where_they_are(planner: Planner) -> None:
    write(planner, tasks("a", "b"))
    planner.edit("Tasks", 5, 4, "=B5*2")
    write(planner, tasks("b", "a"))
    if isinstance(planner, ExcelPlanner):
        assert planner.open.formula("Tasks", 5, 4) == "=B5*2"
    elif isinstance(planner, XlsxPlanner):
        book = openpyxl.load_workbook(planner.path)
        assert book["Tasks"].cell(5, 4).value == "=B5*2"
        assert planner.workbook.snapshot().uncomputed == {"Tasks": ("D5",)}
    elif isinstance(planner, GooglePlanner):
        cell = planner.server.cell("Tasks", 5, 4)
        assert cell["userEnteredValue"] == {"formulaValue": "=B5*2"}
    else:
        assert cells(planner)[5, 4] == "=B5*2"


def test_what_stands_below_the_table_keeps_its_distance(planner: Planner) -> None:
    write(planner, tasks("a", "b"))
    planner.edit("Tasks", 9, 2, "seen by Nikos")
    write(planner, tasks("a", "b", "c", "d", "e"))
    assert cells(planner)[12, 2] == "seen by Nikos"


def test_what_stands_above_the_table_stays(planner: Planner) -> None:
    write(planner, tasks("a"))
    planner.edit("Tasks", 1, 5, "printed Monday")
    write(planner, tasks("b", "c"))
    assert cells(planner)[1, 5] == "printed Monday"


def test_several_sheets_are_written_at_once(planner: Planner) -> None:
    receipt = write(planner, tasks("k", name="KPIs"), tasks("a"))
    assert receipt.written == receipt.added == ("KPIs", "Tasks")
    names = planner.workbook.snapshot().sheet_names
    assert names[:3] == ("City", "KPIs", "Tasks")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0"])
def test_text_arrives_as_text(planner: Planner, text: str) -> None:
    sheet = ResultSheet("T", "t", "n", "T", (ResultColumn("a"),), [(text,)])
    write(planner, sheet)
    assert cells(planner, "T")[5, 1] == text
    assert not planner.workbook.snapshot().uncomputed


def test_charts_survive_other_programs_and_a_second_run(planner: Planner) -> None:
    chart = Chart(ChartKind.BAR, "What pays", "Task", "ROI", "EUR", "Task",
                  (Series("ROI (EUR)", "#0072B2"),))  # fmt: skip
    write(planner, replace(tasks("a", "b"), charts=(chart,)))
    planner.edit("City", 1, 2, "Volos")
    write(planner, replace(tasks("a", "b", "c"), charts=(chart,)))
    assert cells(planner)[7, 1] == "c"
    assert planner.charts("Tasks") == ["What pays"] * planner.workbook.capabilities().charts
    write(planner, tasks("a"))
    assert planner.charts("Tasks") == []


def test_a_link_reads_as_its_text(planner: Planner) -> None:
    link = Link("outputs/map.html", "the map")
    write(planner, ResultSheet("T", "t", "n", "T", (ResultColumn("a", CellStyle.LINK),), [(link,)]))
    assert cells(planner, "T")[5, 1] == "the map"


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=40),
    st.text(alphabet=st.sampled_from("_x0041 \n\r\t<>&'\"\x00\x1f\ud800😀é"), max_size=12),
    st.dates(min_value=date(1900, 1, 1)),
    st.times(),
    st.datetimes(min_value=datetime(1900, 1, 1)),
)


@settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(rows=st.lists(st.tuples(VALUES, VALUES, VALUES), max_size=12))
def test_values_survive_write_and_read(planner: Planner, rows: list[tuple[Value, ...]]) -> None:
    columns = (
        ResultColumn("Task"),
        ResultColumn("Number", CellStyle.DECIMAL),
        ResultColumn("When", CellStyle.DATETIME),
    )
    write(planner, ResultSheet("V", "t", "n", "V", columns, rows))
    found = cells(planner, "V")
    for offset, row in enumerate(rows):
        for index, value in enumerate(row):
            got = found.get((TOP + 1 + offset, 1 + index))
            wanted = clean(value)
            assert got == wanted
            if not isinstance(wanted, int | float):
                assert type(got) is type(wanted)


def test_values_of_a_noon_and_a_midnight(planner: Planner) -> None:
    moments = [date(1900, 2, 28), date(1900, 3, 1), date(2024, 2, 29), time(23, 59, 59, 999000)]
    moments += [datetime(2024, 5, 1), datetime(2024, 5, 1, 12, 30, 15)]
    write(planner, ResultSheet("V", "t", "n", "V", (ResultColumn("a"),), [(m,) for m in moments]))
    found = cells(planner, "V")
    assert [found[TOP + 1 + i, 1] for i in range(len(moments))] == moments


@pytest.mark.parametrize(
    "sheet",
    [
        ResultSheet("a/b", "t", "n", "T", COLUMNS, []),
        ResultSheet("_fleetdesk", "t", "n", "T", COLUMNS, []),
        ResultSheet("T", "t", "n", "A1", COLUMNS, []),
        ResultSheet("T", "t", "n", "T", (ResultColumn("a"), ResultColumn("A")), []),
        ResultSheet("T", "t", "n", "T", COLUMNS, [("only one",)]),
        ResultSheet("T", "t", "n", "T", COLUMNS, [], key="no such column"),
    ],
)
def test_a_plan_no_workbook_can_hold_is_a_mistake(planner: Planner, sheet: ResultSheet) -> None:
    with pytest.raises(ValueError):
        write(planner, sheet)


def test_the_version_of_the_settings_is_kept(planner: Planner) -> None:
    assert planner.workbook.snapshot().settings_schema == 1, "none is kept yet"
    before = planner.workbook.snapshot().fingerprint
    planner.workbook.commit(WritePlan((tasks("a"),), settings_schema=2), before)
    assert planner.workbook.snapshot().settings_schema == 2
    write(planner, tasks("b"))
    assert planner.workbook.snapshot().settings_schema == 2, "a plan without one leaves it"


def test_new_settings_have_no_place_where_their_table_is_not(planner: Planner) -> None:
    entry = Input("days", "Days", InputKind.WHOLE, "How many.", "a whole number", low=1, high=9)
    new = SheetTemplate(
        "City", "City", "Where.", Layout.FORM, "City", (entry,), ((3,),), "EUR",
        (30.0, 12.0, 10.0, 60.0), "City_currency",
    )  # fmt: skip
    told = planner.workbook.obstacles((new,))
    assert told.keys() == {"City"} and not told["City"].endswith(".")
