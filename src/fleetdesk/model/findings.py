"""What was found wrong with records at run time, and what was done about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Done(StrEnum):
    """What became of rows with a fault."""

    LEFT_OUT = "left out"
    BLANKED = "value ignored"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class Finding:
    """Rows of a canonical table with one fault; `of` is how many rows were looked at."""

    table: str
    fault: str
    done: Done
    rows: int
    of: int
    examples: tuple[str, ...] = ()
