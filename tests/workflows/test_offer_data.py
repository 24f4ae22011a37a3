"""Who took a package and what they and others paid after, worked out on paper."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fleetdesk.settings.package_sheets import Usage
from fleetdesk.settings.schema import Settings
from fleetdesk.workflows.offer_data import package_takers
from tests.workflows.test_package_answers import NOW, record_of

SETTINGS = Settings(usage=Usage(horizon_days=14))


def trip(number, rider, days_ago, revenue=None):
    at = NOW - timedelta(days=days_ago)
    return {
        "trip_id": f"t{number}", "vehicle_id": "v", "rider_id": rider, "started_at": at,
        "ended_at": at + timedelta(minutes=10), "distance_m": 2000.0, "duration_s": 600.0,
        "revenue": revenue, "inferred": False,
    }  # fmt: skip


def test_riders_who_went_silent_paid_nothing_and_trips_without_a_price_cost_the_lists():
    record = record_of(
        {
            "riders": [
                {"rider_id": name, "signed_up_at": NOW - timedelta(days=90), "referrals": 0}
                for name in ("took", "silent", "rides")
            ],
            "trips": [
                *(trip(n, name, 30) for n, name in enumerate(("took", "silent", "rides"))),
                trip(7, "rides", 80),
                trip(8, "rides", 3),
                trip(9, "took", 3, revenue=7.0),
            ],
            "subscriptions": [
                {"subscription_id": "s", "rider_id": "took", "package": "Small",
                 "started_at": NOW - timedelta(days=20)}
            ],
        }
    )  # fmt: skip
    rows = package_takers(record, SETTINGS).set_index("rider_id")
    costs = SETTINGS.costs
    by_list = costs.unlock_price + 10 * costs.price_per_min + 2 * costs.price_per_km
    assert rows["taken"].to_dict() == {"took": True, "silent": False, "rides": False}
    assert rows["spend_next"].to_dict() == pytest.approx(
        {"took": 7.0, "silent": 0.0, "rides": by_list}
    )
