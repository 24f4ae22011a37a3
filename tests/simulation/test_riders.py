"""Riders subscribe, pay, cool and leave, in a way that could be learnt."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from fleetdesk.simulation.city import PACKAGES, demo_city
from fleetdesk.simulation.engine import World, build_city, open_city, run_hour
from fleetdesk.simulation.generate import generate
from fleetdesk.simulation.riders import DAY, leaving_hazard

MONTH = timedelta(days=30)


def test_stays_in_packages_follow_each_other(town):
    stays = defaultdict(list)
    for row in town.rows("subscriptions"):
        stays[row["rider_id"]].append(row)
    signed_up = {r["rider_id"]: r["signed_up_at"] for r in town.rows("riders")}
    for rider, rows in stays.items():
        rows.sort(key=lambda row: row["started_at"])
        assert signed_up[rider] <= rows[0]["started_at"]
        for row in rows:
            assert (row["ended_at"] is None) == (row["end_cause"] is None)
        for a, b in pairwise(rows):
            assert a["ended_at"] <= b["started_at"]
            step = _level(b["package"]) - _level(a["package"])
            assert {"upgraded": step == 1, "downgraded": step == -1}.get(a["end_cause"], True)
    causes = Counter(row["end_cause"] for row in town.rows("subscriptions"))
    assert {"cancelled", "upgraded", "downgraded", None} == set(causes)
    assert {row["package"] for row in town.rows("subscriptions")} == {p.name for p in PACKAGES}


def test_packages_are_billed_every_30_days_at_their_price(town):
    due = defaultdict(list)
    for row in town.rows("payments"):
        if row["payment_kind"] == "package":
            due[row["rider_id"], row["due_at"]].append(row["amount"])
    price = {p.name: p.monthly_price for p in PACKAGES}
    expected = {}
    for row in town.rows("subscriptions"):
        at = row["started_at"]
        while at < (row["ended_at"] or town.spec.ends_at):
            if town.spec.starts_at <= at < town.spec.ends_at:
                expected[row["rider_id"], at] = [price[row["package"]]]
            at += MONTH
    assert due == expected
    assert len(expected) > 100


def test_some_pay_late_and_a_few_never(town):
    rows = [row for row in town.rows("payments") if row["payment_kind"] == "package"]
    early = [row for row in rows if row["due_at"] < town.spec.starts_at + timedelta(days=5)]
    late = [r for r in early if not r["paid_at"] or r["paid_at"] - r["due_at"] > timedelta(days=2)]
    assert 0.03 < len(late) / len(early) < 0.3
    assert all(r["paid_at"] is None or r["due_at"] < r["paid_at"] < town.spec.ends_at for r in rows)


def test_nobody_rides_before_signing_up(town):
    signed_up = {r["rider_id"]: r["signed_up_at"] for r in town.rows("riders")}
    assert all(signed_up[t["rider_id"]] < t["started_at"] for t in town.rows("trips"))
    assert sum(at > town.spec.starts_at for at in signed_up.values()) > 50


def test_cooling_complaints_and_late_payments_raise_the_hazard_and_referrals_lower_it():
    city = build_city(demo_city(vehicles=20, days=2), 1)
    riders = open_city(city).riders
    plain = leaving_hazard(city.people, riders, 0)
    for name, change, sign in (("activity", -0.4, 1), ("complaints", 1.0, 1), ("late", 1.0, 1)):
        world = open_city(city)
        setattr(world.riders, name, getattr(world.riders, name) + change)
        assert (sign * (leaving_hazard(city.people, world.riders, 0) - plain) >= 0).all()
        assert leaving_hazard(city.people, world.riders, 0).mean() > 1.2 * plain.mean()
    kind = city.people.referrals >= 2
    assert plain[kind].mean() < plain[~kind].mean()


@pytest.fixture(scope="module")
def six_weeks() -> World:
    spec = replace(demo_city(vehicles=150, days=43, demand_per_vehicle=6.0), subscriber_share=0.9)
    world = open_city(build_city(spec, 2))
    for hour in range(24 * 42):
        run_hour(world, hour)
    return world


def test_riders_who_cancel_had_been_riding_less(six_weeks):
    """What a churn model is to find: the last ten days before leaving are thinner."""
    trips = defaultdict(list)
    for row in six_weeks.log.trips:
        trips[row.rider].append(row.started / DAY)
    left = [
        (r.rider, r.ended / DAY)
        for r in six_weeks.riders.ended
        if r.cause == "cancelled" and r.ended - r.started > 20 * DAY
    ]
    stayed = [(rider, 30.0) for rider in six_weeks.riders.subscriptions]
    assert _late_share(trips, left) < _late_share(trips, stayed) - 0.04


def test_monthly_churn_is_of_a_plausible_size(six_weeks):
    subscribed = len(six_weeks.riders.subscriptions)
    left = sum(r.cause == "cancelled" and r.ended >= 0 for r in six_weeks.riders.ended)
    assert 0.02 < left / subscribed * 30 / 42 < 0.15
    assert np.isfinite(six_weeks.riders.activity).all()


def test_who_takes_a_package_later_rode_more_before(town):
    """A reason that a model can find."""
    took = {row["rider_id"]: row["started_at"] for row in reversed(town.taken_later())}
    held = {row["rider_id"] for row in town.rows("subscriptions")}
    rode = defaultdict(list)
    for trip in town.rows("trips"):
        rode[trip["rider_id"]].append(trip["started_at"])

    def trips(rider, until):
        return sum(until - 10 * timedelta(days=1) < at < until for at in rode[rider])

    takers = [trips(rider, at) for rider, at in took.items()]
    middle = town.spec.starts_at + timedelta(days=20)
    others = [trips(rider, middle) for rider in rode if rider not in held]
    assert len(takers) > 20
    assert np.mean(takers) > 1.3 * np.mean(others)


def test_packages_taken_later_change_no_record_of_the_fleet(monkeypatch):
    spec = demo_city(vehicles=20, days=12, demand_per_vehicle=6.0)

    def records():
        made = list(generate(spec, 3))
        return {
            name: pa.concat_tables([b.tables[name] for b in made if name in b.tables])
            for name in ("trips", "events", "telemetry", "rider_swaps", "complaints", "payments")
        }

    with_them = records()
    monkeypatch.setattr("fleetdesk.simulation.riders._TAKEN_PER_DAY", 0.0)
    without = records()
    assert with_them.pop("payments").num_rows > without.pop("payments").num_rows
    assert all(with_them[name].equals(without[name]) for name in without)


def test_complaints_and_cabinet_swaps_are_attached(town):
    complaints = town.rows("complaints")
    assert len({row["topic"] for row in complaints}) >= 3
    assert any(row["vehicle_id"] is None for row in complaints)
    cabinets = {p["parking_id"] for p in town.rows("parkings") if p["swap_cabinet"]}
    for row in town.rows("rider_swaps"):
        assert row["parking_id"] in cabinets
        assert row["battery_after_pct"] > row["battery_before_pct"]


def _late_share(trips, ends) -> float:
    """Of the trips in the 20 days before each end, the share in the last 10."""
    days = [end - at for rider, end in ends if end > 20 for at in trips[rider]]
    early, late = (sum(low <= day < low + 10 for day in days) for low in (10, 0))
    return late / (early + late)


def _level(package: str) -> int:
    return [p.name for p in PACKAGES].index(package)
