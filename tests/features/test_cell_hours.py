from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fleetdesk.features.calendar import calendar
from fleetdesk.features.cell_hours import cell_hours
from fleetdesk.features.cycles import timeline
from fleetdesk.features.trips import priced
from fleetdesk.settings.schema import Costs

T0 = datetime(2024, 6, 3)
START, END = T0.replace(tzinfo=UTC), datetime(2024, 6, 4, tzinfo=UTC)


@pytest.fixture
def snapshots(history, run):
    def make(events, trips=()):
        event_table, trip_table = history(events, trips)
        hours = calendar(START, END, "Europe/Athens")
        found = cell_hours(timeline(event_table, END), priced(trip_table, Costs()), hours, END)
        return sorted(run(found), key=lambda row: (row["vehicle_id"], row["hour_at"]))

    return make


def test_one_row_per_full_hour_while_operational(snapshots):
    rows = snapshots(
        [
            (0.5, "available", "provider_drop_off", 90.0, "aaaaaaa"),
            (2.0, "on_trip", "trip_start", None, "aaaaaaa"),
            (2.5, "available", "trip_end", 70.0, "bbbbbbb"),
            (4.0, "non_operational", "maintenance", 70.0, "bbbbbbb"),
            (22.0, "available", "maintenance", 70.0, "bbbbbbb"),
        ],
        [(2.0, 2.5, 3.0), (22.5, 22.75, 4.0)],
    )
    at = [(row["hour_at"] - T0) / timedelta(hours=1) for row in rows]
    assert at == [1, 2, 3, 22, 23]
    assert [row["cell"] for row in rows] == ["aaaaaaa", "aaaaaaa", "bbbbbbb", "bbbbbbb", "bbbbbbb"]
    assert [row["battery_pct"] for row in rows] == [90.0, 90.0, 70.0, 70.0, 70.0]
    assert [row["hours_to_end"] for row in rows] == [3, 2, 1, 2, 1]
    # The trip that starts at 02:00 is still to come for the snapshot of 02:00.
    assert [row["revenue_to_end"] for row in rows] == [3, 3, 0, 4, 0]
    assert [row["trips_to_end"] for row in rows] == [1, 1, 0, 1, 0]
    assert [row["event_observed"] for row in rows] == [True, True, True, False, False]
    assert [row["local_hour"] for row in rows] == [4, 5, 6, 1, 2]
    assert [row["local_weekday"] for row in rows] == [1, 1, 1, 2, 2]


def test_vehicles_do_not_mix_and_hours_outside_the_calendar_do_not_show(snapshots):
    rows = snapshots(
        [
            ("a", -5, "available", "provider_drop_off"),
            ("a", 1.5, "removed", "rebalance_pick_up"),
            ("b", 22.5, "available", "provider_drop_off"),
        ],
        [("a", 1.0, 1.25, 2.0), ("b", 22.75, 23.5, 7.0)],
    )
    assert [(row["vehicle_id"], row["revenue_to_end"]) for row in rows] == [
        ("a", 2.0), ("a", 2.0), ("b", 0.0),
    ]  # fmt: skip


def test_nothing_in_typed_nothing_out(history, run):
    events, trips = history([], [])
    empty = cell_hours(
        timeline(events, END), priced(trips, Costs()), calendar(START, END, "UTC"), END
    )
    assert run(empty) == []
    assert empty.schema()["hours_to_end"].is_floating()
    assert empty.schema()["trips_to_end"].is_integer()
