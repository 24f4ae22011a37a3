"""Options that several commands have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
here_argument = click.argument(
    "workspace", type=click.Path(path_type=Path), default=Path(), metavar="[WORKSPACE]"
)


def city_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What a new workbook is made with."""
    for option in (
        click.option(
            "--currency",
            default="EUR",
            show_default=True,
            help="ISO code of its money, for a new workbook.",
        ),
        click.option(
            "--timezone",
            default="UTC",
            show_default=True,
            help="Its IANA time zone, for a new workbook.",
        ),
        click.option(
            "--city",
            default="My city",
            show_default=True,
            help="The city's name, for a new workbook.",
        ),
    ):
        command = option(command)
    return command
