"""A planner's day from the workbook and back into it."""

from __future__ import annotations

import errno
import re
import shutil
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote

import openpyxl
import pytest
from openpyxl.cell import Cell
from openpyxl.worksheet.worksheet import Worksheet

from fleetdesk.errors import SettingsInvalid, StoreUnusable, WorkbookRefused
from fleetdesk.store.duckdb_store import open_store
from fleetdesk.workflows.run import RunResult, check_workbook, run_workbook

from .conftest import Clock, Ran, column, edit, edit_all


def test_the_sample_run_fills_every_sheet(made_workspace: Path) -> None:
    book = openpyxl.load_workbook(made_workspace / "FleetDesk.xlsx")
    for sheet in ("KPIs", "Tasks", "Routes", "ROI", "Issues", "Data quality", "Run log"):
        assert sheet in book.sheetnames
    tasks = column(made_workspace / "FleetDesk.xlsx", "Tasks", "Task")
    assert tasks
    for header in ("Why it is here", "Why this rank", "Why not planned"):
        reasons = column(made_workspace / "FleetDesk.xlsx", "Tasks", header)
        assert all(reasons), f"a task without {header!r}"
    maps = list(made_workspace.glob("outputs/*/route map.html"))
    assert len(maps) == 1


def test_the_same_workbook_gives_the_same_results_and_only_the_run_log_tells_when(
    workspace: Path,
) -> None:
    path = workspace / "FleetDesk.xlsx"
    edit_all(
        path, ("City", "Route search effort", 200), ("Thresholds", "Rounds for error margins", 5)
    )
    twin = shutil.copytree(workspace, workspace.with_name("twin")) / "FleetDesk.xlsx"
    late = shutil.copytree(workspace, workspace.with_name("late")) / "FleetDesk.xlsx"
    run_workbook(path, clock=Clock())
    run_workbook(twin, clock=Clock())
    assert _parts(path) == _parts(twin)
    run_workbook(late, clock=Clock(datetime(2027, 1, 2, 3, 4, tzinfo=UTC)))
    one, two = _parts(path), _parts(late)
    assert one.keys() == two.keys()
    log = _part_of(path, "Run log")
    different = {name for name in one if one[name] != two[name]}
    assert different <= {log, log.replace("worksheets/", "worksheets/_rels/") + ".rels"}


def test_a_changed_threshold_changes_the_plan_and_the_log_says_so(
    made_workspace: Path, made_run: Ran
) -> None:
    before = column(made_workspace / "FleetDesk.xlsx", "Tasks", "Task")
    after = column(made_run.path, "Tasks", "Task")
    assert len(after) > len(before)
    changed = made_run.result.published.changed
    assert changed == ("Thresholds: Low battery below: 30.0 -> 60.0",)
    assert column(made_run.path, "Run log", "What changed")[-1] == changed[0]


@dataclass(frozen=True)
class Rearranged:
    """The sample after a run that met other weights, a sheet of the planner's own, and the
    workbook in another place than the workspace."""

    path: Path
    workspace: Path
    result: RunResult


@pytest.fixture(scope="module")
def rearranged(made_workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Rearranged:
    folder = tmp_path_factory.mktemp("rearranged")
    workspace, desk = Path(shutil.copytree(made_workspace, folder / "my city")), folder / "desk"
    desk.mkdir()
    path = Path(shutil.move(workspace / "FleetDesk.xlsx", desk / "My plan.xlsx"))
    edit_all(path, ("Weights", "Low battery", 0), ("Weights", "Idle time", 1))
    book = openpyxl.load_workbook(path)
    notes = book.create_sheet("My notes")
    notes["B7"] = "=SUM(1,2)"
    notes["B8"] = "=not a formula"
    notes["B8"].data_type = "s"
    book.save(path)
    return Rearranged(path, workspace, run_workbook(path, folder=workspace, clock=Clock()))


def test_a_changed_weight_changes_the_ranks(made_workspace: Path, rearranged: Rearranged) -> None:
    before = column(made_workspace / "FleetDesk.xlsx", "Tasks", "Task")
    after = column(rearranged.path, "Tasks", "Task")
    assert sorted(map(str, before)) == sorted(map(str, after))
    assert before != after


def test_a_workspace_elsewhere_has_its_map_linked(rearranged: Rearranged) -> None:
    page = openpyxl.load_workbook(rearranged.path)["Run log"]
    links = [cell.hyperlink.target for row in page.iter_rows() for cell in row if cell.hyperlink]
    route_map = rearranged.result.published.files[0].resolve()
    assert rearranged.workspace.resolve() in route_map.parents
    assert unquote(links[-1]) == f"file://{route_map}"


def test_what_the_planner_wrote_stays(rearranged: Rearranged) -> None:
    again = openpyxl.load_workbook(rearranged.path)["My notes"]
    assert again["B7"].value == "=SUM(1,2)"
    assert again["B8"].value == "=not a formula"


def test_a_limit_leaves_tasks_out_with_the_reason(workspace: Path) -> None:
    path = workspace / "FleetDesk.xlsx"
    edit_all(path, ("Thresholds", "Lowest ROI", -1000), ("Thresholds", "Most tasks considered", 1))
    result = run_workbook(path, clock=Clock())
    assert result.published.summary["tasks_planned"] <= 1
    assert any("the first 1" in str(why) for why in column(path, "Tasks", "Why not planned"))


def test_the_run_log_only_grows_whatever_a_planner_does_to_it(
    workspace: Path, made_run: Ran
) -> None:
    path = workspace / "FleetDesk.xlsx"
    first = column(path, "Run log", "Run")
    runs = column(made_run.path, "Run log", "Run")
    assert runs[: len(first)] == first
    assert len(runs) == len(first) + 1

    _rename_run(path, 1, "20200101-000000")
    run_workbook(path, clock=Clock())
    runs = column(path, "Run log", "Run")
    assert runs[0] == "20200101-000000", "the run of another workspace stays"
    assert set(first) < set(runs)
    assert len(runs) == len(first) + 2

    book = openpyxl.load_workbook(path)
    copied = book.create_sheet("My copy", 0)
    page = book["Run log"]
    for row in page.iter_rows(min_row=_head(page).row):
        copied.append([cell.value for cell in row])
    book.save(path)
    _rename_run(path, 2, None)
    run_workbook(path, clock=Clock())
    again = column(path, "Run log", "Run")
    assert again[: len(runs)] == runs
    assert len(again) == len(runs) + 1


def _rename_run(path: Path, number: int, name: str | None) -> None:
    book = openpyxl.load_workbook(path)
    head = _head(book["Run log"])
    book["Run log"].cell(head.row + number, head.column).value = name
    book.save(path)


def _head(page: Worksheet) -> Cell:
    return next(cell for row in page.iter_rows() for cell in row if cell.value == "Run")


def test_two_workbooks_of_one_workspace_are_compared_each_with_itself(workspace: Path) -> None:
    path = workspace / "FleetDesk.xlsx"
    other = workspace / "Plan B.xlsx"
    shutil.copy(path, other)
    edit(other, "Weights", "Low battery", 0.9)
    assert run_workbook(other, clock=Clock()).published.changed == ()
    assert run_workbook(path, clock=Clock()).published.changed == ()
    edit(other, "Weights", "Low battery", 0.8)
    assert run_workbook(other, clock=Clock()).published.changed == (
        "Weights: Low battery: 0.9 -> 0.8",
    )


def test_a_run_that_raises_is_entered_with_its_reason(workspace: Path) -> None:
    path = workspace / "FleetDesk.xlsx"

    def stop(step: str, _share: float) -> None:
        if step.startswith("Weighing"):
            raise RuntimeError("the light went out")

    with pytest.raises(RuntimeError):
        run_workbook(path, clock=Clock(), on_progress=stop)
    with open_store(workspace / "store") as store:
        last = store.runs.list()[-1]
    assert (last.state, last.reason) == ("failed", "the light went out")


def test_a_disk_that_fills_up_keeps_no_half_written_map(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    before = sorted((workspace / "outputs").rglob("*"))
    monkeypatch.setattr("fleetdesk.workflows.publish.os.fsync", no_room)
    # The ledger's entry needs room as well.
    monkeypatch.setattr("fleetdesk.store.runs.RunLedger.failed", no_room)
    with pytest.raises(OSError, match="No space left"):
        run_workbook(workspace / "FleetDesk.xlsx", only=("plan",), clock=Clock())
    assert sorted((workspace / "outputs").rglob("*")) == before


def test_every_problem_is_named_and_nothing_is_written(workspace: Path) -> None:
    path = workspace / "FleetDesk.xlsx"
    edit_all(
        path,
        ("Weights", "Low battery", 1.7),
        ("City", "Time zone", "Europe/Atlantis"),
        ("Thresholds", "Most tasks considered", "many"),
    )
    before = path.read_bytes()
    with pytest.raises(SettingsInvalid) as caught:
        run_workbook(path, clock=Clock())
    sheets = {problem.sheet for problem in caught.value.problems}
    assert sheets == {"Weights", "City", "Thresholds"}
    assert all(problem.cell for problem in caught.value.problems)
    assert path.read_bytes() == before
    with pytest.raises(SettingsInvalid):
        check_workbook(path)


def test_a_missing_sheet_is_named(workspace: Path) -> None:
    path = workspace / "FleetDesk.xlsx"
    book = openpyxl.load_workbook(path)
    del book["Weights"]
    book.save(path)
    with pytest.raises(SettingsInvalid, match="Weights"):
        run_workbook(path, clock=Clock())


@pytest.mark.parametrize("owner", ["~$FleetDesk.xlsx", ".~lock.FleetDesk.xlsx#"])
def test_a_workbook_that_is_open_elsewhere_is_left_alone(workspace: Path, owner: str) -> None:
    path = workspace / "FleetDesk.xlsx"
    (workspace / owner).write_bytes(b"\x05Maria")
    before = path.read_bytes()
    with pytest.raises(WorkbookRefused) as caught:
        run_workbook(path, clock=Clock())
    assert caught.value.retry_helps
    assert path.read_bytes() == before
    assert len(list(workspace.glob("outputs/*"))) == 1, "the refused run left a map behind"


def test_a_broken_zip_is_a_sentence(workspace: Path) -> None:
    path = workspace / "FleetDesk.xlsx"
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(WorkbookRefused):
        run_workbook(path, clock=Clock())


def test_a_workbook_without_a_store_says_what_to_do(workspace: Path) -> None:
    shutil.rmtree(workspace / "store")
    with pytest.raises(StoreUnusable, match=r"(?i)import"):
        run_workbook(workspace / "FleetDesk.xlsx", clock=Clock())


def test_the_planner_saves_in_mid_run_and_keeps_the_edit(workspace: Path) -> None:
    path = workspace / "FleetDesk.xlsx"
    saved = False

    def meddle(step: str, _share: float) -> None:
        nonlocal saved
        if step.startswith("Planning") and not saved:
            saved = True
            edit(path, "Weights", "Idle time", 0.9)

    with pytest.raises(WorkbookRefused) as caught:
        run_workbook(path, clock=Clock(), on_progress=meddle)
    assert saved
    assert caught.value.retry_helps
    assert column(path, "Weights", "Value")[4] == 0.9
    with open_store(workspace / "store") as store:
        assert len([run for run in store.runs.list() if run.state == "finished"]) == 1


def _part_of(path: Path, sheet: str) -> str:
    with zipfile.ZipFile(path) as package:
        book = package.read("xl/workbook.xml").decode()
        links = package.read("xl/_rels/workbook.xml.rels").decode()
    found = re.search(rf'name="{sheet}"[^>]*r:id="(\w+)"', book)
    assert found
    (entry,) = (tag for tag in re.findall("<Relationship [^>]*>", links) if f'"{found[1]}"' in tag)
    target = re.search('Target="([^"]+)"', entry)
    assert target
    return "xl/" + target[1].removeprefix("/xl/")


def _parts(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as package:
        return {name: package.read(name) for name in package.namelist()}
