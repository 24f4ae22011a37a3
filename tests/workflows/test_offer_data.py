"""Who took a package and what they and others paid after, worked out on paper."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fleetdesk.outputs.tables.offers import ArmRow, offer_sheets
from fleetdesk.settings.package_sheets import Usage
from fleetdesk.settings.schema import Settings
from fleetdesk.workflows.offer_data import best_offers, package_takers
from tests.workflows.test_package_answers import NOW, record_of

SETTINGS = Settings(usage=Usage(horizon_days=14))


def trip(number, rider, days_ago, revenue=None, km=2.0):
    at = NOW - timedelta(days=days_ago)
    return {
        "trip_id": f"t{number}", "vehicle_id": "v", "rider_id": rider, "started_at": at,
        "ended_at": at + timedelta(minutes=10), "distance_m": 1000.0 * km, "duration_s": 600.0,
        "revenue": revenue, "inferred": False,
    }  # fmt: skip


def test_riders_who_went_silent_paid_nothing_and_trips_without_a_price_cost_the_lists():
    record = record_of(
        {
            "riders": [
                {"rider_id": name, "signed_up_at": NOW - timedelta(days=90), "referrals": 0}
                for name in ("took", "silent", "rides", "gone")
            ],
            "trips": [
                *(trip(n, name, 30) for n, name in enumerate(("took", "silent", "rides", "gone"))),
                *(trip(10 + n, name, 21) for n, name in enumerate(("took", "silent", "rides"))),
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
    # Who had gone before packages were taken could not have taken one.
    assert rows["taken"].to_dict() == {"took": True, "silent": False, "rides": False}
    assert rows["spend_next"].to_dict() == pytest.approx(
        {"took": 7.0, "silent": 0.0, "rides": by_list}
    )


def arm(name, made, mean, segment="all", reach=1.0):
    return ArmRow(segment, name, made, None, mean, mean - reach, mean + reach, 25.0)


def test_an_offer_never_made_does_not_win_and_none_is_what_others_are_compared_with():
    rows = [arm("none", 20, 2.0), arm("new", 0, 9.0), arm("week", 15, 5.0), arm("rare", 2, 7.0)]
    assert best_offers(rows)["all"].arm == "rare"
    best = best_offers(rows, 10)["all"]
    assert (best.arm, best.gain) == ("week", 3.0)
    assert best.low == pytest.approx(3.0 - 2**0.5) and best.high == pytest.approx(3.0 + 2**0.5)


def test_where_nobody_was_left_without_an_offer_there_is_nothing_to_compare_with():
    assert best_offers([arm("none", 0, 2.0), arm("week", 15, 5.0)]) == {}


def test_offers_made_to_too_few_are_not_told():
    rows = [arm("none", 20, 2.0), arm("new", 0, 9.0), arm("week", 15, 5.0), arm("rare", 2, 7.0)]
    told = {row[2]: row for row in offer_sheets(rows, (), (), SETTINGS)[0].rows}
    # The next smallest is hidden too: the number of all offers stands in the headline.
    assert told["rare"][3:8] == told["week"][3:8] == (None,) * 5
    assert told["new"][3:8] == (0, *[None] * 4)
    assert told["none"][3] == 20
