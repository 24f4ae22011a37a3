from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from fleetdesk.features.calendar import calendar, naive_utc


def test_hours_know_their_local_day_across_the_end_of_summer_time(run):
    hours = run(
        calendar(
            datetime(2024, 10, 26, 20, 30, tzinfo=UTC),
            datetime(2024, 10, 27, 2, tzinfo=UTC),
            "Europe/Athens",
        )
    )
    assert [row["local_hour"] for row in hours] == [23, 0, 1, 2, 3, 3, 4]
    assert [row["local_weekday"] for row in hours] == [6] + [7] * 6
    assert hours[0]["hour_at"] == datetime(2024, 10, 26, 20)
    assert hours[1]["local_date"] == date(2024, 10, 27)
    assert all(row["is_weekend"] for row in hours)


def test_no_hours_is_an_empty_typed_table(run):
    late, early = datetime(2024, 1, 2, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC)
    empty = calendar(late, early, "UTC")
    assert run(empty) == []
    assert empty.schema()["hour_at"].is_timestamp()
    assert empty.schema()["local_hour"].is_integer()


def test_a_moment_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="no time zone"):
        naive_utc(datetime(2024, 1, 1))
