"""What went wrong, said so that a planner can act on it.

Every error names the cause, what was found, the fix, and whether trying again helps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class FleetDeskError(Exception):
    """An error a planner can read: cause, what was found, the fix, whether a retry helps."""

    exit_code = 1

    def __init__(
        self, cause: str, *, found: str = "", fix: str = "", retry_helps: bool = False
    ) -> None:
        super().__init__(cause)
        self.cause = cause
        self.found = found
        self.fix = fix
        self.retry_helps = retry_helps

    def __str__(self) -> str:
        """All parts as sentences on one line."""
        parts = [_sentence(self.cause)]
        if self.found:
            parts.append(f"Found: {_sentence(self.found)}")
        if self.fix:
            parts.append(_sentence(self.fix))
        parts.append("Trying again may help." if self.retry_helps else "")
        return " ".join(part for part in parts if part)

    def as_dict(self) -> dict[str, object]:
        """The same parts for `--json`."""
        return {
            "error": type(self).__name__,
            "cause": self.cause,
            "found": self.found,
            "fix": self.fix,
            "retry_helps": self.retry_helps,
        }


class Severity(StrEnum):
    """How much a problem matters: an error stops the run, a warning is only listed."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Problem:
    """One thing wrong in the planner's workbook or data, at its address.

    `cell` is an A1 address or "" when the problem is about the whole sheet.
    """

    sheet: str
    cell: str
    found: str
    expected: str
    fix: str = ""
    severity: Severity = Severity.ERROR

    @property
    def address(self) -> str:
        """`Weights!B5`, or the sheet's name alone; quoted where Excel would quote it."""
        if not self.sheet:
            return ""
        quoted = self.sheet if self.sheet.isidentifier() else f"'{self.sheet}'"
        return f"{quoted}!{self.cell}" if self.cell else quoted

    @property
    def what(self) -> str:
        """What was found and what was expected, as they read together: `1.7 is above 1`."""
        return f"{self.found} {self.expected}".strip()

    def __str__(self) -> str:
        """Address, what is wrong and the fix: `Weights!B5: 1.7 is above 1. Enter at most 1.`."""
        head = f"{self.address}: " if self.address else ""
        return " ".join([head + _sentence(self.what), _sentence(self.fix)]).strip()


class SettingsInvalid(FleetDeskError):
    """The workbook's settings cannot be used; carries every problem, not only the first."""

    exit_code = 3

    def __init__(self, problems: Sequence[Problem], where: str) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        super().__init__(
            f"{where} has {count} problem{'s' if count != 1 else ''} in its settings",
            found="; ".join(str(problem) for problem in self.problems),
            fix="Correct the cells named above and run again; nothing was written",
        )

    def as_dict(self) -> dict[str, object]:
        """The parts, with the problems as a list."""
        return super().as_dict() | {
            "problems": [
                {
                    "address": p.address,
                    "found": p.found,
                    "expected": p.expected,
                    "fix": p.fix,
                    "severity": p.severity.value,
                }
                for p in self.problems
            ]
        }


class WorkbookRefused(FleetDeskError):
    """The workbook cannot be read or written safely, so it was left as it is."""

    exit_code = 4


class SourceUnreadable(FleetDeskError):
    """A source's records could not be read; the last good data is kept."""

    exit_code = 5


class StoreUnusable(FleetDeskError):
    """The workspace's store is missing, damaged or of an unknown version."""

    exit_code = 6


class NotEnoughData(FleetDeskError):
    """There is too little data to answer; says how much there is and how much is needed."""

    exit_code = 7


def _sentence(text: str) -> str:
    text = text.strip()
    if not text or text[-1] in ".!?":
        return text
    return text + "."


class Enough(Exception):
    """Raised by who watches a search: it ends there and keeps the best that it has found."""
