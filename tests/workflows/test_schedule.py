"""Jobs are done once for each of their moments, whatever the clocks and the power do."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fleetdesk.apps.cli import cli
from fleetdesk.errors import FleetDeskError
from fleetdesk.workflows import scheduler
from fleetdesk.workflows.fire_times import DAYS, Daily, Every, daily, every
from fleetdesk.workflows.schedule import (
    Job,
    Outcome,
    add_job,
    job_states,
    list_jobs,
    log_outcome,
    read_log,
    remove_job,
)
from fleetdesk.workflows.schedule_edits import add_from_words

NOW = datetime(2024, 10, 20, 12, tzinfo=UTC)
ZONES = ("Europe/Athens", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC",
         "Africa/Casablanca", "Asia/Kathmandu")  # fmt: skip


def moments(rule: Daily | Every, start: datetime, end: datetime) -> list[datetime]:
    found = []
    while (start := rule.next_after(start)) < end:
        found.append(start)
    return found


@pytest.mark.parametrize(
    ("day", "utc"),
    [
        (date(2024, 10, 26), "00:30"),
        (date(2024, 10, 27), "00:30"),  # 03:30 comes twice; the first counts
        (date(2024, 10, 28), "01:30"),
        (date(2024, 3, 30), "01:30"),
        (date(2024, 3, 31), "01:30"),  # there is no 03:30
        (date(2024, 4, 1), "00:30"),
    ],
)
def test_half_past_three_in_athens_is_one_moment_of_each_day(day: date, utc: str) -> None:
    rule = daily("03:30", "", "Europe/Athens")
    midnight = datetime.combine(day, datetime.min.time(), ZoneInfo("Europe/Athens"))
    due = moments(rule, midnight.astimezone(UTC), midnight.astimezone(UTC) + timedelta(hours=22))
    assert [f"{moment:%H:%M}" for moment in due] == [utc]


@given(st.sampled_from(ZONES), st.times(), st.datetimes(datetime(2015, 1, 1), datetime(2035, 1, 1)))
@example("Europe/Athens", datetime(2024, 1, 1, 3, 30).time(), datetime(2024, 10, 20))
@settings(max_examples=60, deadline=None)
def test_every_local_day_has_exactly_one_moment(zone: str, at: object, start: datetime) -> None:
    clock = at.replace(second=0, microsecond=0, tzinfo=None)  # type: ignore[attr-defined]
    found = moments(Daily(clock, zone), start.replace(tzinfo=UTC),
                    start.replace(tzinfo=UTC) + timedelta(days=20))  # fmt: skip
    days = [moment.astimezone(ZoneInfo(zone)).date() for moment in found]
    assert days == [days[0] + timedelta(days=n) for n in range(len(days))]
    assert 19 <= len(days) <= 21
    assert all(b - a >= timedelta(hours=22) for a, b in itertools.pairwise(found))


def test_days_and_intervals() -> None:
    found = moments(daily("08:00", "thu,Monday", "UTC"), NOW, NOW + timedelta(days=14))
    assert [DAYS[moment.weekday()] for moment in found] == ["mon", "thu"] * 2
    quarter = moments(every("15m"), NOW, NOW + timedelta(hours=1, seconds=1))
    assert [moment.minute for moment in quarter] == [15, 30, 45, 0]
    assert every("2h") == Every(120)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: daily("25:00", "", "UTC"), "no time of day"),
        (lambda: daily("03:30", "someday", "UTC"), "no day of the week"),
        (lambda: daily("03:30", "", "Europe/Atlantis"), "no time zone"),
        (lambda: every("0m"), "no interval"),
        (lambda: every("soon"), "no interval"),
    ],
)
def test_what_is_no_time_is_a_sentence(make: object, said: str) -> None:
    with pytest.raises(FleetDeskError, match=said):
        make()  # type: ignore[operator]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["dance"], "import or a run"),
        (["import", "tables"], "import or a run"),
        (["import", "tabels", "x"], "Did you mean 'tables'"),
        (["import", "tables", "x", "--into", "y"], "nothing else"),
        (["import", "tables", "https://me:secretsecret@host/x"], "holds a password"),
    ],
)
def test_only_what_can_be_done_is_scheduled(tmp_path: Path, words: list[str], said: str) -> None:
    with pytest.raises(FleetDeskError, match=said):
        add_job(tmp_path, words, every("15m"), NOW)
    assert list_jobs(tmp_path) == []


def test_jobs_are_added_listed_and_removed_and_numbers_are_not_given_twice(tmp_path: Path) -> None:
    first = add_job(tmp_path, ["import", "tables", str(tmp_path)], every("15m"), NOW)
    second = add_job(tmp_path, ["run"], daily("03:30", "mon", "Europe/Athens"), NOW)
    assert list_jobs(tmp_path) == [first, second]
    log_outcome(tmp_path, Outcome("2", NOW, NOW, NOW, 0, "done"), NOW)
    remove_job(tmp_path, "2")
    with pytest.raises(FleetDeskError, match="no job 2"):
        remove_job(tmp_path, "2")
    assert add_job(tmp_path, ["run"], every("1h"), NOW).job_id == "3"


def test_times_are_those_of_the_workbooks_city(workspace: Path) -> None:
    added = add_from_words(
        workspace, ["run"], at="03:30", days="", interval=None, timezone=None,
        clock=lambda: NOW,
    )  # fmt: skip
    assert added.timezone == "Europe/Athens"
    assert added.next_at == datetime(2024, 10, 21, 0, 30, tzinfo=UTC)


class Doing:
    """Stands for the command that a job gives."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, seconds: float = 0.0) -> None:
        self.done: list[str] = []
        self.at_once = self.most_at_once = 0
        self.seconds = seconds
        monkeypatch.setattr(scheduler._Worker, "_command", self._command)

    def _command(self, job: Job) -> tuple[int, str]:
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        time.sleep(self.seconds)
        self.done.append(job.job_id)
        self.at_once -= 1
        return 0, "done"


def nobody(_job: Job, _outcome: Outcome) -> None:
    pass


def test_what_was_missed_is_made_up_for_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    doing = Doing(monkeypatch)
    add_job(tmp_path, ["run"], every("15m"), NOW)
    later = NOW + timedelta(days=3, minutes=1)
    assert scheduler.run_due(tmp_path, nobody, clock=lambda: NOW) == 0
    assert scheduler.run_due(tmp_path, nobody, clock=lambda: later) == 1
    assert scheduler.run_due(tmp_path, nobody, clock=lambda: later) == 0
    assert scheduler.run_due(tmp_path, nobody, clock=lambda: later + timedelta(minutes=14)) == 1
    (state,) = job_states(tmp_path, later)
    assert state.last is not None and state.last.due_at == datetime(
        2024, 10, 23, 12, 15, tzinfo=UTC
    )
    assert doing.done == ["1", "1"]


def test_due_jobs_are_done_one_at_a_time_and_new_ones_are_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    doing = Doing(monkeypatch, seconds=0.05)
    past = datetime.now(UTC) - timedelta(days=2)
    for _ in range(3):
        add_job(tmp_path, ["run"], every("1d"), past)
    stop, told = threading.Event(), threading.Event()
    seen: list[str] = []

    def on_outcome(job: Job, _: Outcome) -> None:
        seen.append(job.job_id)
        if len(seen) == 3:
            add_job(tmp_path, ["run"], every("1d"), past)
        if len(seen) == 4:
            told.set()

    worker = threading.Thread(
        target=scheduler.run_jobs, args=(tmp_path, on_outcome),
        kwargs={"stop": stop, "look_again_s": 0.02},
    )  # fmt: skip
    worker.start()
    try:
        assert told.wait(20)
        with pytest.raises(FleetDeskError, match="done already"):
            scheduler.run_due(tmp_path, nobody)
    finally:
        stop.set()
        worker.join(20)
    assert sorted(doing.done) == ["1", "2", "3", "4"] and doing.most_at_once == 1
    assert set(read_log(tmp_path)[0]) == {"1", "2", "3", "4"}


def test_a_job_is_a_command_of_its_own_and_its_answer_is_kept(tmp_path: Path) -> None:
    add_job(tmp_path, ["import", "tables", str(tmp_path / "none")], every("1m"), NOW)
    assert scheduler.run_due(tmp_path, nobody) == 1
    _, (outcome,) = read_log(tmp_path)
    assert outcome.exit_code == 5 and "There is no folder none" in outcome.said
    told = CliRunner().invoke(cli, ["schedule", "list", str(tmp_path), "--json"])
    assert json.loads(told.stdout)["jobs"][0]["last"]["exit_code"] == 5
    line = CliRunner().invoke(cli, ["schedule", "cron", str(tmp_path)]).stdout
    assert line.startswith("* * * * * ") and line.rstrip().endswith(f"--due {tmp_path}")


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGTERM")
def test_sigterm_ends_it_and_the_job_under_way_is_due_again(tmp_path: Path) -> None:
    slow = tmp_path / "slow.py"
    slow.write_text("import time\nprint('at work', flush=True)\ntime.sleep(60)\n")
    begin = (
        "import sys, pathlib\n"
        "from fleetdesk.workflows import scheduler\n"
        f"scheduler._program = lambda: [sys.executable, {str(slow)!r}]\n"
        "scheduler.run_jobs(pathlib.Path(sys.argv[1]), print, look_again_s=0.1)\n"
        "print('ended')\n"
    )
    add_job(tmp_path, ["import", "tables", "x"], every("1d"), NOW)
    with subprocess.Popen(
        [sys.executable, "-c", begin, str(tmp_path)], stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:  # fmt: skip
        until = time.monotonic() + 30
        while not _children(process.pid) and time.monotonic() < until:
            time.sleep(0.05)
        children = _children(process.pid)
        process.send_signal(signal.SIGTERM)
        assert process.stdout is not None
        assert process.stdout.read() == "ended\n"
        assert process.wait(20) == 0
    assert children and not any(Path(f"/proc/{child}").exists() for child in children)
    assert read_log(tmp_path) == ({}, [])


def _children(pid: int) -> Sequence[str]:
    try:
        texts = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        return []
    return " ".join(texts).split()
