"""A workspace in one file and back; what is no whole backup is refused without a trace."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from fleetdesk.errors import FleetDeskError, StoreUnusable
from fleetdesk.store.duckdb_store import open_store
from fleetdesk.workflows.backup import LIST, back_up, restore
from fleetdesk.workflows.fire_times import every
from fleetdesk.workflows.mail_log import LOG_NAME, MailEntry, note
from fleetdesk.workflows.run import run_workbook
from fleetdesk.workflows.schedule import add_job, list_jobs

from .conftest import START, Clock


@pytest.fixture(scope="module")
def packed(made_workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("backup")
    workspace = Path(shutil.copytree(made_workspace, folder / "my city"))
    (workspace / "raw").mkdir()
    (workspace / "raw" / "2024-05-01T12:00 feed.json.gz").write_bytes(b"raw")
    (workspace / "mapping for trips.csv").write_text("column,means\n")
    (workspace / "store" / "rider.key").write_text("the key itself, never to be given away")
    note(workspace, MailEntry(START, "Maria", "m@example.org", "k", "R1", "2026-06-17", "s"))
    add_job(workspace, ["import", "tables", "x"], every("15m"), START)
    back_up(workspace, folder / "city.zip", clock=Clock())
    return folder / "city.zip"


def test_a_restored_workspace_is_the_one_that_was_backed_up(packed: Path, tmp_path: Path) -> None:
    original = packed.parent / "my city"
    restored = tmp_path / "again"
    restored.mkdir()  # an empty folder is fine
    assert restore(packed, restored).files > 10
    for name in (
        "FleetDesk.xlsx",
        "mapping for trips.csv",
        "raw/2024-05-01T12:00 feed.json.gz",
        "schedule/jobs.json",
    ):
        assert (restored / name).read_bytes() == (original / name).read_bytes()
    files = [path.relative_to(original) for path in original.glob("outputs/**/*.*")]
    assert files and all((restored / path).is_file() for path in files)
    assert any(path.name == LOG_NAME for path in files), "or routes would be mailed again"
    with open_store(restored / "store") as copy, open_store(original / "store") as store:
        assert copy.generation == store.generation
        assert copy.runs.list() == store.runs.list() and copy.imports() == store.imports()
        run = copy.runs.last_published()
        assert run and copy.result(run.run_id, "Tasks").equals(store.result(run.run_id, "Tasks"))
    assert list_jobs(restored) == list_jobs(original)
    run_workbook(restored / "FleetDesk.xlsx", clock=Clock())


def test_no_key_is_in_it(packed: Path) -> None:
    with zipfile.ZipFile(packed) as pack:
        assert not any("rider.key" in name or "lock" in name for name in pack.namelist())
        assert not any(b"never to be given away" in pack.read(name) for name in pack.namelist())


def test_a_backup_is_taken_while_others_import(workspace: Path, tmp_path: Path) -> None:
    row = pa.table(
        {"hour_at": pa.array([START.replace(tzinfo=None)], pa.timestamp("us")),
         "temperature_c": [1.0], "rain_mm": [0.0], "wind_kmh": [0.0]}
    )  # fmt: skip
    with open_store(workspace / "store") as store:
        before = store.generation
        with store.new_generation("meanwhile") as generation:
            generation.append("weather", row)
            back_up(workspace, tmp_path / "a.zip")
        for _ in range(4):  # the generation that was backed up is collected here
            with store.new_generation("later") as generation:
                generation.append("weather", row)
    restore(tmp_path / "a.zip", tmp_path / "w")
    with open_store(tmp_path / "w" / "store") as store:
        assert store.generation == before
        assert len(store.imports()) == 1
        with store.new_generation("goes on") as generation:
            generation.append("weather", row)
        assert store.imports()[-1].source == "goes on"


def test_files_and_folders_in_the_way_are_left_alone(packed: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(FleetDeskError, match="not an empty folder"):
        restore(packed, tmp_path)
    with pytest.raises(FleetDeskError, match="already a file"):
        back_up(packed.parent / "my city", packed)
    with pytest.raises(FleetDeskError, match="no file"):
        restore(tmp_path / "none.zip", tmp_path / "w")
    with pytest.raises(StoreUnusable, match="no FleetDesk store"):
        back_up(tmp_path, tmp_path / "b.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def rewritten(packed: Path, to: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """The backup with other members; `change` edits name -> content, the list as a dictionary."""
    with zipfile.ZipFile(packed) as pack:
        members: dict[str, Any] = {name: pack.read(name) for name in pack.namelist()}
    members[LIST] = json.loads(members[LIST])
    change(members)
    with zipfile.ZipFile(to, "w") as pack:
        for name, content in members.items():
            pack.writestr(name, json.dumps(content) if isinstance(content, dict) else content)
    return to


def add(name: str) -> Callable[[dict[str, Any]], None]:
    def change(members: dict[str, Any]) -> None:
        members[name] = b"evil"
        digest = hashlib.sha256(b"evil").hexdigest()
        members[LIST]["files"][name] = {"size": 4, "sha256": digest}

    return change


def replace(name: str, content: bytes) -> Callable[[dict[str, Any]], None]:
    return lambda members: members.update({name: content})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (add("../outside.txt"), "lie outside"),
        (add("/outside.txt"), "lie outside"),
        (add("a/../../outside.txt"), "lie outside"),
        (add("C:/outside.txt"), "lie outside"),
        (add("..\\outside.txt"), "lie outside"),
        (replace("extra.txt", b"x"), "not those of its list"),
        (replace("FleetDesk.xlsx", b"shorter"), "FleetDesk.xlsx has other content"),
        (replace("FleetDesk.xlsx", b"longer" * 100_000), "FleetDesk.xlsx has other content"),
        (replace(LIST, b"[]"), "cannot be read"),
        (replace(LIST, b"{"), "cannot be read"),
        (lambda members: members.pop(LIST), f"no {LIST}"),
        (lambda members: members[LIST].update(format=99), "newer FleetDesk"),
        (
            lambda members: members[LIST]["files"]["FleetDesk.xlsx"].update(size=10**18),
            "not enough room",
        ),
    ],
)
def test_a_backup_that_was_tampered_with_is_refused(
    packed: Path, tmp_path: Path, change: Callable[[dict[str, Any]], None], said: str
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    file = rewritten(packed, tmp_path / "b.zip", change)
    with pytest.raises(FleetDeskError, match=said):
        restore(file, here / "w")
    assert list(here.iterdir()) == [] and not (tmp_path / "outside.txt").exists()


def test_cut_damaged_and_foreign_files_are_sentences(packed: Path, tmp_path: Path) -> None:
    whole = packed.read_bytes()
    contents = [whole[: len(whole) * part // 7] for part in range(7)]
    contents += [b"<html>not found</html>", bytes(range(256)) * 50]
    for place in range(50, len(whole), len(whole) // 23):
        contents.append(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
    file, refused = tmp_path / "b.zip", 0
    for content in contents:
        file.write_bytes(content)
        try:
            restore(file, tmp_path / "w")
        except FleetDeskError:
            refused += 1
            assert not (tmp_path / "w").exists()
        else:  # a bit that nothing depends on, such as a time of day
            shutil.rmtree(tmp_path / "w")
    assert refused >= 9 + 15
