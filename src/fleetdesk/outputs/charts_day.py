"""The day on the clock: what each worker does when, and what is on board and in the racks then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

from matplotlib.figure import Figure
from matplotlib.patches import Patch

from fleetdesk.model.charts import Chart, ChartKind, Series
from fleetdesk.model.plan import PauseKind, Plan, Route
from fleetdesk.model.work import Van
from fleetdesk.outputs.as_written import as_written
from fleetdesk.outputs.palette import Palette, palette
from fleetdesk.outputs.wording import clock, local
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import CellStyle, Image, ResultColumn, ResultSheet, Value

STEP = timedelta(minutes=15)
_TIME = "Time"
_DPI, _WIDTH_IN, _ROW_IN = 96, 9.6, 0.34
_MOST_IN_A_CHART = 8
"""More lines than colours cannot be told apart."""
_COLOURS = {"driving": 0, "work at stops": 2, "waiting": 4, "break": 5, "loading batteries": 1}


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a shift (UTC-aware) and what it is spent on."""

    what: str
    start: datetime
    end: datetime


def load_profile_sheet(plan: Plan, settings: Settings) -> ResultSheet:
    """Vehicles on board and charged batteries left of each worker, every quarter of an hour."""
    routes = [route for route in plan.routes if route.visits]
    names = _names(routes) or ["nobody"]
    times = list(_quarters(routes))
    shown = names[:_MOST_IN_A_CHART]
    more = len(names) - len(shown)
    note = "Counted when leaving a stop."
    note += f" The first {len(shown)} of {len(names)} workers." if more else ""
    colours = palette()

    def chart(title: str, what: str, y_title: str, unit: str) -> Chart:
        series = tuple(
            Series(f"{name}: {what}", colours.category(index), name)
            for index, name in enumerate(shown)
        )
        return Chart(ChartKind.STEP, title, _TIME, y_title, unit, _TIME, series, note)

    return ResultSheet(
        sheet="Load profile",
        title=f"What the vans carry: {settings.city.name}",
        note=(
            f"On board and left at that time, local ({settings.city.timezone}); empty = not out."
            if routes
            else "No route has a stop."
        ),
        table_name="LoadProfile",
        columns=(
            ResultColumn(_TIME, CellStyle.TEXT, 8),
            *(
                ResultColumn(f"{name}: {what}", CellStyle.INTEGER, 13)
                for name in names
                for what in ("on board", "batteries")
            ),
        ),
        rows=[
            (clock(at, settings), *(value for route in routes for value in _load(route, at)))
            for at in times
        ],
        key=_TIME,
        charts=(
            chart("Vehicles on board", "on board", "On board", "vehicles"),
            chart("Charged batteries left", "batteries", "Batteries", "batteries"),
        ),
    )


@as_written
def shift_picture(plan: Plan, vans: Sequence[Van], settings: Settings) -> Image | None:
    """A Gantt chart of the shifts: driving, work, waiting and pauses. None without workers."""
    if not vans:
        return None
    colours = palette()
    height = max(2.2, 1.3 + _ROW_IN * len(vans))
    figure = Figure(figsize=(_WIDTH_IN, height), dpi=_DPI, facecolor=colours.paper)
    axes = figure.add_subplot()
    left = list(plan.routes)
    start = min(van.shift_start for van in vans)
    for row, van in enumerate(vans):
        _shift(axes, row, van, start, colours)
        route = next((route for route in left if route.worker == van.worker), None)
        if route is not None:
            left.remove(route)
            for span in spans(route):
                shade = colours.category(_COLOURS[span.what])
                axes.barh(row, _hours(span.end - span.start), left=_hours(span.start - start),
                          height=0.56, color=shade, linewidth=0)  # fmt: skip
    latest = max([route.end_at for route in plan.routes] + [van.shift_end for van in vans])
    _axes(axes, vans, start, latest, settings, colours)
    used = {span.what for route in plan.routes for span in spans(route)}
    handles = [
        Patch(color=colours.category(index), label=what)
        for what, index in _COLOURS.items()
        if what in used
    ]
    handles.append(Patch(facecolor=colours.ground, edgecolor="#B9BDC2", label="rest of the shift"))
    axes.legend(handles=handles, ncols=len(handles), loc="lower left", bbox_to_anchor=(0, 1.0),
                frameon=False, fontsize=8)  # fmt: skip
    out = BytesIO()
    figure.tight_layout()
    figure.savefig(out, format="png", metadata={"Software": None})
    workers = ", ".join(van.worker for van in vans)
    return Image(out.getvalue(), f"Shifts on the clock: what {workers} do when")


def spans(route: Route) -> Iterator[Span]:
    """What a worker does from leaving to coming home, in order and without a gap."""
    now = route.start_at
    for number, visit in enumerate(route.visits, start=1):
        for pause in _pauses(route, number - 1):
            yield from _until(now, pause.start, "driving")
            yield pause
            now = pause.end
        begins = visit.arrive_at + timedelta(seconds=visit.wait_s)
        yield from _until(now, visit.arrive_at, "driving")
        yield from _until(visit.arrive_at, begins, "waiting")
        yield from _until(begins, visit.leave_at, "work at stops")
        now = visit.leave_at
    for pause in _pauses(route, len(route.visits)):
        yield from _until(now, pause.start, "driving")
        yield pause
        now = pause.end
    yield from _until(now, route.end_at, "driving")


def _pauses(route: Route, after: int) -> list[Span]:
    names = {PauseKind.BREAK: "break", PauseKind.RELOAD: "loading batteries"}
    found = [
        Span(names[pause.kind], pause.start_at, pause.end_at)
        for pause in route.pauses
        if pause.after_stop == after
    ]
    return sorted(found, key=lambda span: span.start)


def _until(start: datetime, end: datetime, what: str) -> Iterator[Span]:
    if end > start:
        yield Span(what, start, end)


def _shift(axes: Any, row: int, van: Van, start: datetime, colours: Palette) -> None:
    axes.barh(
        row, _hours(van.shift_end - van.shift_start), left=_hours(van.shift_start - start),
        height=0.8, color=colours.ground, edgecolor="#B9BDC2", linewidth=0.6,
    )  # fmt: skip


def _axes(
    axes: Any,
    vans: Sequence[Van],
    start: datetime,
    latest: datetime,
    settings: Settings,
    colours: Palette,
) -> None:
    span_h = max(1.0, _hours(latest - start))
    step = 1 if span_h <= 12 else 2
    ticks = list(range(0, int(span_h) + 1, step))
    labels = [clock(start + timedelta(hours=tick), settings) for tick in ticks]
    axes.set_xticks(ticks, labels, fontsize=8, color=colours.ink)
    axes.set_yticks(range(len(vans)), [van.worker for van in vans], fontsize=9, color=colours.ink)
    axes.set_xlim(-0.1, span_h + 0.1)
    axes.set_ylim(len(vans) - 0.4, -0.6)
    axes.set_facecolor(colours.paper)
    axes.grid(axis="x", color="#D9D8D2", linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    day = local(start, settings)
    axes.set_xlabel(f"Local time, {day:%Y-%m-%d}", fontsize=8, color=colours.ink)


def _quarters(routes: Sequence[Route]) -> Iterator[datetime]:
    if not routes:
        return
    start = min(route.start_at for route in routes)
    at = start - timedelta(
        minutes=start.minute % 15, seconds=start.second, microseconds=start.microsecond
    )
    latest = max(route.end_at for route in routes)
    while at <= latest + STEP:
        yield at
        at += STEP


def _load(route: Route, at: datetime) -> tuple[Value, Value]:
    """What is on board and in the racks at that time; nothing before leaving and after coming home.

    Before the first stop the racks hold what the first stop leaves there and takes.
    """
    if not route.start_at <= at <= route.end_at:
        return None, None
    left = [visit for visit in route.visits if visit.leave_at <= at]
    reloads = [p for p in route.pauses if p.kind is PauseKind.RELOAD and p.end_at <= at]
    if not left:
        batteries = reloads[-1].batteries_left if reloads else _first_batteries(route)
        return 0, batteries
    last = left[-1]
    later = [pause for pause in reloads if pause.end_at >= last.leave_at]
    return last.load_vehicles, later[-1].batteries_left if later else last.batteries_left


def _first_batteries(route: Route) -> int:
    first = route.visits[0]
    return first.batteries_left + ("swap" in first.action.value)


def _names(routes: Sequence[Route]) -> list[str]:
    """The workers; one with several shifts has a number behind the name."""
    names: list[str] = []
    for route in routes:
        name, number = route.worker, 2
        while name in names:
            name, number = f"{route.worker} ({number})", number + 1
        names.append(name)
    return names


def _hours(span: timedelta) -> float:
    return span.total_seconds() / 3600
