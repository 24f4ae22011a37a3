"""What is built to be handed on is complete."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

SHIPPED = ("ui", "workbooks", "sheets_templates")


@pytest.fixture(scope="module")
def built(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    result = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return folder


def test_the_wheel_holds_the_code_and_the_files_beside_it(built: Path, checkout: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert "fleetdesk/model/tables.py" in names
    assert not {name for name in names if name.startswith(("tests/", "build/", "src/"))}
    for folder in SHIPPED:
        expected = {
            f"fleetdesk/_resources/{file.relative_to(checkout).as_posix()}"
            for file in (checkout / folder).rglob("*")
            if file.is_file() and not file.name.startswith(".") and "__pycache__" not in file.parts
        }
        assert expected, f"{folder} is empty"
        assert expected <= names


def test_the_source_archive_holds_what_builds_and_tests_it(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {name.split("/", 1)[1] for name in opened.getnames() if "/" in name}
    for needed in (
        "build/dev.py",
        "build/hatch_build.py",
        "build/lock/run.txt",
        "docs/empty-machine.md",
        "pyproject.toml",
        "src/fleetdesk/model/tables.py",
        "tests/conftest.py",
    ):
        assert needed in names
    assert not [name for name in names if "__pycache__" in name or name.startswith(".venv")]
