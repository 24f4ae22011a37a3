from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fleetdesk.errors import NotEnoughData
from fleetdesk.riders.matching import (
    compare,
    entropy_balance,
    nearest,
    standardised_differences,
)

TRUE = 5.0


@pytest.fixture(scope="module")
def world():
    """Those who ride more take the package more often, and would pay more anyway."""
    rng = np.random.default_rng(1)
    km, age = rng.normal(0, 1, 2500), rng.normal(0, 1, 2500)
    treated = rng.random(2500) < 1 / (1 + np.exp(-(-1.5 + 1.0 * km + 0.5 * age)))
    outcome = 20 + 6 * km + 2 * age + TRUE * treated + rng.normal(0, 3, 2500)
    return pd.DataFrame({"km": km, "age": age, "constant": 1.0}), treated, outcome


@pytest.fixture(scope="module")
def found(world):
    return compare(*world, seed=1)


def test_like_with_like_finds_the_planted_effect(found):
    effects = {effect.method: effect for effect in found.effects}
    assert effects["plain difference"].low > TRUE + 2
    for method in ("nearest neighbour", "entropy balancing", "AIPW, cross-fitted"):
        assert effects[method].low < TRUE < effects[method].high, method
        assert effects[method].value == pytest.approx(TRUE, abs=0.8)


def test_balance_is_told_before_and_after(found):
    assert list(found.balance["covariate"]) == ["km", "age"]  # what is constant says nothing
    assert found.balance["before"].abs().max() > 0.5
    assert found.worst < 0.001
    assert found.balance["matched"].abs().max() < 0.2


def test_interval_holds_as_often_as_it_says():
    held = 0
    for seed in range(15):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(400, 2))
        treated = rng.random(400) < 1 / (1 + np.exp(1 - x[:, 0]))
        outcome = 3 * x[:, 0] + TRUE * treated + rng.normal(0, 2, 400)
        last = compare(pd.DataFrame(x, columns=["a", "b"]), treated, outcome, seed=1).effects[-1]
        held += last.low <= TRUE <= last.high
    assert held >= 12


def test_entropy_weights_meet_the_means():
    rng = np.random.default_rng(3)
    rows, treated = rng.normal(size=(300, 3)), np.arange(300) < 80
    rows[treated] += 0.6
    weight = entropy_balance(rows, treated)
    assert weight.sum() == pytest.approx(80)
    assert (weight > 0).all()
    assert weight @ rows[~treated] / 80 == pytest.approx(rows[treated].mean(axis=0), abs=1e-4)


def test_neighbours_and_differences_by_hand():
    score = np.array([0.2, 0.8, 0.21, 0.5, 0.79])
    treated = np.array([True, True, False, False, False])
    assert nearest(score, treated).tolist() == [0, 2]
    rows = np.array([[1.0], [3.0], [0.0], [2.0], [1.0]])
    pooled = np.sqrt((1.0 + 2 / 3) / 2)
    assert standardised_differences(rows, treated) == pytest.approx([1 / pooled])


def test_those_without_counterparts_are_left_out(found, world):
    x, treated, outcome = world
    strange = pd.concat([x, pd.DataFrame({"km": [-9.0] * 40, "age": 0.0, "constant": 1.0})])
    t, y = np.append(treated, [False] * 40), np.append(outcome, [500.0] * 40)
    odd = compare(strange, t, y, seed=1)
    assert odd.trimmed_control >= 40
    assert odd.effects[-1].value == pytest.approx(TRUE, abs=0.9)


def test_too_few_say_so():
    x = pd.DataFrame({"km": np.arange(40.0)})
    with pytest.raises(NotEnoughData, match="40 riders, but fewer than"):
        compare(x, np.arange(40) < 20, np.zeros(40), seed=1)


def test_with_too_few_riders_a_habit_the_doubly_robust_answer_is_left_out():
    """Cut into other folds, it would give another answer."""
    rng = np.random.default_rng(4)
    x = pd.DataFrame(rng.lognormal(size=(500, 8)), columns=list("abcdefgh"))
    treated = np.arange(500) % 10 == 0
    outcome = x["a"].to_numpy() + TRUE * treated
    few = compare(x, treated, outcome, seed=1)
    assert few.effects[-1].method == "entropy balancing"
    assert few.needs == 80 and few.smaller_arm <= 50
    enough = compare(x[["a", "b", "c"]], treated, outcome, seed=1)
    assert enough.effects[-1].method == "AIPW, cross-fitted"
    assert enough.smaller_arm >= enough.needs == 30
