from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fleetdesk.riders.offers import (
    believe,
    choose,
    doubly_robust,
    inverse_propensity,
    propensities,
)

ARMS = ("none", "free week", "10 % off")
# Free weeks are taken most and bring least: acceptance would choose the wrong offer.
ACCEPTED, MARGIN = np.array([0.5, 0.9, 0.6]), np.array([4.0, 1.0, 9.0])


def log(rows, seed=1, chances=None, age=0.0):
    rng = np.random.default_rng(seed)
    chances = np.full((rows, 3), 1 / 3) if chances is None else chances
    arm = (rng.random((rows, 1)) > chances.cumsum(axis=1)).sum(axis=1)
    value = np.where(rng.random(rows) < ACCEPTED[arm], rng.normal(MARGIN[arm], 1.0), 0.0)
    return pd.DataFrame(
        {
            "arm": np.array(ARMS)[arm],
            "segment": "all",
            "value": value,
            "propensity": chances[np.arange(rows), arm],
            "age_days": age,
        }
    )


def test_value_wins_over_acceptance():
    belief = believe(log(600), "all", ARMS, half_life_days=90, prior=2.0)
    assert ARMS[int(belief.mean.argmax())] == "10 % off"
    chance = propensities(belief, 1, explore_pct=6)
    assert chance[2] > 0.9
    assert chance[:2] == pytest.approx([0.02, 0.02], abs=0.005)
    assert chance.sum() == pytest.approx(1)


def test_the_interval_holds_the_truth():
    held = 0
    for seed in range(40):
        belief = believe(log(400, seed), "all", ARMS, half_life_days=1e6, prior=2.0)
        low, high = belief.interval(90)
        held += ((low <= ACCEPTED * MARGIN) & (high >= ACCEPTED * MARGIN)).sum()
    assert 0.8 <= held / 120 <= 0.99


def test_old_evidence_fades():
    old = log(500, age=900.0)
    fresh = believe(old.assign(age_days=0.0), "all", ARMS, half_life_days=90, prior=2.0)
    faded = believe(old, "all", ARMS, half_life_days=90, prior=2.0)
    assert (faded.strength < 2).all()
    assert (fresh.strength > 100).all()
    assert faded.mean == pytest.approx([2, 2, 2], abs=2.5)


def test_without_a_log_all_are_tried():
    empty = log(1).iloc[:0]
    belief = believe(empty, "all", ARMS, half_life_days=90, prior=2.0)
    assert propensities(belief, 1, explore_pct=0) == pytest.approx([1 / 3] * 3, abs=0.05)
    assert set(choose(belief, 1, 200, 0).tolist()) == {0, 1, 2}


def test_choices_follow_the_logged_chances_and_the_seed():
    belief = believe(log(60), "all", ARMS, half_life_days=90, prior=2.0)
    chance = propensities(belief, 3, explore_pct=10)
    drawn = np.bincount(choose(belief, 4, 20_000, 10), minlength=3) / 20_000
    assert drawn == pytest.approx(chance, abs=0.03)
    assert choose(belief, 4, 50, 10).tolist() == choose(belief, 4, 50, 10).tolist()


def test_another_rule_is_judged_by_the_log():
    rng = np.random.default_rng(1)
    chances = rng.dirichlet([2, 2, 2], 4000)
    seen = log(4000, 2, chances)
    always = np.zeros((4000, 3))
    always[:, 2] = 1.0
    same = (seen["arm"] == ARMS[2]).to_numpy(float)
    truth = ACCEPTED[2] * MARGIN[2]
    ips = inverse_propensity(seen, same, interval_pct=99)
    robust = doubly_robust(seen, always, ARMS, interval_pct=99)
    for found in (ips, robust):
        assert found.low < truth < found.high
    assert robust.high - robust.low <= 1.05 * (ips.high - ips.low)
    assert robust.effective < 4000


def test_a_rule_that_the_log_never_followed_cannot_be_judged():
    seen = log(50)
    found = inverse_propensity(seen, np.zeros(50), interval_pct=95)
    assert np.isnan(found.value)
    assert found.effective == 0
