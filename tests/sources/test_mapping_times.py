"""Times as people write them, in the zones they live in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetdesk.sources.mapping_sample import time_form
from fleetdesk.sources.mapping_times import (
    DAY_FIRST,
    MONTH_FIRST,
    YEAR_FIRST,
    doubtful_hours,
    joined,
    read_times,
)

ATHENS = ZoneInfo("Europe/Athens")
PATTERNS = {
    YEAR_FIRST: ("%Y-%m-%dT%H:%M:%S.%f", "%Y/%m/%d %H:%M:%S.%f"),
    DAY_FIRST: ("%d/%m/%Y %H:%M:%S.%f", "%d.%m.%Y %H:%M:%S.%f"),
    MONTH_FIRST: ("%m/%d/%Y %I:%M:%S.%f %p", "%m-%d-%Y, %H:%M:%S.%f"),
}
moments = st.datetimes(datetime(2010, 1, 1), datetime(2035, 1, 1))


@settings(deadline=None)
@given(
    st.lists(moments, min_size=1, max_size=20),
    st.sampled_from([(form, p) for form, patterns in PATTERNS.items() for p in patterns]),
    st.sampled_from(["UTC", "Europe/Athens", "America/Chicago", "Asia/Kathmandu"]),
)
def test_what_is_written_is_read_back_in_every_zone(
    shown: list[datetime], way: tuple[str, str], zone: str
) -> None:
    form, pattern = way
    parsed = read_times(pa.array([at.strftime(pattern) for at in shown]), form, ZoneInfo(zone))
    expected = [at.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) for at in shown]
    assert [at.replace(tzinfo=UTC) for at in parsed.values.to_pylist()] == expected
    assert not parsed.bad.any()


def test_zones_of_their_own_halves_of_days_and_the_end_of_a_day() -> None:
    texts = [
        "2024-05-01T10:00:00Z",
        "2024-05-01 10:00+02:00",
        "2024-05-01T10:00-0330",
        "2024-05-01",
    ]
    parsed = read_times(pa.array(texts), YEAR_FIRST, ATHENS)
    assert parsed.values.to_pylist() == [
        datetime(2024, 5, 1, 10), datetime(2024, 5, 1, 8), datetime(2024, 5, 1, 13, 30),
        datetime(2024, 4, 30, 21),
    ]  # fmt: skip
    texts = ["12/31/2019 12:00 AM", "12/31/2019 12:00 PM", "12/31/19 24:00", "1/2/2020 3:04 p.m."]
    parsed = read_times(pa.array(texts), MONTH_FIRST, ZoneInfo("UTC"))
    assert parsed.values.to_pylist() == [
        datetime(2019, 12, 31), datetime(2019, 12, 31, 12), datetime(2020, 1, 1),
        datetime(2020, 1, 2, 15, 4),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["02/30/2019 1:00", "13/13/2019 1:00", "01/02/2019 25:00", "01/02/2019 13:00 PM",
     "01/02/2019 24:30", "yesterday", "01/02/1066", "01/02/2019 10:61"],
)  # fmt: skip
def test_what_is_no_time_is_pointed_at(text: str) -> None:
    parsed = read_times(pa.array([text, None]), MONTH_FIRST, ATHENS)
    assert parsed.values.to_pylist() == [None, None]
    assert parsed.bad.tolist() == [True, False]


def test_the_hour_that_the_clock_shows_twice_is_taken_as_the_first_and_counted() -> None:
    texts = pa.array(["2019-10-27 03:30", "2019-10-27 05:30", "2019-03-31 03:30"])
    parsed = read_times(texts, YEAR_FIRST, ATHENS)
    assert parsed.values.to_pylist() == [
        datetime(2019, 10, 27, 0, 30), datetime(2019, 10, 27, 3, 30), datetime(2019, 3, 31, 1, 30)
    ]  # fmt: skip
    micros = np.asarray(parsed.values.cast(pa.int64()))
    assert doubtful_hours(micros, ATHENS) == 1


def test_numbers_since_1970() -> None:
    at = datetime(2024, 6, 6, 14, 2, 17, 500000)
    seconds = (at - datetime(1970, 1, 1)) / timedelta(seconds=1)
    for factor in (1, 1e3, 1e6):
        told = time_form(pa.array([f"{seconds * factor:.1f}"] * 3))
        assert told is not None
        parsed = read_times(pa.array([f"{seconds * factor:.1f}"]), told.form, ATHENS)
        assert parsed.values.to_pylist() == [at]


@pytest.mark.parametrize(
    ("texts", "form", "sure"),
    [
        (["2024-05-01 10:00", "2024-05-02 10:00"], YEAR_FIRST, True),
        (["13/05/2024 10:00", "02/05/2024 10:00"], DAY_FIRST, True),
        (["05/13/2024 10:00", "05/02/2024 10:00"], MONTH_FIRST, True),
        (["05/03/2024 10:00 AM", "05/02/2024 10:00 PM"], MONTH_FIRST, False),
        (["05.03.2024 10:00", "05.02.2024 10:00"], DAY_FIRST, False),
        (["05/03/2024", "05/13/2024"], f"date: {MONTH_FIRST}", True),
        (["10:15", "23:00:01"], "time of day", True),
    ],
)
def test_the_form_is_told_from_the_values(texts: list[str], form: str, sure: bool) -> None:
    told = time_form(pa.array(texts))
    assert told is not None
    assert (told.form, told.sure) == (form, sure)


def test_words_and_other_numbers_are_no_times() -> None:
    assert time_form(pa.array(["a", "b"])) is None
    assert time_form(pa.array(["17", "18"])) is None


def test_a_date_takes_the_time_of_day_beside_it() -> None:
    dates = pa.array(["2024-05-01", "2024-05-01T00:00:00", None, "2024-05-01"])
    clocks = pa.array(["10:15", "10:15:30", "10:15", None])
    parsed = read_times(joined(dates, clocks), YEAR_FIRST, ZoneInfo("UTC"))
    assert parsed.values.to_pylist() == [
        datetime(2024, 5, 1, 10, 15), datetime(2024, 5, 1, 10, 15, 30), None, None
    ]  # fmt: skip
