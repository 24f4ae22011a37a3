"""`fleetdesk plan` and `fleetdesk mail`: make the day's plan, and send each worker the route."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from fleetdesk.apps.console import OnProgress, finish
from fleetdesk.apps.options import as_json_option

_workbook = click.argument("workbook")
_workspace = click.option(
    "--workspace", type=click.Path(path_type=Path),
    help="Folder with store and outputs; by default the one that the workbook lies in.",
)  # fmt: skip


@click.command()
@_workbook
@_workspace
@click.option("--dry-run", is_flag=True, help="Show the cells that would change; write nothing.")
@as_json_option
def plan(workbook: str, workspace: Path | None, dry_run: bool, as_json: bool) -> None:
    """Plan the day as WORKBOOK says, and nothing else: tasks, routes, maps and stop lists."""

    def work(on_progress: OnProgress) -> Mapping[str, Any]:
        if dry_run:
            from fleetdesk.workflows import dry_run as trial

            tried = trial.dry_run(
                workbook, only=("plan",), folder=workspace, on_progress=on_progress
            )
            return tried.as_dict()
        from fleetdesk.workflows.run import run_workbook

        done = run_workbook(workbook, only=("plan",), folder=workspace, on_progress=on_progress)
        return done.as_dict()

    finish(work, as_json)


@click.command()
@_workbook
@_workspace
@click.option("--dry-run", is_flag=True, help="Write the mails into the outputs; send nothing.")
@click.option("--only", multiple=True, metavar="WORKER",
              help="Mail this worker alone; may be given more than once.")  # fmt: skip
@click.option("--again", is_flag=True, help="Also those who got the same route already.")
@as_json_option
def mail(
    workbook: str,
    workspace: Path | None,
    dry_run: bool,
    only: tuple[str, ...],
    again: bool,
    as_json: bool,
) -> None:
    """Mail the routes of the last plan of WORKBOOK to the workers, each once."""

    def work(on_progress: OnProgress) -> Mapping[str, Any]:
        from fleetdesk.workflows.mailing import MailOptions

        options = MailOptions(only, again)
        if dry_run:
            from fleetdesk.workflows.mail_preview import preview

            return preview(workbook, options, folder=workspace).as_dict()
        from fleetdesk.workflows.run import run_workbook

        done = run_workbook(
            workbook,
            only=("mail",),
            options={"mail": options},
            folder=workspace,
            on_progress=on_progress,
        )
        return done.as_dict()

    finish(work, as_json)
