"""Stops of routes dragged with the mouse, on a screen that is none."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
pytestmark = pytest.mark.skipif(
    not shutil.which("Xvfb") or not sys.platform.startswith("linux"),
    reason="dragging needs a screen: Xvfb is not here",
)


@pytest.fixture
def screen() -> Iterator[dict[str, str]]:
    """The environment of a screen of its own."""
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1366x900x24", "-nolisten", "tcp"],
        pass_fds=[writing], stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(writing)
    with os.fdopen(reading) as said:
        number = said.readline().strip()
    yield {**os.environ, "QT_QPA_PLATFORM": "xcb", "DISPLAY": f":{number}"}
    server.terminate()
    server.wait()


def test_stops_are_dragged_within_and_between_workers_and_from_outside(
    screen: dict[str, str], tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, str(HERE / "drag_routes.py"), str(tmp_path)],
        env=screen, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    if "Could not load the Qt platform plugin" in done.stderr:
        pytest.skip("Qt's libraries for a screen are not here")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [(one["Maria"], one["Νίκος"]) for one in found["rounds"]] == [
        ("bac", "xy"),
        ("ba", "xcy"),
        ("ba", "xqcy"),
        ("qba", "xcy"),
        ("qbax", "cy"),
    ]
    assert ["Tasks", "q", "Give to"] in found["changes"]
    assert ["Routes", "c", "Worker"] in found["changes"]
