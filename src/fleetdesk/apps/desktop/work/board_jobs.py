"""The routes of the last plan, to be changed by hand: what a change costs, and how it is kept."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fleetdesk.apps.desktop.work.jobs import OnProgress
from fleetdesk.apps.desktop.work.shapes import (
    Board,
    BoardLeftOut,
    BoardPrice,
    BoardStop,
    RoundPrice,
)
from fleetdesk.apps.desktop.work.under import under
from fleetdesk.errors import FleetDeskError, NotEnoughData
from fleetdesk.model.plan import DropCode, Dropped
from fleetdesk.settings import secrets
from fleetdesk.settings.cells import YES
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.a1 import address
from fleetdesk.sheets.base import SheetCells
from fleetdesk.sheets.cell_changes import CellChange, change_cells
from fleetdesk.sheets.open import open_workbook
from fleetdesk.store.base import RunRecord, Store
from fleetdesk.workflows import given_tasks
from fleetdesk.workflows.context import MAP_NAME, OUTPUTS_FOLDER, store_of
from fleetdesk.workflows.kept_results import last_plan

SHEET = "Routes"
DROP_OFF = "drop off"
Sequences = Mapping[str, Sequence[tuple[str, bool]]]


def board(_: OnProgress, *, workbook: str) -> Board:
    """The last plan's routes, with what the planner has changed on the sheet since."""
    folder = Path(workbook).parent
    snapshot = open_workbook(workbook, secrets.reveal).snapshot((SHEET,))
    typed = _Typed(snapshot.sheets.get(SHEET))
    with store_of(folder) as store:
        run = _last_plan(store)
        rows = store.result(run.run_id, SHEET).to_pylist()
        tasks = store.result(run.run_id, "Tasks").to_pylist()
    settings = Settings.model_validate_json(run.settings_json)
    workers = tuple(worker.name for worker in settings.workers if worker.active)
    page = folder / OUTPUTS_FOLDER / run.run_id / MAP_NAME
    return Board(
        run.run_id, run.summary["day"], run.summary["currency"], workers,
        tuple(_stop(row, typed) for row in rows if row["Task"] and row.get("Done") != "yes"),
        tuple(_left_out(task) for task in tasks if task["Planned?"] == "no"),
        run.summary["profit"], snapshot.fingerprint, str(page) if page.is_file() else "",
        under(run, folder),
    )  # fmt: skip


def save_board(
    _: OnProgress, *, workbook: str, changes: Sequence[tuple[str, str, str, object]], expect: str
) -> str:
    """Enter (sheet, row, head, value) into Routes and Tasks; returns the new fingerprint."""
    snapshot = open_workbook(workbook, secrets.reveal).snapshot((SHEET, given_tasks.SHEET))
    cells: Mapping[str, Callable[[str, str], str]] = {
        SHEET: _Typed(snapshot.sheets.get(SHEET)).cell,
        given_tasks.SHEET: partial(_task_cell, snapshot.sheets.get(given_tasks.SHEET)),
    }
    entered = [
        CellChange(sheet, cells[sheet](row, header), value)  # type: ignore[arg-type]
        for sheet, row, header, value in changes
    ]
    return change_cells(Path(workbook), entered, expect, _now).fingerprint


def price(_: OnProgress, *, workbook: str, run: str, sequences: Sequences) -> BoardPrice:
    """What the rounds come to as they stand: times, money, and the limits that they break."""
    from fleetdesk.routes.evaluate import evaluate, violations

    _, settings, _ = _planned(workbook, run)
    problem = _problem(workbook, run, sequences)
    stops = _as_stops(problem, sequences)
    routes = {route.worker: route for route in evaluate(problem, stops)}
    broken: dict[str, list[str]] = {}
    for one in violations(problem, stops):
        broken.setdefault(problem.vans[one.van].worker, []).append(_sentence(one))
    zone = ZoneInfo(settings.city.timezone)
    rounds = []
    for worker in sequences:
        route = routes.get(worker)
        visits = route.visits if route else ()
        rounds.append(
            RoundPrice(
                worker, len(visits), (route.duration_s if route else 0) / 60,
                (route.distance_m if route else 0) / 1000,
                (route.profit_milli if route else 0) / 1000, tuple(broken.get(worker, ())),
                tuple(f"{visit.arrive_at.astimezone(zone):%H:%M}" for visit in visits),
            )
        )  # fmt: skip
    return BoardPrice(
        tuple(rounds), sum(one.profit for one in rounds), sum(one.minutes for one in rounds)
    )


def draw(_: OnProgress, *, workbook: str, run: str, sequences: Sequences) -> str:
    """The map of the rounds as they stand; returns the page's path."""
    from fleetdesk.outputs.map import map_view, route_map
    from fleetdesk.routes.evaluate import evaluate
    from fleetdesk.workflows.map_ground import map_ground

    day, settings, demand = _planned(workbook, run)
    problem = _problem(workbook, run, sequences)
    routes = evaluate(problem, _as_stops(problem, sequences))
    plan = replace(day.plan, routes=tuple(routes), dropped=_dropped(workbook, run, day, sequences))
    view = map_view(
        plan, day.tasks, settings, day.moment.day, rois=day.rois, vans=day.vans, fleet=day.fleet,
        rates_per_h=day.cell_rates, demand=demand, no_parking=day.no_parking,
        ground=map_ground(settings, Path(workbook).parent)[0],
    )  # fmt: skip
    path = Path(_drawings()) / "routes.html"
    path.write_text(route_map(view), encoding="utf-8")
    return str(path)


def _dropped(workbook: str, run: str, day: Any, sequences: Sequences) -> tuple[Dropped, ...]:
    """The tasks that are on no round now, with what the plan said of those it left out itself."""
    there = {task for stops in sequences.values() for task, _ in stops}
    with store_of(Path(workbook).parent) as store:
        rows = store.result(run, given_tasks.SHEET).to_pylist()
    why = {row["Task"]: row["Why not planned"] for row in rows if row["Planned?"] == "no"}
    return tuple(
        Dropped(task.task_id, DropCode.EXCLUDED, why.get(task.task_id, "Left out by you."))
        for task in day.tasks
        if task.task_id not in there
    )


def best_place(
    _: OnProgress, *, workbook: str, run: str, sequences: Sequences, worker: str, task: str,
    moves: bool,
) -> int:  # fmt: skip
    """Where in a worker's order the task fits best: with the fewest limits broken, then money."""
    from fleetdesk.routes.evaluate import evaluate, violations

    added = ((task, False), (task, True)) if moves else ((task, False),)
    mine = tuple(sequences[worker])
    problem = _problem(workbook, run, {worker: added})

    def worth(index: int) -> tuple[int, int]:
        tried = {worker: (*mine[:index], *added, *mine[index:])}
        stops = _as_stops(problem, tried)
        profit = sum(route.profit_milli for route in evaluate(problem, stops))
        return -sum(one.excess for one in violations(problem, stops)), profit

    return max(range(len(mine) + 1), key=worth)


def _problem(workbook: str, run: str, sequences: Sequences) -> Any:
    """The day's routing problem, with tasks that the plan did not look at where some are given."""
    day, _, _ = _planned(workbook, run)
    there = {job.task_id for job in day.problem.jobs}
    wanted = {task for stops in sequences.values() for task, _ in stops}
    more = wanted - there
    return _problem_with(workbook, run, frozenset(more)) if more else day.problem


@lru_cache(maxsize=2)
def _problem_with(workbook: str, run: str, more: frozenset[str]) -> Any:
    from fleetdesk.routes.building import build
    from fleetdesk.workflows.travel import travel_times, wishes

    day, settings, _ = _planned(workbook, run)
    there = {job.task_id for job in day.problem.jobs} | more
    return build(
        [task for task in day.tasks if task.task_id in there], day.rois, {}, day.vans,
        travel_times(settings, Path(workbook).parent), settings.city.currency, wishes(settings),
    )  # fmt: skip


@lru_cache(maxsize=1)
def _planned(workbook: str, run_id: str) -> tuple[Any, Settings, Any]:
    """The day of that run with its routing problem, and the demand by cell; made once, slowly."""
    from fleetdesk.workflows.cell_demand import cell_demand
    from fleetdesk.workflows.plan_day import plan_day

    with store_of(Path(workbook).parent) as store:
        run = next(run for run in store.runs.list() if run.run_id == run_id)
        if run.generation != store.generation:
            raise FleetDeskError(
                "Records came in since the last plan, so changes to it cannot be priced",
                fix="Plan again; your changes are kept",
            )
        settings = Settings.model_validate_json(run.settings_json)
        # The routes themselves are there already; only what they are judged by is made again.
        city = settings.city.model_copy(
            update={"search_effort": 50, "plan_day": date.fromisoformat(run.summary["day"])}
        )
        quick = settings.model_copy(update={"city": city})
        day = plan_day(store, quick, folder=Path(workbook).parent, looking_back=False)
        return day, settings, cell_demand(day.history, day.fleet, settings)


@lru_cache(maxsize=1)
def _drawings() -> str:
    return tempfile.mkdtemp(prefix="fleetdesk-map-")


def _as_stops(problem: Any, sequences: Sequences) -> list[tuple[Any, ...]]:
    number = {job.task_id: index for index, job in enumerate(problem.jobs)}
    taken = dict.fromkeys(sequences, False)
    found = []
    for van in problem.vans:
        mine = () if taken.get(van.worker, True) else sequences[van.worker]
        taken[van.worker] = True
        for task, _ in mine:
            if task not in number:
                raise NotEnoughData(
                    f"{task} is no longer among the tasks, so its route cannot be priced",
                    fix="Plan again; your other changes are kept",
                )
        # A vehicle that is on the van already has its drop-off as the only stop.
        found.append(
            tuple(problem.stops_of(number[task])[-1 if drop else 0] for task, drop in mine)
        )
    return found


def _sentence(one: Any) -> str:
    text = {
        "room for vehicles": f"lacks room for {one.excess} vehicles",
        "charged batteries": f"lacks {one.excess} charged batteries",
        "shift": f"is {-(-one.excess // 60)} min longer than the shift",
        "pick-up before drop-off": f"has the drop-off of {one.task_id} before its pick-up",
        "each task once": f"has {one.task_id} twice",
    }.get(one.limit.value, f"does not keep {one.limit.value} of {one.task_id}")
    return text.rstrip()


class _Typed:
    """What stands on the sheet Routes now, by the name of the row and the column's head."""

    def __init__(self, sheet: SheetCells | None) -> None:
        self._cells = sheet.cells if sheet else {}
        wanted = {"Worker", "Stop", "Lock", "Exclude", "Row"}
        heads: dict[int, dict[str, int]] = {}
        for (row, column), value in self._cells.items():
            if isinstance(value, str) and value in wanted:
                heads.setdefault(row, {}).setdefault(value, column)
        top = min((row for row, found in heads.items() if set(found) == wanted), default=0)
        self._columns = heads.get(top, {})
        self._rows = {
            str(value): row
            for (row, column), value in self._cells.items()
            if top and row > top and column == self._columns["Row"]
        }

    def value(self, row: str, header: str, otherwise: object) -> Any:
        """What stands there; `otherwise` where the row is no longer on the sheet."""
        if row not in self._rows:
            return otherwise
        return self._cells.get((self._rows[row], self._columns[header]))

    def cell(self, row: str, header: str) -> str:
        """Its address."""
        if row not in self._rows:
            raise FleetDeskError(
                f"The row {row} is no longer on the sheet {SHEET}",
                fix="Plan again, so that the sheet is whole",
            )
        return address(self._rows[row], self._columns[header])


def _stop(row: Mapping[str, Any], typed: _Typed) -> BoardStop:
    name = str(row["Row"])
    worker = str(typed.value(name, "Worker", row["Worker"]) or row["Worker"] or "")
    place = typed.value(name, "Stop", row["Stop"])
    place = float(place) if isinstance(place, int | float) else float(row["Stop"] or 0)
    adds = next((row[head] for head in row if head.startswith("What it adds")), None)
    arrive = row["Arrive"]
    return BoardStop(
        row=name, task_id=str(row["Task"]), drop_off=row["Action"] == DROP_OFF,
        vehicle=str(row["Vehicle"]), action=str(row["Action"]), where=str(row["Place"] or ""),
        worker=worker, place=place,
        locked=_yes(typed.value(name, "Lock", row["Lock"])),
        excluded=_yes(typed.value(name, "Exclude", row["Exclude"])),
        was_worker=row["Worker"] or "", was_place=row["Stop"], adds=adds,
        arrive=f"{arrive:%H:%M}" if isinstance(arrive, datetime) else "",
        note=" ".join(str(row[head] or "") for head in ("Edit", "Problem")).strip(),
    )  # fmt: skip


def _task_cell(sheet: SheetCells | None, task: str, header: str) -> str:
    """Where the planner says who is to do a task that is on no route."""
    columns, top = given_tasks.columns_of(sheet)
    for (row, column), value in (sheet.cells if sheet and columns else {}).items():
        if row > top and column == columns[given_tasks.KEY] and value == task:
            return address(row, columns[header])
    raise FleetDeskError(
        f"The sheet {given_tasks.SHEET} has no cell in which {task} can be given to a worker",
        fix="Take this change back and plan once, so that the sheet is whole",
    )


def _left_out(task: Mapping[str, Any]) -> BoardLeftOut:
    roi = next((task[head] for head in task if head.startswith("ROI, ")), None)
    return BoardLeftOut(
        task["Task"], task["Vehicle"], task["What to do"], task["Where"], roi,
        task["Why not planned"], bool(task["Destination"]),
    )  # fmt: skip


def _last_plan(store: Store) -> RunRecord:
    run = last_plan(store)
    if run is not None:
        return run
    raise NotEnoughData("There are no routes yet", fix="Press Run")


def _yes(value: object) -> bool:
    return value is True or (isinstance(value, str) and value.strip().casefold() in YES)


def _now() -> datetime:
    return datetime.now(UTC).astimezone()
