from __future__ import annotations

import numpy as np
import pytest

from fleetdesk.riders.package_costs import Usage
from fleetdesk.riders.package_trial import TrialRules, try_packages
from fleetdesk.settings.schema import Costs, Package

BASIC = Package(name="Basic", monthly_price=20, included_km=100, included_swaps=5,
                extra_km_price=0.5)  # fmt: skip
PLUS = Package(name="Plus", monthly_price=50, included_km=500, included_swaps=20,
               extra_km_price=0.5)  # fmt: skip
RULES = TrialRules(moves_at=3, churn_pct=5, churn_response_pct=1, response_error_pct=0.5,
                   cost_per_km=0.0)  # fmt: skip
FREE = Costs(vat_pct=0, payment_fee_pct=0, swap_cost=0)


def trial(km, held, after, rounds=0, rules=RULES):
    km = np.asarray(km, dtype=float)[:, None]
    return try_packages(Usage(km, km * 0), np.array(held), (BASIC, PLUS), after, FREE, rules,
                        rounds=rounds, seed=1)  # fmt: skip


def figures(found):
    return {change.name: change for change in found.figures}


def test_no_change_moves_nobody_who_is_right():
    found = figures(trial([50, 400], [0, 1], (BASIC, PLUS)))
    assert all(change.difference == 0 for change in found.values())


def test_a_dearer_package_moves_those_who_can_leave_it():
    dear = PLUS.model_copy(update={"monthly_price": 80.0})
    # 160 km: 50 in Plus, 20 + 60 x 0.5 = 50 in Basic; 400 km: 80 against 170.
    found = trial([160, 400], [1, 1], (BASIC, dear))
    got = figures(found)
    assert got["Riders moved"].after == 1
    assert found.moves == (("Basic", 0, 1), ("Plus", 2, 1))
    # The one who stays pays 60 % more, so 5 % churn x 1.6 = 8 %; the other pays the same.
    assert got["Riders who leave a month"].after == pytest.approx(0.05 + 0.08)
    assert got["Revenue a month"].after == pytest.approx(0.95 * 50 + 0.92 * 80)
    assert got["Margin a month"].difference == pytest.approx(
        got["Revenue a month"].difference
    )  # without tax, fee and costs


def test_who_forgoes_a_saving_today_does_not_move_for_it():
    # 50 km in Plus: 50 paid where 20 would do; a trial that leaves that as it is moves nobody.
    same = figures(trial([50], [1], (BASIC, PLUS)))
    assert same["Riders moved"].after == 0
    cheap = BASIC.model_copy(update={"monthly_price": 10.0})
    assert figures(trial([50], [1], (cheap, PLUS)))["Riders moved"].after == 1


def test_who_loses_the_package_chooses_anew():
    found = trial([50, 400], [0, 1], (BASIC,))
    assert {name: after for name, _, after in found.moves} == {"Basic": 2, "Plus": 0}


def test_a_package_without_riders_can_be_tried():
    tiny = Package(name="Tiny", monthly_price=5, included_km=60, included_swaps=1)
    found = figures(trial([50, 50], [0, 0], (tiny, BASIC, PLUS)))
    assert found["Riders moved"].after == 2


def test_intervals_hold_the_middle_and_the_seed_fixes_them():
    rng = np.random.default_rng(2)
    km, held = rng.gamma(2, 100, 200), rng.integers(0, 2, 200)
    dear = PLUS.model_copy(update={"monthly_price": 60.0})
    first, second = (trial(km, held, (BASIC, dear), rounds=60) for _ in range(2))
    assert first == second
    for change in first.figures:
        assert change.low <= change.difference <= change.high
    assert figures(first)["Revenue a month"].low < figures(first)["Revenue a month"].high
