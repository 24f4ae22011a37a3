"""The proof of the ROI estimators: truth and estimate come from code that shares nothing."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fleetdesk.model.tables import TABLES

# What a place is called is no estimate: the one thing both sides use.
SHARED = {"fleetdesk.features.cells"}
# What an import would not be seen by, or where the records would not be all that is read.
BEHIND_THE_BACK = {"importlib", "runpy", "__import__", "exec", "eval"}
WAYS_OUT = {"parent", "parents", "glob", "rglob", "iterdir", "walk", "environ", "cwd"}


def _imported(file: Path, package: str = "") -> set[str]:
    """Every module that a file of a package names in an import, wherever it stands."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level]
            module = ".".join([*above, node.module or ""] if node.level else [node.module or ""])
            found |= {f"{module.rstrip('.')}.{alias.name}" for alias in node.names} | {module}
        elif isinstance(node, ast.Name) and node.id in BEHIND_THE_BACK:
            found.add(node.id)
    return found


def _reached(part: str, benchmarks: Path) -> set[str]:
    """The same of a part of the proof and of all parts that it imports."""
    found, todo = set(), [part]
    while todo:
        new = _imported(benchmarks / f"{todo.pop()}.py") - found
        found |= new
        todo += [name for name in new if (benchmarks / f"{name}.py").exists()]
    return found


def _of(found: set[str], *packages: str) -> set[str]:
    return {name for name in found for package in packages if f"{name}.".startswith(f"{package}.")}


def _layer(checkout: Path, layer: str) -> set[str]:
    """All that a layer's files import."""
    files = sorted((checkout / "src" / "fleetdesk" / layer).rglob("*.py"))
    assert files
    inner = checkout / "src"
    return set().union(
        *(_imported(file, ".".join(file.relative_to(inner).parts[:-1])) for file in files)
    )


def test_the_simulator_uses_no_estimator(checkout: Path) -> None:
    used = _layer(checkout, "simulation")
    beyond = _of(used, "fleetdesk.fleet", "fleetdesk.features", "fleetdesk.demand")
    assert {name for name in beyond if not _of({name}, *SHARED)} <= {"fleetdesk.features"}
    assert not _of(used, *BEHIND_THE_BACK)


@pytest.mark.parametrize("layer", ["fleet", "features"])
def test_no_estimator_uses_the_simulator(checkout: Path, layer: str) -> None:
    assert not _of(_layer(checkout, layer), "fleetdesk.simulation", *BEHIND_THE_BACK)


@pytest.mark.parametrize(
    ("part", "never"),
    [
        ("_roi_world", ("fleetdesk.fleet", "fleetdesk.features", "_roi_estimate")),
        ("_roi_estimate", ("fleetdesk.simulation", "_roi_world", "_roi_history")),
        ("_roi_given", ("fleetdesk.fleet", "fleetdesk.simulation", "_roi_estimate")),
        ("_roi_history", ("fleetdesk",)),
        ("_roi_score", ("fleetdesk",)),
        ("roi", ("fleetdesk.fleet", "fleetdesk.features", "_roi_estimate")),
    ],
)
def test_the_parts_of_the_proof_keep_apart(
    checkout: Path, part: str, never: tuple[str, ...]
) -> None:
    assert not _of(_reached(part, checkout / "benchmarks"), *never, *BEHIND_THE_BACK)


def test_the_estimators_are_told_of_the_records_alone(checkout: Path) -> None:
    """They run as a process of their own, whose arguments name no truth."""
    tree = ast.parse((checkout / "benchmarks" / "_roi_estimate.py").read_text(encoding="utf-8"))
    names = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    files = {
        name for name in names if isinstance(name, str) and name.endswith((".parquet", "json"))
    }
    records = {f"{name}.parquet" for name in TABLES} | {"tasks.parquet", "question.json"}
    assert {"events.parquet", "trips.parquet", "tasks.parquet"} <= files
    assert files <= records | {".json"}  # the ending of what is written
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not used & WAYS_OUT and ".." not in names


def test_while_estimating_no_simulator_is_loaded_and_no_truth_is_read(
    checkout: Path, tmp_path: Path
) -> None:
    """Whatever way it were reached: the truth beside the records cannot be read as a truth."""
    records = tmp_path / "records"
    records.mkdir()
    _write(records)
    for name in ("truth.parquet", "fleet_truth.json", "world.json", "earned.parquet"):
        (tmp_path / name).write_text("no truth")
    script = checkout / "benchmarks" / "_roi_estimate.py"
    out = tmp_path / "out" / "estimates.parquet"
    out.parent.mkdir()
    code = (
        "import runpy, sys; sys.path.insert(0, sys.argv[1]); sys.argv[:] = sys.argv[2:]; "
        "runpy.run_path(sys.argv[0], run_name='__main__'); "
        "print([name for name in sys.modules if name.startswith('fleetdesk.simulation')])"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, str(script.parent), str(script), str(records), str(out),
         "--estimators", "Method 2"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert told.stdout.split("\n")[-2] == "[]"
    assert pq.read_table(out)["ran"].to_pylist() == ["Method 2, gross"]


def _write(records: Path) -> None:
    """One vehicle with as many trips as Method 2 needs, and one task."""
    start, cell = datetime(2026, 6, 1), "sx0r4j1"
    events, trips = [], []
    for number, hour in enumerate(range(31, 471, 2)):
        at = start + timedelta(hours=hour)
        trips.append({
            "trip_id": f"t{number}", "vehicle_id": "a", "started_at": at,
            "ended_at": at + timedelta(hours=0.2), "start_cell": cell, "end_cell": cell,
            "distance_m": 1000.0, "duration_s": 720.0, "revenue": 3.0, "inferred": False,
            "start_battery_pct": 90.0, "end_battery_pct": 80.0,
        })  # fmt: skip
        for state, types, when in (
            ("on_trip", "trip_start", at), ("available", "trip_end", at + timedelta(hours=0.2)),
        ):  # fmt: skip
            events.append((state, types, when))
    rows = [("available", "provider_drop_off", start), *events]
    made = [
        {"event_id": f"e{number}", "vehicle_id": "a", "event_at": when, "vehicle_state": state,
         "event_types": types, "cell": cell, "battery_pct": 90.0, "lat": 40.6, "lon": 22.9}
        for number, (state, types, when) in enumerate(rows)
    ]  # fmt: skip
    task = {"task_id": "k", "operational": True, "cell_before": cell, "battery_before_pct": 20.0,
            "cell_after": cell, "battery_after_pct": 100.0}  # fmt: skip
    for name, found in (("events", made), ("trips", trips), ("tasks", [task])):
        schema = None
        if name in TABLES:
            schema = pa.schema([(c.name, pa.type_for_alias(c.dtype.arrow))
                                for c in TABLES[name].columns])  # fmt: skip
        pq.write_table(pa.Table.from_pylist(found, schema=schema), records / f"{name}.parquet")
    question = {
        "timezone": "UTC", "currency": "EUR", "as_of": "2026-06-21T00:00:00+00:00",
        "window_days": 28, "horizon_h": 24.0, "cost": 6.0, "usable_battery_pct": 10.0,
    }  # fmt: skip
    (records / "question.json").write_text(json.dumps(question))
