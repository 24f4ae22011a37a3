"""The window's bars: it never freezes, cancels at once, opens soon, sorts in a blink, asks nobody.

Prints one JSON line a figure. `--workbook` names a planner's workbook with records; without it a
sample city of `--vehicles` and `--days` is made first.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SORTED_ROWS = 100_000
FIRST_WINDOW = """
import sys, time
began = time.perf_counter()
from pathlib import Path
from fleetdesk.apps.desktop.app import make_app, make_window
from fleetdesk.apps.desktop.memory import Memory
app = make_app()
window = make_window(app, Memory(Path(sys.argv[1])))
window.show()
while not window.windowHandle().isExposed():
    app.processEvents()
app.processEvents()
print(time.perf_counter() - began)
window.close()
"""


def main() -> None:
    """Measure all bars."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--workbook", type=Path)
    options.add_argument("--vehicles", type=int, default=400)
    options.add_argument("--days", type=int, default=30)
    options.add_argument("--tries", type=int, default=3)
    given = options.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        first = min(first_window_s(place) for _ in range(given.tries))
        tell("first window (s)", first, 2.0)
        tell(f"sorting {SORTED_ROWS} rows (ms)", sorting_ms(), 100.0)
        workbook = given.workbook or sample(place / "city", given.vehicles, given.days)
        for name, value, limit in in_the_window(place, workbook):
            tell(name, value, limit)


def tell(bar: str, value: float, limit: float) -> None:
    """One line."""
    met = value <= limit
    line = {"bar": bar, "value": round(value, 3), "limit": limit, "better": "lower", "met": met}
    print(json.dumps(line), flush=True)


def first_window_s(place: Path) -> float:
    """From the interpreter's start of our code to the window on the screen."""
    command = [sys.executable, "-c", FIRST_WINDOW, str(place / "first.ini")]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(result.stdout.split()[-1])


def sorting_ms() -> float:
    """The slowest column kind of a large table, best of three."""
    import numpy as np
    import pyarrow as pa
    from PySide6.QtCore import Qt

    from fleetdesk.apps.desktop.app import make_app
    from fleetdesk.apps.desktop.widgets.columns import ColumnModel
    from fleetdesk.apps.desktop.work.tables import shown_table
    from fleetdesk.sheets.base import ResultSheet

    app = make_app()
    draw = np.random.default_rng(1)
    made = pa.table(
        {
            "Worth": draw.normal(size=SORTED_ROWS),
            "Vehicle": [f"vehicle {n}" for n in draw.integers(0, SORTED_ROWS, SORTED_ROWS)],
            "When": pa.array(draw.integers(0, 2**50, SORTED_ROWS)).cast(pa.timestamp("us")),
        }
    )
    model = ColumnModel()
    model.show(shown_table(ResultSheet("T", "T", "", "T", (), ()), made))
    worst = 0.0
    for column in range(3):
        best = float("inf")
        for order in (Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder) * 2:
            began = time.perf_counter()
            model.sort(column, order)
            best = min(best, time.perf_counter() - began)
        worst = max(worst, best)
    assert app is not None
    return worst * 1000


def sample(folder: Path, vehicles: int, days: int) -> Path:
    """A sample city, made in a process of its own so that this one stays light."""
    command = [sys.executable, "-m", "fleetdesk.apps.cli", "demo", "--out", str(folder)]
    command += ["--vehicles", str(vehicles), "--days", str(days)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return folder / "FleetDesk.xlsx"


def in_the_window(place: Path, workbook: Path) -> list[tuple[str, float, float]]:
    """Gaps of the event loop during a run, the time to cancel, and what the map asks outside."""
    from PySide6.QtCore import QElapsedTimer, QTimer
    from PySide6.QtWidgets import QApplication

    from fleetdesk.apps.desktop.app import make_window
    from fleetdesk.apps.desktop.memory import Memory
    from fleetdesk.apps.desktop.pages.today import TodayPage
    from fleetdesk.workflows.progress import SEARCHING, name_of

    app = QApplication.instance()
    assert isinstance(app, QApplication)
    window = make_window(app, Memory(place / "bench.ini"))
    window.show()
    window.open(str(workbook))
    desk = window.desk
    _until(lambda: not desk.reading)
    rest = time.monotonic() + 8
    _until(lambda: time.monotonic() > rest)

    gaps: list[float] = []
    clock = QElapsedTimer()
    beat = QTimer()
    beat.setInterval(5)
    beat.timeout.connect(lambda: gaps.append(clock.restart()))
    outcomes: list[Any] = []
    desk.ended.connect(lambda _title, outcome, _took: outcomes.append(outcome))
    clock.start()
    beat.start()
    desk.run()
    _until(lambda: bool(outcomes))
    beat.stop()
    if not isinstance(outcomes[0], dict):
        raise SystemExit(outcomes[0].text)

    outcomes.clear()
    steps: list[str] = []
    desk.stepped.connect(lambda step, _share: steps.append(step))
    _until(lambda: not desk.reading)
    desk.run()
    _until(lambda: bool(outcomes) or any(name_of(step) == SEARCHING for step in steps))
    if outcomes:
        raise SystemExit("The run ended before routes were searched.")
    began = time.perf_counter()
    desk.cancel()
    _until(lambda: bool(outcomes))
    cancel_s = time.perf_counter() - began
    refused = len(window.page(TodayPage).map.refused)
    window.close()
    return [
        ("longest gap of the event loop during a run (ms)", max(gaps), 100.0),
        ("cancelling while routes are planned (s)", cancel_s, 2.0),
        ("requests outside to show a map", float(refused), 0.0),
    ]


def _until(done: Callable[[], bool]) -> None:
    from PySide6.QtCore import QEventLoop, QTimer

    while not done():
        loop = QEventLoop()
        QTimer.singleShot(20, loop.quit)
        loop.exec()


if __name__ == "__main__":
    main()
