"""Imports point inward, one layer each; and the rule can fail."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

LINT = (
    "from importlinter.cli import lint_imports; "
    "raise SystemExit(lint_imports(cache_dir=None, no_cache=True))"
)


def lint(folder: Path, source: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(source), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-c", LINT],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_imports_point_inward(checkout: Path) -> None:
    result = lint(checkout, checkout / "src")
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("files", "kept"),
    [
        ({"apps": "import fleetdesk.model", "model": "import fleetdesk.errors"}, True),
        ({"model": "import fleetdesk.apps", "apps": ""}, False),
        ({"riders": "import fleetdesk.demand", "demand": ""}, False),
        ({"settings": "import fleetdesk.sheets", "sheets": ""}, False),
        ({"helpers": ""}, False),
    ],
    ids=["inward", "outward", "between siblings", "settings to sheets", "unplaced"],
)
def test_the_contract_tells_good_from_bad(
    files: dict[str, str], kept: bool, checkout: Path, tmp_path: Path
) -> None:
    (tmp_path / "pyproject.toml").write_bytes((checkout / "pyproject.toml").read_bytes())
    package = tmp_path / "src" / "fleetdesk"
    package.mkdir(parents=True)
    for name, text in {"__init__": "", "errors": "", **files}.items():
        (package / f"{name}.py").write_text(text, encoding="utf-8")
    result = lint(tmp_path, tmp_path / "src")
    assert (result.returncode == 0) is kept, result.stdout + result.stderr
