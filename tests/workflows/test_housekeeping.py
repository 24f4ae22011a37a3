"""What a workspace holds is told, and what nobody needs is removed."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from fleetdesk.apps.cli import cli
from fleetdesk.store.duckdb_store import open_store
from fleetdesk.workflows.disk import freed_by, in_words, size_of
from fleetdesk.workflows.garbage import collect_garbage
from fleetdesk.workflows.refresh import import_source
from fleetdesk.workflows.run import run_workbook
from fleetdesk.workflows.status import status
from fleetdesk.workflows.undo import undo_anywhere
from fleetdesk.workflows.workspace import NewWorkbook

from .conftest import START, Clock, Ran


def weather(folder: Path, *hours: int) -> Path:
    folder.mkdir(exist_ok=True)
    rows = "".join(f"2024-05-01T{hour:02}:00:00Z,1,0,0\n" for hour in hours)
    (folder / "weather.csv").write_text("hour_at,temperature_c,rain_mm,wind_kmh\n" + rows)
    return folder


def test_status_tells_what_is_in_from_where_and_how_old(workspace: Path, tmp_path: Path) -> None:
    tables = weather(tmp_path / "tables", 1, 2)
    import_source("tables", str(tables), workspace, NewWorkbook(), clock=Clock())
    clock = Clock(START + timedelta(hours=5))
    found = status(workspace, clock=clock).as_dict()
    source = next(s for s in found["sources"] if s["source"] == f"tables {tables}")
    assert source["rows"] == 2 and source["age_h"] == pytest.approx(5, abs=0.1)
    assert source["report"]["rows_kept"] == 2
    assert found["rows"]["weather"] > 2 and found["runs"] == 1
    parts = found["disk_bytes"]
    assert parts["in all"] >= parts["records with the past"] >= parts["records now"] > 10_000
    assert "5 h ago" in found["text"]
    shown = CliRunner().invoke(cli, ["status", str(workspace), "--json"])
    assert json.loads(shown.stdout)["generation"] == found["generation"]


def test_old_results_maps_and_raw_answers_go_and_the_rest_stays(ran: Ran, tmp_path: Path) -> None:
    clock = Clock(START + timedelta(hours=1))
    workspace, path = ran.folder, ran.path
    run_workbook(path, clock=clock)
    raw = workspace / "raw" / "feed"
    raw.mkdir(parents=True)
    for name, days in (("old.gz", 100), ("new.gz", 1)):
        (raw / name).write_bytes(b"x" * 5000)
        then = (START - timedelta(days=days)).timestamp()
        os.utime(raw / name, (then, then))
    for hour in range(4):
        tables = weather(tmp_path / "tables", hour)
        import_source("tables", str(tables), workspace, NewWorkbook(), clock=clock)
    kept = path.read_bytes()
    # The middle one of three runs holds the newest model.
    model = sorted((workspace / "outputs").iterdir())[1] / "models" / "churn" / "manifest.json"
    model.parent.mkdir(parents=True)
    model.write_text(json.dumps({"made_at": START.isoformat()}))
    would = collect_garbage(workspace, dry_run=True, runs_kept=1, clock=clock)
    assert (raw / "old.gz").exists() and len(list((workspace / "outputs").iterdir())) == 3
    before = size_of(workspace)
    done = collect_garbage(workspace, runs_kept=1, clock=clock)
    assert done.removed == would.removed and done.size == would.size
    assert before - size_of(workspace) == done.size > 5000
    assert done.removed["raw answers"] == ("raw/feed/old.gz",)
    assert len(list((workspace / "outputs").iterdir())) == 2 and model.exists()
    assert (raw / "new.gz").exists() and path.read_bytes() == kept
    with open_store(workspace / "store") as store:
        store.verify()
        runs = store.runs.list()
        assert len(runs) == 3
        assert store.result(runs[-1].run_id, "Tasks").num_rows > 0
    assert collect_garbage(workspace, runs_kept=1, clock=clock).as_dict()["text"] == (
        "Nothing to remove."
    )


def test_results_of_an_undone_run_are_not_called_generations(ran: Ran) -> None:
    workspace, path = ran.folder, ran.path
    with open_store(workspace / "store") as store:
        gone = store.runs.list()[-1].run_id
    undo_anywhere(str(path))
    would = collect_garbage(workspace, dry_run=True, clock=Clock(START))
    assert would.removed["results of runs that came to nothing"] == (f"runs/{gone}",)
    assert not would.removed["old generations"]
    assert f"Would remove results of runs that came to nothing (1): runs/{gone}" in str(
        would.as_dict()["text"]
    )


def test_generations_are_counted_by_what_only_they_hold(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 1000)
    (tmp_path / "b").hardlink_to(tmp_path / "a")
    (tmp_path / "c").write_bytes(b"x" * 10)
    assert size_of(tmp_path) == 1010
    assert freed_by([tmp_path / "a", tmp_path / "c"]) == 10
    assert freed_by([tmp_path / "a", tmp_path / "b"]) == 1000
    assert [in_words(size) for size in (999, 1500, 2.5e9)] == ["999 bytes", "1.5 kB", "2.5 GB"]


def test_rows_that_come_again_are_not_counted_again(tmp_path: Path) -> None:
    tables = weather(tmp_path / "tables", 1, 2)
    for again in (False, True):
        import_source("tables", str(tables), tmp_path / "w", NewWorkbook(), again=again)
    (source,) = status(tmp_path / "w").as_dict()["sources"]
    assert source["rows"] == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["schedule", "add", "--every", "15x", "W", "run"], "no interval"),
        (["schedule", "add", "--at", "25:00", "W", "run"], "no time of day"),
        (["import", "gbfs", "x", "--into", "W", "--option", "polls=x"], "a whole number from 1"),
        (["import", "files", "x", "--into", "W", "--option", "centre=here"], "LAT,LON"),
        (["import", "mds", "x", "--into", "W", "--option", "since=monday"], "a day such as"),
    ],
)
def test_wrong_words_end_with_the_code_of_wrong_usage(
    workspace: Path, words: list[str], told: str
) -> None:
    given = [str(workspace) if word == "W" else word for word in words]
    result = CliRunner().invoke(cli, given)
    assert result.exit_code == 2, result.output
    assert told in result.output


def test_json_may_come_after_the_scheduled_command(workspace: Path) -> None:
    result = CliRunner().invoke(
        cli, ["schedule", "add", "--every", "15m", str(workspace), "run", "--json"]
    )
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["ok"]
