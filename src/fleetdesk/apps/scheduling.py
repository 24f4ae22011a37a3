"""`fleetdesk schedule`: imports and runs that are done by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from fleetdesk.apps.console import OnProgress, finish
from fleetdesk.apps.options import as_json_option, here_argument

_folder_argument = click.argument("workspace", type=click.Path(path_type=Path))


@click.group()
def schedule() -> None:
    """Imports and runs that are done by themselves."""


@schedule.command(context_settings={"allow_interspersed_args": False})
@click.option("--at", metavar="HH:MM", help="Time of day in the city's time zone.")
@click.option("--on", "days", default="", metavar="DAYS", help="Such as mon,thu; else every day.")
@click.option("--every", "interval", metavar="INTERVAL", help="Such as 15m, 2h or 1d.")
@click.option("--timezone", help="IANA name; by default that of the workspace's workbook.")
@as_json_option
@_folder_argument
@click.argument("command", nargs=-1, required=True)
def add(
    at: str | None,
    days: str,
    interval: str | None,
    timezone: str | None,
    as_json: bool,
    workspace: Path,
    command: tuple[str, ...],
) -> None:
    """Do COMMAND in WORKSPACE at set times.

    COMMAND is `import KIND PLACE [--option NAME=VALUE ...]` or `run [WORKBOOK]`; the options of
    the schedule come before WORKSPACE:

    \b
    fleetdesk schedule add --every 15m my-city import gbfs https://feed/gbfs.json
    fleetdesk schedule add --at 03:30 my-city run
    """

    def work(_: OnProgress) -> Mapping[str, Any]:
        from fleetdesk.workflows.schedule_edits import add_from_words

        return add_from_words(
            workspace, words, at=at, days=days, interval=interval, timezone=timezone
        ).as_dict()

    # An option of `add` itself that is easily put last, where those of the command are.
    words = [word for word in command if word != "--json"]
    finish(work, as_json or len(words) < len(command))


@schedule.command("list")
@here_argument
@as_json_option
def list_(workspace: Path, as_json: bool) -> None:
    """Say what is done when, and what came of it."""

    def work(_: OnProgress) -> Mapping[str, Any]:
        from fleetdesk.workflows.schedule_edits import listed

        return listed(workspace)

    finish(work, as_json)


@schedule.command()
@_folder_argument
@click.argument("job")
@as_json_option
def remove(workspace: Path, job: str, as_json: bool) -> None:
    """Take JOB, a number of the list, out of the schedule."""

    def work(_: OnProgress) -> Mapping[str, Any]:
        from fleetdesk.workflows.schedule import remove_job

        gone = remove_job(workspace, job)
        return {"removed": gone.job_id, "text": f"Removed {gone}"}

    finish(work, as_json)


@schedule.command()
@here_argument
@click.option("--due", is_flag=True, help="Do what is due now and end; for cron.")
@as_json_option
def run(workspace: Path, due: bool, as_json: bool) -> None:
    """Do the jobs when they are due; Ctrl-C or SIGTERM ends it."""

    def work(_: OnProgress) -> Mapping[str, Any]:
        from fleetdesk.workflows.scheduler import run_due, run_jobs

        if due:
            done = run_due(workspace, _tell)
            return {"done": done, "text": f"{done} done."}
        run_jobs(workspace, _tell)
        return {"text": "Stopped."}

    if not due:
        click.echo("Doing the jobs as they come due. Ctrl-C ends.", err=True)
    finish(work, as_json)


@schedule.command()
@here_argument
@as_json_option
def cron(workspace: Path, as_json: bool) -> None:
    """Print a line for crontab that does what is due, instead of `schedule run`."""

    def work(_: OnProgress) -> Mapping[str, Any]:
        from fleetdesk.workflows.scheduler import cron_line

        line = cron_line(workspace)
        return {"line": line, "text": line}

    finish(work, as_json)


def _tell(job: Any, outcome: Any) -> None:
    click.echo(f"{outcome.ended_at:%Y-%m-%d %H:%M:%S} UTC  {job}: {outcome.said}", err=True)
