"""Killed at any moment, the store and the workbook are as before or as after."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fleetdesk.errors import StoreUnusable
from fleetdesk.store.base import RunState
from fleetdesk.store.duckdb_store import DuckDbStore, open_store

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
HOURS = 48
KILLED = -9
Order = Callable[..., int]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills forked processes")


@pytest.fixture(scope="module")
def order() -> Iterator[Order]:
    """Give the forking process an order; answers the victim's exit status."""
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("crash_child.py"))],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:  # fmt: skip

        def give(do: str, **values: Any) -> int:
            assert process.stdin and process.stdout
            values = {key: str(v) if isinstance(v, Path) else v for key, v in values.items()}
            process.stdin.write(json.dumps({"do": do, **values}) + "\n")
            process.stdin.flush()
            return int(process.stdout.readline())

        yield give
        assert process.stdin
        process.stdin.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "store"
    open_store(path, create=True).close()
    return path


def check_whole(store: DuckDbStore) -> int:
    """The generation holds exactly what the import of its number wrote; returns the number."""
    store.verify()
    number = int(store.generation)
    tables = store.tables()
    temperatures = tables["weather"].temperature_c.to_pyarrow().to_pylist()
    kinds = tables["vehicles"].vehicle_type.to_pyarrow().to_pylist()
    assert [record.source for record in store.imports()][-1:] == (
        [f"import {number}"] if temperatures else []
    )
    if temperatures:
        assert temperatures == [temperatures[0]] * HOURS
        assert kinds == [str(int(temperatures[0]))]
    return number


def test_killed_before_each_change_of_the_disk_while_importing(order: Order, folder: Path) -> None:
    order("one_generation", folder=folder)
    seen = set()
    before = 1
    for call in range(500):
        status = order("one_generation", folder=folder, at_call=call)
        with open_store(folder) as store:
            after = check_whole(store)
            assert [record.generation for record in store.imports()] == [
                f"{number:06d}" for number in range(1, after + 1)
            ]
        assert after in (before, before + 1)
        seen.add((status, after > before))
        before = after
        if status == 0:
            break
    assert call > 25
    assert seen == {(KILLED, False), (KILLED, True), (0, True)}
    with open_store(folder) as store:
        store.collect_garbage()
    left = {path.name for path in (folder / "generations").iterdir()}
    assert len(left) <= 3 and not any(name.endswith(".tmp") for name in left)


def test_killed_while_a_new_store_is_laid(order: Order, tmp_path: Path) -> None:
    for call in range(500):
        folder = tmp_path / f"store{call}"
        status = order("new_store", folder=folder, at_call=call)
        with open_store(folder, create=True) as store:
            assert store.generation == "000000" and store.runs.list() == []
        if status == 0:
            break
    assert call > 10


def test_killed_at_random_moments_while_importing(order: Order, folder: Path) -> None:
    moments = random.Random(20240501)
    number = 0
    for _ in range(20):
        assert (
            order("generations_without_end", folder=folder, after_s=moments.uniform(0, 0.15))
            == KILLED
        )
        with open_store(folder) as store:
            reached = check_whole(store)
            assert reached > number
            number = reached


def settle_and_check(folder: Path, workbook: Path) -> None:
    with open_store(folder) as store:
        store.runs.recover(lambda address: Path(address).read_text(encoding="utf-8"), at=NOON)
        store.collect_garbage()
        shown = workbook.read_text(encoding="utf-8")
        last = store.runs.last_published()
        assert shown == (last.run_id if last else "as bought")
        for run in store.runs.list():
            if run.state is RunState.FINISHED:
                results = store.result(run.run_id, "tasks")
                assert results.column("run").to_pylist() == [run.run_id]
            else:
                assert run.state in (RunState.INTERRUPTED, RunState.DISCARDED)
                assert not (folder / "runs" / run.run_id).exists()


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    path = tmp_path / "plan.xlsx"
    path.write_text("as bought", encoding="utf-8")
    return path


def test_killed_before_each_change_of_the_disk_while_publishing(
    order: Order, folder: Path, workbook: Path
) -> None:
    for call in range(200):
        status = order("one_run", folder=folder, workbook=workbook, number=call, at_call=call)
        settle_and_check(folder, workbook)
        if status == 0:
            break
    assert call >= 4


def test_killed_at_random_moments_while_publishing(
    order: Order, folder: Path, workbook: Path
) -> None:
    moments = random.Random(7)
    for kill in range(20):
        status = order(
            "runs_without_end", folder=folder, workbook=workbook, number=kill * 1000,
            after_s=moments.uniform(0, 0.08),
        )  # fmt: skip
        assert status == KILLED
        settle_and_check(folder, workbook)
    with open_store(folder) as store:
        finished = [run for run in store.runs.list() if run.state is RunState.FINISHED]
    assert len(finished) >= 20


@pytest.mark.parametrize("size", [100, 1500, 2500])
def test_a_full_disk_is_a_sentence_and_changes_nothing(
    order: Order, folder: Path, size: int
) -> None:
    order("one_generation", folder=folder)
    assert order("small_disk", folder=folder, bytes=size) == 40
    with open_store(folder) as store:
        assert check_whole(store) == 1
    assert order("one_generation", folder=folder) == 0
    with open_store(folder) as store:
        assert check_whole(store) == 2


def test_readers_meet_only_whole_generations_while_one_switches(folder: Path) -> None:
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("crash_child.py"))],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:  # fmt: skip
        assert process.stdin and process.stdout
        work = {"do": "several_generations", "folder": str(folder), "count": 15}
        process.stdin.write(json.dumps(work) + "\n")
        process.stdin.close()
        numbers = []
        while not numbers or numbers[-1] < 15:
            with open_store(folder) as store:
                tables = store.tables()
                shown = tables["weather"].temperature_c.to_pyarrow().to_pylist()
                kinds = tables["vehicles"].vehicle_type.to_pyarrow().to_pylist()
                assert shown == ([float(store.generation)] * HOURS if shown else [])
                assert kinds == ([store.generation.lstrip("0")] if shown else [])
                numbers.append(int(store.generation))
        assert process.stdout.readline() == "0\n"
    assert numbers == sorted(numbers) and len(set(numbers)) > 2


def test_a_truncated_file_is_named(order: Order, folder: Path) -> None:
    order("one_generation", folder=folder)
    victim = folder / "generations" / "000001" / "weather" / "2024-05-02.parquet"
    whole = victim.read_bytes()
    victim.write_bytes(whole[:-100])
    with pytest.raises(StoreUnusable, match=r"2024-05-02\.parquet has \d+ bytes instead"):
        open_store(folder)
    victim.write_bytes(whole[:50] + bytes([whole[50] ^ 1]) + whole[51:])
    with (
        open_store(folder) as store,
        pytest.raises(StoreUnusable, match=r"2024-05-02\.parquet has other content"),
    ):
        store.verify()
    victim.unlink()
    with pytest.raises(StoreUnusable, match=r"2024-05-02\.parquet is missing"):
        open_store(folder)
