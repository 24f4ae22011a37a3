"""`fleetdesk send`: records of a workspace to servers that others look at."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from fleetdesk.apps.console import OnProgress, finish
from fleetdesk.apps.options import as_json_option


@click.group()
def send() -> None:
    """Send records of a workspace to a server."""


@send.command()
@click.argument("address")
@click.option("--workspace", type=click.Path(path_type=Path), default=Path(),
              help="Workspace folder; the present one by default.")  # fmt: skip
@click.option("--from", "since", default="", help="First day or time (UTC); all by default.")
@click.option("--to", "until", default="", help="Day or time (UTC) to stop before.")
@click.option("--prefix", default="fleetdesk_", show_default=True,
              help="How the metrics' names begin.")  # fmt: skip
@click.option("--token", default="", help="Name of the secret that holds the bearer token.")
@as_json_option
def victoriametrics(
    address: str, workspace: Path, since: str, until: str, prefix: str, token: str, as_json: bool
) -> None:
    """Send telemetry to VictoriaMetrics at ADDRESS and check that all of it arrived."""

    def work(on_progress: OnProgress) -> Mapping[str, Any]:
        from fleetdesk.workflows.send import send_telemetry

        return send_telemetry(
            workspace, address, since=since, until=until, prefix=prefix, token=token,
            on_progress=on_progress,
        ).as_dict()  # fmt: skip

    finish(work, as_json)
