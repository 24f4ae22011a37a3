"""`fleetdesk set`: settings entered into the workbook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from fleetdesk.apps.console import OnProgress, finish
from fleetdesk.apps.options import as_json_option


@click.command("set")
@click.argument("workbook")
@click.argument("changes", nargs=-1, required=True, metavar='"SHEET: LABEL=VALUE"...')
@as_json_option
def set_(workbook: str, changes: tuple[str, ...], as_json: bool) -> None:
    """Enter settings into their cells of WORKBOOK, all or none, after a backup."""

    def work(_: OnProgress) -> Mapping[str, Any]:
        from fleetdesk.workflows.set_cells import set_cells

        return set_cells(workbook, changes).as_dict()

    finish(work, as_json)
