"""What MDS means: money, batteries, times, kinds of trips, states; and what every report holds."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.sources.mds_import import Imported, around, imported

from fleetdesk.errors import SourceUnreadable
from fleetdesk.model.places import geohash
from fleetdesk.sources.mds import open_mds

TIME = 1_700_000_000_000
NIGHT = datetime(2023, 11, 14, 22, 13, 20)
UUID = "3c9604d6-b5ee-41e8-96f8-{:012x}"
PROVIDER = UUID.format(0xFFFF)


def device(number: int) -> str:
    return UUID.format(number)


def trip(number: int = 1, **changed: Any) -> dict[str, Any]:
    return {
        "provider_id": PROVIDER, "device_id": device(number), "trip_id": UUID.format(1000 + number),
        "start_time": TIME, "end_time": TIME + 600_000, "duration": 600, "distance": 1500,
        "start_location": {"lat": 36.1, "lng": -86.7}, "end_location": {"lat": 36.2, "lng": -86.8},
    } | changed  # fmt: skip


def event(number: int = 1, **changed: Any) -> dict[str, Any]:
    return {
        "provider_id": PROVIDER, "device_id": device(number),
        "event_id": UUID.format(2000 + number), "vehicle_state": "available",
        "event_types": ["on_hours"], "timestamp": TIME, "location": {"lat": 36.1, "lng": -86.7},
    } | changed  # fmt: skip


def point(lon: Any = -86.7, lat: Any = 36.1, time: int = TIME) -> dict[str, Any]:
    geometry = {"type": "Point", "coordinates": [lon, lat]}
    return {"type": "Feature", "properties": {"timestamp": time}, "geometry": geometry}


def old(number: int = 1, **changed: Any) -> dict[str, Any]:
    return {
        "provider_name": "Scoot", "provider_id": PROVIDER, "device_id": device(number),
        "vehicle_id": f"S{number}", "vehicle_type": "scooter", "propulsion_types": ["electric"],
    } | changed  # fmt: skip


def old_trip(number: int = 1, **changed: Any) -> dict[str, Any]:
    route = {"type": "FeatureCollection", "features": [point(), point(-86.8, 36.2)]}
    return old(
        number, trip_id=UUID.format(1000 + number), trip_duration=600, trip_distance=1500,
        route=route, accuracy=5, start_time=TIME, end_time=TIME + 600_000,
    ) | changed  # fmt: skip


def change(number: int = 1, **changed: Any) -> dict[str, Any]:
    return old(
        number, vehicle_state="available", event_types=["on_hours"], event_time=TIME,
        event_location=point(),
    ) | changed  # fmt: skip


def ping(number: int = 1, **changed: Any) -> dict[str, Any]:
    return {
        "provider_id": PROVIDER, "device_id": device(number),
        "telemetry_id": UUID.format(3000 + number), "timestamp": TIME, "trip_ids": None,
        "journey_id": None, "location": {"lat": 36.1, "lng": -86.7},
    } | changed  # fmt: skip


@pytest.fixture
def take(tmp_path: Path) -> Any:
    def taken(version: str = "2.0.0", *, known: pa.Table | None = None, **given: Any) -> Imported:
        options = {name: given.pop(name) for name in ("currency", "battery_voltage")
                   if name in given}  # fmt: skip
        path = tmp_path / "page.json"
        lists = given if version >= "2" else {"data": given}
        path.write_text(json.dumps({"version": version} | lists), encoding="utf-8")
        return imported(path, known=known, **options)

    return taken


def dropped(found: Imported) -> dict[str, int]:
    return {entry.reason: entry.rows for entry in found.report.dropped}


def notes(found: Imported) -> str:
    return "\n".join(found.report.notes)


def test_a_trip_of_2_becomes_a_trip(take):
    found = take(trips=[trip(actual_cost=520, currency="EUR")], currency="EUR")
    assert found.rows("trips") == [
        {
            "trip_id": UUID.format(1001), "vehicle_id": device(1), "rider_id": None,
            "started_at": NIGHT, "ended_at": datetime(2023, 11, 14, 22, 23, 20),
            "start_lat": 36.1, "start_lon": -86.7, "end_lat": 36.2, "end_lon": -86.8,
            "start_cell": geohash(36.1, -86.7, 7), "end_cell": geohash(36.2, -86.8, 7),
            "distance_m": 1500.0,
            "duration_s": 600.0, "start_battery_pct": None, "end_battery_pct": None,
            "revenue": 5.2, "inferred": False,
        }
    ]  # fmt: skip
    assert found.rows("vehicles")[0]["first_seen_at"] == NIGHT
    assert found.report.notes == ()


def test_fields_with_the_same_fault_are_told_in_one_note(take):
    bare = old_trip()
    for name in ("accuracy", "propulsion_types", "vehicle_type"):
        del bare[name]
    found = take("1.2.0", trips=[bare, bare | {"trip_id": UUID.format(1002)}])
    (note,) = found.report.notes
    assert note.startswith(
        "trips that were kept: accuracy, propulsion_types, vehicle_type: missing, in 2 rows ("
    )


def test_a_route_gives_the_first_and_the_last_point_that_has_coordinates(take):
    features = [point("?", 36.0), point(-86.70, 36.10), point(0, 0), point(-86.9, 36.3),
                point(-86.9, 136.3)]  # fmt: skip
    route = {"type": "FeatureCollection", "features": features}
    nowhere = {"type": "FeatureCollection", "features": [point(None, None), point(None, None)]}
    found = take(
        "1.2.0", trips=[old_trip(route=route), old_trip(2, route=nowhere), old_trip(3, route=None)]
    )
    (row,) = found.rows("trips")
    ends = [row[name] for name in ("start_lat", "start_lon", "end_lat", "end_lon")]
    assert ends == [36.1, -86.7, 36.3, -86.9]
    assert dropped(found) == {
        "trips route.features[0].geometry.coordinates: not a number": 1,
        "trips route: not an object": 1,
    }
    assert "features[0].geometry.coordinates" in notes(found)


@pytest.mark.parametrize(
    "cost,currency,city,revenue",
    [
        (520, "EUR", "EUR", 5.2),
        (520, None, "USD", 5.2),
        (520, "JPY", "JPY", 520.0),
        (5200, "KWD", "KWD", 5.2),
        (0, "EUR", "EUR", 0.0),
        (None, "EUR", "EUR", None),
    ],
)
def test_money_is_in_the_smallest_unit_of_its_currency(take, cost, currency, city, revenue):
    found = take(trips=[trip(actual_cost=cost, currency=currency)], currency=city)
    assert found.rows("trips")[0]["revenue"] == revenue
    assert found.report.notes == ()


@pytest.mark.parametrize(
    "given,city,told",
    [
        ("SEK", "EUR", "SEK, not the city's EUR; costs left out"),
        (None, "EUR", "USD, not the city's EUR; costs left out"),
        ("EUR", "", "EUR, the city's is not known; costs left out"),
    ],
)
def test_money_of_another_currency_is_counted_and_never_mixed(take, given, city, told):
    trips = [trip(1, actual_cost=500, currency=given), trip(2, actual_cost=500, currency=given)]
    found = take(trips=trips, currency=city)
    assert [row["revenue"] for row in found.rows("trips")] == [None, None]
    assert f"currency: {told}, in 2 rows" in notes(found)


def test_short_trips_are_dropped_and_a_duration_that_cannot_be_is_not_believed(take):
    found = take(
        trips=[
            trip(1, duration=59, end_time=TIME + 59_000),
            trip(2, duration=60, end_time=TIME + 60_000),
            trip(3, duration=600_000),
            trip(4, duration=None),
            trip(5, end_time=TIME - 1),
        ]
    )
    assert dropped(found) == {
        "trips duration: trip under 60 s": 1,
        "trips end_time: before start_time": 1,
    }
    assert [row["duration_s"] for row in found.rows("trips")] == [60.0, 600.0, 600.0]
    assert "duration: longer than from start_time to end_time, in 1 rows" in notes(found)


def test_trips_of_crews_are_no_demand(take):
    found = take(
        trips=[
            trip(1, trip_type=["rider"]),
            trip(2, trip_type=["rebalance"]),
            trip(3, trip_type=["maintenance"]),
            trip(4, trip_type=["joyride"]),
            trip(5, trip_type=[]),
        ]
    )
    assert [row["vehicle_id"] for row in found.rows("trips")] == [device(1), device(5)]
    (task,) = found.rows("service_tasks")
    assert (task["task_kind"], task["vehicle_id"], task["from_lat"], task["to_lat"]) == (
        "rebalance", device(2), 36.1, 36.2,
    )  # fmt: skip
    assert dropped(found) == {
        "trips trip_type: maintenance: neither a rider's trip nor a known task": 1,
        "trips trip_type: not a word of the standard": 1,
    }


def test_batteries_up_to_1_are_shares_and_overshoot_a_little(take):
    charges = [0, 0.5, 1, 1.2, 1.3, 87, -0.1, "full", None]
    found = take("1.2.0", status_changes=[
        change(number, battery_pct=charge) for number, charge in enumerate(charges)
    ])  # fmt: skip
    assert [row["battery_pct"] for row in found.rows("events")].count(None) == 5
    by_vehicle = {row["vehicle_id"]: row["battery_pct"] for row in found.rows("events")}
    assert [by_vehicle[device(n)] for n in range(4)] == [0.0, 50.0, 100.0, 100.0]
    assert "battery_pct: above 1, taken as 100 %, in 1 rows" in notes(found)
    assert "battery_pct: outside 0 to 1, in 3 rows" in notes(found)
    assert "battery_pct: not a number, in 1 rows" in notes(found)


def test_batteries_of_2_are_percent(take):
    charges = [0, 1, 100, 101, 0.8]
    found = take(events=[
        event(number, battery_percent=charge) for number, charge in enumerate(charges)
    ])  # fmt: skip
    by_vehicle = {row["vehicle_id"]: row["battery_pct"] for row in found.rows("events")}
    assert [by_vehicle[device(n)] for n in range(5)] == [0.0, 1.0, 100.0, None, None]


def test_compound_and_older_events_get_the_names_of_2(take):
    found = take("1.2.0", status_changes=[
        change(1, vehicle_state="non_operational", event_types=["trip_end", "battery_low"],
               trip_id=UUID.format(9)),
        change(2, vehicle_state="unknown", event_types=["missing"]),
        change(3, vehicle_state="unknown", event_types=["comms_lost"]),
        change(4, event_types=["reinvented"]),
        change(5, vehicle_state="parked"),
    ])  # fmt: skip
    rows = {row["vehicle_id"]: row for row in found.rows("events")}
    assert [(rows[device(n)]["vehicle_state"], rows[device(n)]["event_types"])
            for n in range(1, 5)] == [
        ("non_operational", "trip_end+battery_low"), ("missing", "not_located"),
        ("non_contactable", "comms_lost"), ("available", "unspecified"),
    ]  # fmt: skip
    assert rows[device(1)]["trip_id"] == UUID.format(9)
    assert dropped(found) == {"events vehicle_state: not a word of the standard": 1}


def test_status_changes_of_04_are_translated(take):
    def changed(number: int, kind: str, reason: Any) -> dict[str, Any]:
        given = old(number, event_type=kind, event_type_reason=reason, event_time=TIME,
                    event_location=point(), propulsion_type=["electric"])  # fmt: skip
        return {name: value for name, value in given.items() if name != "propulsion_types"}

    found = take("0.4.1", status_changes=[
        changed(1, "removed", "rebalance_pick_up"), changed(2, "unavailable", "low_battery"),
        changed(3, "available", "low_battery"), changed(4, "unavailable", None),
    ])  # fmt: skip
    assert [(row["vehicle_state"], row["event_types"]) for row in sorted(
        found.rows("events"), key=lambda row: str(row["vehicle_id"]))] == [
        ("removed", "rebalance_pick_up"), ("non_operational", "battery_low"),
    ]  # fmt: skip
    assert dropped(found) == {
        "events event_type_reason: does not go with event_type available": 1,
        "events event_type_reason: not a word of the standard": 1,
    }


def test_an_event_without_a_place_is_dropped_for_that(take):
    there = UUID.format(7)
    found = take(events=[event(1, location=None, event_geographies=[there]),
                         event(2, location={"lat": 0, "lng": 0}),
                         event(3, location={})])  # fmt: skip
    assert dropped(found) == {
        "events location: missing": 1,
        "events location: at 0, 0": 1,
        "events location.lat: missing": 1,
    }


@pytest.mark.parametrize(
    "time,what",
    [
        (TIME // 1000, "a time before 2010 (are these seconds?)"),
        (TIME * 2, "a time in the future"),
        ("yesterday", "not a time in milliseconds"),
        (True, "not a time in milliseconds"),
        (float("nan"), "not a time in milliseconds"),
    ],
)
def test_times_are_milliseconds(take, time, what):
    found = take(events=[event(1, timestamp=time), event(2)])
    assert dropped(found) == {f"events timestamp: {what}": 1}
    assert found.report.dropped[0].examples[0].startswith("page.json row 1")


def test_parts_of_milliseconds_are_rounded_and_told(take):
    found = take(events=[event(1, timestamp=TIME + 0.6)])
    assert found.rows("events")[0]["event_at"].microsecond == 1000
    assert "timestamp: not whole milliseconds, in 1 rows" in notes(found)


def test_ids_that_are_no_uuids_are_kept_and_told_and_missing_ones_made(take):
    found = take(
        events=[
            event(1, event_id="no-uuid"),
            event(2, event_id=None, device_id=device(2).upper()),
            event(3, device_id="bike 7"),
            event(4, device_id=5),
        ]
    )
    rows = {row["vehicle_id"]: row for row in found.rows("events")}
    assert set(rows) == {device(1), device(2), "bike 7"}
    assert rows[device(1)]["event_id"] == "no-uuid"
    assert len(rows[device(2)]["event_id"]) == 36
    assert "device_id: not a UUID, in 1 rows (page.json row 3" in notes(found)
    assert dropped(found) == {"events device_id: not a UUID": 1}


def test_a_device_that_is_not_named_is_known_by_the_number_on_it(take):
    changed = {name: value for name, value in change(1).items() if name != "device_id"}
    found = take("1.2.0", status_changes=[changed])
    assert found.rows("events")[0]["vehicle_id"] == "S1"


def test_telemetry_is_told_in_kilometres_per_hour(take):
    place = {"lat": 36.1, "lng": -86.7, "speed": 5, "hdop": 1.5}
    found = take(telemetry=[ping(1, location=place, battery_percent=80),
                            ping(2, location=place | {"speed": -1})])  # fmt: skip
    first, second = found.rows("telemetry")
    assert (first["speed_kmh"], first["battery_pct"], first["hdop"]) == (18.0, 80.0, 1.5)
    assert second["speed_kmh"] is None


def test_a_registered_vehicle_keeps_its_model_whatever_else_is_told(take):
    registered = {
        "provider_id": PROVIDER, "device_id": device(1), "vehicle_id": "S1",
        "vehicle_type": "scooter_standing", "propulsion_types": ["electric"],
        "battery_capacity": 15_000, "vehicle_attributes": {"make": "Acme", "model": "Max 2"},
    }  # fmt: skip
    human = registered | {"device_id": device(2), "propulsion_types": ["human"],
                          "vehicle_attributes": {}}  # fmt: skip
    found = take(trips=[trip(1)], vehicles=[registered, human], battery_voltage="36")
    first, second = found.rows("vehicles")
    assert first == {
        "vehicle_id": device(1), "vehicle_type": "Acme Max 2", "full_range_m": None,
        "battery_capacity_wh": 540.0, "first_seen_at": NIGHT,
    }  # fmt: skip
    assert second["vehicle_type"] == "scooter_standing"
    assert "1 vehicles are registered without an electric motor" in notes(found)


def test_what_earlier_imports_knew_of_a_vehicle_is_carried_on(take):
    first = take(trips=[trip(1)])
    known = pa.Table.from_pylist(
        [row | {"full_range_m": 30_000.0, "vehicle_type": "Max"} for row in first.rows("vehicles")],
        schema=first.tables["vehicles"].schema,
    )
    (row,) = take("1.2.0", trips=[old_trip(1, start_time=TIME + 60_000)], known=known).rows(
        "vehicles"
    )
    assert (row["full_range_m"], row["vehicle_type"]) == (30_000.0, "Max")
    assert row["first_seen_at"] == NIGHT


def test_stops_are_parkings_with_room_for_scooters(take):
    stop = {
        "stop_id": UUID.format(1), "name": "Main St", "last_updated": TIME,
        "location": {"lat": 36.1, "lng": -86.7}, "num_vehicles_available": {},
        "num_vehicles_disabled": {}, "capacity": {"scooter_standing": 8, "bicycle": 20},
        "status": {"is_installed": True, "is_renting": True, "is_returning": True},
    }  # fmt: skip
    gone = stop | {"stop_id": UUID.format(2), "status": stop["status"] | {"is_installed": False}}
    found = take(stops=[stop, gone])
    (row,) = found.rows("parkings")
    assert (row["name"], row["capacity"], row["lat"]) == ("Main St", 8, 36.1)
    assert dropped(found) == {"stops status.is_installed: false, so there is no such stop": 1}


def test_a_vehicle_stays_of_use_when_its_last_event_is_not(take):
    status = {"provider_id": PROVIDER, "device_id": device(1), "last_event": event(1, location=5),
              "last_telemetry": ping(1)}  # fmt: skip
    found = take(vehicles_status=[status])
    assert found.report.rows_kept == 1
    assert "events" not in found.tables
    assert "vehicles that were kept: last_event.location: not an object, in 1 rows" in notes(found)
    assert found.rows("vehicles")[0]["first_seen_at"] == NIGHT


def test_a_payload_that_breaks_its_version_is_told_and_read_as_what_it_is(take):
    found = take(trips=[old_trip(1)], events=[change(2)])
    assert (len(found.rows("trips")), len(found.rows("events"))) == (1, 1)
    assert "2 records declare MDS 2.0.0, but have the fields of MDS 1 and were read as" in notes(
        found
    )


@pytest.mark.parametrize("version", ["0.2.1", "3.0.0"])
def test_a_version_that_is_not_read_is_refused_in_a_sentence(take, version):
    with pytest.raises(SourceUnreadable, match=f"MDS {version} is not among the versions"):
        take(version, trips=[trip(1)])


def test_unknown_fields_are_told_with_their_rows(take):
    found = take(trips=[trip(1, colour="red"), trip(2, colour="blue", weight=3)])
    assert "Fields that the standard does not know, with their rows: colour (2), weight (1)." in (
        found.report.notes
    )


def test_a_folder_is_read_page_by_page_and_a_bad_page_counts_as_a_row(tmp_path: Path):
    (tmp_path / "a.json").write_text(json.dumps({"version": "2.0.0", "trips": [trip(1)]}))
    (tmp_path / "b.jsonl").write_text("\n".join(json.dumps(event(n)) for n in range(3)))
    (tmp_path / "c.json").write_text("<html></html>")
    (tmp_path / "readme.txt").write_text("hello")
    found = imported(tmp_path)
    assert (found.report.rows_in, found.report.rows_kept) == (5, 4)
    assert dropped(found) == {"a file that cannot be used: it is a web page or XML": 1}
    assert "Not read: readme.txt." in found.report.notes


def test_progress_goes_from_nothing_to_all(tmp_path: Path):
    for name in "ab":
        (tmp_path / f"{name}.jsonl").write_text("\n".join(json.dumps(event(n)) for n in range(9)))
    done: list[float] = []
    source = open_mds(str(tmp_path), around())
    with pytest.raises(RuntimeError, match="only after"):
        source.report()
    assert list(source.read(done.append))
    assert done == sorted(done)
    assert (done[0] > 0, done[-1]) == (True, 1.0)


RECORD = st.one_of(
    st.builds(
        trip, st.integers(0, 4), duration=st.sampled_from([30, 600, "x"]),
        end_time=st.sampled_from([TIME + 600_000, TIME - 5, None]),
    ),
    st.builds(
        event, st.integers(0, 4), timestamp=st.sampled_from([TIME, TIME + 5_000, 7]),
        vehicle_state=st.sampled_from(["available", "removed", "odd"]),
        event_id=st.just(None), battery_percent=st.sampled_from([None, 50, 101]),
    ),
    st.builds(ping, st.integers(0, 4), timestamp=st.sampled_from([TIME, TIME + 1])),
    st.builds(
        dict, device_id=st.integers(0, 4).map(device), vehicle_id=st.sampled_from(["A", "B"]),
        vehicle_type=st.sampled_from(["moped", "other"]), provider_id=st.just(PROVIDER),
        propulsion_types=st.just(["electric"]),
    ),
    st.just({"what": "ever"}),
)  # fmt: skip


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(records=st.lists(RECORD, max_size=12, unique_by=json.dumps), data=st.data())
def test_the_order_of_rows_does_not_matter(records, data, tmp_path: Path):
    shuffled = data.draw(st.permutations(records))

    def account(order: list[Any]) -> Any:
        path = tmp_path / "rows.jsonl"
        path.write_text("".join(json.dumps(record) + "\n" for record in order) or "[]")
        found = imported(path)
        report = found.report
        assert report.rows_in == len(records) == report.rows_kept + report.rows_dropped
        tables = {name: found.rows(name) for name in found.tables if name != "events"}
        # Events of one key may differ in their battery; which of them stays is the last one's luck.
        events = sorted({row["event_id"] for row in found.rows("events")})
        return tables, events, dropped(found), report.facts

    assert account(records) == account(shuffled)


def test_the_same_file_again_gives_the_same_rows_and_no_more(tmp_path: Path):
    path = tmp_path / "rows.json"
    records = [event(n, event_id=None, timestamp=TIME + n) for n in range(50)]
    path.write_text(json.dumps({"version": "2.0.0", "events": records, "trips": [
        trip(n, trip_id=None, start_time=TIME - n) for n in range(50)
    ]}))  # fmt: skip
    first = imported(path)
    again = imported(path, known=first.tables["vehicles"])
    for name in ("events", "trips"):
        assert again.tables[name].equals(first.tables[name])
        assert first.tables[name].num_rows == 50
    assert first.report == again.report
    assert {row["vehicle_id"] for row in again.rows("vehicles")} <= {
        row["vehicle_id"] for row in first.rows("vehicles")
    }
    for row in again.rows("vehicles"):
        assert row in first.rows("vehicles")


EXTREMES = [
    None, True, -1, 10**18, 10**400, 1e308, float("nan"), float("inf"), "", "\ud800", "a\0b", [],
    {}, [[]], [None], {"lat": 10**400, "lng": "x"}, "x" * 5000, TIME,
]  # fmt: skip
STATUS = {"provider_id": PROVIDER, "device_id": device(1), "last_event": event(1),
          "last_telemetry": ping(1)}  # fmt: skip
STOP = {
    "stop_id": UUID.format(1), "name": "Main St", "last_updated": TIME,
    "location": {"lat": 36.1, "lng": -86.7}, "capacity": {"scooter_standing": 8},
    "num_vehicles_available": {}, "num_vehicles_disabled": {}, "status": {"is_installed": True},
}  # fmt: skip


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    record=st.sampled_from([trip(), event(), old_trip(), change(), ping(), STATUS, STOP]),
    extreme=st.sampled_from(EXTREMES),
    page=st.sampled_from([{}, {"version": "2.0.0"}, {"version": "x"}, {"last_updated": 10**30}]),
    data=st.data(),
)
def test_no_value_whatever_stops_an_import(record, extreme, page, data, tmp_path: Path):
    odd = json.loads(json.dumps(record))
    inner = odd
    while True:
        keys = list(inner) if isinstance(inner, dict) else list(range(len(inner)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(inner[key], dict | list) or not inner[key] or data.draw(st.booleans()):
            break
        inner = inner[key]
    inner[key] = extreme
    path = tmp_path / "odd.json"
    path.write_text(json.dumps(page | {"data": [odd, odd | {"\ud800": 1}, record]}))
    found = imported(path, currency="USD")
    report = found.report
    assert report.rows_in == 3 == report.rows_kept + report.rows_dropped
    assert report.rows_kept >= 1
    json.dumps(report.as_dict(), ensure_ascii=False).encode()
