"""The checkout as the architecture tests see it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def checkout() -> Path:
    return CHECKOUT


@pytest.fixture(scope="session")
def source_files() -> list[Path]:
    return sorted((CHECKOUT / "src").rglob("*.py"))


@pytest.fixture(scope="session")
def repository_files() -> list[Path]:
    """Every file that is committed or would be: not what .gitignore names."""
    git = ["git", "-c", "safe.directory=*", "-C", str(CHECKOUT)]
    listed = subprocess.run(
        [*git, "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    files = [CHECKOUT / name for name in listed.split("\0") if name]
    return [file for file in files if file.is_file()]
