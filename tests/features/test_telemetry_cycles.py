"""The ledger from pings: alone, and beside events that do not tell all."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

import ibis
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.features.conftest import T0, build

from fleetdesk.features.cell_expressions import geohash_of
from fleetdesk.features.cells import geohash_many
from fleetdesk.features.cycles import cycles, timeline
from fleetdesk.features.telemetry_cycles import (
    Pings,
    Told,
    pings,
    undeclared_swaps,
    with_telemetry,
)
from fleetdesk.features.trips import countable, priced
from fleetdesk.settings.schema import Costs, Thresholds

END = datetime(2024, 6, 5, tzinfo=UTC)  # 48 hours after T0
AVAILABLE, DROP = "available", "provider_drop_off"
HERE, THERE = (40.0, 22.0), (40.02, 22.0)  # 2.2 km apart


def stays(*lives: tuple, vehicle: str = "v", every_h: float = 1 / 12) -> list[dict[str, Any]]:
    """Pings of stays (from_h, to_h, battery at the start, at the end, place), `to_h` left out."""
    rows = []
    for start, end, first, last, *place in lives:
        lat, lon = place[0] if place else HERE
        for at in np.arange(start, end - 1e-9, every_h):
            share = (at - start) / (end - start)
            battery = None if first is None else first + (last - first) * share
            rows.append(
                {
                    "vehicle_id": vehicle, "recorded_at": T0 + timedelta(hours=float(at)),
                    "lat": lat, "lon": lon, "battery_pct": battery,
                }
            )  # fmt: skip
    return rows


@pytest.fixture(scope="session")
def told(table, history):
    def make(telemetry, events=(), trips=(), **limits):
        event_table, trip_table = history(list(events), list(trips))
        thresholds = Thresholds(**limits)
        read = pings(event_table, table("telemetry", telemetry), thresholds, END)
        stored = Pings(*(keep(getattr(read, field.name)) for field in fields(read)))
        swapped = keep(undeclared_swaps(event_table, stored.changes, END))
        found = with_telemetry(event_table, trip_table, stored, swapped, thresholds, END)
        return Told(keep(found.events), keep(found.trips))

    engine = ibis.duckdb.connect()
    engine.raw_sql("SET threads = 1")

    def keep(expression):
        return ibis.memtable(engine.to_pyarrow(expression))

    return make


@pytest.fixture(scope="session")
def ledger(told, run):
    def make(*args, **limits):
        found = told(*args, **limits)
        rows = run(
            cycles(timeline(found.events, END), countable(priced(found.trips, Costs())), END)
        )
        return sorted(rows, key=lambda row: (row["vehicle_id"], row["cycle_no"]))

    return make


def test_the_expression_gives_the_same_cells_as_the_numbers(run, table):
    chance = np.random.default_rng(1)
    lat, lon = chance.uniform(-90, 90, 500), chance.uniform(-180, 180, 500)
    lat[:4], lon[:4] = (90, -90, 0, 40.64), (180, -180, 0, 22.94)
    rows = table(
        "telemetry",
        [
            {"vehicle_id": str(n), "lat": float(a), "lon": float(b)}
            for n, (a, b) in enumerate(zip(lat, lon, strict=True))
        ],
    )
    found = run(rows.select("vehicle_id", cell=geohash_of(rows.lat, rows.lon)))
    cells = {int(row["vehicle_id"]): row["cell"] for row in found}
    assert [cells[n] for n in range(500)] == geohash_many(lat, lon, 7).tolist()


def test_pings_alone_a_swap_and_a_battery_that_runs_out(ledger):
    first, second = ledger(
        stays((0, 10, 80, 40), (10, 30, 95, 10), (30, 48, 10, 5)), usable_battery_pct=10
    )
    assert (first["start_cause"], first["start_observed"]) == ("first seen", False)
    assert (first["end_cause"], first["end_declared"]) == ("swapped", False)
    assert first["operational_h"] == pytest.approx(10)
    assert (first["entry_battery_pct"], second["entry_battery_pct"]) == (80, 95)
    assert first["exit_battery_pct"] == pytest.approx(40, abs=1)
    assert (second["start_cause"], second["start_declared"]) == ("swap", False)
    assert (second["end_cause"], second["event_observed"]) == ("battery_low", True)
    assert second["operational_h"] == pytest.approx(20, abs=0.1)
    assert second["pending_h"] == pytest.approx(18, abs=0.1)


def test_silence_is_censored_and_the_age_goes_on(ledger):
    rows = ledger(stays((0, 10, 90, 80), (15, 20, 78, 70)))
    assert [row["end_cause"] for row in rows] == ["comms_lost", "comms_lost"]
    assert not any(row["event_observed"] for row in rows)
    assert [row["operational_h"] for row in rows] == pytest.approx([10, 5], abs=0.2)
    assert rows[1]["entry_age_h"] == pytest.approx(rows[0]["operational_h"])


def test_a_gauge_around_the_limit_does_not_end_the_cycle_again_and_again(ledger):
    noisy = [(h / 2, h / 2 + 0.5, 10 + (h % 2) * 3, 10 + (h % 2) * 3) for h in range(20, 90)]
    rows = ledger(stays((0, 10, 60, 12), *noisy))
    assert [row["end_cause"] for row in rows] == ["battery_low"]


def test_a_slow_charge_at_a_cable_is_one_service(ledger):
    rows = ledger(stays((0, 5, 60, 30), (5, 9, 30, 98), (9, 48, 98, 60)))
    assert [row["start_cause"] for row in rows] == ["first seen", "swap"]
    assert rows[1]["started_at"] == T0 + timedelta(hours=9)


def test_vehicles_without_a_gauge_operate_while_they_report(ledger):
    (row,) = ledger(stays((0, 48, None, None)))
    assert (row["end_cause"], row["operational_h"]) == ("end_of_data", 48)
    assert row["entry_battery_pct"] is None


def test_a_cycle_that_still_runs_ends_with_the_charge_of_its_last_ping(ledger):
    *_, row = ledger(stays((0, 10, 80, 40), (10, 48, 95, 57)))
    assert row["end_cause"] == "end_of_data"
    assert row["exit_battery_pct"] == pytest.approx(57, abs=0.5)
    assert row["battery_used_pct"] == pytest.approx(38, abs=0.5)


def test_moves_are_rides_and_a_move_in_silence_is_kept_apart(told, ledger, run):
    rows = stays((0, 5, 90, 80), (5, 10, 75, 70, THERE), (12, 48, 60, 50))
    found = sorted(run(told(rows).trips), key=lambda row: row["started_at"])
    assert [row["trip_id"].split(":")[0] for row in found] == ["trip", "gap"]
    assert found[0]["distance_m"] == pytest.approx(2224, abs=5)
    assert (found[0]["inferred"], found[0]["revenue"]) == (True, None)
    cells = geohash_many([HERE[0], THERE[0]], [HERE[1], THERE[1]], 7).tolist()
    assert [found[0]["start_cell"], found[0]["end_cell"]] == cells
    assert [row["trips"] for row in ledger(rows)] == [1, 0]


def test_a_ride_over_many_pings_is_one_and_one_with_a_new_battery_is_a_vans(told, run):
    way = [(5 + n / 60, 5 + (n + 1) / 60, 80, 80, (40 + n * 0.002, 22.0)) for n in range(10)]
    rows = stays((0, 5, 81, 81), *way, (6, 9, 79, 79, (40.018, 22.0)), every_h=1 / 60)
    (ride,) = run(told(rows).trips)
    assert ride["distance_m"] == pytest.approx(2001, abs=5)
    assert run(told(stays((0, 5, 20, 18), (5, 9, 97, 96, THERE))).trips) == []


def test_recorded_trips_are_taken_before_moves(ledger, told, run):
    rows = stays((0, 5, 90, 80), (5, 48, 75, 20, THERE))
    trips = [(4.95, 5.1, 3.0), (20, 20.5, 4.0)]
    assert len(run(told(rows, trips=trips).trips)) == 2
    (row,) = ledger(rows, (), trips)
    assert (row["trips"], row["revenue"]) == (2, 7.0)
    states = {e["vehicle_state"] for e in run(told(rows, trips=trips).events)}
    assert states == {"available", "on_trip"}


def test_pings_add_the_swap_that_no_event_tells(ledger):
    events = [
        (0, AVAILABLE, DROP, 60.0),
        (20, "on_trip", "trip_start"),
        (21, AVAILABLE, "trip_end"),
    ]
    rows = ledger(stays((0, 10, 60, 20), (10, 48, 95, 50)), events)
    assert [row["start_cause"] for row in rows] == ["drop-off", "swap"]
    assert [row["end_cause"] for row in rows] == ["swapped", "end_of_data"]
    assert [row["end_declared"] for row in rows] == [False, True]
    assert rows[0]["exit_battery_pct"] == pytest.approx(20, abs=0.5)
    assert rows[1]["entry_battery_pct"] == 95
    assert rows[0]["operational_h"] == pytest.approx(10)


@pytest.mark.parametrize(
    "events",
    [
        [(0, AVAILABLE, DROP, 60.0), (9.97, AVAILABLE, "battery_charged")],
        [(0, AVAILABLE, DROP), (9.97, AVAILABLE, "battery_charged", 95.0)],
        [(0, AVAILABLE, DROP), (9.97, "on_trip", "trip_start", 95.0)],
        [(0, AVAILABLE, DROP), (9.93, "removed", "maintenance_pick_up"), (9.98, AVAILABLE, DROP)],
    ],
)
def test_a_swap_that_an_event_tells_is_not_told_again(ledger, events):
    assert len(ledger(stays((0, 10, 60, 20), (10, 48, 95, 50)), events)) == 2


def test_a_service_that_tells_its_charge_needs_no_ping(told):
    events = [
        (0, AVAILABLE, DROP, 60.0), (8, "non_operational", "battery_low", 8.0),
        (9, "removed", "maintenance_pick_up", 8.0), (12, AVAILABLE, DROP, 95.0),
    ]  # fmt: skip
    seen = stays((0, 12.02, 60, 8), (12.05, 48, 95, 50))
    assert told(seen, events).events.count().execute() == len(events)
    silent = [*events[:-1], (12, AVAILABLE, DROP)]
    late = stays((0, 11.9, 60, 8), (13, 48, 95, 50))
    assert told(late, silent).events.count().execute() == len(events) + 1


def test_a_charge_in_a_van_or_while_waiting_is_the_crews(ledger):
    events = [
        (0, AVAILABLE, DROP), (8, "non_operational", "battery_low"),
        (9, "removed", "maintenance_pick_up"), (12, AVAILABLE, DROP),
    ]  # fmt: skip
    rows = ledger(stays((0, 10, 60, 8), (10, 48, 95, 50)), events)
    assert [row["end_cause"] for row in rows] == ["battery_low", "end_of_data"]
    assert [row["start_cause"] for row in rows] == ["drop-off", "maintenance"]


def test_pings_give_the_charge_at_entry_and_exit(ledger):
    events = [(0.5, AVAILABLE, DROP), (10, "non_operational", "maintenance")]
    (row,) = ledger(stays((0, 0.45, 20, 20), (0.55, 11, 95, 40)), events)
    assert row["entry_battery_pct"] == pytest.approx(95)
    assert row["exit_battery_pct"] == pytest.approx(45, abs=1)
    (row,) = ledger(stays((0, 0.1, 20, 20), (1, 9, 95, 40)), events)
    assert (row["entry_battery_pct"], row["exit_battery_pct"]) == (None, None)


def test_impossible_charges_are_not_looked_at(ledger):
    rows = stays((0, 48, 80, 60))
    rows[100]["battery_pct"], rows[200]["battery_pct"] = -5.0, 255.0
    assert len(ledger(rows)) == 1
    assert len(ledger(rows, [(0, AVAILABLE, DROP)])) == 1


def test_nothing_in_typed_nothing_out(told, run):
    found = told([])
    assert run(found.events) == [] and run(found.trips) == []
    empty = build("events", []).schema
    assert found.events.schema().to_pyarrow().names == empty.names


STAYS = st.lists(
    st.tuples(st.integers(1, 12), st.integers(0, 4), st.integers(0, 100), st.booleans()),
    min_size=1,
    max_size=6,
)


@settings(max_examples=3, deadline=None)
@given(st.dictionaries(st.sampled_from("abc"), STAYS, min_size=1))
def test_all_hours_in_contact_are_somewhere_once(told, run, lives):
    """From a vehicle's first ping to the end, each hour is in one phase of one cycle or before."""
    rows = []
    for vehicle, life in lives.items():
        at = 0.0
        for hours, pause, battery, there in life:
            place = THERE if there else HERE
            rows += stays(
                (at, at + hours, battery, battery * 0.9, place), vehicle=vehicle, every_h=0.25
            )
            at += hours + pause
    rows = [row for row in rows if row["recorded_at"] < T0 + timedelta(hours=48)]
    found = told(rows)
    events = run(found.events)
    assert len({event["event_id"] for event in events}) == len(events)
    ledger = run(cycles(timeline(found.events, END), priced(found.trips, Costs()), END))
    for vehicle in {row["vehicle_id"] for row in ledger}:
        mine = [row for row in ledger if row["vehicle_id"] == vehicle]
        parts = ("operational_h", "pending_h", "task_h", "paused_h")
        since = END.replace(tzinfo=None) - min(row["started_at"] for row in mine)
        total = sum(row[part] for row in mine for part in parts)
        assert total == pytest.approx(since.total_seconds() / 3600)
        assert all(row["entry_battery_pct"] is None or row["operational_h"] >= 0 for row in mine)
