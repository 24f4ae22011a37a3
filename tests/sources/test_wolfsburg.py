"""A real fleet's snapshots give exactly the reference counts, by two ways of computing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fleetdesk.features.sightings import facts
from fleetdesk.model.places import EARTH_RADIUS_M
from fleetdesk.settings.schema import Thresholds
from fleetdesk.sources.gbfs_snapshots import GbfsSnapshots
from fleetdesk.store.duckdb_store import DuckDbStore, open_store

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def reference(shared_data: Path) -> dict[str, Any]:
    path = shared_data / "gbfs" / "tier_wolfsburg_reference.json"
    values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return values


@pytest.fixture(scope="module")
def store(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    source = GbfsSnapshots(
        shared_data / "gbfs" / "tier_wolfsburg_2023-07-31_08-01.csv.gz",
        now=datetime(2024, 1, 1, tzinfo=UTC),
    )
    folder = tmp_path_factory.mktemp("wolfsburg") / "store"
    with open_store(folder, create=True) as opened:
        with opened.new_generation(source.name) as generation:
            for table, rows in source.read():
                generation.append(table, rows)
            generation.describe(source.report())
        yield opened


def test_the_features_reproduce_the_reference(store: DuckDbStore, reference: Any) -> None:
    thresholds = Thresholds(swap_rise_km=10, trip_move_m=150)
    (found,) = facts(store.tables()["sightings"], thresholds).to_pyarrow().to_pylist()
    assert found == {
        "rows": reference["rows"],
        "snapshots": reference["snapshots"],
        "vehicles": reference["vehicles"],
        "range_rises": reference["range_rises_ge_10km"],
        "rises_also_moved": reference["of_which_also_moved_over_150m"],
        "range_before_rise_p25_m": reference["range_before_rise_m"]["25"],
        "range_before_rise_p50_m": reference["range_before_rise_m"]["50"],
        "range_before_rise_p75_m": reference["range_before_rise_m"]["75"],
        "range_after_rise_p50_m": reference["range_after_rise_median_m"],
        "moves_without_rise": reference["moves_over_150m_without_rise"],
    }


def test_an_independent_computation_reproduces_it_too(store: DuckDbStore, reference: Any) -> None:
    frame = store.tables()["sightings"].to_pandas().sort_values(["vehicle_id", "seen_at"])
    after = frame[frame.vehicle_id == frame.vehicle_id.shift()]
    before = frame.shift().loc[after.index]
    east = np.radians(after.lon - before.lon)
    a, b = np.radians(before.lat.astype(float)), np.radians(after.lat)
    # Vincenty's form on the sphere: another road to the same distance than the haversine.
    moved_m = EARTH_RADIUS_M * np.arctan2(
        np.hypot(
            np.cos(b) * np.sin(east),
            np.cos(a) * np.sin(b) - np.sin(a) * np.cos(b) * np.cos(east),
        ),
        np.sin(a) * np.sin(b) + np.cos(a) * np.cos(b) * np.cos(east),
    )
    rose = after.range_m - before.range_m >= 10_000
    moved = moved_m > 150
    ranges = before.range_m.astype(float)[rose]
    assert {
        "rows": len(frame),
        "snapshots": frame.seen_at.nunique(),
        "vehicles": frame.vehicle_id.nunique(),
        "range_rises_ge_10km": int(rose.sum()),
        "of_which_also_moved_over_150m": int((rose & moved).sum()),
        "range_before_rise_m": {str(q): ranges.quantile(q / 100) for q in (25, 50, 75)},
        "range_after_rise_median_m": after.range_m[rose].median(),
        "moves_over_150m_without_rise": int((moved & ~rose).sum()),
    } == {key: value for key, value in reference.items() if key != "note"}


def test_the_report_tells_what_came_in(store: DuckDbStore, reference: Any) -> None:
    (record,) = store.imports()
    assert record.report is not None
    assert record.report.rows_in == record.report.rows_kept == reference["rows"]
    assert record.report.facts["snapshots"] == reference["snapshots"]
    assert record.report.facts["vehicles"] == reference["vehicles"]
    assert record.report.facts["full range of okai_escooter, m"] == 46000.0
    charge = store.tables()["sightings"].battery_pct
    assert charge.min().to_pyarrow().as_py() >= 0
    assert charge.max().to_pyarrow().as_py() == 100.0
