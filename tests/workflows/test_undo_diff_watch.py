"""Take a run back, compare two runs, try one without writing, run on every save."""

from __future__ import annotations

import shutil
from pathlib import Path

import openpyxl
import pytest

from fleetdesk.errors import FleetDeskError, SettingsInvalid, WorkbookRefused
from fleetdesk.store.base import RunState
from fleetdesk.store.duckdb_store import open_store
from fleetdesk.workflows.context import settle
from fleetdesk.workflows.dry_run import dry_run
from fleetdesk.workflows.kept_results import diff_runs
from fleetdesk.workflows.run import RunResult, check_workbook, run_workbook
from fleetdesk.workflows.undo import undo_run
from fleetdesk.workflows.watch import watch
from fleetdesk.workflows.workspace import NewWorkbook, new_workbook

from .conftest import Clock, Ran, column, edit


def test_undo_restores_exactly_and_takes_the_run_back(ran: Ran) -> None:
    path, published = ran.path, ran.result.published
    after = path.read_bytes()
    undone = undo_run(path, clock=Clock())
    assert path.read_bytes() == ran.before
    assert Path(undone.kept).read_bytes() == after, "what was undone can be had back"
    assert undone.run_id == published.run_id
    assert not (ran.folder / "outputs" / undone.run_id).exists()
    again = run_workbook(path, clock=Clock())
    assert again.published.changed == published.changed, "compared with the run that stands"


def test_undo_does_not_take_the_planners_edits_back_unasked(ran: Ran) -> None:
    path = ran.path
    edit(path, "Weights", "Idle time", 0.9)
    edited = path.read_bytes()
    with pytest.raises(WorkbookRefused, match="edited"):
        undo_run(path, clock=Clock())
    assert path.read_bytes() == edited
    undone = undo_run(path, anyway=True, clock=Clock())
    assert path.read_bytes() == ran.before
    assert Path(undone.kept).read_bytes() == edited


def test_undo_goes_back_one_run_at_a_time_and_ends(ran: Ran) -> None:
    path = ran.path
    undo_run(path, clock=Clock())
    assert path.read_bytes() == ran.before
    undo_run(path, anyway=True, clock=Clock())  # the threshold was edited after the first run
    with pytest.raises(FleetDeskError, match="nothing to undo"):
        undo_run(path, clock=Clock())


def test_a_backup_put_back_by_hand_takes_the_run_back(ran: Ran) -> None:
    ran.path.write_bytes(ran.before)
    with open_store(ran.folder / "store") as store, store.runs.lock(Clock()()):
        settle(ran.folder, store, Clock())
        assert [run.state for run in store.runs.list()] == [RunState.FINISHED, RunState.UNDONE]


@pytest.mark.parametrize("harm", ["damaged", "deleted"])
def test_undo_helps_when_the_workbook_is_beyond_help(ran: Ran, harm: str) -> None:
    path = ran.path
    if harm == "deleted":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:999])
    undone = undo_run(path, anyway=True, clock=Clock())
    assert path.read_bytes() == ran.before
    assert bool(undone.kept) == (harm == "damaged")


def test_a_lost_backup_is_a_sentence(ran: Ran) -> None:
    path = ran.path
    after = path.read_bytes()
    shutil.rmtree(ran.folder / "backups")
    with pytest.raises(WorkbookRefused, match="backup"):
        undo_run(path, clock=Clock())
    assert path.read_bytes() == after


def test_a_difference_names_the_setting_and_what_it_did(ran: Ran) -> None:
    workspace = ran.folder
    found = diff_runs(workspace, "previous", "last")
    assert [str(change) for change in found.settings] == list(ran.result.published.changed)
    assert any(change.key == "Plan: Tasks found" for change in found.figures)
    assert any(change.old is None for change in found.tasks), "no task came with the threshold"
    assert diff_runs(workspace, "last", "last").tasks == ()
    with pytest.raises(FleetDeskError, match="no finished run"):
        diff_runs(workspace, "yesterday", "last")


def test_a_run_that_plans_nothing_leaves_the_plan_as_it_was(ran: Ran) -> None:
    with (
        open_store(ran.folder / "store") as store,
        store.runs.lock(since=Clock()()),
    ):
        plan, name = store.runs.list()[-1], "99990101-000000"
        store.runs.begin(
            name, started_at=plan.started_at, settings_json=plan.settings_json,
            settings_flat=plan.settings_flat, seed=1, code_version="", generation="",
            data_window=None,
        )  # fmt: skip
        store.runs.publishing(name, workbook="", before_sha="", after_sha="", summary={})
        store.runs.finish(name, ended_at=plan.started_at)
    found = diff_runs(ran.folder, "previous", "last")
    assert (found.old.run_id, found.new.run_id) == (plan.run_id, name)
    assert (found.settings, found.figures, found.tasks) == ((), (), ())


def test_a_dry_run_shows_the_cells_and_writes_nothing(workspace: Path, ran: Ran) -> None:
    path = workspace / "FleetDesk.xlsx"
    book = openpyxl.load_workbook(path)
    page = book["Tasks"]
    page.cell(page.max_row + 5, 2, "my own line below")
    book.save(path)
    assert dry_run(path, clock=Clock()).cells == ()
    # Who asks for mails alone asks no question; the rows of Issues that the answers told go.
    mails = dry_run(path, only=["mail"], clock=Clock())
    assert {cell.sheet for cell in mails.cells} == {"Issues"}
    edit(path, "Thresholds", "Low battery below", 60)
    files = _files(workspace)
    tried = dry_run(path, clock=Clock())
    assert _files(workspace) == files
    assert tried.cells
    assert tried.changed == ("Thresholds: Low battery below: 30.0 -> 60.0",)
    assert ran.result.published.summary == tried.summary, "a run with the same threshold"
    # The tasks that the threshold brought are new no more once they have been planned again.
    columns = {cell.column for cell in dry_run(ran.path, clock=Clock()).cells}
    assert columns <= {"Since the last plan"}


def test_watch_runs_once_per_save_and_goes_on_after_a_mistake(workspace: Path) -> None:
    path = workspace / "FleetDesk.xlsx"
    lock = workspace / "~$FleetDesk.xlsx"
    turns = iter(
        [
            lambda: None,
            lambda: edit(path, "Weights", "Idle time", 0.9),
            lambda: None,
            lambda: edit(path, "Weights", "Idle time", 7),
            lambda: (edit(path, "Weights", "Idle time", 0.5), lock.write_bytes(b"")),
            lambda: None,
            lock.unlink,
        ]
    )

    def sleep(_seconds: float) -> None:
        turn = next(turns, None)
        if turn is None:
            raise KeyboardInterrupt
        turn()

    kinds: list[type] = []
    with pytest.raises(KeyboardInterrupt):
        for outcome in watch(str(path), clock=Clock(), sleep=sleep):
            kinds.append(type(outcome))
    assert kinds == [RunResult, SettingsInvalid, WorkbookRefused, RunResult]


def test_a_template_is_a_workbook_that_passes_its_own_check(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "Καστοριά.xlsx"
    new_workbook(path, NewWorkbook("Καστοριά", "Europe/Athens", "EUR"))
    assert check_workbook(path).warnings == ()
    assert "Run" not in column(path, "Run log", "Run")
    with pytest.raises(FleetDeskError, match="already"):
        new_workbook(path, NewWorkbook("Καστοριά", "Europe/Athens", "EUR"))
    with pytest.raises(FleetDeskError, match=r"\.xlsx"):
        new_workbook(tmp_path / "plan.csv", NewWorkbook("a", "UTC", "EUR"))


def _files(folder: Path) -> dict[str, bytes]:
    kept = [p for p in folder.rglob("*") if p.is_file() and ".sqlite" not in p.name]
    return {str(p.relative_to(folder)): p.read_bytes() for p in kept if p.suffix != ".lock"}
