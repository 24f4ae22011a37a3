"""`fleetdesk status | gc | forget | backup | restore`: look after a workspace."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from fleetdesk.apps.console import OnProgress, finish
from fleetdesk.apps.options import as_json_option, here_argument


@click.command()
@here_argument
@as_json_option
def status(workspace: Path, as_json: bool) -> None:
    """Say what WORKSPACE holds, up to when, from where, and how much room it takes."""

    def work(_: OnProgress) -> Mapping[str, Any]:
        from fleetdesk.workflows.status import status as look

        return look(workspace).as_dict()

    finish(work, as_json)


@click.command()
@here_argument
@click.option("--dry-run", is_flag=True, help="Say what would be removed; remove nothing.")
@click.option("--runs", type=click.IntRange(1), default=50, show_default=True,
              help="Runs whose results and maps are kept.")  # fmt: skip
@click.option("--raw-days", type=click.IntRange(0), default=90, show_default=True,
              help="Days that raw answers of sources are kept.")  # fmt: skip
@as_json_option
def gc(workspace: Path, dry_run: bool, runs: int, raw_days: int, as_json: bool) -> None:
    """Remove what WORKSPACE no longer needs; records, ledger and workbook stay."""

    def work(_: OnProgress) -> Mapping[str, Any]:
        from fleetdesk.workflows.garbage import collect_garbage

        done = collect_garbage(
            workspace, dry_run=dry_run, runs_kept=runs, raw_kept=timedelta(days=raw_days)
        )
        return done.as_dict()

    finish(work, as_json)


@click.command()
@click.argument("rider")
@here_argument
@click.option("--dry-run", is_flag=True, help="Say what would be removed; remove nothing.")
@as_json_option
def forget(rider: str, workspace: Path, dry_run: bool, as_json: bool) -> None:
    """Remove all records of RIDER from WORKSPACE, those of older imports too.

    RIDER is the source's own id, or the pseudonym, rp-...
    """

    def work(_: OnProgress) -> Mapping[str, Any]:
        from fleetdesk.workflows.forget import forget as remove

        return remove(workspace, rider, dry_run=dry_run).as_dict()

    finish(work, as_json)


@click.command()
@click.argument("workspace", type=click.Path(path_type=Path))
@click.argument("file", type=click.Path(path_type=Path))
@as_json_option
def backup(workspace: Path, file: Path, as_json: bool) -> None:
    """Write all of WORKSPACE into one new FILE (zip), without any key or password."""

    def work(on_progress: OnProgress) -> Mapping[str, Any]:
        from fleetdesk.workflows.backup import back_up

        return back_up(workspace, file, on_progress=on_progress).as_dict()

    finish(work, as_json)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("workspace", type=click.Path(path_type=Path))
@as_json_option
def restore(file: Path, workspace: Path, as_json: bool) -> None:
    """Make WORKSPACE, a new or empty folder, from the backup FILE."""

    def work(on_progress: OnProgress) -> Mapping[str, Any]:
        from fleetdesk.workflows.backup import restore as unpack

        return unpack(file, workspace, on_progress=on_progress).as_dict()

    finish(work, as_json)
