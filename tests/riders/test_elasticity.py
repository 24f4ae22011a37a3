from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fleetdesk.errors import NotEnoughData
from fleetdesk.riders.elasticity import by_segment, double_ml, fixed_effects


def sales(true=-2.0, packages=6, weeks=60, seed=1, segment="all"):
    """Dear packages sell more by themselves, so that pooling them would hide the elasticity."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(packages):
        base = 10.0 * (number + 1)
        price = base * np.exp(rng.normal(0, 0.15, weeks))
        quantity = np.exp(2 + 2.5 * np.log(base) + true * np.log(price / base)
                          + rng.normal(0, 0.1, weeks))  # fmt: skip
        rows.append(pd.DataFrame({"package": f"p{number}", "week": range(weeks), "price": price,
                                  "quantity": quantity, "segment": segment}))  # fmt: skip
    return pd.concat(rows, ignore_index=True)


def test_planted_elasticity_by_fixed_effects():
    pooled = fixed_effects(sales())
    within = fixed_effects(sales(), effects=["package"], cluster="package")
    assert pooled.value > 0  # the trap
    assert within.value == pytest.approx(-2, abs=0.06)
    assert within.low < -2 < within.high
    assert within.elastic is True


def test_two_effects_take_out_a_common_season():
    frame = sales()
    season = 1 + 0.8 * np.sin(frame["week"] / 5)
    frame = frame.assign(quantity=frame["quantity"] * season**3, price=frame["price"] * season**0.5)
    one = fixed_effects(frame, effects=["package"])
    two = fixed_effects(frame, effects=["package", "week"])
    assert abs(one.value + 2) > 0.5
    assert two.value == pytest.approx(-2, abs=0.06)


def test_robust_errors_agree_with_dummies_by_statsmodels():
    import statsmodels.formula.api as smf

    frame = sales()
    dummies = smf.ols("np.log(quantity) ~ np.log(price) + C(package)", frame).fit(cov_type="HC1")
    own = fixed_effects(frame, effects=["package"])
    assert own.value == pytest.approx(dummies.params["np.log(price)"], rel=1e-9)
    assert own.error == pytest.approx(dummies.bse["np.log(price)"], rel=1e-3)


def test_double_ml_takes_out_what_drives_both():
    rng = np.random.default_rng(3)
    weather = rng.normal(size=700)
    price = np.exp(0.5 * np.sin(2 * weather) + rng.normal(0, 0.2, 700))
    quantity = np.exp(1.5 * np.sin(2 * weather) - 1.5 * np.log(price) + rng.normal(0, 0.2, 700))
    frame = pd.DataFrame({"price": price, "quantity": quantity, "weather": weather})
    assert fixed_effects(frame).value > -0.8
    found = double_ml(frame, covariates=["weather"], seed=1)
    assert found.value == pytest.approx(-1.5, abs=0.15)
    assert found == double_ml(frame, covariates=["weather"], seed=1)


def test_segments_are_drawn_together_by_their_doubt():
    big = sales(-1.0, weeks=80, segment="sure")
    small = sales(-3.0, packages=1, weeks=40, seed=2, segment="unsure")
    noisy = small.assign(
        quantity=small["quantity"] * np.exp(np.random.default_rng(5).normal(0, 2, len(small)))
    )
    frame = pd.concat([big, noisy], ignore_index=True)
    alone = fixed_effects(noisy, effects=["package"])
    found = by_segment(frame, "segment", effects=["package"])
    assert found["sure"].value == pytest.approx(-1.0, abs=0.1)
    assert found["unsure"].value != pytest.approx(alone.value, abs=0.1)
    assert min(alone.value, -1) < found["unsure"].value < max(alone.value, -1)
    assert found["unsure"].error < alone.error


def test_a_price_that_never_changed_tells_nothing():
    still = sales().assign(price=10.0)
    with pytest.raises(NotEnoughData, match="never changed"):
        fixed_effects(still)
    # It differs between packages, but within them it never changed.
    fixed = sales()
    fixed["price"] = fixed["package"].str[1:].astype(float) + 1
    with pytest.raises(NotEnoughData, match="never changed"):
        fixed_effects(fixed, effects=["package"])
    assert by_segment(still, "segment") == {}


def test_a_segment_whose_price_never_changed_gets_the_mean_of_the_others():
    still = sales(segment="still").assign(price=10.0)
    found = by_segment(
        pd.concat([sales(segment="moved"), still], ignore_index=True), "segment",
        effects=["package"],
    )  # fmt: skip
    assert found["still"].value == pytest.approx(found["moved"].value)
    assert "mean" in found["still"].method


def test_rows_without_sales_do_not_count_and_few_are_refused():
    frame = sales(weeks=10)
    frame.loc[0, "quantity"] = 0
    assert fixed_effects(frame, effects=["package"]).rows == len(frame) - 1
    with pytest.raises(NotEnoughData, match="too few"):
        fixed_effects(frame.head(20))
