"""Killed before any change of the disk, workbook and store are as before or as after."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import lru_cache
from io import BytesIO
from pathlib import Path

import pytest

from fleetdesk.store.base import RunState
from fleetdesk.store.duckdb_store import open_store
from fleetdesk.workflows.context import settle, utc_now

from .conftest import column

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills forked processes")

KILLED = -9
SWITCH = 7  # changes of the disk from the switch of the workbook to the end of the run
Order = Callable[..., tuple[int, int]]


@pytest.fixture(scope="module")
def order() -> Iterator[Order]:
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("kill_child.py"))],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:  # fmt: skip

        def give(workbook: Path, at: int, copies: Path | str = "") -> tuple[int, int]:
            assert process.stdin and process.stdout
            process.stdin.write(f"{workbook}\t{at}\t{copies}\n")
            process.stdin.flush()
            status, seen = process.stdout.readline().split()
            return int(status), int(seen)

        yield give
        assert process.stdin
        process.stdin.close()


@pytest.fixture(scope="module")
def whole(
    order: Order, made_workspace: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, int]:
    """A folder with the workspace of a run that nobody killed, and `copies` of it before each
    change of the disk; and the number of changes."""
    folder = tmp_path_factory.mktemp("whole")
    workspace = Path(shutil.copytree(made_workspace, folder / "city"))
    status, changes = order(workspace / "FleetDesk.xlsx", 0, folder / "copies")
    assert (status, changes > 30) == (0, True), "a run must change the disk more often than that"
    return folder, changes


def test_a_run_killed_anywhere_is_wholly_there_or_not_at_all(
    whole: tuple[Path, int], made_workspace: Path
) -> None:
    folder, changes = whole
    _agree(folder / "city", 2)
    before, outcomes = (made_workspace / "FleetDesk.xlsx").read_bytes(), []
    for at in range(1, changes + 1):
        left = folder / "copies" / str(at)
        outcomes.append((left / "FleetDesk.xlsx").read_bytes() != before)
        _agree(left, 1 + outcomes[-1])
        shutil.rmtree(left)
    assert outcomes == sorted(outcomes), "what was there was gone again"
    assert not outcomes[0]
    assert 1 < sum(outcomes) <= SWITCH, "the run must end soon after the switch, yet not with it"


def test_runs_go_on_in_what_killed_ones_left(
    order: Order, whole: tuple[Path, int], workspace: Path
) -> None:
    path, changes = workspace / "FleetDesk.xlsx", whole[1]
    outcomes = []
    for at in (2, changes // 2, changes, 0):
        before = path.read_bytes()
        status, _ = order(path, at)
        outcomes.append((status, path.read_bytes() != before))
        _agree(workspace, 1 + sum(written for _, written in outcomes))
    assert outcomes == [(KILLED, False), (KILLED, False), (KILLED, True), (0, True)]
    assert not list(workspace.glob(".*.tmp")), (
        "the run that went through cleans up after the others"
    )


def _agree(workspace: Path, runs: int) -> None:
    """What the next command does first; then ledger, outputs and run log say the same."""
    with open_store(workspace / "store") as store, store.runs.lock(utc_now()):
        settle(workspace, store, utc_now)
        finished = {r.run_id for r in store.runs.list() if r.state is RunState.FINISHED}
    assert len(finished) == runs
    assert _logged((workspace / "FleetDesk.xlsx").read_bytes()) == finished
    assert {folder.name for folder in (workspace / "outputs").iterdir()} == finished


@lru_cache(maxsize=8)
def _logged(workbook: bytes) -> frozenset[object]:
    return frozenset(column(BytesIO(workbook), "Run log", "Run"))
