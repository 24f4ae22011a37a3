"""`fleetdesk watch` on a Google Sheet: do what its menu asks for, and answer in the sheet."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from fleetdesk.errors import FleetDeskError
from fleetdesk.settings import secrets
from fleetdesk.sheets.google import GoogleSheet
from fleetdesk.sheets.open import open_workbook
from fleetdesk.sheets.run_requests import RequestState, RunRequest, answer, requests
from fleetdesk.workflows.context import Clock, utc_now
from fleetdesk.workflows.progress import OnProgress, silent
from fleetdesk.workflows.run import CheckResult, RunResult, check_workbook, run_workbook

EVERY_S = 10.0  # one small call each time, of the sixty a minute that Google allows

Outcome = RunResult | CheckResult | FleetDeskError


def watch_requests(
    address: str,
    *,
    folder: Path | None = None,
    clock: Clock = utc_now,
    on_progress: OnProgress = silent,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Outcome]:
    """Yield what came of each request; the sheet is read only when its version has moved.

    A request is answered `running` before the work and `done` or `refused` after it, so that none
    is done twice. Google's own troubles are yielded, and the watch goes on.
    """
    seen = ""
    while True:
        try:
            sheet = open_workbook(address, secrets.reveal)
            version = sheet.version() if isinstance(sheet, GoogleSheet) else ""
            if version != seen:
                for request in requests(sheet):
                    answer(sheet, request, RequestState.RUNNING, "", _local(clock))
                    outcome = _do(request, address, folder, clock, on_progress)
                    state, text = _told(outcome)
                    answer(sheet, request, state, text, _local(clock))
                    yield outcome
                seen = version
        except FleetDeskError as error:
            yield error
        sleep(EVERY_S)


def _do(
    request: RunRequest, address: str, folder: Path | None, clock: Clock, on_progress: OnProgress
) -> Outcome:
    try:
        if request.what == "run":
            return run_workbook(address, folder=folder, clock=clock, on_progress=on_progress)
        if request.what == "check":
            return check_workbook(address)
    except FleetDeskError as error:
        return error
    if request.what == "undo":
        return FleetDeskError(
            "A Google Sheet keeps its own past",
            fix="Undo by File, Version history in Google Sheets",
        )
    return FleetDeskError(
        f"FleetDesk does not know how to {request.what!r}", fix="Ask for run, check or undo"
    )


def _told(outcome: Outcome) -> tuple[RequestState, str]:
    if isinstance(outcome, FleetDeskError):
        return RequestState.REFUSED, str(outcome)
    return RequestState.DONE, str(outcome.as_dict()["text"])


def _local(clock: Clock) -> datetime:
    return clock().astimezone().replace(tzinfo=None)
