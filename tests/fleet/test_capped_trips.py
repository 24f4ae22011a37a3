from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetdesk.fleet.capped_trips import expected_capped

MEANS = st.floats(0, 60)
CAPS = st.floats(0, 60)


@pytest.mark.parametrize("mean", [0.05, 0.7, 3.0, 12.5])
@pytest.mark.parametrize("cap", [0, 1, 2, 5, 20])
def test_agrees_with_drawing_the_trips(mean, cap):
    drawn = np.minimum(np.random.default_rng(7).poisson(mean, 200_000), cap)
    noise = 5 * drawn.std() / math.sqrt(drawn.size) + 5 / drawn.size
    assert expected_capped(mean, cap) == pytest.approx(drawn.mean(), abs=noise)


@given(MEANS, st.integers(0, 60))
def test_agrees_with_the_plain_sum(mean, cap):
    weights = [math.exp(-mean + k * math.log(mean) - math.lgamma(k + 1)) if mean else float(k == 0)
               for k in range(400)]  # fmt: skip
    plain = sum(min(k, cap) * weight for k, weight in enumerate(weights))
    assert expected_capped(mean, cap) == pytest.approx(plain, abs=1e-8)


@given(MEANS, CAPS, CAPS)
def test_more_battery_never_brings_less_and_both_bounds_hold(mean, cap, more):
    low, high = sorted((cap, more))
    fewer, further = expected_capped([mean, mean], [low, high])
    assert 0 <= fewer <= further + 1e-9
    assert further <= min(mean, high) + 1e-9


def test_no_cap_is_the_mean_and_edges_are_zero():
    assert expected_capped([2.5, 2.5, 0, -1], [np.inf, -3, 4, 4]).tolist() == [2.5, 0, 0, 0]


def test_between_whole_trips_it_is_a_straight_line():
    low, middle, high = expected_capped(3.0, [2.0, 2.25, 3.0])
    assert middle == pytest.approx(0.75 * low + 0.25 * high)
