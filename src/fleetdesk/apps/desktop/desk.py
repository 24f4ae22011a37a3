"""What all pages share: the open workbook, the processes, and the one run that may be under way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal

from fleetdesk.apps.desktop.memory import Memory
from fleetdesk.apps.desktop.theme import Theme
from fleetdesk.apps.desktop.watcher import WorkbookWatcher
from fleetdesk.apps.desktop.work.messages import Failure
from fleetdesk.apps.desktop.work.worker import Otherwise, Then, Worker

_WARM_LATER_MS = 4000


class Desk(QObject):
    """Opens workbooks, reads for pages (`ask`) and does one piece of long work at a time (`start`).

    `changed` tells that what the workspace holds is new, so that pages read again.
    """

    opened = Signal(str)
    changed = Signal()
    disturbed = Signal(str)
    began = Signal(str)
    stepped = Signal(str, float)
    ended = Signal(str, object, float)
    failed = Signal(object)

    def __init__(self, memory: Memory, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.memory, self.theme = memory, theme
        self.workbook = ""
        self._title = ""
        self._warmed = False
        self._clock = QElapsedTimer()
        self._reader = Worker(self)
        self._runner = Worker(self)
        self._planner = Worker(self)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(_WARM_LATER_MS)
        self._later.timeout.connect(lambda: self._runner.warm("run"))
        self._watcher = WorkbookWatcher(self)
        self._watcher.changed.connect(self._changed_on_disk)
        self._watcher.gone.connect(self._gone)

    @property
    def busy(self) -> bool:
        """Whether long work is under way."""
        return bool(self._title)

    @property
    def reading(self) -> bool:
        """Whether something is being read, or changed routes are being priced."""
        return self._reader.busy or self._planner.busy

    @property
    def folder(self) -> Path:
        """The workspace."""
        return Path(self.workbook).parent

    def warm(self) -> None:
        """Start both processes ahead: first the one that the first page waits for."""
        self._warmed = True
        self._reader.warm("overview", "forms")
        self._later.start()

    def open(self, workbook: str) -> bool:
        """Open a workbook; says so when it is not there or another one is being worked on."""
        path = Path(workbook).resolve()
        if self.busy:
            self.failed.emit(Failure(f"{self._title} is still under way",
                                     fix="Wait for it to end, or cancel it"))  # fmt: skip
            return False
        if not path.is_file() or path.suffix.lower() != ".xlsx":
            self.memory.forget(str(path))
            found = "there is no such file" if not path.is_file() else "it is no .xlsx workbook"
            self.failed.emit(
                Failure(f"{path.name} cannot be opened", found, "Choose a planner's workbook")
            )
            return False
        self.workbook = str(path)
        self.memory.opened(self.workbook)
        self._watcher.follow(path)
        self.opened.emit(self.workbook)
        return True

    def ask(self, job: str, then: Then, otherwise: Otherwise | None = None, **given: Any) -> None:
        """Read something of the open workbook; the answer comes to `then`."""
        self._of_this_workbook(self._reader, job, then, otherwise or self.failed.emit, given)

    def weigh(self, job: str, then: Then, otherwise: Otherwise, **given: Any) -> None:
        """Ask what a change would come to, in a process that keeps at hand what that needs."""
        self._of_this_workbook(self._planner, job, then, otherwise, given)

    def start(self, title: str, job: str, **given: Any) -> bool:
        """Begin long work; False when some is under way already."""
        if self.busy:
            return False
        self._title = title
        self._clock.start()
        self.began.emit(title)
        self._runner.ask(job, self._done, self._not_done, self.stepped.emit, **given)
        return True

    def run(self, only: tuple[str, ...] = ()) -> bool:
        """Run the open workbook's questions, or only these."""
        if not self.workbook:
            return False
        return self.start("The run", "run", workbook=self.workbook, only=only)

    def cancel(self) -> None:
        """Stop the long work; the process is ended if it does not stop by itself."""
        if self.busy:
            self._runner.cancel()

    def settle(self) -> None:
        """Let the long work take the best routes so far instead of searching on."""
        if self.busy:
            self._runner.settle()

    def work_pid(self) -> int | None:
        """The process of the long work."""
        return self._runner.pid

    def close(self) -> None:
        """End the processes."""
        self._watcher.follow(None)
        self._later.stop()
        self._title = ""
        self._reader.close()
        self._planner.close()
        self._runner.close()
        self.memory.sync()

    def _of_this_workbook(
        self, worker: Worker, job: str, then: Then, otherwise: Otherwise, given: Mapping[str, Any]
    ) -> None:
        """Ask; what comes back when another workbook is open by then is of no use to anyone."""
        asked = self.workbook

        def if_still_open(tell: Callable[[Any], None]) -> Callable[[Any], None]:
            def told(value: Any) -> None:
                if asked == self.workbook:
                    tell(value)

            return told

        def refused(failure: Failure) -> None:
            otherwise(failure)
            if failure.report:
                # Wherever it is told, a fault of our own comes with its report to copy.
                self.failed.emit(failure)

        worker.ask(
            job, if_still_open(then), if_still_open(refused), workbook=self.workbook, **given
        )

    def _done(self, value: Any) -> None:
        title, self._title = self._title, ""
        self._again()
        self.changed.emit()
        self.ended.emit(title, value, self._clock.elapsed() / 1000)

    def _not_done(self, failure: Failure) -> None:
        title, self._title = self._title, ""
        self._again()
        # What others saved meanwhile was not read while the work was under way. What is true no
        # longer goes from the window first, and then it says what failed.
        self.changed.emit()
        self.ended.emit(title, failure, self._clock.elapsed() / 1000)

    def _again(self) -> None:
        """A fresh process for the next run: what one run left in memory cannot touch another."""
        self._runner.close()
        self._runner.deleteLater()
        self._runner = Worker(self)
        if self._warmed:
            self._later.start()

    def _changed_on_disk(self) -> None:
        if not self.busy:
            self.changed.emit()

    def _gone(self) -> None:
        self.disturbed.emit(
            f"{Path(self.workbook).name} is no longer in its folder. Put it back, or take one from "
            "the folder backups; the window goes on by itself."
        )
