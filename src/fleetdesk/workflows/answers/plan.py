"""The plan of the day: tasks, routes, and all that speaks for or against them."""

from __future__ import annotations

from typing import Any

from fleetdesk.outputs.ground import Ground
from fleetdesk.outputs.wording import clock
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import ResultSheet
from fleetdesk.workflows.catalog import Answer, Ask
from fleetdesk.workflows.cell_demand import cell_demand
from fleetdesk.workflows.context import MAP_NAME
from fleetdesk.workflows.crew_files import crew_files, crew_routes
from fleetdesk.workflows.map_ground import map_ground
from fleetdesk.workflows.plan_day import DayPlan, plan_day
from fleetdesk.workflows.plan_sheets import empty_plan_sheets, plan_sheets
from fleetdesk.workflows.route_edits import route_edits


def answer(ask: Ask) -> Answer:
    """Plan the day that the sheet City asks for, keeping the planner's edits."""
    context, settings = ask.context, ask.settings
    day = plan_day(
        context.store,
        settings,
        folder=context.folder,
        record=ask.record,
        edits=route_edits(context),
        on_progress=ask.on_progress,
    )
    facts = summarise(day, settings)
    ground, lacking = map_ground(settings, context.folder)
    return Answer(
        sheets=plan_sheets(context, day),
        headline=(
            f"Planned {_stretch(day, settings)}: {facts['tasks_planned']} of "
            f"{facts['tasks_found']} tasks on "
            f"{facts['routes']} route{'' if facts['routes'] == 1 else 's'}, "
            f"profit {facts['profit']:.2f} {facts['currency']}."
        ),
        notes=(*day.notes, *lacking),
        summary=facts,
        files={MAP_NAME: _map(day, settings, ground), **_for_crews(day, settings, ground)},
    )


def _stretch(day: DayPlan, settings: Settings) -> str:
    """The day, or the rest of it."""
    if not day.moment.rest:
        return day.moment.day.isoformat()
    since = clock(day.moment.starts_at, settings)
    stops = sum(bool(row["Task"]) for row in day.done)
    return f"the rest of {day.moment.day} from {since}, with {stops} stops done before"


def empty(settings: Settings) -> tuple[ResultSheet, ...]:
    """The sheets before the first run."""
    return empty_plan_sheets(settings)


def summarise(day: DayPlan, settings: Settings) -> dict[str, Any]:
    """The figures that the ledger, the command line and the run log show of a plan."""
    return {
        "day": day.moment.day.isoformat(),
        "as_of": day.moment.as_of.isoformat(),
        "vehicles": len(day.fleet),
        "tasks_found": len(day.tasks),
        "tasks_planned": len(day.plan.planned_task_ids),
        "routes": sum(bool(route.visits) for route in day.plan.routes),
        "profit": day.plan.profit_milli / 1000,
        "currency": settings.city.currency,
    }


def _for_crews(day: DayPlan, settings: Settings, ground: Ground) -> dict[str, str | bytes]:
    pay = {offer.task_id: offer.price for offer in day.offers}
    return crew_files(crew_routes(day.plan, day.vans, day.tasks, settings, pay), settings, ground)


def _map(day: DayPlan, settings: Settings, ground: Ground) -> str:
    # Folium is loaded only where a map is drawn.
    from fleetdesk.outputs.map import map_view, route_map

    view = map_view(
        day.plan,
        day.tasks,
        settings,
        day.moment.day,
        rois=day.rois,
        vans=day.vans,
        fleet=day.fleet,
        rates_per_h=day.cell_rates,
        demand=cell_demand(day.history, day.fleet, settings),
        no_parking=day.no_parking,
        locked={outcome.edit.task_id for outcome in day.edits.outcomes if outcome.kept},
        ground=ground,
    )
    return route_map(view)
