"""`fleetdesk app`: the window."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from fleetdesk.apps.console import show_error
from fleetdesk.errors import FleetDeskError


@click.command()
@click.argument("workbook", type=click.Path(path_type=Path), required=False)
@click.option("--once", is_flag=True, help="Close it again, to see that it opens.")
def app(workbook: Path | None, once: bool) -> None:
    """Open the window, on WORKBOOK if one is named."""
    try:
        from fleetdesk.apps.desktop.app import open_app
    except ImportError as lack:
        error = FleetDeskError(
            "The window cannot be opened on this computer",
            found=str(lack),
            fix="Install FleetDesk with its extra desktop: pip install 'fleetdesk[desktop]'; on "
            "Linux also the system libraries that docs/desktop.md names",
        )
        show_error(error, as_json=False)
        sys.exit(error.exit_code)
    sys.exit(open_app(str(workbook) if workbook else "", once=once))
