"""Groups within groups: Ward's hierarchy of all riders, and sub-segments inside each tier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.metrics import silhouette_score

from fleetdesk.riders.matrix import Floats, drawn
from fleetdesk.riders.segments import FEWEST_PER_SEGMENT, place

_ROWS = 1_500
_WORTH_A_CUT = 0.25  # silhouette below which a tier is one group


@dataclass(frozen=True)
class SubSegment:
    """One group inside a tier: its riders, and its centre in the scale's units."""

    tier: int
    number: int
    riders: int
    centre: Floats
    silhouette: float


@dataclass(frozen=True)
class Hierarchy:
    """Ward's tree of (a sample of) the riders as SciPy writes it, and the tiers' sub-segments.

    `labels` is each rider's sub-segment number within the tier, from 0.
    """

    tree: Floats
    sampled: int
    sub_segments: tuple[SubSegment, ...]
    labels: NDArray[np.int64]


def hierarchy(matrix: Floats, tiers: NDArray[np.int64], most: int, seed: int) -> Hierarchy:
    """Build the tree and cut each tier into as many groups, at most `most`, as it falls into.

    Takes the scaled matrix and each rider's tier. Large groups are cut by a sample; the others
    then belong to the nearest centre. (Ward 1963.)
    """
    rows = drawn(len(matrix), _ROWS, seed)
    tree = linkage(matrix[rows], method="ward") if len(rows) > 1 else np.empty((0, 4))
    labels = np.zeros(len(matrix), dtype=np.int64)
    found: list[SubSegment] = []
    for tier in range(int(tiers.max()) + 1 if len(tiers) else 0):
        mine = np.flatnonzero(tiers == tier)
        if not len(mine):
            continue
        centres, silhouette = _cut(matrix[mine], most, seed)
        labels[mine] = place(matrix[mine], centres)
        found += [
            SubSegment(tier, number, int((labels[mine] == number).sum()), centre, silhouette)
            for number, centre in enumerate(centres)
        ]
    return Hierarchy(np.asarray(tree), len(rows), tuple(found), labels)


def _cut(matrix: Floats, most: int, seed: int) -> tuple[Floats, float]:
    """The centres of the groups that a tier falls into, and how well they are apart (or 0)."""
    sample = matrix[drawn(len(matrix), _ROWS, seed)]
    whole = sample.mean(axis=0, keepdims=True)
    if most < 2 or len(sample) < 2 * FEWEST_PER_SEGMENT:
        return whole, 0.0
    tree = linkage(sample, method="ward")
    best, centres = _WORTH_A_CUT, whole
    for count in range(2, most + 1):
        labels = fcluster(tree, t=count, criterion="maxclust") - 1
        sizes = np.bincount(labels)
        if len(sizes) < count or sizes.min() < FEWEST_PER_SEGMENT:
            continue
        apart = float(silhouette_score(sample, labels))
        if apart > best:
            best, centres = apart, _middles(sample, labels, count)
    return centres, best if len(centres) > 1 else 0.0


def _middles(sample: Floats, labels: Sequence[int] | NDArray[np.int64], count: int) -> Floats:
    return np.vstack([sample[np.asarray(labels) == number].mean(axis=0) for number in range(count)])
