"""`fleetdesk sandbox` and `fleetdesk replay`: what settings mean, tried on the past."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from fleetdesk.apps.console import OnProgress, finish
from fleetdesk.apps.options import as_json_option

_workbook_argument = click.argument("workbook")
_workspace_option = click.option(
    "--workspace", type=click.Path(path_type=Path),
    help="Folder with the store; by default the one that the workbook lies in.",
)  # fmt: skip


@click.command()
@_workbook_argument
@_workspace_option
@click.option("--set", "changes", multiple=True, metavar="SHEET: LABEL=VALUE[,VALUE...]",
              help="A setting as on the sheets; may be repeated.")  # fmt: skip
@click.option("--weeks", type=click.IntRange(1, 52),
              help="Past weeks; by default the history that WORKBOOK uses.")  # fmt: skip
@as_json_option
def sandbox(
    workbook: str,
    workspace: Path | None,
    changes: tuple[str, ...],
    weeks: int | None,
    as_json: bool,
) -> None:
    """Show what other settings would have meant on past weeks; write nothing.

    \b
    fleetdesk sandbox FleetDesk.xlsx --set "Thresholds: Low battery below=25,30,40"
    """

    def work(on_progress: OnProgress) -> Mapping[str, Any]:
        from fleetdesk.workflows import sandbox as trial

        return trial.sandbox(
            workbook, changes, folder=workspace, weeks=weeks, on_progress=on_progress
        ).as_dict()

    finish(work, as_json)


@click.command()
@_workbook_argument
@_workspace_option
@click.option("--weeks", type=click.IntRange(1, 52), default=4, show_default=True,
              help="Past weeks to plan anew.")  # fmt: skip
@as_json_option
def replay(workbook: str, workspace: Path | None, weeks: int, as_json: bool) -> None:
    """Plan past days with WORKBOOK's settings and hold them against what happened.

    Each day is planned only from what was known before it; nothing is written.
    """

    def work(on_progress: OnProgress) -> Mapping[str, Any]:
        from fleetdesk.workflows import replay as past

        return past.replay(
            workbook, weeks=weeks, folder=workspace, on_progress=on_progress
        ).as_dict()

    finish(work, as_json)
