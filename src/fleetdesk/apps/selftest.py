"""`fleetdesk --selftest`: does everything work on this computer? Every question, and the window."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

VEHICLES, DAYS = 60, 7


def selftest() -> int:
    """Answer every question on a small sample city and open the window once; 0 when all went well.

    What lacks data in so small a city is told, not counted as a fault.
    """
    from fleetdesk.errors import FleetDeskError

    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="fleetdesk-selftest-") as folder:
        try:
            for line in _steps(Path(folder) / "city"):
                print(f"{time.monotonic() - began:6.1f} s  {line}", flush=True)
        except FleetDeskError as error:
            print(f"Failed: {error}", file=sys.stderr)
            return error.exit_code
    print(f"{time.monotonic() - began:6.1f} s  Everything works.")
    return 0


def _steps(city: Path) -> Iterator[str]:
    from fleetdesk.model.analyses import ANALYSES
    from fleetdesk.workflows.demo import run_demo
    from fleetdesk.workflows.run import run_workbook

    made = run_demo(city, vehicles=VEHICLES, days=DAYS)
    yield f"Made a sample city in {city}"
    names = [known.name for known in ANALYSES if not known.action]
    result = run_workbook(made.workbook, only=names)
    yield from (f"Answered: {line}" for line in result.headlines)
    yield from _window(city / "FleetDesk.xlsx")


def _window(workbook: Path) -> Iterator[str]:
    """Where there is no screen, the window is drawn nowhere; what it remembers is its own."""
    from fleetdesk.errors import FleetDeskError

    no_screen = not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    if sys.platform == "linux" and no_screen:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    try:
        from fleetdesk.apps.desktop.app import open_app
        from fleetdesk.apps.desktop.memory import Memory
    except ImportError as lack:
        yield f"The window is not installed: {lack}"
        return
    code = open_app(str(workbook), once=True, memory=Memory(workbook.parent / "window.ini"))
    if code:
        raise FleetDeskError(
            "The window does not work on this computer",
            found=f"code {code} at its end",
            fix="What it told of stands above; send it to whoever looks after FleetDesk",
        )
    yield "Opened the window, read the workbook and closed it"
