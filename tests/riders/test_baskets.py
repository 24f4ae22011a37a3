from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from fleetdesk.riders.baskets import find_rules


def pairs(baskets):
    rows = [(number, item) for number, basket in enumerate(baskets) for item in basket]
    return pd.DataFrame(rows, columns=["basket", "item"])


def test_figures_by_hand():
    found = find_rules(pairs(["ab", "ab", "a", "c"]), min_support=0.25, min_confidence=0.1,
                       most_q=1)  # fmt: skip
    support = dict(zip(found.sets["items"], found.sets["support"], strict=True))
    assert support == {("a",): 0.75, ("b",): 0.5, ("a", "b"): 0.5, ("c",): 0.25}
    rule = found.rules[found.rules["then_item"] == "a"].iloc[0]
    assert rule["if_items"] == ("b",)
    assert rule["confidence"] == pytest.approx(1.0)
    assert rule["lift"] == pytest.approx(1 / 0.75)
    assert rule["leverage"] == pytest.approx(0.5 - 0.5 * 0.75)
    assert rule["p_value"] == pytest.approx(
        stats.fisher_exact([[2, 0], [1, 1]], alternative="greater").pvalue
    )


def test_planted_pair_stays_and_chance_goes():
    rng = np.random.default_rng(1)
    baskets = []
    for _ in range(2000):
        basket = {f"i{n}" for n in range(12) if rng.random() < 0.2}
        if rng.random() < 0.3:
            basket |= {"swap plan", "warranty"}
        baskets.append(basket)
    found = find_rules(pairs(baskets), min_support=0.02, min_confidence=0.05, most_q=0.05)
    best = found.rules.iloc[0]
    assert {*best["if_items"], best["then_item"]} >= {"swap plan", "warranty"}
    planted = found.rules["then_item"].isin(["swap plan", "warranty"])
    assert (~planted).sum() <= 0.05 * 12 * 11 + 5


def test_a_rule_that_asks_for_more_and_is_no_surer_is_left_out():
    # Everybody takes a trip (t), so that it adds nothing to a condition; d with a is surer than a.
    found = find_rules(pairs(["tab"] * 3 + ["ta"] * 3 + ["tadb"] * 2 + ["t"] * 8),
                       min_support=0.1, min_confidence=0.1, most_q=1)  # fmt: skip
    given = set(found.rules.loc[found.rules["then_item"] == "b", "if_items"])
    assert ("a",) in given and ("d",) in given
    assert not any("t" in items and len(items) > 1 for items in given)
    assert ("a", "d") not in given  # d alone is as sure
    closed = set(found.sets.loc[found.sets["closed"], "items"])
    assert ("a", "t") in closed and ("a",) not in closed and ("t",) in closed


def test_repeats_and_order_do_not_matter():
    one = pairs(["ab", "ab", "a", "c"])
    twice = pd.concat([one, one]).sample(frac=1, random_state=1)
    first, second = (
        find_rules(frame, min_support=0.25, min_confidence=0.1, most_q=1) for frame in (one, twice)
    )
    pd.testing.assert_frame_equal(first.rules, second.rules)


def test_no_purchases_give_typed_nothing():
    found = find_rules(pairs([]), min_support=0.1, min_confidence=0.1, most_q=0.05)
    assert found.baskets == 0
    assert found.sets.empty
    assert list(found.rules.columns)[-2:] == ["p_value", "q_value"]
    lonely = find_rules(pairs(["a", "b"]), min_support=0.1, min_confidence=0.1, most_q=1)
    assert lonely.rules.empty
