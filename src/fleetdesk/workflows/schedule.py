"""What is done when: the jobs of a workspace, when each was last done and what came of it.

Jobs are plain text that says which command to give, never stored code, so that a workspace from
somebody else can be opened without running anything.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from fleetdesk.errors import FleetDeskError
from fleetdesk.settings import secrets
from fleetdesk.store.files import replace_text
from fleetdesk.store.locks import FileLock, alone
from fleetdesk.workflows.fire_times import Rule, rule_from
from fleetdesk.workflows.import_options import (
    WrongUsage,
    as_place,
    kind_named,
    options_of,
    place_of,
)

SCHEDULE_FOLDER = "schedule"
JOBS_FILE = "jobs.json"
STATE_FILE = "state.json"
OUTCOMES_KEPT = 200
_OPTION = "--option"


@dataclass(frozen=True)
class Job:
    """One thing to be done again and again: `words` are the command without the workspace."""

    job_id: str
    words: tuple[str, ...]
    rule: Rule
    added_at: datetime

    def __str__(self) -> str:
        """As a planner says it; logins in addresses are masked."""
        return f"{self.job_id}: {secrets.scrub(' '.join(self.words))}, {self.rule}"


@dataclass(frozen=True)
class Outcome:
    """What came of a job; UTC-aware times, `exit_code` of the command, `said` in one line."""

    job_id: str
    due_at: datetime
    started_at: datetime
    ended_at: datetime
    exit_code: int
    said: str


@dataclass(frozen=True)
class JobState:
    """A job, when it is due next (UTC), and what came of it the last time."""

    job: Job
    next_at: datetime
    last: Outcome | None

    def as_dict(self) -> Mapping[str, Any]:
        """For the command line."""
        return {
            "job": self.job.job_id,
            "command": secrets.scrub(" ".join(self.job.words)),
            "when": str(self.job.rule),
            "next_at": self.next_at.isoformat(),
            "last": asdict(self.last) if self.last else None,
        }

    def __str__(self) -> str:
        """As a planner says it."""
        told = f"{self.job}; next {self.next_at:%Y-%m-%d %H:%M} UTC"
        if self.last is None:
            return f"{told}; not done yet"
        how = "done" if self.last.exit_code == 0 else f"FAILED ({self.last.exit_code})"
        return f"{told}; {how} {self.last.ended_at:%Y-%m-%d %H:%M} UTC: {self.last.said}"


def add_job(folder: Path, words: Sequence[str], rule: Rule, now: datetime) -> Job:
    """Keep a new job, checked as far as can be told without doing it."""
    checked = _checked(tuple(words))
    with _alone(folder):
        jobs = list_jobs(folder)
        number = 1 + max([_highest(folder), *(int(job.job_id) for job in jobs)])
        job = Job(str(number), checked, rule, now)
        _keep(folder, [*jobs, job])
    return job


def remove_job(folder: Path, job_id: str) -> Job:
    """Forget a job; what came of it before stays in the log."""
    with _alone(folder):
        jobs = list_jobs(folder)
        for job in jobs:
            if job.job_id == job_id:
                _keep(folder, [other for other in jobs if other is not job])
                return job
    raise FleetDeskError(
        f"There is no job {job_id}",
        found=", ".join(job.job_id for job in jobs) or "no job at all",
        fix="fleetdesk schedule list names them",
    )


def list_jobs(folder: Path) -> list[Job]:
    """The jobs in the order in which they were added."""
    return [
        Job(
            str(values["job"]),
            tuple(map(str, values["words"])),
            rule_from(values["rule"]),
            datetime.fromisoformat(values["added_at"]),
        )
        for values in _read(folder / SCHEDULE_FOLDER / JOBS_FILE, [])
    ]


def job_states(folder: Path, now: datetime) -> list[JobState]:
    """Every job with its next moment and its last outcome."""
    handled, outcomes = read_log(folder)
    last = {outcome.job_id: outcome for outcome in outcomes}
    return [
        JobState(job, max(due_at(job, handled), job.rule.next_after(now)), last.get(job.job_id))
        for job in list_jobs(folder)
    ]


def due_at(job: Job, handled: Mapping[str, datetime]) -> datetime:
    """When a job is due next: after it was last done, or added. In the past when it was missed."""
    return job.rule.next_after(handled.get(job.job_id, job.added_at))


def log_outcome(folder: Path, outcome: Outcome, handled_until: datetime) -> None:
    """Note what came of a job; all its moments up to `handled_until` count as done."""
    handled, outcomes = read_log(folder)
    handled[outcome.job_id] = handled_until
    values = {
        "handled": {job_id: moment.isoformat() for job_id, moment in sorted(handled.items())},
        "outcomes": [asdict(entry) for entry in [*outcomes, outcome][-OUTCOMES_KEPT:]],
    }
    text = json.dumps(values, indent=1, default=datetime.isoformat)
    replace_text(folder / SCHEDULE_FOLDER / STATE_FILE, text + "\n")


def read_log(folder: Path) -> tuple[dict[str, datetime], list[Outcome]]:
    """Up to when each job is done, and the latest outcomes, the oldest first."""
    values = _read(folder / SCHEDULE_FOLDER / STATE_FILE, {"handled": {}, "outcomes": []})
    handled = {name: datetime.fromisoformat(text) for name, text in values["handled"].items()}
    outcomes = [
        Outcome(
            **entry
            | {
                name: datetime.fromisoformat(entry[name])
                for name in ("due_at", "started_at", "ended_at")
            }
        )
        for entry in values["outcomes"]
    ]
    return handled, outcomes


def doing_lock(folder: Path) -> FileLock:
    """The place of the one process that does a workspace's jobs."""
    (folder / SCHEDULE_FOLDER).mkdir(parents=True, exist_ok=True)
    return FileLock(folder / SCHEDULE_FOLDER / "run.lock")


def _checked(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words with the place written out, or a sentence about what no job can do."""
    command, *rest = words or ("",)
    if command == "run" and len(rest) <= 1 and not any(word.startswith("-") for word in rest):
        return command, *map(as_place, rest)
    if command != "import" or len(rest) < 2:
        raise WrongUsage(
            "A job is an import or a run",
            found=" ".join(words) or "nothing",
            fix="Write: import KIND PLACE [--option NAME=VALUE ...], or run [WORKBOOK]",
        )
    kind, place, *more = rest
    options = more[1::2]
    if more[0::2] != [_OPTION] * len(options):
        raise WrongUsage(
            "A scheduled import takes --option NAME=VALUE and nothing else", found=" ".join(more)
        )
    options_of(kind_named(kind), options)
    if secrets.scrub(place) != place:
        raise WrongUsage(
            "The place holds a password, which would lie in the schedule for all to read",
            fix="Leave it out of the address; the source's page in docs/sources says where it goes",
        )
    return command, kind, place_of(kind, place), *more


def _keep(folder: Path, jobs: Sequence[Job]) -> None:
    values = [
        {
            "job": job.job_id, "words": job.words, "rule": job.rule.as_dict(),
            "added_at": job.added_at.isoformat(),
        }
        for job in jobs
    ]  # fmt: skip
    replace_text(folder / SCHEDULE_FOLDER / JOBS_FILE, json.dumps(values, indent=1) + "\n")


def _highest(folder: Path) -> int:
    """The highest number ever given, so that no job inherits another's past."""
    return max((int(name) for name in read_log(folder)[0]), default=0)


def _alone(folder: Path) -> Any:
    if not folder.is_dir():
        raise FleetDeskError(
            f"There is no workspace {folder}", fix="Import something first, or name its folder"
        )
    (folder / SCHEDULE_FOLDER).mkdir(exist_ok=True)
    return alone(folder / SCHEDULE_FOLDER / "jobs.lock", "changing the schedule")


def _read(path: Path, otherwise: Any) -> Any:
    if not path.is_file():
        return otherwise
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as trouble:
        raise FleetDeskError(
            "The schedule cannot be read", found=f"{path}: {trouble}",
            fix="Mend or remove the file and add the jobs again",
        ) from trouble  # fmt: skip
