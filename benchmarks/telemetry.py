"""What the ledger costs where pings tell it: beside DuckDB's own SQL, in memory, and as it grows.

"whole" goes on from the pings to the ledger, the rates by cell and what past tasks returned.

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
from engines import PRECISION, ZONE, made_up, report

TASK_COST = 2.0

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
    parser.add_argument("--whole", action="store_true", help="only ledger, rates and returns")
    parser.add_argument("--one", nargs=2, metavar=("WAY", "STORE"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        way, store = chosen.one
        ways = {"sql": by_sql, "whole": whole_by_expressions, "whole sql": whole_by_sql}
        done = ways[way](Path(store)) if way in ways else by_expressions(Path(store), way)
        print(json.dumps(done))
        return
    with tempfile.TemporaryDirectory(prefix="telemetry-") as temporary:
        compare(chosen, chosen.keep or Path(temporary))


def compare(chosen: argparse.Namespace, folder: Path) -> None:
    """Each way at full size, and with half and a quarter of the days."""
    size = Size.of(int(chosen.rows), chosen.days)
    store, counts = made_up(folder, size, chosen.seed)
    whole(chosen, folder, store, counts)
    if chosen.whole:
        return
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


def whole(chosen: argparse.Namespace, folder: Path, store: Path, counts: dict[str, int]) -> None:
    """From pings to returns, beside the same in SQL, and as the days grow."""
    size = Size.of(int(chosen.rows), chosen.days)
    ours, sql = (own_process(way, store) for way in ("whole", "whole sql"))
    told = ("tasks", "revenue", "returned")
    if any(abs(ours[name] - sql[name]) > 0.01 for name in told):
        raise SystemExit(f"the two ways differ: {ours} and {sql}")
    ratio = round(ours["cpu_s"] / sql["cpu_s"], 2)
    details = {"counts": counts, "expressions": ours, "sql": sql}
    report("telemetry_whole_cpu_ratio", ratio, chosen.limit_ratio, details)
    report("telemetry_whole_peak_mb", ours["peak_mb"], chosen.limit_mb, counts)
    days = [chosen.days // 4, chosen.days // 2, chosen.days]
    cpu = [
        own_process("whole", made_up(folder, Size(size.vehicles, n), chosen.seed)[0])["cpu_s"]
        for n in days[:2]
    ] + [ours["cpu_s"]]
    early = (cpu[1] - cpu[0]) / (days[1] - days[0])
    growth = round((cpu[2] - cpu[1]) / (days[2] - days[1]) / early, 2)
    report("telemetry_whole_growth", growth, chosen.limit_growth, {"days": days, "cpu_s": cpu})


def own_process(way: str, store: Path) -> dict[str, Any]:
    """A fresh process each, so that one run's peak is not the other's."""
    command = [sys.executable, __file__, "--one", way, str(store)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def by_expressions(folder: Path, way: str) -> dict[str, Any]:
    """As the program does it: read the pings, complete events and trips, make the ledger."""
    from fleetdesk.features.cycles import cycles, timeline
    from fleetdesk.features.telemetry_cycles import (
        Pings,
        pings,
        undeclared_swaps,
        with_telemetry,
    )
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
        swapped = kept.enter_context(undeclared_swaps(events, stored.changes, end).cache())
        told = with_telemetry(events, tables["trips"], stored, swapped, settings.thresholds, end)
        events, trips = (kept.enter_context(t.cache()) for t in (told.events, told.trips))
        rows = cycles(
            timeline(events, end), countable(priced(trips, settings.costs)), end
        ).to_pyarrow()
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


def whole_by_expressions(folder: Path) -> dict[str, Any]:
    """As a run reads them: ledger from pings and events, rates, and each past task's return."""
    from fleetdesk.features.calendar import calendar
    from fleetdesk.features.cell_hours import cell_hours
    from fleetdesk.features.cycles import cycles, timeline
    from fleetdesk.features.trips import countable, priced
    from fleetdesk.features.visits import visits
    from fleetdesk.fleet.rate_sums import rate_sums
    from fleetdesk.settings.schema import Settings
    from fleetdesk.store.open import open_any
    from fleetdesk.workflows.known import with_pings

    settings = Settings()
    with open_any("", folder) as store:
        tables, (first, end) = store.tables(), store.data_window()
        days = (end - first).days + 1
        city = settings.city.model_copy(update={"window_days": days})
        settings = settings.model_copy(update={"city": city})
        before = time.process_time()
        told = with_pings(tables, settings, end)
        events, trips = told["events"], told["trips"]
        trips = countable(priced(trips, settings.costs))
        hours = calendar(first, end, ZONE)
        past = timeline(events, end).cache()
        sums = rate_sums(cell_hours(past, trips, hours, end), PRECISION, net=False)
        ledger = cycles(past, trips, end).cache()
        done = visits(ledger, trips, end, settings.thresholds.horizon_h)
        done = done.filter(done.settled).to_pyarrow()
        rates: dict[str, list[float]] = {}
        for (cell, _), part in sums.items():
            total = rates.setdefault(cell, [0.0, 0.0])
            total[0], total[1] = total[0] + part.revenue, total[1] + part.hours
        returns = returned(done, rates, settings.thresholds.horizon_h)
        cpu_s = time.process_time() - before
    return {
        "cpu_s": round(cpu_s, 2), "tasks": done.num_rows, "cells": len(rates),
        "revenue": round(pa.compute.sum(done["revenue"]).as_py(), 2),
        "returned": round(returns, 2), "peak_mb": peak_mb(),
    }  # fmt: skip


def whole_by_sql(folder: Path) -> dict[str, Any]:
    """The same in DuckDB's own SQL; the events say all there is, so the pings are read in vain."""
    import duckdb

    import _fleet_sql as sql
    from fleetdesk.features.calendar import calendar
    from fleetdesk.model.mds import OBSERVED_ENDS
    from fleetdesk.settings.schema import Settings
    from fleetdesk.store.open import open_any

    with open_any("", folder) as store:
        (first, end), generation = store.data_window() or (None, None), store.generation
    db = duckdb.connect(config={"threads": 1, "memory_limit": "1GB"})
    for table in ("events", "trips", "telemetry"):
        files = folder / "generations" / generation / table / "*.parquet"
        db.execute(f"CREATE VIEW {table} AS FROM read_parquet('{files}')")
    hours = calendar(first, end, ZONE).to_pyarrow()
    db.register("calendar_rows", hours)
    db.execute("CREATE TABLE calendar AS FROM calendar_rows")
    limits, costs = Settings().thresholds, Settings().costs
    prices = {
        "unlock": costs.unlock_price, "per_min": costs.price_per_min, "per_km": costs.price_per_km,
        "riding": costs.riding_speed_kmh, "per_trip": costs.cost_per_trip,
        "kept": 1.0 / (1.0 + costs.vat_pct / 100.0) - costs.payment_fee_pct / 100.0,
    }  # fmt: skip
    observed = ", ".join(f"'{cause.value}'" for cause in sorted(OBSERVED_ENDS))
    at = {"data_end": end.replace(tzinfo=None)}
    before = time.process_time()
    db.execute(CHANGES, {**at, "usable": limits.usable_battery_pct})
    db.execute(sql.TIMELINE, at)
    db.execute(sql.PRICED.format(**prices), at)
    db.execute(sql.LEDGER.format(observed=observed), at)
    db.execute(sql.HOURS)
    horizon = f"{limits.horizon_h:g}"
    db.execute(sql.VISITS.format(horizon=horizon), at)
    text = sql.RETURNS.format(horizon=horizon, precision=PRECISION, cost=TASK_COST)
    tasks, revenue, returns = db.execute(text).fetchone()
    cpu_s = time.process_time() - before
    cells = db.execute(f"SELECT count(DISTINCT left(cell, {PRECISION})) FROM hours").fetchone()[0]
    return {
        "cpu_s": round(cpu_s, 2), "tasks": tasks, "cells": cells, "revenue": round(revenue, 2),
        "returned": round(returns, 2), "peak_mb": peak_mb(),
    }  # fmt: skip


def returned(done: pa.Table, rates: dict[str, list[float]], horizon_h: float) -> float:
    """What all tasks returned: less what their cells' rates would have brought, less the cost."""
    total = 0.0
    columns = (done[name].to_pylist() for name in ("revenue", "cell_before", "rentable_before"))
    for revenue, cell, rentable in zip(*columns, strict=True):
        money, hours = rates.get(cell[:PRECISION], (0.0, 1.0))
        total += revenue - (horizon_h * money / hours if rentable else 0.0) - TASK_COST
    return total


def peak_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)


if __name__ == "__main__":
    main()
