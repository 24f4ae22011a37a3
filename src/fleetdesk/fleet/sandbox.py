"""What another battery threshold would have meant on past days, before it is published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from fleetdesk.features.standing import standing
from fleetdesk.fleet.estimator import DownstreamRevenue
from fleetdesk.fleet.history import History
from fleetdesk.fleet.same_hours import alike
from fleetdesk.fleet.swap_value import SwapValues, swap_values
from fleetdesk.settings.schema import Settings

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

GRID = tuple(float(pct) for pct in range(5, 100, 5))


@dataclass(frozen=True, slots=True)
class Trial:
    """One rule on the past days, per day: money in city currency, work at the vehicles in hours.

    `missed_rides` are those that the vehicles left as they are will lack charge for, at the level
    that plans are made on. `threshold_pct` is None for "where ROI > 0".
    """

    threshold_pct: float | None
    swaps: float
    roi: float
    crew_h: float
    missed_rides: float
    cost_per_revenue_pct: float | None


@dataclass(frozen=True)
class PastFleet:
    """The vehicles on the street at the start of past days, each with what a swap is worth."""

    days: int
    battery_pct: Floats
    values: SwapValues
    revenue_per_trip: float

    def trial(self, threshold_pct: float | None) -> Trial:
        """Swap below a threshold, or where it pays."""
        roi = self.values.roi
        done = roi > 0 if threshold_pct is None else self.battery_pct < threshold_pct
        days = max(self.days, 1)
        revenue = float(self.values.after[done].sum())
        swaps = int(done.sum())
        gain = np.maximum(self.values.after - self.values.without, 0.0)[~done]
        per_trip = self.revenue_per_trip
        return Trial(
            threshold_pct=threshold_pct,
            swaps=swaps / days,
            roi=float(roi[done].sum()) / days,
            crew_h=swaps * self.values.work_h / days,
            missed_rides=float(gain.sum()) / per_trip / days if per_trip > 0 else 0.0,
            cost_per_revenue_pct=100 * swaps * self.values.cost / revenue if revenue > 0 else None,
        )


def past_fleet(
    history: History,
    downstream: DownstreamRevenue,
    settings: Settings,
    moments: Sequence[datetime],
) -> PastFleet:
    """Look at the street at these moments (UTC-aware, one a day) and value a swap everywhere.

    The days are taken one by one as they were: what one day's swaps would have changed for the
    next is not followed.
    """
    seen = standing(history.timeline, moments)
    rows = seen.filter(seen.battery_pct.notnull()).order_by("at", "vehicle_id")
    found = rows.to_pyarrow()
    precision = settings.city.cell_precision
    at = [when.replace(tzinfo=UTC) for when in found["at"].to_pylist()]
    starts = alike(at, history.as_of, settings.city.timezone, settings.thresholds.horizon_h)
    battery = np.array(found["battery_pct"].to_pylist(), dtype=np.float64)
    values = swap_values(
        [cell[:precision] for cell in found["cell"].to_pylist()],
        battery,
        np.array(found["rentable"].to_pylist(), dtype=bool),
        starts,
        downstream,
        settings,
    )
    return PastFleet(len(set(at)), battery, values, _per_trip(history, settings))


def _per_trip(history: History, settings: Settings) -> float:
    trips = history.recent_trips(settings)
    earned = trips.net_revenue if settings.costs.use_net_revenue else trips.revenue
    mean = trips.agg(mean=earned.mean()).to_pyarrow()["mean"][0].as_py()
    return round(float(mean or 0.0), 9)
