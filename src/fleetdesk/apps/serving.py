"""`fleetdesk serve`: score riders for other programs, on this computer by default."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from fleetdesk.apps.console import run_command
from fleetdesk.errors import FleetDeskError

_LOOPBACK = "127.0.0.1"


@click.command()
@click.argument("workspace", type=click.Path(path_type=Path))
@click.option("--host", default=_LOOPBACK, show_default=True,
              help="Address to listen on; any but this one needs TLS in front.")  # fmt: skip
@click.option("--port", type=click.IntRange(1, 65_535), default=8765, show_default=True)
@click.option("--per-minute", type=click.IntRange(1, 1_000_000), default=600, show_default=True,
              help="Most requests a minute.")  # fmt: skip
def serve(workspace: Path, host: str, port: int, per_minute: int) -> None:
    """Score riders over HTTP with the models that WORKSPACE's runs have left.

    The interface is described at /docs. The token is kept in the keyring, made at the first start
    and shown once; a server without a keyring takes it from FLEETDESK_SERVE_TOKEN.
    """

    def work() -> Mapping[str, Any]:
        _serve(workspace, host, port, per_minute)
        return {"text": "Stopped."}

    sys.exit(run_command(work, as_json=False))


def _serve(workspace: Path, host: str, port: int, per_minute: int) -> None:
    try:
        import uvicorn

        from fleetdesk.apps.serving_api import make_app
    except ImportError as error:
        raise FleetDeskError(
            "The scoring server is not installed",
            found=str(error),
            fix='Install it with: pip install "fleetdesk[serve]"',
        ) from error
    from fleetdesk.workflows.serve import KNOWN, load_scorer, token_for_server

    scorer = load_scorer(workspace)
    token, made = token_for_server()
    if made:
        click.echo(f"Token (kept in the keyring, shown this once): {token}")
    click.echo(f"Scoring on http://{host}:{port}, described at http://{host}:{port}/docs")
    app = make_app(scorer, KNOWN, token, per_minute, time.monotonic)
    uvicorn.run(app, host=host, port=port, log_level="warning")
