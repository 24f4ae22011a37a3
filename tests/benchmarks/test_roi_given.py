"""What is given to the benchmark from elsewhere: what cannot be used is said in a sentence."""

from __future__ import annotations

import importlib
import json

import pandas as pd
import pytest

CELL = "sx0r4k5"


@pytest.fixture(scope="module")
def given():
    return importlib.import_module("_roi_given")


@pytest.fixture
def folder(tmp_path):
    """One vehicle, one trip and one task whose truth is known, in the fewest columns."""
    at = pd.to_datetime(["2026-06-01 06:00", "2026-06-03 20:00"])
    tables = {
        "events": {
            "event_id": ["e1", "e2"], "vehicle_id": "A", "event_at": at,
            "vehicle_state": "available", "event_types": ["provider_drop_off", "trip_end"],
            "lat": 40.63, "lon": 22.95, "battery_pct": [90.0, 80.0],
        },
        "trips": {
            "trip_id": ["t1"], "vehicle_id": "A", "started_at": at[1:] - pd.Timedelta("10min"),
            "ended_at": at[1:], "distance_m": 1000.0, "duration_s": 600.0, "inferred": False,
            "revenue": 3.0,
        },
        "tasks": {
            "task_id": ["k"], "operational": True, "cell_before": CELL, "battery_before_pct": None,
            "cell_after": CELL, "battery_after_pct": 100.0,
        },
        "truth": {"task_id": ["k"], "revenue_after": 3.0, "revenue_without": 1},
    }  # fmt: skip
    place = tmp_path / "elsewhere"
    place.mkdir()
    for name, columns in tables.items():
        pd.DataFrame(columns).to_parquet(place / f"{name}.parquet")
    return place


def test_what_is_given_comes_out_in_canonical_form(given, folder, tmp_path):
    work = given.canonical(folder, tmp_path / "work")
    events = pd.read_parquet(work / "events.parquet")
    assert events.cell.str.len().tolist() == [7, 7] and events.trip_id.isna().all()
    assert pd.read_parquet(work / "tasks.parquet").battery_before_pct.isna().all()
    assert pd.read_parquet(work / "truth.parquet").revenue_without.tolist() == [1.0]


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("events", lambda t: t.drop(columns="event_at"), "events.parquet lacks columns"),
        ("events", lambda t: t.iloc[:0], "events.parquet has no row"),
        ("trips", lambda t: t.assign(revenue="much"), "revenue has the wrong type"),
        ("tasks", lambda t: t.drop(columns="operational"), "tasks.parquet lacks operational"),
        ("tasks", lambda t: t.assign(cell_after=7), "cell_after must hold text"),
        ("tasks", lambda t: t.iloc[:0], "tasks.parquet has no row"),
        ("truth", lambda t: t.assign(revenue_after="3"), "revenue_after must hold numbers"),
        ("truth", lambda t: pd.concat([t, t]), "2 rows in truth.parquet, 1 in tasks.parquet"),
        ("truth", lambda t: t.assign(task_id="other"), "about other tasks"),
    ],
)
def test_tables_that_cannot_be_used_are_refused(given, folder, tmp_path, name, change, says):
    path = folder / f"{name}.parquet"
    change(pd.read_parquet(path)).to_parquet(path)
    with pytest.raises(SystemExit, match=says):
        given.canonical(folder, tmp_path / "work")


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("question.json", "{", "question.json cannot be read"),
        ("question.json", json.dumps({"horizon": 12}), "does not know horizon"),
        ("question.json", json.dumps({"timezone": "Mars/X"}), "timezone cannot be 'Mars/X'"),
        ("fleet_truth.json", json.dumps({"se": 1}), "lacks gain_per_task"),
    ],
)
def test_values_that_cannot_be_used_are_refused(given, folder, tmp_path, name, text, says):
    (folder / name).write_text(text)
    with pytest.raises(SystemExit, match=says):
        given.canonical(folder, tmp_path / "work")


@pytest.mark.parametrize("name", ["events", "trips", "tasks"])
def test_what_is_missing_is_named(given, folder, tmp_path, name):
    (folder / f"{name}.parquet").unlink()
    with pytest.raises(SystemExit, match=rf"{name}\.parquet.*docs/roi-benchmark\.md"):
        given.canonical(folder, tmp_path / "work")
