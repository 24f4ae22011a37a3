"""Kaplan-Meier by cell and daypart, beside the library for survival analysis."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from lifelines import KaplanMeierFitter

from fleetdesk.fleet.cycle_length import cycle_length
from fleetdesk.fleet.operational_time import (
    ALL_DAY,
    CITY,
    DAYPARTS,
    SUPPORT,
    operational_time,
)
from fleetdesk.settings.starter import starter_settings

SETTINGS = starter_settings("Larissa", "Europe/Athens", "EUR")
NIGHT, MORNING, MIDDAY, EVENING = DAYPARTS


def ledger(*groups: tuple[str, int, list[float], bool], **more: Any) -> pa.Table:
    """Cycles of groups (cell, UTC hour of the start, operational hours, ended)."""
    rows = [
        {
            "entry_cell": cell, "started_at": datetime(2024, 6, 3) + timedelta(hours=hour),
            "entry_age_h": 0.0, "operational_h": hours, "event_observed": ended,
            "start_observed": True, **more,
        }
        for cell, hour, lasts, ended in groups
        for hours in lasts
    ]  # fmt: skip
    schema = pa.schema(
        [("entry_cell", pa.string()), ("started_at", pa.timestamp("us")),
         ("entry_age_h", pa.float64()), ("operational_h", pa.float64()),
         ("event_observed", pa.bool_()), ("start_observed", pa.bool_())]
    )  # fmt: skip
    return pa.Table.from_pylist(rows, schema=schema)


@pytest.mark.parametrize("seed", range(5))
def test_the_curve_is_that_of_the_library_with_late_entry(seed):
    chance = np.random.default_rng(seed)
    entry = np.where(chance.random(400) < 0.4, chance.exponential(10, 400), 0.0)
    # Rounded, so that several end at once and some enter when others end.
    entry, lasts = entry.round(0), np.maximum(chance.exponential(20, 400).round(0), 1.0)
    ended = chance.random(400) < 0.7
    ours = cycle_length(entry, lasts, ended)
    theirs = KaplanMeierFitter().fit(entry + lasts, ended, entry=entry)
    expected = theirs.survival_function_at_times(list(ours.at_h)).to_numpy()
    np.testing.assert_allclose(ours.surviving, expected, atol=1e-12)
    assert ours.median_h == theirs.median_survival_time_


def test_cells_and_dayparts_with_enough_cycles_have_their_own_curve():
    short, long = [10.0] * SUPPORT, [60.0] * (SUPPORT + 5)
    found = operational_time(
        ledger(("sx0r4n1", 5, short, True), ("sx0r4n2", 17, long, True)), SETTINGS
    )
    by = {(group.where, group.when): group for group in found}
    assert list(by) == [
        (CITY, ALL_DAY), (CITY, MORNING), (CITY, EVENING),
        ("sx0r4n", ALL_DAY), ("sx0r4n", MORNING), ("sx0r4n", EVENING),
    ]  # fmt: skip
    assert by[CITY, MORNING].curve.median_h == 10
    assert by[CITY, EVENING].curve.median_h == 60
    assert by[CITY, MORNING].under_12_pct == 100
    assert by[CITY, EVENING].over_48_pct == 100
    assert by[CITY, ALL_DAY].at_risk == (SUPPORT + 5, SUPPORT + 5, SUPPORT + 5)
    assert by[CITY, ALL_DAY].under_12_pct == pytest.approx(100 * SUPPORT / (2 * SUPPORT + 5))
    assert by["sx0r4n", MORNING].basis == "sx0r4n, morning (6-10)"


def test_few_cycles_fall_back_to_the_city_and_say_so():
    found = operational_time(
        ledger(
            ("sx0r4n1", 5, [10.0] * SUPPORT, True),
            ("sx0r5xx", 5, [90.0] * 3, True),
            ("sx0r5xx", 5, [99.0] * SUPPORT, False),  # censored ones do not make a curve
            ("sx0r5xx", 9, [70.0], True),
        ),
        SETTINGS,
    )
    by = {(group.where, group.when): group for group in found}
    few = by["sx0r5x", MORNING]
    assert (few.ended, few.censored, few.basis) == (3, SUPPORT, "City, morning (6-10)")
    assert few.curve == by[CITY, MORNING].curve
    assert few.at_risk == (SUPPORT + 3, SUPPORT + 3, SUPPORT + 3)
    # The city's own midday has one cycle, so its whole day stands in, for the cell as well.
    assert by[CITY, MIDDAY].basis == by["sx0r5x", MIDDAY].basis == "City, all day"


def test_only_cycles_whose_start_was_seen_count_and_none_is_fine():
    assert operational_time(ledger(), SETTINGS) == ()
    unseen = ledger(("sx0r4n1", 5, [10.0] * 99, True), start_observed=False)
    assert operational_time(unseen, SETTINGS) == ()


def test_late_entry_is_at_risk_from_its_age_on():
    (city, *_) = operational_time(
        ledger(("sx0r4n1", 5, [10.0] * SUPPORT, True), entry_age_h=20.0), SETTINGS
    )
    assert city.at_risk == (0, SUPPORT, 0)
    assert city.curve.median_h == 30
