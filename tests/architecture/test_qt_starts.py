"""Qt starts without a screen, so that the system packages it needs are there."""

from __future__ import annotations

import os
import subprocess
import sys

START = """
from PySide6.QtGui import QFontMetrics, QGuiApplication
app = QGuiApplication([])
print(app.platformName(), QFontMetrics(app.font()).horizontalAdvance("FleetDesk") > 0)
"""


def test_qt_starts_without_a_screen() -> None:
    result = subprocess.run(
        [sys.executable, "-c", START],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == ["offscreen", "True"]
