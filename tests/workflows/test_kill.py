"""Killed before any change of the disk, workbook and store are as before or as after."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fleetdesk.store.base import RunState
from fleetdesk.store.duckdb_store import open_store
from fleetdesk.workflows.context import settle, utc_now

from .conftest import column, edit

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills forked processes")

KILLED = -9
LAST = 12  # changes of the disk from the workbook's draft to the end of the run
Order = Callable[[Path, int], tuple[int, int]]


@pytest.fixture(scope="module")
def order() -> Iterator[Order]:
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("kill_child.py"))],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:  # fmt: skip

        def give(workbook: Path, at: int) -> tuple[int, int]:
            assert process.stdin and process.stdout
            process.stdin.write(f"{workbook}\t{at}\n")
            process.stdin.flush()
            status, seen = process.stdout.readline().split()
            return int(status), int(seen)

        yield give
        assert process.stdin
        process.stdin.close()


def test_a_run_killed_anywhere_is_wholly_there_or_not_at_all(
    order: Order, workspace: Path, tmp_path: Path
) -> None:
    path = workspace / "FleetDesk.xlsx"
    edit(path, "City", "Route search effort", 50)
    edit(path, "Thresholds", "Rounds for error margins", 0)
    whole = shutil.copytree(workspace, tmp_path / "whole")
    status, changes = order(whole / path.name, 0)
    assert (status, changes > 30) == (0, True), "a run must change the disk more often than that"
    runs = len(column(path, "Run log", "Run"))
    outcomes = set()
    # Result after result is put aside in the same three steps; around the switch each one counts.
    for at in [1, *range(2, changes - LAST, changes // 5), *range(changes - LAST, changes + 2)]:
        before = path.read_bytes()
        status, _ = order(path, at)
        written = path.read_bytes() != before
        outcomes.add((status, written))
        runs += written
        assert len(column(path, "Run log", "Run")) == runs
        _agree(workspace, runs)
        if status != KILLED:
            assert status == 0
            break
    assert (KILLED, False) in outcomes
    assert (KILLED, True) in outcomes, "no kill between the switch and the end of the run"
    assert (0, True) in outcomes
    assert not list(workspace.glob(".*.tmp")), (
        "the run that went through cleans up after the others"
    )


def _agree(workspace: Path, runs: int) -> None:
    """What the next command does first; then ledger, outputs and run log say the same."""
    with open_store(workspace / "store") as store, store.runs.lock(utc_now()):
        settle(workspace, store, utc_now)
        finished = {r.run_id for r in store.runs.list() if r.state is RunState.FINISHED}
    assert len(finished) == runs
    logged = set(column(workspace / "FleetDesk.xlsx", "Run log", "Run"))
    assert logged == finished
    assert {folder.name for folder in (workspace / "outputs").iterdir()} == finished
