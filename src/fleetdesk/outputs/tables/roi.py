"""The sheet ROI: in which cells the work pays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from statistics import fmean

from fleetdesk.model.plan import Plan
from fleetdesk.model.work import Task, TaskRoi
from fleetdesk.outputs.wording import other_level, other_roi, roi_name
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import CellStyle, ResultColumn, ResultSheet, Value


@dataclass(frozen=True, slots=True)
class CellRate:
    """What a vehicle earns per operational hour in a cell, and the vehicle hours behind it."""

    rate_per_h: float
    hours: float


def roi_sheet(
    tasks: Sequence[Task],
    rois: Mapping[str, TaskRoi],
    plan: Plan,
    rates: Mapping[str, CellRate],
    settings: Settings,
) -> ResultSheet:
    """One row per cell that has a valued task, highest total ROI first."""
    by_cell: dict[str, list[Task]] = {}
    for task in tasks:
        if task.task_id in rois:
            by_cell.setdefault(task.before.cell, []).append(task)
    planned = plan.planned_task_ids
    total = {cell: fsum(rois[t.task_id].roi for t in here) for cell, here in by_cell.items()}
    rows = [
        _row(cell, by_cell[cell], rois, total[cell], planned, rates.get(cell), settings)
        for cell in sorted(total, key=lambda cell: (-total[cell], cell))
    ]
    estimators = sorted(
        {rois[task.task_id].estimator for here in by_cell.values() for task in here}
    )
    return ResultSheet(
        sheet="ROI",
        title=f"Where work pays: {settings.city.name}",
        note=(
            f"{roi_name(settings)}: revenue with the task, less revenue without it, less cost, "
            f"over {settings.thresholds.horizon_h:g} h. Estimator: "
            f"{', '.join(estimators) or 'none, because there is no task'}."
        ),
        table_name="Roi",
        columns=_columns(settings),
        rows=rows,
        key="Cell",
    )


def _columns(settings: Settings) -> tuple[ResultColumn, ...]:
    currency, name = settings.city.currency, roi_name(settings)
    return (
        ResultColumn("Cell", CellStyle.TEXT, 11, "Geohash of where the vehicles stand now."),
        ResultColumn("Tasks", CellStyle.INTEGER, 8),
        ResultColumn("Planned", CellStyle.INTEGER, 9, "Of these, on a route."),
        ResultColumn(f"{name}, all tasks ({currency})", CellStyle.MONEY, 15),
        ResultColumn(f"{name}, per task ({currency})", CellStyle.MONEY, 15),
        ResultColumn(
            f"{roi_name(settings, other_level(settings))}, per task ({currency})",
            CellStyle.MONEY, 15,
            "Fleet-level counts only trips that no other vehicle would have taken; scooter-level "
            "all trips of the vehicle itself.",
        ),
        ResultColumn(f"Revenue with, per task ({currency})", CellStyle.MONEY, 14),
        ResultColumn(f"Revenue without, per task ({currency})", CellStyle.MONEY, 14),
        ResultColumn(f"Cost per task ({currency})", CellStyle.MONEY, 12),
        ResultColumn(
            f"Revenue rate ({currency}/h)", CellStyle.MONEY, 13,
            "Per vehicle and operational hour; empty = nothing seen there.",
        ),
        ResultColumn("Hours behind the rate (h)", CellStyle.DECIMAL, 12, "Vehicle hours seen."),
        ResultColumn("Mean battery (%)", CellStyle.PERCENT, 11, "Of the tasks' vehicles."),
    )  # fmt: skip


def _row(
    cell: str,
    tasks: Sequence[Task],
    rois: Mapping[str, TaskRoi],
    total: float,
    planned: frozenset[str],
    rate: CellRate | None,
    settings: Settings,
) -> tuple[Value, ...]:
    values = [rois[task.task_id] for task in tasks]
    others = [roi for value in values if (roi := other_roi(value, settings)) is not None]
    known = [task.before.battery_pct for task in tasks if task.before.battery_pct is not None]
    return (
        cell,
        len(tasks),
        sum(task.task_id in planned for task in tasks),
        total,
        total / len(tasks),
        fmean(others) if others else None,
        fmean(value.revenue_after for value in values),
        fmean(value.revenue_without for value in values),
        fmean(value.cost for value in values),
        rate.rate_per_h if rate else None,
        rate.hours if rate else None,
        fmean(known) if known else None,
    )
