from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import nbinom

from fleetdesk.fleet.empirical_bayes import KAPPA_HIGH, kappa_of, shrunk


@pytest.mark.parametrize("true", [0.8, 5.0, 40.0])
def test_kappa_is_found_again(true):
    chance = np.random.default_rng(1)
    expected = chance.uniform(5, 60, 4000)
    counts = chance.poisson(expected * chance.gamma(true, 1 / true, expected.size))
    assert kappa_of(counts, expected) == pytest.approx(true, rel=0.15)


def test_it_is_the_peak_of_the_negative_binomial_likelihood():
    chance = np.random.default_rng(2)
    expected = chance.uniform(1, 20, 300)
    counts = chance.poisson(expected * chance.gamma(3, 1 / 3, 300))
    best = kappa_of(counts, expected)

    def likelihood(kappa):
        return nbinom.logpmf(counts, kappa, kappa / (kappa + expected)).sum()

    assert likelihood(best) > max(likelihood(best * 0.9), likelihood(best * 1.1))


def test_places_that_are_alike_are_pooled():
    chance = np.random.default_rng(3)
    expected = np.full(500, 30.0)
    assert kappa_of(chance.poisson(expected), expected) > 500
    assert kappa_of([], []) == pytest.approx(KAPPA_HIGH)
    assert kappa_of([3, 4], [0, 0]) == pytest.approx(KAPPA_HIGH)


@given(st.integers(0, 200), st.floats(0, 500), st.floats(0.01, 1e4))
def test_the_factor_lies_between_one_and_the_own_ratio(count, expected, kappa):
    factor = float(shrunk(count, expected, kappa))
    if expected == 0:
        assert factor == pytest.approx(1 + count / kappa)
    else:
        low, high = sorted((1.0, count / expected))
        assert low - 1e-9 <= factor <= high + 1e-9


def test_it_is_the_rate_of_the_formula():
    kappa, mean, hours, trips = 4.0, 0.2, 50.0, 16
    rate = mean * shrunk(trips, mean * hours, kappa)
    assert rate == pytest.approx((kappa + trips) / (kappa / mean + hours))
