"""The order of the list: how strongly each reason holds, weighed as the sheet says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from fleetdesk.model.work import Priority, Task, TaskRoi
from fleetdesk.settings.schema import Settings, Thresholds, Weights

EXTRA = "Task rules"
"""What the points that rules add are called among the parts of a score."""


def prioritise(
    tasks: Sequence[Task], rois: Mapping[str, TaskRoi], settings: Settings
) -> tuple[Priority, ...]:
    """Each task's score and rank, best first; equal scores are ordered by task id.

    score = 100 x sum of strength x weight / sum of weights, each strength between 0 and 1, plus the
    points that task rules add: those may lift it above 100.
    """
    shares = _shares(settings.weights)
    full_roi = _full_roi(rois)
    scored = []
    for task in tasks:
        strengths = _strengths(task, rois[task.task_id].roi / full_roi, settings.thresholds)
        parts = tuple((label, strengths[name], share) for name, label, share in shares)
        if task.extra_priority > 0:
            parts += ((EXTRA, 1.0, task.extra_priority / 100),)
        score = 100 * sum(strength * share for _, strength, share in parts)
        scored.append((task.task_id, round(score, 6), parts))
    scored.sort(key=lambda row: (-row[1], row[0]))
    return tuple(
        Priority(task_id, score, rank, parts)
        for rank, (task_id, score, parts) in enumerate(scored, start=1)
    )


def _shares(weights: Weights) -> list[tuple[str, str, float]]:
    names = ("low_battery", "roi", "outside_parking", "parking_deficit", "idle")
    total = sum(getattr(weights, name) for name in names) or 1.0
    fields = Weights.model_fields
    return [(name, str(fields[name].title), getattr(weights, name) / total) for name in names]


def _full_roi(rois: Mapping[str, TaskRoi]) -> float:
    """The ROI that counts fully: the 95th percentile, lest one outlier dwarf the rest."""
    gains = [roi.roi for roi in rois.values() if roi.roi > 0]
    return float(np.quantile(gains, 0.95)) if gains else 1.0


def _strengths(task: Task, roi_share: float, thresholds: Thresholds) -> dict[str, float]:
    low = thresholds.low_battery_pct
    battery = task.before.battery_pct
    empty = (low - battery) / low if task.swaps and battery is not None and low > 0 else 0.0
    # Half strength at one more tolerance outside, then ever slower towards 1.
    beyond_m = max(0.0, task.outside_m - thresholds.outside_m)
    outside = beyond_m / (beyond_m + max(thresholds.outside_m, 1.0)) if task.moves else 0.0
    return {
        "low_battery": _unit(empty),
        "roi": _unit(roi_share),
        "outside_parking": _unit(outside),
        "parking_deficit": _unit(task.deficit_pct / 100),
        "idle": _unit((task.idle_h or 0.0) / thresholds.idle_full_h),
    }


def _unit(value: float) -> float:
    return min(1.0, max(0.0, value))
