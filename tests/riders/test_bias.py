"""The audit names a group that is foretold wrongly, and nobody else."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fleetdesk.riders.bias import audit


def riders(size: int = 1500, seed: int = 1) -> tuple[np.ndarray, np.ndarray, pd.Series]:
    chance = np.random.default_rng(seed)
    truth = chance.uniform(0.1, 0.9, size)
    groups = pd.Series(chance.choice(["18-24", "25-34", "35-44", None], size))
    return truth, chance.random(size) < truth, groups


def test_fair_chances_flag_nobody():
    truth, left, groups = riders()
    found = audit(truth, left, groups, 10, 60, 10, 1)
    assert [one.group for one in found] == ["18-24", "25-34", "35-44", "not known"]
    assert not any(one.flagged for one in found)
    assert all(one.gap_low_pct < one.gap_pct < one.gap_high_pct for one in found)


def test_a_group_foretold_too_high_is_flagged():
    truth, left, groups = riders()
    foretold = np.where(groups == "18-24", np.minimum(truth + 0.25, 1), truth)
    found = {one.group: one for one in audit(foretold, left, groups, 10, 60, 10, 1)}
    assert found["18-24"].flagged and found["18-24"].gap_pct > 15
    assert found["18-24"].called_pct > found["25-34"].called_pct


def test_small_groups_are_left_out_and_one_group_is_not_compared():
    truth, left, groups = riders(200)
    groups.iloc[:5] = "55+"
    assert "55+" not in {one.group for one in audit(truth, left, groups, 10, 60, 10, 1)}
    assert audit(truth, left, pd.Series(["a"] * 200), 10, 60, 10, 1) == ()


def test_a_group_of_whom_nobody_left_has_no_share_missed():
    truth, left, groups = riders()
    left = left & (groups != "18-24").to_numpy()
    found = {one.group: one for one in audit(truth, left, groups, 10, 60, 10, 1)}
    assert found["18-24"].missed_pct is None
