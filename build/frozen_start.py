"""Where the frozen app begins: the command line, or the window for the program that is named so."""

from __future__ import annotations

import multiprocessing
import os
import sys
from pathlib import Path
from types import ModuleType

WINDOW = "fleetdesk-window"


def main() -> None:
    """Working processes begin here too; they are caught first."""
    # Else a library looks for a program that counts cores, and complains where there is none.
    os.environ.setdefault("LOKY_MAX_CPU_COUNT", str(os.cpu_count() or 1))
    _do_without_opengl()
    multiprocessing.freeze_support()
    if Path(sys.executable).stem.lower() == WINDOW:
        from fleetdesk.apps.desktop.app import open_app

        sys.exit(open_app(*sys.argv[1:2]))
    from fleetdesk.apps.cli import main as command_line

    command_line()


def _do_without_opengl() -> None:
    """Charts are painted without it, but their library loads Qt's 9 MB for it all the same."""
    for name in ("QtOpenGL", "QtOpenGLWidgets"):
        module = sys.modules[f"PySide6.{name}"] = ModuleType(f"PySide6.{name}")
        module.QOpenGLWidget = type("QOpenGLWidget", (), {})  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
