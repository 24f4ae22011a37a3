"""How a span of hours falls on the local days of the week."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt


def weekday_hours(start: datetime, hours: float, timezone: str) -> npt.NDArray[np.float64]:
    """Hours of [start, start + hours) on each local weekday, Monday first; shape (7,).

    `start` is UTC-aware; days with a clock change have 23 or 25 hours. No hours give zeros.
    """
    if start.tzinfo is None:
        raise ValueError(f"{start.isoformat()} has no time zone")
    zone = ZoneInfo(timezone)
    split = np.zeros(7)
    now = start.astimezone(UTC)
    end = now + timedelta(hours=max(0.0, hours))
    while now < end:
        local = now.astimezone(zone)
        midnight = datetime.combine(local.date() + timedelta(days=1), time(), zone)
        until = min(end, midnight.astimezone(UTC))
        split[local.weekday()] += (until - now).total_seconds() / 3600.0
        now = until
    return split


def slots_before(
    end: datetime, steps: int, step: timedelta, timezone: str
) -> npt.NDArray[np.int64]:
    """The slot of the week of each step before `end`, the last step first; shape (steps,).

    A slot is the local hour of a workday (0-23), or 24 + that of a day of the weekend.
    """
    zone = ZoneInfo(timezone)
    middles = [(end - step * (k + 0.5)).astimezone(zone) for k in range(steps)]
    return np.array([at.hour + 24 * (at.weekday() >= 5) for at in middles], dtype=np.int64)
