"""The Run button from end to end on a small workspace whose workbook is open in Excel."""

from __future__ import annotations

import shutil
from pathlib import Path

import openpyxl
import pytest
from tests.sheets.excel_engine import FakeBook, FakeExcel
from tests.workflows.conftest import Clock, make_city

from fleetdesk.apps.excel import answer, main, press
from fleetdesk.sheets.excel_app import load
from fleetdesk.sheets.excel_launcher import ACTION, MESSAGE, SHEET, WORKBOOK, Launcher
from fleetdesk.workflows.context import locate
from fleetdesk.workflows.run import RunResult
from fleetdesk.workflows.watch import watch

LATER = Clock().now.replace(day=18)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_city(tmp_path_factory.mktemp("made") / "city", vehicles=40, days=5)


class Desk:
    """Excel with the launcher and, used before it, the planner's workbook."""

    def __init__(self, folder: Path, excel: FakeExcel) -> None:
        self.excel, self.path = excel, folder / "FleetDesk.xlsx"
        self.clock = Clock(LATER)
        self.shown: list[str] = []
        self.book = excel.open("FleetDesk.xlsx", openpyxl.load_workbook(self.path), self.path)
        sheet = openpyxl.Workbook()
        sheet.active.title = SHEET
        self.launcher = excel.open("FleetDesk_launcher.xlsm", sheet)

    def press(self, action: str, name: str = "") -> str:
        page = self.launcher.book[SHEET]
        page[ACTION], page[WORKBOOK] = action, name
        book = next(b for b in load().engines["excel"].apps.active.books if "launcher" in b.name)
        press(Launcher(book), self.clock, self.shown.append)
        return str(page[MESSAGE].value)

    @property
    def open(self) -> FakeBook:
        return next(b for b in self.excel.books if b.name == "FleetDesk.xlsx")

    def value(self, sheet: str, label: str) -> object:
        return self._beside(sheet, label).value

    def set(self, sheet: str, label: str, value: object) -> None:
        cell = self._beside(sheet, label)
        self.open.put(sheet, cell.row, cell.column, value)

    def tasks(self) -> list[object]:
        page = self.open.book["Tasks"]
        area = page.tables[next(iter(page.tables))].ref
        return [row[0].value for row in page[area]][1:]

    def _beside(self, sheet: str, label: str):  # type: ignore[no-untyped-def]
        page = self.open.book[sheet]
        at = next(cell for row in page.iter_rows() for cell in row if cell.value == label)
        return page.cell(at.row, at.column + 1)


@pytest.fixture
def desk(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(Path(shutil.copytree(made, tmp_path / "my city")), FakeExcel().install(monkeypatch))


def test_check_run_map_and_undo(desk: Desk) -> None:
    assert "all settings can be used" in desk.press("check")
    before, first = desk.path.read_bytes(), desk.tasks()
    desk.set("Thresholds", "Low battery below", 60)
    said = desk.press("run")
    assert said.startswith("Planned ")
    planned = desk.tasks()
    assert len(planned) > len(first)
    assert desk.path.read_bytes() == before, "saving is the planner's"
    assert desk.press("open map").startswith("Map ")
    assert desk.shown[0].startswith("file:") and desk.shown[0].endswith(".html")
    said = desk.press("undo")
    assert "is as it was before run" in said
    assert desk.tasks() == first
    assert desk.value("Thresholds", "Low battery below") == 60, "the run is undone, not the setting"
    assert "nothing to undo" in desk.press("undo")
    assert "no map yet" in desk.press("open map")


def test_undo_after_an_edit_is_refused(desk: Desk) -> None:
    desk.press("run")
    desk.set("Thresholds", "Low battery below", 55)
    assert "was edited since the last run" in desk.press("undo")
    assert desk.value("Thresholds", "Low battery below") == 55


def test_every_problem_is_named_in_the_launcher(desk: Desk) -> None:
    desk.set("Thresholds", "Low battery below", 500)
    desk.set("City", "Time zone", "Mars")
    said = desk.press("run")
    assert "2 problems" in said
    assert "Thresholds!" in said and "City!" in said


def test_the_workbook_can_be_named(desk: Desk) -> None:
    desk.excel.open("Budget.xlsx", openpyxl.Workbook())
    assert "Budget.xlsx does not lie in a workspace" in desk.press("check")
    assert "all settings can be used" in desk.press("check", "fleetdesk.xlsx")
    assert "no workbook Other.xlsx" in desk.press("check", "Other.xlsx")


def test_nothing_beside_the_launcher(desk: Desk) -> None:
    desk.book.close()
    assert "No planner's workbook is open" in desk.press("run")


def test_an_unknown_choice_is_named(desk: Desk) -> None:
    assert "Choose one of: run, check, undo, open map" in desk.press("fly")


def test_a_fault_is_a_sentence(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("=1/0")

    monkeypatch.setattr("fleetdesk.workflows.run.check_workbook", broken)
    said = desk.press("check")
    assert "fault of its own" in said
    assert "Traceback" not in said
    Path(said.rsplit("The report is in ", 1)[1].strip().rstrip(".")).unlink()


def test_the_macros_way_in(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    xw = load()
    book = next(b for b in xw.engines["excel"].apps.active.books if "launcher" in b.name)
    monkeypatch.setattr(xw.Book, "_mock_caller", book, raising=False)
    desk.launcher.book[SHEET][ACTION] = "check"
    main()
    assert "all settings can be used" in str(desk.launcher.book[SHEET][MESSAGE].value)


def test_the_ribbons_way_in(desk: Desk, tmp_path: Path) -> None:
    said = tmp_path / "answer.txt"
    answer("check", "FleetDesk.xlsx", said)
    assert "all settings can be used" in said.read_text(encoding="utf-8")
    answer("check", "Other.xlsx", said)
    assert "no workbook Other.xlsx" in said.read_text(encoding="utf-8")


def test_the_active_workbook_is_known_by_its_name(desk: Desk) -> None:
    desk.excel.books.reverse()
    assert locate("excel:", None) == ("excel:FleetDesk.xlsx", desk.path.parent)
    assert locate("excel:", desk.path)[1] == desk.path


def test_watch_runs_inside_excel_once_per_save(desk: Desk) -> None:
    saves = iter(range(4))

    def save() -> None:
        desk.open.save(desk.path)

    def sleep(_seconds: float) -> None:
        turn = next(saves, None)
        if turn is None:
            raise KeyboardInterrupt
        if turn == 0:
            desk.set("Weights", "Idle time", 0.9)
        if turn == 1:
            save()
        if turn == 3:
            save()

    ran = []
    with pytest.raises(KeyboardInterrupt):
        for outcome in watch("excel:FleetDesk.xlsx", clock=desk.clock, sleep=sleep):
            ran.append(outcome)
    assert [type(outcome) for outcome in ran] == [RunResult], "typing or our own results start none"
    assert desk.tasks()


def test_check_names_the_edits_that_cannot_be_used(desk: Desk) -> None:
    desk.set("Thresholds", "Low battery below", 60)
    desk.set("Weights", "Bonus at priority 100", 100)
    desk.press("run")
    page = desk.open.book["Routes"]
    at = next(cell for row in page.iter_rows() for cell in row if cell.value == "Lock")
    page.cell(at.row + 1, at.column).value = "perhaps"
    said = desk.press("check")
    assert "'perhaps' is neither yes nor empty" in said
    assert "all settings can be used" in said
