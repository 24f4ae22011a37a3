"""Rows that cannot be true are told of and change nothing that is worked out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetdesk.features import cycle_checks as checks
from fleetdesk.features.cells import geohash_many
from fleetdesk.fleet.history import History
from fleetdesk.fleet.method_v0 import estimate
from fleetdesk.fleet.record_checks import check_records
from fleetdesk.model.findings import Done
from fleetdesk.settings.schema import Settings

T0 = datetime(2024, 6, 3)
END = datetime(2024, 6, 8, tzinfo=UTC)
LAT, LON = 40.64, 22.94
CELL = geohash_many([LAT], [LON], 7).tolist()[0]
KEYS = {"events": "event_id", "trips": "trip_id", "telemetry": "recorded_at"}


def event(name: str, hours: float, state: str, types: str, **more: Any) -> dict[str, Any]:
    return {
        "event_id": name, "vehicle_id": "v", "event_at": T0 + timedelta(hours=hours),
        "vehicle_state": state, "event_types": types, "lat": LAT, "lon": LON, "cell": CELL,
        "battery_pct": 60.0,
    } | more  # fmt: skip


def trip(name: str, start: float, end: float, **more: Any) -> dict[str, Any]:
    return {
        "trip_id": name, "vehicle_id": "v", "started_at": T0 + timedelta(hours=start),
        "ended_at": T0 + timedelta(hours=end), "start_lat": LAT, "start_lon": LON,
        "end_lat": LAT, "end_lon": LON, "start_cell": CELL, "end_cell": CELL,
        "start_battery_pct": 60.0, "end_battery_pct": 55.0, "revenue": 3.0,
        "distance_m": 1500.0, "duration_s": (end - start) * 3600.0,
    } | more  # fmt: skip


def ping(hours: float, **more: Any) -> dict[str, Any]:
    at = T0 + timedelta(hours=hours)
    return {"vehicle_id": "v", "recorded_at": at, "lat": LAT, "lon": LON} | more


EVENTS = [
    event("e0", 0, "available", "provider_drop_off"),
    event("e1", 5, "on_trip", "trip_start"),
    event("e2", 5.5, "available", "trip_end"),
    event("e3", 40, "non_operational", "battery_low"),
    event("e4", 44, "removed", "maintenance_pick_up"),
    event("e5", 48, "available", "provider_drop_off"),
    event("e6", 100, "on_trip", "trip_start"),
    event("e7", 100.3, "available", "trip_end"),
]
TRIPS = [trip("t0", 5, 5.5), trip("t1", 30, 30.4), trip("t2", 100, 100.3)]
PINGS = [ping(hours, battery_pct=70.0) for hours in range(0, 110, 5)]
SOUND = {"events": EVENTS, "trips": TRIPS, "telemetry": PINGS}

# Each fault with a row that has it and no other.
BROKEN: dict[str, tuple[str, dict[str, Any]]] = {
    "1970": ("events", event("x", 0, "available", "trip_end", event_at=datetime(1970, 1, 1))),
    "2099": ("events", event("x", 0, "available", "provider_drop_off",
                             event_at=datetime(2099, 1, 1))),
    "null island": ("events", event("x", 7, "available", "trip_end", lat=0.0, lon=0.0)),
    "another city": ("events", event("x", 7, "on_trip", "trip_start", lat=48.1, lon=11.6)),
    "duplicate": ("events", event("x", 48, "available", "provider_drop_off")),
    "trip ends first": ("trips", trip("x", 60, 59, duration_s=60.0)),
    "negative revenue": ("trips", trip("x", 60, 60.5, revenue=-3.0)),
    "negative distance": ("trips", trip("x", 60, 60.5, distance_m=-3.0)),
    "days long": ("trips", trip("x", 50, 99)),
    "clock jumped": ("trips", trip("x", 60, 70, duration_s=600.0)),
    "trip at null island": ("trips", trip("x", 60, 60.5, end_lat=0.0, end_lon=0.0)),
    "trip in 1970": ("trips", trip("x", 0, 0, started_at=datetime(1970, 1, 1),
                                   ended_at=datetime(1970, 1, 1, 0, 5), duration_s=300.0)),
    "unknown vehicle": ("trips", trip("x", 60, 60.5, vehicle_id="nobody")),
    "overlapping": ("trips", trip("x", 5.2, 5.8)),
    "ping in 2099": ("telemetry", ping(0, recorded_at=datetime(2099, 1, 1))),
    "ping at null island": ("telemetry", ping(3.3, lat=0.0, lon=0.0)),
}  # fmt: skip


@pytest.fixture(scope="session")
def checked(tables):
    """`checked(rows by table)` -> (rows of each table left, findings)."""

    def make(rows: dict[str, list[dict[str, Any]]]):
        found = check_records(tables(**rows))
        left = {
            name: sorted(found.tables[name].to_pyarrow().to_pylist(), key=lambda r: str(r[key]))
            for name, key in KEYS.items()
        }
        return left, found.findings

    return make


def with_row(table: str, row: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    return SOUND | {table: [*SOUND[table], row]}


def test_sound_records_stay_as_they_are(checked, tables):
    given_tables = tables(**SOUND)
    found = check_records(given_tables)
    assert found.findings == ()
    assert all(found.tables[name] is given_tables[name] for name in KEYS)


@pytest.mark.parametrize("name", BROKEN)
def test_each_fault_is_told_once_and_its_row_left_out(checked, name):
    table, row = BROKEN[name]
    sound, _ = checked(SOUND)
    left, (finding,) = checked(with_row(table, row))
    assert left == sound
    assert (finding.table, finding.done, finding.rows) == (table, Done.LEFT_OUT, 1)
    assert finding.of == len(SOUND[table]) + 1
    assert finding.examples == ("x",) if table != "telemetry" else finding.examples


def test_impossible_batteries_are_taken_for_unknown(checked):
    rows = {
        "events": [*EVENTS, event("x", 60, "available", "trip_end", battery_pct=101.0)],
        "trips": [*TRIPS, trip("x", 60, 60.5, start_battery_pct=-1.0)],
        "telemetry": [*PINGS, ping(61, battery_pct=255.0)],
    }
    left, findings = checked(rows)
    assert {f.table for f in findings} == set(KEYS)
    assert {(f.fault, f.done, f.rows) for f in findings} == {(checks.BATTERY, Done.BLANKED, 1)}
    assert [e["battery_pct"] for e in left["events"] if e["event_id"] == "x"] == [None]
    (ride,) = (t for t in left["trips"] if t["trip_id"] == "x")
    assert (ride["start_battery_pct"], ride["end_battery_pct"]) == (None, 55.0)


def test_a_vehicle_out_of_service_without_a_position_stays_where_it_was(checked):
    """To leave its event out would keep it rentable; to believe it would send a van to sea."""
    lost = event("e3", 40, "non_operational", "battery_low", lat=0.0, lon=0.0, cell="s000000")
    rows = SOUND | {"events": [lost if row["event_id"] == "e3" else row for row in EVENTS]}
    left, (finding,) = checked(rows)
    assert left == checked(SOUND)[0]
    assert (finding.done, finding.rows, finding.examples) == (Done.BLANKED, 1, ("e3",))


def test_events_outside_the_transition_table_are_counted_and_kept(checked):
    odd = event("x", 60, "non_operational", "comms_restored+trip_start")
    odder = event("y", 61, "removed", "trip_end")
    left, (finding,) = checked(SOUND | {"events": [*EVENTS, odd, odder]})
    assert len(left["events"]) == len(EVENTS) + 2
    assert (finding.done, finding.rows) == (Done.KEPT, 1)
    assert finding.examples == ("trip_end -> removed, such as y",)


def test_of_overlapping_trips_the_first_stays_and_frees_what_comes_after(checked):
    rows = [trip("a", 60, 61), trip("b", 60.5, 63), trip("c", 62, 62.5), trip("d", 62.495, 63)]
    left, (finding,) = checked(SOUND | {"trips": [*TRIPS, *rows]})
    assert {row["trip_id"] for row in left["trips"]} == {"t0", "t1", "t2", "a", "c", "d"}
    assert finding.examples == ("b",)


def test_trips_without_a_vehicle_are_legal_and_so_are_trips_alone(checked):
    left, findings = checked({"trips": [*TRIPS, trip("x", 60, 60.5, vehicle_id=None)]})
    assert len(left["trips"]) == 4 and findings == ()


def test_a_clock_that_was_not_set_does_not_say_when_the_last_record_was(tables):
    assert check_records(tables(**SOUND)).last == (T0 + timedelta(hours=105)).replace(tzinfo=UTC)
    many = [trip(f"m{n}", 60 + n / 50, 60 + n / 50 + 0.01) for n in range(2000)]
    stray = trip("x", 0, 0, started_at=datetime(2099, 1, 1), ended_at=datetime(2099, 1, 1))
    last = check_records(tables(trips=[*many, stray])).last
    assert last is not None and last.year == 2024
    assert check_records(tables()).last is None


@pytest.mark.parametrize(
    ("vehicles", "ahead_h", "left_out"),
    [(12, 140, 2), (12, 80, 2), (12, 50, 0), (8, 140, 0)],
)
def test_one_vehicle_alone_does_not_say_that_days_have_passed(tables, vehicles, ahead_h, left_out):
    """Its clock is days ahead of the fleet's; in a small fleet the others may stand still."""
    rows = [
        event(f"e{number:03d}", number / 2, "available", "trip_end", vehicle_id=f"v{number % 12}")
        for number in range(100) if number % 12 < vehicles
    ]  # fmt: skip
    ahead = [event(f"x{n}", ahead_h + n, "available", "located", vehicle_id="v3") for n in (0, 25)]
    found = check_records(tables(events=[*rows, *ahead]))
    assert [finding.rows for finding in found.findings] == ([left_out] if left_out else [])
    assert found.tables["events"].count().execute() == len(rows) + 2 - left_out
    last = T0 + timedelta(hours=49.5 if left_out else ahead_h + 25)
    assert found.last == last.replace(tzinfo=UTC)


@settings(max_examples=4, deadline=None)
@given(st.lists(st.sampled_from(sorted(BROKEN)), min_size=2, max_size=8, unique=True))
def test_no_broken_row_changes_an_estimate(tables, names):
    rows = {name: list(sound) for name, sound in SOUND.items()}
    for number, name in enumerate(names):
        table, row = BROKEN[name]
        key = KEYS[table]
        rows[table].append(row | ({key: f"x{number}"} if table != "telemetry" else {}))
    assert learnt(tables(**rows)) == learnt(tables(**SOUND))


def learnt(given_tables: dict[str, Any]) -> Any:
    found = check_records(given_tables).tables
    value = estimate(History(found["events"], found["trips"], END), Settings())
    return value.rates, value.regions
