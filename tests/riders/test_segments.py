"""Planted segments come out again, and riders who cannot be told apart are not torn apart."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from fleetdesk.errors import NotEnoughData
from fleetdesk.riders.hierarchy import hierarchy
from fleetdesk.riders.matrix import learn_scale
from fleetdesk.riders.rfm import SEGMENTS, fifths, rfm, segment_of
from fleetdesk.riders.segments import COLUMNS, find_segments
from fleetdesk.riders.unusual import Kind, unusual
from fleetdesk.settings.rider_sheets import Segments

QUICK = Segments(stability_rounds=5)


def planted(per_segment: int = 150, seed: int = 3) -> tuple[pd.DataFrame, np.ndarray]:
    """Four kinds of riders: light, commuting, night and heavy, with overlapping habits."""
    chance = np.random.default_rng(seed)
    kinds = [  # daily km, swaps a week, km a trip, peak %, night %, consistency
        (1.0, 0.3, 1.5, 15, 10, 0.4),
        (5.0, 1.0, 2.5, 70, 3, 1.6),
        (6.0, 1.2, 3.0, 5, 65, 0.7),
        (22.0, 6.0, 3.5, 30, 20, 1.2),
    ]
    rows, truth = [], []
    for kind, (km, swaps, trip, peak, night, even) in enumerate(kinds):
        for _ in range(per_segment):
            much = np.exp(chance.normal(0, 0.3))
            rows.append(
                {
                    "daily_km": km * much,
                    "rides_per_week": 7 * km * much / trip,
                    "swaps_per_week": swaps * much * np.exp(chance.normal(0, 0.2)),
                    "km_per_trip": trip * np.exp(chance.normal(0, 0.15)),
                    "peak_pct": np.clip(chance.normal(peak, 9), 0, 100),
                    "night_pct": np.clip(chance.normal(night, 7), 0, 100),
                    "consistency": even * np.exp(chance.normal(0, 0.2)),
                }
            )
            truth.append(kind)
    frame = pd.DataFrame(rows)
    for name in COLUMNS:
        if name not in frame:
            frame[name] = np.nan
    return frame, np.array(truth)


def test_four_planted_segments_are_found_and_named_by_riding():
    frame, truth = planted()
    before = frame.copy()
    found = find_segments(frame, QUICK, seed=1)
    assert found.names == ("Light", "Standard", "Premium", "Enterprise")
    assert adjusted_rand_score(truth, found.labels) >= 0.85
    assert [segment.riders for segment in found.segments] == np.bincount(found.labels).tolist()
    km = [segment.centre["daily_km"] for segment in found.segments]
    assert km == sorted(km)
    assert "4 segments" in found.reason
    pd.testing.assert_frame_equal(frame, before)


def test_the_figures_of_each_number_are_told_and_stable():
    frame, _ = planted(60)
    found = find_segments(frame, QUICK, seed=1)
    again = find_segments(frame, QUICK, seed=1)
    assert found.tried == again.tried and (found.labels == again.labels).all()
    four = next(t for t in found.tried if t.segments == 4)
    three = next(t for t in found.tried if t.segments == 3)
    assert four.bic < three.bic and four.inertia < three.inertia
    assert four.stability > 0.9 and four.gap_error > 0


def test_the_sheet_may_ask_for_a_number():
    frame, _ = planted(30)
    found = find_segments(frame, Segments(segments=2, stability_rounds=2), seed=1)
    assert found.names == ("Light", "Standard") and "asks" in found.reason


def test_constant_columns_are_left_out_and_riders_all_alike_are_one_segment():
    frame, _ = planted(30)
    frame["peak_pct"] = 7.0
    assert "peak_pct" in find_segments(frame, QUICK, seed=1).model.scale.left_out
    alike = pd.DataFrame({name: np.ones(50) for name in COLUMNS})
    found = find_segments(alike, QUICK, seed=1)
    assert len(found.segments) == 1 and found.segments[0].riders == 50
    assert (found.labels == 0).all() and found.reason.startswith("One segment")


def test_too_few_riders_are_said_to_be_too_few():
    frame, _ = planted(2)
    with pytest.raises(NotEnoughData, match="8 riders"):
        find_segments(frame, QUICK, seed=1)


def test_new_riders_find_their_segment_without_learning_anew():
    frame, _ = planted(60)
    found = find_segments(frame, QUICK, seed=1)
    fresh, kinds = planted(20, seed=9)
    labels = found.model.labels(fresh)
    assert adjusted_rand_score(kinds, labels) > 0.85


def test_every_score_has_exactly_one_rfm_segment():
    scores = np.array(list(product(range(1, 6), repeat=3)))
    labels = segment_of(*scores.T)
    assert len(labels) == 125 and set(labels) == set(range(len(SEGMENTS)))
    by_score = {
        tuple(score): SEGMENTS[label] for score, label in zip(scores.tolist(), labels, strict=True)
    }
    assert by_score[5, 5, 5] == "Champions" and by_score[3, 3, 3] == "Loyal"
    assert by_score[4, 1, 2] == "Potential loyalists" and by_score[1, 4, 4] == "At risk"
    assert by_score[1, 1, 1] == "Lost" and by_score[2, 2, 2] == "Lost"
    assert by_score[5, 5, 1] == "Potential loyalists" and by_score[1, 1, 5] == "At risk"


def test_fifths_are_even_and_equal_values_share_a_score():
    assert np.bincount(fifths(np.arange(100.0)))[1:].tolist() == [20] * 5
    assert set(fifths(np.zeros(40))) == {3}
    assert fifths(np.array([np.nan, 1.0, 2.0])).tolist()[0] == 1


def test_who_has_not_ridden_is_not_a_champion():
    frame = pd.DataFrame(
        {
            "days_since_last_trip": [1.0, 2.0, 3.0, 60.0, None],
            "rides_per_week": [9.0, 5.0, 3.0, 1.0, 0.0],
            "monthly_spend": [90.0, 50.0, 30.0, 10.0, 0.0],
        }
    )
    names = rfm(frame).names
    assert names[0] == "Champions" and names[-1] == "Lost"


def test_a_tier_with_two_kinds_falls_into_two_sub_segments():
    frame, truth = planted(80)
    scale = learn_scale(frame, COLUMNS)
    matrix = scale.matrix(frame)
    tiers = (truth == 3).astype(np.int64)  # one tier holds three kinds, the other one
    found = hierarchy(matrix, tiers, 3, seed=1)
    inside = found.labels[tiers == 0]
    assert adjusted_rand_score(truth[tiers == 0], inside) > 0.8
    assert [s.number for s in found.sub_segments if s.tier == 1] == [0]
    assert found.tree.shape == (found.sampled - 1, 4)


def test_vips_and_doubtful_riders_stand_out():
    frame, _ = planted(100)
    frame["monthly_spend"] = frame.daily_km * 3
    frame["payment_delay_days"] = 0.1
    frame["avg_speed_kmh"] = np.random.default_rng(1).normal(14, 1, len(frame))
    vip, cheat = len(frame), len(frame) + 1
    usual = frame.loc[350].to_dict()
    frame.loc[vip] = usual | {
        "daily_km": 160.0,
        "swaps_per_week": 60.0,
        "monthly_spend": 900.0,
        "night_pct": 99.0,
    }
    frame.loc[cheat] = usual | {
        "daily_km": 150.0,
        "swaps_per_week": 0.01,
        "monthly_spend": 1.0,
        "km_per_trip": 30.0,
    }
    found = {one.row: one for one in unusual(frame, learn_scale(frame, COLUMNS), 2, seed=1)}
    assert len(found) <= 0.02 * len(frame)
    assert found[vip].kind is Kind.VIP and found[cheat].kind is Kind.CHECK
    assert "pays less" in found[cheat].reason
