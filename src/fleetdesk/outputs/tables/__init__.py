"""Results as the sheets of the planner's workbook; pure functions, one per sheet."""

from fleetdesk.outputs.tables.cycles import ledger_sheet, operational_time_sheet
from fleetdesk.outputs.tables.limits import limits_sheet
from fleetdesk.outputs.tables.plan_changes import plan_changes
from fleetdesk.outputs.tables.planned_done import DoneRow, planned_done_sheet
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
from fleetdesk.outputs.tables.task_history import task_history_sheet, task_totals_sheet
from fleetdesk.outputs.tables.tasks import tasks_sheet

__all__ = [
    "CellRate",
    "DoneRow",
    "ImportAccount",
    "KpiRow",
    "RunLogRow",
    "issues_sheet",
    "kpis_sheet",
    "ledger_sheet",
    "limits_sheet",
    "operational_time_sheet",
    "plan_changes",
    "planned_done_sheet",
    "quality_sheet",
    "roi_sheet",
    "routes_sheet",
    "run_log_sheet",
    "task_history_sheet",
    "task_totals_sheet",
    "tasks_sheet",
]
