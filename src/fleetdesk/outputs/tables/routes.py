"""The sheet Routes: one row per stop in the order of work, and the way back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fleetdesk.model.plan import Plan, Route
from fleetdesk.outputs.wording import directions_url, local, money
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import CellStyle, Link, ResultColumn, ResultSheet, Value


def routes_sheet(
    plan: Plan,
    settings: Settings,
    *,
    adds: Mapping[str, float] | None = None,
    links: bool = True,
) -> ResultSheet:
    """One row per stop, then one per worker for the way back.

    `adds` is what each task brings before travel, in city currency, shown at its first stop only
    so that the column can be summed. `links` adds directions to each stop.
    """
    columns = _columns(settings)
    rows = [row for route in plan.routes for row in _rows(route, settings, adds or {})]
    if not links:
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    return ResultSheet(
        sheet="Routes",
        title=f"Routes: {settings.city.name}",
        note=(
            f"Profit {money(plan.profit_milli / 1000, settings.city.currency)} after travel and "
            f"labour. Times are local ({settings.city.timezone}). Distances and times: "
            f"{plan.travel_times}."
        ),
        table_name="Routes",
        columns=columns,
        rows=rows,
    )


def _columns(settings: Settings) -> tuple[ResultColumn, ...]:
    return (
        ResultColumn("Worker", CellStyle.TEXT, 16),
        ResultColumn("Stop", CellStyle.INTEGER, 7, "Order on the route."),
        ResultColumn("Arrive", CellStyle.DATETIME, 17, "Local time."),
        ResultColumn("Leave", CellStyle.DATETIME, 17, "Local time."),
        ResultColumn("Action", CellStyle.TEXT, 22),
        ResultColumn("Vehicle", CellStyle.TEXT, 16),
        ResultColumn("Place", CellStyle.TEXT, 22, "Parking, or cell of the demand grid."),
        ResultColumn("Leg (km)", CellStyle.DECIMAL, 9, "Way from the stop before."),
        ResultColumn("Leg (min)", CellStyle.DECIMAL, 9, "Drive from the stop before."),
        ResultColumn("Vehicles on board", CellStyle.INTEGER, 11, "When leaving."),
        ResultColumn("Batteries left", CellStyle.INTEGER, 10, "Charged ones, when leaving."),
        ResultColumn(
            f"What it adds ({settings.city.currency})", CellStyle.MONEY, 13,
            "What the task brings before travel; at the task's first stop.",
        ),
        ResultColumn("Task", CellStyle.TEXT, 20, "As in the sheet Tasks."),
        ResultColumn("Directions", CellStyle.LINK, 11, "Opens Google Maps."),
    )  # fmt: skip


def _rows(
    route: Route, settings: Settings, adds: Mapping[str, float]
) -> Iterator[tuple[Value, ...]]:
    counted: set[str] = set()
    for number, visit in enumerate(route.visits, start=1):
        first = visit.task_id not in counted
        counted.add(visit.task_id)
        yield (
            route.worker,
            number,
            local(visit.arrive_at, settings),
            local(visit.leave_at, settings),
            visit.action.value,
            visit.vehicle_id,
            visit.place,
            visit.leg_m / 1000,
            visit.leg_s / 60,
            visit.load_vehicles,
            visit.batteries_left,
            adds.get(visit.task_id) if first else None,
            visit.task_id,
            Link(directions_url(visit.at), "directions"),
        )
    last = route.visits[-1] if route.visits else None
    yield (
        route.worker,
        len(route.visits) + 1,
        local(route.end_at, settings),
        None,
        "back at start",
        "",
        "",
        route.return_leg_m / 1000,
        route.return_leg_s / 60,
        last.load_vehicles if last else 0,
        last.batteries_left if last else None,
        None,
        "",
        None,
    )
