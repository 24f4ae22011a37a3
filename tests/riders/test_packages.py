from __future__ import annotations

import numpy as np
import pytest

from fleetdesk.errors import NotEnoughData
from fleetdesk.riders.package_costs import Usage, margins, rider_costs, usage_scenarios
from fleetdesk.riders.package_peers import by_factors, by_neighbours
from fleetdesk.riders.package_rules import Buffers, by_newsvendor, by_rules, protected
from fleetdesk.riders.packages import PackageRules, People, advise, on_offer
from fleetdesk.settings.schema import Costs, Package

LIGHT = Package(name="Light", monthly_price=30, included_km=300, included_swaps=10,
                extra_km_price=0.2, extra_swap_price=2, floor_price=27)  # fmt: skip
COMMUTER = Package(name="Commuter", monthly_price=60, included_km=800, included_swaps=20,
                   extra_km_price=0.1, extra_swap_price=2, floor_price=50)  # fmt: skip
POWER = Package(name="Power", monthly_price=120, included_km=2000, included_swaps=60,
                extra_km_price=0.1, extra_swap_price=2, floor_price=0)  # fmt: skip
PACKAGES = (LIGHT, COMMUTER, POWER)
BUFFERS = Buffers(growth_pct=20, season_pct=30, new_pct=25, new_months=3, keep_months=6)
RULES = PackageRules(BUFFERS, margin_floor_pct=10, discount_cap_pct=15, least_saving=2,
                     neighbours=5, factors=3, cost_per_km=0.01, peak_season=False)  # fmt: skip
COSTS = Costs(vat_pct=25, payment_fee_pct=5, swap_cost=0.5)


def sure(km, swaps=0.0):
    km = np.atleast_1d(np.asarray(km, dtype=float))
    return Usage(km[:, None], np.full((km.size, 1), swaps))


def people(km, package, package_months=12.0, tenure=24.0):
    km = np.atleast_1d(np.asarray(km, dtype=float))
    full = np.full(km.size, 1.0)
    return People(
        tuple(f"r{n}" for n in range(km.size)), sure(km), np.array(package),
        full * package_months, full * tenure, km[:, None],
    )  # fmt: skip


def test_costs_by_hand():
    usage = Usage(np.array([[200.0, 400.0]]), np.array([[5.0, 15.0]]))
    # Light: 30 in the first case, 30 + 100 x 0.2 + 5 x 2 = 60 in the second.
    assert rider_costs(usage, [LIGHT])[0, 0] == pytest.approx((30 + 60) / 2)
    kept = 1 / 1.25 - 0.05
    spent = 300 * 0.01 + 10 * 0.5
    assert margins(usage, [LIGHT], COSTS, 0.01)[0, 0] == pytest.approx(45 * kept - spent)


def test_scenarios_hold_the_forecast_and_its_interval():
    found = usage_scenarios(np.array([100.0, 0.0]), np.array([50.0, 0.0]), np.array([180.0, 0.0]),
                            np.array([0.02, 0.02]), 90)  # fmt: skip
    assert np.median(found.km[0]) == pytest.approx(100)
    assert np.mean((found.km[0] >= 50) & (found.km[0] <= 180)) == pytest.approx(0.9, abs=0.03)
    assert (found.km[1] == 0).all()
    assert found.swaps[0] == pytest.approx(found.km[0] * 0.02)


@pytest.mark.parametrize(
    ("km", "swaps", "tenure", "peak", "chosen"),
    [
        (240, 0, 24, False, 0),  # 240 x 1.2 = 288
        (260, 0, 24, False, 1),  # 312: no more room in Light
        (240, 0, 1, False, 1),  # a new rider: x 1.25 = 360
        (240, 0, 24, True, 1),  # in season: x 1.3 = 374
        (100, 9, 24, False, 1),  # swaps decide too: 10.8
        (9000, 0, 24, False, 2),  # more than any: the largest
    ],
)
def test_rules_with_buffers(km, swaps, tenure, peak, chosen):
    found = by_rules(np.array([km * 1.0]), np.array([swaps * 1.0]), PACKAGES, BUFFERS,
                     tenure_months=np.array([tenure * 1.0]), peak_season=peak)  # fmt: skip
    assert found.tolist() == [chosen]


def test_no_step_down_before_six_months():
    wanted, current = np.array([0, 0, 2, 0]), np.array([1, 1, 1, -1])
    found = protected(wanted, current, np.array([5.9, 6.0, 1.0, np.nan]), 6.0)
    assert found.tolist() == [1, 0, 2, 0]


def test_newsvendor_weighs_how_often_usage_gets_there():
    # 30 dearer, 0.2 saved per km above 300: worth it when E[min(km - 300, ...)] x 0.2 > 30.
    often = Usage(np.array([[100.0, 700.0]]), np.zeros((1, 2)))  # 200 km on average above
    rarely = Usage(np.array([[100.0] * 9 + [700.0]]), np.zeros((1, 10)))  # 40 km on average
    assert by_newsvendor(often, PACKAGES).tolist() == [1]
    assert by_newsvendor(rarely, PACKAGES).tolist() == [0]


def test_the_cheapest_package_with_a_margin_is_advised_and_the_reason_says_why():
    advice = advise(people([100, 1500, 100], [1, 1, 0]), PACKAGES, COSTS, RULES, 1)
    rows = advice.rows
    assert rows["advised"].tolist() == ["Light", "Power", "Light"]
    assert rows["saving"].tolist() == pytest.approx([30.0, 10.0, 0.0])
    assert "down to Light saves 30.00" in rows["reason"][0]
    assert "up to Power saves 10.00" in rows["reason"][1]
    assert rows["wrong"].tolist() == [True, True, False]
    share, low, high = advice.wrong_share()
    assert share == pytest.approx(200 / 3)
    assert low < share < high


def test_a_small_saving_is_not_worth_a_letter():
    advice = advise(people([405.0], [0]), PACKAGES, COSTS, RULES, 1)  # 51 against 60
    assert advice.rows["advised"].tolist() == ["Light"]
    near = advise(people([455.0], [0]), PACKAGES, COSTS, RULES, 1)  # 61 against 60: saves 1
    assert near.rows["advised"].tolist() == ["Light"]
    assert not near.rows["wrong"][0]


def test_downgrade_protection_is_told():
    advice = advise(people([100], [1], package_months=2), PACKAGES, COSTS, RULES, 1)
    assert advice.rows["advised"].tolist() == ["Commuter"]
    assert "only 2.0 of 6 months" in advice.rows["reason"][0]
    # The package is wrong all the same; it is only too early to say so to the rider.
    assert advice.rows["wrong"][0] and advice.rows["saving"][0] == 0


def test_margin_floor_rules_out_what_loses_money():
    dear = PackageRules(BUFFERS, 10, 15, 2, 5, 3, cost_per_km=0.2, peak_season=False)
    advice = advise(people([280], [-1]), PACKAGES, COSTS, dear, 1)
    assert "no package leaves the margin" not in advice.rows["reason"][0]
    # Light would cost 30 and leave 30 x 0.75 - 56 < 0; Power leaves 120 x 0.75 - 56.
    assert advice.rows["advised"].tolist() == ["Power"]
    lossy = PackageRules(BUFFERS, 10, 15, 2, 5, 3, cost_per_km=9, peak_season=False)
    assert "leaves most" in advise(people([280], [-1]), PACKAGES, COSTS, lossy, 1).rows["reason"][0]


def test_discount_room_ends_at_floor_and_cap():
    advice = advise(people([100, 500, 1700], [0, 1, 2]), PACKAGES, COSTS, RULES, 1)
    # Light 30 -> 27 is 10 %; Commuter 60 -> 50 is 16.7 %, capped at 15; Power has no floor.
    assert advice.rows["discount_room_pct"].tolist() == pytest.approx([10, 15, 15])


def test_a_package_without_riders_is_still_advised():
    advice = advise(people([1900] * 30, [0] * 30), PACKAGES, COSTS, RULES, 1)
    assert set(advice.rows["advised"]) == {"Power"}
    assert set(advice.rows["neighbours"].dropna()) <= {"Light"}


def test_nothing_on_offer_says_so():
    with pytest.raises(NotEnoughData, match="No package"):
        on_offer([Package(name="x", monthly_price=1, included_km=1, included_swaps=1,
                          active=False)])  # fmt: skip


def test_peers_find_planted_groups():
    rng = np.random.default_rng(1)
    group = np.repeat([0, 1, 2], 60)
    habits = np.column_stack(
        [np.array([-3.0, 0.0, 3.0])[group], np.array([1.0, -2.0, 1.0])[group]]
    ) + rng.normal(0, 0.4, (180, 2))
    package = group.copy()
    lost = rng.choice(180, 30, replace=False)
    package[lost] = (group[lost] + 1) % 3
    content = package == group
    near = by_neighbours(habits, package, content, 3, 10)
    tied = by_factors(habits, np.where(content, package, -1), np.full(180, 12.0), 3,
                      factors=4, seed=1)  # fmt: skip
    assert (near == group).mean() > 0.97
    assert (tied == group).mean() > 0.9


def test_habits_that_nobody_has_do_no_harm():
    habits = np.column_stack([np.arange(8.0), np.full(8, np.nan), np.full(8, 3.0)])
    package = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    assert by_neighbours(habits, package, package >= 0, 2, 3).tolist() == package.tolist()
    assert by_neighbours(habits, package, np.zeros(8, bool), 2, 3).tolist() == [-1] * 8
    assert len(by_factors(habits, package, np.ones(8), 2, factors=2, seed=1)) == 8
    nobody = np.full(8, -1)
    assert by_factors(habits, nobody, np.ones(8), 2, factors=2, seed=1).tolist() == [-1] * 8
    alone = np.arange(8) == 3
    assert by_neighbours(habits, package, alone, 2, 3)[3] == -1


def test_regret_is_below_the_rules():
    """Riders whose months vary: what they truly would pay, against the best package for each."""
    rng = np.random.default_rng(4)
    count = 600
    mean, spread = np.exp(rng.normal(6.2, 0.8, count)), rng.uniform(0.2, 0.8, count)

    def months(size):
        z = rng.standard_normal((count, size))
        return mean[:, None] * np.exp(spread[:, None] * z - spread[:, None] ** 2 / 2)

    past = months(6)
    middle, off = past.mean(axis=1), past.std(axis=1, ddof=1)
    usage = usage_scenarios(middle, np.maximum(middle - 1.6 * off, 1), middle + 1.6 * off,
                            np.full(count, 0.01), 90)  # fmt: skip
    who = People(tuple(map(str, range(count))), usage, np.full(count, -1), np.full(count, np.nan),
                 np.full(count, 24.0), past)  # fmt: skip
    advice = advise(who, PACKAGES, COSTS, RULES, 1).rows
    future = months(300)
    truth = rider_costs(Usage(future, future * 0.01), PACKAGES)
    number = {package.name: place for place, package in enumerate(PACKAGES)}

    def regret(column):
        chosen = np.array([number[name] for name in advice[column]])
        return float((truth[np.arange(count), chosen] - truth.min(axis=1)).mean())

    assert regret("advised") < 0.5 * regret("rule")
