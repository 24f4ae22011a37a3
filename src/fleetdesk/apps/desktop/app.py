"""`fleetdesk app`: the window from start to end."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import shiboken6
from PySide6.QtCore import QCoreApplication, Qt, QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from fleetdesk.apps.desktop.desk import Desk
from fleetdesk.apps.desktop.memory import Memory
from fleetdesk.apps.desktop.theme import SYSTEM, Theme
from fleetdesk.apps.desktop.trouble import Faults
from fleetdesk.apps.desktop.widgets.map_view import register_scheme
from fleetdesk.apps.desktop.window import MainWindow
from fleetdesk.apps.desktop.work.messages import Failure
from fleetdesk.resources import folder

_SHOWN_MS = 1500
_PATIENCE_S = 120


def open_app(
    workbook: str = "",
    *,
    arguments: Sequence[str] = (),
    once: bool = False,
    memory: Memory | None = None,
) -> int:
    """Open the window and stay until it is closed; returns the exit code.

    `once` closes it as soon as the workbook was read, or two minutes later, to see that it works:
    failures are printed too, and make the code 1. `memory` is this person's where none is given.
    """
    multiprocessing.freeze_support()
    app = make_app(arguments)
    faults = Faults()
    window = make_window(app, memory or Memory.of_this_person())
    failures: list[Failure] = []
    window.desk.failed.connect(failures.append)
    faults.met.connect(failures.append)
    faults.met.connect(window.show_failure)
    faults.catch()
    window.show()
    if workbook:
        window.open(workbook)
    if once:
        _close_when_read(window)
    try:
        code = app.exec()
    finally:
        faults.release()
        # Now, not at the interpreter's end, where the web engine may be gone before its pages.
        shiboken6.delete(window)
    if once and failures:
        print(*(failure.text for failure in failures), sep="\n", file=sys.stderr)
        return code or 1
    return code


def _close_when_read(window: MainWindow) -> None:
    end = time.monotonic() + _PATIENCE_S

    def look() -> None:
        late = time.monotonic() > end
        if window.desk.reading and late:
            window.desk.failed.emit(
                Failure(
                    "The window did not read the workbook in time",
                    found=f"it was still reading after {_PATIENCE_S} s",
                    fix="Close other programs and try again",
                    retry_helps=True,
                )
            )
        if late or not window.desk.reading:
            timer.stop()
            window.close()

    timer = QTimer(window)
    timer.timeout.connect(look)
    timer.start(_SHOWN_MS)


def make_app(arguments: Sequence[str] = ()) -> QApplication:
    """The application; what must be said before it is made is said here."""
    register_scheme()
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # The web engine's own sandbox does not work for the administrator.
        os.environ.setdefault("QTWEBENGINE_DISABLE_SANDBOX", "1")
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
    app = QApplication([sys.argv[0], *arguments])
    app.setApplicationName("FleetDesk")
    app.setDesktopFileName("fleetdesk")
    app.setStyle("Fusion")
    icon = folder("ui") / "desktop" / "fleetdesk.svg"
    if Path(icon).is_file():
        app.setWindowIcon(QIcon(str(icon)))
    return app


def make_window(app: QApplication, memory: Memory) -> MainWindow:
    """The window in the look that is remembered."""
    theme = Theme(app)
    theme.apply(memory.text("look", SYSTEM), memory.number("scale_pct", 100))
    return MainWindow(Desk(memory, theme))
