"""Riders come by Poisson, more often where more vehicles stand: what is new is known."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from fleetdesk.fleet.counts import SLOTS
from fleetdesk.fleet.fleet_level import additional, new_share
from fleetdesk.fleet.rivals import Stock


def stocked(elasticity, demand=(2.0, 6.0), most=6, hours=400.0, seed=1, reach=0.0, around=(0,)):
    cell, slot, vehicles, beside = np.meshgrid(
        np.arange(len(demand)), np.arange(SLOTS), np.arange(1, most + 1), around, indexing="ij"
    )
    rivals = vehicles + reach * beside
    rate = np.array(demand)[cell] * vehicles * rivals ** (elasticity - 1)
    taken = np.random.default_rng(seed).poisson(rate * hours)
    key = np.stack([cell.ravel(), slot.ravel(), vehicles.ravel(), beside.ravel()])
    stock = Stock(key, np.full(cell.size, hours), taken.ravel().astype(float))
    return SimpleNamespace(cells=tuple("ab"[: len(demand)]), stock=stock)


@pytest.mark.parametrize("elasticity", [0.1, 0.4, 0.8])
def test_the_elasticity_is_found_again(elasticity):
    assert additional(stocked(elasticity)).rivalry.elasticity == pytest.approx(elasticity, abs=0.01)


def test_vehicles_in_the_cells_around_take_riders_too():
    alone = additional(stocked(0.4, reach=0.3, around=(0,)))
    found = additional(stocked(0.4, reach=0.3, around=(0, 3, 10, 40)))
    assert found.rivalry.elasticity == pytest.approx(0.4, abs=0.02)
    assert found.rivalry.reach == pytest.approx(0.3, abs=0.05)
    assert found.city < alone.city


def test_the_share_of_new_trips_is_that_of_the_law():
    n, e = np.arange(1, 7), 0.3
    found = additional(stocked(e))
    gain = ((n + 1.0) ** e - (n - 1.0) ** e) / 2
    assert found.city == pytest.approx((n * gain).sum() / (n**e).sum(), rel=0.02)
    assert found.share.mean(axis=1) == pytest.approx([found.city] * 2, rel=0.02)


def test_who_is_in_nobodys_way_brings_new_trips_only():
    assert new_share([1, 3, 10], 1.0) == pytest.approx([1, 1, 1])
    assert new_share([2, 3, 10], 1e-9) == pytest.approx([0, 0, 0], abs=1e-6)
    # Alone, an added vehicle brings nothing and the removal of the only one loses everything.
    assert new_share(1, 1e-9) == pytest.approx(0.5)


def test_hours_without_any_vehicle_say_nothing():
    """Demand is the same in both cells; one had no vehicle for most of the time."""
    counts = stocked(0.5, demand=(3.0, 3.0))
    half = counts.stock.hours.size // 2
    counts.stock.hours[:half] /= 50
    counts.stock.taken[:half] = np.random.default_rng(2).poisson(
        3.0 * counts.stock.key[2, :half] ** 0.5 * 8.0
    )
    found = additional(counts)
    assert found.rivalry.elasticity == pytest.approx(0.5, abs=0.02)
    assert found.share[0].mean() == pytest.approx(found.share[1].mean(), rel=0.05)


def test_without_trips_every_trip_would_be_new():
    nothing = stocked(0.5)
    nothing.stock.taken[:] = 0
    assert additional(nothing).share.tolist() == np.ones((2, SLOTS)).tolist()
