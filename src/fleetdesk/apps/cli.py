"""The command line: `fleetdesk demo | run | check | import | doctor`.

Heavy libraries are loaded only once a command needs them, so that help appears at once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from fleetdesk import __version__
from fleetdesk.apps.console import OnProgress, progress, run_command

EXIT_CODES = """\b
Exit codes: 0 done, 1 cannot be done, 2 wrong usage, 3 problems in the settings,
4 the workbook was refused, 5 the source cannot be read, 6 the store cannot be used,
7 too little data, 70 a fault of FleetDesk's own, 130 cancelled."""

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


@click.group(epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="FleetDesk")
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

    _finish(work, as_json)


@cli.command()
@click.argument("workbook", type=click.Path(path_type=Path))
@as_json_option
def run(workbook: Path, as_json: bool) -> None:
    """Plan the day as WORKBOOK says; write the results into it."""

    def work(on_progress: OnProgress) -> Mapping[str, Any]:
        from fleetdesk.workflows.run import run_workbook

        return run_workbook(workbook, on_progress=on_progress).as_dict()

    _finish(work, as_json)


@cli.command()
@click.argument("workbook", type=click.Path(path_type=Path))
@as_json_option
def check(workbook: Path, as_json: bool) -> None:
    """Name every problem in WORKBOOK's settings; write nothing."""

    def work(_: OnProgress) -> Mapping[str, Any]:
        from fleetdesk.workflows.run import check_workbook

        return check_workbook(workbook).as_dict()

    _finish(work, as_json)


@cli.command("import")
@click.argument("kind", type=click.Choice(["gbfs-snapshots", "tables"]))
@click.argument("place", type=click.Path(path_type=Path))
@click.option("--into", type=click.Path(path_type=Path), required=True,
              help="Workspace folder; made with a new workbook if it is not there.")  # fmt: skip
@click.option("--city", default="My city", show_default=True, help="Name for a new workbook.")
@click.option("--timezone", default="UTC", show_default=True, help="IANA name, new workbook.")
@click.option("--currency", default="EUR", show_default=True, help="Code, new workbook.")
@as_json_option
def import_(
    kind: str, place: Path, into: Path, city: str, timezone: str, currency: str, as_json: bool
) -> None:
    """Bring a fleet's records into a workspace.

    \b
    gbfs-snapshots  one CSV (or .csv.gz): a row per vehicle and snapshot of a public feed
    tables          a folder of canonical tables as Parquet or CSV, one file or folder each
    """

    def work(on_progress: OnProgress) -> Mapping[str, Any]:
        from fleetdesk.workflows.refresh import NewWorkbook, import_source

        new = NewWorkbook(city, timezone, currency)
        return import_source(kind, place, into, new, on_progress=on_progress).as_dict()

    _finish(work, as_json)


@cli.command()
@click.argument("workspace", type=click.Path(path_type=Path), required=False)
@as_json_option
def doctor(workspace: Path | None, as_json: bool) -> None:
    """Say what is installed and whether WORKSPACE is in order."""

    def work(_: OnProgress) -> Mapping[str, Any]:
        from fleetdesk.workflows.doctor import examine

        return examine(workspace).as_dict()

    _finish(work, as_json)


def main() -> None:
    """Entry point of the `fleetdesk` command."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    cli.main(prog_name="fleetdesk")


def _finish(work: Callable[[OnProgress], Mapping[str, Any]], as_json: bool) -> None:
    def with_progress() -> Mapping[str, Any]:
        with progress(as_json=as_json) as on_progress:
            return work(on_progress)

    sys.exit(run_command(with_progress, as_json=as_json))


if __name__ == "__main__":
    main()
