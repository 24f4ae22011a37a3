"""Worth by hand, by the published example, and against riders whose law of coming is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.riders.test_retention import planted

from fleetdesk.errors import NotEnoughData
from fleetdesk.riders.lifetime_value import (
    TIERS,
    contract_values,
    free_values,
    mean_interval,
    months_foretold,
    present_value,
    tiers,
)
from fleetdesk.riders.lifetimes import fit_lifetimes
from fleetdesk.riders.purchases import LOSS_LIMIT, BgNbd, fit_bg_nbd, fit_gamma_gamma
from fleetdesk.settings.rider_sheets import LifetimeValue

SHEET = LifetimeValue(referral_value=10, platinum_from=1000, gold_from=500, silver_from=100)


def visitors(
    size: int = 2500, weeks: float = 40, seed: int = 1, law: tuple[float, ...] = (0.5, 6, 0.8, 2.5)
) -> tuple[pd.DataFrame, np.ndarray]:
    """Riders who come by BG/NBD with `law` (r, alpha, a, b); and their next `weeks`."""
    chance = np.random.default_rng(seed)
    rate = chance.gamma(law[0], 1 / law[1], size)
    lost = chance.beta(law[2], law[3], size)
    level = 4.0 / chance.gamma(5.0, 1 / 4.0, size)
    rows, later = [], []
    for i in range(size):
        at, last, count, future = 0.0, 0.0, 0, 0
        while True:
            at += chance.exponential(1 / max(rate[i], 1e-9))
            if at > 2 * weeks:
                break
            if at <= weeks:
                count, last = count + 1, at
            else:
                future += 1
            if chance.random() < lost[i]:
                break
        spend = chance.gamma(6.0 * count, 1.0) / count * level[i] if count else np.nan
        rows.append((count, last, weeks, spend))
        later.append(future)
    frame = pd.DataFrame(rows, columns=["repeats", "recency_weeks", "age_weeks", "spend"])
    return frame.assign(referrals=0), np.array(later)


def test_the_published_example():
    staying = 0.95 ** np.arange(600)[None, :]
    assert present_value(np.array([800.0]), staying, 10.0)[0] == pytest.approx(13_909, abs=1)


def test_one_month_by_hand():
    staying = np.array([[1.0, 0.5]])
    assert present_value(np.array([10.0]), staying, 0.0)[0] == pytest.approx(15.0)
    found = present_value(np.array([10.0]), staying, 21.0)[0]
    assert found == pytest.approx(10 + 5 / 1.21 ** (1 / 12))


def test_values_use_the_riders_own_curve_and_months_stayed():
    model = fit_lifetimes(planted(), 1)
    riders = pd.DataFrame(
        {"monthly_spend": [30.0, 30.0, 0.0, None], "months": [1.0, 1.0, 1.0, 1.0],
         "package": ["Light", "Power", "Light", "Light"], "channel": "x",
         "referrals": [0, 0, 2, 0]}
    )  # fmt: skip
    found = contract_values(riders, model, SHEET)
    assert found.value[1] > found.value[0] > 0
    assert found.value[2] == pytest.approx(20.0) and found.value[3] == 0.0
    assert (found.low <= found.value).all() and (found.value <= found.high).all()
    assert found.low[0] < found.high[0]


def test_tiers_are_the_sheets():
    named = [TIERS[tier] for tier in tiers(np.array([1000.0, 999.0, 100.0, 0.0]), SHEET)]
    assert named == ["Platinum", "Gold", "Silver", "Bronze"]


def test_how_often_riders_come_is_learnt_and_foretold():
    history, later = visitors()
    law = fit_bg_nbd(history)
    assert law.r == pytest.approx(0.5, rel=0.25) and law.alpha == pytest.approx(6, rel=0.3)
    expected = law.expected(history, 40)
    assert expected.sum() == pytest.approx(later.sum(), rel=0.12)
    assert np.corrcoef(expected, later)[0, 1] > 0.6
    assert ((law.alive(history) > 0) & (law.alive(history) <= 1)).all()


@pytest.mark.parametrize("a", [0.8, 1.0, 1.5, 3.0])
def test_who_rides_daily_has_a_value_too(a):
    law = BgNbd(0.5, 5.0, a, 2.0, 0.0, 1, 0.0, 52.0)
    repeats = np.array([0.0, 5.0, 60.0, 180.0, 320.0, 364.0])
    history = pd.DataFrame(
        {"repeats": repeats, "recency_weeks": np.where(repeats > 0, 51.9, 0), "age_weeks": 52.0}
    )
    weeks = (13.0, 104.0, 522.0, 2600.0)
    found = np.array([law.expected(history, week) for week in weeks])
    assert np.isfinite(found).all()
    assert (np.diff(found, axis=0) > 0).all() and (np.diff(found[:, 1:], axis=1) > 0).all()
    assert (found <= 7 * np.array(weeks)[:, None]).all()


def test_what_riders_pay_is_learnt_and_drawn_to_the_mean():
    history, _ = visitors()
    law = fit_gamma_gamma(history)
    back = history[history.repeats > 0]
    assert law.p == pytest.approx(6.0, rel=0.3)
    expected = law.expected(back)
    assert expected.mean() == pytest.approx(back.spend.mean(), rel=0.1)
    assert expected.std() < back.spend.std()


def test_riders_without_a_contract_have_a_value():
    history, _ = visitors(600)
    found = free_values(history, fit_bg_nbd(history), fit_gamma_gamma(history), SHEET)
    assert (found.value > 0).all() and np.isnan(found.low).all()
    often = history.repeats.to_numpy() >= 5
    assert found.value[often].mean() > found.value[~often].mean()


def never_lost(history: pd.DataFrame, law: BgNbd, months: float) -> float:
    """The visits in so many months if nobody were lost."""
    weeks = months * 365.25 / 12 / 7
    rate = (law.r + history.repeats) / (law.alpha + history.age_weeks)
    return float((rate * weeks).sum())


def test_a_fortnight_of_records_is_not_carried_on_for_ten_years():
    # They ride twice or three times a week, and one ride in 60 is the last.
    history, later = visitors(250, 2.0, 1, (2.5, 0.9, 2, 118))
    law, much = fit_bg_nbd(history), fit_gamma_gamma(history)
    assert law.loss_ratio < LOSS_LIMIT
    ten_years = law.expected(history, 120 * 365.25 / 12 / 7).sum()
    assert ten_years > 0.9 * never_lost(history, law, 120)  # which the rule must not believe
    found = free_values(history, law, much, SHEET)
    assert found.counted == pytest.approx(14 * 12 / 365.25)
    assert (found.months <= found.counted).all()
    each = much.expected(history).mean() * SHEET.margin_pct / 100
    assert found.value.sum() < 1.5 * each * never_lost(history, law, found.counted)
    assert found.value.sum() < 0.02 * each * never_lost(history, law, 120)
    assert law.expected(history, 2.0).sum() == pytest.approx(later.sum(), rel=0.15)


def test_riders_all_alike_do_not_overflow_what_is_expected_of_them():
    # Without a bound on the parameters the law expected seven times the rides, or none at all.
    for seed, weeks in ((1, 30 / 7), (4, 30 / 7), (4, 5 / 7)):
        history, later = visitors(250, weeks, seed, (2.5, 0.9, 2, 118))
        law = fit_bg_nbd(history)
        assert law.expected(history, weeks).sum() == pytest.approx(later.sum(), rel=0.25)
        assert np.isfinite(law.expected(history, 2600)).all()


def test_half_a_year_of_records_shows_who_is_lost():
    history, later = visitors(250, 26, 4, (2.5, 0.9, 2, 118))
    law = fit_bg_nbd(history)
    assert law.loss_ratio > 10 * LOSS_LIMIT
    assert law.expected(history, 26).sum() == pytest.approx(later.sum(), rel=0.2)
    assert law.expected(history, 26).sum() < 0.75 * never_lost(history, law, 6)
    assert months_foretold(law, SHEET) == pytest.approx(26 * 7 * 12 / 365.25)
    assert months_foretold(law, LifetimeValue(horizon_months=3)) == 3


def test_a_stray_trip_of_long_ago_makes_no_long_history():
    history, _ = visitors(300, 8, 2, (2.5, 0.9, 2, 118))
    history.loc[:2, "age_weeks"] = 500.0
    assert fit_bg_nbd(history).weeks == 8


def test_no_purchases_are_too_few():
    history = pd.DataFrame(
        {"repeats": [0] * 50, "recency_weeks": 0.0, "age_weeks": 10.0, "spend": np.nan}
    )
    with pytest.raises(NotEnoughData, match="0 of 50"):
        fit_bg_nbd(history)
    with pytest.raises(NotEnoughData, match="0 riders"):
        fit_gamma_gamma(history)


def test_the_mean_has_an_interval():
    mean, low, high = mean_interval(np.arange(100.0), 1)
    assert low < mean == 49.5 < high
    assert np.isnan(mean_interval(np.empty(0), 1)[0])
