"""The launcher: a small workbook with a Run button that works on the workbook beside it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from fleetdesk.errors import FleetDeskError, WorkbookRefused
from fleetdesk.sheets.excel_app import Patience, load
from fleetdesk.sheets.excel_values import to_excel

NAME = "FleetDesk_launcher"
"""Of the workbook and of the Python file beside it: Excel's macro imports what it is named."""
SHEET = "Launcher"
ACTION, WORKBOOK, MESSAGE = "C5", "C6", "B9"


class Action(StrEnum):
    """What the Run button does."""

    RUN = "run"
    CHECK = "check"
    UNDO = "undo"
    OPEN_MAP = "open map"


class Launcher:
    """The launcher whose button was pressed."""

    def __init__(self, book: Any, patience: Patience | None = None) -> None:
        self._book = book
        self._do = patience or Patience(f"{NAME}.xlsm")

    @classmethod
    def calling(cls) -> Launcher:
        """The launcher that Excel's macro called us from."""
        return cls(load().Book.caller())

    def action(self) -> Action:
        """What the planner chose."""
        chosen = self._read(ACTION)
        try:
            return Action(chosen.casefold())
        except ValueError:
            raise FleetDeskError(
                "The launcher does not know what Run shall do",
                found=f"{SHEET}!{ACTION}: {chosen or 'nothing'}",
                fix=f"Choose one of: {', '.join(Action)}",
            ) from None

    def workbook(self) -> str:
        """The workbook named in the launcher, else the one used before the button was pressed."""
        named = self._read(WORKBOOK)
        if named:
            return named
        own = self._do(lambda: str(self._book.name))
        for name in self._windows():
            if name.casefold() != own.casefold():
                return name
        raise WorkbookRefused(
            "No planner's workbook is open beside the launcher",
            fix="Open it in Excel, click into it once, and press Run again",
            retry_helps=True,
        )

    def say(self, text: str) -> None:
        """Show a message in the launcher's sheet."""
        content = to_excel(text, False)
        self._do(lambda: setattr(self._cell(MESSAGE), "value", content))

    def _windows(self) -> list[str]:
        """Names of the workbooks with a window, the last used first."""
        windows = self._do(lambda: list(self._book.app.api.Windows))
        return self._do(lambda: [str(w.Parent.Name) for w in windows if w.Visible])

    def _read(self, cell: str) -> str:
        return str(self._do(lambda: self._cell(cell).value) or "").strip()

    def _cell(self, cell: str) -> Any:
        return self._book.sheets[SHEET].range(cell)
