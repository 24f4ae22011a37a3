"""The ground plan, the demand and the state in which the demo leaves the fleet."""

from __future__ import annotations

import numpy as np
import pytest

from fleetdesk.features.cells import haversine
from fleetdesk.simulation.city import demo_city, tiny_city
from fleetdesk.simulation.engine import build_city, open_city, run_hour
from fleetdesk.simulation.layout import build_layout, to_degrees, to_metres
from fleetdesk.simulation.places import PLACES, on_land
from fleetdesk.simulation.streams import Purpose, poisson, stream
from fleetdesk.simulation.truth import reveal


def test_all_places_are_ashore_and_the_gulf_is_not():
    lat, lon = (np.array([getattr(place, axis) for place in PLACES]) for axis in ("lat", "lon"))
    assert on_land(lat, lon).all()
    assert not on_land(np.array([40.62, 40.60]), np.array([22.93, 22.92])).any()
    assert len({place.name for place in PLACES}) == len(PLACES)


def test_metres_agree_with_the_sphere():
    x, y = to_metres(np.array([40.66]), np.array([22.91]))
    lat, lon = to_degrees(x, y)
    assert (lat[0], lon[0]) == pytest.approx((40.66, 22.91))
    true = haversine([40.6264], [22.9484], [40.66], [22.91])[0]
    assert np.hypot(x, y)[0] == pytest.approx(true, rel=2e-3)


def test_the_toy_town_is_small_enough_to_hold_in_the_head():
    spec = tiny_city()
    layout = build_layout(spec)
    assert (spec.vehicles, spec.days, len(layout.places), len(layout.cells)) == (6, 2, 2, 2)


def test_demand_adds_up_over_the_week_and_flows_to_one():
    truth = reveal(demo_city(vehicles=50, days=7), 1)
    fair = truth.flows.base.sum(axis=(1, 2))
    assert (5 * fair[0] + 2 * fair[1]) / 7 == pytest.approx(450.0)
    assert (truth.demand_per_h(10) >= 0).all()
    for daypart in range(4):
        assert truth.destinations(daypart).sum(axis=1) == pytest.approx(1.0)


def test_streams_are_addressed_and_independent():
    first = stream(1, Purpose.ARRIVALS, 5, 9).random(4)
    assert (first == stream(1, Purpose.ARRIVALS, 5, 9).random(4)).all()
    for other in ((2, 5, 9), (1, 6, 9), (1, 5, 10)):
        assert (first != stream(other[0], Purpose.ARRIVALS, *other[1:]).random(4)).all()
    assert first[0] == pytest.approx(0.0579160, abs=1e-6)  # Philox is fixed for ever


def test_poisson_quantiles_have_the_right_mean_and_variance():
    draws = [poisson(u, 3.7) for u in (np.arange(20_000) + 0.5) / 20_000]
    assert np.mean(draws) == pytest.approx(3.7, rel=0.01)
    assert np.var(draws) == pytest.approx(3.7, rel=0.02)
    assert poisson(0.999, 0.0) == 0


@pytest.fixture(scope="module")
def last_evening():
    """The demo's fleet, eight days long, at 22:00 of its last day."""
    spec = demo_city(days=8)
    world = open_city(build_city(spec, 1))
    for hour in range(spec.length_s // 3600):
        run_hour(world, hour)
    return world


def test_the_demo_leaves_work_for_a_planner(last_evening):
    world = last_evening
    fleet, layout = world.fleet, world.city.layout
    standing = np.array([s.value in {"available", "non_operational"} for s in fleet.state])
    charge = fleet.batteries_at(world.city.build, world.city.spec.length_s)
    low = standing & (charge < 30)
    outside = standing & (np.array(fleet.parking) < 0)
    lack = np.maximum(0, layout.minimum - fleet.parked).sum()
    assert 0.40 <= low.sum() / 400 <= 0.65
    assert 0.10 <= outside.sum() / 400 <= 0.28
    assert (fleet.parked == 0).sum() >= 3
    assert 200 <= (low | outside).sum() + lack <= 400


def test_counts_at_parkings_match_the_vehicles(last_evening):
    fleet, layout = last_evening.fleet, last_evening.city.layout
    counted = np.bincount([p for p in fleet.parking if p >= 0], minlength=layout.target.size)
    assert (counted == fleet.parked).all()
    assert (fleet.parked <= layout.capacity + 8).all()


def test_the_evening_finds_most_riders_a_vehicle(last_evening):
    log = last_evening.log
    served = len(log.trips) / (len(log.trips) + len(log.unmet))
    assert 0.5 < served < 0.95
