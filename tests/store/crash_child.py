"""A process to be killed: loads the store once, then forks a fresh victim for each order.

Orders come as lines of JSON on stdin: {"do": name, "folder": path, ...}, with "after_s" to kill
it that long after its first round, or "at_call" before its n-th change of the disk. Each is
answered by one line with the victim's exit status (negative: the signal that ended it).
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pandas  # noqa: F401 - pyarrow looks for it, and victims should not each pay for that
import pyarrow as pa

from fleetdesk.errors import StoreUnusable
from fleetdesk.store import duckdb_store
from fleetdesk.store.duckdb_store import DuckDbStore, open_store

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
DAYS = 2
HOURS = 24 * DAYS
RISKY = ("fsync", "rename", "replace", "link", "unlink", "mkdir", "rmdir")


def write_generation(store: DuckDbStore) -> None:
    """Every row of a generation carries its number, so that a mixture would show."""
    number = int(store.generation) + 1
    start = datetime(2024, 5, 1)
    with store.new_generation(f"import {number}") as generation:
        for first in range(0, HOURS, 30):
            hours = [start + timedelta(hours=h) for h in range(first, min(first + 30, HOURS))]
            generation.append(
                "weather",
                pa.table(
                    {
                        "hour_at": pa.array(hours, pa.timestamp("us")),
                        "temperature_c": [float(number)] * len(hours),
                        "rain_mm": [0.0] * len(hours),
                        "wind_kmh": [0.0] * len(hours),
                    }
                ),
            )
        generation.append(
            "vehicles",
            pa.table(
                {
                    "vehicle_id": ["a"],
                    "vehicle_type": [str(number)],
                    "full_range_m": [None],
                    "battery_capacity_wh": [None],
                    "first_seen_at": pa.array([start], pa.timestamp("us")),
                }
            ),
        )


def publish_run(store: DuckDbStore, workbook: Path, number: int) -> None:
    """One run as a workflow does it: results aside, intention, switch, done."""
    run_id = f"run-{number}"
    before = workbook.read_text(encoding="utf-8")
    with store.runs.lock(NOON):
        store.runs.begin(
            run_id, started_at=NOON, settings_json=str(number), settings_flat={"n": number},
            seed=1, code_version="1", generation=store.generation, data_window=None,
        )  # fmt: skip
        store.save_result(run_id, "tasks", pa.table({"run": [run_id]}))
        store.runs.publishing(
            run_id,
            workbook=str(workbook),
            before_sha=before,
            after_sha=run_id,
            summary={"n": number},
        )
        aside = workbook.with_suffix(".new")
        aside.write_text(run_id, encoding="utf-8")
        os.replace(aside, workbook)  # noqa: PTH105 - through the name that is watched
        store.runs.finish(run_id, ended_at=NOON)


def generations_without_end(order: dict[str, Any]) -> None:
    with open_store(Path(order["folder"])) as store:
        while True:
            write_generation(store)
            order["under_way"]()


def one_generation(order: dict[str, Any]) -> None:
    with open_store(Path(order["folder"])) as store:
        write_generation(store)


def new_store(order: dict[str, Any]) -> None:
    open_store(Path(order["folder"]), create=True).close()


def several_generations(order: dict[str, Any]) -> None:
    with open_store(Path(order["folder"])) as store:
        for _ in range(order["count"]):
            write_generation(store)


def runs_without_end(order: dict[str, Any]) -> None:
    workbook = Path(order["workbook"])
    with open_store(Path(order["folder"])) as store:
        number = order["number"]
        while True:
            publish_run(store, workbook, number)
            order["under_way"]()
            number += 1


def one_run(order: dict[str, Any]) -> None:
    with open_store(Path(order["folder"])) as store:
        publish_run(store, Path(order["workbook"]), order["number"])


def small_disk(order: dict[str, Any]) -> None:
    """No file may grow beyond a few kilobytes; says by its exit status how the store took it."""
    with open_store(Path(order["folder"])) as store:
        resource.setrlimit(resource.RLIMIT_FSIZE, (order["bytes"], order["bytes"]))
        try:
            write_generation(store)
        except StoreUnusable as refusal:
            sys.exit(40 if refusal.retry_helps and "gave out" in refusal.cause else 41)


WORK: dict[str, Callable[[dict[str, Any]], None]] = {
    work.__name__: work
    for work in (
        new_store, generations_without_end, one_generation, several_generations,
        runs_without_end, one_run, small_disk,
    )
}  # fmt: skip


def main() -> None:
    duckdb_store.BUFFER_BYTES = 2000  # so that rows are also put aside while they come in
    for line in sys.stdin:
        order = json.loads(line)
        reads, writes = os.pipe()
        victim = os.fork()
        if not victim:
            _be_victim(order | {"under_way": partial(os.write, writes, b".")})
        os.close(writes)
        if "after_s" in order:
            os.read(reads, 1)  # one round is done: however slow the machine, it is at work now
            time.sleep(order["after_s"])
            os.kill(victim, signal.SIGKILL)
        _, status = os.waitpid(victim, 0)
        os.close(reads)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _be_victim(order: dict[str, Any]) -> None:
    if "at_call" in order:
        _die_at(order["at_call"])
    code = 1
    try:
        WORK[order["do"]](order)
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        os._exit(code)


def _die_at(call: int) -> None:
    """Die just before the given call (from 0) among those that change the disk."""
    made = 0

    def watched(original: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            nonlocal made
            if made == call:
                os.kill(os.getpid(), signal.SIGKILL)
            made += 1
            return original(*args, **kwargs)

        return wrapper

    for name in RISKY:
        setattr(os, name, watched(getattr(os, name)))


if __name__ == "__main__":
    main()
