"""Curves, tests and models of stays against planted lives and against textbook forms."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lifelines.statistics import multivariate_logrank_test

from fleetdesk.errors import NotEnoughData
from fleetdesk.riders.lifetimes import LOG_LOGISTIC, WEIBULL, fit_lifetimes
from fleetdesk.riders.retention import log_rank, retention
from fleetdesk.riders.staying import curve_of, restricted_mean
from fleetdesk.settings.rider_sheets import Retention

SHEET = Retention(horizon_months=24)


def planted(size: int = 1200, seed: int = 1, entry: bool = False) -> pd.DataFrame:
    """Stays whose monthly hazard is 0.08, times 0.5 with Power and times 0.7 a referral."""
    chance = np.random.default_rng(seed)
    package = chance.choice(["Light", "Power"], size, p=[0.6, 0.4])
    referrals = chance.poisson(0.5, size)
    hazard = 0.08 * np.where(package == "Power", 0.5, 1.0) * 0.7**referrals
    life = chance.exponential(1 / hazard)
    seen = chance.uniform(2, 24, size)
    frame = pd.DataFrame(
        {
            "months": np.minimum(life, seen),
            "cancelled": life <= seen,
            "entry_months": 0.0,
            "package": package,
            "channel": "app store",
            "referrals": referrals,
        }
    )
    if entry:
        frame["entry_months"] = chance.uniform(0, 6, size) * (chance.random(size) < 0.5)
        frame = frame[frame.months > frame.entry_months].reset_index(drop=True)
    return frame


def test_the_planted_hazards_come_out():
    stays = planted()
    before = stays.copy()
    found = retention(stays, SHEET, 1)
    factors = {factor.name: factor for factor in found.cox.factors}
    assert factors["package: Power"].low < np.log(0.5) < factors["package: Power"].high
    assert factors["referrals"].low < np.log(0.7) < factors["referrals"].high
    assert "channel: app store" not in factors
    assert found.cox.note == "" and 0.55 < found.cox.held_out < 0.75
    assert found.log_rank_p < 1e-6
    assert [curve.group for curve in found.groups] == ["Light", "Power"]
    light = retention(stays[stays.package == "Light"].assign(referrals=0), SHEET, 1, None)
    assert light.overall.survival[12] == pytest.approx(np.exp(-0.08 * 12 * 0.75), abs=0.08)
    pd.testing.assert_frame_equal(stays, before)


def test_stays_seen_late_are_not_counted_from_their_start():
    late = planted(4000, entry=True)
    told = retention(late, SHEET, 1, None).overall
    naive = retention(late.assign(entry_months=0.0), SHEET, 1, None).overall
    truth = retention(planted(4000, seed=9), SHEET, 1, None).overall
    assert abs(told.survival[6] - truth.survival[6]) < 0.03
    assert naive.survival[6] > told.survival[6] + 0.05


def test_the_log_rank_test_is_the_usual_one_without_delayed_entry():
    stays = planted(300)
    groups = (stays.package == "Power").to_numpy().astype(np.int64)
    ours = log_rank(
        stays.months.to_numpy(), stays.cancelled.to_numpy(), np.zeros(len(stays)), groups
    )
    usual = multivariate_logrank_test(stays.months, groups, stays.cancelled).p_value
    assert ours == pytest.approx(usual, rel=1e-6)


def test_the_restricted_mean_is_the_area_under_the_curve():
    ended = np.array([True, True, False, True])
    mean, error = restricted_mean(np.array([1.0, 2.0, 3.0, 4.0]), ended, np.zeros(4), 4.0)
    assert mean == pytest.approx(1 + 0.75 + 0.5 + 0.5)
    assert error > 0


def test_the_hazard_shows_the_month_in_which_most_leave():
    chance = np.random.default_rng(2)
    life = np.where(chance.random(1500) < 0.4, chance.normal(6, 0.5, 1500), 30.0)
    stays = pd.DataFrame({"months": np.minimum(life, 20.0), "cancelled": life < 20.0})
    found = retention(stays.assign(referrals=0, package="a", channel="b"), SHEET, 1).overall
    assert abs(found.peak_month - 6) <= 1
    assert found.median_months is None


def test_a_steady_hazard_has_no_month_in_which_most_leave():
    chance = np.random.default_rng(7)
    named = 0
    for _ in range(40):
        life, seen = chance.exponential(8, 300), chance.uniform(1, 20, 300)
        stays = pd.DataFrame({"months": np.minimum(life, seen), "cancelled": life <= seen})
        curve = retention(stays.assign(referrals=0, package="a", channel="b"), SHEET, 1, None)
        whole = curve.overall
        named += whole.peak_month is not None
        assert whole.mean_hazard == pytest.approx(1 / 8, rel=0.3)
        inside = np.abs(whole.hazard - 1 / 8) <= 4 * whole.hazard_error
        assert inside[:6].all()
    assert named <= 4


def test_endings_after_the_last_month_followed_do_not_count():
    # The last few all leave just after the month in which ten are still seen.
    life = np.concatenate([np.linspace(0.1, 11.9, 190), np.full(10, 12.5)])
    stays = pd.DataFrame({"months": life, "cancelled": np.arange(200) % 3 == 0})
    stays.loc[190:, "cancelled"] = True
    whole = retention(stays.assign(referrals=0, package="a", channel="b"), SHEET, 1).overall
    assert whole.months[-1] == 12
    without = stays.assign(cancelled=stays.cancelled & (stays.months <= 12))
    other = retention(without.assign(referrals=0, package="a", channel="b"), SHEET, 1).overall
    assert whole.hazard == pytest.approx(other.hazard)


def test_a_group_that_is_not_seen_for_a_month_has_no_hazard() -> None:
    """Ten of its twelve left after half a month: that is no hazard of nought."""
    stays = np.full(12, 0.5), np.arange(12) < 10, np.zeros(12)
    found = curve_of("new", stays, horizon=6, bandwidth=2, fewest=10)
    assert found.months.tolist() == [0]
    assert np.isnan(found.hazard).all() and np.isnan(found.hazard_interval).all()
    assert found.peak_month is None


def test_when_proportional_hazards_do_not_hold_the_factor_is_named():
    chance = np.random.default_rng(4)
    one = chance.random(1500) < 0.5
    life = np.where(one, chance.weibull(4, 1500) * 8, chance.exponential(8, 1500))
    stays = pd.DataFrame({"months": life, "cancelled": True, "referrals": one.astype(int),
                          "package": "a", "channel": "b"})  # fmt: skip
    assert "referrals" in retention(stays, SHEET, 1).cox.note


def test_nobody_left_and_everybody_left():
    nobody = planted(60).assign(cancelled=False)
    found = retention(nobody, SHEET, 1)
    assert (found.overall.survival == 1).all() and found.cox is None
    assert found.overall.peak_month is None and "Nobody" in found.note
    assert (found.overall.low <= 1).all() and (found.overall.hazard == 0).all()
    with pytest.raises(NotEnoughData, match="0 of 60"):
        fit_lifetimes(nobody, 1)
    everyone = planted(200).assign(cancelled=True)
    found = retention(everyone, Retention(horizon_months=120), 1)
    assert found.overall.survival[-1] < 0.1


def test_curves_end_where_too_few_stays_are_still_seen():
    # All but five leave within a year; what those do later says nothing of riders.
    chance = np.random.default_rng(6)
    life = np.concatenate([chance.uniform(0, 12, 200), [20.0, 21.0, 22.0, 23.0, 23.5]])
    stays = pd.DataFrame({"months": life, "cancelled": True, "referrals": 0, "channel": "b",
                          "package": ["a"] * 150 + ["b"] * 55})  # fmt: skip
    found = retention(stays, SHEET, 1)
    assert found.overall.at_risk[-1] >= 10 and found.overall.months[-1] <= 12
    assert found.overall.peak_month <= 12
    wider = retention(stays, SHEET, 1, fewest=30)
    assert wider.overall.months[-1] < found.overall.months[-1]
    assert wider.groups[1].months[-1] < wider.overall.months[-1]
    assert wider.groups[1].mean_months <= wider.overall.months[-1]


def test_stays_too_few_or_too_short_to_follow_are_told():
    for stays in (planted(200).head(6), planted(200).assign(months=0.7)):
        with pytest.raises(NotEnoughData, match=r"followed for a month.*fewer than 10"):
            retention(stays, SHEET, 1)


def test_one_package_has_nothing_to_be_compared_with():
    found = retention(planted(200).assign(package="Light"), SHEET, 1)
    assert found.log_rank_p is None and len(found.groups) == 1


@pytest.mark.parametrize(("law", "shape"), [(WEIBULL, 1.7), (LOG_LOGISTIC, 2.5)])
def test_the_law_that_lives_follow_is_found_and_reaches_past_the_data(law, shape):
    chance = np.random.default_rng(3)
    u = chance.random(3000)
    life = 10 * (-np.log(u)) ** (1 / shape) if law == WEIBULL else 10 * (u / (1 - u)) ** (1 / shape)
    stays = pd.DataFrame({"months": np.minimum(life, 12.0), "cancelled": life <= 12.0,
                          "referrals": 0, "package": "a", "channel": "b"})  # fmt: skip
    found = fit_lifetimes(stays, 1)
    assert found.law == law
    at = np.array([5.0, 20.0])
    truth = np.exp(-((at / 10) ** shape)) if law == WEIBULL else 1 / (1 + (at / 10) ** shape)
    assert found.survival(stays.head(1), at)[0] == pytest.approx(truth, abs=0.03)
    staying = found.staying(stays.head(1), np.array([5.0]), np.array([0.0, 15.0]))[0]
    assert staying == pytest.approx([1.0, truth[1] / truth[0]], abs=0.05)


def test_each_rider_has_a_curve_of_their_own():
    found = fit_lifetimes(planted(), 1)
    two = pd.DataFrame({"package": ["Light", "Power"], "referrals": [0, None], "channel": "x"})
    light, power = found.survival(two, np.array([12.0]))[:, 0]
    assert light < power
    assert found.draws.shape == (100, len(found.parameters))
