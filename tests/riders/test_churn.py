"""Chances mean what they say, planted causes are found, and nothing is made of no data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from fleetdesk.riders.churn import (
    BASE_RATE,
    BOOSTING,
    FOREST,
    NUMBERS,
    fit_churn,
    reasons,
    train,
)
from fleetdesk.riders.churn_actions import actions, bands, decide, profit_curve
from fleetdesk.riders.classify import at_limit, auc, expected_calibration_error, quality
from fleetdesk.settings.rider_sheets import Churn

BOOSTED = Churn(model=BOOSTING)


def planted(size: int, seed: int) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Riders who leave for two reasons: riding less than before, and complaints."""
    chance = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "rider_id": [f"r{seed}-{n}" for n in range(size)],
            "growth_pct": chance.normal(0, 40, size),
            "complaints_30d": chance.poisson(0.4, size),
            "km_30d": chance.lognormal(3, 1, size),
            "package": chance.choice(["Light", "Power", None], size),
        }
    )
    score = -1.6 - 0.04 * frame.growth_pct + 1.1 * frame.complaints_30d
    truth = 1 / (1 + np.exp(-score.to_numpy()))
    return frame, chance.random(size) < truth, truth


def test_chances_are_calibrated_and_rank_as_well_as_the_truth_allows():
    frame, left, _ = planted(3000, 1)
    later, later_left, truth = planted(3000, 2)
    before = frame.copy()
    fit = fit_churn(frame, left, later, later_left, BOOSTED, 1, frame.rider_id)
    found = fit.quality[BOOSTING]
    best = roc_auc_score(later_left, truth)
    assert found.auc is not None and found.auc.value > best - 0.02
    assert found.auc.low < found.auc.value < found.auc.high
    assert found.ece < 0.04
    assert np.abs(fit.held_out - truth).mean() < 0.06
    assert found.brier.value < fit.quality[BASE_RATE].brier.value
    pd.testing.assert_frame_equal(frame, before)


def test_the_planted_causes_come_first_and_in_the_right_direction():
    frame, left, _ = planted(2000, 1)
    later, later_left, _ = planted(2000, 2)
    fit = fit_churn(frame, left, later, later_left, BOOSTED, 1)
    first, second = fit.drivers[:2]
    assert {first.column, second.column} == {"growth_pct", "complaints_30d"}
    direction = {driver.column: driver.direction for driver in fit.drivers}
    assert direction["growth_pct"] == -1 and direction["complaints_30d"] == 1
    assert direction["package"] == 0
    worst = later.assign(growth_pct=-120.0, complaints_30d=5).head(1)
    told = reasons(fit.model, pd.concat([worst, later], ignore_index=True), fit.drivers)[0]
    assert "growth (%)" in told and "complaints in 30 days" in told


def test_the_best_of_two_models_is_taken_and_both_are_told():
    frame, left, _ = planted(600, 1)
    later, later_left, _ = planted(400, 2)
    fit = fit_churn(frame, left, later, later_left, Churn(), 1)
    assert set(fit.quality) == {FOREST, BOOSTING, BASE_RATE}
    best = min((FOREST, BOOSTING), key=lambda kind: fit.quality[kind].brier.value)
    assert fit.model.kind == best
    again = fit_churn(frame, left, later, later_left, Churn(), 1)
    assert (again.held_out == fit.held_out).all()


@pytest.mark.parametrize("everyone", [False, True])
def test_when_nobody_or_everybody_left_all_have_the_same_chance(everyone):
    frame, _, _ = planted(200, 1)
    left = np.full(200, everyone)
    fit = fit_churn(frame, left, frame, left, BOOSTED, 1)
    assert fit.model.kind == BASE_RATE and "too few" in fit.note
    assert len(set(fit.held_out)) == 1 and 0 < fit.held_out[0] < 1
    assert abs(fit.held_out[0] - everyone) < 0.01
    assert fit.quality[BASE_RATE].auc is None


def test_constant_and_unknown_columns_are_not_learnt_from():
    frame, left, _ = planted(400, 1)
    frame = frame.assign(km_30d=5.0, peak_pct=np.nan)
    model = train(frame, left, BOOSTING, 1)
    assert "km_30d" not in model.numbers and "peak_pct" not in model.numbers
    alike = pd.DataFrame({name: np.ones(200) for name in NUMBERS})
    assert train(alike, np.arange(200) % 2 == 0, BOOSTING, 1).kind == BASE_RATE


def test_a_model_that_knows_nothing_says_not_to_act_on_it():
    frame, _, _ = planted(600, 1)
    chance = np.random.default_rng(5)
    fit = fit_churn(
        frame, chance.random(600) < 0.3, frame.sample(frac=1, random_state=3),
        chance.random(600) < 0.3, BOOSTED, 1,
    )  # fmt: skip
    assert "do not act" in fit.note


def test_unknown_words_and_missing_values_can_be_scored():
    frame, left, _ = planted(500, 1)
    model = train(frame, left, BOOSTING, 1)
    odd = pd.DataFrame({"growth_pct": [None], "complaints_30d": [1], "km_30d": [None],
                        "package": ["never seen"]})  # fmt: skip
    chance = model.chances(odd)
    assert chance.shape == (1,) and 0 <= chance[0] <= 1
    assert model.chances(frame.head(0)).shape == (0,)


def test_figures_by_hand():
    chance = np.array([0.9, 0.7, 0.4, 0.2])
    truth = np.array([True, False, True, False])
    assert auc(chance, truth) == pytest.approx(0.75)
    found = at_limit(chance, truth, 60)
    assert (found.called, found.precision, found.recall, found.f1) == (2, 0.5, 0.5, 0.5)
    assert at_limit(chance, truth, 95).precision is None
    assert expected_calibration_error(chance, truth) == pytest.approx((0.1 + 0.7 + 0.6 + 0.2) / 4)
    assert quality(chance, truth, (60,), 1).brier.value == pytest.approx(
        (0.01 + 0.49 + 0.36 + 0.04) / 4
    )


def test_bands_and_actions_come_from_the_sheet():
    sheet = Churn(high_cost=10, high_uplift_pct=50, medium_cost=2, medium_uplift_pct=10)
    chance = np.array([0.8, 0.6, 0.59, 0.3, 0.1])
    assert bands(chance, sheet).tolist() == [0, 0, 1, 1, 2]
    found = decide(chance, np.array([100.0, 10.0, 100.0, 10.0, 0.0]), sheet)
    assert found.gain[0] == pytest.approx(0.8 * 0.5 * 100 - 10)
    assert found.act.tolist() == [True, False, True, False, False]
    assert actions(sheet)[0].what == sheet.high_action


def test_acting_on_the_riskiest_beats_acting_at_random():
    _, left, truth = planted(2000, 4)
    curve = profit_curve(truth, left, np.full(2000, 60.0), Churn())
    assert curve[0].profit == 0.0 and curve[-1].riders == 2000
    assert curve[-1].profit == pytest.approx(curve[-1].profit_at_random)
    assert max(curve, key=lambda p: p.profit).profit > curve[-1].profit
    assert all(p.profit >= p.profit_at_random - 1e-9 for p in curve[1:6])
