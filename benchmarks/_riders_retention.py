"""A published Cox model, fitted again: who was arrested anew, and when."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from _bar import near


def figures(data: Path, seed: int) -> Iterator[dict[str, Any]]:
    """JSON lines."""
    from fleetdesk.riders.retention import Columns, retention
    from fleetdesk.settings.rider_sheets import Retention

    path = data / "customers/survival/rossi.csv"
    if not path.is_file():
        return
    frame = pd.read_csv(path)
    told = ("week", "arrest")
    factors = tuple(name for name in frame if name not in told)
    columns = Columns(*told, entry=None, numbers=factors, words=())
    found = retention(frame, Retention(horizon_months=120), seed, None, columns).cox
    effect = {factor.name: factor.coefficient for factor in found.factors}
    yield near("cox_fin", round(effect["fin"], 4), -0.379, 0.001)
    yield near("cox_prio", round(effect["prio"], 4), 0.091, 0.001)
    yield near(
        "cox_concordance", round(found.concordance, 4), 0.640, 0.001, held_out=found.held_out
    )
