"""`fleetdesk watch`: run again whenever the planner has saved the workbook, also inside Excel."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fleetdesk.errors import FleetDeskError, WorkbookRefused
from fleetdesk.sheets.excel_app import PREFIX as EXCEL
from fleetdesk.sheets.excel_live import ExcelLive
from fleetdesk.workflows.context import Clock, fingerprint, is_file, locate, utc_now
from fleetdesk.workflows.progress import OnProgress, silent
from fleetdesk.workflows.run import RunResult, run_workbook

EVERY_S = 1.0
GONE_AFTER = 30  # looks; programs that save remove the old file for a moment

Outcome = RunResult | FleetDeskError


@dataclass
class _Seen:
    """The content that was last run or refused, so that each is tried once."""

    content: str | None = None
    waiting: bool = False


def watch(
    address: str,
    *,
    folder: Path | None = None,
    clock: Clock = utc_now,
    on_progress: OnProgress = silent,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Outcome]:
    """Yield what came of each run; a run starts when the content differs from the last result.

    The content at the start is not run. While the workbook is open elsewhere the run waits, and
    the refusal is yielded once. Raises WorkbookRefused when the workbook is gone for good.
    """
    address, folder = locate(address, folder)
    look = _Looking(address)
    seen = _Seen(look())
    missed = 0
    while True:
        content = look()
        missed = missed + 1 if content is None else 0
        if missed > GONE_AFTER:
            raise WorkbookRefused(
                f"{address} is gone", found="nothing under that name", fix="Check the name"
            )
        if content is None or content == seen.content:
            sleep(EVERY_S)
            continue
        outcome = _try(address, folder, clock, on_progress)
        if isinstance(outcome, WorkbookRefused) and outcome.retry_helps:
            if not seen.waiting:
                yield outcome
            seen.waiting = True
            sleep(EVERY_S)
            continue
        # Our own write-back changes the file, and is no reason to run again.
        ours = outcome.published.fingerprint if isinstance(outcome, RunResult) else content
        seen = _Seen(ours)
        look.now(ours)
        yield outcome


def can_be_saved(address: str) -> bool:
    """Whether the workbook is one that a planner saves: a file, or open in Excel."""
    return is_file(address) or address.startswith(EXCEL)


class _Looking:
    """Tells the workbook's content as it was last saved.

    Reading a workbook inside Excel disturbs the planner, so that is done after each save only.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._saved: tuple[int, int] | None = None
        self._content: str | None = None

    def now(self, content: str) -> None:
        """What a run has made of it, saved or not."""
        self._content = content

    def __call__(self) -> str | None:
        if is_file(self._address):
            return fingerprint(self._address)
        path = ExcelLive(self._address.removeprefix(EXCEL)).path
        if path is None:
            raise WorkbookRefused(
                f"{self._address} was never saved to this computer",
                fix="Save it into its workspace, then watch it",
            )
        # Programs that save remove the old file for a moment.
        if not path.exists():
            return None
        state = path.stat()
        if (state.st_mtime_ns, state.st_size) != self._saved:
            self._saved = state.st_mtime_ns, state.st_size
            self._content = fingerprint(self._address)
        return self._content


def _try(address: str, folder: Path | None, clock: Clock, on_progress: OnProgress) -> Outcome:
    try:
        return run_workbook(address, folder=folder, clock=clock, on_progress=on_progress)
    except FleetDeskError as error:
        return error
