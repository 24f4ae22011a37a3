"""The sheets Left out and Workload: which work pays, and who does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import fsum

from fleetdesk.model.charts import Chart, ChartKind, Series
from fleetdesk.model.plan import DropCode, Plan, Route
from fleetdesk.model.work import Task, TaskRoi, Van
from fleetdesk.outputs.charts_day import shift_picture
from fleetdesk.outputs.palette import palette
from fleetdesk.outputs.wording import roi_name
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import CellStyle, ResultColumn, ResultSheet, Value

_OUTCOME = "Outcome"
_HOURS = (
    "Driving (h)", "Work at stops (h)", "Loading batteries (h)", "Waiting (h)", "Breaks (h)",
    "Shift left (h)",
)  # fmt: skip


def left_out_sheet(
    tasks: Sequence[Task], rois: Mapping[str, TaskRoi], plan: Plan, settings: Settings
) -> ResultSheet:
    """Planned tasks and, by reason, those left out, with what they would bring before travel."""
    currency = settings.city.currency
    known = {task.task_id for task in tasks}
    groups: list[tuple[str, list[str]]] = [("planned", sorted(known & plan.planned_task_ids))]
    for code in DropCode:
        dropped = [item.task_id for item in plan.dropped if item.code is code]
        groups.append((code.value, dropped))
    value = f"{roi_name(settings)} ({currency})"
    found = [(name, ids) for name, ids in groups if ids or name == "planned"]
    rows: list[tuple[Value, ...]] = [
        (
            name[0].upper() + name[1:],
            len(ids),
            fsum(rois[task_id].roi for task_id in ids if task_id in rois),
        )
        for name, ids in found
    ]
    planned, all_tasks = len(groups[0][1]), len(tasks)
    colour = palette().category(0)

    def chart(title: str, y_title: str, unit: str, header: str, note: str) -> Chart:
        return Chart(
            ChartKind.BAR, title, _OUTCOME, y_title, unit, _OUTCOME, (Series(header, colour),), note
        )

    return ResultSheet(
        sheet="Left out",
        title=f"Planned and left out: {settings.city.name}",
        note="Each task once, with its ROI before travel; the sheet Tasks says why for each.",
        table_name="LeftOut",
        columns=(
            ResultColumn(_OUTCOME, CellStyle.TEXT, 34),
            ResultColumn("Tasks", CellStyle.INTEGER, 9),
            ResultColumn(value, CellStyle.MONEY, 17, "Before travel."),
        ),
        rows=rows,
        key=_OUTCOME,
        charts=(
            chart(
                "What became of the tasks", "Tasks", "", "Tasks",
                f"{planned} of {all_tasks} tasks are planned.",
            ),
            chart(
                "What they bring before travel", "ROI", currency, value,
                "Sum of the tasks' ROI, planned and left out.",
            ),
        ),
    )  # fmt: skip


def workload_sheet(plan: Plan, vans: Sequence[Van], settings: Settings) -> ResultSheet:
    """How each worker's shift is used: driving, work at the stops, waiting, and what is left."""
    routes = {route.worker: route for route in plan.routes}
    picture, currency = shift_picture(plan, vans, settings), settings.city.currency
    colours = palette()
    shades = (*(colours.category(index) for index in (0, 2, 1, 4, 5)), colours.below)
    used = fsum((route.end_at - route.start_at).total_seconds() for route in plan.routes) / 3600
    whole = fsum((van.shift_end - van.shift_start).total_seconds() for van in vans) / 3600
    return ResultSheet(
        sheet="Workload",
        title=f"Workload: {settings.city.name}",
        note="Hours of each shift, the way back included, and what it earns: the profits of the "
        "workers add up to that of the plan.",
        table_name="Workload",
        columns=(
            ResultColumn("Worker", CellStyle.TEXT, 16),
            ResultColumn("Stops", CellStyle.INTEGER, 8),
            *(ResultColumn(header, CellStyle.DECIMAL, 11) for header in _HOURS),
            ResultColumn("Overtime (h)", CellStyle.DECIMAL, 11, "Of the hours before."),
            ResultColumn("Distance (km)", CellStyle.DECIMAL, 11),
            ResultColumn("Most vehicles on board", CellStyle.INTEGER, 12),
            ResultColumn(
                f"Tasks bring ({currency})", CellStyle.MONEY, 12, "Before driving and wages."
            ),
            ResultColumn(f"Driving costs ({currency})", CellStyle.MONEY, 12),
            ResultColumn(f"Working time costs ({currency})", CellStyle.MONEY, 13),
            ResultColumn(f"Profit ({currency})", CellStyle.MONEY, 12, "What is left of it."),
        ),
        rows=[_shift(van, routes.get(van.worker)) for van in vans],
        key="Worker",
        charts=(
            Chart(
                ChartKind.STACKED,
                title="How the shifts are used",
                x_title="Worker",
                y_title="Time",
                unit="h",
                categories="Worker",
                series=tuple(
                    Series(header, colour, header.removesuffix(" (h)"))
                    for header, colour in zip(_HOURS, shades, strict=True)
                ),
                note=f"{used:.1f} of {whole:.1f} hours are planned.",
            ),
        ),
        images=(picture,) if picture else (),
    )


def _shift(van: Van, route: Route | None) -> tuple[Value, ...]:
    shift_s = (van.shift_end - van.shift_start).total_seconds()
    if route is None:
        return (van.worker, 0, 0.0, 0.0, 0.0, 0.0, 0.0, shift_s / 3600, 0.0, 0.0, 0,
                0.0, 0.0, 0.0, 0.0)  # fmt: skip
    driving_s = sum(visit.leg_s for visit in route.visits) + route.return_leg_s
    waiting_s = sum(visit.wait_s for visit in route.visits)
    used_s = (route.end_at - route.start_at).total_seconds()
    work_s = max(0.0, used_s - driving_s - waiting_s - route.break_s - route.reload_s)
    return (
        van.worker,
        len(route.visits),
        driving_s / 3600,
        work_s / 3600,
        route.reload_s / 3600,
        waiting_s / 3600,
        route.break_s / 3600,
        max(0.0, shift_s - used_s) / 3600,
        route.overtime_s / 3600,
        route.distance_m / 1000,
        max((visit.load_vehicles for visit in route.visits), default=0),
        route.value_milli / 1000,
        route.travel_cost_milli / 1000,
        route.labour_cost_milli / 1000,
        route.profit_milli / 1000,
    )
