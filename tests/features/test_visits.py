"""What crews did between two cycles, on days short enough to follow by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fleetdesk.features.cycles import cycles, timeline
from fleetdesk.features.trips import priced
from fleetdesk.features.visits import visits
from fleetdesk.settings.schema import Costs

T0 = datetime(2024, 6, 3)
END = datetime(2024, 6, 8, tzinfo=UTC)
FREE, OUT, GONE = "available", "non_operational", "removed"
DROP, PICK = "provider_drop_off", "rebalance_pick_up"


@pytest.fixture
def found(history, run):
    def make(events, trips=(), horizon_h=24.0):
        events, trips = history(events, trips)
        trips = priced(trips, Costs())
        rows = run(visits(cycles(timeline(events, END), trips, END), trips, END, horizon_h))
        return sorted(rows, key=lambda row: (row["vehicle_id"], row["cycle_no"]))

    return make


def at(hours):
    return T0 + timedelta(hours=hours)


def test_a_move_counts_the_money_up_to_the_horizon_after_its_start(found):
    (row,) = found(
        [(0, FREE, DROP, 60, "sx0r4m1"), (10, GONE, PICK, 55, "sx0r4m1"),
         (12, FREE, DROP, 55, "sx0r4z9"), (80, OUT, "battery_low", 4, "sx0r4z9")],
        [(1, 2, 9.0), (13, 14, 3.0), (33, 34, 2.0), (35, 36, 7.0)],
    )  # fmt: skip
    assert (row["started_at"], row["done_at"], row["until_at"]) == (at(10), at(12), at(34))
    assert (row["task_h"], row["revenue"], row["cycle_revenue"]) == (2, 5.0, 12.0)
    assert (row["cell_before"], row["cell_after"]) == ("sx0r4m1", "sx0r4z9")
    assert (row["rentable_before"], row["settled"], row["goes_on"]) == (True, True, False)
    assert row["next_at"] is None


def test_a_swap_on_the_spot_and_the_crew_that_comes_again(found):
    first, second = found(
        [(0, FREE, DROP, 90), (5, "on_trip", "trip_start", 40), (6, FREE, "trip_end", 20),
         (8, FREE, "battery_charged", 98), (18, GONE, PICK, 50), (20, FREE, DROP, 99)],
        [(9, 10, 4.0), (21, 22, 6.0)],
    )  # fmt: skip
    assert (first["battery_before_pct"], first["battery_after_pct"]) == (20, 98)
    assert (first["until_at"], first["goes_on"], first["revenue"]) == (at(18), True, 4.0)
    assert (first["battery_until_pct"], first["next_at"]) == (50, at(18))
    assert (second["revenue"], second["goes_on"]) == (6.0, False)


def test_out_of_service_and_charged_at_once_is_a_crew_at_a_rentable_vehicle(found):
    (row,) = found(
        [(0, FREE, DROP, 80), (9, OUT, "maintenance", 30), (9.1, FREE, "battery_charged", 99)]
    )
    assert row["rentable_before"]
    assert row["started_at"] == at(9)


def test_a_vehicle_that_waited_out_of_charge_earned_nothing_before(found):
    (row,) = found(
        [(0, FREE, DROP, 80), (9, OUT, "battery_low", 3), (15, FREE, "battery_charged", 99)]
    )
    assert not row["rentable_before"]
    assert row["started_at"] == row["done_at"] == at(15)


def test_a_view_that_comes_back_is_no_service(found):
    assert not found([(0, FREE, DROP, 80), (9, "missing", "not_located"), (12, FREE, "located")])


def test_what_is_too_young_is_not_settled(found):
    (row,) = found([(0, FREE, DROP, 80), (110, GONE, PICK, 30), (111, FREE, DROP, 99)])
    assert not row["settled"]
    assert row["until_at"] == at(120)


def test_no_records_no_visits(found):
    assert found([]) == []
