"""How fast the demo city is made, and that memory does not grow with its days.

Prints one JSON line per figure. `python benchmarks/simulation.py --days 90` runs the full size.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time

from fleetdesk.simulation.city import demo_city
from fleetdesk.simulation.generate import dimensions, generate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vehicles", type=int, default=1000, help="fleet of the memory run")
    parser.add_argument("--days", type=int, default=90, help="days of the memory run")
    parser.add_argument("--demo-vehicles", type=int, default=400)
    parser.add_argument("--demo-days", type=int, default=30)
    parser.add_argument("--limit-s", type=float, default=20.0)
    parser.add_argument("--limit-mb", type=float, default=1000.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--one", nargs=2, type=int, metavar=("VEHICLES", "DAYS"),
                        help="only stream one city through, in this process")  # fmt: skip
    chosen = parser.parse_args()
    if chosen.one:
        print(json.dumps(stream_through(*chosen.one, chosen.seed)))
        return
    demo = _in_own_process(chosen.demo_vehicles, chosen.demo_days, chosen.seed)
    _report("simulation_demo_s", demo["seconds"], chosen.limit_s, demo)
    large = _in_own_process(chosen.vehicles, chosen.days, chosen.seed)
    _report("simulation_large_peak_mb", large["peak_mb"], chosen.limit_mb, large)


def stream_through(vehicles: int, days: int, seed: int) -> dict[str, float]:
    """Generate a city with all its tables and let each day go; seconds, CPU, peak MB, rows."""
    spec = demo_city(vehicles=vehicles, days=days)
    began = time.perf_counter()
    rows = sum(table.num_rows for table in dimensions(spec, seed).values())
    for batch in generate(spec, seed):
        rows += sum(table.num_rows for table in batch.tables.values())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "seconds": round(time.perf_counter() - began, 2),
        "cpu_s": round(time.process_time(), 2),
        "peak_mb": round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1),
        "rows": rows,
        "vehicles": vehicles,
        "days": days,
    }


def _in_own_process(vehicles: int, days: int, seed: int) -> dict[str, float]:
    """A fresh process each, so that one run's peak is not the other's."""
    command = [
        sys.executable, __file__, "--seed", str(seed), "--one", str(vehicles), str(days),
    ]  # fmt: skip
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def _report(bar: str, value: float, limit: float, details: dict[str, float]) -> None:
    line = {"bar": bar, "value": value, "limit": limit, "better": "lower", "met": value <= limit}
    print(json.dumps(line | details), flush=True)


if __name__ == "__main__":
    main()
