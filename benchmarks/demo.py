"""How long a planner waits for the sample city, from nothing to the written workbook.

Prints one JSON line per figure. The whole command is timed as it is typed, in a folder of its own;
`--repeat` runs it several times and reports the median.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vehicles", type=int, default=400)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--limit-s", type=float, default=60.0)
    parser.add_argument("--help-limit-s", type=float, default=0.3)
    chosen = parser.parse_args()
    demo = ["demo", "--seed", str(chosen.seed), "--vehicles", str(chosen.vehicles),
            "--days", str(chosen.days)]  # fmt: skip
    whole, again = [], []
    for _ in range(chosen.repeat):
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "city"
            whole.append(_seconds(*demo, "--out", str(out)))
            again.append(_seconds("run", str(out / "FleetDesk.xlsx")))
    helps = [_seconds("--help") for _ in range(max(5, chosen.repeat))]
    _report("demo_whole_s", whole, chosen.limit_s)
    _report("run_again_s", again, None)
    _report("help_s", helps, chosen.help_limit_s)


def _seconds(*arguments: str) -> float:
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "fleetdesk.apps.cli", *arguments], check=True, capture_output=True
    )
    return time.perf_counter() - began


def _report(bar: str, seconds: list[float], limit: float | None) -> None:
    value = round(statistics.median(seconds), 3)
    print(
        json.dumps(
            {
                "bar": bar,
                "value": value,
                "limit": limit,
                "better": "lower",
                "met": None if limit is None else value <= limit,
                "runs": [round(each, 3) for each in seconds],
            }
        )
    )


if __name__ == "__main__":
    main()
