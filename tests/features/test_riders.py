"""Hand-made riders whose features can be worked out on paper."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import ibis
import pytest
from tests.features.conftest import build

from fleetdesk.features.rider_outcomes import outcomes
from fleetdesk.features.riders import COLUMNS, DERIVED, riders_at, riders_over
from fleetdesk.model.tables import TABLES
from fleetdesk.settings.schema import Settings

AT = datetime(2026, 6, 1, tzinfo=UTC)  # a Monday
NOW = AT.replace(tzinfo=None)


def ago(days: float, hours: float = 0.0) -> datetime:
    return NOW - timedelta(days=days, hours=hours)


def trip(number: int, rider: str, start: datetime, km: float, minutes: float = 10.0, **more):
    return {
        "trip_id": f"t{number}", "rider_id": rider, "vehicle_id": "v1", "started_at": start,
        "ended_at": start + timedelta(minutes=minutes), "distance_m": km * 1000.0,
        "duration_s": minutes * 60.0, "revenue": 2.0,
    } | more  # fmt: skip


@pytest.fixture
def riders():
    """`riders(at=AT, **rows)` -> each rider's row by id; the engine is DuckDB."""

    def rows(at: datetime = AT, records_from: datetime | None = None, **given):
        given.setdefault("riders", [{"rider_id": "r", "signed_up_at": ago(400), "consent": True}])
        engine = ibis.duckdb.connect()
        tables = {
            name: engine.create_table(name, build(name, given.get(name, []))) for name in TABLES
        }
        found = engine.to_pyarrow(riders_at(tables, at, Settings(), records_from))
        assert found.schema.names == list(COLUMNS)
        return {row["rider_id"]: row for row in found.to_pylist()}

    return rows


def test_who_did_nothing_has_zero_km_and_no_ratios(riders):
    row = riders()["r"]
    assert (row["km_30d"], row["trips_90d"], row["complaints_30d"]) == (0.0, 0, 0)
    assert all(row[name] is None for name in DERIVED)
    assert row["days_since_last_trip"] is None and row["package"] is None


def test_the_ten_features_by_hand(riders):
    vehicle = {"vehicle_id": "v1", "full_range_m": 40_000.0, "battery_capacity_wh": 500.0}
    used = {"start_battery_pct": 80.0, "end_battery_pct": 70.0}
    trips = [
        # Thursday 09:00 (a peak), Saturday, and one in the month before.
        trip(1, "r", ago(4, -9.0), 4.0, 20.0, **used),
        trip(2, "r", ago(2, -12.0), 2.0, 10.0, **used),
        trip(3, "r", ago(33, -12.0), 3.0, 15.0, **used),
    ]
    swaps = [{"swap_id": f"s{n}", "rider_id": "r", "swapped_at": ago(n + 1)} for n in range(3)]
    payments = [
        {"payment_id": "p", "rider_id": "r", "due_at": ago(10), "amount": 26.0,
         "payment_kind": "package", "paid_at": ago(7)},
    ]  # fmt: skip
    events = [
        {"event_id": "e1", "vehicle_id": "v1", "event_at": ago(10), "vehicle_state": "available",
         "event_types": "service_start"},
        {"event_id": "e2", "vehicle_id": "v1", "event_at": ago(2),
         "vehicle_state": "non_operational", "event_types": "maintenance"},
    ]  # fmt: skip
    people = [{"rider_id": "r", "signed_up_at": ago(400), "consent": True, "referrals": 3}]
    row = riders(
        trips=trips, rider_swaps=swaps, payments=payments, vehicles=[vehicle], events=events,
        riders=people,
    )["r"]  # fmt: skip
    assert (row["km_30d"], row["km_60d"], row["trips_30d"]) == (6.0, 9.0, 2)
    assert row["spend_30d"] == pytest.approx(30.0)
    assert row["avg_speed_kmh"] == pytest.approx(12.0)
    assert row["swaps_per_week"] == pytest.approx(0.7)
    assert row["usage_intensity"] == pytest.approx(0.2 * 0.7 * 12.0 / 1000.0)
    assert row["efficiency_km_per_wh"] == pytest.approx(6.0 / (3 * 500.0))
    assert row["peak_pct"] == pytest.approx(4.0 / 9.0 * 100.0)
    days = [4.0, 2.0] + [0.0] * 28
    mean = sum(days) / 30
    deviation = (sum((day - mean) ** 2 for day in days) / 29) ** 0.5
    assert row["consistency"] == pytest.approx(1 / (deviation / mean + 0.1))
    # 9 km on 30 % of charge tell of 30 km, three quarters of 40; up 8 of 10 days.
    assert row["battery_health_pct"] == pytest.approx(75.0)
    assert row["uptime_pct"] == pytest.approx(80.0)
    assert row["value_score"] == pytest.approx(0.75 * 0.8 / 30.0)
    assert row["engagement"] == pytest.approx((2 + 3 + 3) / 2)
    assert row["growth_pct"] == pytest.approx(100.0)
    assert row["weekend_index"] == pytest.approx((2.0 / 2) / (7.0 / 5))
    assert row["km_per_trip"] == pytest.approx(3.0)
    assert row["swap_efficiency_pct"] == pytest.approx(9.0 / 3 / 40.0 * 100.0)
    assert row["late_payments_30d"] == 1 and row["payment_delay_days"] == pytest.approx(3.0)


def test_nothing_after_the_moment_counts(riders):
    trips = [
        trip(1, "r", ago(1), 1.0),
        trip(2, "r", ago(0, 0.1), 9.0),  # still under way at the moment
        trip(3, "r", NOW + timedelta(hours=1), 9.0),
    ]
    row = riders(
        trips=trips,
        complaints=[{"complaint_id": "c", "rider_id": "r", "filed_at": NOW + timedelta(days=1)}],
        payments=[{"payment_id": "p", "rider_id": "r", "due_at": ago(5), "amount": 1.0,
                   "payment_kind": "package", "paid_at": NOW + timedelta(days=9)}],
        subscriptions=[{"subscription_id": "s", "rider_id": "r", "package": "Light",
                        "started_at": ago(20), "ended_at": NOW + timedelta(days=2)}],
        riders=[{"rider_id": "r", "signed_up_at": ago(50)},
                {"rider_id": "later", "signed_up_at": NOW + timedelta(days=1)}],
    )  # fmt: skip
    assert list(row) == ["r"]
    assert row["r"]["km_30d"] == 1.0 and row["r"]["complaints_30d"] == 0
    assert row["r"]["payment_delay_days"] == pytest.approx(5.0)
    assert row["r"]["package"] == "Light"


def test_zero_weekday_km_leaves_the_weekend_index_missing(riders):
    row = riders(trips=[trip(1, "r", ago(2, -12.0), 2.0)])["r"]
    assert row["weekend_index"] is None and row["peak_pct"] == 0.0


def test_a_new_rider_has_no_growth_and_rates_of_the_days_seen(riders):
    row = riders(
        trips=[trip(1, "r", ago(2), 10.0)], riders=[{"rider_id": "r", "signed_up_at": ago(10)}]
    )["r"]
    assert row["daily_km"] == pytest.approx(1.0)
    assert row["growth_pct"] is None and row["swap_change_pct"] is None


def test_windows_that_the_records_do_not_reach_back_to_are_missing(riders):
    rows = {"trips": [trip(1, "r", ago(2), 10.0)]}
    row = riders(records_from=AT - timedelta(days=40), **rows)["r"]
    assert row["km_30d"] == 10.0
    assert row["km_60d"] is None and row["trips_90d"] is None and row["growth_pct"] is None
    assert row["km_per_trip"] == pytest.approx(10.0)


def test_of_two_packages_the_one_begun_last_counts(riders):
    stays = [
        {"subscription_id": "a", "rider_id": "r", "package": "Light", "started_at": ago(90)},
        {"subscription_id": "b", "rider_id": "r", "package": "Power", "started_at": ago(30)},
        {"subscription_id": "c", "rider_id": "r", "package": "Old", "started_at": ago(20),
         "ended_at": ago(10)},
    ]  # fmt: skip
    assert riders(subscriptions=stays)["r"]["package"] == "Power"


def test_several_moments_lie_below_each_other(table, run):
    tables = {name: table(name, []) for name in TABLES}
    tables["riders"] = table("riders", [{"rider_id": "r", "signed_up_at": ago(10)}])
    moments = [AT - timedelta(days=20), AT - timedelta(days=5), AT]
    rows = run(riders_over(tables, moments, Settings()))
    assert sorted(row["at"] for row in rows) == [ago(5), NOW]


def test_leaving_is_no_ride_or_a_package_cancelled(table, run):
    people = [{"rider_id": name, "signed_up_at": ago(100)} for name in "abcde"]
    after = NOW + timedelta(days=3)
    trips = [trip(n, name, ago(3), 1.0) for n, name in enumerate("abc")]
    trips += [trip(9, "a", after, 5.0), trip(10, "c", after, 2.0)]
    stays = [
        {"subscription_id": "1", "rider_id": "c", "started_at": ago(50), "ended_at": after,
         "end_cause": "cancelled"},
        {"subscription_id": "2", "rider_id": "d", "started_at": ago(50), "ended_at": None},
        {"subscription_id": "3", "rider_id": "a", "started_at": ago(50), "ended_at": after,
         "end_cause": "upgraded"},
    ]  # fmt: skip
    tables = {name: table(name, []) for name in TABLES}
    tables |= {
        "riders": table("riders", people),
        "trips": table("trips", trips),
        "subscriptions": table("subscriptions", stays),
    }
    rows = {row["rider_id"]: row for row in run(outcomes(tables, AT, 30, Settings().costs))}
    # e neither rode nor holds a package: not there, so cannot leave.
    assert {name: row["churned"] for name, row in rows.items()} == {
        "a": False, "b": True, "c": True, "d": True,
    }  # fmt: skip
    assert rows["a"]["spend_next"] == 2.0 and rows["c"]["cancelled"]
