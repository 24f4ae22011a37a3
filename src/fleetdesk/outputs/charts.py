"""Results to look at: small tables, each with the chart that answers its question.

Pure functions from results to result sheets; the charts name the sheets' columns.
"""

from fleetdesk.outputs.charts_cycles import survival_sheet
from fleetdesk.outputs.charts_day import load_profile_sheet
from fleetdesk.outputs.charts_fleet import availability_sheet, battery_sheet
from fleetdesk.outputs.charts_sandbox import sandbox_sheet
from fleetdesk.outputs.charts_state import fleet_state_sheet
from fleetdesk.outputs.charts_thresholds import (
    local_thresholds_sheet,
    threshold_returns_sheet,
    threshold_sheet,
)
from fleetdesk.outputs.charts_work import left_out_sheet, workload_sheet

__all__ = [
    "availability_sheet",
    "battery_sheet",
    "fleet_state_sheet",
    "left_out_sheet",
    "load_profile_sheet",
    "local_thresholds_sheet",
    "sandbox_sheet",
    "survival_sheet",
    "threshold_returns_sheet",
    "threshold_sheet",
    "workload_sheet",
]
