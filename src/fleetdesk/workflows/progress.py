"""How far the work is: a step's name and the share done, 0 to 1."""

from __future__ import annotations

from collections.abc import Callable

OnProgress = Callable[[str, float], None]

SEARCHING = "Planning routes"
"""The step that whoever watches may end with `Enough`: the best routes so far are kept."""


def name_of(step: str) -> str:
    """What a step is called; what follows a colon is how it stands at the moment."""
    return step.partition(":")[0]


def silent(_step: str, _share: float) -> None:
    """For callers who do not watch."""


def part(on_progress: OnProgress, low: float, high: float) -> OnProgress:
    """Report a piece of work as the stretch from `low` to `high` of the whole."""

    def report(step: str, share: float) -> None:
        on_progress(step, low + (high - low) * share)

    return report
