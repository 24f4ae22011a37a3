from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fleetdesk.errors import NotEnoughData
from fleetdesk.riders.uplift import (
    MEAN,
    cross_fitted,
    policy_values,
    qini,
    read_out,
)

SIZE = 1600


@pytest.fixture(scope="module")
def trial():
    """Half get an offer; it moves only those who ride little, by 0.4."""
    rng = np.random.default_rng(1)
    rides = rng.uniform(0, 10, SIZE)
    treated = rng.random(SIZE) < 0.5
    chance = 0.2 + 0.05 * rides / 10 + 0.4 * (rides < 3) * treated
    x = pd.DataFrame({"rides": rides, "noise": rng.normal(size=SIZE)})
    return x, treated, (rng.random(SIZE) < chance).astype(float), rides < 3


def test_learners_find_whom_the_offer_moves(trial):
    x, treated, outcome, movable = trial
    found = cross_fitted(x, treated, outcome, 1, np.full(len(x), 0.5))
    assert set(found.by_learner) == {"T", "X", "DR", MEAN}
    for name, effect in found.by_learner.items():
        gap = effect[movable].mean() - effect[~movable].mean()
        assert gap == pytest.approx(0.4, abs=0.15), name
        assert found.qini[name] > 0.1
    again = cross_fitted(x, treated, outcome, 1, np.full(len(x), 0.5))
    assert np.array_equal(found.effect, again.effect)


def test_qini_of_perfect_and_of_chance(trial):
    _, treated, outcome, _ = trial
    assert qini(np.where(treated, outcome, -outcome), treated, outcome) == pytest.approx(1)
    draws = [qini(np.random.default_rng(s).random(SIZE), treated, outcome) for s in range(20)]
    assert abs(np.mean(draws)) < 0.02


def test_targeting_pays_where_treating_all_does_not(trial):
    _, treated, outcome, movable = trial
    effect = movable.astype(float)
    some, everyone = policy_values(effect, treated, outcome, cost=0.2, shares_pct=(30, 100),
                                   interval_pct=99, propensity=0.5)  # fmt: skip
    assert some.low < 0.3 * (0.4 - 0.2) < some.high
    assert everyone.value < some.value


def test_the_read_out_by_hand():
    treated = np.array([True] * 4 + [False] * 4)
    found = read_out(treated, np.array([1, 1, 1, 0, 0, 0, 1, 0.0]))
    assert found.difference == pytest.approx(0.5)
    error = np.sqrt(0.25 / 4 + 0.25 / 4)
    assert found.high - found.difference == pytest.approx(1.959964 * error, rel=1e-5)
    assert found.low < 0 < found.high
    assert found.p_value == pytest.approx(0.1573, abs=1e-3)
    assert found.detectable == pytest.approx((1.959964 + 0.841621) * error, rel=1e-5)


def test_the_power_told_is_how_often_a_difference_is_found():
    rng, found, size = np.random.default_rng(7), 0, 1091
    treated = np.repeat([True, False], size)
    for _ in range(400):
        outcome = rng.random(2 * size) < np.where(treated, 0.25, 0.2)
        found += read_out(treated, outcome.astype(float)).p_value < 0.05
    exact = np.zeros(2 * size)
    exact[: round(0.25 * size)] = exact[size : size + round(0.2 * size)] = 1.0
    power = read_out(treated, exact).power_pct
    assert power == pytest.approx(80, abs=1)
    assert 100 * found / 400 == pytest.approx(power, abs=6)


def test_too_few_riders_say_how_many():
    few = np.arange(100) % 2 == 0
    with pytest.raises(NotEnoughData, match="50 with the offer and 50 without"):
        cross_fitted(pd.DataFrame({"x": np.arange(100.0)}), few, np.zeros(100), 1)
    with pytest.raises(NotEnoughData, match="both arms"):
        read_out(np.ones(10, bool), np.zeros(10))


def test_nothing_to_move_gives_no_ranking():
    treated = np.arange(1000) % 2 == 0
    assert qini(np.zeros(1000), treated, np.zeros(1000)) == 0
