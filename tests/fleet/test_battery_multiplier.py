from __future__ import annotations

import numpy as np
import pytest

from fleetdesk.fleet.battery_multiplier import Multiplier, multiplier_of
from fleetdesk.fleet.counts import CLASS_PCT, CLASSES, SLOTS


def test_bins_and_factors_are_found_again():
    chance = np.random.default_rng(1)
    middle = (np.arange(CLASSES) + 0.5) * CLASS_PCT
    truth = np.select([middle < 20, middle < 35], [0.2, 0.6], 1.1)
    free = np.full((3, SLOTS, CLASSES), 20.0)
    rate = np.full((3, SLOTS), 0.4)
    expected = np.einsum("gs,gsc->c", rate, free)
    found = multiplier_of(chance.poisson(expected * truth).astype(float), free, rate)
    assert found.edges_pct == (20.0, 35.0)
    level = (expected * truth).sum() / expected.sum()
    assert found.factors == pytest.approx((0.2 / level, 0.6 / level, 1.1 / level), rel=0.1)


def test_it_passes_evenly_over_an_edge():
    bins = Multiplier((20.0, 35.0), (0.2, 0.6, 1.1))
    assert bins.at(np.array([5.0, 20.0, 25.0, 35.0, 90.0])) == pytest.approx(
        [0.2, 0.4, 0.6, 0.85, 1.1]
    )
    fine = bins.at(np.linspace(0, 100, 2001))
    assert np.abs(np.diff(fine)).max() < 0.01
    assert bins.of_classes()[[0, 3, 4, 6, 7, 20]].tolist() == [0.2, 0.2, 0.6, 0.6, 1.1, 1.1]


def test_nothing_known_is_no_influence():
    nothing = multiplier_of(np.zeros(CLASSES), np.zeros((2, SLOTS, CLASSES)), np.ones((2, SLOTS)))
    assert nothing.factors == (1.0, 1.0, 1.0)
