"""Stays under contract and purchases, made by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.features.test_riders import AT, NOW, ago, trip

from fleetdesk.features.stays import cancellations, purchases, stays
from fleetdesk.model.tables import TABLES
from fleetdesk.settings.schema import Settings

MONTH = 365.25 / 12


@pytest.fixture
def told(table, run):
    def rows(parts, records_from: datetime | None = None):
        tables = {name: table(name, []) for name in TABLES}
        tables["riders"] = table("riders", [{"rider_id": "r", "signed_up_at": ago(900)}])
        tables["subscriptions"] = table("subscriptions", parts)
        found = run(stays(tables, AT, records_from))
        return sorted(found, key=lambda row: row["stay_no"])

    return rows


def part(number, package, start, end=None, cause=None):
    return {
        "subscription_id": f"s{number}", "rider_id": "r", "package": package,
        "started_at": start, "ended_at": end, "end_cause": cause,
    }  # fmt: skip


def test_an_upgrade_continues_a_stay_and_cancelling_ends_it(told):
    first, second, third = told(
        [
            part(1, "Light", ago(10 * MONTH), ago(8 * MONTH), "upgraded"),
            part(2, "Power", ago(8 * MONTH), ago(5 * MONTH), "cancelled"),
            part(3, "Light", ago(4 * MONTH), ago(3 * MONTH), "cancelled"),
            part(4, "Power", ago(2 * MONTH)),
        ]
    )
    assert first["months"] == pytest.approx(5.0) and first["cancelled"]
    assert first["package"] == "Light"
    assert second["months"] == pytest.approx(1.0) and second["cancelled"]
    assert third["months"] == pytest.approx(2.0) and not third["cancelled"]
    assert third["entry_months"] == 0.0


def test_what_ends_after_the_moment_is_not_known_yet(told):
    later = NOW + timedelta(days=3)
    (row,) = told([part(1, "Light", ago(MONTH), later, "cancelled")])
    assert not row["cancelled"] and row["months"] == pytest.approx(1.0)


def test_stays_from_before_the_records_are_seen_from_then_on(told):
    since = (ago(3 * MONTH)).replace(tzinfo=UTC)
    rows = told([part(1, "Light", ago(5 * MONTH)), part(2, "Power", ago(1 * MONTH))], since)
    assert rows[0]["entry_months"] == pytest.approx(2.0)


def test_who_changes_package_has_not_left_and_who_left_for_unknown_cause_has(table, run):
    since = AT - timedelta(days=30)
    parts = [
        part(1, "Light", ago(60), ago(10), "cancelled"),
        part(2, "Light", ago(60), ago(10), "upgraded"),
        part(3, "Light", ago(60), ago(10)),
        part(4, "Light", ago(60), ago(40), "cancelled"),  # gone before
        part(5, "Light", ago(20), ago(10), "cancelled"),  # not there yet
        part(6, "Power", ago(60)),
    ]
    found = run(cancellations({"subscriptions": table("subscriptions", parts)}, since, AT))
    assert {row["package"]: (row["held"], row["gone"]) for row in found} == {
        "Light": (3, 2), "Power": (1, 0),
    }  # fmt: skip


def test_purchases_count_days_after_the_first(table, run):
    day = NOW.replace(hour=12)
    trips = [
        trip(1, "r", day - timedelta(days=30), 1.0, revenue=3.0),
        trip(2, "r", day - timedelta(days=16), 1.0, revenue=4.0),
        trip(3, "r", day - timedelta(days=16, hours=2), 1.0, revenue=6.0),
        trip(4, "once", day - timedelta(days=9), 1.0, revenue=5.0),
        trip(5, "r", day + timedelta(days=1), 1.0, revenue=99.0),
    ]
    rows = {r["rider_id"]: r for r in run(purchases(table("trips", trips), AT, Settings()))}
    assert rows["r"]["repeats"] == 1 and rows["r"]["spend"] == pytest.approx(10.0)
    assert rows["r"]["recency_weeks"] == pytest.approx(2.0)
    assert rows["r"]["age_weeks"] == pytest.approx(30 / 7)
    assert rows["once"]["repeats"] == 0 and rows["once"]["spend"] is None
