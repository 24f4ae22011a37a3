"""What the ledger costs where pings tell it: beside DuckDB's own SQL, in memory, and as it grows.

Prints one JSON line per figure. Each vehicle pings every five minutes; `--rows 26e6` is the full
size. "recorded": events are there and pings add to them; "alone": pings and trips are all there is.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import fields
from pathlib import Path
from typing import Any

import pyarrow as pa

from _fleet_history import Size
from engines import made_up, report

# Both passes over the pings as somebody would write them for DuckDB alone.
CHANGES = """
CREATE TEMP TABLE changes AS SELECT vehicle_id, recorded_at AS "at", battery_pct, lat, lon,
  lag(recorded_at) OVER v AS from_at, lag(battery_pct) OVER v AS from_pct
FROM telemetry WHERE battery_pct BETWEEN 0 AND 100 AND recorded_at < $data_end
WINDOW v AS (PARTITION BY vehicle_id ORDER BY recorded_at)
QUALIFY from_pct IS NULL OR battery_pct - from_pct >= 1
  OR battery_pct <= $usable AND from_pct > $usable
  OR battery_pct > $usable + 5 AND from_pct <= $usable + 5
"""
MOVES = """
CREATE TEMP TABLE moves AS
SELECT *, 2 * 6371008.8 * asin(sqrt(least(1, pow(sin(radians(lat - from_lat) / 2), 2)
    + cos(radians(lat)) * cos(radians(from_lat)) * pow(sin(radians(lon - from_lon) / 2), 2))))
  AS moved_m, (epoch_us("at") - epoch_us(from_at)) / 1e6 AS gap_s
FROM (
  SELECT vehicle_id, recorded_at AS "at", lat, lon, battery_pct, lag(recorded_at) OVER v AS from_at,
    lag(lat) OVER v AS from_lat, lag(lon) OVER v AS from_lon, lag(battery_pct) OVER v AS from_pct
  FROM telemetry WHERE recorded_at < $data_end
  WINDOW v AS (PARTITION BY vehicle_id ORDER BY recorded_at)
)
WHERE from_at IS NULL OR gap_s > 1800 OR moved_m > $move OR moved_m * 3.6 > 5 * gap_s
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=float, default=2.6e6, help="pings of the main run")
    parser.add_argument("--days", type=int, default=90, help="days of the main run")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit-ratio", type=float, default=1.5)
    parser.add_argument("--limit-mb", type=float, default=2500.0)
    parser.add_argument("--limit-growth", type=float, default=1.3)
    parser.add_argument("--keep", type=Path, help="a folder to keep the records in, or find them")
    parser.add_argument("--one", nargs=2, metavar=("WAY", "STORE"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        way, store = chosen.one
        print(json.dumps(by_sql(Path(store)) if way == "sql" else by_expressions(Path(store), way)))
        return
    with tempfile.TemporaryDirectory(prefix="telemetry-") as temporary:
        compare(chosen, chosen.keep or Path(temporary))


def compare(chosen: argparse.Namespace, folder: Path) -> None:
    """Each way at full size, and with half and a quarter of the days."""
    size = Size.of(int(chosen.rows), chosen.days)
    store, counts = made_up(folder, size, chosen.seed)
    sql = own_process("sql", store)
    for way in ("recorded", "alone"):
        ours = own_process(way, store)
        if way == "alone" and (ours["changes"], ours["moves"]) != (sql["changes"], sql["moves"]):
            raise SystemExit(f"the two ways differ: {ours} and {sql}")
        # SQL reads the pings in both passes; where events are recorded only one is needed.
        beside = sql["changes_cpu_s"] + (sql["moves_cpu_s"] if way == "alone" else 0.0)
        ratio = round(ours["pings_cpu_s"] / beside, 2)
        details = {"counts": counts, "expressions": ours, "sql": sql}
        report(f"telemetry_{way}_cpu_ratio", ratio, chosen.limit_ratio, details)
        report(f"telemetry_{way}_peak_mb", ours["peak_mb"], chosen.limit_mb, counts)
        days = [chosen.days // 4, chosen.days // 2, chosen.days]
        cpu = [
            own_process(way, made_up(folder, Size(size.vehicles, n), chosen.seed)[0])["cpu_s"]
            for n in days[:2]
        ] + [ours["cpu_s"]]
        early = (cpu[1] - cpu[0]) / (days[1] - days[0])
        growth = round((cpu[2] - cpu[1]) / (days[2] - days[1]) / early, 2)
        report(f"telemetry_{way}_growth", growth, chosen.limit_growth, {"days": days, "cpu_s": cpu})


def own_process(way: str, store: Path) -> dict[str, Any]:
    """A fresh process each, so that one run's peak is not the other's."""
    command = [sys.executable, __file__, "--one", way, str(store)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def by_expressions(folder: Path, way: str) -> dict[str, Any]:
    """As the program does it: read the pings, complete events and trips, make the ledger."""
    from fleetdesk.features.cycles import cycles
    from fleetdesk.features.telemetry_cycles import Pings, pings, with_telemetry
    from fleetdesk.features.trips import countable, priced
    from fleetdesk.settings.schema import Settings
    from fleetdesk.store.open import open_any

    settings, began = Settings(), time.perf_counter()
    with open_any("", folder) as store, ExitStack() as kept:
        tables, (_, end) = store.tables(), store.data_window() or (None, None)
        events = tables["events"]
        events = events.filter(events.vehicle_id == "") if way == "alone" else events
        before = time.process_time()
        read = pings(events, tables["telemetry"], settings.thresholds, end)
        parts = [getattr(read, part.name) for part in fields(read)]
        stored = Pings(*(kept.enter_context(part.cache()) for part in parts))
        pings_cpu_s = time.process_time() - before
        told = with_telemetry(events, tables["trips"], stored, settings.thresholds, end)
        events, trips = (kept.enter_context(t.cache()) for t in (told.events, told.trips))
        rows = cycles(events, countable(priced(trips, settings.costs)), end).to_pyarrow()
        cpu_s = time.process_time() - before
        changes, moves = (int(t.count().execute()) for t in (stored.changes, stored.moves))
    return {
        "cpu_s": round(cpu_s, 2), "pings_cpu_s": round(pings_cpu_s, 2), "cycles": rows.num_rows,
        "undeclared": pa.compute.sum(pa.compute.invert(rows["start_declared"])).as_py(),
        "changes": changes, "moves": moves, "seconds": round(time.perf_counter() - began, 2),
        "peak_mb": peak_mb(),
    }  # fmt: skip


def by_sql(folder: Path) -> dict[str, Any]:
    """The two passes over the pings in DuckDB's own SQL over the same files."""
    import duckdb

    from fleetdesk.settings.schema import Settings
    from fleetdesk.store.open import open_any

    with open_any("", folder) as store:
        (_, end), generation = store.data_window() or (None, None), store.generation
    db = duckdb.connect(config={"threads": 1, "memory_limit": "1GB"})
    files = folder / "generations" / generation / "telemetry" / "*.parquet"
    db.execute(f"CREATE VIEW telemetry AS FROM read_parquet('{files}')")
    limits, told = Settings().thresholds, {}
    data_end = end.replace(tzinfo=None)
    steps = (
        ("changes", CHANGES, {"usable": limits.usable_battery_pct}),
        ("moves", MOVES, {"move": limits.trip_move_m}),
    )
    for name, text, values in steps:
        before = time.process_time()
        db.execute(text, {"data_end": data_end, **values})
        told[f"{name}_cpu_s"] = round(time.process_time() - before, 2)
        told[name] = db.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
    return {**told, "peak_mb": peak_mb()}


def peak_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)


if __name__ == "__main__":
    main()
