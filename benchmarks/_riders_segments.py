"""Four planted kinds of riders, found again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from _bar import bar

KINDS = (  # km a day, swaps a week, km a trip, peak %, night %, consistency
    (1.0, 0.3, 1.5, 15.0, 10.0, 0.4),
    (5.0, 1.0, 2.5, 70.0, 3.0, 1.6),
    (6.0, 1.2, 3.0, 5.0, 65.0, 0.7),
    (22.0, 6.0, 3.5, 30.0, 20.0, 1.2),
)


def figures(_data: Path, seed: int, riders: int = 2000) -> Iterator[dict[str, Any]]:
    """JSON lines; needs no data."""
    from sklearn.metrics import adjusted_rand_score

    from fleetdesk.riders.segments import find_segments
    from fleetdesk.settings.rider_sheets import Segments

    frame, truth = planted(riders, seed)
    found = find_segments(frame, Segments(stability_rounds=5), seed, tuple(frame.columns))
    score = adjusted_rand_score(truth, found.labels)
    yield bar("segments_ari", round(score, 4), 0.85, "higher", segments=len(found.segments))


def planted(riders: int, seed: int) -> tuple[pd.DataFrame, Any]:
    chance = np.random.default_rng(seed)
    truth = chance.integers(0, len(KINDS), riders)
    km, swaps, trip, peak, night, even = np.array(KINDS)[truth].T
    much = np.exp(chance.normal(0, 0.35, riders))
    return pd.DataFrame(
        {
            "daily_km": km * much,
            "swaps_per_week": swaps * much * np.exp(chance.normal(0, 0.25, riders)),
            "km_per_trip": trip * np.exp(chance.normal(0, 0.2, riders)),
            "peak_pct": np.clip(chance.normal(peak, 11), 0, 100),
            "night_pct": np.clip(chance.normal(night, 9), 0, 100),
            "consistency": even * np.exp(chance.normal(0, 0.25, riders)),
        }
    ), truth
