from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetdesk.fleet.horizon import weekday_hours

MONDAY = datetime(2024, 6, 3, 18, tzinfo=UTC)  # 21:00 in Athens


def test_a_night_falls_on_two_days():
    assert weekday_hours(MONDAY, 12, "Europe/Athens").tolist() == [3, 9, 0, 0, 0, 0, 0]
    assert weekday_hours(MONDAY, 12, "UTC").tolist() == [6, 6, 0, 0, 0, 0, 0]


def test_the_day_the_clocks_go_back_has_25_hours():
    saturday_night = datetime(2024, 10, 26, 21, tzinfo=UTC)  # midnight in Athens
    hours = weekday_hours(saturday_night, 30, "Europe/Athens")
    assert hours.tolist() == [5, 0, 0, 0, 0, 0, 25]


@given(
    st.datetimes(datetime(2023, 1, 1), datetime(2025, 12, 31)),
    st.floats(0, 400),
    st.sampled_from(["UTC", "Europe/Athens", "Asia/Kolkata", "America/Sao_Paulo"]),
)
def test_every_hour_is_counted_once(start, hours, zone):
    split = weekday_hours(start.replace(tzinfo=UTC), hours, zone)
    assert split.sum() == pytest.approx(hours, abs=1e-6)
    assert (split >= 0).all()


def test_no_hours_and_no_zone():
    assert weekday_hours(MONDAY, 0, "UTC").sum() == 0
    assert weekday_hours(MONDAY, -5, "UTC").sum() == 0
    with pytest.raises(ValueError, match="no time zone"):
        weekday_hours(datetime(2024, 6, 3), 5, "UTC")
