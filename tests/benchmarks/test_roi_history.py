"""A history made elsewhere: what is held out, and that no estimator sees it."""

from __future__ import annotations

import importlib
import json

import pandas as pd
import pytest


@pytest.fixture(scope="module")
def history():
    return importlib.import_module("_roi_history")


def _event(number, vehicle, at, state, types, battery):
    return {
        "event_id": f"e{number}", "vehicle_id": vehicle, "event_at": pd.Timestamp(at),
        "vehicle_state": state, "event_types": types, "cell": "sx0r4j1", "battery_pct": battery,
    }  # fmt: skip


def _trip(vehicle, at, revenue):
    start = pd.Timestamp(at)
    return {
        "vehicle_id": vehicle, "started_at": start, "ended_at": start + pd.Timedelta("10min"),
        "revenue": revenue,
    }  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    """One vehicle from 1 June, swapped on the 4th at 18:00; the records end on the 5th at noon."""
    events = [
        _event(1, "A", "2026-06-01 06:00", "available", "provider_drop_off", 90.0),
        _event(2, "A", "2026-06-03 20:00", "available", "trip_end", 60.0),
        _event(3, "A", "2026-06-04 18:00", "available", "trip_end", 95.0),
        _event(4, "A", "2026-06-05 12:00", "available", "trip_end", 80.0),
    ]
    trips = [
        _trip("A", "2026-06-03 19:50", 2.0), _trip("A", "2026-06-04 09:00", 3.0),
        _trip("A", "2026-06-04 17:50", 5.0), _trip("A", "2026-06-04 20:00", 7.0),
    ]  # fmt: skip
    pd.DataFrame(events).to_parquet(tmp_path / "events.parquet")
    pd.DataFrame(trips).to_parquet(tmp_path / "trips.parquet")
    swaps = pd.to_datetime(["2026-06-03 11:00", "2026-06-04 17:00"])
    pd.DataFrame({"swapped_at": swaps}).to_parquet(tmp_path / "rider_swaps.parquet")
    return tmp_path


def test_the_end_is_held_out_of_what_may_be_learnt(history, folder, tmp_path):
    work = history.held_out(folder, tmp_path / "work", 6.0, days=2)
    records = work / "records"
    assert pd.read_parquet(records / "events.parquet").event_id.tolist() == ["e1"]
    assert pd.read_parquet(records / "trips.parquet").empty
    assert len(pd.read_parquet(records / "rider_swaps.parquet")) == 1
    assert json.loads((records / "question.json").read_text())["as_of"].startswith("2026-06-03T12")
    assert "earned" not in "".join(path.name for path in records.iterdir())


def test_a_state_earns_until_its_vehicle_is_served_or_the_horizon_ends(history, folder, tmp_path):
    work = history.held_out(folder, tmp_path / "work", 6.0, days=2)
    tasks = pd.read_parquet(work / "records" / "tasks.parquet")
    earned = pd.read_parquet(work / "earned.parquet").earned
    found = list(zip(tasks.start_at.astype(str), tasks.hours, earned, strict=True))
    # 3 June 12:00 + 24 h, 4 June 0:00 until the rise of charge is seen, and 12:00 likewise.
    assert found == [
        ("2026-06-03 12:00:00", 24.0, 5.0),
        ("2026-06-04 00:00:00", 18.0, 8.0),
        ("2026-06-04 12:00:00", 6.0, 5.0),
    ]
    assert tasks.battery_before_pct.tolist() == [90.0, 60.0, 60.0]


def test_a_truth_never_reaches_the_records(history, folder, tmp_path):
    truth = pd.DataFrame({"task_id": ["a"], "revenue_after": [1.0], "revenue_without": [0.0]})
    truth.to_parquet(folder / "truth.parquet")
    pd.DataFrame({"task_id": ["a"]}).to_parquet(folder / "tasks.parquet")
    work = history.with_truth(folder, tmp_path / "work", 6.0)
    assert (work / "truth.parquet").exists()
    kept = {path.name for path in (work / "records").iterdir()}
    tables = {f"{name}.parquet" for name in ("events", "trips", "rider_swaps", "tasks")}
    assert kept == tables | {"question.json"}


def test_a_short_history_is_refused(history, folder, tmp_path):
    with pytest.raises(SystemExit, match="choose fewer"):
        history.held_out(folder, tmp_path / "work", 6.0, days=9)
