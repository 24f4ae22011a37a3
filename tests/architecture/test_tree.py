"""The tree holds what it should and nothing that belongs to somebody's machine."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

TOP_LEVEL = {
    "CHANGELOG.md",
    "README.md",
    "benchmarks",
    "build",
    "docs",
    "pyproject.toml",
    "sheets_templates",
    "src",
    "tests",
    "ui",
    "workbooks",
}
MOST_LINES = 400
# A longer file says why, in a comment that starts with these words.
LONG_BECAUSE = "# Long because "

# Written in pieces, so that this file does not hold what it looks for.
HOSTS = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("registry", "yarnpkg", "com"),
        ("crates", "io"),
    )
]
PLACES = ["work", "root", "tmp", "home", "opt", "Users", "private/var", "var/folders"]
FORBIDDEN = re.compile(
    "|".join(
        [
            *(re.escape(host) for host in HOSTS),
            r"(?<![\w.$~/*})-])/(?:" + "|".join(PLACES) + r")/[\w.]",
            r"\b[A-Z]:\\{1,2}Users\\",
        ]
    )
)


def test_the_top_level_is_exactly_the_house(checkout: Path, repository_files: list[Path]) -> None:
    found = {file.relative_to(checkout).parts[0] for file in repository_files}
    assert {name for name in found if not name.startswith(".")} == TOP_LEVEL


def test_a_long_file_gives_its_reason(checkout: Path, source_files: list[Path]) -> None:
    texts = {file: file.read_text(encoding="utf-8") for file in source_files}
    too_long = {
        str(file.relative_to(checkout)): len(text.splitlines())
        for file, text in texts.items()
        if len(text.splitlines()) > MOST_LINES and LONG_BECAUSE not in text
    }
    assert not too_long


def test_no_registry_and_no_machine_is_named(checkout: Path, repository_files: list[Path]) -> None:
    found = [
        f"{file.relative_to(checkout)}: {match[0]}"
        for file in repository_files
        for text in texts(file.read_bytes())
        for match in [FORBIDDEN.search(text)]
        if match
    ]
    assert not found


@pytest.mark.parametrize(
    ("text", "forbidden"),
    [
        (f"index = https://{HOSTS[0]}/simple", True),
        ("open('/" + "tmp/x.csv')", True),
        ("C:" + "\\Users\\me", True),
        ("see src/fleetdesk/model/work/x.py and $HOME/tmp/x", False),
        ("the /tmp folder", False),
    ],
)
def test_the_search_tells_good_from_bad(text: str, forbidden: bool) -> None:
    assert bool(FORBIDDEN.search(text)) is forbidden


def test_the_search_looks_inside_workbooks() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("xl/workbook.xml", "/" + "home/me/plan.xlsx")
    assert any(FORBIDDEN.search(text) for text in texts(packed.getvalue()))


def texts(data: bytes) -> Iterator[str]:
    """The readable text in a file: its own, or that of the members of a workbook or other zip."""
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                yield from texts(archive.read(name))
    elif b"\0" not in data:
        yield data.decode("utf-8", errors="replace")
