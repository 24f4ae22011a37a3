from __future__ import annotations

import numpy as np
import pytest

from fleetdesk.fleet.battery_multiplier import PLENTY, Multiplier, kappa_by_cell, multiplier_of
from fleetdesk.fleet.counts import CLASS_PCT, CLASSES, SLOTS


def test_rising_factors_are_found_again():
    chance = np.random.default_rng(1)
    middle = (np.arange(CLASSES) + 0.5) * CLASS_PCT
    truth = np.interp(middle, [10, 30], [0.3, 1.1])
    free = np.full((3, SLOTS, CLASSES), 20.0)
    rate = np.full((3, SLOTS), 0.4)
    expected = np.einsum("gs,gsc->gc", rate, free)
    found = multiplier_of(chance.poisson(expected * truth).astype(float), free, rate).factors
    level = (expected * truth).sum() / expected.sum()
    for cell in found:
        assert cell == pytest.approx(truth / level, rel=0.12)
        assert (np.diff(cell) >= 0).all()


def test_what_full_vehicles_earn_more_where_crews_put_them_is_not_their_charge():
    free = np.full((3, SLOTS, CLASSES), 20.0)
    rate = np.full((3, SLOTS), 0.4)
    trips = np.einsum("gs,gsc->gc", rate, free)
    trips[:, 17:] *= 1.5
    found = multiplier_of(trips, free, rate).factors
    assert np.ptp(found[:, PLENTY:]) == 0.0


def test_a_class_that_hardly_any_vehicle_was_in_is_like_the_one_above():
    free = np.full((3, SLOTS, CLASSES), 20.0)
    free[:, :, :4] = 0.0
    rate = np.full((3, SLOTS), 0.4)
    trips = np.einsum("gs,gsc->gc", rate, free)
    trips[:, 4] *= 0.5
    found = multiplier_of(trips, free, rate).factors
    assert found[:, :4] == pytest.approx(found[:, 4:5].repeat(4, axis=1))


def test_crowded_cells_have_factors_of_their_own():
    chance = np.random.default_rng(2)
    lonely, crowded = [0.7, 0.9, 1.05], [0.3, 0.6, 1.1]
    truth = np.repeat([lonely] * 6 + [crowded] * 2, [4, 3, 14], axis=1)
    free = np.ones((8, SLOTS, CLASSES)) * np.where(np.arange(8) < 6, 10.0, 90.0)[:, None, None]
    rate = np.full((8, SLOTS), 0.4)
    trips = chance.poisson(np.einsum("gs,gsc->gc", rate, free) * truth).astype(float)
    found = multiplier_of(trips, free, rate).factors
    shape = found / found[:, -1:]
    for cell in (0, 5, 6, 7):
        assert shape[cell] == pytest.approx(truth[cell] / truth[cell, -1], rel=0.1)


def test_it_passes_evenly_from_class_to_class():
    rising = Multiplier(np.repeat([[0.2, 0.6, 1.1]], [4, 3, 14], axis=1))
    assert rising.at(np.array([5.0, 17.5, 20.0, 22.5, 35.0, 90.0, 100.0]))[0] == pytest.approx(
        [0.2, 0.2, 0.4, 0.6, 0.85, 1.1, 1.1]
    )
    fine = rising.at(np.linspace(0, 100, 2001))
    assert np.abs(np.diff(fine)).max() < 0.01


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
    even = Multiplier(np.ones((cells, CLASSES)))
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
    even = Multiplier(np.ones((60, CLASSES)))
    trips = chance.poisson(np.full((60, CLASSES), 96.0))
    trips[:, 19] += trips[:, 20]
    trips[:, 20] = 0
    assert kappa_by_cell(trips, free_h, per_h, even) > 400
