from __future__ import annotations

import pytest

from fleetdesk.features.trips import countable, priced
from fleetdesk.settings.schema import Costs

COSTS = Costs(
    unlock_price=1, price_per_min=0.2, price_per_km=0.5, riding_speed_kmh=12, vat_pct=25,
    payment_fee_pct=2, cost_per_trip=0.15,
)  # fmt: skip


def test_empty_revenue_is_priced_and_recorded_revenue_is_kept(table, run):
    trips = table(
        "trips",
        [
            {"trip_id": "by time", "duration_s": 600.0, "distance_m": 3000.0},
            {"trip_id": "by distance", "duration_s": 0.0, "distance_m": 3000.0},
            {"trip_id": "recorded", "duration_s": 600.0, "distance_m": 3000.0, "revenue": 9.0},
            {"trip_id": "free", "duration_s": 600.0, "distance_m": 3000.0, "revenue": 0.0},
        ],
    )
    found = {row["trip_id"]: row for row in run(priced(trips, COSTS))}
    assert found["by time"]["revenue"] == pytest.approx(1 + 10 * 0.2 + 3 * 0.5)
    assert found["by distance"]["revenue"] == pytest.approx(1 + 15 * 0.2 + 3 * 0.5)
    assert found["recorded"]["revenue"] == 9.0
    assert found["free"]["revenue"] == 0.0
    # 9.00 holds 1.80 of tax at 25 % on top; the fee is 2 % of what the rider pays.
    assert found["recorded"]["net_revenue"] == pytest.approx(9 - 1.8 - 0.18 - 0.15)


def test_trips_across_a_feed_gap_do_not_count(table, run):
    trips = table("trips", [{"trip_id": "gap:v:1"}, {"trip_id": "trip:v:2"}, {"trip_id": "7"}])
    assert {row["trip_id"] for row in run(countable(trips))} == {"trip:v:2", "7"}


def test_nothing_in_typed_nothing_out(table, run):
    empty = priced(table("trips", []), COSTS)
    assert run(empty) == []
    assert empty.schema()["net_revenue"].is_floating()
