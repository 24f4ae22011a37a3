"""Riders by how lately, how often and for how much they ride (RFM).

Each is scored 1 to 5 by fifths of the riders. The rules are tried in order and the last of each
half takes what is left, so that every one of the 125 scores has exactly one segment.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fleetdesk.riders.matrix import numbers

SEGMENTS = ("Champions", "Loyal", "Potential loyalists", "At risk", "Lost")
"""From those to be rewarded to those who are gone."""
RULES = (
    ("Champions", "recency, frequency and spend 4 to 5"),
    ("Loyal", "recency, frequency and spend 3 to 5, not Champions"),
    ("Potential loyalists", "recency 3 to 5 with frequency or spend below 3"),
    ("Lost", "recency, frequency and spend 1 to 2"),
    ("At risk", "recency 1 to 2 with frequency or spend above 2"),
)
"""In the order in which they are tried."""


@dataclass(frozen=True)
class Rfm:
    """Scores 1 to 5 and the segment's place in SEGMENTS, by the riders' places."""

    recency: NDArray[np.int64]
    frequency: NDArray[np.int64]
    monetary: NDArray[np.int64]
    labels: NDArray[np.int64]

    @property
    def names(self) -> list[str]:
        """Each rider's segment by name."""
        return [SEGMENTS[label] for label in self.labels]


def rfm(
    frame: pd.DataFrame,
    recency: str = "days_since_last_trip",
    frequency: str = "rides_per_week",
    monetary: str = "monthly_spend",
) -> Rfm:
    """Score the riders by three columns: days since (few is good), how often, how much.

    Who is not known to have ridden, or to have paid, scores 1 there.
    """
    r = fifths(-numbers(frame[recency]))
    f = fifths(numbers(frame[frequency]))
    m = fifths(numbers(frame[monetary]))
    return Rfm(r, f, m, segment_of(r, f, m))


def segment_of(
    recency: NDArray[np.int64], frequency: NDArray[np.int64], monetary: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The place in SEGMENTS of each triple of scores: the first rule that holds."""
    lately = recency >= 3
    low, high = np.minimum(frequency, monetary), np.maximum(frequency, monetary)
    return np.select(
        [(recency >= 4) & (low >= 4), lately & (low >= 3), lately, high <= 2],
        [0, 1, 2, 4],
        default=3,
    ).astype(np.int64)


def fifths(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """1 for the lowest fifth to 5 for the highest; equal values share the middle of their ranks."""
    known = ~np.isnan(values)
    scores = np.ones(len(values), dtype=np.int64)
    if known.any():
        ranks = pd.Series(values[known]).rank(method="average").to_numpy()
        share = (ranks - 0.5) / known.sum()
        scores[known] = np.clip(np.floor(share * 5).astype(np.int64) + 1, 1, 5)
    return scores
