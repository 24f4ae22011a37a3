"""The estimators that benchmarks/roi.py compares, by what a planner would choose in the sheet."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Variant:
    """An entry of the sheet Thresholds; `capped` False hides the charge from it."""

    estimator: str
    fine_cells: bool = False
    capped: bool = True


ESTIMATORS: dict[str, Variant] = {
    "v0 uncapped": Variant("v0 min", capped=False),
    "v0 min": Variant("v0 min"),
    "v0 E[min]": Variant("v0 E[min]"),
    "Method 1": Variant("Method 1"),
    "Method 2": Variant("Method 2"),
    "Method 2 fine": Variant("Method 2", fine_cells=True),
}
