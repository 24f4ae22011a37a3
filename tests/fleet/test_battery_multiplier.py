from __future__ import annotations

import numpy as np
import pytest

from fleetdesk.fleet.battery_multiplier import Multiplier, kappa_by_cell, multiplier_of
from fleetdesk.fleet.counts import CLASS_PCT, CLASSES, SLOTS


def test_bins_and_factors_are_found_again():
    chance = np.random.default_rng(1)
    middle = (np.arange(CLASSES) + 0.5) * CLASS_PCT
    truth = np.select([middle < 20, middle < 35], [0.2, 0.6], 1.1)
    free = np.full((3, SLOTS, CLASSES), 20.0)
    rate = np.full((3, SLOTS), 0.4)
    expected = np.einsum("gs,gsc->gc", rate, free)
    found = multiplier_of(chance.poisson(expected * truth).astype(float), free, rate)
    assert found.edges_pct == (20.0, 35.0)
    level = (expected * truth).sum() / expected.sum()
    for cell in found.factors:
        assert cell == pytest.approx((0.2 / level, 0.6 / level, 1.1 / level), rel=0.1)


def test_crowded_cells_have_factors_of_their_own():
    chance = np.random.default_rng(2)
    lonely, crowded = [0.7, 0.9, 1.05], [0.3, 0.6, 1.1]
    truth = np.repeat([lonely] * 6 + [crowded] * 2, [4, 3, 14], axis=1)
    free = np.ones((8, SLOTS, CLASSES)) * np.where(np.arange(8) < 6, 10.0, 90.0)[:, None, None]
    rate = np.full((8, SLOTS), 0.4)
    trips = chance.poisson(np.einsum("gs,gsc->gc", rate, free) * truth).astype(float)
    found = multiplier_of(trips, free, rate).factors
    shape = found / found[:, 2:]
    for cell, law in ((0, lonely), (5, lonely), (6, crowded), (7, crowded)):
        assert shape[cell] == pytest.approx(np.array(law) / law[2], rel=0.08)


def test_it_passes_evenly_over_an_edge():
    bins = Multiplier((20.0, 35.0), np.array([[0.2, 0.6, 1.1]]))
    assert bins.at(np.array([5.0, 20.0, 25.0, 35.0, 90.0]))[0] == pytest.approx(
        [0.2, 0.4, 0.6, 0.85, 1.1]
    )
    fine = bins.at(np.linspace(0, 100, 2001))
    assert np.abs(np.diff(fine)).max() < 0.01
    assert bins.of_classes()[0, [0, 3, 4, 6, 7, 20]].tolist() == [0.2, 0.2, 0.6, 0.6, 1.1, 1.1]


def test_nothing_known_is_no_influence():
    nothing = multiplier_of(
        np.zeros((2, CLASSES)), np.zeros((2, SLOTS, CLASSES)), np.ones((2, SLOTS))
    )
    assert (nothing.factors == 1.0).all()


def test_how_alike_cells_are_is_found_again():
    chance = np.random.default_rng(5)
    cells, kappa = 60, 25.0
    free_h = np.full((cells, SLOTS, CLASSES), 8.0)
    per_h = np.full((cells, SLOTS), 0.25)
    even = Multiplier((20.0, 60.0), np.ones((cells, 3)))
    expected = (per_h[:, :, None] * free_h).sum(axis=1)
    level = chance.gamma(3.0, size=(cells, 1)) / 3.0  # not what is asked for
    apart = chance.poisson(expected * level * chance.gamma(kappa, size=(cells, CLASSES)) / kappa)
    alike = chance.poisson(expected * level)
    assert kappa_by_cell(apart, free_h, per_h, even) == pytest.approx(kappa, rel=0.2)
    assert kappa_by_cell(alike, free_h, per_h, even) > 400


def test_a_full_vehicle_that_stands_is_taken_just_below_full():
    """Its trips are of the class below, its hours were of the last: that is no difference."""
    chance = np.random.default_rng(6)
    free_h, per_h = np.full((60, SLOTS, CLASSES), 8.0), np.full((60, SLOTS), 0.25)
    even = Multiplier((20.0, 60.0), np.ones((60, 3)))
    trips = chance.poisson(np.full((60, CLASSES), 96.0))
    trips[:, 19] += trips[:, 20]
    trips[:, 20] = 0
    assert kappa_by_cell(trips, free_h, per_h, even) > 400
