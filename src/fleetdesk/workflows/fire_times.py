"""When a scheduled job is due: entered in the city's time, worked out and kept in UTC.

A daily job has one moment on each of the city's days. Where the clock is put back, its time of day
comes twice and the first counts; where it is put forward and leaves the time out, the job is due
as much after the gap began.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fleetdesk.workflows.import_options import WrongUsage

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SHORTEST = timedelta(minutes=1)
_EVERY = re.compile(r"(\d{1,4})\s*(m|min|h|d)", re.IGNORECASE)
_UNITS = {"m": "minutes", "min": "minutes", "h": "hours", "d": "days"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Daily:
    """At `at` in the time zone `timezone`, on `days` (all when empty)."""

    at: time
    timezone: str
    days: tuple[str, ...] = ()

    def next_after(self, moment: datetime) -> datetime:
        """The first due moment after `moment`, in UTC."""
        zone = ZoneInfo(self.timezone)
        day = moment.astimezone(zone).date() - timedelta(days=1)
        while True:
            due = datetime.combine(day, self.at, zone).astimezone(UTC)  # fold 0: the first of two
            if due > moment and (not self.days or DAYS[day.weekday()] in self.days):
                return due
            day += timedelta(days=1)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"at": f"{self.at:%H:%M}", "timezone": self.timezone, "days": list(self.days)}

    def __str__(self) -> str:
        """As a planner says it."""
        return f"{', '.join(self.days) or 'every day'} at {self.at:%H:%M} ({self.timezone})"


@dataclass(frozen=True)
class Every:
    """Again and again, `minutes` apart, at the same minutes whenever it was added."""

    minutes: int

    def next_after(self, moment: datetime) -> datetime:
        """The first due moment after `moment`, in UTC."""
        step = timedelta(minutes=self.minutes)
        return _EPOCH + ((moment - _EPOCH) // step + 1) * step

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"every_minutes": self.minutes}

    def __str__(self) -> str:
        """As a planner says it."""
        return f"every {self.minutes} min"


Rule = Daily | Every


def daily(at: str, days: str, timezone: str) -> Daily:
    """`03:30`, `mon,thu` or "", and the city's zone; a sentence for what is none."""
    try:
        clock = datetime.strptime(at.strip(), "%H:%M").time()
    except ValueError as error:
        raise WrongUsage(f"{at!r} is no time of day", fix="Write it as 03:30") from error
    names = tuple(name.strip().lower()[:3] for name in days.split(",") if name.strip())
    unknown = [name for name in names if name not in DAYS]
    if unknown:
        raise WrongUsage(
            f"{unknown[0]!r} is no day of the week", fix=f"Write days as {','.join(DAYS)}"
        )
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise WrongUsage(
            f"{timezone!r} is no time zone", fix="Write it as Europe/Athens"
        ) from error
    return Daily(clock, timezone, tuple(sorted(set(names), key=DAYS.index)))


def every(text: str) -> Every:
    """`15m`, `2h` or `1d`; a sentence for what is none."""
    found = _EVERY.fullmatch(text.strip())
    step = timedelta(**{_UNITS[found[2].lower()]: int(found[1])}) if found else timedelta()
    if step < SHORTEST:
        raise WrongUsage(f"{text!r} is no interval", fix="Write it as 15m, 2h or 1d")
    return Every(int(step / timedelta(minutes=1)))


def rule_from(values: Mapping[str, Any]) -> Rule:
    """Read back what `as_dict` wrote."""
    if "every_minutes" in values:
        return Every(int(values["every_minutes"]))
    return daily(values["at"], ",".join(values["days"]), values["timezone"])
