"""The locks hold what pyproject.toml asks for, by hash, under licences that may be shipped."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

NAMES = ["tools", "run", "dev"]
# GPL and AGPL but not LGPL; the "GPL" of a choice (LGPL or GPL) is the choice not taken.
COPYLEFT = re.compile(r"(?<!L)(?<!Lesser )\b(A?GPL|(Affero )?General Public License)", re.I)
NOT_FREE = re.compile(r"non-?commercial|proprietary|commons clause|CC-BY-NC", re.I)


def read(checkout: Path, name: str) -> list[tuple[Requirement, int]]:
    """The pinned requirements of a lock, each with its number of hashes."""
    text = (checkout / "build" / "lock" / f"{name}.txt").read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=\w)", re.sub(r"^\s*#.*\n", "", text, flags=re.M))
    return [
        (Requirement(block.split("\\")[0].strip()), block.count("--hash=sha256:"))
        for block in blocks
    ]


def pins(checkout: Path, name: str) -> set[tuple[str, str, frozenset[str]]]:
    """Name, version and the conditions that must all hold for it to be installed."""
    return {
        (
            canonicalize_name(pin.name),
            str(pin.specifier),
            frozenset(str(pin.marker).split(" and ") if pin.marker else ()),
        )
        for pin, _ in read(checkout, name)
    }


def missing(small: set[tuple[str, str, frozenset[str]]], large: set[Any]) -> list[str]:
    """What the large lock would not install somewhere where the small one does."""
    return [
        name
        for name, version, conditions in small
        if not any((n, v) == (name, version) and c <= conditions for n, v, c in large)
    ]


@pytest.mark.parametrize("name", NAMES)
def test_everything_is_pinned_by_version_and_hash(name: str, checkout: Path) -> None:
    text = (checkout / "build" / "lock" / f"{name}.txt").read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"^\s*(-i|--index-url|--extra-index-url|--find-links)\b", text, re.M)
    for pin, hashes in read(checkout, name):
        assert re.fullmatch(r"==[\w.+!]+", str(pin.specifier)), pin
        assert hashes, pin


def test_each_lock_contains_the_one_before(checkout: Path) -> None:
    tools, run, dev = (pins(checkout, name) for name in ("tools", "run", "dev"))
    assert not missing(tools, run) + missing(run, dev)


def test_a_lock_that_installs_less_is_seen() -> None:
    everywhere, linux = frozenset[str](), frozenset({'sys_platform == "linux"'})
    assert not missing({("a", "==1", linux)}, {("a", "==1", everywhere)})
    assert missing({("a", "==1", everywhere)}, {("a", "==1", linux)}) == ["a"]
    assert missing({("a", "==1", linux)}, {("a", "==2", linux)}) == ["a"]


def test_the_locks_satisfy_the_project(checkout: Path) -> None:
    project = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))
    table, groups = project["project"], project["dependency-groups"]
    tools = groups["tools"] + project["build-system"]["requires"]
    extras = [text for texts in table["optional-dependencies"].values() for text in texts]
    asked = {
        "tools": tools,
        "run": tools + table["dependencies"],
        "dev": tools + table["dependencies"] + extras + groups["dev"],
    }
    for name, texts in asked.items():
        locked: dict[str, list[Requirement]] = {}
        for pin, _ in read(checkout, name):
            locked.setdefault(canonicalize_name(pin.name), []).append(pin)
        for wanted in map(Requirement, texts):
            found = locked.get(canonicalize_name(wanted.name), [])
            versions = [str(pin.specifier).removeprefix("==") for pin in found]
            assert versions and all(wanted.specifier.contains(v, True) for v in versions), (
                f"{name}.txt has {versions} for {wanted}; run: python3 build/dev.py lock"
            )


def test_what_is_shipped_may_be_shipped(checkout: Path) -> None:
    refused = {}
    for pin, _ in read(checkout, "run"):
        if pin.marker and not pin.marker.evaluate():
            continue
        words = licence(pin.name)
        if not words or COPYLEFT.search(words) or NOT_FREE.search(words):
            refused[pin.name] = words
    assert not refused


@pytest.mark.parametrize(
    ("words", "refused"),
    [
        ("GPL-3.0-only", True),
        ("GNU Affero General Public License v3", True),
        ("AGPLv3", True),
        ("LGPL-3.0-only", False),
        ("GNU Lesser General Public License v3", False),
        ("MIT", False),
    ],
)
def test_the_licence_rule_tells_good_from_bad(words: str, refused: bool) -> None:
    assert bool(COPYLEFT.search(words)) is refused


def licence(name: str) -> str:
    """What a package's metadata says of its licence: expression, classifiers, or first words."""
    about = metadata.metadata(name)
    classifiers = [text for text in about.get_all("Classifier") or [] if "License ::" in text]
    free_text = (about.get("License") or "")[:200]
    return "; ".join(filter(None, [about.get("License-Expression"), *classifiers, free_text]))
