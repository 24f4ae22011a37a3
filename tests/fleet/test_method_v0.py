from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from fleetdesk.errors import NotEnoughData
from fleetdesk.fleet.history import History
from fleetdesk.fleet.method_v0 import Form, estimate
from fleetdesk.fleet.rate_sums import REGION_SUPPORT_TRIPS
from fleetdesk.settings.schema import City, Costs, Settings, Thresholds

T0 = datetime(2024, 6, 3)  # Monday
AS_OF = datetime(2024, 6, 4, tzinfo=UTC)
BUSY, QUIET = "sx0r4m1", "sx0r4zz"  # one region
GROSS = Settings(
    city=City(timezone="UTC", cell_precision=6),
    costs=Costs(use_net_revenue=False),
    thresholds=Thresholds(cell_support_h=10, usable_battery_pct=10),
)


def event(vehicle, hours, state, types, cell=BUSY):
    return {
        "event_id": f"{vehicle}{hours:06.2f}", "vehicle_id": vehicle, "cell": cell,
        "event_at": T0 + timedelta(hours=hours), "vehicle_state": state, "event_types": types,
    }  # fmt: skip


def trip(vehicle, hours, revenue, used=20.0, cell=BUSY, **more):
    return {
        "trip_id": f"{vehicle}{hours}", "vehicle_id": vehicle, "revenue": revenue,
        "started_at": T0 + timedelta(hours=hours), "ended_at": T0 + timedelta(hours=hours + 0.25),
        "start_cell": cell, "duration_s": 900.0, "distance_m": 3000.0,
        "start_battery_pct": 90.0, "end_battery_pct": 90.0 - used, **more,
    }  # fmt: skip


@pytest.fixture
def city(tables):
    """a: busy cell 0-4 h, trips of 4 and 2; b: quiet cell 0-8 h, one trip of 3."""
    return tables(
        events=[
            event("a", 0, "available", "provider_drop_off"),
            event("a", 4, "non_operational", "battery_low"),
            event("b", 0, "available", "provider_drop_off", QUIET),
            event("b", 8, "removed", "rebalance_pick_up", QUIET),
        ],
        trips=[trip("a", 1.5, 4.0), trip("a", 3.5, 2.0), trip("b", 2.5, 3.0, 40.0, QUIET)],
    )


def learn(city, settings=GROSS, as_of=AS_OF, **options):
    return estimate(History(city["events"], city["trips"], as_of), settings, **options)


# By hand. a: revenue to the end at 0, 1, 2, 3 h = 6, 6, 2, 2; hours to the end = 4, 3, 2, 1.
# b: revenue 3, 3, 3 then five zeros; hours 8 down to 1.
BUSY_RAW, QUIET_RAW, CITY_RAW = 16 / 10, 9 / 36, 25 / 46
BUSY_RATE = 4 / 14 * BUSY_RAW + 10 / 14 * CITY_RAW
PER_TRIP = 9 / 3
BATTERY_PER_TRIP = 80 / 3


def test_rates_equal_a_hand_computation(city):
    learnt = learn(city)
    assert set(learnt.rates) == {(BUSY[:6], 1), (QUIET[:6], 1)}
    busy, quiet = learnt.rates[BUSY[:6], 1], learnt.rates[QUIET[:6], 1]
    assert (busy.raw_per_h, busy.support_h) == (pytest.approx(BUSY_RAW), 4)
    assert (quiet.raw_per_h, quiet.support_h) == (pytest.approx(QUIET_RAW), 8)
    assert busy.per_h == pytest.approx(BUSY_RATE)
    assert quiet.per_h == pytest.approx(8 / 18 * QUIET_RAW + 10 / 18 * CITY_RAW)
    assert learnt.city[1].per_h == pytest.approx(CITY_RAW)
    assert learnt.overall.support_h == 12
    assert learnt.any_region.revenue_per_trip == pytest.approx(PER_TRIP)
    assert learnt.any_region.battery_per_trip_pct == pytest.approx(BATTERY_PER_TRIP)


def test_a_value_by_hand_and_its_explanation(city):
    learnt = learn(city)
    monday = datetime(2024, 6, 10, 8, tzinfo=UTC)
    battery = 10 + BATTERY_PER_TRIP  # exactly one trip above the usable charge
    mean = BUSY_RATE * 6 / PER_TRIP
    value = learnt.value(BUSY, battery, monday, 6)
    assert value == pytest.approx((1 - math.exp(-mean)) * PER_TRIP)
    why = learnt.explain(BUSY, battery, monday, 6)
    assert why.value == value
    assert why.rate_per_h == pytest.approx(BUSY_RATE)
    assert why.trips_expected == pytest.approx(mean)
    assert why.trips_allowed == pytest.approx(1)
    assert (why.hours, why.support_h, why.basis) == (6, 4, "cell")


def test_the_form_of_the_paper(city):
    learnt = learn(city, form=Form.PAPER_MIN)
    monday = datetime(2024, 6, 10, tzinfo=UTC)
    assert learnt.value(BUSY, 100, monday, 1) == pytest.approx(BUSY_RATE)
    per_pct = PER_TRIP / BATTERY_PER_TRIP
    assert learnt.value(BUSY, 15, monday, 24) == pytest.approx(per_pct * 5)
    assert learnt.estimator == "v0 min, gross"
    assert learn(city).estimator == "v0 E[min], gross"
    assert learn(city).value(BUSY, 15, monday, 24) < per_pct * 5


def test_a_cell_or_a_weekday_without_history_uses_the_city(city):
    learnt = learn(city)
    monday, tuesday = (datetime(2024, 6, day, 12, tzinfo=UTC) for day in (10, 11))
    unknown = learnt.explain("u1rdjjs", 90, monday, 2)
    assert unknown.rate_per_h == pytest.approx(CITY_RAW)
    assert (unknown.basis, unknown.support_h) == ("city", 0)
    assert learnt.explain(BUSY, 90, tuesday, 2).rate_per_h == pytest.approx(CITY_RAW)
    assert "Tuesdays" in learnt.notes[0]


def test_a_horizon_across_midnight_uses_both_days(tables):
    city = tables(
        events=[
            event("a", 0, "available", "provider_drop_off"),
            event("a", 10, "removed", "rebalance_pick_up"),
            event("a", 24, "available", "provider_drop_off"),
            event("a", 34, "removed", "rebalance_pick_up"),
        ],
        trips=[trip("a", 9.5, 1.0, 0.0), trip("a", 33.5, 3.0, 0.0)],
    )
    learnt = learn(city, as_of=datetime(2024, 6, 5, tzinfo=UTC))
    sunday, monday = (datetime(2024, 6, day, 22, tzinfo=UTC) for day in (9, 10))
    rates = {day: learnt.rates[BUSY[:6], day].per_h for day in (1, 2)}
    assert rates[1] == pytest.approx(10 / 55)
    assert rates[2] == pytest.approx(30 / 55)
    overall = learnt.overall.per_h
    assert learnt.value(BUSY, 90, monday, 5) == pytest.approx(2 * rates[1] + 3 * rates[2])
    assert learnt.value(BUSY, 90, sunday, 5) == pytest.approx(2 * overall + 3 * rates[1])
    assert learnt.explain(BUSY, 90, sunday, 5).basis == "cell and city"


def test_net_revenue_is_what_the_sheet_says(city):
    costs = Costs(use_net_revenue=True, vat_pct=25, payment_fee_pct=0, cost_per_trip=0.2)
    net = learn(city, GROSS.model_copy(update={"costs": costs}))
    assert net.any_region.revenue_per_trip == pytest.approx(PER_TRIP * 0.8 - 0.2)
    assert net.estimator.endswith("net")


def test_regions_lean_on_the_city(tables):
    far = "u1rdjjs"
    city = tables(
        events=[event("a", 0, "available", "provider_drop_off")],
        trips=[trip("a", hour, 2.0) for hour in range(1, 9)]
        + [trip("a", hour, 10.0, 40.0, far) for hour in (10, 11)],
    )
    learnt = learn(city)
    k, per_trip, used = REGION_SUPPORT_TRIPS, 36 / 10, 240 / 10
    assert learnt.regions["u1rdj"].revenue_per_trip == pytest.approx((20 + k * per_trip) / (2 + k))
    assert learnt.regions["u1rdj"].battery_per_trip_pct == pytest.approx((80 + k * used) / (2 + k))


def test_below_the_usable_charge_nothing_is_earned(city):
    monday = datetime(2024, 6, 10, tzinfo=UTC)
    for form in Form:
        values = learn(city, form=form).values(
            [BUSY] * 4, [0, 10, 10.5, 100], [monday] * 4, [24] * 4
        )
        assert values[:2].tolist() == [0, 0]
        assert 0 < values[2] < values[3]


def test_an_unknown_charge_does_not_bound(city):
    learnt = learn(city)
    monday = datetime(2024, 6, 10, tzinfo=UTC)
    assert learnt.value(BUSY, math.nan, monday, 20) == pytest.approx(20 * BUSY_RATE)


def test_trips_of_unknown_charge_leave_the_battery_out_and_say_so(tables):
    unknown = {"start_battery_pct": None, "end_battery_pct": None}
    city = tables(
        events=[event("a", 0, "available", "provider_drop_off")],
        trips=[trip("a", 3, 2.0, **unknown)],
    )
    learnt = learn(city)
    monday = datetime(2024, 6, 10, tzinfo=UTC)
    why = learnt.explain(BUSY, 50, monday, 10)
    assert why.trips_allowed is None
    assert why.value == pytest.approx(why.rate_per_h * 10)
    assert learnt.value(BUSY, 5, monday, 10) == 0
    assert any("does not bound" in note for note in learnt.notes)


def test_no_trips_is_zero_and_says_so(city):
    learnt = estimate(History(city["events"], city["trips"].limit(0), AS_OF), GROSS)
    monday = datetime(2024, 6, 10, tzinfo=UTC)
    assert learnt.value(BUSY, 90, monday, 24) == 0
    assert learnt.explain(BUSY, 90, monday, 0).rate_per_h == 0
    assert any("No trips" in note for note in learnt.notes)


def test_nothing_at_all_is_said_as_a_sentence(tables):
    empty = tables()
    with pytest.raises(NotEnoughData) as caught:
        learn(empty)
    assert "0 vehicle hours in the 28 days before 2024-06-04" in str(caught.value)


def test_no_scooters_no_values(city):
    assert learn(city).values([], [], [], []).shape == (0,)


def test_only_the_window_counts_and_nothing_after_it(city, tables):
    alone = learn(city)
    later = tables(
        events=[*city["events"].to_pyarrow().to_pylist(),
                event("a", 30, "available", "provider_drop_off")],
        trips=[*city["trips"].to_pyarrow().to_pylist(), trip("a", 31, 99.0)],
    )  # fmt: skip
    assert learn(later) == alone
    with pytest.raises(NotEnoughData):
        learn(city, as_of=AS_OF + timedelta(days=40))


def test_row_order_and_repetition_do_not_matter(city, tables):
    backwards = tables(
        **{name: city[name].to_pyarrow().to_pylist()[::-1] for name in ("events", "trips")}
    )
    assert learn(backwards) == learn(city) == learn(city)
