"""What the command line shows: results, progress and errors, for people or as JSON."""

from __future__ import annotations

import json
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from fleetdesk.errors import Enough, FleetDeskError, SettingsInvalid
from fleetdesk.settings.secrets import scrub
from fleetdesk.workflows.progress import SEARCHING, name_of

UNEXPECTED = 70  # EX_SOFTWARE of sysexits.h
CANCELLED = 130
PATIENCE_S = 1.0

OnProgress = Callable[[str, float], None]


def run_command(work: Callable[[], Mapping[str, Any]], *, as_json: bool) -> int:
    """Do the work, print what came of it, and return the exit code; no traceback is ever shown."""
    try:
        result = work()
    except KeyboardInterrupt:
        _fail({"error": "Cancelled", "cause": "Cancelled; the workbook is whole"}, as_json)
        return CANCELLED
    except FleetDeskError as error:
        show_error(error, as_json=as_json)
        return error.exit_code
    except OSError as error:
        refused = _by_the_system(error)
        show_error(refused, as_json=as_json)
        return refused.exit_code
    except Exception as error:  # noqa: BLE001 - the last door before the planner
        _fail(unexpected(error), as_json)
        return UNEXPECTED
    show(result, as_json=as_json)
    return int(result.get("exit_code", 0))


def finish(work: Callable[[OnProgress], Mapping[str, Any]], as_json: bool) -> NoReturn:
    """Do a command's work under a progress bar and leave with its exit code."""

    def with_progress() -> Mapping[str, Any]:
        with progress(as_json=as_json) as on_progress:
            return work(on_progress)

    sys.exit(run_command(with_progress, as_json=as_json))


def show(result: Mapping[str, Any], *, as_json: bool) -> None:
    """Print a result: its `text` for people, all of it as one line of JSON for machines."""
    if as_json:
        ok = not result.get("exit_code", 0)
        print(json.dumps({"ok": ok, **result}, ensure_ascii=False, default=str), flush=True)
    else:
        print(result["text"], flush=True)


def show_error(error: FleetDeskError, *, as_json: bool) -> None:
    """Print an error as sentences on stderr, or as JSON on stdout."""
    _fail(error.as_dict(), as_json, lines=lines_of(error))


@contextmanager
def progress(*, as_json: bool) -> Iterator[OnProgress]:
    """A bar on stderr for work that takes over a second; plain lines where there is no screen."""
    if as_json:
        yield _silent
    elif sys.stderr.isatty():
        with _bar() as on_progress, _first_interrupt_is_enough(on_progress) as watched:
            yield watched
    else:
        with _first_interrupt_is_enough(_plain()) as watched:
            yield watched


@contextmanager
def _first_interrupt_is_enough(on_progress: OnProgress) -> Iterator[OnProgress]:
    """While routes are searched, the first Ctrl-C keeps the best so far; any other cancels."""
    step, wanted = "", False

    def interrupted(number: int, frame: FrameType | None) -> None:
        nonlocal wanted
        if name_of(step) != SEARCHING or wanted:
            signal.default_int_handler(number, frame)
        wanted = True

    def watched(name: str, share: float) -> None:
        nonlocal step
        step = name
        on_progress(name, share)
        if wanted and name_of(name) == SEARCHING:
            raise Enough

    if threading.current_thread() is not threading.main_thread():
        yield on_progress
        return
    before = signal.signal(signal.SIGINT, interrupted)
    try:
        yield watched
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _bar() -> Iterator[OnProgress]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    started = time.monotonic()
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(), console=Console(stderr=True), transient=True,
    )  # fmt: skip
    task = bar.add_task("", total=1.0)
    shown = False

    def on_progress(step: str, share: float) -> None:
        nonlocal shown
        bar.update(task, description=step, completed=share)
        if not shown and time.monotonic() - started > PATIENCE_S:
            bar.start()
            shown = True

    try:
        yield on_progress
    finally:
        if shown:
            bar.stop()


def _silent(_step: str, _share: float) -> None:
    """Machines read the result, not the way there."""


def _plain() -> OnProgress:
    said: set[str] = set()

    def on_progress(step: str, share: float) -> None:
        name = name_of(step)
        if name not in said:
            said.add(name)
            print(f"  {share * 100:3.0f} %  {name}", file=sys.stderr, flush=True)

    return on_progress


def _fail(parts: Mapping[str, Any], as_json: bool, lines: str = "") -> None:
    if as_json:
        print(scrub(json.dumps({"ok": False, **parts}, ensure_ascii=False, default=str)))
    else:
        print(scrub(lines or parts["cause"]), file=sys.stderr)


def lines_of(error: FleetDeskError) -> str:
    """An error for people; every problem of the settings on a line of its own."""
    if isinstance(error, SettingsInvalid):
        listed = "\n".join(f"  {problem}" for problem in error.problems)
        return f"{error.cause}:\n{listed}\n{error.fix}."
    return str(error)


def _by_the_system(error: OSError) -> FleetDeskError:
    return FleetDeskError(
        "The computer did not allow FleetDesk to read or write a file",
        found=f"{error.strerror or error}: {error.filename or 'the workspace'}",
        fix="Allow it there or make room, and run again; the workbook is whole",
        retry_helps=True,
    )


def unexpected(error: Exception) -> dict[str, Any]:
    """A fault of our own as a sentence; the details go into a file beside."""
    with tempfile.NamedTemporaryFile(
        "w", prefix="fleetdesk-report-", suffix=".txt", delete=False, encoding="utf-8"
    ) as report:
        report.write(scrub("".join(traceback.format_exception(error))))
    return {
        "error": "Unexpected",
        "cause": scrub(
            f"FleetDesk met a fault of its own ({type(error).__name__}: {error}). "
            "Your workbook is whole: as it was, or as the run left it. "
            f"The report is in {Path(report.name)}."
        ),
        "report": report.name,
    }
