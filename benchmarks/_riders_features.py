"""A million riders on one computer: their features, and their chances by a model that was learnt.

The records are made up inside the engine; each step runs in a process of its own.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from _bar import bar

RIDERS, TRIPS, VEHICLES = 1_000_000, 8_000_000, 20_000
AT = datetime(2026, 6, 1, tzinfo=UTC)
MADE = {
    "riders": f"""SELECT 'r' || i AS rider_id, TIMESTAMP '2026-05-31' - INTERVAL 1 DAY
        * (hash(i) % 700) AS signed_up_at, 'app' AS channel, '25-34' AS age_group,
        true AS consent, (hash(i + 1) % 3)::BIGINT AS referrals FROM range({RIDERS}) t(i)""",
    "trips": f"""SELECT 't' || i AS trip_id, 'v' || hash(i + 2) % {VEHICLES} AS vehicle_id,
        'r' || hash(i + 3) % {RIDERS} AS rider_id, started_at,
        started_at + INTERVAL 10 MINUTE AS ended_at, NULL::DOUBLE AS start_lat,
        NULL::DOUBLE AS start_lon, NULL::DOUBLE AS end_lat, NULL::DOUBLE AS end_lon,
        NULL::VARCHAR AS start_cell, NULL::VARCHAR AS end_cell,
        500.0 + hash(i + 4) % 5000 AS distance_m, 600.0 AS duration_s,
        80.0 AS start_battery_pct, 75.0 AS end_battery_pct, 2.5 AS revenue, false AS inferred
        FROM (SELECT i, TIMESTAMP '2026-05-31 23:00' - INTERVAL 1 SECOND
        * (hash(i) % 7700000) AS started_at FROM range({TRIPS}) t(i))""",
    "vehicles": f"""SELECT 'v' || i AS vehicle_id, 'scooter' AS vehicle_type,
        40000.0 AS full_range_m, 500.0 AS battery_capacity_wh,
        TIMESTAMP '2025-01-01' AS first_seen_at FROM range({VEHICLES}) t(i)""",
    "subscriptions": f"""SELECT 's' || i AS subscription_id, 'r' || i * 3 AS rider_id,
        'Light' AS package, TIMESTAMP '2026-05-01' - INTERVAL 1 DAY * (hash(i) % 300) AS started_at,
        NULL::TIMESTAMP AS ended_at, NULL::VARCHAR AS end_cause FROM range({RIDERS // 3}) t(i)""",
    "payments": f"""SELECT 'p' || i AS payment_id, 'r' || (i % {RIDERS // 3}) * 3 AS rider_id,
        due_at, due_at + INTERVAL 1 HOUR AS paid_at, 9.9 AS amount, 'package' AS payment_kind
        FROM (SELECT i, TIMESTAMP '2026-05-31' - INTERVAL 1 DAY * (hash(i) % 88) AS due_at
        FROM range({RIDERS}) t(i))""",
    "rider_swaps": f"""SELECT 'w' || i AS swap_id, 'r' || hash(i) % {RIDERS} AS rider_id,
        'v1' AS vehicle_id, TIMESTAMP '2026-05-31' - INTERVAL 1 DAY * (hash(i + 1) % 88)
        AS swapped_at, 'p1' AS parking_id, 60.0 AS wait_s, 20.0 AS battery_before_pct,
        90.0 AS battery_after_pct FROM range({RIDERS}) t(i)""",
    "complaints": f"""SELECT 'c' || i AS complaint_id, 'r' || hash(i) % {RIDERS} AS rider_id,
        'v1' AS vehicle_id, TIMESTAMP '2026-05-31' - INTERVAL 1 DAY * (hash(i + 1) % 88)
        AS filed_at, 'brakes' AS topic, NULL::TIMESTAMP AS resolved_at
        FROM range({RIDERS // 20}) t(i)""",
    "events": f"""SELECT 'e' || i AS event_id, 'v' || i % {VEHICLES} AS vehicle_id,
        TIMESTAMP '2026-05-31' - INTERVAL 1 HOUR * (hash(i) % 2100) AS event_at,
        CASE WHEN hash(i + 1) % 9 = 0 THEN 'non_operational' ELSE 'available' END AS vehicle_state,
        CASE WHEN hash(i + 1) % 9 = 0 THEN 'maintenance' ELSE 'trip_end' END AS event_types,
        40.0 AS lat, 22.0 AS lon, 'sx0r4m1' AS cell, 50.0 AS battery_pct,
        NULL::VARCHAR AS trip_id FROM range({VEHICLES * 50}) t(i)""",
}


def figures(_data: Path, _seed: int) -> Iterator[dict[str, Any]]:
    """JSON lines; needs no data and some 2 GB of room in the temporary folder."""
    with tempfile.TemporaryDirectory(prefix="riders-") as folder:
        _own_process("make", folder)
        found = _own_process("features", folder)
        told = {"riders": found["rows"], "trips": TRIPS}
        cpu = found["cpu_s"]
        yield bar("features_1m_s", found["seconds"], 60.0, "lower", cpu_s=cpu, **told)
        yield bar("features_1m_peak_mb", found["peak_mb"], 3000.0, "lower", **told)
        scored = _own_process("score", folder)
        cpu = scored["cpu_s"]
        yield bar("scoring_1m_s", scored["seconds"], 60.0, "lower", cpu_s=cpu, **told)


def _own_process(step: str, folder: str) -> dict[str, Any]:
    command = [sys.executable, __file__, step, folder]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def make(folder: Path) -> dict[str, Any]:
    """The tables as Parquet files."""
    import duckdb

    db = duckdb.connect(config={"memory_limit": "2GB", "temp_directory": str(folder / "spill")})
    for name, query in MADE.items():
        db.execute(f"COPY ({query}) TO '{folder / name}.parquet' (FORMAT parquet)")
    return {}


def features(folder: Path) -> dict[str, Any]:
    """The features of every rider, into a Parquet file."""
    import ibis

    from fleetdesk.features.riders import riders_at
    from fleetdesk.settings.schema import Settings

    spill = str(folder / "spill")
    db = ibis.duckdb.connect(
        memory_limit="2GB", temp_directory=spill, preserve_insertion_order=False
    )
    tables = {name: db.read_parquet(folder / f"{name}.parquet") for name in MADE}
    began = time.perf_counter()
    rows = riders_at(tables, AT, Settings())
    rows.to_parquet(folder / "features.parquet")
    return {
        "seconds": round(time.perf_counter() - began, 1),
        "cpu_s": round(time.process_time(), 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "rows": int(db.read_parquet(folder / "features.parquet").count().execute()),
    }


def score(folder: Path) -> dict[str, Any]:
    """Everyone's chance by a model learnt from a part of them, in pieces."""
    import pyarrow.parquet as pq

    from fleetdesk.riders.churn import BOOSTING, train

    file = pq.ParquetFile(folder / "features.parquet")
    pieces = file.iter_batches(100_000)
    first = next(pieces).to_pandas()
    learn = first.head(20_000)
    left = np.random.default_rng(1).random(len(learn)) < np.where(learn["trips_30d"] > 2, 0.1, 0.4)
    model = train(learn, left, BOOSTING, 1)
    began, before = time.perf_counter(), time.process_time()
    rows = len(model.chances(first))
    for piece in pieces:
        rows += len(model.chances(piece.to_pandas()))
    return {
        "seconds": round(time.perf_counter() - began, 1),
        "cpu_s": round(time.process_time() - before, 1),
        "rows": rows,
    }


if __name__ == "__main__":
    steps = {"make": make, "features": features, "score": score}
    print(json.dumps(steps[sys.argv[1]](Path(sys.argv[2]))))
