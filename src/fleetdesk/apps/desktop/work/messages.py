"""What window and working process say to each other over their pipe; light on both sides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fleetdesk.errors import Problem


@dataclass(frozen=True)
class Order:
    """Do the job of this name; `number` tells its answers from those of others."""

    number: int
    job: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Stop:
    """Leave the present job at the next step."""


@dataclass(frozen=True)
class Settle:
    """Search routes no longer: go on with the best so far."""


@dataclass(frozen=True)
class Ready:
    """The process has started and waits."""


@dataclass(frozen=True)
class Step:
    """How far a job is: a step's name and the share done, 0 to 1."""

    number: int
    step: str
    share: float


@dataclass(frozen=True)
class Done:
    """A job's result."""

    number: int
    value: Any


@dataclass(frozen=True)
class Failure:
    """Why a job came to nothing, as sentences; secrets are scrubbed.

    `problems` are those of the settings, each at its cell. `report` holds the details of a fault
    of our own, to be copied; `cancelled` says that the planner wanted it so.
    """

    cause: str
    found: str = ""
    fix: str = ""
    retry_helps: bool = False
    problems: tuple[Problem, ...] = ()
    report: str = ""
    cancelled: bool = False

    @property
    def text(self) -> str:
        """All of it for people."""
        parts = [self.cause, f"Found: {self.found}" if self.found else "", self.fix]
        sentences = [part if part[-1] in ".!?" else f"{part}." for part in parts if part]
        return " ".join(sentences) + (" Trying again may help." if self.retry_helps else "")


@dataclass(frozen=True)
class Failed:
    """A job came to nothing."""

    number: int
    failure: Failure


@dataclass(frozen=True)
class Trouble:
    """The process itself ended; `code` is its exit code, below 0 the signal that ended it."""

    code: int | None
    report: str = field(default="")
