"""Method 2 on a small town: two cells, one of them three times as busy, and all that may lack."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import ibis
import numpy as np
import pandas as pd
import pytest

from fleetdesk.errors import NotEnoughData
from fleetdesk.fleet.downstream_revenue import TRIPS_NEEDED, estimate
from fleetdesk.fleet.estimator import Level
from fleetdesk.fleet.history import History
from fleetdesk.fleet.hourly_rates import Kappas, open_rates
from fleetdesk.settings.schema import City, Costs, Settings, Thresholds

T0 = datetime(2024, 6, 3)
DAYS = 14
MINUTE = timedelta(minutes=1)
AS_OF = datetime(2024, 6, 3, tzinfo=UTC) + timedelta(days=DAYS)
BUSY, QUIET = "sx0r4m1", "sx0r4z4"
RATE = {BUSY: 0.6, QUIET: 0.2}
SETTINGS = Settings(
    city=City(timezone="UTC", cell_precision=6, window_days=DAYS),
    costs=Costs(use_net_revenue=False),
    thresholds=Thresholds(usable_battery_pct=10, bootstrap_rounds=30),
)


@pytest.fixture(scope="module")
def town(tables):
    """20 vehicles; a rider takes each by its cell's rate and rides to either cell, 6 % a trip."""
    chance = np.random.default_rng(7)
    events, trips = [], []
    for number in range(20):
        vehicle, at, charge = f"v{number:02d}", 0.0, 95.0
        cell = (BUSY, QUIET)[number % 2]
        events.append(_event(vehicle, at, "available", "provider_drop_off", charge, cell))
        while True:
            at += chance.exponential(1 / RATE[cell])
            if at > DAYS * 24 - 1:
                break
            goal = BUSY if chance.random() < 0.5 else QUIET
            events.append(_event(vehicle, at, "on_trip", "trip_start", charge, cell))
            trips.append(_trip(vehicle, at, cell, goal, charge))
            at, cell, charge = at + 0.2, goal, charge - 6.0
            low = charge < 16
            events.append(_event(vehicle, at, "available", "trip_end", charge, cell))
            if low:
                charge, at = 95.0, at + 0.1
                events.append(_event(vehicle, at, "available", "battery_charged", charge, cell))
    return tables(events=events, trips=trips)


def _event(vehicle, hours, state, types, charge, cell):
    return {
        "event_id": f"{vehicle}{hours:09.4f}", "vehicle_id": vehicle, "cell": cell,
        "event_at": T0 + timedelta(hours=hours), "vehicle_state": state, "event_types": types,
        "battery_pct": charge,
    }  # fmt: skip


def _trip(vehicle, hours, cell, goal, charge):
    return {
        "trip_id": f"{vehicle}{hours:09.4f}", "vehicle_id": vehicle, "revenue": 3.0,
        "started_at": T0 + timedelta(hours=hours), "ended_at": T0 + timedelta(hours=hours + 0.2),
        "start_cell": cell, "end_cell": goal, "duration_s": 720.0, "distance_m": 2000.0,
        "start_battery_pct": charge, "end_battery_pct": charge - 6.0,
    }  # fmt: skip


def learn(town, **thresholds):
    chosen = SETTINGS.thresholds.model_copy(update=thresholds)
    settings = SETTINGS.model_copy(update={"thresholds": chosen})
    return estimate(History(town["events"], town["trips"], AS_OF), settings)


@pytest.fixture(scope="module")
def learnt(town):
    return learn(town)


START = AS_OF - timedelta(days=3)


def test_the_rates_are_those_that_made_the_records(learnt):
    assert learnt.estimator == "Method 2, gross"
    law = learnt.usual.laws
    of = {name: law.rates.per_h[i].mean() for i, name in enumerate(learnt.counts.cells)}
    assert of[BUSY[:6]] == pytest.approx(RATE[BUSY], rel=0.08)
    assert of[QUIET[:6]] == pytest.approx(RATE[QUIET], rel=0.12)
    assert law.per_trip[:2] == pytest.approx([3.0, 3.0])
    assert law.uses_pct[:2].mean() == pytest.approx(6.0, abs=0.1)
    assert law.goals[:, :2, :2].mean() == pytest.approx(0.5, abs=0.05)
    assert learnt.cell_rates[BUSY[:6]].per_h == pytest.approx(3.0 * RATE[BUSY], rel=0.08)


def test_a_full_day_by_the_law_of_the_town(learnt):
    """Long after the first trip half the time in each cell's stays: 1 / mean wait + ride."""
    per_h = 1 / ((1 / RATE[BUSY] + 1 / RATE[QUIET]) / 2 + 0.2)
    found = learnt.values([BUSY, QUIET], [95, 95], [START] * 2, [20] * 2)
    assert found.mean() == pytest.approx(3.0 * per_h * 20, rel=0.12)
    assert found[0] > found[1]


def test_values_are_continuous_in_charge_time_and_hours(learnt):
    charges = np.linspace(0, 100, 2001)
    by_charge = learnt.values([BUSY] * 2001, charges, [START] * 2001, [12.0] * 2001)
    assert by_charge[charges <= 10].max() == 0
    assert np.abs(np.diff(by_charge)).max() < 0.02 * by_charge.max() + 0.3
    assert (np.diff(by_charge) >= -1e-9).all()
    starts = [START + timedelta(minutes=m) for m in range(300)]
    by_start = learnt.values([BUSY] * 300, [80.0] * 300, starts, [6.0] * 300)
    assert np.abs(np.diff(by_start)).max() < 0.05
    hours = np.linspace(0, 12, 400)
    by_hours = learnt.values([BUSY] * 400, [80.0] * 400, [START] * 400, hours)
    assert by_hours[0] == 0 and (np.diff(by_hours) > 0).all()
    assert np.diff(by_hours).max() < 0.1


def test_unknown_charge_is_full_and_unknown_places_are_the_city(learnt):
    full, unknown = learnt.values([BUSY] * 2, [100, np.nan], [START] * 2, [10] * 2)
    assert full == unknown
    nowhere = learnt.explain("u1rdjjs", 90, START, 10)
    assert (nowhere.basis, nowhere.support_h) == ("city", 0)
    known = learnt.explain(BUSY, 90, START, 10)
    assert known.basis == "cell" and known.support_h > 100
    assert known.value == learnt.values([BUSY], [90], [START], [10])[0]
    assert learnt.values([], [], [], []).shape == (0,)


def test_the_fleet_gains_no_more_than_the_scooter(learnt):
    asked = ([BUSY, QUIET], [90, 90], [START] * 2, [20] * 2)
    scooter, fleet = learnt.values(*asked), learnt.values(*asked, Level.FLEET)
    assert (fleet >= 0).all() and (fleet <= scooter).all()


def test_draws_repeat_and_surround_the_value(learnt):
    asked = ([BUSY, QUIET], [90, 40], [START] * 2, [20] * 2)
    draws = learnt.draws(*asked)
    assert draws.shape == (30, 2)
    assert (draws == learnt.draws(*asked)).all()
    # Whoever is asked about alone or in company meets the same draws.
    alone = learnt.draws([QUIET], [40], [START], [20])
    assert alone[:, 0] == pytest.approx(draws[:, 1])
    low, high = np.quantile(draws, (0.05, 0.95), axis=0)
    assert ((low < learnt.values(*asked)) & (learnt.values(*asked) < high)).all()


def test_two_charges_of_one_place_vary_together(learnt):
    """Where places differ and charges do not, what is wrong with a place is wrong with both."""
    places = replace(learnt, around=replace(learnt.around, cell_kappa=4.0), charge_kappa=1e5)
    charges = replace(places, charge_kappa=4.0)
    asked = ([BUSY, BUSY], [95, 45], [AS_OF] * 2, [3] * 2)
    spread, together = (kind.draws(*asked) for kind in (charges, places))
    assert np.corrcoef(together.T)[0, 1] > 0.95
    assert np.std(np.diff(together)) < 0.2 * np.std(np.diff(spread))


def test_finer_cells_change_nothing_where_cells_are_alike(town, learnt):
    fine = learn(town, fine_cells=True)
    asked = ([BUSY, QUIET], [90, 90], [START] * 2, [20] * 2)
    assert fine.values(*asked) == pytest.approx(learnt.values(*asked), rel=0.05)
    assert fine.explain(BUSY, 90, START, 10).basis == "place"


def test_too_little_history_falls_back_and_says_so(tables, town):
    trips = town["trips"].limit(50)
    short = learn({"events": town["events"], "trips": trips})
    assert short.estimator == "v0 E[min], gross"
    assert f"{TRIPS_NEEDED - 50} more trips" in short.notes[0]
    with pytest.raises(NotEnoughData):
        learn(tables())


@pytest.mark.parametrize("name", ["v0 min", "v0 E[min]", "Method 1"])
def test_the_sheet_chooses(town, name):
    chosen = learn(town, estimator=name)
    assert chosen.estimator == f"{name}, gross"
    asked = ([BUSY, QUIET, "u1rdjjs"], [90, 90, 90], [START] * 3, [20] * 3)
    scooter, fleet = chosen.values(*asked), chosen.values(*asked, Level.FLEET)
    assert (fleet > 0).all() and (fleet <= scooter).all()
    assert chosen.draws(*asked).shape == (0, 3)
    assert chosen.values([BUSY], [5], [START], [20])[0] == 0


def test_method_1_follows_the_law_of_the_town(town):
    """Nobody runs empty within three hours, so the start's own rate and that of the goals count."""
    chosen = learn(town, estimator="Method 1")
    hours = np.array([0.0, 1.0, 3.0, 20.0])
    busy = chosen.values([BUSY] * 4, [95] * 4, [START] * 4, hours)
    quiet = chosen.values([QUIET] * 4, [95] * 4, [START] * 4, hours)
    assert busy[0] == quiet[0] == 0
    # In its first hour a vehicle in the busy cell is taken 0.6 times an hour while it is there.
    assert busy[1] == pytest.approx(3.0 * 0.5, rel=0.15)
    assert quiet[1] == pytest.approx(3.0 * 0.2, rel=0.3)
    per_h = 1 / ((1 / RATE[BUSY] + 1 / RATE[QUIET]) / 2 + 0.2)
    assert (busy[3] + quiet[3]) / 2 == pytest.approx(3.0 * per_h * 20, rel=0.15)
    why = chosen.explain(BUSY, 95, START, 20)
    assert why.value == pytest.approx(busy[3]) and why.basis == "cell"
    assert chosen.explain("u1rdjjs", 95, START, 20).basis == "city"
    starts = [START + timedelta(minutes=m) for m in range(200)]
    assert np.abs(np.diff(chosen.values([BUSY] * 200, [80] * 200, starts, [6] * 200))).max() < 0.05


def test_row_order_does_not_matter(town, tables, learnt):
    turned = tables(
        **{name: town[name].to_pyarrow().to_pylist()[::-1] for name in ("events", "trips")}
    )
    asked = ([BUSY, QUIET], [90, 40], [START] * 2, [20] * 2)
    assert (learn(turned).values(*asked) == learnt.values(*asked)).all()


@pytest.fixture(scope="module")
def swapped(town):
    """In one of five trips that end below 40 % the rider puts in a full battery; also tomorrow."""
    trips = town["trips"].order_by("trip_id").to_pandas()
    low = trips[trips.end_battery_pct < 40].iloc[::5]
    late = low.assign(ended_at=low.ended_at + timedelta(days=DAYS))
    swaps = pd.concat([low, late])[["vehicle_id", "ended_at"]]
    return ibis.memtable(
        pd.DataFrame({"vehicle_id": swaps.vehicle_id, "swapped_at": swaps.ended_at + MINUTE})
    )


def test_riders_who_swap_make_little_charge_worth_more(town, swapped, learnt):
    history = History(town["events"], town["trips"], AS_OF, swapped)
    found = estimate(history, SETTINGS)
    shares = found.usual.laws.swaps[:2]
    assert shares[:, 5] == pytest.approx([0.2, 0.2], abs=0.05)
    assert (shares[:, 8:] < 0.01).all() and (np.diff(shares) <= 1e-12).all()
    assert (learnt.usual.laws.swaps == 0).all()
    asked = ([BUSY] * 2, [25, 95], [START] * 2, [20] * 2)
    more = found.values(*asked) - learnt.values(*asked)
    assert more[0] > 1.0 > more[1] >= 0


def test_vehicles_use_more_or_less_than_others(town):
    """Half the vehicles use half as much again as the others: margins at half a charge tell so."""
    trips = town["trips"].to_pandas()
    uses = np.where(trips.vehicle_id.str[1:].astype(int) % 4 < 2, 5.0, 7.5)
    trips["end_battery_pct"] = trips.start_battery_pct - uses
    apart = estimate(History(town["events"], ibis.memtable(trips), AS_OF), SETTINGS)
    assert apart.counts.use_apart == pytest.approx((1.25 / 6.25) ** 2, rel=0.15)
    alike = replace(apart, counts=replace(apart.counts, use_apart=0.0))
    asked = ([BUSY], [40], [START], [48])
    assert np.std(apart.draws(*asked)) > 1.3 * np.std(alike.draws(*asked))


def test_a_cell_that_hardly_anybody_was_in_is_not_as_sure_as_its_prior():
    kappas = Kappas(region_hour=1e5, cell=2.0, weekpart=20.0, daypart=50.0, hour=1e5)
    found = open_rates(np.array([[0.0] * 48, [0.1] * 48, [100.0] * 48]), kappas)
    # The prior of each level: 1 / 2 + 1 / 20 + a quarter of 1 / 50.
    assert found[0] == pytest.approx(0.5 + 0.05 + 0.005)
    assert found[0] > found[1] > 0.03 > 1e-4 > found[2]
