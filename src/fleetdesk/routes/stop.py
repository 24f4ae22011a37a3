"""When a search ends: after so many rounds (a plan that can be repeated) or so many seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Stop(Protocol):
    """A stopping rule; it keeps no state, so that one may serve several searches."""

    def reached(self, iterations: int, seconds: float) -> bool:
        """Whether to stop after this many finished rounds and this long."""


@dataclass(frozen=True, slots=True)
class Iterations:
    """Stop after a number of rounds; the only rule under which a plan can be repeated."""

    limit: int

    def reached(self, iterations: int, seconds: float) -> bool:  # noqa: ARG002
        """Whether the rounds are used up."""
        return iterations >= self.limit


@dataclass(frozen=True, slots=True)
class Seconds:
    """Stop after a time; how far the search gets depends on the machine."""

    limit: float

    def reached(self, iterations: int, seconds: float) -> bool:  # noqa: ARG002
        """Whether the time is used up."""
        return seconds >= self.limit
