"""Which vehicles get a charged battery: where it pays, or wherever the charge is below a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import fsum
from zoneinfo import ZoneInfo

import numpy as np

from fleetdesk.fleet.estimator import DownstreamRevenue
from fleetdesk.fleet.swap_value import swap_values
from fleetdesk.fleet.threshold_policy import ThresholdPolicy
from fleetdesk.model.fleet import VehicleNow
from fleetdesk.settings.schema import Settings


@dataclass(frozen=True)
class SwapRule:
    """Why a vehicle gets a battery, by vehicle id, and what each of the two rules would return.

    Sums of expected ROI in city currency, before travel; `by_roi` counts only swaps that pay.
    """

    why: Mapping[str, str]
    by_roi: float
    roi_swaps: int
    by_threshold: float
    threshold_swaps: int

    def difference(self, settings: Settings) -> str:
        """What the rule in use returns beside the other one, as a sentence."""
        currency = settings.city.currency
        roi = f"swaps where ROI > 0 return {self.by_roi:.2f} {currency} from {self.roi_swaps}"
        line = (
            f"swaps below the threshold return {self.by_threshold:.2f} {currency} from "
            f"{self.threshold_swaps}"
        )
        gap = round(self.by_roi, 2) - round(self.by_threshold, 2)  # as both are shown
        return f"{roi}, {line}: the first is worth {gap:.2f} {currency} more, before travel"


def swap_rule(
    fleet: Sequence[VehicleNow],
    downstream: DownstreamRevenue,
    settings: Settings,
    start: datetime,
    policy: ThresholdPolicy | None = None,
) -> SwapRule:
    """The vehicles that crews could swap at and that the sheet's rule names.

    By ROI: where a swap at `start` (UTC-aware) earns more than it costs, and those below the
    sheet's line, which are weighed with their priority and told of if they do not pay. By
    threshold: all below the line that the sheet asks for. Where 'Low battery below' is 0 nobody
    swaps; where no charge is known nothing is said.
    """
    thresholds = settings.thresholds
    known = [v for v in fleet if v.serviceable and v.battery_pct is not None]
    known = known if thresholds.low_battery_pct > 0 else []
    charge = np.array([v.battery_pct for v in known], dtype=np.float64)
    cells = [v.at.cell(settings.city.cell_precision) for v in known]
    rentable = np.array([v.rentable for v in known], dtype=bool)
    values = swap_values(cells, charge, rentable, [start] * len(known), downstream, settings)
    roi = values.roi.tolist()
    hour = start.astimezone(ZoneInfo(settings.city.timezone)).hour
    lines = [_line(cell, hour, settings, policy) for cell in cells]
    below = [v.battery_pct < line for v, line in zip(known, lines, strict=True)]  # type: ignore[operator]
    why = {}
    for vehicle, gain, line, is_below in zip(known, roi, lines, below, strict=True):
        battery = f"battery {round(vehicle.battery_pct or 0.0, 1):g} %"
        low = (vehicle.battery_pct or 0.0) < thresholds.low_battery_pct
        if thresholds.create_by == "threshold" and is_below:
            why[vehicle.vehicle_id] = f"{battery} is below {line:g} %"
        elif thresholds.create_by == "ROI" and low:
            why[vehicle.vehicle_id] = f"{battery} is below {thresholds.low_battery_pct:g} %"
        elif thresholds.create_by == "ROI" and gain > 0:
            why[vehicle.vehicle_id] = (
                f"{battery}, and a full one here returns {gain:.2f} {settings.city.currency} more "
                "than the swap costs"
            )
    return SwapRule(
        why=why,
        by_roi=fsum(gain for gain in roi if gain > 0),
        roi_swaps=sum(gain > 0 for gain in roi),
        by_threshold=fsum(gain for gain, is_below in zip(roi, below, strict=True) if is_below),
        threshold_swaps=sum(below),
    )


def _line(cell: str, hour: int, settings: Settings, policy: ThresholdPolicy | None) -> float:
    """The threshold in %; the sheet's where none was learnt."""
    scope = settings.thresholds.threshold_scope
    if scope == "sheet" or policy is None:
        return settings.thresholds.low_battery_pct
    return policy.region_pct if scope == "region" else policy.at(cell, hour)
