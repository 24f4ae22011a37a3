"""Killed, short of disk or beside each other, imports end with exactly the rows of one that was
left in peace.
"""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from fleetdesk.apps.cli import cli
from fleetdesk.sources import kinds
from fleetdesk.store.duckdb_store import open_store
from fleetdesk.workflows import intake

from . import feeds

KILLED = -9
SMALL_KB = 700
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}

Order = Callable[..., int]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills forked processes")


@pytest.fixture(scope="module")
def order() -> Iterator[Order]:
    """Have the forking process import; answers the importer's exit status."""
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("import_child.py"))],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env=ENVIRONMENT,
    ) as process:  # fmt: skip

        def give(folder: Path, rows: int, **values: Any) -> int:
            assert process.stdin and process.stdout
            process.stdin.write(json.dumps({"folder": str(folder), "rows": rows, **values}) + "\n")
            process.stdin.flush()
            return int(process.stdout.readline())

        yield give
        assert process.stdin
        process.stdin.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace whose workbook is not looked at."""
    path = tmp_path / "w"
    with open_store(path / "store", create=True) as store:
        store.keep_note("centre", "40 22")  # so that no importer has to load an engine to ask
    (path / "FleetDesk.xlsx").write_bytes(b"mine")
    return path


def agreed(folder: Path) -> int:
    """Rows and watermark agree: the numbers up to it, each once. Returns how many."""
    with open_store(folder / "store") as store:
        store.verify()
        speeds = sorted(store.tables()["telemetry"].speed_kmh.to_pyarrow().to_pylist())
        visits = store.visits()
    mark = int(visits[0].watermark["next"]) if visits else 0
    assert speeds == [float(number) for number in range(mark)]
    return mark


def test_killed_before_each_change_of_the_disk(order: Order, folder: Path, tmp_path: Path) -> None:
    marks = []
    for call in range(0, 400, 3):
        copy = Path(shutil.copytree(folder, tmp_path / "copy"))
        status = order(copy, 45, at_call=call)
        marks.append(agreed(copy))
        if status == 0:
            break
        assert status == KILLED
        if call % 30 == 0:
            assert order(copy, 45) == 0
            assert agreed(copy) == 45
        shutil.rmtree(copy)
    assert call > 30
    assert set(marks) == {0, 20, 40, 45} and marks == sorted(marks)


def test_killed_at_random_moments_again_and_again(order: Order, folder: Path) -> None:
    moments = random.Random(4)
    rows, marks = 0, [0]
    for _ in range(10):
        rows += 300
        assert order(folder, rows, after_s=moments.uniform(0, 0.12)) in (KILLED, 0)
        marks.append(agreed(folder))
    assert marks == sorted(marks) and marks[-1] > 200
    assert order(folder, rows) == 0
    assert agreed(folder) == rows


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a few hundred kilobytes."""
    if os.geteuid() != 0 or sys.platform != "linux":
        pytest.skip("only root can mount a small disk")
    path = tmp_path / "disk"
    path.mkdir()
    size = f"size={SMALL_KB}k"
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(path)], check=False)
    if made.returncode:
        pytest.skip("no disk can be mounted here")
    yield path
    subprocess.run(["umount", str(path)], check=True)


def test_a_full_disk_is_a_sentence_and_the_import_goes_on_once_there_is_room(
    small_disk: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kinds, "KINDS", dict(kinds.KINDS))
    monkeypatch.setattr("fleetdesk.workflows.import_options.KINDS", kinds.KINDS)
    monkeypatch.setattr(intake, "ROWS_PER_GENERATION", 50)
    feeds.register()
    here = Path(shutil.copytree(folder, small_disk / "w"))
    words = ["import", "numbers", "https://feed", "--into", str(here), "--json",
             "--option", "rows=400"]  # fmt: skip
    filler, codes = small_disk / "filler", []
    for left_kb in (0, 8, 30, 60, 90, 120, 160, 200):
        filler.write_bytes(b"")
        with filler.open("wb") as file:
            file.truncate(0)
            file.write(b"x" * max(0, shutil.disk_usage(small_disk).free - left_kb * 1024))
        result = CliRunner().invoke(cli, words)
        said = json.loads(result.stdout)
        codes.append(result.exit_code)
        if result.exit_code == 0:
            break
        assert result.exit_code in (1, 6), said
        assert said["retry_helps"]
        filler.unlink()
        assert agreed(here) % 50 == 0
    filler.unlink(missing_ok=True)
    assert codes[0] != 0
    assert CliRunner().invoke(cli, words).exit_code == 0
    assert agreed(here) == 400


def test_three_importers_at_once_take_turns_or_are_told(tmp_path: Path) -> None:
    words = []
    for number in range(3):
        tables = tmp_path / f"tables{number}"
        tables.mkdir()
        (tables / "weather.csv").write_text(
            "hour_at,temperature_c,rain_mm,wind_kmh\n"
            + "".join(f"2024-05-0{number + 1}T{hour:02}:00:00Z,1,0,0\n" for hour in range(24))
        )
        words.append([sys.executable, "-m", "fleetdesk.apps.cli", "import", "tables", str(tables),
                      "--into", str(tmp_path / "w"), "--json"])  # fmt: skip
    waiting, told = list(words), 0
    for _ in range(4):
        begun = [
            subprocess.Popen(line, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
            for line in waiting
        ]
        answers = [(process.communicate()[0], process.returncode) for process in begun]
        for answer, code in answers:
            assert "locked" not in answer
            if code:
                said = json.loads(answer)
                assert code == 6 and said["retry_helps"] and "Another import" in said["cause"]
                told += 1
        waiting = [line for line, (_, code) in zip(waiting, answers, strict=True) if code]
        if not waiting:
            break
    assert not waiting
    with open_store(tmp_path / "w" / "store") as store:
        store.verify()
        assert store.tables()["weather"].count().to_pyarrow().as_py() == 72
        assert len(store.imports()) == 3


def test_an_import_without_news_takes_less_than_two_seconds(tmp_path: Path) -> None:
    tables = tmp_path / "tables"
    tables.mkdir()
    (tables / "weather.csv").write_text(
        "hour_at,temperature_c,rain_mm,wind_kmh\n2024-05-01T00:00:00Z,1,0,0\n"
    )
    words = [sys.executable, "-m", "fleetdesk.apps.cli", "import", "tables", str(tables),
             "--into", str(tmp_path / "w"), "--json"]  # fmt: skip
    first = subprocess.run(words, capture_output=True, env=ENVIRONMENT, check=True)
    assert json.loads(first.stdout)["news"]
    measured: list[float] = []
    # The least of several is the program's own cost; the rest is the machine's noise.
    while not measured or (min(measured) >= 2 and len(measured) < 4):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        again = subprocess.run(words, capture_output=True, env=ENVIRONMENT, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert not json.loads(again.stdout)["news"]
        measured.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(measured) < 2, measured
