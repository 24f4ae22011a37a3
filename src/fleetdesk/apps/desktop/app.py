"""`fleetdesk app`: the window from start to end."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QCoreApplication, Qt, QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from fleetdesk.apps.desktop.desk import Desk
from fleetdesk.apps.desktop.memory import Memory
from fleetdesk.apps.desktop.theme import SYSTEM, Theme
from fleetdesk.apps.desktop.trouble import Faults
from fleetdesk.apps.desktop.widgets.map_view import register_scheme
from fleetdesk.apps.desktop.window import MainWindow
from fleetdesk.resources import folder


def open_app(workbook: str = "", *, arguments: Sequence[str] = (), once: bool = False) -> int:
    """Open the window and stay until it is closed; returns the exit code.

    `once` closes it as soon as it has been shown, to see that it opens.
    """
    multiprocessing.freeze_support()
    app = make_app(arguments)
    faults = Faults()
    window = make_window(app, Memory.of_this_person())
    faults.met.connect(window.show_failure)
    faults.catch()
    window.show()
    if workbook:
        window.open(workbook)
    if once:
        QTimer.singleShot(1500, window.close)
    try:
        return app.exec()
    finally:
        faults.release()


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
