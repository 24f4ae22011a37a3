"""Every command is named in the documents, the way a reader would type it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click

from fleetdesk.apps.cli import cli


def commands(group: click.Group, words: tuple[str, ...] = ("fleetdesk",)) -> Iterator[str]:
    for name, command in group.commands.items():
        path = (*words, name)
        if isinstance(command, click.Group):
            yield from commands(command, path)
        else:
            yield " ".join(path)


def undocumented(names: list[str], text: str) -> list[str]:
    return [name for name in names if not re.search(rf"\b{re.escape(name)}(?![\w-])", text)]


def test_every_command_is_documented(checkout: Path) -> None:
    pages = [checkout / "README.md", *sorted((checkout / "docs").rglob("*.md"))]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    names = list(commands(cli))
    assert {"fleetdesk demo", "fleetdesk run"} <= set(names)
    assert not undocumented(names, text)


def test_the_rule_sees_a_missing_command() -> None:
    text = "Type `fleetdesk run-all` or `fleetdesk demo --out x`."
    assert undocumented(["fleetdesk demo", "fleetdesk run"], text) == ["fleetdesk run"]
