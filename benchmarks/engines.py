"""What the portable expressions cost beside DuckDB's own SQL, in how much memory, and at what size.

Prints one JSON line per figure. The records are made up first, in the mix of a real fleet;
the default takes some three minutes, `--huge 253e6` adds the run under 500 MB, a month at a time.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from _fleet_history import Size, write_history
from fleetdesk.features.cells import geohash_many

STEPS = ("ledger", "snapshot", "rates", "roi", "features")
KEYS = {
    "ledger": ("vehicle_id", "cycle_no"),
    "snapshot": ("vehicle_id",),
    "rates": ("cell", "local_weekday"),
    "roi": ("vehicle_id",),
    "features": ("cell", "local_weekday", "local_hour"),
}
ZONE = "Europe/Athens"
PRECISION = 6
SNAPSHOT = [
    "vehicle_id", "vehicle_state", "event_types", "lat", "lon", "battery_pct", "last_trip_at",
    "idle_h",
]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=float, default=25e6, help="pings of the main run")
    parser.add_argument("--days", type=int, default=90, help="days of the main run")
    parser.add_argument("--huge", type=float, default=0.0, help="pings of the run under 500 MB")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit-ratio", type=float, default=2.0)
    parser.add_argument("--limit-mb", type=float, default=1000.0)
    parser.add_argument("--limit-huge-mb", type=float, default=700.0)
    parser.add_argument("--limit-idle-s", type=float, default=2.0)
    parser.add_argument("--keep", type=Path, help="a folder to keep the records in, or find them")
    parser.add_argument("--one", nargs=3, metavar=("WAY", "STORE", "OUT"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        way, store, out = chosen.one
        print(json.dumps(WAYS[way](Path(store), Path(out))))
        return
    with tempfile.TemporaryDirectory(prefix="engines-") as temporary:
        folder = chosen.keep or Path(temporary)
        compare(chosen, folder, Path(temporary))
        grow(chosen, folder, Path(temporary))
        if chosen.huge:
            huge(chosen, folder, Path(temporary))


def compare(chosen: argparse.Namespace, folder: Path, out: Path) -> None:
    """Both ways over the same records, each in a process of its own."""
    store, counts = made_up(folder, Size.of(int(chosen.rows), chosen.days), chosen.seed)
    ours, sql = (own_process(way, store, out / way) for way in ("expressions", "sql"))
    for step in STEPS:
        differ(step, out / "expressions", out / "sql")
    ratio = round(ours["cpu_s"] / sql["cpu_s"], 2)
    details = {"counts": counts, "expressions": ours, "sql": sql}
    report("engines_cpu_ratio", ratio, chosen.limit_ratio, details)
    report("engines_peak_mb", ours["peak_mb"], chosen.limit_mb, {"rows": counts["telemetry"]})
    idle = own_process("import_without_news", store, out / "idle")
    report("import_without_news_s", idle["seconds"], chosen.limit_idle_s, idle)


def grow(chosen: argparse.Namespace, folder: Path, out: Path) -> None:
    """One more day must not cost more the more days there are: CPU per day, late against early."""
    once = Size.of(int(chosen.rows / 4), max(1, chosen.days // 4))
    cpu = []
    for size in (once, Size(once.vehicles, once.days * 2), Size(once.vehicles, once.days * 4)):
        store, _ = made_up(folder, size, chosen.seed)
        cpu.append(own_process("expressions", store, out / "growth")["cpu_s"])
    # What a process costs before it reads anything is no cost of days.
    ratio = round((cpu[2] - cpu[1]) / (2 * (cpu[1] - cpu[0])), 2)
    days = [once.days * times for times in (1, 2, 4)]
    report("engines_growth", ratio, 1.3, {"days": days, "cpu_s": cpu})


def huge(chosen: argparse.Namespace, folder: Path, out: Path) -> None:
    """Pings, a month at a time, under a limit that all of them would not fit in."""
    store, counts = made_up(folder, Size.of(int(chosen.huge), 365), chosen.seed)
    done = own_process("by_month", store, out / "huge")
    report("engines_huge_peak_mb", done["peak_mb"], chosen.limit_huge_mb, {**done, **counts})


def made_up(folder: Path, size: Size, seed: int) -> tuple[Path, dict[str, int]]:
    """The store with such records, made if it is not there, and its rows per table."""
    store = folder / f"{size.vehicles}-vehicles-{size.days}-days-seed-{seed}"
    told = store / "rows.json"
    if not told.exists():
        counts = write_history(store, size, seed)
        told.write_text(json.dumps(counts), encoding="utf-8")
    return store, json.loads(told.read_text(encoding="utf-8"))


def own_process(way: str, store: Path, out: Path) -> dict[str, Any]:
    """A fresh process each, so that one run's peak is not the other's."""
    out.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, __file__, "--one", way, str(store), str(out)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


# --- the two ways ---------------------------------------------------------------------------------


def by_expressions(folder: Path, out: Path) -> dict[str, Any]:
    """The steps as the program does them."""
    from fleetdesk.features.calendar import calendar
    from fleetdesk.features.cell_hours import cell_hours
    from fleetdesk.features.cycles import cycles, timeline
    from fleetdesk.features.trips import countable, priced
    from fleetdesk.features.vehicles import vehicles_now
    from fleetdesk.fleet.rate_sums import rate_sums, regions_of
    from fleetdesk.settings.schema import Settings
    from fleetdesk.store.open import open_any

    watch = Watch(out)
    with open_any("", folder) as store, ExitStack() as rows:
        tables = store.tables()
        first, end = store.data_window() or (None, None)
        events = tables["events"]
        trips = countable(priced(tables["trips"], Settings().costs))
        hours = calendar(first, end, ZONE)
        with watch("ledger"):
            told = rows.enter_context(timeline(events, end).cache())
            watch.keep(cycles(told, trips, end).to_pyarrow())
        with watch("snapshot"):
            now = vehicles_now(events, tables["telemetry"], tables["sightings"], trips, end)
            fleet = watch.keep(now.to_pyarrow().select(SNAPSHOT).sort_by("vehicle_id"))
        with watch("rates"):
            snapshots = rows.enter_context(cell_hours(told, trips, hours, end).cache())
            sums = {
                key: (part.revenue, part.hours, part.snapshots)
                for key, part in rate_sums(snapshots, PRECISION, net=False).items()
            }
            watch.keep(as_table(KEYS["rates"], sums))
        with watch("roi"):
            regions, _ = regions_of(trips, net=False)
            known = {name: (part.revenue_per_trip, part.trips) for name, part in regions.items()}
            watch.keep(worth(fleet, sums, known))
        with watch("features"):
            keyed = snapshots.group_by(*KEYS["features"])
            watch.keep(
                keyed.agg(
                    vehicle_hours=snapshots.count(), battery_pct=snapshots.battery_pct.mean()
                ).to_pyarrow()
            )
    return watch.told()


def by_sql(folder: Path, out: Path) -> dict[str, Any]:
    """The same steps in DuckDB's own SQL over the same files."""
    import duckdb

    import _fleet_sql as sql
    from fleetdesk.features.calendar import calendar
    from fleetdesk.fleet.rate_sums import REGION_SUPPORT_TRIPS
    from fleetdesk.model.mds import OBSERVED_ENDS
    from fleetdesk.settings.schema import Settings
    from fleetdesk.store.open import open_any

    with open_any("", folder) as store:
        first, end = store.data_window() or (None, None)
        generation = store.generation
    db = duckdb.connect(config={"threads": 1, "memory_limit": "1GB"})
    for table in ("events", "trips", "telemetry"):
        files = folder / "generations" / generation / table / "*.parquet"
        db.execute(f"CREATE VIEW {table} AS FROM read_parquet('{files}')")
    calendar_rows = calendar(first, end, ZONE).to_pyarrow()
    db.register("calendar_rows", calendar_rows)
    db.execute("CREATE TABLE calendar AS FROM calendar_rows")
    costs = Settings().costs
    prices = {
        "unlock": costs.unlock_price, "per_min": costs.price_per_min, "per_km": costs.price_per_km,
        "riding": costs.riding_speed_kmh, "per_trip": costs.cost_per_trip,
        "kept": 1.0 / (1.0 + costs.vat_pct / 100.0) - costs.payment_fee_pct / 100.0,
    }  # fmt: skip
    observed = ", ".join(f"'{cause.value}'" for cause in sorted(OBSERVED_ENDS))
    moment = {"data_end": end.replace(tzinfo=None)}

    def run(text: str) -> pa.Table:
        return db.execute(text, moment if "$data_end" in text else None).to_arrow_table()

    watch = Watch(out)
    with watch("ledger"):
        run(sql.TIMELINE)
        run(sql.PRICED.format(**prices))
        run(sql.LEDGER.format(observed=observed))
        watch.keep(run("FROM ledger"))
    with watch("snapshot"):
        fleet = watch.keep(run(sql.SNAPSHOT).select(SNAPSHOT))
    with watch("rates"):
        run(sql.HOURS)
        rows = run(sql.RATES.format(precision=PRECISION)).to_pylist()
        sums = {
            (row["cell"], row["local_weekday"]): (
                round(row["revenue"], 6), round(row["hours"], 6), float(row["snapshots"])
            )
            for row in rows
        }  # fmt: skip
        watch.keep(as_table(KEYS["rates"], sums))
    with watch("roi"):
        regions = run(sql.REGIONS).to_pylist()
        trips = sum(row["trips"] for row in regions)
        mean = sum(round(row["revenue"], 6) for row in regions) / trips
        k = REGION_SUPPORT_TRIPS
        known = {
            row["region"]: (
                (round(row["revenue"], 6) + k * mean) / (row["trips"] + k), float(row["trips"])
            )
            for row in regions
        }  # fmt: skip
        watch.keep(worth(fleet, sums, known))
    with watch("features"):
        watch.keep(run(sql.FEATURES))
    return watch.told()


def worth(fleet: pa.Table, sums: dict[Any, Any], regions: dict[str, Any]) -> pa.Table:
    """What each vehicle may earn in a day where it stands: its cell's rate, as far as it can go."""
    cells = geohash_many(fleet["lat"], fleet["lon"], PRECISION)
    battery = np.asarray(fleet["battery_pct"]).astype(float)
    earns, hours = (
        np.array([sum(sums.get((cell, day), (0.0, 0.0, 0.0))[part] for day in range(1, 8))
                  for cell in cells])
        for part in (0, 1)
    )  # fmt: skip
    per_trip = np.array([regions.get(cell[:5], (0.0, 0.0))[0] for cell in cells])
    free = 24.0 * np.divide(earns, hours, out=np.zeros(len(cells)), where=hours > 0)
    bound = np.maximum(battery - 10.0, 0.0) / 4.0 * per_trip
    return pa.table({"vehicle_id": fleet["vehicle_id"], "worth": np.minimum(free, bound)})


def by_month(folder: Path, out: Path) -> dict[str, Any]:
    """What reads the pings, a month at a time, in a store that may use 500 MB."""
    from fleetdesk.store.duckdb_store import open_store

    watch = Watch(out)
    with open_store(folder, memory_limit="500MB") as store, watch("months"):
        pings = store.tables()["telemetry"]
        first, end = store.data_window() or (None, None)
        edge, sums = first.replace(tzinfo=None), []
        while edge <= end.replace(tzinfo=None):
            later = edge + timedelta(days=30)
            month = pings.filter((pings.recorded_at >= edge) & (pings.recorded_at < later))
            day = month.recorded_at.truncate("D")
            found = month.group_by("vehicle_id", day=day).agg(
                pings=month.count(),
                battery_pct=month.battery_pct.min(),
                lat=month.lat.argmax(month.recorded_at),
                moving=(month.speed_kmh > 0).ifelse(1, 0).sum(),
            )
            sums.append(found.to_pyarrow())
            edge = later
        watch.keep(pa.concat_tables(sums))
    return watch.told()


def import_without_news(folder: Path, out: Path) -> dict[str, Any]:
    """Importing a file again that has not changed, into a workspace that has its rows."""
    from fleetdesk.store.open import open_any
    from fleetdesk.workflows.refresh import import_source
    from fleetdesk.workflows.workspace import NewWorkbook

    place = out / "records"
    place.mkdir()
    with open_any("", folder) as store:
        rows = store.tables()["events"].to_pyarrow()
    pq.write_table(rows, place / "events.parquet")
    seconds = []
    for _ in range(2):
        began = time.perf_counter()
        import_source("tables", str(place), out / "workspace", NewWorkbook())
        seconds.append(round(time.perf_counter() - began, 2))
    return {"seconds": seconds[1], "first_time_s": seconds[0], "rows": rows.num_rows}


WAYS: dict[str, Callable[[Path, Path], dict[str, Any]]] = {
    "expressions": by_expressions,
    "sql": by_sql,
    "by_month": by_month,
    "import_without_news": import_without_news,
}


class Watch:
    """CPU seconds per step, the results as files, and the most memory held."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._steps: dict[str, float] = {}
        self._step = ""
        self._began = time.perf_counter()

    @contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        """Time a step; what it `keep`s is written after it."""
        self._step, self._kept = step, None
        before = time.process_time()
        yield
        self._steps[step] = round(time.process_time() - before, 2)
        if self._kept is not None:
            pq.write_table(self._kept, self._out / f"{step}.parquet")

    def keep(self, table: pa.Table) -> pa.Table:
        """The step's result."""
        self._kept = table
        return table

    def told(self) -> dict[str, Any]:
        """The figures."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return {
            "cpu_s": round(sum(self._steps.values()), 2),
            "seconds": round(time.perf_counter() - self._began, 2),
            "steps_cpu_s": self._steps,
            "peak_mb": round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1),
        }


def as_table(keys: tuple[str, ...], sums: dict[Any, tuple[float, float, float]]) -> pa.Table:
    """Sums by key as rows."""
    rows = [
        dict(zip((*keys, "revenue", "hours", "snapshots"), (*key, *parts), strict=True))
        for key, parts in sums.items()
    ]
    return pa.Table.from_pylist(rows)


def differ(step: str, one: Path, other: Path) -> None:
    """Stop where the two ways do not give the same rows; floats within 1e-9."""
    keys = [(key, "ascending") for key in KEYS[step]]
    a, b = (pq.read_table(folder / f"{step}.parquet").sort_by(keys) for folder in (one, other))
    if a.schema.names != b.schema.names or a.num_rows != b.num_rows:
        raise SystemExit(
            f"{step}: {a.num_rows} rows {a.schema.names}, {b.num_rows} {b.schema.names}"
        )
    for name in a.schema.names:
        x, y = a[name].to_numpy(zero_copy_only=False), b[name].to_numpy(zero_copy_only=False)
        if x.dtype.kind == "f":
            np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-7, err_msg=f"{step}.{name}")
        elif not (pc.equal(a[name], b[name]).fill_null(True)).to_numpy(zero_copy_only=False).all():
            raise SystemExit(f"{step}.{name} differs")


def report(bar: str, value: float, limit: float, details: dict[str, Any]) -> None:
    line = {"bar": bar, "value": value, "limit": limit, "better": "lower", "met": value <= limit}
    print(json.dumps(line | details), flush=True)


if __name__ == "__main__":
    main()
