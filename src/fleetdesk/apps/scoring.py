"""`fleetdesk score`: riders by the models that runs have kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from fleetdesk.apps.console import OnProgress, finish
from fleetdesk.apps.options import as_json_option


@click.command()
@click.argument("workbook")
@click.option(
    "--workspace",
    type=click.Path(path_type=Path),
    help="Folder with the store; by default the one that the workbook lies in.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A CSV file for the riders whom the sheet Riders allows to be shown.",
)
@as_json_option
def score(workbook: str, workspace: Path | None, out: Path | None, as_json: bool) -> None:
    """Place WORKBOOK's riders by the kept models, without learning anew.

    Says which models should be learnt anew because they are old or because riders have changed.
    """

    def work(on_progress: OnProgress) -> Mapping[str, Any]:
        from fleetdesk.workflows import score as scoring

        return scoring.score(workbook, folder=workspace, out=out, on_progress=on_progress).as_dict()

    finish(work, as_json)
