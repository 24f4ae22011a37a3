from __future__ import annotations

import csv
import gzip
import json
from datetime import UTC, datetime, timedelta

import ibis
import pyarrow as pa
import pytest

from fleetdesk.features.cells import geohash_many
from fleetdesk.features.cycles import cycles, timeline
from fleetdesk.features.sightings import facts, inferred_events, inferred_trips, steps
from fleetdesk.features.trips import countable, priced
from fleetdesk.model.fleet import ONCE
from fleetdesk.model.tables import EVENTS, TRIPS
from fleetdesk.settings.schema import Settings, Thresholds

T0 = datetime(2024, 6, 3)
FAR = 0.01  # degrees of latitude, about 1,112 m
SETTINGS = Settings()


@pytest.fixture
def feed(table):
    """`feed(rows)` -> SIGHTINGS from (vehicle, minute, degrees north of 40, range km)."""

    def make(rows, **flags):
        return table(
            "sightings",
            [
                {
                    "vehicle_id": vehicle,
                    "seen_at": T0 + timedelta(minutes=minute),
                    "lat": 40.0 + north,
                    "lon": 22.0,
                    "cell": f"{vehicle}{north:.2f}",
                    "range_m": None if km is None else km * 1000.0,
                    **flags.get(f"{vehicle}{minute}", {}),
                }
                for vehicle, minute, north, km in rows
            ],
        )

    return make


@pytest.fixture
def heartbeat():
    """A vehicle that never moves and is in every snapshot: five-minute ones from 0 to 60."""
    return [("h", minute, 0.0, 30) for minute in range(0, 65, 5)]


def events_of(run, sightings, vehicle):
    rows = run(inferred_events(sightings, SETTINGS).order_by("event_at", "event_id"))
    return [
        (int((row["event_at"] - T0) / timedelta(minutes=1)), row["vehicle_state"],
         row["event_types"], row["cell"])
        for row in rows
        if row["vehicle_id"] == vehicle
    ]  # fmt: skip


def test_a_step_is_two_consecutive_sightings_of_one_vehicle(feed, run):
    rows = [("a", 0, 0.0, 30), ("b", 0, 0.0, 9), ("a", 10, FAR, 28), ("a", 15, FAR, None)]
    first, second = run(steps(feed(rows)).order_by("seen_at"))
    assert first["gap_s"] == 600
    assert first["moved_m"] == pytest.approx(1111.95, abs=0.01)
    assert first["rise_m"] == -2000
    assert (first["from_cell"], first["to_cell"]) == ("a0.00", "a0.01")
    assert not first["feed_gap"]
    assert second["rise_m"] is None


def test_a_feed_gap_is_the_feeds_and_not_the_vehicles(feed, run, heartbeat):
    absent = feed([*heartbeat, ("a", 0, 0.0, 30), ("a", 60, 0.0, 30)])
    assert [row["feed_gap"] for row in run(steps(absent)) if row["vehicle_id"] == "a"] == [False]
    silent = feed([("a", 0, 0.0, 30), ("a", 5, 0.0, 30), ("a", 60, 0.0, 30)])
    assert [row["feed_gap"] for row in run(steps(silent).order_by("seen_at"))] == [False, True]


def test_a_move_without_a_rise_is_a_trip(feed, run, heartbeat):
    sightings = feed([*heartbeat, *[("a", m, 0.0, 30) for m in (0, 5)],
                      *[("a", m, FAR, 26) for m in range(45, 65, 5)]])  # fmt: skip
    (trip,) = run(inferred_trips(sightings, SETTINGS))
    assert (trip["started_at"], trip["ended_at"]) == (
        T0 + timedelta(minutes=5), T0 + timedelta(minutes=45),
    )  # fmt: skip
    assert trip["distance_m"] == 4000  # the range used, longer than the straight line
    assert trip["duration_s"] == 4 / 12 * 3600
    assert trip["revenue"] is None
    assert trip["inferred"]
    assert events_of(run, sightings, "a") == [
        (0, "available", "comms_restored", "a0.00"),
        (5, "on_trip", "trip_start", "a0.00"),
        (45, "available", "trip_end", "a0.01"),
    ]
    rows = run(inferred_events(sightings, SETTINGS))
    assert {row["trip_id"] for row in rows if row["trip_id"]} == {trip["trip_id"]}


def test_a_short_move_or_a_small_rise_is_noise(feed, run, heartbeat):
    sightings = feed([*heartbeat, *[("a", m, 0.0, 30 + m // 10) for m in range(0, 30, 5)],
                      *[("a", m, 0.001, 32) for m in range(30, 65, 5)]])  # fmt: skip
    assert run(inferred_trips(sightings, SETTINGS)) == []
    assert len(events_of(run, sightings, "a")) == 1


def test_a_rise_is_a_charge_on_the_spot_or_a_pick_up_and_drop_off(feed, run, heartbeat):
    on_the_spot = [("a", m, 0.0, 5 if m < 30 else 45) for m in range(0, 65, 5)]
    carried = [("b", m, 0.0 if m < 30 else FAR, 5 if m < 30 else 45) for m in range(0, 65, 5)]
    sightings = feed([*heartbeat, *on_the_spot, *carried])
    assert run(inferred_trips(sightings, SETTINGS)) == []
    assert events_of(run, sightings, "a")[1:] == [(30, "available", "battery_charged", "a0.00")]
    assert events_of(run, sightings, "b")[1:] == [
        (25, "removed", "maintenance_pick_up", "b0.00"),
        (30, "available", "provider_drop_off", "b0.01"),
    ]


def test_a_trip_across_a_feed_gap_is_kept_but_feeds_no_rate(feed, run):
    rows = [("a", 0, 0.0, 30), ("a", 5, 0.0, 30), ("a", 300, FAR, 28), ("a", 305, FAR, 28)]
    sightings = feed(rows)
    trips, events = inferred_trips(sightings, SETTINGS), inferred_events(sightings, SETTINGS)
    (trip,) = run(trips)
    assert trip["trip_id"].startswith("gap:")
    assert events_of(run, sightings, "a")[1:] == [
        (5, "non_contactable", "comms_lost", "a0.00"),
        (300, "available", "comms_restored", "a0.01"),
    ]
    known = priced(trips, SETTINGS.costs)
    assert run(countable(known)) == []
    end = (T0 + timedelta(minutes=305)).replace(tzinfo=UTC)
    ledger = run(cycles(timeline(events, end), known, end))
    assert sum(row["trips"] for row in ledger) == 0
    assert sum(row["operational_h"] for row in ledger) == pytest.approx(10 / 60)


def test_out_of_sight_and_gone_for_good_are_censored(feed, run, heartbeat):
    sightings = feed([*heartbeat, ("a", 0, 0.0, 30), ("a", 45, 0.0, 30), ("b", 0, 0.0, 30)])
    assert events_of(run, sightings, "a")[1:] == [
        (0, "non_contactable", "comms_lost", "a0.00"),
        (45, "available", "comms_restored", "a0.00"),
    ]
    assert events_of(run, sightings, "b")[1:] == [(0, "non_contactable", "comms_lost", "b0.00")]


def test_flags_of_the_feed_become_states(feed, run):
    rows = [("a", minute, 0.0, 30) for minute in range(0, 25, 5)]
    flags = {"a5": {"is_reserved": True}, "a15": {"is_disabled": True}}
    assert [event[1:3] for event in events_of(run, feed(rows, **flags), "a")] == [
        ("available", "comms_restored"),
        ("reserved", "reservation_start"),
        ("available", "reservation_cancel"),
        ("non_operational", "unspecified"),
        ("available", "unspecified"),
    ]


@pytest.mark.parametrize(
    ("make", "canonical"), [(inferred_trips, TRIPS), (inferred_events, EVENTS)]
)
def test_the_canonical_columns_even_of_nothing(feed, run, make, canonical):
    empty = make(feed([]), SETTINGS)
    assert empty.columns == canonical.column_names
    assert run(empty) == []
    types = {"string": "string", "float64": "float64", "bool": "boolean"}
    for column in canonical.columns:
        found = empty.schema()[column.name]
        assert found.is_timestamp() if column.dtype == "timestamp" else str(found) in (
            types[column.dtype], f"!{types[column.dtype]}",
        )  # fmt: skip


@pytest.mark.real_data
def test_the_facts_of_a_real_fleet(shared_data, run):
    folder = shared_data / "gbfs"
    reference = json.loads((folder / "tier_wolfsburg_reference.json").read_text())
    (found,) = run(facts(_wolfsburg(folder), Thresholds()))
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


@pytest.mark.real_data
def test_what_is_inferred_from_a_real_fleet_ties_to_its_facts(shared_data, run):
    folder = shared_data / "gbfs"
    reference = json.loads((folder / "tier_wolfsburg_reference.json").read_text())
    sightings = _wolfsburg(folder)
    trips = run(inferred_trips(sightings, SETTINGS))
    assert len(trips) == reference["moves_over_150m_without_rise"]
    assert len({trip["trip_id"] for trip in trips}) == len(trips)
    events = run(inferred_events(sightings, SETTINGS))
    assert len({event["event_id"] for event in events}) == len(events)
    named = [event["event_types"].split("+")[-1] for event in events]
    assert named.count("provider_drop_off") == reference["of_which_also_moved_over_150m"]
    assert (
        named.count("battery_charged") + named.count("provider_drop_off")
        == reference["range_rises_ge_10km"]
    )


def _wolfsburg(folder):
    with gzip.open(folder / "tier_wolfsburg_2023-07-31_08-01.csv.gz", "rt") as lines:
        rows = list(csv.DictReader(lines))
    lat, lon = [float(row["lat"]) for row in rows], [float(row["lon"]) for row in rows]

    def moments(name):
        return pa.array([int(row[name]) * 1_000_000 for row in rows], pa.timestamp("us"))

    return ibis.memtable(
        pa.table(
            {
                "vehicle_id": [row["bike_id"] for row in rows],
                "seen_at": moments("snapshot_unix"),
                "last_reported_at": moments("last_reported_unix"),
                "lat": lat,
                "lon": lon,
                "cell": geohash_many(lat, lon, 7).tolist(),
                "range_m": [float(row["current_range_meters"]) for row in rows],
                "battery_pct": pa.nulls(len(rows), pa.float64()),
                "is_reserved": [row["is_reserved"] == "1" for row in rows],
                "is_disabled": [row["is_disabled"] == "1" for row in rows],
                "vehicle_type": [row["vehicle_type_id"] for row in rows],
            }
        )
    )


def test_ids_that_hold_for_one_snapshot_tell_of_the_present_only(feed, run):
    def snapshot(minute, mark=True):
        return [
            (f"{name}{ONCE}{minute}" if mark else name, minute, north * FAR, 30)
            for north, name in enumerate("abc")
        ]

    turning = feed([row for minute in range(0, 600, 5) for row in snapshot(minute)])
    assert run(inferred_trips(turning, SETTINGS)) == []
    events = run(inferred_events(turning, SETTINGS))
    assert {(row["event_at"], row["event_types"]) for row in events} == {
        (T0 + timedelta(minutes=595), "comms_restored")
    }
    assert len(events) == 3
    then_lasting = feed([*snapshot(0), *snapshot(5), *snapshot(5, mark=False)])
    told = run(inferred_events(then_lasting, SETTINGS))
    assert sorted(row["vehicle_id"] for row in told) == ["a", "b", "c"]
