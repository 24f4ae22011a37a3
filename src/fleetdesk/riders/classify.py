"""How well chances were foretold: ranking, calibration, and what a limit would have found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

BINS = 10


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its 90 % bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class AtLimit:
    """What calling everyone at or above a chance would have found."""

    limit_pct: float
    called: int
    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True)
class Quality:
    """How chances compare with what came; `calibration` is (mean chance, share, riders) by tenths.

    AUC is missing where all or none of the riders left.
    """

    riders: int
    share: float
    auc: Interval | None
    brier: Interval
    ece: float
    limits: tuple[AtLimit, ...]
    calibration: tuple[tuple[float, float, int], ...]


def quality(
    chance: Floats, truth: Flags, limits_pct: tuple[float, ...], seed: int, rounds: int = 200
) -> Quality:
    """Compare foretold chances (0 to 1) with what came, with bootstrap intervals over riders."""
    draw = np.random.default_rng(seed)
    aucs, briers = [], []
    for _ in range(rounds):
        rows = draw.integers(0, len(chance), len(chance))
        briers.append(brier(chance[rows], truth[rows]))
        again = auc(chance[rows], truth[rows])
        if again is not None:
            aucs.append(again)
    whole = auc(chance, truth)
    return Quality(
        riders=len(chance),
        share=float(truth.mean()),
        auc=None if whole is None or not aucs else _interval(whole, aucs),
        brier=_interval(brier(chance, truth), briers),
        ece=expected_calibration_error(chance, truth),
        limits=tuple(at_limit(chance, truth, limit) for limit in limits_pct),
        calibration=calibration(chance, truth),
    )


def auc(chance: Floats, truth: Flags) -> float | None:
    """Area under the ROC curve: how often one who left had the higher chance (ties half)."""
    left = int(truth.sum())
    stayed = len(truth) - left
    if not left or not stayed:
        return None
    ranks = rankdata(chance)
    return float((ranks[truth].sum() - left * (left + 1) / 2.0) / (left * stayed))


def brier(chance: Floats, truth: Flags) -> float:
    """Mean squared difference of chance and outcome."""
    return float(((chance - truth) ** 2).mean())


def expected_calibration_error(chance: Floats, truth: Flags) -> float:
    """Mean difference of chance and share over ten equal bins, weighted by riders (Naeini 2015)."""
    parts = calibration(chance, truth)
    return sum(abs(mean - share) * riders for mean, share, riders in parts) / len(chance)


def calibration(chance: Floats, truth: Flags) -> tuple[tuple[float, float, int], ...]:
    """Mean chance, share that left and riders of each tenth that holds any."""
    place = np.minimum((chance * BINS).astype(np.int64), BINS - 1)
    return tuple(
        (float(chance[mine].mean()), float(truth[mine].mean()), int(mine.sum()))
        for number in range(BINS)
        if (mine := place == number).any()
    )


def at_limit(chance: Floats, truth: Flags, limit_pct: float) -> AtLimit:
    """Precision, recall and F1; missing where nobody is called, or nobody left."""
    called = chance >= limit_pct / 100.0
    hits = int((called & truth).sum())
    precision = hits / int(called.sum()) if called.any() else None
    recall = hits / int(truth.sum()) if truth.any() else None
    found = 2 * hits + int((called & ~truth).sum()) + int((~called & truth).sum())
    return AtLimit(
        limit_pct, int(called.sum()), precision, recall, 2 * hits / found if found else None
    )


def _interval(value: float, drawn: list[float]) -> Interval:
    low, high = np.quantile(drawn, (0.05, 0.95)) if drawn else (value, value)
    return Interval(value, float(low), float(high))
