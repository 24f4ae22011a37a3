"""Entropy, divergence and placement on layouts small enough to enumerate."""

from __future__ import annotations

from itertools import product
from math import exp, factorial, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetdesk.fleet.placement import demand_per_h, divergence, entropy, placement_score


def test_entropy_of_an_even_fleet_is_the_log_of_its_places():
    assert entropy([5, 5, 5, 5]) == pytest.approx(log(4))
    assert entropy([[7, 0], [0, 0]]) == 0
    assert entropy([3, 1]) == pytest.approx(-(0.75 * log(0.75) + 0.25 * log(0.25)))


def test_divergence_is_nothing_on_the_target_and_grows_away_from_it():
    target = np.array([10, 10, 0])
    on = divergence([10.5, 10.5, 0.5], target)
    assert on == pytest.approx(0, abs=1e-12)
    assert on < divergence([12, 8, 0], target) < divergence([0, 0, 20], target)


def met(mean, vehicles):
    """E[min(D, n)] by adding up the distribution."""
    return sum(min(k, vehicles) * exp(-mean) * mean**k / factorial(k) for k in range(60))


@given(
    st.lists(st.tuples(st.floats(0.05, 6), st.integers(0, 3)), min_size=1, max_size=3).filter(
        lambda places: sum(n for _, n in places) > 0
    )
)
def test_greedy_is_the_best_of_all_layouts(places):
    demand, stock = (np.array(column) for column in zip(*places, strict=True))
    whole = int(stock.sum())
    best = max(
        sum(met(mu, n) for mu, n in zip(demand, layout, strict=True))
        for layout in product(range(whole + 1), repeat=len(places))
        if sum(layout) == whole
    )
    ours = sum(met(mu, int(n)) for mu, n in zip(demand, stock, strict=True))
    assert placement_score(demand.astype(float), stock) == pytest.approx(ours / best, rel=1e-6)


def test_no_vehicles_or_no_riders_have_no_score():
    assert placement_score(np.array([1.0]), np.array([0])) is None
    assert placement_score(np.array([0.0]), np.array([2])) is None


def test_riders_who_found_no_vehicle_are_counted():
    """Five an hour and three vehicles: 2.83 trips are seen, 5 riders came."""
    generator = np.random.default_rng(1)
    came = generator.poisson(5.0, (4000, 1))
    stock = np.full((4000, 1), 3)
    taken = np.minimum(came, stock)
    assert taken.mean() == pytest.approx(2.83, abs=0.05)
    hours = np.zeros(4000, dtype=np.int64)
    found = demand_per_h(taken, stock, hours)[0, 0]
    assert found == pytest.approx(5.0, abs=0.35)


def test_hours_without_vehicles_teach_nothing():
    hours = np.zeros(100, dtype=np.int64)
    stock = np.array([[9]] * 50 + [[0]] * 50)
    taken = np.array([[2]] * 50 + [[0]] * 50)
    assert demand_per_h(taken, stock, hours)[0, 0] == pytest.approx(2.0, abs=0.05)
