"""Results as the sheets of the planner's workbook; pure functions, one per sheet."""

from fleetdesk.outputs.tables.quality import ImportAccount, quality_sheet
from fleetdesk.outputs.tables.roi import CellRate, roi_sheet
from fleetdesk.outputs.tables.routes import routes_sheet
from fleetdesk.outputs.tables.run import (
    KpiRow,
    RunLogRow,
    issues_sheet,
    kpis_sheet,
    run_log_sheet,
)
from fleetdesk.outputs.tables.tasks import tasks_sheet

__all__ = [
    "CellRate",
    "ImportAccount",
    "KpiRow",
    "RunLogRow",
    "issues_sheet",
    "kpis_sheet",
    "quality_sheet",
    "roi_sheet",
    "routes_sheet",
    "run_log_sheet",
    "tasks_sheet",
]
