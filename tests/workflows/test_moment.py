"""Which day is planned, and what may be known of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from hypothesis import given
from hypothesis import strategies as st

from fleetdesk.settings.schema import City, Settings, Worker
from fleetdesk.workflows.moment import moment, vans

ATHENS = City(timezone="Europe/Athens")


def crew(*starts: int) -> tuple[Worker, ...]:
    return tuple(
        Worker(name=f"w{hour}", start_lat=40.6, start_lon=22.9, shift_start=time(hour),
               shift_end=time(hour + 4))
        for hour in starts
    )  # fmt: skip


def test_records_that_end_at_night_plan_the_next_morning() -> None:
    settings = Settings(city=ATHENS, workers=crew(8, 14))
    now = moment(settings, datetime(2026, 6, 16, 19, tzinfo=UTC))
    assert now.day == date(2026, 6, 17)
    assert now.as_of == datetime(2026, 6, 16, 19, tzinfo=UTC)
    assert now.starts_at == datetime(2026, 6, 17, 5, tzinfo=UTC)


def test_records_that_end_before_the_shift_plan_the_same_day() -> None:
    settings = Settings(city=ATHENS, workers=crew(8))
    assert moment(settings, datetime(2026, 6, 16, 3, tzinfo=UTC)).day == date(2026, 6, 16)


def test_a_past_day_sees_nothing_that_came_later() -> None:
    city = ATHENS.model_copy(update={"plan_day": date(2026, 6, 1)})
    settings = Settings(city=city, workers=crew(8))
    now = moment(settings, datetime(2026, 6, 16, 19, tzinfo=UTC))
    assert now.as_of == now.starts_at == datetime(2026, 6, 1, 5, tzinfo=UTC)


def test_the_snapshot_time_is_the_last_one_that_was_recorded() -> None:
    city = ATHENS.model_copy(update={"snapshot_time": time(23)})
    settings = Settings(city=city, workers=crew(8))
    now = moment(settings, datetime(2026, 6, 16, 19, tzinfo=UTC))
    assert now.as_of == datetime(2026, 6, 15, 20, tzinfo=UTC)


def test_a_late_snapshot_time_means_the_evening_before_a_past_day() -> None:
    city = ATHENS.model_copy(update={"plan_day": date(2026, 6, 1), "snapshot_time": time(22)})
    now = moment(Settings(city=city, workers=crew(8)), datetime(2026, 6, 16, 19, tzinfo=UTC))
    assert now.as_of == datetime(2026, 5, 31, 19, tzinfo=UTC)


def test_shifts_are_local_on_both_sides_of_a_clock_change() -> None:
    settings = Settings(city=ATHENS, workers=crew(8))
    (winter,) = vans(settings, date(2026, 3, 28))
    (summer,) = vans(settings, date(2026, 3, 29))
    assert winter.shift_start == datetime(2026, 3, 28, 6, tzinfo=UTC)
    assert summer.shift_start == datetime(2026, 3, 29, 5, tzinfo=UTC)


def test_who_is_off_does_not_go_out() -> None:
    worker = crew(8)[0].model_copy(update={"active": False})
    assert vans(Settings(workers=(worker,)), date(2026, 6, 1)) == ()


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
    st.none() | st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    st.none() | st.times(),
)
def test_nothing_after_the_last_record_or_the_shift_is_known(
    last: datetime, day: date | None, at: time | None
) -> None:
    city = ATHENS.model_copy(update={"plan_day": day, "snapshot_time": at})
    now = moment(Settings(city=city, workers=crew(8)), last)
    assert now.as_of <= last
    assert day is None or now.day == day
    assert now.starts_at >= now.as_of
