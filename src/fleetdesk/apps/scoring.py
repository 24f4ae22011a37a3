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
@click.option(
    "--learn",
    is_flag=True,
    help="First learn anew what is past the limits of the sheet Riders, and write its sheets.",
)
@as_json_option
def score(
    workbook: str, workspace: Path | None, out: Path | None, learn: bool, as_json: bool
) -> None:
    """Place WORKBOOK's riders by the kept models, without learning anew.

    Says which models should be learnt anew because they are old or because riders have changed;
    --learn does so first.
    """

    def work(on_progress: OnProgress) -> Mapping[str, Any]:
        from fleetdesk.workflows import score as scoring

        found = scoring.score(
            workbook, folder=workspace, out=out, learn=learn, on_progress=on_progress
        )
        return found.as_dict()

    finish(work, as_json)
