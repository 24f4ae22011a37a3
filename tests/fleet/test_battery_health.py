from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fleetdesk.errors import NotEnoughData
from fleetdesk.fleet.battery_health import (
    conformal_quantile,
    degradation_features,
    fit_lives,
    outlook,
    predict_lives,
    replacement_plan,
)


def cells(count=120, seed=1):
    """A life that early fade tells of: fade x life is the same for all, but for a little luck."""
    rng = np.random.default_rng(seed)
    life = np.exp(rng.normal(6.5, 0.4, count))
    fade = 20 / life * np.exp(rng.normal(0, 0.05, count))
    checks = np.arange(40)
    capacity = 1.1 - fade[:, None] * checks / 40 + rng.normal(0, 1e-4, (count, 40))
    return capacity, life


def test_lives_are_foretold_with_honest_intervals():
    capacity, life = cells()
    features = degradation_features(capacity)
    model = fit_lives(features[:80], life[:80], np.ones(80, bool), 1)
    found = predict_lives(model, features[80:], 90)
    assert np.mean(np.abs(found.life / life[80:] - 1)) < 0.15
    assert np.mean((found.low <= life[80:]) & (life[80:] <= found.high)) >= 0.8
    assert model.kind == "elastic net"
    assert model.mape_pct < 20


def test_batteries_still_alive_count_too():
    capacity, life = cells()
    seen = np.minimum(life, np.quantile(life, 0.6))
    ended = life <= seen
    features = degradation_features(capacity)
    model = fit_lives(features, seen, ended, 1)
    assert model.kind.startswith("AFT")
    found = predict_lives(model, features, 90).life
    # Cut lives taken for ends would say the longest live shorter than they do.
    assert np.median(found[~ended] / life[~ended]) > 0.8
    assert np.corrcoef(np.log(found), np.log(life))[0, 1] > 0.8


def test_too_few_ends_say_so():
    capacity, life = cells(30)
    with pytest.raises(NotEnoughData, match="10 of 30"):
        fit_lives(degradation_features(capacity), life, np.arange(30) < 10, 1)


def test_constant_features_do_no_harm():
    capacity, life = cells(30)
    features = degradation_features(capacity).assign(same=3.0)
    model = fit_lives(features, life, np.ones(30, bool), 1)
    assert "same" not in model.columns


def test_the_conformal_quantile_is_the_next_rank_up():
    scores = np.arange(1.0, 20.0)
    assert conformal_quantile(scores, 90) == 18  # ceil(20 x 0.9)
    assert conformal_quantile(scores[:5], 90) == np.inf


def ageing(batteries=30, months=12, loss=1.0, noise=0.3, seed=2):
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(batteries):
        own = loss * np.exp(rng.normal(0, 0.2))
        for month in range(months):
            health = 100 - own * month + rng.normal(0, noise)
            rows.append((f"b{number:02d}", float(month), health, own))
    return pd.DataFrame(rows, columns=["battery_id", "age_months", "health_pct", "own"])


def test_months_left_by_the_planted_loss():
    checks = ageing()
    found = outlook(checks[["battery_id", "age_months", "health_pct"]], 80, 90)
    true = checks.groupby("battery_id")["own"].first()
    left = {name: (100 - 80) / own - 11 for name, own in true.items()}
    off = [abs(one.months_left - left[one.battery_id]) for one in found]
    assert np.median(off) < 1.0
    held = [one.low <= left[one.battery_id] <= (one.high or np.inf) for one in found]
    assert np.mean(held) >= 0.8


def test_a_battery_seen_once_leans_on_the_others():
    checks = ageing()[["battery_id", "age_months", "health_pct"]]
    new = pd.DataFrame({"battery_id": ["new"], "age_months": [0.0], "health_pct": [100.0]})
    found = {b.battery_id: b for b in outlook(pd.concat([checks, new]), 80, 90)}
    assert found["new"].loss_pct_per_month == pytest.approx(1.0, abs=0.15)
    assert "all batteries 100 %" in found["new"].basis


def test_below_the_limit_is_due_now_and_no_loss_has_no_end():
    low = pd.DataFrame({"battery_id": ["x"] * 3, "age_months": [0.0, 1, 2],
                        "health_pct": [79.0, 78, 77]})  # fmt: skip
    assert outlook(low, 80, 90)[0].months_left == 0
    still = low.assign(health_pct=95.0)
    assert outlook(still, 80, 90)[0].months_left is None
    once = low.head(1)
    assert outlook(once, 80, 90)[0].basis == "needs checks at two times"
    assert outlook(low.head(0), 80, 90) == ()


def test_orders_come_before_they_are_due():
    checks = pd.DataFrame(
        [(f"b{n}", month, 100.0 - (n + 1) * month) for n in range(4) for month in (0.0, 1.0, 2.0)],
        columns=["battery_id", "age_months", "health_pct"],
    )
    plan = replacement_plan(outlook(checks, 80, 90), 12, stock=1, lead_months=2)
    assert plan["due"].sum() == plan["due_so_far"].iloc[-1]
    assert plan["order"].sum() == max(plan["due_so_far"].iloc[-1] - 1, 0)
    for row in plan.itertuples():
        arrived = plan["order"].iloc[: max(row.month - 2, 0)].sum()
        if row.month > 3:
            assert 1 + arrived >= row.due_so_far
    assert (plan["due_so_far_low"] <= plan["due_so_far"]).all()
    assert (plan["due_so_far"] <= plan["due_so_far_high"]).all()
