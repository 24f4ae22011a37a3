from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fleetdesk.riders.usage import BOOSTING, FOREST, NAIVE, forecast_usage

FEATURES = ("km", "km_before", "noise")


def panel(riders=400, months=6, seed=3):
    """Each rides to a need of his own that drifts; last month alone is a noisy witness of it."""
    rng = np.random.default_rng(seed)
    need = np.exp(rng.normal(4, 0.8, riders))
    km = np.array([rng.gamma(4, need / 4) for _ in range(months + 2)])
    parts = [
        pd.DataFrame(
            {
                "rider_id": [f"r{n}" for n in range(riders)], "at": month,
                "km": km[month + 1], "km_before": km[month], "noise": rng.normal(size=riders),
                "km_next": km[month + 2] if month + 2 < len(km) else np.nan,
            }
        )
        for month in range(months + 1)
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True), need


@pytest.fixture(scope="module")
def found():
    history, need = panel()
    return forecast_usage(history, FEATURES, interval_pct=90, seed=1), need


def test_what_is_learnt_beats_last_month(found):
    forecast, need = found
    scores = {score.model: score for score in forecast.scores}
    assert set(scores) == {NAIVE, BOOSTING, FOREST}
    assert scores[forecast.model].chosen
    assert scores[forecast.model].rmse_km < 0.9 * scores[NAIVE].rmse_km
    assert np.corrcoef(forecast.riders["km"], need)[0, 1] > 0.8


def test_intervals_hold_nine_in_ten(found):
    forecast, need = found
    rng = np.random.default_rng(99)
    future = rng.gamma(4, need / 4)
    inside = (forecast.riders["low"] <= future) & (future <= forecast.riders["high"])
    assert 0.86 <= inside.mean() <= 0.94
    chosen = next(score for score in forecast.scores if score.chosen)
    assert 86 <= chosen.coverage_pct <= 94


def test_noise_does_not_matter(found):
    rise = dict(found[0].importance)
    assert rise["noise"] < 0.1 * max(rise.values())


def test_the_same_seed_gives_the_same_and_the_frame_is_kept():
    history, _ = panel(riders=250, months=3)
    before = history.copy()
    first, second = (
        forecast_usage(history, FEATURES, interval_pct=90, seed=5, models=(BOOSTING,))
        for _ in range(2)
    )
    pd.testing.assert_frame_equal(first.riders, second.riders)
    pd.testing.assert_frame_equal(history, before)


def test_one_month_is_too_little_to_learn_from():
    history, _ = panel(riders=250, months=1)
    forecast = forecast_usage(history, FEATURES, interval_pct=90, seed=1)
    last = history[history["at"] == 1]
    assert forecast.model == NAIVE
    assert "two months" in forecast.note
    assert forecast.riders["km"].tolist() == last["km"].tolist()
    assert forecast.riders["low"].isna().all()


def test_the_future_is_never_seen():
    history, _ = panel(riders=250, months=3)
    spoilt = history.copy()
    spoilt.loc[spoilt["at"] == 3, "km_next"] = 1e9  # not known yet
    first, second = (
        forecast_usage(frame, FEATURES, interval_pct=90, seed=1, models=(BOOSTING,))
        for frame in (history, spoilt)
    )
    pd.testing.assert_frame_equal(first.riders, second.riders)


def test_a_year_of_months_brings_the_same_month_of_last_year():
    """December is ten times the rest: last month's km are a bad guess, last December's are good."""
    riders = 250
    rng = np.random.default_rng(2)
    km = rng.gamma(50, 2.0, (15, riders))
    km[[1, 13]] *= 10
    parts = [
        pd.DataFrame({"rider_id": range(riders), "at": m, "km": km[m], "km_next": km[m + 1]})
        for m in range(13)
    ]
    now = parts[-1].assign(km_next=np.nan)
    history = pd.concat([*parts[:-1], now], ignore_index=True)
    forecast = forecast_usage(history, ("km",), interval_pct=90, seed=1, models=())
    assert forecast.riders["km"].tolist() == pytest.approx(km[1].tolist())


def test_nobody_in_nobody_out():
    columns = {name: pd.Series(dtype=float) for name in ("at", "km", "km_next", "noise")}
    empty = pd.DataFrame({"rider_id": pd.Series(dtype=object)} | columns)
    forecast = forecast_usage(empty, ("km",), interval_pct=90, seed=1)
    assert forecast.riders.empty
    assert list(forecast.riders.columns) == ["rider_id", "km", "low", "high"]


def test_months_without_any_km_have_no_percentage_error():
    history, _ = panel(riders=250, months=3)
    still = history.assign(km=0.0, km_before=0.0, km_next=0.0)
    forecast = forecast_usage(still, FEATURES, interval_pct=90, seed=1, models=(BOOSTING,))
    assert forecast.model == NAIVE
    assert (forecast.riders["km"] == 0).all()
    rested = history.assign(km_next=history["km_next"].where(history["at"] != 2, 0.0))
    scores = forecast_usage(rested, FEATURES, interval_pct=90, seed=1, models=(BOOSTING,)).scores
    assert all(score.mape_pct is None and score.r2 is None for score in scores)


def test_a_feature_that_was_not_known_at_first_is_learnt_from_later():
    history, _ = panel(riders=250, months=3)
    late = history.assign(
        km_before=history["km_before"].where(history["at"] > 0), noise=float("nan")
    )
    forecast = forecast_usage(late, FEATURES, interval_pct=90, seed=1, models=(BOOSTING,))
    assert {score.model for score in forecast.scores} == {NAIVE, BOOSTING}
    assert forecast.riders["km"].notna().all()
