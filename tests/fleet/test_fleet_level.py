"""Riders come by Poisson, more often where more vehicles stand: what is new is known."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from fleetdesk.fleet.counts import SLOTS
from fleetdesk.fleet.fleet_level import additional, new_share


def stocked(elasticity, demand=(2.0, 6.0), most=6, hours=400.0, seed=1):
    cell, slot, vehicles = np.meshgrid(
        np.arange(len(demand)), np.arange(SLOTS), np.arange(1, most + 1), indexing="ij"
    )
    rate = np.array(demand)[cell] * vehicles**elasticity
    taken = np.random.default_rng(seed).poisson(rate * hours)
    return SimpleNamespace(
        cells=tuple("ab"[: len(demand)]),
        stock=np.stack([cell.ravel(), slot.ravel(), vehicles.ravel()]),
        stock_h=np.full(cell.size, hours),
        stock_taken=taken.ravel().astype(float),
    )


@pytest.mark.parametrize("elasticity", [0.1, 0.4, 0.8])
def test_the_elasticity_is_found_again(elasticity):
    assert additional(stocked(elasticity)).elasticity == pytest.approx(elasticity, abs=0.01)


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
    counts.stock_h[: counts.stock_h.size // 2] /= 50
    counts.stock_taken[: counts.stock_taken.size // 2] = np.random.default_rng(2).poisson(
        3.0 * counts.stock[2, : counts.stock_h.size // 2] ** 0.5 * 8.0
    )
    found = additional(counts)
    assert found.elasticity == pytest.approx(0.5, abs=0.02)
    assert found.share[0].mean() == pytest.approx(found.share[1].mean(), rel=0.05)


def test_without_trips_every_trip_would_be_new():
    nothing = stocked(0.5)
    nothing.stock_taken[:] = 0
    assert additional(nothing).share.tolist() == np.ones((2, SLOTS)).tolist()
