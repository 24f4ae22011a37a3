"""Where the frozen app begins: the command line, or the window for the program that is named so."""

from __future__ import annotations

import multiprocessing
import os
import sys
from pathlib import Path

WINDOW = "fleetdesk-window"


def main() -> None:
    """Working processes begin here too; they are caught first."""
    # Else a library looks for a program that counts cores, and complains where there is none.
    os.environ.setdefault("LOKY_MAX_CPU_COUNT", str(os.cpu_count() or 1))
    multiprocessing.freeze_support()
    if Path(sys.executable).stem.lower() == WINDOW:
        from fleetdesk.apps.desktop.app import open_app

        sys.exit(open_app(*sys.argv[1:2]))
    from fleetdesk.apps.cli import main as command_line

    command_line()


if __name__ == "__main__":
    main()
