"""The sheets Task history and Task totals: what past tasks returned, one by one and added up."""

from __future__ import annotations

from collections.abc import Iterator
from math import fsum, isfinite

import numpy as np

from fleetdesk.fleet.historical_tasks import HistoricalTasks
from fleetdesk.outputs.wording import local, roi_name
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import CellStyle, ResultColumn, ResultSheet, Value

SHOWN = 500


def task_history_sheet(tasks: HistoricalTasks | None, settings: Settings) -> ResultSheet:
    """The last tasks whose outcome is known, newest first."""
    currency = settings.city.currency
    count = len(tasks) if tasks else 0
    newest = range(count - 1, max(-1, count - 1 - SHOWN), -1)
    return ResultSheet(
        sheet="Task history",
        title=f"What past tasks returned: {settings.city.name}",
        note=_history_note(tasks, settings),
        table_name="TaskHistory",
        columns=(
            ResultColumn("Began", CellStyle.DATETIME, 17),
            ResultColumn("Vehicle", CellStyle.TEXT, 16),
            ResultColumn("Task", CellStyle.TEXT, 15),
            ResultColumn("From cell", CellStyle.TEXT, 11),
            ResultColumn("To cell", CellStyle.TEXT, 11),
            ResultColumn("Battery before (%)", CellStyle.PERCENT, 10, "Empty = not known."),
            ResultColumn("Battery after (%)", CellStyle.PERCENT, 10),
            ResultColumn(f"Revenue after ({currency})", CellStyle.MONEY, 13, "Realised."),
            ResultColumn(f"Revenue without ({currency})", CellStyle.MONEY, 13, "Estimated."),
            ResultColumn(f"Cost ({currency})", CellStyle.MONEY, 10, "Material and work."),
            ResultColumn(f"Realised {roi_name(settings)} ({currency})", CellStyle.MONEY, 15),
            ResultColumn(
                f"Foreseen ({currency})", CellStyle.MONEY, 12,
                "The ROI that the estimator gives the states before and after.",
            ),
            ResultColumn(
                f"Of the vehicle itself ({currency})", CellStyle.MONEY, 14,
                "Realised scooter-level ROI: all its trips count.",
            ),
            ResultColumn(
                f"Value under the continuing policy ({currency})", CellStyle.MONEY, 16,
                "Scooter-level. Left undone, most tasks are done later at the same cost: this "
                "counts what doing it then instead of later was worth.",
            ),
        ),
        rows=[_row(tasks, i, settings) for i in newest] if tasks else [],
    )  # fmt: skip


def task_totals_sheet(tasks: HistoricalTasks | None, settings: Settings) -> ResultSheet:
    """The same added up: all, by kind, by the cell they began in and by local hour."""
    currency = settings.city.currency
    return ResultSheet(
        sheet="Task totals",
        title=f"Past tasks added up: {settings.city.name}",
        note=_history_note(tasks, settings),
        table_name="TaskTotals",
        columns=(
            ResultColumn("Of", CellStyle.TEXT, 24),
            ResultColumn("Tasks", CellStyle.INTEGER, 8),
            ResultColumn("With a loss (%)", CellStyle.PERCENT, 10, "Share with ROI below zero."),
            ResultColumn(f"Realised {roi_name(settings)} ({currency})", CellStyle.MONEY, 15),
            ResultColumn(f"Per task ({currency})", CellStyle.MONEY, 11),
            ResultColumn(f"Revenue after ({currency})", CellStyle.MONEY, 13),
            ResultColumn(f"Revenue without ({currency})", CellStyle.MONEY, 13),
            ResultColumn(f"Cost ({currency})", CellStyle.MONEY, 12),
            ResultColumn("Cost/revenue (%)", CellStyle.PERCENT, 16),
            ResultColumn(
                f"Value under the continuing policy ({currency})", CellStyle.MONEY, 16,
                "Scooter-level, over the tasks whose vehicle was served again.",
            ),
        ),
        rows=[_total(tasks, name, which) for name, which in _groups(tasks)] if tasks else [],
        key="Of",
    )  # fmt: skip


def _history_note(tasks: HistoricalTasks | None, settings: Settings) -> str:
    if not tasks:
        return "No past task has a known outcome yet."
    foreseen = fsum(tasks.expected + tasks.without + tasks.cost)
    match = (
        f" They brought {100 * fsum(tasks.revenue) / foreseen:.0f} % of the revenue foreseen after "
        "them; far from 100 %, what is estimated without them is off as well."
        if foreseen > 0
        else ""
    )
    return (
        f"{len(tasks)} tasks of the last {settings.city.window_days} days. Revenue after is what "
        f"was earned over {settings.thresholds.horizon_h:g} h; revenue without is estimated "
        f"({tasks.estimator}). {tasks.unsettled} more are too recent to judge.{match}"
    )


def _row(tasks: HistoricalTasks, i: int, settings: Settings) -> tuple[Value, ...]:
    return (
        local(tasks.started_at[i], settings),
        str(tasks.vehicle_id[i]),
        str(tasks.kind[i]),
        str(tasks.cell_before[i]),
        str(tasks.cell_after[i]),
        _known(tasks.battery_before_pct[i]),
        _known(tasks.battery_after_pct[i]),
        float(tasks.revenue[i]),
        float(tasks.without[i]),
        float(tasks.cost[i]),
        float(tasks.roi[i]),
        float(tasks.expected[i]),
        float(tasks.scooter_roi[i]),
        _known(tasks.differential[i]),
    )


def _groups(tasks: HistoricalTasks) -> Iterator[tuple[str, np.ndarray]]:
    yield "All tasks", np.ones(len(tasks), dtype=bool)
    for kind in np.unique(tasks.kind).tolist():
        yield f"Task: {kind}", tasks.kind == kind
    for hour in np.unique(tasks.hour).tolist():
        yield f"Hour: {hour:02d}", tasks.hour == hour
    for cell in np.unique(tasks.cell_before).tolist():
        yield f"Cell: {cell}", tasks.cell_before == cell


def _total(tasks: HistoricalTasks, name: str, which: np.ndarray) -> tuple[Value, ...]:
    roi = tasks.roi[which]
    revenue, cost = fsum(tasks.revenue[which]), fsum(tasks.cost[which])
    later = tasks.differential[which]
    later = later[np.isfinite(later)]
    return (
        name,
        int(roi.size),
        100.0 * float(np.mean(roi < 0)),
        fsum(roi),
        fsum(roi) / roi.size,
        revenue,
        fsum(tasks.without[which]),
        cost,
        100 * cost / revenue if revenue > 0 else None,
        fsum(later) if later.size else None,
    )


def _known(value: float) -> float | None:
    return float(value) if isfinite(value) else None
