from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from fleetdesk.fleet.crowds import crowds_now, drawn_crowds
from fleetdesk.fleet.rivals import Rivalry, Stock

HALF = Rivalry(0.5, 0.0)

# In cell a one vehicle stands for 6 hours and three for 2; in cell b always two; c was never seen.
TOWN = SimpleNamespace(
    cells=("a", "b", ""),
    stock=Stock(
        np.array([[0, 1, 0], [0, 0, 0], [1, 2, 3], [0, 0, 0]]),
        np.array([6.0, 5.0, 2.0]),
        np.zeros(3),
    ),
    standing=np.array([3.0, 2.0, 0.0]),
    near=np.zeros((3, 3)),
)


def test_more_around_than_usual_is_less_often_taken():
    each = {n: n**-0.5 for n in (1, 3)}
    usual = (6 * each[1] + 6 * each[3]) / 12  # by vehicle hours: 6 alone, 6 in threes
    now = crowds_now(TOWN, HALF)
    assert now == pytest.approx([each[3] / usual, 1.0, 1.0])
    alone = SimpleNamespace(**vars(TOWN) | {"standing": np.array([0.0, 0.0, 0.0])})
    assert crowds_now(alone, HALF)[0] == pytest.approx(each[1] / usual)
    assert crowds_now(TOWN, Rivalry(1.0, 0.0)) == pytest.approx([1, 1, 1])


def test_who_stands_in_the_next_cell_counts_a_little():
    beside = SimpleNamespace(**vars(TOWN) | {"near": np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]])})
    apart, together = (crowds_now(town, Rivalry(0.5, 0.2)) for town in (TOWN, beside))
    assert together[0] < apart[0] and together[1] < apart[1] and together[2] == apart[2]


def test_draws_are_what_a_vehicle_met():
    cells = np.repeat([0, 1, 2], 4000)
    drawn = drawn_crowds(TOWN, HALF, cells, np.random.default_rng(1)).reshape(3, -1)
    assert sorted(np.unique(drawn[0]).round(6)) == pytest.approx(
        sorted(n**-0.5 / (0.5 + 0.5 * 3**-0.5) for n in (1, 3)), abs=1e-5
    )
    assert drawn.mean(axis=1) == pytest.approx([1, 1, 1], abs=0.01)
    assert drawn[1:].std() < 1e-12


def test_nothing_seen_is_no_influence():
    nowhere = SimpleNamespace(
        cells=("",),
        stock=Stock(np.zeros((4, 0), dtype=int), np.zeros(0), np.zeros(0)),
        standing=np.zeros(1),
        near=np.zeros((1, 1)),
    )
    assert crowds_now(nowhere, HALF).tolist() == [1.0]
    chance = np.random.default_rng(1)
    assert drawn_crowds(nowhere, HALF, np.zeros(2, dtype=int), chance).tolist() == [1.0, 1.0]
