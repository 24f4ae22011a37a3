from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetdesk.riders.elasticity import Elasticity
from fleetdesk.riders.pricing import (
    PriceRules,
    Situation,
    best_price,
    dynamic_price,
)

RULES = PriceRules(cap_pct=30, rate_limit_pct=10, discount_cap_pct=20, demand_above_pct=80,
                   demand_factor_pct=10, off_peak_factor_pct=-10, tenure_above_months=12,
                   tenure_factor_pct=-5, utilisation_above_pct=90,
                   utilisation_factor_pct=5)  # fmt: skip
FREE = PriceRules(1000, 1000, 100, 80, 10, -10, 12, -5, 90, 5)


def elasticity(value, low, high):
    return Elasticity("all", value, 0.1, low, high, 100, "given")


def test_the_guides_factors_one_by_one():
    now = Situation(demand_pct=85, off_peak=True, tenure_months=13, utilisation_pct=95)
    price = dynamic_price(100, 0, now, RULES)
    assert price.price == pytest.approx(100 * 1.1 * 0.9 * 0.95 * 1.05, abs=0.01)
    assert [step.change_pct for step in price.steps] == [0, 10, -10, -5, 5]
    assert price.steps[0].reason == "list price"


def test_nothing_known_changes_nothing_and_limits_are_exclusive():
    assert dynamic_price(50, 0, Situation(), RULES).price == 50
    edge = Situation(demand_pct=80, tenure_months=12, utilisation_pct=90)
    assert dynamic_price(50, 0, edge, RULES).price == 50


def test_floor_cap_and_discount_limit_are_accounted_for():
    now = Situation(off_peak=True, tenure_months=99)
    price = dynamic_price(100, 95, now, RULES)
    assert price.price == 95
    assert price.steps[-1].reason == "price floor"
    steep = PriceRules(5, 10, 2, 80, 10, -10, 12, -5, 90, 5)
    assert dynamic_price(100, 0, Situation(demand_pct=99), steep).price == 105
    assert dynamic_price(100, 0, Situation(off_peak=True), steep).price == 98


@given(
    base=st.floats(1, 1000), floor=st.floats(0, 1), demand=st.floats(0, 100),
    tenure=st.floats(0, 200), used=st.floats(0, 200), off=st.booleans(),
)  # fmt: skip
def test_a_price_is_always_within_its_bounds_and_explained(base, floor, demand, tenure, used, off):
    floor *= base
    found = dynamic_price(base, floor, Situation(demand, off, tenure, used), RULES)
    assert floor <= found.price
    assert 0.8 * base - 0.01 <= found.price <= max(1.3 * base, floor) + 0.01
    assert found.steps[-1].price == pytest.approx(found.price, abs=0.0051)


def margin_change(today, price, unit_cost, elasticity):
    """Margin at a new price over that at today's, both per unit sold today."""
    return (price - unit_cost) * (price / today) ** elasticity - (today - unit_cost)


def test_the_best_price_is_the_one_with_the_highest_margin():
    found = best_price(20, 10, 0, elasticity(-3, -3.2, -2.8), FREE)
    assert found.price == pytest.approx(15)  # 10 x -3 / (1 - 3)
    best = margin_change(20, 15, 10, -3)
    assert best > 0
    assert all(margin_change(20, price, 10, -3) < best for price in (13, 14, 16, 17, 20))


def test_steps_are_limited():
    found = best_price(20, 10, 0, elasticity(-3, -3.2, -2.8), RULES)
    assert found.price == 18
    assert any("10 % a step" in step.reason for step in found.steps)


def test_where_demand_hardly_answers_the_price_goes_up_by_the_limit_only():
    assert best_price(20, 10, 0, elasticity(-0.4, -0.6, -0.2), RULES).price == 22


def test_doubt_leaves_the_price_alone():
    found = best_price(20, 10, 0, elasticity(-1.1, -2, -0.5), RULES)
    assert found.price == 20
    assert "-1" in found.steps[-1].reason


def test_the_floor_comes_last():
    assert best_price(20, 1, 19.5, elasticity(-5, -6, -4), RULES).price == 19.5
