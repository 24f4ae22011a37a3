"""Pings lie where the vehicle is, a few metres off, and never come out of a van."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import numpy as np

from fleetdesk.features.cells import haversine
from fleetdesk.simulation.layout import ashore


def test_pings_scatter_by_some_metres_and_a_few_by_tens(town):
    pings = town.tables["telemetry"].slice(0, 40_000).to_pandas()
    standing = pings[pings.locked & (pings.speed_kmh == 0)]
    runs = standing.groupby(["vehicle_id", (standing.battery_pct / 4).round()])
    middle = runs[["lat", "lon"]].transform("median")
    off = haversine(standing.lat, standing.lon, middle.lat, middle.lon)
    good = standing.hdop.to_numpy() < 5
    assert 1 < np.median(off[good]) < 8
    assert np.median(off[~good]) > 8
    assert 0.003 < (~good).mean() < 0.03


def test_cadence_is_kept_and_riding_shows(town):
    last, gaps = {}, defaultdict(list)
    for row in town.batches[3].tables["telemetry"].to_pylist():
        vehicle = row["vehicle_id"]
        if vehicle in last:
            gaps[row["locked"]].append((row["recorded_at"] - last[vehicle]).total_seconds())
        last[vehicle] = row["recorded_at"]
        assert row["locked"] or row["speed_kmh"] >= 0
    assert np.percentile(gaps[True], 50) == town.spec.parked_ping_s
    assert np.percentile(gaps[True], 90) <= town.spec.parked_ping_s


def test_no_pings_from_vans_or_lost_vehicles(town):
    silent = defaultdict(list)
    history = defaultdict(list)
    for row in sorted(town.rows("events"), key=lambda row: row["event_at"]):
        history[row["vehicle_id"]].append(row)
    for vehicle, events in history.items():
        for a, b in pairwise(events):
            if a["vehicle_state"] in {"removed", "non_contactable", "missing"}:
                silent[vehicle].append((a["event_at"], b["event_at"]))
    pings = town.tables["telemetry"].to_pandas().groupby("vehicle_id").recorded_at
    checked = 0
    for vehicle, moments in pings:
        at = np.sort(moments.to_numpy())
        for since, until in silent[vehicle]:
            first, after = np.searchsorted(at, [np.datetime64(since), np.datetime64(until)])
            assert first == after
            checked += 1
    assert checked > 100


def test_a_stretch_over_midnight_goes_on_in_the_next_day(town):
    first, second = (town.batches[n].tables["telemetry"].to_pandas() for n in (4, 5))
    last = first.groupby("vehicle_id").recorded_at.max()
    begin = second.groupby("vehicle_id").recorded_at.min()
    gap = (begin - last).dropna().dt.total_seconds()
    assert (gap <= town.spec.parked_ping_s).mean() > 0.9


def test_riding_pings_stay_ashore(town):
    pings = town.tables["telemetry"].to_pandas()
    riding = pings[~pings.locked]
    assert np.abs(ashore(riding.lat.to_numpy(), riding.lon.to_numpy()) - riding.lon).max() < 1e-5
