"""What pays: the tasks that go on to routing, and a reason for each one that does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fleetdesk.model.plan import DropCode, Dropped
from fleetdesk.model.work import Priority, Task, TaskRoi
from fleetdesk.settings.schema import Settings


@dataclass(frozen=True)
class Selection:
    """Tasks to route in the order of priority, their priority bonus in money, and the others."""

    tasks: tuple[Task, ...]
    bonuses: Mapping[str, float]
    dropped: tuple[Dropped, ...]


def select(
    tasks: Sequence[Task],
    rois: Mapping[str, TaskRoi],
    priorities: Sequence[Priority],
    settings: Settings,
) -> Selection:
    """Drop what brings less than the sheet's lowest ROI, then what is over its task limit.

    The priority bonus counts towards the lowest ROI, as it does on the route: it is what the
    planner would pay for the task beyond the money it earns. What must be done stays in.
    """
    thresholds, currency = settings.thresholds, settings.city.currency
    full_bonus = settings.weights.bonus_at_full_priority
    by_id = {task.task_id: task for task in tasks}
    bonuses = {p.task_id: full_bonus * p.score_pct / 100 for p in priorities}
    kept: list[Task] = []
    dropped: list[Dropped] = []
    for priority in priorities:
        roi, bonus = rois[priority.task_id], bonuses[priority.task_id]
        if by_id[priority.task_id].must:
            kept.append(by_id[priority.task_id])
        elif roi.roi + bonus < thresholds.min_roi:
            dropped.append(_not_worth(roi, bonus, thresholds.min_roi, currency))
        elif len(kept) >= thresholds.max_tasks:
            dropped.append(_over_limit(priority, thresholds.max_tasks))
        else:
            kept.append(by_id[priority.task_id])
    return Selection(tuple(kept), bonuses, tuple(dropped))


def _not_worth(roi: TaskRoi, bonus: float, min_roi: float, currency: str) -> Dropped:
    missing = min_roi - roi.roi - bonus
    return Dropped(
        roi.task_id,
        DropCode.NOT_WORTH,
        f"ROI {roi.roi:.2f} {currency} (revenue {roi.revenue_after:.2f} with it, "
        f"{roi.revenue_without:.2f} without, cost {roi.cost:.2f}) and the priority bonus "
        f"{bonus:.2f} stay below the lowest ROI {min_roi:.2f}",
        f"{missing:.2f} {currency} more revenue or less cost, or a lower Thresholds: Lowest ROI",
    )


def _over_limit(priority: Priority, limit: int) -> Dropped:
    return Dropped(
        priority.task_id,
        DropCode.OVER_LIMIT,
        f"rank {priority.rank} by priority, and the sheet considers the first {limit} that pay",
        "a higher Thresholds: Most tasks considered",
    )
