"""The proof of the ROI estimators: truth and estimate come from code that shares nothing."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

# What a place is called is no estimate: the one thing both sides use.
SHARED = {"fleetdesk.features.cells"}


def _imported(file: Path) -> set[str]:
    """Every module that a file names in an import, wherever it stands."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module or ""}
    return found


def _of(found: set[str], *packages: str) -> set[str]:
    return {name for name in found for package in packages if f"{name}.".startswith(f"{package}.")}


def test_the_simulator_uses_no_estimator(checkout: Path) -> None:
    files = sorted((checkout / "src" / "fleetdesk" / "simulation").glob("*.py"))
    used = set().union(*(_imported(file) for file in files))
    beyond = _of(used, "fleetdesk.fleet", "fleetdesk.features", "fleetdesk.demand")
    assert files
    assert {name for name in beyond if not _of({name}, *SHARED)} <= {"fleetdesk.features"}


@pytest.mark.parametrize("layer", ["fleet", "features"])
def test_no_estimator_uses_the_simulator(checkout: Path, layer: str) -> None:
    files = sorted((checkout / "src" / "fleetdesk" / layer).rglob("*.py"))
    assert files
    assert not {str(file) for file in files if _of(_imported(file), "fleetdesk.simulation")}


@pytest.mark.parametrize(
    ("part", "never"),
    [
        ("_roi_world", ("fleetdesk.fleet", "fleetdesk.features", "_roi_estimate")),
        ("_roi_estimate", ("fleetdesk.simulation", "_roi_world", "_roi_history")),
        ("_roi_history", ("fleetdesk",)),
        ("_roi_score", ("fleetdesk",)),
        ("roi", ("fleetdesk.fleet", "fleetdesk.features", "_roi_estimate")),
    ],
)
def test_the_parts_of_the_proof_keep_apart(
    checkout: Path, part: str, never: tuple[str, ...]
) -> None:
    assert not _of(_imported(checkout / "benchmarks" / f"{part}.py"), *never)


def test_the_estimators_are_told_of_the_records_alone(checkout: Path) -> None:
    """They run as a process of their own, whose arguments name no truth."""
    text = (checkout / "benchmarks" / "_roi_estimate.py").read_text(encoding="utf-8")
    names = [node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)]
    files = {name for name in names if isinstance(name, str) and name.endswith(".parquet")}
    assert files == {"events.parquet", "trips.parquet", "tasks.parquet"}
