"""Work in a process of its own: answers, steps, cancelling, and a process that dies."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from multiprocessing import Pipe
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from fleetdesk.apps.desktop.work import child
from fleetdesk.apps.desktop.work.messages import Failure, Settle, Step, Stop
from fleetdesk.apps.desktop.work.report import report_text
from fleetdesk.apps.desktop.work.worker import Worker
from fleetdesk.errors import Enough, FleetDeskError, Problem, SettingsInvalid
from fleetdesk.workflows.progress import SEARCHING

LONG_MS = 120_000


@pytest.fixture
def worker(qapp: Any) -> Iterator[Worker]:
    made = Worker()
    yield made
    made.close()


class Heard:
    """Notes what comes back."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self.failures: list[Failure] = []
        self.steps: list[tuple[str, float]] = []

    def ask(self, worker: Worker, job: str, **given: Any) -> None:
        worker.ask(job, self.values.append, self.failures.append, self._step, **given)

    def _step(self, step: str, share: float) -> None:
        self.steps.append((step, share))

    @property
    def done(self) -> bool:
        return bool(self.values or self.failures)


def test_a_job_is_answered_and_a_refusal_comes_as_sentences(
    worker: Worker, qtbot: QtBot, tmp_path: Path
) -> None:
    good, bad = Heard(), Heard()
    good.ask(worker, "history", workbook=str(tmp_path / "none.xlsx"))
    bad.ask(worker, "forms", workbook=str(tmp_path / "none.xlsx"))
    qtbot.waitUntil(lambda: good.done and bad.done, timeout=LONG_MS)
    assert good.values == [()]
    (failure,) = bad.failures
    assert "There is no workbook none.xlsx" in failure.cause
    assert failure.fix and not failure.report


def test_a_process_that_dies_is_a_message_with_a_report_and_the_next_job_runs(
    worker: Worker, qtbot: QtBot, tmp_path: Path
) -> None:
    heard, after = Heard(), Heard()
    heard.ask(worker, "sample", folder=str(tmp_path / "city"), vehicles=300, days=60)
    qtbot.waitUntil(lambda: bool(heard.steps), timeout=LONG_MS)
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: heard.done, timeout=LONG_MS)
    (failure,) = heard.failures
    assert "ended by itself" in failure.cause and "signal 9" in failure.found
    assert failure.retry_helps and "During: sample" in failure.report
    after.ask(worker, "history", workbook=str(tmp_path / "none.xlsx"))
    qtbot.waitUntil(lambda: after.done, timeout=LONG_MS)
    assert after.values == [()]


def test_cancelling_stops_the_work_and_says_so(
    worker: Worker, qtbot: QtBot, tmp_path: Path
) -> None:
    heard = Heard()
    heard.ask(worker, "sample", folder=str(tmp_path / "city"), vehicles=300, days=60)
    qtbot.waitUntil(lambda: bool(heard.steps), timeout=LONG_MS)
    worker.cancel()
    qtbot.waitUntil(lambda: heard.done, timeout=4000)
    (failure,) = heard.failures
    assert failure.cancelled and not failure.report


def test_what_waits_behind_a_job_is_cancelled_at_once(worker: Worker, qtbot: QtBot) -> None:
    worker.warm("run")
    heard = Heard()
    heard.ask(worker, "history", workbook="none.xlsx")
    worker.cancel()
    (failure,) = heard.failures
    assert failure.cancelled and not heard.values


def test_steps_are_told_at_most_twenty_times_a_second_and_the_last_one_always() -> None:
    ours, theirs = Pipe()
    report = child._Reporter(theirs, 7)
    for number in range(500):
        report("Planning", number / 500)
    report("Planning", 1.0)
    heard = []
    while ours.poll(0.05):
        heard.append(ours.recv())
    assert heard[0] == Step(7, "Planning", 0.0)
    assert len(heard) <= 3
    report("Writing", 0.5)
    assert ours.recv() == Step(7, "Writing", 0.5)


def test_between_two_steps_the_work_looks_whether_to_stop() -> None:
    ours, theirs = Pipe()
    report = child._Reporter(theirs, 1)
    report("A", 0.0)
    ours.send(Stop())
    with pytest.raises(child.Stopped):
        report("B", 0.5)


def test_settling_ends_the_search_and_nothing_else() -> None:
    window, work = Pipe()
    report = child._Reporter(work, 1)
    window.send(Settle())
    report("Weighing tasks", 0.4)
    with pytest.raises(Enough):
        report(f"{SEARCHING}: 3.20 EUR from 2 tasks so far", 0.6)


def test_errors_keep_their_parts_and_faults_of_our_own_a_report() -> None:
    refused = child.failure_of(FleetDeskError("No", found="x", fix="Do y", retry_helps=True))
    assert refused == Failure("No", "x", "Do y", retry_helps=True)
    invalid = child.failure_of(SettingsInvalid([Problem("City", "B5", "1", "is wrong")], "Book"))
    assert invalid.problems[0].cell == "B5"
    try:
        raise ZeroDivisionError("password=hunter2hunter2")
    except ZeroDivisionError as error:
        fault = child.failure_of(error)
    assert "ZeroDivisionError" in fault.report and "Traceback" in fault.report
    full = child.failure_of(OSError(28, "No space left on device", "/x"))
    assert "No space left" in full.found and full.retry_helps


def test_a_report_names_the_system_and_hides_secrets_and_the_home_folder() -> None:
    text = report_text("run", "signal 9", f"postgresql://me:hunter2@host/db in {Path.home()}/x")
    assert "FleetDesk" in text and "During: run" in text
    assert "hunter2" not in text
    assert str(Path.home()) == "/" or str(Path.home()) not in text


def test_a_process_that_cannot_be_started_fails_the_job_and_the_next_one_tries_again(
    worker: Worker, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    first, second = Heard(), Heard()
    with monkeypatch.context() as full:
        full.setattr(SpawnProcess, "start", refuse)
        first.ask(worker, "history", workbook=str(tmp_path / "none.xlsx"))
    (failure,) = first.failures
    assert "could not be started" in failure.cause and failure.retry_helps and not worker.busy
    second.ask(worker, "history", workbook=str(tmp_path / "none.xlsx"))
    qtbot.waitUntil(lambda: second.done, timeout=LONG_MS)
    assert second.values == [()]
