"""Estimators repeat by the week: many past moments are asked about as a few that are alike."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

_WEEK = timedelta(days=7)


def alike(
    moments: Sequence[datetime], as_of: datetime, timezone: str, span_h: float
) -> tuple[datetime, ...]:
    """For each moment a full hour before `as_of` - `span_h` with the same hours and days ahead.

    Takes UTC-aware moments; the same local hour of a weekday that has as many workdays and days of
    the weekend after it, over the span, in the same order.
    """
    zone = ZoneInfo(timezone)
    days = int(span_h // 24) + 2
    ahead = {day: tuple((day + k) % 7 >= 5 for k in range(days)) for day in range(7)}
    first = {day: min(d for d in ahead if ahead[d] == ahead[day]) for day in ahead}
    last = as_of - timedelta(hours=span_h)
    found = []
    for at in moments:
        weekday = at.astimezone(zone).weekday()
        like = at - timedelta(days=weekday - first[weekday])
        like += _WEEK * int((last - like) // _WEEK)
        found.append(like.replace(minute=0, second=0, microsecond=0))
    return tuple(found)
