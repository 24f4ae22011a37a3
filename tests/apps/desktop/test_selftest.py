"""The trial of the window on this computer, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TRIAL = """
import sys
from pathlib import Path
from fleetdesk.apps import selftest
selftest._steps = lambda city: selftest._window(Path(sys.argv[1]))
sys.exit(selftest.selftest())
"""


def test_a_failure_in_the_window_fails_the_trial_and_leaves_the_person_s_memory(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    tried = subprocess.run(
        [sys.executable, "-c", TRIAL, str(tmp_path / "none.xlsx")],
        env={**os.environ, "XDG_CONFIG_HOME": str(home), "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert tried.returncode == 1
    assert "none.xlsx cannot be opened" in tried.stderr
    assert "Failed: The window does not work" in tried.stderr
    assert not home.exists() and (tmp_path / "window.ini").is_file()
