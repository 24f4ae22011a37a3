"""What a charged battery would bring to any vehicle, whether or not a task is made for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from fleetdesk.fleet.estimator import DownstreamRevenue, Level
from fleetdesk.fleet.task_roi import mean_cost_per_h
from fleetdesk.settings.schema import Settings

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class SwapValues:
    """N swaps on the spot: revenue with and without, in city currency; cost and work of each.

    `scooter_gain` is what the vehicle itself would earn more, whatever the level of the others.
    """

    after: Floats
    without: Floats
    scooter_gain: Floats
    cost: float
    work_h: float

    @property
    def roi(self) -> Floats:
        """Expected ROI of each."""
        return self.after - self.without - self.cost


def swap_values(
    cells: Sequence[str],
    battery_pct: Floats,
    operational: Flags,
    starts: Sequence[datetime],
    downstream: DownstreamRevenue,
    settings: Settings,
) -> SwapValues:
    """Value a swap at each vehicle, at the level that plans are made on; nan = unknown charge."""
    thresholds, costs = settings.thresholds, settings.costs
    work_h = costs.swap_min / 60.0
    horizon_h, count = thresholds.horizon_h, len(cells)
    usable = operational & ~(battery_pct < thresholds.usable_battery_pct)
    later = [start + timedelta(hours=work_h) for start in starts]
    charged = np.full(count, thresholds.charged_battery_pct)

    def at(level: Level) -> tuple[Floats, Floats]:
        found = downstream.values(
            [*cells, *cells],
            np.concatenate([charged, battery_pct]),
            [*later, *starts],
            np.repeat([max(0.0, horizon_h - work_h), horizon_h], count),
            level,
        )
        return found[:count], np.where(usable, found[count:], 0.0)

    level = Level(thresholds.roi_level)
    after, without = at(level)
    own = (after, without) if level is Level.SCOOTER else at(Level.SCOOTER)
    return SwapValues(
        after=after,
        without=without,
        scooter_gain=own[0] - own[1],
        cost=costs.swap_cost + work_h * mean_cost_per_h(settings),
        work_h=work_h,
    )
