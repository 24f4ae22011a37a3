"""The working process: does one order after the other and says how far it is.

Progress goes out at most 20 times a second. Between two steps it looks whether it should stop; the
window ends a process that does not answer within its patience.
"""

from __future__ import annotations

import contextlib
import faulthandler
import signal
import sys
import time
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from fleetdesk.apps.desktop.work.messages import (
    Done,
    Failed,
    Failure,
    Order,
    Ready,
    Settle,
    Step,
    Stop,
)
from fleetdesk.errors import Enough
from fleetdesk.workflows.progress import SEARCHING, name_of

EVERY_S = 0.05


class Stopped(BaseException):
    """The planner does not want the job any more; no `except Exception` may hold it up."""

    def __str__(self) -> str:
        """What the ledger says of the run."""
        return "Cancelled by the planner"


def serve(pipe: Connection, crash_file: str) -> None:
    """Do what comes down the pipe until it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with Path(crash_file).open("w", encoding="utf-8") as crash:
        faulthandler.enable(crash)
        # A windowed app has no console; what libraries print must go somewhere.
        if sys.stdout is None or sys.stderr is None:
            sys.stdout = sys.stderr = crash
        with contextlib.suppress(EOFError, OSError):
            pipe.send(Ready())
            while True:
                message = pipe.recv()
                if isinstance(message, Order):
                    pipe.send(_answer(pipe, message))
        faulthandler.disable()


def _answer(pipe: Connection, order: Order) -> Done | Failed:
    from fleetdesk.apps.desktop.work.jobs import JOBS

    try:
        value = JOBS[order.job](_Reporter(pipe, order.number), **order.arguments)
    except Stopped:
        return Failed(order.number, Failure("Cancelled; the workbook is as it was", cancelled=True))
    except Exception as error:  # noqa: BLE001 - the last door before the window
        return Failed(order.number, failure_of(error))
    return Done(order.number, value)


class _Reporter:
    """The jobs' on_progress: passes steps on, and looks for the orders to stop or to settle."""

    def __init__(self, pipe: Connection, number: int) -> None:
        self._pipe, self._number = pipe, number
        self._step, self._at = "", 0.0
        self._settles = False

    def __call__(self, step: str, share: float) -> None:
        while self._pipe.poll():
            message = self._pipe.recv()
            if isinstance(message, Stop):
                raise Stopped
            self._settles |= isinstance(message, Settle)
        if self._settles and name_of(step) == SEARCHING:
            raise Enough
        now = time.monotonic()
        if step != self._step or now - self._at >= EVERY_S or share >= 1.0:
            late = EVERY_S - (now - self._at)
            if late > 0 and step == self._step:
                return
            self._step, self._at = step, now
            self._pipe.send(Step(self._number, step, share))


def failure_of(error: BaseException) -> Failure:
    """An error as what the window shows."""
    from fleetdesk.errors import FleetDeskError, SettingsInvalid
    from fleetdesk.settings.secrets import scrub

    problems: tuple[Any, ...] = ()
    if isinstance(error, SettingsInvalid):
        problems = error.problems
    if isinstance(error, FleetDeskError):
        found = "" if problems else scrub(error.found)
        return Failure(scrub(error.cause), found, scrub(error.fix), error.retry_helps, problems)
    if isinstance(error, OSError):
        return Failure(
            "The computer did not allow FleetDesk to read or write a file",
            scrub(f"{error.strerror or error}: {error.filename or 'the workspace'}"),
            "Allow it there or make room, and try again; the workbook is whole",
            retry_helps=True,
        )
    return Failure(
        scrub(f"FleetDesk met a fault of its own ({type(error).__name__}: {error})"),
        fix="Your workbook is whole: as it was, or as the run left it. Copy the report and send it "
        "to whoever looks after FleetDesk",
        report=scrub("".join(traceback.format_exception(error))),
    )
