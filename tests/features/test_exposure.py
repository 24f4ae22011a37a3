from __future__ import annotations

from datetime import UTC, datetime

import ibis
import pytest

from fleetdesk.features.calendar import calendar
from fleetdesk.features.cycles import timeline
from fleetdesk.features.exposure import exposure
from fleetdesk.features.flows import flows
from fleetdesk.features.stock import stock
from fleetdesk.features.trips import priced
from fleetdesk.settings.schema import Costs

START, END = datetime(2024, 6, 3, tzinfo=UTC), datetime(2024, 6, 3, 12, tzinfo=UTC)
A, B = "sx0r4m1", "sx0r4m2"
EVENTS = [
    ("a", 0.25, "available", "provider_drop_off", 90.0, A),
    ("a", 2.5, "reserved", "reservation_start", None, A),
    ("a", 2.75, "on_trip", "trip_start", 89.0, A),
    ("a", 3.25, "available", "trip_end", 70.0, B),
    ("a", 4.0, "non_operational", "maintenance", 70.0, B),
    ("b", 2.0, "available", "provider_drop_off", 50.0, A),
    ("b", 3.0, "on_trip", "trip_start", 50.0, A),
    ("b", 11.5, "available", "trip_end", 30.0, A),
]


@pytest.fixture
def stood(history):
    events, _ = history(EVENTS, [])
    return exposure(timeline(events, END), calendar(START, END, "UTC"))


def test_only_free_hours_count_and_rows_end_with_the_hour(stood, run):
    rows = sorted(run(stood), key=lambda row: (row["vehicle_id"], row["hour_at"]))
    mine = [row for row in rows if row["vehicle_id"] == "a"]
    assert [row["available_h"] for row in mine] == pytest.approx([0.75, 1.0, 0.5, 0.75])
    assert [row["taken"] for row in mine] == [0, 0, 1, 0]
    assert [row["battery_pct"] for row in mine] == [90.0, 90.0, 90.0, 70.0]
    other = [row for row in rows if row["vehicle_id"] == "b"]
    # Taken on the full hour, it was free for the whole of the hour before.
    assert [(row["available_h"], row["taken"]) for row in other] == [(1.0, 1), (0.5, 0)]


def test_a_battery_swapped_unseen_halves_the_stay(history, run):
    events, _ = history(
        [
            ("c", 1.0, "available", "trip_end", 15.0, A),
            ("c", 6.0, "on_trip", "trip_start", 95.0, A),
            ("c", 6.5, "available", "trip_end", 90.0, B),
            ("c", 8.5, "non_operational", "maintenance", 98.0, B),  # a gauge's noise is no swap
        ],
        [],
    )
    rows = run(exposure(timeline(events, END), calendar(START, END, "UTC")))
    charges = [row["battery_pct"] for row in sorted(rows, key=lambda row: row["hour_at"])]
    assert charges == [15.0, 15.0, None, 95.0, 95.0, 90.0, 90.0, 90.0]


def test_the_stock_counts_who_stood_there_together(stood, run):
    rows = {(row["slot"], row["vehicles"]): row for row in run(stock(stood, 6))}
    assert rows[0, 1]["hours"] == pytest.approx(0.75)
    # From 2:00 to 2:30 both stand there, then b alone; one is taken out of each.
    assert rows[2, 2]["hours"] == pytest.approx(0.5) and rows[2, 2]["taken"] == 1
    assert rows[2, 1]["hours"] == pytest.approx(0.5) and rows[2, 1]["taken"] == 1
    assert sum(row["hours"] for row in rows.values()) == pytest.approx(0.75 + 1 + 1 + 0.75 + 0.5)


def test_trips_carry_their_cycle_and_their_use(history, run):
    events, trips = history(EVENTS, [("a", 2.75, 3.25, 4.0), ("b", 3.0, 3.5, 2.0)])
    ledger, hours = timeline(events, END), calendar(START, END, "UTC")
    assert run(flows(priced(trips, Costs()), ledger, hours)) == []  # their cells are not known
    trips = priced(trips.mutate(start_cell=ibis.literal(A), end_cell=ibis.literal(B)), Costs())
    rows = run(flows(trips, ledger, hours))
    found = {row["vehicle_id"]: row for row in rows}
    assert found["a"]["cycle_no"] == 1 and found["a"]["local_hour"] == 2
    assert found["a"]["ridden_h"] == pytest.approx(0.5)
    assert found["b"]["local_hour"] == 3
