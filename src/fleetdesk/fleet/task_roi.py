"""Return on investment of tasks: revenue with the task, less revenue without it, less its cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from fleetdesk.fleet.estimator import DownstreamRevenue, Level
from fleetdesk.model.work import Revenues, Task, TaskKind, TaskRoi
from fleetdesk.settings.schema import Costs, Settings

Floats = npt.NDArray[np.float64]

INTERVAL = (0.05, 0.95)


def task_rois(
    tasks: Sequence[Task], downstream: DownstreamRevenue, settings: Settings, start: datetime
) -> tuple[TaskRoi, ...]:
    """ROI(T; t0, tn) = DSR(S_B, t0 + dt, tn) - DSR(S_A, t0, tn) - C, in the order of `tasks`.

    t0 = `start` (UTC-aware) and tn = t0 + the sheet's horizon, one common end for both terms. dt is
    the work at the vehicle and at the drop-off; C is material and the labour of dt at the mean cost
    per hour of the working crews. What is not operational, or below the usable charge, earns
    nothing without the task. The sheet says which level counts; both are told.
    """
    horizon_h = settings.thresholds.horizon_h
    work_h = np.array([(task.service_s + task.drop_off_s) / 3600.0 for task in tasks])
    labour = work_h * mean_cost_per_h(settings)
    cost = labour + np.array([_material(task, settings.costs) for task in tasks])
    asked = _Asked.of(tasks, start, work_h, horizon_h)
    counted = Level(settings.thresholds.roi_level)
    found = {level: asked.split(asked.values(downstream, level)) for level in Level}
    draws = asked.split(asked.draws(downstream, counted))
    returns = draws[0] - draws[1] - cost
    # Of n draws (n + 1) p lie below: so one more draw, the truth, is held as often as is promised.
    bounds = np.quantile(returns, INTERVAL, axis=0, method="weibull") if returns.size else None
    after, without = found[counted]
    return tuple(
        TaskRoi(
            task_id=task.task_id,
            revenue_after=float(after[i]),
            revenue_without=float(without[i]),
            cost=float(cost[i]),
            labour_cost=float(labour[i]),
            horizon_h=horizon_h,
            estimator=downstream.estimator,
            scooter=Revenues(*(float(side[i]) for side in found[Level.SCOOTER])),
            fleet=Revenues(*(float(side[i]) for side in found[Level.FLEET])),
            interval=None if bounds is None else (float(bounds[0, i]), float(bounds[1, i])),
        )
        for i, task in enumerate(tasks)
    )


def mean_cost_per_h(settings: Settings) -> float:
    """Mean cost per hour of the workers who are working; zero when there are none."""
    costs = [worker.cost_per_h for worker in settings.workers if worker.active]
    return sum(costs) / len(costs) if costs else 0.0


@dataclass(frozen=True)
class _Asked:
    """The states after all tasks, then those without them, as an estimator takes them."""

    cells: list[str]
    battery_pct: Floats
    starts: list[datetime]
    hours: Floats
    operational: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, tasks: Sequence[Task], start: datetime, work_h: Floats, horizon_h: float) -> _Asked:
        states = [*(task.after for task in tasks), *(task.before for task in tasks)]
        later = [start + timedelta(hours=hours) for hours in work_h.tolist()]
        battery = [np.nan if s.battery_pct is None else s.battery_pct for s in states]
        return cls(
            cells=[state.cell for state in states],
            battery_pct=np.array(battery, dtype=np.float64),
            starts=[*later, *([start] * len(tasks))],
            hours=np.concatenate(
                [np.maximum(0.0, horizon_h - work_h), np.full(len(tasks), horizon_h)]
            ),
            operational=np.array([state.operational for state in states], dtype=bool),
        )

    def values(self, downstream: DownstreamRevenue, level: Level) -> Floats:
        found = downstream.values(self.cells, self.battery_pct, self.starts, self.hours, level)
        return np.where(self.operational, found, 0.0)

    def draws(self, downstream: DownstreamRevenue, level: Level) -> Floats:
        found = downstream.draws(self.cells, self.battery_pct, self.starts, self.hours, level)
        return np.where(self.operational, found, 0.0)

    def split(self, found: Floats) -> tuple[Floats, Floats]:
        """What holds after the tasks, and what without them; the last axis is halved."""
        tasks = len(self.cells) // 2
        return found[..., :tasks], found[..., tasks:]


def _material(task: Task, costs: Costs) -> float:
    swap = costs.swap_cost if TaskKind.SWAP_BATTERY in task.kinds else 0.0
    return swap + (costs.move_cost if task.moves else 0.0)
