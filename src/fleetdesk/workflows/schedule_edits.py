"""`fleetdesk schedule add` and `list`: what the planner types and reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fleetdesk.workflows.context import Clock, city_of, utc_now
from fleetdesk.workflows.fire_times import daily, every
from fleetdesk.workflows.import_options import WrongUsage
from fleetdesk.workflows.schedule import Job, add_job, job_states


@dataclass(frozen=True)
class Added:
    """A new job and when it is done first (UTC), shown in the city's time too."""

    job: Job
    next_at: datetime
    timezone: str

    def as_dict(self) -> Mapping[str, Any]:
        """For the command line."""
        local = self.next_at.astimezone(ZoneInfo(self.timezone))
        return {
            "job": self.job.job_id,
            "next_at": self.next_at.isoformat(),
            "text": f"Job {self.job}; first {local:%Y-%m-%d %H:%M} ({self.timezone}) = "
            f"{self.next_at:%Y-%m-%d %H:%M} UTC.\n"
            "It is done while `fleetdesk schedule run` is at work.",
        }


def add_from_words(
    folder: Path,
    words: Sequence[str],
    *,
    at: str | None,
    days: str,
    interval: str | None,
    timezone: str | None,
    clock: Clock = utc_now,
) -> Added:
    """Keep a job for a time of day in the city's zone, or for each interval."""
    if (at is None) == (interval is None) or (days and at is None):
        raise WrongUsage(
            "It is not clear when the job should be done",
            fix="Give --at 03:30, with --on mon,thu if not every day, or --every 15m",
        )
    zone = timezone or city_of(folder).timezone
    rule = daily(at, days, zone) if at is not None else every(interval or "")
    now = clock()
    return Added(add_job(folder, words, rule, now), rule.next_after(now), zone)


def listed(folder: Path, *, clock: Clock = utc_now) -> Mapping[str, Any]:
    """The jobs as the command line shows them."""
    jobs = job_states(folder, clock())
    text = "\n".join(map(str, jobs)) or "No job yet; fleetdesk schedule add makes one."
    return {"jobs": [job.as_dict() for job in jobs], "text": text}
