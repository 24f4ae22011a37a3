"""A cell's riders come by Poisson and take what is near enough: reach and new trips are known."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from fleetdesk.fleet.counts import SLOTS
from fleetdesk.fleet.fleet_level import additional, served_share


def stocked(reach, demand=(2.0, 6.0), most=6, hours=400.0, seed=1):
    cell, slot, vehicles = np.meshgrid(
        np.arange(len(demand)), np.arange(SLOTS), np.arange(1, most + 1), indexing="ij"
    )
    rate = np.array(demand)[cell] * served_share(vehicles, reach)
    taken = np.random.default_rng(seed).poisson(rate * hours)
    return SimpleNamespace(
        cells=tuple("ab"[: len(demand)]),
        stock=np.stack([cell.ravel(), slot.ravel(), vehicles.ravel()]),
        stock_h=np.full(cell.size, hours),
        stock_taken=taken.ravel().astype(float),
    )


@pytest.mark.parametrize("reach", [0.1, 0.5, 2.0])
def test_the_reach_is_found_again(reach):
    assert additional(stocked(reach)).reach == pytest.approx(reach, rel=0.05)


def test_the_share_of_new_trips_is_that_of_the_law():
    reach, n = 0.4, np.arange(1, 7)
    found = additional(stocked(reach))
    served = served_share(n, reach)
    gain = (served_share(n + 1, reach) - served_share(n - 1, reach)) / 2
    assert found.city == pytest.approx((n * gain).sum() / served.sum(), rel=0.05)
    assert found.share[0, :].mean() == pytest.approx(found.city, rel=0.05)


def test_crowding_leaves_less_that_is_new():
    few, many = additional(stocked(0.5, most=2)), additional(stocked(0.5, most=20))
    assert many.city < few.city / 2
    assert many.share.min() > 0 and few.share.max() <= 1


def test_without_trips_every_trip_would_be_new():
    nothing = stocked(0.5)
    nothing.stock_taken[:] = 0
    new = additional(nothing)
    assert new.share.tolist() == np.ones((2, SLOTS)).tolist()
