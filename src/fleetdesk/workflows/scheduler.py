"""`fleetdesk schedule run`: the process that does a workspace's jobs when they are due.

Each job is a command of its own, so that whatever it does to itself ends with it. One is done at a
time; moments that were missed, because the computer was off or another job took long, are made up
for once.
"""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from fleetdesk.errors import FleetDeskError
from fleetdesk.settings import secrets
from fleetdesk.workflows.context import Clock, utc_now, workbook_in
from fleetdesk.workflows.fire_times import Rule
from fleetdesk.workflows.schedule import (
    Job,
    Outcome,
    doing_lock,
    due_at,
    list_jobs,
    log_outcome,
    read_log,
)

LOOK_AGAIN_S = 5.0
PATIENCE_S = 20.0
_LONGEST_LINE = 300

Command = Callable[[list[str]], list[str]]
OnOutcome = Callable[[Job, Outcome], None]


def run_jobs(
    folder: Path,
    on_outcome: OnOutcome,
    *,
    clock: Clock = utc_now,
    look_again_s: float = LOOK_AGAIN_S,
    stop: threading.Event | None = None,
) -> None:
    """Do the jobs as they come due until SIGTERM or Ctrl-C; the job under way is stopped then.

    Jobs added or removed meanwhile are noticed within `look_again_s` seconds.
    """
    stop = stop or threading.Event()
    with _doing(folder, clock), _stopped_by_signals(stop):
        worker = _Worker(folder, clock, on_outcome, stop)
        scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
        )
        known: dict[str, Job] = {}
        scheduler.start()
        try:
            while not stop.is_set():
                _follow(scheduler, folder, known, worker)
                stop.wait(look_again_s)
        finally:
            stop.set()
            scheduler.shutdown(wait=True)


def run_due(folder: Path, on_outcome: OnOutcome, *, clock: Clock = utc_now) -> int:
    """Do the jobs that are due now, one after the other, and return how many; for cron."""
    with _doing(folder, clock):
        stop = threading.Event()
        worker = _Worker(folder, clock, on_outcome, stop)
        with _stopped_by_signals(stop):
            due = [job for job in list_jobs(folder) if due_at(job, read_log(folder)[0]) <= clock()]
            for job in due:
                if not stop.is_set():
                    worker.do(job)
    return len(due)


def cron_line(folder: Path) -> str:
    """A line for crontab that does what is due each minute, right in every time zone."""
    words = [*_program(), "schedule", "run", "--due", str(folder.resolve())]
    return "* * * * * " + shlex.join(words).replace("%", "\\%")  # cron takes % for a line's end


@dataclass(frozen=True)
class _Worker:
    folder: Path
    clock: Clock
    on_outcome: OnOutcome
    stop: threading.Event

    def do(self, job: Job) -> None:
        """Give the job's command and note what came of it."""
        if self.stop.is_set():
            return
        handled = read_log(self.folder)[0]
        due, started = due_at(job, handled), self.clock()
        try:
            code, said = self._command(job)
        except FleetDeskError as error:
            code, said = error.exit_code, str(error)
        if self.stop.is_set() and code != 0:
            return  # it was stopped, not done: it is due again when the jobs are next run
        said = secrets.scrub(said)[:_LONGEST_LINE]
        outcome = Outcome(job.job_id, due, started, self.clock(), code, said)
        log_outcome(self.folder, outcome, max(due, started))
        self.on_outcome(job, outcome)

    def _command(self, job: Job) -> tuple[int, str]:
        with subprocess.Popen(
            [*_program(), *_words(job, self.folder), "--json"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, encoding="utf-8", errors="replace",
        ) as process:  # fmt: skip
            answer = ""
            while True:
                try:
                    answer, _ = process.communicate(timeout=0.2)
                    break
                except subprocess.TimeoutExpired:
                    if self.stop.is_set():
                        answer = _ended(process)
                        break
            return process.returncode, _said(answer)


class _Trigger(BaseTrigger):
    """A rule as the scheduler asks for it."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        """The first moment after the last one, or after now."""
        return self._rule.next_after(previous or now)


def _follow(scheduler: Any, folder: Path, known: dict[str, Job], worker: _Worker) -> None:
    """Bring the scheduler to the jobs as they are written now."""
    jobs = {job.job_id: job for job in list_jobs(folder)}
    handled = read_log(folder)[0]
    for job_id in [job_id for job_id, job in known.items() if jobs.get(job_id) != job]:
        scheduler.remove_job(job_id)
        del known[job_id]
    for job_id, job in jobs.items():
        if job_id not in known:
            known[job_id] = job
            scheduler.add_job(
                worker.do, _Trigger(job.rule), [job], id=job_id,
                next_run_time=due_at(job, handled),
            )  # fmt: skip


@contextmanager
def _doing(folder: Path, clock: Clock) -> Iterator[None]:
    if not folder.is_dir():
        raise FleetDeskError(f"There is no workspace {folder}", fix="Check the path")
    lock = doing_lock(folder)
    if not lock.acquire(f"since {clock().isoformat()}"):
        raise FleetDeskError(
            "The jobs of this workspace are being done already",
            found=lock.holder(),
            fix="One such process is enough",
        )
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    """SIGTERM and Ctrl-C end the work; where no signals can be taken, only `stop` does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {name: signal.signal(name, end) for name in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def _ended(process: subprocess.Popen[str]) -> str:
    """Stop a command as Ctrl-C would, so that it keeps what it can; by force if it does not end."""
    if sys.platform == "win32":
        process.terminate()
    else:
        process.send_signal(signal.SIGINT)
    try:
        return process.communicate(timeout=PATIENCE_S)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()[0]


def _words(job: Job, folder: Path) -> list[str]:
    command, *rest = job.words
    if command == "import":
        return [command, *rest, "--into", str(folder)]
    return [command, *(rest or [str(workbook_in(folder))]), "--workspace", str(folder)]


def _program() -> list[str]:
    if getattr(sys, "frozen", False):
        return [sys.executable]
    return [sys.executable, "-m", "fleetdesk.apps.cli"]


def _said(answer: str) -> str:
    """The first line of what a command tells, from the last line of JSON that it printed."""
    try:
        values: Mapping[str, Any] = json.loads(answer.strip().splitlines()[-1])
    except (ValueError, IndexError):
        return "it ended without a word"
    if values.get("ok"):
        return str(values.get("text", "")).split("\n")[0]
    parts = (values.get("cause", ""), values.get("found", ""))
    return ". ".join(str(part) for part in parts if part)
