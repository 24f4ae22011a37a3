from __future__ import annotations

import numpy as np
import pandas as pd

from fleetdesk.fleet.battery_health import outlook
from fleetdesk.fleet.battery_lives import EARLY_MONTHS, LEARNT, learnt_outlook


def checks(batteries=80, months=30, knee=True, seed=3):
    """Health month by month; with a knee it falls three times as fast below about 90 %."""
    rng = np.random.default_rng(seed)
    rows, left = [], {}
    for number in range(batteries):
        name, own = f"b{number:03d}", 0.7 * np.exp(rng.normal(0, 0.35))
        steep, edge = 3 * own if knee else own, rng.normal(90, 1.5)
        seen = int(rng.integers(10, months))
        health, true = 100.0, []
        for _ in range(400):
            true.append(health)
            health -= own if health > edge else steep
        end = int(np.argmax(np.array(true) < 80))
        for month in range(min(seen, end + 2)):
            rows.append((name, float(month), true[month] + rng.normal(0, 0.2)))
        left[name] = end - (min(seen, end + 2) - 1)
    return pd.DataFrame(rows, columns=["battery_id", "age_months", "health_pct"]), left


def test_a_knee_is_learnt_from_those_that_went_over_it():
    rows, left = checks()
    found, way = learnt_outlook(rows, 80, 90, 1)
    lines = {one.battery_id: one for one in outlook(rows, 80, 90)}
    learnt = [one for one in found if one.basis == LEARNT]
    assert "Learnt from whole lives (AFT" in way
    assert len(learnt) >= 20
    off = [abs(one.months_left - left[one.battery_id]) for one in learnt]
    by_lines = [abs((lines[one.battery_id].months_left or 99) - left[one.battery_id])
                for one in learnt]  # fmt: skip
    assert np.mean(off) < 0.6 * np.mean(by_lines)
    held = [one.low <= left[one.battery_id] <= one.high for one in learnt]
    assert np.mean(held) >= 0.75


def test_lines_stay_where_they_are_nearer():
    rows, _ = checks(knee=False, months=45)
    found, way = learnt_outlook(rows, 80, 90, 1)
    assert way.endswith("lines are used.")
    assert found == outlook(rows, 80, 90)


def test_too_few_ends_and_short_histories_keep_their_lines():
    rows, _ = checks(batteries=15)
    found, way = learnt_outlook(rows, 80, 90, 1)
    assert "were followed to their end" in way
    assert found == outlook(rows, 80, 90)
    young = rows[rows["age_months"] < EARLY_MONTHS]
    assert learnt_outlook(young, 80, 90, 1)[0] == outlook(young, 80, 90)
    assert learnt_outlook(rows.head(0), 80, 90, 1)[0] == ()


def test_lines_are_counted_from_the_last_of_the_first_checks():
    """With a check every two and a half months that is one after five months, not six."""
    rows = pd.DataFrame(
        [
            (f"b{number:02d}", age, 100.0 - slope * age)
            for number, slope in enumerate(np.linspace(0.7, 1.5, 30))
            for age in np.arange(0.0, 22.0 / slope + 2.5, 2.5)
        ],
        columns=["battery_id", "age_months", "health_pct"],
    )
    assert "missed the ends of 30 batteries by 1 %" in learnt_outlook(rows, 80, 90, 1)[1]


def test_first_checks_that_are_alike_for_all_tell_no_lives():
    rows, _ = checks()
    alike = rows.assign(health_pct=rows["health_pct"].where(rows["age_months"] > EARLY_MONTHS, 100))
    assert learnt_outlook(alike, 80, 90, 1)[0] == outlook(alike, 80, 90)
