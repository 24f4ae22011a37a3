from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fleetdesk.features.vehicles import vehicles_now

T0 = datetime(2024, 6, 3)
NOW = T0.replace(tzinfo=UTC) + timedelta(hours=10)


def at(hours):
    return T0 + timedelta(hours=hours)


def event(vehicle, hours, state, types, battery, lat):
    return {
        "event_id": f"{vehicle}{hours}", "vehicle_id": vehicle, "event_at": at(hours),
        "vehicle_state": state, "event_types": types, "battery_pct": battery, "lat": lat,
        "lon": 22.0, "cell": "sx0r4m1",
    }  # fmt: skip


def ping(vehicle, hours, battery, lat):
    return {
        "vehicle_id": vehicle, "recorded_at": at(hours), "battery_pct": battery, "lat": lat,
        "lon": 22.0,
    }  # fmt: skip


def test_the_latest_of_each_source_counts(table, run):
    events = table(
        "events",
        [
            event("a", 1, "available", "provider_drop_off", 90.0, 40.1),
            event("a", 5, "available", "trip_end", None, 40.2),
            event("a", 11, "removed", "rebalance_pick_up", 5.0, 40.9),
            event("b", 2, "non_operational", "battery_low", 4.0, 40.3),
        ],
    )
    telemetry = table(
        "telemetry",
        [ping("a", 3, 80.0, 40.15), ping("a", 6, None, 40.25), ping("a", 12, 1.0, 40.8),
         ping("never in an event", 6, 50.0, 40.0)],
    )  # fmt: skip
    sightings = table(
        "sightings",
        [{"vehicle_id": "b", "seen_at": at(4), "lat": 40.4, "lon": 22.0, "battery_pct": 3.0}],
    )
    trips = table(
        "trips",
        [
            {"trip_id": "1", "vehicle_id": "a", "started_at": at(4), "ended_at": at(5)},
            {"trip_id": "2", "vehicle_id": "a", "started_at": at(2), "ended_at": at(3)},
            {"trip_id": "3", "vehicle_id": "a", "started_at": at(9), "ended_at": at(11)},
        ],
    )
    a, b = run(vehicles_now(events, telemetry, sightings, trips, NOW).order_by("vehicle_id"))
    assert (a["lat"], a["battery_pct"]) == (40.25, 80.0)
    assert (a["vehicle_state"], a["phase"]) == ("available", "operational")
    assert (a["last_seen_at"], a["state_since_at"]) == (at(6), at(5))
    assert a["idle_h"] == 5.0
    assert (b["lat"], b["battery_pct"], b["idle_h"]) == (40.4, 3.0, 8.0)
    assert b["phase"] == "pending collection"


def test_of_two_events_at_one_moment_the_later_id_counts(table, run):
    rows = [
        event("a", 1, "on_trip", "trip_start", 90.0, 40.1) | {"event_id": "a:1:2"},
        event("a", 1, "available", "trip_end", 90.0, 40.1) | {"event_id": "a:1:1"},
    ]
    for order in (rows, rows[::-1]):
        (row,) = run(
            vehicles_now(
                table("events", order), table("telemetry", []), table("sightings", []),
                table("trips", []), NOW,
            )
        )  # fmt: skip
        assert row["vehicle_state"] == "on_trip"


def test_nothing_in_typed_nothing_out(table, run):
    names = ("events", "telemetry", "sightings", "trips")
    empty = vehicles_now(*(table(name, []) for name in names), NOW)
    assert run(empty) == []
    assert empty.schema()["idle_h"].is_floating()
