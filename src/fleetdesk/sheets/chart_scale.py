"""Round ends and steps for a chart's axis, the same in every program that shows the workbook."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor, log10

_MOST_STEPS = 8


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis from `low` to `high` with a line every `step`, and how its numbers are written."""

    low: float
    high: float
    step: float
    number_format: str


def scale(values: Iterable[float], unit: str, from_zero: bool = True) -> Scale:
    """The axis that holds all values; shares (`%`) of 50 and more run to 100.

    `from_zero` makes the axis begin at 0, as lengths of columns and bars ask for.
    """
    known = list(values)
    low, high = min(known, default=0.0), max(known, default=0.0)
    if from_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if unit == "%" and 50 <= high <= 100:
        high = 100.0
    whole = all(float(value).is_integer() for value in known)
    if high <= low:
        high = low + 1.0
    step = _round_step((high - low) / _MOST_STEPS)
    if whole:
        step = max(step, 1.0)
    low, high = floor(low / step + 1e-9) * step, ceil(high / step - 1e-9) * step
    decimals = max(0, -floor(log10(step) + 1e-9))
    shown = "#,##0" + ("." + "0" * decimals if decimals else "")
    return Scale(round(low, 10), round(high, 10), round(step, 10), shown)


def _round_step(least: float) -> float:
    """The smallest of 1, 2, 5, 10, 20 ... (and their fractions) that is not below `least`."""
    power = 10.0 ** floor(log10(least))
    factor = next(f for f in (1.0, 2.0, 5.0, 10.0) if f * power >= least * (1 - 1e-9))
    return factor * power
