from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fleetdesk.features.rider_periods import rider_periods
from fleetdesk.features.trips import priced
from fleetdesk.settings.schema import Costs

AS_OF = datetime(2026, 6, 20, tzinfo=UTC)


def trip(number, rider, days_ago, km, minutes=10.0):
    at = AS_OF.replace(tzinfo=None) - timedelta(days=days_ago)
    return {"trip_id": str(number), "vehicle_id": "v", "rider_id": rider, "started_at": at,
            "ended_at": at + timedelta(minutes=minutes), "distance_m": km * 1000.0,
            "duration_s": minutes * 60, "revenue": km}  # fmt: skip


def test_periods_are_counted_back_from_the_moment(table, run):
    trips = table(
        "trips",
        [
            trip(1, "a", 0.5, 1.0),
            trip(2, "a", 6.9, 2.0),
            trip(3, "a", 7.1, 4.0),
            trip(4, "b", 20.9, 8.0),
            trip(5, "b", 21.1, 16.0),  # before the periods
            trip(6, "b", -1.0, 32.0),  # after the moment
            trip(7, "b", 0.001, 64.0),  # still going on
            trip(8, None, 1.0, 128.0),
            trip("gap:9", "a", 1.0, 256.0),  # across a hole in the feed
        ],
    )
    rows = run(rider_periods(priced(trips, Costs()), AS_OF, 7, 3))
    found = {(row["rider_id"], row["period"]): (row["km"], row["trips"]) for row in rows}
    assert found == {("a", 0): (3.0, 2), ("a", 1): (4.0, 1), ("b", 2): (8.0, 1)}
    assert sum(row["revenue"] for row in rows) == 15
