"""The workbook in a running Excel: its moods, the planner's hands beside ours, and going back."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.table import Table
from tests.sheets.excel_engine import IN_CELL, FakeBook, FakeExcel, com_error, refused

from fleetdesk.errors import WorkbookRefused
from fleetdesk.sheets.base import CellStyle, Link, ResultColumn, ResultSheet, WritePlan
from fleetdesk.sheets.excel_app import Patience, load
from fleetdesk.sheets.excel_live import ExcelLive
from fleetdesk.sheets.excel_values import from_excel, rectangles, to_excel
from fleetdesk.sheets.open import open_workbook
from fleetdesk.sheets.xlsx_file import XlsxFile

COLUMNS = (
    ResultColumn("Task", CellStyle.TEXT, 12),
    ResultColumn("ROI (EUR)", CellStyle.MONEY, 12),
    ResultColumn("Map", CellStyle.LINK, 20),
)


class Time:
    """A clock that only moves while somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def excel(monkeypatch: pytest.MonkeyPatch) -> FakeExcel:
    return FakeExcel().install(monkeypatch)


@pytest.fixture
def book(excel: FakeExcel, tmp_path: Path) -> FakeBook:
    made = openpyxl.Workbook()
    made.active.title = "City"
    made.active.append(["City", "Thessaloniki"])
    return excel.open("Plan.xlsx", made, tmp_path / "Plan.xlsx")


@pytest.fixture
def live(book: FakeBook, time: Time) -> ExcelLive:
    return ExcelLive(
        clock=lambda: datetime(2024, 5, 1, 10),
        patience=Patience("Plan.xlsx", 20.0, time.sleep, lambda: time.now),
    )


def tasks(*keys: str, columns: tuple[ResultColumn, ...] = COLUMNS) -> ResultSheet:
    rows = [(key, 10.5 * i, Link(f"outputs/{key}.html", "map")) for i, key in enumerate(keys)]
    return ResultSheet("Tasks", "Tasks today", "What pays.", "Tasks", columns, rows, key="Task")


def write(live: ExcelLive, *sheets: ResultSheet) -> Any:
    return live.commit(WritePlan(sheets), live.snapshot().fingerprint)


def content(book: FakeBook) -> dict[str, dict[tuple[int, int], tuple[object, str]]]:
    """Everything in the workbook: values, formulas, tables, links."""
    return {
        page.title: {
            **{p: (c._value, c.data_type) for p, c in page._cells.items() if c._value is not None},
            (0, 0): (sorted((t.displayName, t.ref) for t in page.tables.values()), ""),
            (0, 1): (sorted(book.links.get(page.title, {}).items()), ""),
        }
        for page in book.book.worksheets
    }


def nth(call: str, n: int, then: Callable[[], object]) -> Callable[[str], None]:
    """Do something at the n-th call of that name."""
    seen = 0

    def on_call(name: str) -> None:
        nonlocal seen
        seen += name == call
        if name == call and seen == n:
            then()

    return on_call


READS = ("get", "app", "book", "name", "sheet.name", "sheet.api", "used", "range", "table.name")


def fail_at(n: int) -> Callable[[str], None]:
    """Fail at the n-th call that changes something; a failing read leaves what it found."""
    seen = 0

    def on_call(call: str) -> None:
        nonlocal seen
        changes = not call.startswith(READS) and call not in ("sheets", "tables")
        seen += changes
        if changes and seen == n:
            raise refused("Out of memory")

    return on_call


def raising(error: Exception) -> Callable[[], object]:
    def act() -> object:
        raise error

    return act


def test_the_free_part_only_whatever_key_is_there_and_only_when_needed() -> None:
    code = (
        "import sys; from fleetdesk.sheets.excel_app import load\n"
        "before = 'xlwings' in sys.modules; x = load()\n"
        "print(before, x.__pro__, [m for m in sys.modules if 'xlwings.pro.' in m])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={"XLWINGS_LICENSE_KEY": "noncommercial", "PYTHONPATH": ":".join(sys.path)},
    )  # fmt: skip
    assert done.stdout.strip() == "False False []"


def test_the_pro_part_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load(), "__pro__", True)
    with pytest.raises(WorkbookRefused, match="PRO"):
        load()


def test_no_excel_here_is_said() -> None:
    if sys.platform == "win32":
        pytest.skip("this computer may have Excel")
    with pytest.raises(WorkbookRefused) as refusal:
        open_workbook("excel:").snapshot()
    assert "name its file" in refusal.value.fix


def test_no_workbook_open_is_said(excel: FakeExcel) -> None:
    with pytest.raises(WorkbookRefused, match="No workbook is open"):
        open_workbook("excel:").snapshot()


def test_a_workbook_that_is_not_open_is_said(book: FakeBook) -> None:
    with pytest.raises(WorkbookRefused, match=r"no workbook Other\.xlsx") as refusal:
        open_workbook("excel:Other.xlsx").snapshot()
    assert "Plan.xlsx" in refusal.value.found


def test_the_active_workbook_stays_the_one_it_was(excel: FakeExcel, book: FakeBook) -> None:
    workbook = open_workbook("excel:")
    assert workbook.snapshot().where == "Plan.xlsx"
    excel.open("Other.xlsx", openpyxl.Workbook())
    assert workbook.snapshot().where == "Plan.xlsx"
    assert open_workbook("excel:").snapshot().where == "Other.xlsx"
    assert open_workbook("excel:plan.XLSX").snapshot().where == "Plan.xlsx"


def test_values_come_as_the_port_has_them(live: ExcelLive, book: FakeBook) -> None:
    book.put("City", 2, 1, 5)
    book.put("City", 2, 2, datetime(2024, 5, 1, 10, 30))
    book.put("City", 2, 3, "'")
    book.put("City", 2, 4, "=1/0")
    book.results["City", 2, 4] = -2146826281
    book.put("City", 2, 5, 12.5)
    book.book["City"]["E2"].number_format = "#,##0.00 €"
    book.book["City"]["B2"].number_format = "yyyy-mm-dd hh:mm"
    cells = live.snapshot(["City"]).sheets["City"].cells
    assert [cells.get((2, column)) for column in range(1, 6)] == [
        5, datetime(2024, 5, 1, 10, 30), None, "#DIV/0!", 12.5
    ]  # fmt: skip
    assert type(cells[2, 1]) is int
    assert from_excel(-2146826243, "") == "#SPILL!"
    assert from_excel(Decimal("2.5"), "") == 2.5


def test_a_sheet_is_read_in_two_calls(live: ExcelLive, book: FakeBook, excel: FakeExcel) -> None:
    for row in range(1, 300):
        for column in range(1, 12):
            book.put("City", row, column, row * column)
    excel.calls.clear()
    live.snapshot()
    assert [call for call in excel.calls if call in ("get value", "get formula")] == [
        "get value", "get formula"
    ]  # fmt: skip


def test_a_block_is_written_in_few_calls(live: ExcelLive, excel: FakeExcel) -> None:
    write(live, tasks("a"))
    excel.calls.clear()
    write(live, tasks(*(f"k{n}" for n in range(200)), columns=(*COLUMNS[:2], COLUMNS[2])))
    assert excel.calls.count("set value") < 10


def test_text_is_text_even_in_a_cell_made_for_something_else(
    live: ExcelLive, book: FakeBook
) -> None:
    texts = ("=1+1", "+1", "-1", "@SUM(A1)", "'quoted", "1e5", "TRUE", "2024-05-01", "007", " 1 ")
    columns = tuple(ResultColumn(f"c{n}", style) for n, style in enumerate(CellStyle))
    rows = [(text,) * len(columns) for text in texts]
    write(live, ResultSheet("T", "=1+1", "-1", "T", columns, rows))
    page = book.book["T"]
    assert {cell.data_type for row in page.iter_rows() for cell in row if cell.value} == {"s"}
    read = live.snapshot(["T"]).sheets["T"].cells
    assert [read[5 + n, 1] for n in range(len(texts))] == list(texts)
    assert (read[1, 1], read[2, 1]) == ("=1+1", "-1")
    assert to_excel(Link("x", "=A1"), False) == "'=A1"


def test_counts_among_other_figures_are_shown_whole(live: ExcelLive, book: FakeBook) -> None:
    figures = (ResultColumn("Value", CellStyle.NUMBER),)
    write(live, ResultSheet("KPIs", "t", "n", "Kpis", figures, [(120,), (2.5,), (3.0,)]))
    shown = [book.book["KPIs"].cell(row, 1).number_format for row in (5, 6, 7)]
    assert shown == ["#,##0", "#,##0.00", "#,##0.00"]


def test_links_formats_and_table(live: ExcelLive, book: FakeBook) -> None:
    write(live, tasks("a", "b"))
    page = book.book["Tasks"]
    assert book.links["Tasks"] == {(5, 3): ("outputs/a.html", ""), (6, 3): ("outputs/b.html", "")}
    assert page["B5"].number_format == "#,##0.00"
    assert page.tables["Tasks"].ref == "A4:C6"
    write(live, tasks("c"))
    assert page.tables["Tasks"].ref == "A4:C5"
    assert book.links["Tasks"] == {(5, 3): ("outputs/c.html", "")}


def test_other_columns_next_time(live: ExcelLive, book: FakeBook) -> None:
    write(live, tasks("a", "b"))
    book.put("Tasks", 5, 4, "call Maria")
    turned = (COLUMNS[1], ResultColumn("New"), COLUMNS[0])
    rows = [(1.0, "n", "b"), (2.0, "m", "a")]
    write(live, ResultSheet("Tasks", "t", "n", "Tasks", turned, rows, key="Task"))
    page = book.book["Tasks"]
    assert [cell.value for cell in page[4]][:3] == ["ROI (EUR)", "New", "Task"]
    assert page["D6"].value == "call Maria"
    assert page.tables["Tasks"].ref == "A4:C6"


def test_a_planners_column_in_the_table_is_filled(live: ExcelLive, book: FakeBook) -> None:
    write(live, tasks("a", "b"))
    page = book.book["Tasks"]
    page.tables["Tasks"].ref = "A4:D6"
    book.put("Tasks", 4, 4, "Twice")
    for row in (5, 6):
        book.put("Tasks", row, 4, "=[@[ROI (EUR)]]*2")
    write(live, tasks("a", "b", "c", "d"))
    assert page.tables["Tasks"].ref == "A4:D8"
    assert [book.formula("Tasks", row, 4) for row in range(5, 10)] == [
        *["=[@[ROI (EUR)]]*2"] * 4, ""
    ]  # fmt: skip


def test_a_totals_row_stays_below_the_data(live: ExcelLive, book: FakeBook) -> None:
    write(live, tasks("a", "b"))
    table = book.book["Tasks"].tables["Tasks"]
    table.ref, table.totalsRowCount = "A4:C7", 1
    book.put("Tasks", 7, 1, "Total")
    write(live, tasks("a", "b", "c", "d"))
    assert (table.ref, table.totalsRowCount) == ("A4:C9", 1)
    assert book.book["Tasks"]["A7"].value == "c"


def test_the_planners_table_in_the_way_is_refused(live: ExcelLive, book: FakeBook) -> None:
    write(live, tasks("a"))
    book.put("Tasks", 8, 1, "Mine")
    book.book["Tasks"].add_table(Table(displayName="Mine", ref="A8:A9"))
    before = content(book)
    with pytest.raises(WorkbookRefused, match="Your table Mine"):
        write(live, tasks(*"abcdef"))
    assert content(book) == before


@pytest.mark.parametrize("editing", [False, True])
def test_busy_for_a_while_is_waited_for(
    live: ExcelLive, excel: FakeExcel, time: Time, editing: bool
) -> None:
    excel.editing = editing
    fingerprint = live.snapshot().fingerprint
    prepared = live.prepare(WritePlan((tasks("a"),)), fingerprint)
    excel.on_call = nth("set value", 2, lambda: setattr(excel, "busy", 4))
    prepared.switch()
    assert 0 < time.now < 20
    assert live.snapshot(["Tasks"]).sheets["Tasks"].cells[5, 1] == "a"


@pytest.mark.parametrize("editing", [False, True])
def test_busy_for_ever_ends_with_a_sentence(
    live: ExcelLive, excel: FakeExcel, time: Time, editing: bool
) -> None:
    live.snapshot()
    excel.editing, excel.busy = editing, 10**9
    with pytest.raises(WorkbookRefused, match="busy for 20 seconds") as refusal:
        live.snapshot()
    assert refusal.value.retry_helps
    assert 20 <= time.now < 25


def test_an_edit_in_mid_run_is_refused(live: ExcelLive, book: FakeBook) -> None:
    write(live, tasks("a"))
    prepared = live.prepare(WritePlan((tasks("b"),)), live.snapshot().fingerprint)
    book.put("Tasks", 5, 4, "a note typed meanwhile")
    before = content(book)
    with pytest.raises(WorkbookRefused, match="was changed while"):
        prepared.switch()
    assert content(book) == before


def test_a_formulas_result_is_no_edit(live: ExcelLive, book: FakeBook) -> None:
    book.put("City", 3, 1, "=ROWS(Tasks[Task])")
    write(live, tasks("a"))
    fingerprint = live.snapshot().fingerprint
    book.results["City", 3, 1] = 5.0
    assert live.snapshot().fingerprint == fingerprint
    book.put("City", 3, 1, "=ROWS(Tasks[Task])+1")
    assert live.snapshot().fingerprint != fingerprint


def test_what_will_be_is_known_before(live: ExcelLive) -> None:
    prepared = live.prepare(WritePlan((tasks("a"),)), live.snapshot().fingerprint)
    assert prepared.switch().fingerprint == prepared.after == live.snapshot(()).fingerprint


@pytest.mark.parametrize("what", ["sheet", "manifest", "structure"])
def test_protection_is_refused_before_anything_is_written(
    live: ExcelLive, book: FakeBook, what: str
) -> None:
    plan = [tasks("b")]
    write(live, tasks("a"))
    if what == "structure":
        book.structure_locked = True
        plan.append(ResultSheet("New", "t", "n", "New", COLUMNS, []))
    else:
        book.locked = {"Tasks" if what == "sheet" else "_fleetdesk"}
    before = content(book)
    with pytest.raises(WorkbookRefused, match="protected"):
        write(live, *plan)
    assert content(book) == before


def test_any_failing_call_leaves_everything_as_it_was(
    live: ExcelLive, book: FakeBook, excel: FakeExcel
) -> None:
    write(live, tasks("a", "b", "c"))
    book.put("Tasks", 5, 4, "call Maria")
    book.put("Tasks", 6, 5, "=B6*2")
    before, settings = content(book), dict(excel.settings)
    wide = (*COLUMNS, ResultColumn("Why"))
    rows = [(key, 1.0, Link("m.html", "map"), "=why") for key in "xbay"]
    plan = WritePlan((
        ResultSheet("Tasks", "t", "n", "Tasks", wide, rows, key="Task"),
        ResultSheet("New", "t", "n", "New", COLUMNS, []),
    ))  # fmt: skip
    failed = 0
    while True:
        prepared = live.prepare(plan, live.snapshot().fingerprint)
        excel.on_call = fail_at(failed + 1)
        try:
            prepared.switch()
        except WorkbookRefused as refusal:
            failed += 1
            excel.on_call = lambda _: None
            assert "Out of memory" in str(refusal)
            assert content(book) == before
            assert excel.settings == settings
        else:
            break
    assert failed > 40
    assert content(book) != before


def test_closed_in_mid_write_is_said(live: ExcelLive, book: FakeBook, excel: FakeExcel) -> None:
    prepared = live.prepare(WritePlan((tasks("a"),)), live.snapshot().fingerprint)
    settings = dict(excel.settings)
    excel.on_call = nth("set value", 2, book.close)
    with pytest.raises(WorkbookRefused) as refusal:
        prepared.switch()
    assert "closed" in str(refusal.value)
    assert excel.settings == settings


def test_stopped_by_hand_is_put_back(live: ExcelLive, book: FakeBook, excel: FakeExcel) -> None:
    write(live, tasks("a"))
    before = content(book)
    prepared = live.prepare(WritePlan((tasks("b", "c"),)), live.snapshot().fingerprint)
    excel.on_call = nth("set value", 3, raising(KeyboardInterrupt()))  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt):
        prepared.switch()
    assert content(book) == before
    assert excel.settings["screen_updating"] is True


def test_the_workbook_as_it_was_is_kept(live: ExcelLive, book: FakeBook, tmp_path: Path) -> None:
    write(live, tasks("a"))
    receipt = write(live, tasks("b"))
    assert Path(receipt.backup).parent == tmp_path / "backups"
    assert XlsxFile(receipt.backup).snapshot(["Tasks"]).sheets["Tasks"].cells[5, 1] == "a"


def test_a_workbook_that_is_used_from_end_to_end_is_refused(
    live: ExcelLive, book: FakeBook
) -> None:
    book.put("City", 1_048_576, 16_384, "far")
    with pytest.raises(WorkbookRefused, match="end to end"):
        live.snapshot()


def test_file_and_excel_agree_on_what_is_whose(
    live: ExcelLive, book: FakeBook, tmp_path: Path
) -> None:
    write(live, tasks("a", "b"))
    book.put("Tasks", 5, 4, "call Maria")
    path = tmp_path / "saved.xlsx"
    book.book.save(path)
    file = XlsxFile(path)
    receipt = file.commit(WritePlan((tasks("b", "a"),)), file.snapshot().fingerprint)
    assert receipt.added == ()
    assert file.snapshot(["Tasks"]).sheets["Tasks"].cells[6, 4] == "call Maria"


def test_rectangles_cover_each_cell_once() -> None:
    places = {(r, c) for r in range(1, 5) for c in range(1, 4)} | {(7, 1), (8, 1), (2, 9)}
    found = rectangles(places)
    covered = [
        (r, c) for top, left, bottom, right in found
        for r in range(top, bottom + 1) for c in range(left, right + 1)
    ]  # fmt: skip
    assert sorted(covered) == sorted(places)
    assert found == [(1, 1, 4, 3), (2, 9, 2, 9), (7, 1, 8, 1)]


def test_an_error_of_com_is_told_from_others() -> None:
    wait = Patience("x", 0.0)
    inner = (0, "", "", None, 0, IN_CELL[1])
    with pytest.raises(WorkbookRefused, match="busy"):
        wait(raising(com_error(IN_CELL[0], "", inner, None)))
    with pytest.raises(ZeroDivisionError):
        wait(raising(ZeroDivisionError()))
