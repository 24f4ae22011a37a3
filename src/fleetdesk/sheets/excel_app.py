"""Reaching a running Excel: its open workbooks, its moods, and its settings while we write."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from fleetdesk.errors import WorkbookRefused

T = TypeVar("T")

PREFIX = "excel:"
WAIT_S = 20.0
"""How long Excel may be busy, or a cell being edited, before the run gives up."""

# Source: Microsoft's HRESULT list; the last is Excel's own for a cell that is being edited.
_BUSY = {-2147418111, -2147417846, -2146777998}
_GONE = {-2147417848, -2147221080, -2147023174, -2147023170, -2146827864}
_SAVED = {"screen_updating": False, "calculation": "manual", "enable_events": False}


@dataclass(frozen=True)
class Patience:
    """Does things with Excel, waiting while it is busy; `where` names the workbook in refusals."""

    where: str
    limit_s: float = WAIT_S
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic

    def __call__(self, action: Callable[[], T]) -> T:
        """The action's result; WorkbookRefused when Excel stays busy, refuses or is gone."""
        deadline, pause = self.now() + self.limit_s, 0.1
        while True:
            try:
                return action()
            except Exception as error:
                codes = _codes(error)
                busy = bool(codes & _BUSY) or type(error).__name__ == "ExcelBusyError"
                if busy and self.now() < deadline:
                    self.sleep(pause)
                    pause = min(pause * 1.5, 1.0)
                    continue
                if not busy and not codes:
                    raise
                raise self._refusal(busy, codes, error) from error

    def _refusal(self, busy: bool, codes: set[int], error: Exception) -> WorkbookRefused:
        if busy:
            return WorkbookRefused(
                f"Excel was busy for {self.limit_s:g} seconds, so {self.where} was left as it was",
                found="a cell is being edited, a dialog is open, or Excel is calculating",
                fix="Press Enter or Esc in the cell, close dialogs, and run again",
                retry_helps=True,
            )
        if codes & _GONE:
            return closed(self.where)
        details = error.args[2] if len(error.args) > 2 else None
        found = details[2] if isinstance(details, tuple) and len(details) > 2 else None
        return WorkbookRefused(
            f"Excel refused what FleetDesk needs to do in {self.where}",
            found=str(found or error),
            fix="Save the workbook, close and open it, and run again",
        )


def load() -> Any:
    """xlwings, its free part only; loaded here because most commands never need Excel."""
    # Without this its import would look for a licence key and load the part that is not free.
    sys.modules.setdefault("xlwings.pro", None)  # type: ignore[arg-type]
    try:
        import xlwings
    except ImportError:
        raise WorkbookRefused(
            "Live Excel needs the package xlwings, which is not installed",
            fix="Install fleetdesk[excel], or name the workbook's file instead of excel:",
        ) from None
    if xlwings.__pro__:
        raise WorkbookRefused(
            "xlwings was loaded with its PRO part, which FleetDesk must not use",
            found="a licence key of xlwings PRO on this computer",
            fix="Remove the key from FleetDesk's surroundings (XLWINGS_LICENSE_KEY), and run again",
        )
    windows: Any = sys.modules.get("xlwings._xlwindows")
    if windows is not None:
        # By default it tries for ever while Excel is busy; the waiting is ours and has an end.
        windows.N_COM_ATTEMPTS = 1
    return xlwings


def find_book(name: str, patience: Patience) -> Any:
    """The open workbook of that name, or the active one when the name is empty."""
    xw = load()
    if "excel" not in {engine.name for engine in xw.engines}:
        raise _no_excel("xlwings finds no Excel on this computer")
    if sys.platform == "darwin":
        raise _no_excel("Excel for Mac, which FleetDesk does not drive")
    apps = patience(lambda: list(xw.engines["excel"].apps))
    books = [book for app in apps for book in patience(lambda app=app: list(app.books))]  # type: ignore[misc]
    if not books:
        raise WorkbookRefused(
            "No workbook is open in Excel",
            fix="Open the planner's workbook in Excel and run again, or name its file",
            retry_helps=True,
        )
    if not name:
        return patience(lambda: apps[0].books.active)
    names = [patience(lambda book=book: str(book.name)) for book in books]  # type: ignore[misc]
    for book, found in zip(books, names, strict=True):
        if found.casefold() == name.casefold():
            return book
    raise WorkbookRefused(
        f"There is no workbook {name} open in Excel",
        found=f"open: {', '.join(names)}",
        fix=f"Open {name} in Excel and run again",
        retry_helps=True,
    )


@contextmanager
def quiet(app: Any, patience: Patience) -> Iterator[None]:
    """Keep Excel from drawing, calculating and starting macros; all is set back afterwards."""
    before = patience(lambda: {name: getattr(app, name) for name in _SAVED})
    try:
        patience(lambda: _set(app, _SAVED))
        yield
    finally:
        _set_back(app, before, patience)


def closed(where: str) -> WorkbookRefused:
    """The refusal when the workbook, or Excel itself, was closed while we worked."""
    return WorkbookRefused(
        f"{where} was closed in Excel while FleetDesk was working",
        found="the results were not written, or not all of them",
        fix=f"Open {where} again and run again",
        retry_helps=True,
    )


def _no_excel(found: str) -> WorkbookRefused:
    return WorkbookRefused(
        "There is no Excel here that FleetDesk can work in",
        found=found,
        fix="Save and close the workbook, and name its file instead of excel:",
    )


def _set(app: Any, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(app, name, value)


def _set_back(app: Any, before: dict[str, Any], patience: Patience) -> None:
    for name, value in before.items():
        # The write is over, well or ill; that is what the caller must hear of, and one setting
        # that Excel refuses must not keep the others from coming back.
        with suppress(WorkbookRefused):
            patience(lambda name=name, value=value: setattr(app, name, value))  # type: ignore[misc]


def _codes(error: BaseException) -> set[int]:
    """The numbers of a COM error: the call's own and Excel's inside it."""
    if type(error).__name__ != "com_error":
        return set()
    inner = error.args[2] if len(error.args) > 2 else None
    codes = {error.args[0]} if error.args else {0}
    if isinstance(inner, tuple) and len(inner) > 5 and inner[5]:
        codes.add(inner[5])
    return codes
