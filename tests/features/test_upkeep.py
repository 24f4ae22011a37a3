"""What a vehicle did since its last service, from a few rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fleetdesk.features.upkeep import upkeep

T0 = datetime(2024, 6, 3)
NOW = T0.replace(tzinfo=UTC) + timedelta(hours=48)


def at(hours):
    return T0 + timedelta(hours=hours)


def event(hours, state="available", types="trip_end", lat=40.0, vehicle="a"):
    return {
        "event_id": f"{vehicle}{hours}", "vehicle_id": vehicle, "event_at": at(hours),
        "vehicle_state": state, "event_types": types, "lat": lat, "lon": 22.0,
    }  # fmt: skip


def trip(name, start, end, km):
    return {
        "trip_id": name, "vehicle_id": "a", "started_at": at(start), "ended_at": at(end),
        "distance_m": km * 1000, "duration_s": (end - start) * 3600,
    }  # fmt: skip


@pytest.fixture
def found(table, run):
    def find(events, trips=(), telemetry=(), service_tasks=(), complaints=()):
        names = ("events", "trips", "telemetry", "service_tasks", "complaints")
        given = (events, trips, telemetry, service_tasks, complaints)
        tables = [table(name, list(rows)) for name, rows in zip(names, given, strict=True)]
        return run(upkeep(*tables, NOW).order_by("vehicle_id"))

    return find


def test_everything_counts_from_the_first_record_where_no_service_is_known(found) -> None:
    (row,) = found([event(0)], [trip("1", 1, 2, 3.0), trip("2", 5, 7, 4.5)])
    assert row["days_since_service"] == 2
    assert (row["km"], row["rides"], row["ridden_h"]) == (7.5, 2, 3)
    assert row["open_complaints"] == 0 and row["ping_lat"] is None


def test_a_crews_service_starts_the_count_anew_and_a_swap_does_not(found) -> None:
    task = {"vehicle_id": "a", "task_id": "s", "started_at": at(3), "completed_at": at(4)}
    trips = [trip("1", 1, 2, 3.0), trip("2", 5, 7, 4.5)]
    (row,) = found([event(0)], trips, service_tasks=[task | {"task_kind": "repair"}])
    assert (row["rides"], row["km"], row["days_since_service"]) == (1, 4.5, 44 / 24)
    (row,) = found([event(0)], trips, service_tasks=[task | {"task_kind": "swap"}])
    assert row["rides"] == 2


def test_maintenance_counts_when_it_is_over_or_in_the_workshop(found) -> None:
    asked_for = event(6, "non_operational", "maintenance")
    assert found([event(0), asked_for])[0]["days_since_service"] == 2
    done = event(8, "available", "maintenance")
    assert found([event(0), asked_for, done])[0]["days_since_service"] == 40 / 24
    taken = event(12, "removed", "maintenance_pick_up")
    assert found([event(0), taken])[0]["days_since_service"] == 1.5


def test_only_open_complaints_up_to_now_count(found) -> None:
    def filed(name, hours, resolved=None):
        return {"complaint_id": name, "vehicle_id": "a", "filed_at": at(hours),
                "resolved_at": None if resolved is None else at(resolved)}  # fmt: skip

    rows = [
        filed("open", 1),
        filed("settled", 1, 5),
        filed("later", 50),
        filed("settled later", 1, 60),
    ]
    assert found([event(0)], complaints=rows)[0]["open_complaints"] == 2


def test_a_ping_after_the_last_event_says_where_it_is_now(found) -> None:
    def ping(hours, lat, hdop=None):
        return {"vehicle_id": "a", "recorded_at": at(hours), "lat": lat, "lon": 22.0, "hdop": hdop}

    events = [event(0), event(10, lat=40.2)]
    (row,) = found(events, telemetry=[ping(9, 41.0), ping(12, 40.3), ping(14, 49.0, hdop=20)])
    assert (row["left_lat"], row["ping_lat"]) == (40.2, 40.3)
    assert found(events, telemetry=[ping(9, 41.0)])[0]["ping_lat"] is None


def test_nothing_in_nothing_out(found) -> None:
    assert found([]) == []
