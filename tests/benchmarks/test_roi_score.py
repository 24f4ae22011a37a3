"""The scores of benchmarks/roi.py on four tasks whose truth is written down by hand."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

TRUE = np.array([4.0, 1.0, -1.0, -6.0])
BATTERY = np.array([5.0, 20.0, 15.0, 80.0])


@pytest.fixture(scope="module")
def score():
    return importlib.import_module("_roi_score")


def test_the_truth_itself_scores_full_marks(score):
    assert score.bias(TRUE, TRUE) == 0.0
    assert score.rmse(TRUE, TRUE) == 0.0
    assert score.spearman(TRUE, TRUE) == pytest.approx(1.0)
    assert score.capture(TRUE > 0, TRUE) == 1.0


def test_errors_by_hand(score):
    estimated = np.array([2.0, 3.0, -1.0, 0.0])
    assert score.bias(estimated, TRUE) == pytest.approx(1.5)
    assert score.rmse(estimated, TRUE) == pytest.approx(np.sqrt((4 + 4 + 0 + 36) / 4))
    # Ranks 3 4 1 2 against 4 3 2 1: d = 1, 1, 1, 1.
    assert score.spearman(estimated, TRUE) == pytest.approx(1 - 6 * 4 / (4 * 15))
    assert score.spearman(np.ones(4), TRUE) == 0.0


def test_capture_counts_losses_of_what_was_chosen_in_vain(score):
    assert score.capture(np.array([True, False, False, False]), TRUE) == pytest.approx(4 / 5)
    assert score.capture(np.array([True, True, True, False]), TRUE) == pytest.approx(4 / 5)
    assert score.capture(np.ones(4, dtype=bool), TRUE) == pytest.approx(-2 / 5)
    nothing_pays = -np.ones(4)
    assert score.capture(np.zeros(4, dtype=bool), nothing_pays) == 1.0
    assert score.capture(np.ones(4, dtype=bool), nothing_pays) == 0.0


def test_the_best_threshold_lies_just_above_the_last_task_that_pays(score):
    # Below 6 %: 4. Below 16 %: 4 - 1 = 3. Below 21 %: 4 - 1 + 1 = 4. All: -2.
    x = score.best_threshold(BATTERY, TRUE)
    assert (x > BATTERY).tolist() == [True, False, False, False]
    better = score.best_threshold(BATTERY, TRUE + np.array([0, 1, 0, 0]))
    assert (better > BATTERY).tolist() == [True, True, True, False]
    assert score.best_threshold(BATTERY, -np.ones(4)) == 0.0
    assert (score.best_threshold(BATTERY, np.ones(4)) > BATTERY).all()


def test_ties_of_battery_are_taken_together(score):
    battery, returns = np.array([10.0, 10.0, 30.0]), np.array([5.0, -7.0, 1.0])
    assert score.best_threshold(battery, returns) == 0.0


def test_coverage_allows_for_the_noise_of_the_truth(score):
    low, high = np.full(4, -1.0), np.full(4, 1.0)
    true = np.array([0.0, 0.9, 1.1, 3.0])
    assert score.coverage(low, high, true, np.zeros(4)) == 0.5
    assert score.coverage(low, high, true, np.full(4, 0.5)) == 0.75


def test_coverage_holds_what_it_says_when_truth_is_measured_with_noise(score):
    draw = np.random.default_rng(3)
    centre = draw.normal(size=20_000)
    measured = centre + 0.8 * draw.normal(size=centre.size)
    estimate = centre + 0.5 * draw.normal(size=centre.size)
    half = 1.645 * 0.5
    held = score.coverage(estimate - half, estimate + half, measured, np.full(centre.size, 0.8))
    assert held == pytest.approx(0.90, abs=0.01)


@pytest.mark.parametrize(
    ("figure", "met"),
    [
        ((0.90, 0.90, "higher"), True),
        ((0.89, 0.90, "higher"), False),
        ((3.0, 2.0, "lower"), False),
        ((-0.5, 0.5, "near"), True),
        ((-0.6, 0.5, "near"), False),
        ((0.84, 0.05, "near", 0.90), False),
        ((1.0, None, "higher"), None),
    ],
)
def test_a_figure_knows_whether_its_target_is_met(score, figure, met):
    shown = score.Figure(*figure).line()
    assert shown["met"] is met
    assert {"value", "limit", "better", "met"} <= set(shown)
