"""A working process as the window sees it: give it orders, hear what comes of them.

Spawned, never forked. A thread of its own waits at the pipe, so that the window never does.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import tempfile
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from fleetdesk.apps.desktop.work.child import serve
from fleetdesk.apps.desktop.work.messages import (
    Done,
    Failed,
    Failure,
    Order,
    Ready,
    Settle,
    Step,
    Stop,
    Trouble,
)
from fleetdesk.apps.desktop.work.report import report_text

PATIENCE_MS = 1500
_CANCELLED = Failure("Cancelled; the workbook is as it was", cancelled=True)
Then = Callable[[Any], None]
Otherwise = Callable[[Failure], None]
OnStep = Callable[[str, float], None]


@dataclass
class _Waiting:
    order: Order
    then: Then
    otherwise: Otherwise
    on_step: OnStep | None


class Worker(QObject):
    """One process; orders are done one after the other.

    A process that dies fails its present order with a report and is started anew for the next.
    """

    _heard = Signal(int, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._queue: deque[_Waiting] = deque()
        self._present: _Waiting | None = None
        self._number = 0
        self._life = 0
        self._process: Any = None
        self._pipe: Connection | None = None
        self._thread: threading.Thread | None = None
        self._cancelled = False
        self._folder = tempfile.TemporaryDirectory(prefix="fleetdesk-work-")
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(PATIENCE_MS)
        self._patience.timeout.connect(self._kill)
        self._heard.connect(self._hear)

    @property
    def busy(self) -> bool:
        """Whether an order is being done or waits."""
        return self._present is not None or bool(self._queue)

    @property
    def pid(self) -> int | None:
        """The process's id; None when none runs."""
        return self._process.pid if self._process is not None else None

    def ask(
        self,
        job: str,
        then: Then,
        otherwise: Otherwise,
        on_step: OnStep | None = None,
        **arguments: Any,
    ) -> None:
        """Queue a job; exactly one of `then` and `otherwise` is called, in the window's thread."""
        self._number += 1
        order = Order(self._number, job, arguments)
        self._queue.append(_Waiting(order, then, otherwise, on_step))
        self._next()

    def warm(self, *jobs: str) -> None:
        """Start the process ahead, so that its libraries are loaded when a job comes."""
        self.ask("warm", _nothing, _nothing, jobs=jobs)

    def cancel(self) -> None:
        """Ask the present job to stop; end the process if it does not within 1.5 s.

        What waits behind it comes to nothing at once.
        """
        waiting, self._queue = self._queue, deque()
        if self._present is not None and self._pipe is not None:
            self._cancelled = True
            with contextlib.suppress(OSError):
                self._pipe.send(Stop())
            self._patience.start()
        for one in waiting:
            one.otherwise(_CANCELLED)

    def settle(self) -> None:
        """Let the present job take the best routes so far."""
        if self._present is not None and self._pipe is not None:
            with contextlib.suppress(OSError):
                self._pipe.send(Settle())

    def close(self) -> None:
        """End the process; nothing is called any more."""
        self._patience.stop()
        self._queue.clear()
        self._present = None
        self._life += 1
        self._end()
        self._folder.cleanup()

    def _next(self) -> None:
        if self._present is not None or not self._queue:
            return
        waiting = self._queue.popleft()
        if self._process is None:
            try:
                self._start()
            except OSError as error:
                waiting.otherwise(_not_started(error))
                self._next()
                return
        self._present = waiting
        assert self._pipe is not None
        try:
            self._pipe.send(self._present.order)
        except OSError:
            self._hear(self._life, Trouble(None))

    def _start(self) -> None:
        spawn = multiprocessing.get_context("spawn")
        ours, theirs = spawn.Pipe()
        process = spawn.Process(
            target=serve, args=(theirs, str(self._crash_file)), name="FleetDesk work", daemon=True
        )
        process.start()
        theirs.close()
        self._process = process
        self._pipe = ours
        self._life += 1
        self._thread = threading.Thread(
            target=self._listen, args=(ours, self._life), name="FleetDesk pipe", daemon=True
        )
        self._thread.start()

    @property
    def _crash_file(self) -> Path:
        return Path(self._folder.name) / "crash.txt"

    def _listen(self, pipe: Connection, life: int) -> None:
        while True:
            try:
                message = pipe.recv()
            except (EOFError, OSError):
                message = Trouble(None)
            except Exception as error:  # noqa: BLE001 - a message that cannot be read is a fault
                message = Trouble(None, repr(error))
            try:
                self._heard.emit(life, message)
            except RuntimeError:  # the window has gone
                return
            if isinstance(message, Trouble):
                return

    def _hear(self, life: int, message: object) -> None:
        if life != self._life:
            return
        waiting = self._present
        match message:
            case Ready():
                pass
            case Step(number, step, share):
                if waiting and waiting.on_step and number == waiting.order.number:
                    waiting.on_step(step, share)
            case Done(_, value) if waiting:
                self._settle()
                waiting.then(value)
                self._next()
            case Failed(_, failure) if waiting:
                self._settle()
                waiting.otherwise(failure)
                self._next()
            case Trouble():
                self._died(message)

    def _settle(self) -> None:
        self._patience.stop()
        self._present = None
        self._cancelled = False

    def _died(self, trouble: Trouble) -> None:
        waiting, cancelled = self._present, self._cancelled
        self._settle()
        code = self._end()
        if waiting is not None:
            waiting.otherwise(self._why(waiting.order.job, code, trouble.report, cancelled))
        self._next()

    def _why(self, job: str, code: int | None, said: str, cancelled: bool) -> Failure:
        if cancelled:
            return _CANCELLED
        details = (
            self._crash_file.read_text("utf-8", "replace") if self._crash_file.exists() else ""
        )
        return Failure(
            "The process that did the work ended by itself",
            found=_how(code),
            fix="Your workbook is whole. Try again; if it happens again, copy the report and send "
            "it to whoever looks after FleetDesk",
            retry_helps=True,
            report=report_text(job, _how(code), f"{said}\n{details}"),
        )

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    def _end(self) -> int | None:
        process, self._process = self._process, None
        pipe, self._pipe = self._pipe, None
        thread, self._thread = self._thread, None
        if process is not None:
            process.kill()
            process.join(5)
        if thread is not None and thread is not threading.current_thread():
            thread.join(5)
        if pipe is not None:
            pipe.close()
        if process is None:
            return None
        code: int | None = process.exitcode
        process.close()
        return code


def _not_started(error: OSError) -> Failure:
    return Failure(
        "The process that does the work could not be started",
        found=error.strerror or str(error),
        fix="Close other programs and try again",
        retry_helps=True,
    )


def _how(code: int | None) -> str:
    if code is None:
        return "no exit code"
    if code < 0:
        return f"it was ended by signal {-code}"
    return f"its exit code was {code}"


def _nothing(_: object) -> None:
    """For orders whose outcome nobody waits for."""
