"""Return on investment of tasks: revenue with the task, less revenue without it, less its cost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from fleetdesk.fleet.downstream_revenue import DownstreamRevenue, Floats
from fleetdesk.model.work import ScooterState, Task, TaskKind, TaskRoi
from fleetdesk.settings.schema import Costs, Settings


def task_rois(
    tasks: Sequence[Task], downstream: DownstreamRevenue, settings: Settings, start: datetime
) -> tuple[TaskRoi, ...]:
    """ROI(T; t0, tn) = DSR(S_B, t0 + dt, tn) - DSR(S_A, t0, tn) - C, in the order of `tasks`.

    t0 = `start` (UTC-aware) and tn = t0 + the sheet's horizon, one common end for both terms. dt is
    the work at the vehicle and at the drop-off; C is material and the labour of dt at the mean cost
    per hour of the working crews. What is not operational, or below the usable charge, earns
    nothing without the task.
    """
    horizon_h = settings.thresholds.horizon_h
    work_h = np.array([(task.service_s + task.drop_off_s) / 3600.0 for task in tasks])
    befores, afters = [task.before for task in tasks], [task.after for task in tasks]
    without = _earned(befores, downstream, [start] * len(tasks), np.full(len(tasks), horizon_h))
    later = [start + timedelta(hours=hours) for hours in work_h.tolist()]
    after = _earned(afters, downstream, later, np.maximum(0.0, horizon_h - work_h))
    labour = work_h * mean_cost_per_h(settings)
    return tuple(
        TaskRoi(
            task_id=task.task_id,
            revenue_after=float(after[i]),
            revenue_without=float(without[i]),
            cost=_material(task, settings.costs) + float(labour[i]),
            labour_cost=float(labour[i]),
            horizon_h=horizon_h,
            estimator=downstream.estimator,
        )
        for i, task in enumerate(tasks)
    )


def mean_cost_per_h(settings: Settings) -> float:
    """Mean cost per hour of the workers who are working; zero when there are none."""
    costs = [worker.cost_per_h for worker in settings.workers if worker.active]
    return sum(costs) / len(costs) if costs else 0.0


def _earned(
    states: Sequence[ScooterState],
    downstream: DownstreamRevenue,
    starts: Sequence[datetime],
    hours: Floats,
) -> Floats:
    cells = [state.cell for state in states]
    battery = [np.nan if s.battery_pct is None else s.battery_pct for s in states]
    values = downstream.values(cells, battery, starts, hours)
    return np.where([state.operational for state in states], values, 0.0)


def _material(task: Task, costs: Costs) -> float:
    swap = costs.swap_cost if TaskKind.SWAP_BATTERY in task.kinds else 0.0
    return swap + (costs.move_cost if task.moves else 0.0)
