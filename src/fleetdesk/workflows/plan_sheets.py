"""A day's plan as the owned sheets of the workbook."""

from __future__ import annotations

from dataclasses import replace

from fleetdesk.fleet.cycle_length import CycleLength
from fleetdesk.fleet.operational_time import operational_time
from fleetdesk.model.plan import Plan
from fleetdesk.outputs.charts import (
    availability_sheet,
    battery_sheet,
    fleet_state_sheet,
    left_out_sheet,
    load_profile_sheet,
    local_thresholds_sheet,
    sandbox_sheet,
    survival_sheet,
    threshold_returns_sheet,
    threshold_sheet,
    workload_sheet,
)
from fleetdesk.outputs.roi_picture import roi_picture
from fleetdesk.outputs.tables import (
    kpis_sheet,
    ledger_sheet,
    limits_sheet,
    operational_time_sheet,
    plan_changes,
    planned_done_sheet,
    roi_sheet,
    routes_sheet,
    task_history_sheet,
    task_totals_sheet,
    tasks_sheet,
)
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import ResultSheet
from fleetdesk.workflows.context import Context
from fleetdesk.workflows.insights import insights
from fleetdesk.workflows.plan_before import workers_before
from fleetdesk.workflows.plan_day import DayPlan


def plan_sheets(context: Context, day: DayPlan) -> tuple[ResultSheet, ...]:
    """The owned sheets about the day, in the order in which a planner reads them."""
    settings = context.settings
    seen, past = insights(context.store, settings, day), day.past
    groups = operational_time(day.ledger, settings)
    pay = {offer.task_id: offer.price for offer in day.offers}
    before = workers_before(context.store, day.moment.day)
    changed = plan_changes(day.plan, before, frozenset(task.task_id for task in day.tasks))
    return (
        kpis_sheet(day.kpis),
        battery_sheet(day.fleet, settings),
        availability_sheet(day.fleet, settings),
        tasks_sheet(
            day.tasks,
            day.priorities,
            day.rois,
            day.plan,
            day.fleet,
            settings,
            pay if settings.costs.pay_per_task else None,
            None if before is None else changed,
        ),
        routes_sheet(
            day.plan,
            settings,
            adds=day.adds,
            edits=day.edits.outcomes,
            problems=day.edits.problems,
            tasks=day.tasks,
            changed=changed,
            done=day.done,
        ),
        workload_sheet(day.plan, day.vans, settings),
        load_profile_sheet(day.plan, settings),
        limits_sheet(day.limits, settings),
        left_out_sheet(day.tasks, day.rois, day.plan, settings),
        _with_picture(
            roi_sheet(day.tasks, day.rois, day.plan, day.cell_support, settings), day, settings
        ),
        task_history_sheet(past.tasks if past else None, settings),
        task_totals_sheet(past.tasks if past else None, settings),
        threshold_sheet(past.thresholds if past else None, settings),
        threshold_returns_sheet(past.thresholds if past else None, settings),
        local_thresholds_sheet(past.policy if past else None, settings),
        sandbox_sheet(seen.street, settings),
        planned_done_sheet(seen.done, settings),
        fleet_state_sheet(seen.hours, settings),
        ledger_sheet(day.ledger, settings),
        survival_sheet(day.cycle_length, settings, groups),
        operational_time_sheet(groups, settings),
    )


def empty_plan_sheets(settings: Settings) -> tuple[ResultSheet, ...]:
    """The same before the first run, so that links and the sheet Start find them in their order."""
    plan = Plan((), (), engine="", travel_times="not planned yet", seed=0, iterations=0)
    return (
        kpis_sheet([]),
        battery_sheet([], settings),
        availability_sheet([], settings),
        tasks_sheet([], [], {}, plan, [], settings),
        routes_sheet(plan, settings),
        workload_sheet(plan, [], settings),
        load_profile_sheet(plan, settings),
        limits_sheet([], settings),
        left_out_sheet([], {}, plan, settings),
        roi_sheet([], {}, plan, {}, settings),
        task_history_sheet(None, settings),
        task_totals_sheet(None, settings),
        threshold_sheet(None, settings),
        threshold_returns_sheet(None, settings),
        local_thresholds_sheet(None, settings),
        sandbox_sheet(None, settings),
        planned_done_sheet([], settings),
        fleet_state_sheet([], settings),
        ledger_sheet(None, settings),
        survival_sheet(CycleLength((), (), 0, 0, 0.0), settings),
        operational_time_sheet([], settings),
    )


def _with_picture(sheet: ResultSheet, day: DayPlan, settings: Settings) -> ResultSheet:
    by_cell: dict[str, float] = {}
    for task in day.tasks:
        cell = task.before.cell
        by_cell[cell] = by_cell.get(cell, 0.0) + day.rois[task.task_id].roi
    picture = roi_picture(by_cell, settings)
    return replace(sheet, images=(picture,) if picture else ())
