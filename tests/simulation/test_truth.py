"""Counterfactuals: the same chances with and without a task."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from fleetdesk.errors import FleetDeskError
from fleetdesk.model.places import Point
from fleetdesk.simulation.city import demo_city, tiny_city
from fleetdesk.simulation.generate import generate
from fleetdesk.simulation.truth import Change, SavedCity, counterfactual, reveal, unmet_demand

SPEC = demo_city(vehicles=60, days=3, demand_per_vehicle=8.0)
MORNING = SPEC.ends_at.replace(hour=5)


@pytest.fixture(scope="module")
def saved() -> SavedCity:
    return SavedCity(SPEC, 11, MORNING, hours=12)


def test_doing_nothing_changes_nothing(saved):
    vehicle = _standing(saved)[0].vehicle_id
    assert saved.revenue({vehicle: Change()}) == saved.revenue({})
    spec = tiny_city()
    with_, without = counterfactual(spec, 1, spec.ends_at, "TH-0001", Change())
    assert with_ == without > 0


def test_the_saved_city_goes_on_as_the_records_do(saved):
    records = list(generate(SPEC, 11))
    first, after = MORNING, MORNING + timedelta(hours=12)
    revenue = saved.revenue({}, with_crews=True).fleet
    recorded = sum(
        trip["revenue"]
        for trip in records[-1].tables["trips"].to_pylist()
        if first <= trip["started_at"] < after
    )
    assert revenue == pytest.approx(recorded, abs=0.001)


def test_a_run_leaves_the_saved_city_as_it_was(saved):
    before = saved.vehicles()
    first = saved.revenue({})
    saved.revenue({_standing(saved)[0].vehicle_id: Change(battery_pct=0.0)})
    assert saved.vehicles() == before
    assert saved.revenue({}) == first


def test_a_full_battery_on_an_empty_vehicle_at_a_busy_cell_pays(saved):
    truth = reveal(SPEC, 11)
    hours = range(48 + 5, 48 + 17)
    rate = dict(zip(truth.cells, sum(truth.demand_per_h(h) for h in hours), strict=True))
    busy = sorted(_standing(saved), key=lambda v: -rate.get(v.cell, 0.0))[:24]
    gains, own = [], []
    for vehicle in busy:
        full = saved.revenue({vehicle.vehicle_id: Change(battery_pct=100.0)})
        empty = saved.revenue({vehicle.vehicle_id: Change(battery_pct=2.0)})
        gains.append(full.fleet - empty.fleet)
        own.append(full.by_vehicle[vehicle.vehicle_id])
        assert empty.by_vehicle[vehicle.vehicle_id] == 0.0
    assert np.mean(own) > 3.0
    assert np.mean(gains) > 0.0
    # Neighbours lose some of the trips that the vehicle gains.
    assert np.mean(gains) < np.mean(own)


def test_a_vehicle_carried_to_a_parking_counts_there(saved):
    vehicle = _standing(saved)[0]
    place = Point(40.6325, 22.9412)
    moved = saved.revenue({vehicle.vehicle_id: Change(100.0, place)})
    assert moved.fleet > 0


def test_refusals_say_what_to_choose(saved):
    with pytest.raises(FleetDeskError, match="no vehicle TH-9999"):
        saved.revenue({"TH-9999": Change(50.0)})
    with pytest.raises(FleetDeskError, match="full hour"):
        SavedCity(SPEC, 11, MORNING.replace(minute=30))
    busy = [v for v in saved.vehicles() if v.state not in {"available", "non_operational"}]
    for vehicle in busy[:1]:
        with pytest.raises(FleetDeskError, match="standing"):
            saved.revenue({vehicle.vehicle_id: Change(50.0)})


def test_unmet_demand_is_known_to_the_truth_alone():
    unmet = unmet_demand(SPEC, 11)
    assert unmet.shape == (SPEC.length_s // 3600, len(reveal(SPEC, 11).cells))
    assert unmet.sum() > 10


def _standing(saved: SavedCity):
    return [v for v in saved.vehicles() if v.state in {"available", "non_operational"}]
