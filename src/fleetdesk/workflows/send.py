"""`fleetdesk send`: telemetry of a workspace to a server that keeps time series."""

from __future__ import annotations

from pathlib import Path

from fleetdesk.errors import FleetDeskError
from fleetdesk.settings import secrets
from fleetdesk.sources.victoria import day_or_time
from fleetdesk.sources.victoria_send import Sent, to_victoria
from fleetdesk.sources.victoria_server import PREFIX, VictoriaServer
from fleetdesk.workflows.context import Clock, store_of, utc_now
from fleetdesk.workflows.progress import OnProgress, silent


def send_telemetry(
    folder: Path,
    address: str,
    *,
    since: str = "",
    until: str = "",
    prefix: str = PREFIX,
    token: str = "",
    clock: Clock = utc_now,
    on_progress: OnProgress = silent,
) -> Sent:
    """Send the workspace's telemetry and check that all of it arrived.

    `since` and `until` are days or times in UTC, empty for all; `token` is the name of a secret.
    """
    secret = secrets.reveal(token) if token else None
    if token and not secret:
        raise FleetDeskError(
            f"There is no secret named {token}", fix="Store it, or give the name of another"
        )
    server = VictoriaServer(address, token=secret)
    try:
        with store_of(folder) as store:
            return to_victoria(
                store.tables(), server, now=clock(), prefix=prefix,
                since=day_or_time("from", since), until=day_or_time("to", until),
                on_progress=lambda share: on_progress(f"Sending to {server.name}", share),
            )  # fmt: skip
    finally:
        server.close()
