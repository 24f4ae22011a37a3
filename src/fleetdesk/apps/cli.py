"""The command line; `fleetdesk --help` lists the commands.

Heavy libraries are loaded only once a command needs them, so that help appears at once.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from fleetdesk import __version__
from fleetdesk.apps.console import OnProgress, finish, show, show_error
from fleetdesk.apps.entering import set_
from fleetdesk.apps.importing import import_
from fleetdesk.apps.keeping import backup, forget, gc, restore, status
from fleetdesk.apps.login import login
from fleetdesk.apps.mailing import mail, plan
from fleetdesk.apps.opening import app
from fleetdesk.apps.options import as_json_option, city_options
from fleetdesk.apps.scheduling import schedule
from fleetdesk.apps.scoring import score
from fleetdesk.apps.sending import send
from fleetdesk.apps.serving import serve
from fleetdesk.apps.trying import replay, sandbox
from fleetdesk.errors import FleetDeskError

EXIT_CODES = """\b
Exit codes: 0 done, 1 cannot be done, 2 wrong usage, 3 problems in the settings,
4 the workbook was refused, 5 the source cannot be read, 6 the store cannot be used,
7 too little data, 70 a fault of FleetDesk's own, 130 cancelled."""

workbook_argument = click.argument("workbook")
workspace_option = click.option(
    "--workspace", type=click.Path(path_type=Path),
    help="Folder with store and outputs; by default the one that the workbook lies in.",
)  # fmt: skip


class Commands(click.Group):
    """The commands; with --json a wrong usage, too, is JSON on stdout."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Note whether JSON is wanted, before anything can be wrong."""
        ctx.meta["as_json"] = "--json" in args
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Do the command; exit code 2 when it was called wrongly."""
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            if not ctx.meta["as_json"]:
                raise
            show_error(_wrong_usage(error), as_json=True)
            ctx.exit(error.exit_code)


def _wrong_usage(error: click.UsageError) -> FleetDeskError:
    from fleetdesk.workflows.import_options import WrongUsage

    path = error.ctx.command_path if error.ctx else "fleetdesk"
    return WrongUsage(
        error.format_message().rstrip("."), fix=f"{path} --help says how it is called"
    )


def _selftest(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from fleetdesk.apps.selftest import selftest

        ctx.exit(selftest())


@click.group(
    cls=Commands, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="FleetDesk")
@click.option("--selftest", is_flag=True, is_eager=True, expose_value=False, callback=_selftest,
              help="Try everything on a small sample city, and say how it went.")  # fmt: skip
def cli() -> None:
    """FleetDesk plans the day of a shared e-scooter fleet from the planner's own workbook."""


@cli.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("fleetdesk-demo"),
              show_default=True, help="Folder of the sample workspace.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True,
              help="Another seed makes another city.")  # fmt: skip
@click.option("--vehicles", type=click.IntRange(10, 5000), default=400, show_default=True)
@click.option("--days", type=click.IntRange(2, 365), default=30, show_default=True)
@as_json_option
def demo(out: Path, seed: int, vehicles: int, days: int, as_json: bool) -> None:
    """Make a sample city with a workbook and plan its day."""

    def work(on_progress: OnProgress) -> Mapping[str, Any]:
        from fleetdesk.workflows.demo import run_demo

        return run_demo(out, seed, vehicles, days, on_progress=on_progress).as_dict()

    finish(work, as_json)


@cli.command()
@workbook_argument
@workspace_option
@click.option("--only", multiple=True, metavar="QUESTION",
              help="Answer this question alone; may be given more than once.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Show the cells that would change; write nothing.")
@as_json_option
def run(
    workbook: str, workspace: Path | None, only: tuple[str, ...], dry_run: bool, as_json: bool
) -> None:
    """Answer the questions that WORKBOOK asks; write the results into it.

    WORKBOOK is a path, excel: for the workbook that is active in Excel, or a Google Sheet's
    address.
    """

    def work(on_progress: OnProgress) -> Mapping[str, Any]:
        if dry_run:
            from fleetdesk.workflows import dry_run as trial

            tried = trial.dry_run(workbook, only=only, folder=workspace, on_progress=on_progress)
            return tried.as_dict()
        from fleetdesk.workflows.run import run_workbook

        done = run_workbook(workbook, only=only, folder=workspace, on_progress=on_progress)
        return done.as_dict()

    finish(work, as_json)


@cli.command()
@as_json_option
def questions(as_json: bool) -> None:
    """List the questions that a run can answer."""

    def work(_: OnProgress) -> Mapping[str, Any]:
        from fleetdesk.workflows.catalog import listing

        return listing()

    finish(work, as_json)


@cli.command()
@workbook_argument
@workspace_option
@as_json_option
def check(workbook: str, workspace: Path | None, as_json: bool) -> None:
    """Name every problem in WORKBOOK's settings and in your edits of Routes; write nothing."""

    def work(_: OnProgress) -> Mapping[str, Any]:
        from fleetdesk.workflows.run import check_workbook

        return check_workbook(workbook, folder=workspace).as_dict()

    finish(work, as_json)


@cli.command()
@workbook_argument
@workspace_option
@as_json_option
def watch(workbook: str, workspace: Path | None, as_json: bool) -> None:
    """Run again whenever WORKBOOK has been saved; Ctrl-C ends it.

    On a Google Sheet it does what the sheet's FleetDesk menu asks for.
    """

    def work(_: OnProgress) -> Mapping[str, Any]:
        from fleetdesk.workflows.watch import can_be_saved
        from fleetdesk.workflows.watch import watch as saves
        from fleetdesk.workflows.watch_requests import watch_requests

        outcomes = saves if can_be_saved(workbook) else watch_requests
        for outcome in outcomes(workbook, folder=workspace):
            if isinstance(outcome, Exception):
                show_error(outcome, as_json=as_json)
            else:
                show(outcome.as_dict(), as_json=as_json)
        return {"text": ""}

    click.echo(f"Watching {workbook}; save it to run. Ctrl-C ends.", err=True)
    finish(work, as_json)


@cli.command()
@workbook_argument
@workspace_option
@click.option("--anyway", is_flag=True, help="Even if the workbook was edited since that run.")
@as_json_option
def undo(workbook: str, workspace: Path | None, anyway: bool, as_json: bool) -> None:
    """Put WORKBOOK back exactly as it was before its last run."""

    def work(_: OnProgress) -> Mapping[str, Any]:
        from fleetdesk.workflows.undo import undo_anywhere

        return undo_anywhere(workbook, folder=workspace, anyway=anyway).as_dict()

    finish(work, as_json)


@cli.command()
@click.argument("old", default="previous")
@click.argument("new", default="last")
@click.option("--workspace", type=click.Path(path_type=Path), default=Path(),
              help="Workspace folder; the present one by default.")  # fmt: skip
@as_json_option
def diff(old: str, new: str, workspace: Path, as_json: bool) -> None:
    """Say what changed in settings from run OLD to run NEW, and what that changed.

    OLD and NEW are runs of the Run log, or last and previous.
    """

    def work(_: OnProgress) -> Mapping[str, Any]:
        from fleetdesk.workflows.kept_results import diff_runs

        return diff_runs(workspace, old, new).as_dict()

    finish(work, as_json)


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--run", "run_id", default="last", show_default=True, help="A run of the Run log.")
@click.option("--workspace", type=click.Path(path_type=Path), default=Path(),
              help="Workspace folder; the present one by default.")  # fmt: skip
@as_json_option
def export(folder: Path, run_id: str, workspace: Path, as_json: bool) -> None:
    """Write a run's result sheets as CSV files into FOLDER."""

    def work(_: OnProgress) -> Mapping[str, Any]:
        from fleetdesk.workflows.export import export_run

        return export_run(workspace, run_id, folder).as_dict()

    finish(work, as_json)


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
@city_options
@as_json_option
def template(file: Path, city: str, timezone: str, currency: str, as_json: bool) -> None:
    """Write a new planner's workbook to FILE, ready to be filled in."""

    def work(_: OnProgress) -> Mapping[str, Any]:
        from fleetdesk.workflows.workspace import NewWorkbook, new_workbook

        new_workbook(file, NewWorkbook(city, timezone, currency))
        return {"workbook": str(file), "text": f"Made {file}"}

    finish(work, as_json)


@cli.command()
@click.argument("workspace", type=click.Path(path_type=Path), required=False)
@as_json_option
def doctor(workspace: Path | None, as_json: bool) -> None:
    """Say what is installed and whether WORKSPACE is in order."""

    def work(_: OnProgress) -> Mapping[str, Any]:
        from fleetdesk.workflows.doctor import examine

        return examine(workspace).as_dict()

    finish(work, as_json)


for command in (
    app,
    set_,
    import_,
    plan,
    mail,
    status,
    gc,
    forget,
    backup,
    restore,
    schedule,
    send,
    login,
    sandbox,
    replay,
    score,
    serve,
):
    cli.add_command(command)


def main() -> None:
    """Entry point of the `fleetdesk` command."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    cli.main(prog_name="fleetdesk")


if __name__ == "__main__":
    main()
