from __future__ import annotations

import pandas as pd
import pytest

from fleetdesk.riders.next_best_action import COLUMNS, ActionRules, next_best

RULES = ActionRules(budget=20, least_gain=1, uplift_error_pct=50, churn_response_pct=0.5, months=3,
                    message_cost=0.1, offer_cost=0.4)  # fmt: skip


def rider(name, **what):
    row = {
        "rider_id": name, "segment": "Light", "package": "Basic", "risk_pct": 10.0,
        "value": 100.0, "months_counted": 24.0,
        "keep_action": "Call", "keep_cost": 8.0, "keep_uplift_pct": 25.0,
        "advised": None, "advice_reason": "", "cost_now": 50.0, "saving": 0.0,
        "margin_now": 20.0, "margin_change": 0.0, "offer": None, "offer_value": float("nan"),
        "offer_low": float("nan"), "offer_high": float("nan"),
    }  # fmt: skip
    return row | what


def best(*riders, rules=RULES):
    return next_best(pd.DataFrame(list(riders)), rules)


def test_act_where_uplift_times_value_is_more_than_the_cost():
    found = best(rider("low"), rider("high", risk_pct=80.0, value=200.0))
    assert found["rider_id"].tolist() == ["high"]  # the other: 0.1 x 0.25 x 100 < 8
    row = found.iloc[0]
    assert row["gain"] == pytest.approx(0.8 * 0.25 * 200 - 8)
    assert row["low"] == pytest.approx(0.5 * 40 - 8)
    assert row["high"] == pytest.approx(1.5 * 40 - 8)
    assert row["reason"] == "80 % risk, 25 % of such riders kept, worth 200 over 24 months"


def test_the_budget_goes_to_most_gain_per_money():
    found = best(
        rider("big", risk_pct=100.0, value=160.0, keep_cost=15.0),  # gains 25 for 15
        rider("cheap", risk_pct=100.0, value=60.0, keep_cost=5.0),  # gains 10 for 5
        rider("dear", risk_pct=100.0, value=90.0, keep_cost=10.0),  # gains 12.5 for 10
    )
    chosen = found[found["in_budget"]]
    assert set(chosen["rider_id"]) == {"cheap", "big"}
    assert chosen["cost"].sum() <= RULES.budget
    assert found["rank"].tolist() == [1, 2, 3]
    assert found.iloc[-1]["rider_id"] == "dear"


def test_a_move_up_earns_its_margin_and_a_move_down_keeps_riders():
    up = best(rider("up", advised="Plus", saving=0.0, margin_change=4.0))
    assert up.iloc[0]["gain"] == pytest.approx(3 * 4 - 0.1)
    assert up.iloc[0]["action"] == "Advise Plus"
    down = best(
        rider("down", advised="Light", saving=25.0, margin_change=-1.0, risk_pct=60.0, value=400.0,
              keep_uplift_pct=0.0)
    )  # fmt: skip
    # He pays half, so 50 x 0.5 % = 25 % fewer leave; the kept are worth 19 / 20 of before.
    assert down.iloc[0]["gain"] == pytest.approx(-3 + 0.6 * 400 * 0.25 * 0.95 - 0.1)
    same = best(rider("same", advised="Basic", margin_change=9.0))
    assert same.empty


def test_an_offer_that_brings_more_wins():
    found = best(
        rider("r", risk_pct=80.0, value=200.0, offer="Free week", offer_value=50.0, offer_low=20.0,
              offer_high=80.0)
    )  # fmt: skip
    assert found.iloc[0]["offer"] == "Free week"
    assert (found.iloc[0]["low"], found.iloc[0]["high"]) == (20, 80)
    assert found.iloc[0]["cost"] == RULES.offer_cost  # it counts against the budget
    assert found.iloc[0]["reason"] == "Free week brought most in segment Light"
    unsure = best(rider("r", offer="Free week", offer_value=5.0, offer_low=-1.0, offer_high=11.0))
    assert unsure.iloc[0]["reason"].endswith("but may lose: go on testing")


def test_what_is_not_known_is_no_reason_to_act():
    nan = float("nan")
    assert best(rider("r", risk_pct=nan, value=nan)).empty
    assert best(rider("r", segment=None, offer=None)).empty


def test_zero_budget_pays_nothing_and_nobody_gives_typed_nothing():
    none = ActionRules(0, 1, 50, 0.5, 3, 0.1, 0.4)
    found = best(rider("r", risk_pct=100.0, value=900.0), rules=none)
    assert not found["in_budget"].any()
    empty = next_best(pd.DataFrame([rider("r")]).iloc[:0], RULES)
    assert list(empty.columns) == list(COLUMNS)
    assert empty.empty
