"""What cannot happen on a street does not happen in the records."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise

import numpy as np
import pytest

from fleetdesk.model.places import Point
from fleetdesk.simulation.city import PACKAGES

# MDS 2.0, modes/micromobility.md: event type -> {state after: states before}.
STREET = {"available", "non_operational", "elsewhere"}
ANY = STREET | {"on_trip", "removed", "reserved"}
LOST = {"non_contactable", "missing"}
LEGAL = {
    "provider_drop_off": {"available": {"removed"} | LOST},
    "trip_start": {"on_trip": {"available", "reserved"}},
    "trip_end": {"available": {"on_trip"}},
    "trip_cancel": {"available": {"on_trip"}},
    "reservation_start": {"reserved": {"available"}},
    "reservation_cancel": {"available": {"reserved"}},
    "battery_low": {"non_operational": {"available"}},
    "battery_charged": {"available": {"non_operational"}},
    "maintenance": {"non_operational": {"available"}, "available": {"non_operational"}},
    "maintenance_pick_up": {"removed": STREET},
    "rebalance_pick_up": {"removed": STREET},
    "compliance_pick_up": {"removed": STREET},
    "comms_lost": {"non_contactable": ANY},
    "not_located": {"missing": ANY},
    "comms_restored": {state: {"non_contactable"} for state in ANY},
    "located": {state: {"missing"} for state in ANY},
}


def by_vehicle(rows, when):
    histories = defaultdict(list)
    for row in sorted(rows, key=lambda row: row[when]):
        histories[row["vehicle_id"]].append(row)
    return histories


@pytest.fixture(scope="module")
def events(town):
    return by_vehicle(town.rows("events"), "event_at")


@pytest.fixture(scope="module")
def trips(town):
    return by_vehicle(town.rows("trips"), "started_at")


def test_every_vehicle_is_put_out_once_and_then_moves_by_legal_steps(town, events):
    assert len(events) == town.spec.vehicles
    for history in events.values():
        states = {"removed"}
        for event in history:
            for kind in event["event_types"].split("+"):
                states = {after for after, before in LEGAL[kind].items() if before & states}
                assert states, event
            assert event["vehicle_state"] in states
            states = {event["vehicle_state"]}


def test_moments_of_a_vehicle_differ(events):
    for history in events.values():
        assert all(a["event_at"] < b["event_at"] for a, b in pairwise(history))


def test_a_few_events_arrive_out_of_order(town):
    moments = town.tables["events"]["event_at"].to_pylist()
    late = sum(a > b for a, b in pairwise(moments)) / len(moments)
    assert 0.004 < late < 0.02


def test_compound_events_and_all_expected_kinds_occur(town):
    kinds = Counter(town.tables["events"]["event_types"].to_pylist())
    assert kinds["trip_end+battery_low"] > 5
    assert kinds["battery_low+maintenance_pick_up"] > 0
    seen = {kind for joined in kinds for kind in joined.split("+")}
    assert set(LEGAL) - seen <= {"not_located", "located", "battery_low"}


def test_trips_of_a_vehicle_or_a_rider_never_overlap(town, trips):
    riders = defaultdict(list)
    for history in trips.values():
        for trip in history:
            riders[trip["rider_id"]].append(trip)
    for history in [*trips.values(), *riders.values()]:
        history.sort(key=lambda trip: trip["started_at"])
        assert all(a["ended_at"] < b["started_at"] for a, b in pairwise(history))


def test_trips_and_trip_events_tell_the_same(town, events):
    seen = defaultdict(dict)
    for history in events.values():
        for event in history:
            if event["trip_id"]:
                seen[event["trip_id"]][event["event_types"].split("+")[0]] = event
    trips = town.rows("trips")
    for trip in trips:
        start, end = seen[trip["trip_id"]]["trip_start"], seen[trip["trip_id"]]["trip_end"]
        assert (start["event_at"], end["event_at"]) == (trip["started_at"], trip["ended_at"])
        assert (start["cell"], end["cell"]) == (trip["start_cell"], trip["end_cell"])
        assert start["vehicle_id"] == end["vehicle_id"] == trip["vehicle_id"]
        assert end["battery_pct"] == trip["end_battery_pct"]
    assert len(trips) == sum("trip_end" in kinds for kinds in seen.values())


def test_a_vehicle_leaves_from_where_it_was_last_put(town, events):
    """In one place: between two events it moves only on a trip or in a van."""
    carried = {"trip_end", "provider_drop_off"}
    for history in events.values():
        for before, after in pairwise(history):
            if not carried & set(after["event_types"].split("+")):
                assert (before["lat"], before["lon"]) == (after["lat"], after["lon"])


def test_batteries_stay_within_0_and_100_and_only_fall_while_riding(town, trips):
    for table, columns in {
        "events": ["battery_pct"],
        "telemetry": ["battery_pct"],
        "trips": ["start_battery_pct", "end_battery_pct"],
        "service_tasks": ["battery_before_pct", "battery_after_pct"],
        "rider_swaps": ["battery_before_pct", "battery_after_pct"],
    }.items():
        for column in columns:
            values = town.tables[table][column].to_numpy()
            assert 0 <= values.min() <= values.max() <= 100
    for history in trips.values():
        for trip in history:
            assert trip["end_battery_pct"] < trip["start_battery_pct"]
            assert trip["start_battery_pct"] >= town.spec.usable_battery_pct - 0.1


def test_charge_rises_only_when_someone_changed_the_battery(town, trips):
    changes = defaultdict(list)
    for row in town.rows("service_tasks"):
        changes[row["vehicle_id"]].append(row["completed_at"])
    for row in town.rows("rider_swaps"):
        changes[row["vehicle_id"]].append(row["swapped_at"])
    rises = silent = 0
    dropped = by_vehicle(town.rows("events"), "event_at")
    for vehicle, history in trips.items():
        for a, b in pairwise(history):
            if b["start_battery_pct"] > a["end_battery_pct"] + 0.11:
                rises += 1
                window = (a["ended_at"], b["started_at"])
                assert any(window[0] <= at <= window[1] for at in changes[vehicle])
                silent += not any(
                    window[0] < event["event_at"] < window[1] for event in dropped[vehicle]
                )
    assert 0.15 < silent / rises < 0.8


def test_revenue_follows_the_price_rule(town):
    """A package lowers the price of trips, but one taken later in life is paid beside them."""
    prices = {p.name: (p.unlock, p.per_min) for p in PACKAGES}
    later = {(row["rider_id"], row["started_at"]) for row in town.taken_later()}
    assert len(later) > 20
    stays = defaultdict(list)
    for row in town.rows("subscriptions"):
        if (row["rider_id"], row["started_at"]) not in later:
            stays[row["rider_id"]].append(row)
    packaged = 0
    for trip in town.rows("trips"):
        unlock, per_min = town.spec.unlock, town.spec.per_min
        for stay in stays[trip["rider_id"]]:
            if stay["started_at"] <= trip["started_at"] and (
                stay["ended_at"] is None or trip["started_at"] < stay["ended_at"]
            ):
                unlock, per_min = prices[stay["package"]]
                packaged += 1
        assert trip["duration_s"] == (trip["ended_at"] - trip["started_at"]).total_seconds()
        assert trip["revenue"] == pytest.approx(
            unlock + per_min * trip["duration_s"] / 60, abs=0.0051
        )
    assert 0.2 < packaged / len(town.tables["trips"]) < 0.8


def test_trip_payments_tie_to_trips(town):
    paid = [row for row in town.rows("payments") if row["payment_kind"] == "trip"]
    trips = town.rows("trips")
    assert len(paid) == len(trips)
    assert round(sum(row["amount"] for row in paid), 2) == round(
        sum(trip["revenue"] for trip in trips), 2
    )


def test_figures_are_plausible(town):
    trips = town.rows("trips")
    km = np.array([trip["distance_m"] for trip in trips]) / 1000
    minutes = np.array([trip["duration_s"] for trip in trips]) / 60
    assert 1.1 < km.mean() < 2.5
    assert 5 < minutes.mean() < 12
    assert 4 < np.median(km / minutes * 60) < 20
    assert 2.5 < len(trips) / town.spec.vehicles / town.spec.days < 6
    parkings = [(Point(p["lat"], p["lon"]), p["radius_m"]) for p in town.rows("parkings")]
    sample = trips[::25]
    outside = [
        all(Point(t["end_lat"], t["end_lon"]).distance_m(at) > r + 15 for at, r in parkings)
        for t in sample
    ]
    assert 0.15 < np.mean(outside) < 0.27


def test_rain_keeps_riders_away(town):
    trips = Counter(t["started_at"].replace(minute=0, second=0) for t in town.rows("trips"))
    dry, wet = defaultdict(list), defaultdict(list)
    for row in town.rows("weather"):
        (wet if row["rain_mm"] > 0.5 else dry)[row["hour_at"].hour].append(trips[row["hour_at"]])
    both = sorted(set(dry) & set(wet))
    assert sum(np.mean(wet[h]) for h in both) < 0.9 * sum(np.mean(dry[h]) for h in both)
