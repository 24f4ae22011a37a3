"""The sheet Routes: one row per stop in the order of work, and the way back.

Planners edit it: Worker, Stop, Lock and Exclude come back as wishes for the next run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from fleetdesk.model.edits import EditOutcome, StopKey
from fleetdesk.model.plan import Action, Plan, Route, Visit
from fleetdesk.model.work import Task
from fleetdesk.outputs.wording import (
    directions_url,
    local,
    money,
    place_of,
    sentence,
    work_at,
)
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import CellStyle, Link, ResultColumn, ResultSheet, Value

_YES = ("yes",)
_DONE = ("yes", "no")


def routes_sheet(
    plan: Plan,
    settings: Settings,
    *,
    adds: Mapping[str, float] | None = None,
    edits: Sequence[EditOutcome] = (),
    problems: Mapping[str, str] | None = None,
    tasks: Sequence[Task] = (),
    changed: Mapping[str, str] | None = None,
    done: Sequence[Mapping[str, Value]] = (),
    links: bool = True,
) -> ResultSheet:
    """One row per stop, then one per worker for the way back, then the edited tasks left out.

    `adds` is the profit with each task less that without it, in city currency, shown at its first
    stop only. `edits` are what the planner asked for and what became of it, `problems` what could
    not be used by task id. `tasks` say what is done at a stop and are looked up for those on no
    route; `changed` is what is other than in the last plan. `done` are rows of an earlier plan of
    the day, by header, that stay as they were. `links` adds directions to each stop.
    """
    writer = _Writer(settings, adds or {}, edits, problems or {}, tasks, changed or {}, done)
    columns = _columns(settings)
    rows = [_as_done(row, columns) for row in done]
    rows += [row for route in plan.routes for row in writer.rows(route)]
    rows += writer.left_out(tasks, plan)
    if not links:
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    by_insertion = sum(outcome.by_insertion for outcome in edits)
    return ResultSheet(
        sheet="Routes",
        title=f"Routes: {settings.city.name}",
        note=(
            f"Profit {money(plan.profit_milli / 1000, settings.city.currency)} after travel and "
            f"labour. Times are local ({settings.city.timezone}). Distances and times: "
            f"{plan.travel_times}. Yours to edit: Worker, Stop, Lock, Exclude; the next run keeps "
            "what you set and says what it costs. Done is read where the rest of a day is planned."
            + (" What was done before is shown above and not in the profit." if done else "")
            + (
                f" {by_insertion} of {len(edits)} edits are priced by their task's cheapest "
                "other place, the others by planning again without each."
                if by_insertion
                else ""
            )
        ),
        table_name="Routes",
        columns=columns,
        rows=rows,
        key="Row",
    )


def _columns(settings: Settings) -> tuple[ResultColumn, ...]:
    currency = settings.city.currency
    workers = tuple(worker.name for worker in settings.workers if worker.active)
    return (
        ResultColumn(
            "Worker", CellStyle.TEXT, 16, "Another name gives the task away.", True, workers
        ),
        ResultColumn("Stop", CellStyle.INTEGER, 7, "Another number changes the order.", True),
        ResultColumn("Lock", CellStyle.TEXT, 7, "yes keeps worker and order.", True, _YES),
        ResultColumn("Exclude", CellStyle.TEXT, 9, "yes leaves the task out.", True, _YES),
        ResultColumn(
            "Done", CellStyle.TEXT, 7, "yes or no where the clock is wrong about it.", True,
            _DONE,
        ),
        ResultColumn("Arrive", CellStyle.DATETIME, 17, "Local time."),
        ResultColumn("Leave", CellStyle.DATETIME, 17, "Local time."),
        ResultColumn("Action", CellStyle.TEXT, 24, "What is done, in the order of the work."),
        ResultColumn("Vehicle", CellStyle.TEXT, 16),
        ResultColumn("Place", CellStyle.TEXT, 32, "Parking, or cell of the demand grid."),
        ResultColumn("Leg (km)", CellStyle.DECIMAL, 9, "Way from the stop before."),
        ResultColumn("Leg (min)", CellStyle.DECIMAL, 9, "Drive from the stop before."),
        ResultColumn("Vehicles on board", CellStyle.INTEGER, 11, "When leaving."),
        ResultColumn("Batteries left", CellStyle.INTEGER, 10, "Charged ones, when leaving."),
        ResultColumn(
            f"What it adds ({currency})", CellStyle.MONEY, 13,
            "Profit with the task less profit without it; at its first stop. Drives are shared, so "
            "these do not add up to the profit.",
        ),
        ResultColumn("Since the last plan", CellStyle.TEXT, 22, "Empty = as it was."),
        ResultColumn("Edit", CellStyle.WRAPPED, 26, "What you asked for; kept while Lock is yes."),
        ResultColumn(
            f"Edit costs ({currency})", CellStyle.MONEY, 11, "Profit gained without this edit.",
        ),
        ResultColumn("Edit costs (min)", CellStyle.DECIMAL, 11, "Work saved without this edit."),
        ResultColumn("Problem", CellStyle.WRAPPED, 44, "Why it is not as you asked."),
        ResultColumn("Task", CellStyle.TEXT, 20, "As in the sheet Tasks."),
        ResultColumn("Row", CellStyle.TEXT, 24, "Names the row, so that edits and notes find it."),
        ResultColumn("Directions", CellStyle.LINK, 11, "Opens Google Maps."),
    )  # fmt: skip


class _Writer:
    """Writes rows with what became of the edits."""

    def __init__(
        self,
        settings: Settings,
        adds: Mapping[str, float],
        edits: Sequence[EditOutcome],
        problems: Mapping[str, str],
        tasks: Sequence[Task],
        changed: Mapping[str, str],
        done: Sequence[Mapping[str, Value]],
    ) -> None:
        self._settings, self._adds, self._problems = settings, adds, problems
        self._tasks = {task.task_id: task for task in tasks}
        self._changed = changed
        self._outcomes = {outcome.edit.task_id: outcome for outcome in edits}
        self._counted: set[str] = set()
        # The pauses of the day are numbered on, for a row's name must stay its own.
        self._paused = Counter(row.get("Worker") for row in done if row.get("Stop") is None)

    def rows(self, route: Route) -> Iterator[tuple[Value, ...]]:
        """One worker's stops with breaks and reloads between them, and the way back."""
        for number, visit in enumerate(route.visits, start=1):
            yield from self._pauses(route, number - 1)
            key = StopKey(visit.task_id, visit.action is Action.DROP_OFF)
            yield (
                route.worker,
                number,
                self._lock(key),
                "",
                "",
                local(visit.arrive_at, self._settings),
                local(visit.leave_at, self._settings),
                work_at(visit, self._tasks.get(visit.task_id)),
                visit.vehicle_id,
                visit.place,
                visit.leg_m / 1000,
                visit.leg_s / 60,
                visit.load_vehicles,
                visit.batteries_left,
                self._adds.get(visit.task_id) if visit.task_id not in self._counted else None,
                self._changed.get(visit.task_id, "") if visit.task_id not in self._counted else "",
                *self._edit(visit.task_id),
                visit.task_id,
                _row_name(key),
                Link(directions_url(visit.at), "directions"),
            )
            self._counted.add(visit.task_id)
        yield from self._pauses(route, len(route.visits))
        last: Visit | None = route.visits[-1] if route.visits else None
        yield (
            route.worker,
            len(route.visits) + 1,
            "",
            "",
            "",
            local(route.end_at, self._settings),
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
            "",
            None,
            None,
            "",
            "",
            f"{route.worker}: back at start",
            None,
        )

    def _pauses(self, route: Route, after: int) -> Iterator[tuple[Value, ...]]:
        """Rows without a stop number: planners cannot move them, their settings can."""
        for number, pause in enumerate(route.pauses, start=self._paused[route.worker] + 1):
            if pause.after_stop == after:
                yield (
                    route.worker, None, "", "", "", local(pause.start_at, self._settings),
                    local(pause.end_at, self._settings), pause.kind.value, "", "", None, None,
                    None, pause.batteries_left, None, "", "", None, None, "", "",
                    f"{route.worker}: {pause.kind.value} {number}", None,
                )  # fmt: skip

    def left_out(self, tasks: Sequence[Task], plan: Plan) -> Iterator[tuple[Value, ...]]:
        """A row for each edited task on no route, so that its exclusion can be taken back."""
        for task in sorted(tasks, key=lambda task: task.task_id):
            outcome = self._outcomes.get(task.task_id)
            if outcome is None or task.task_id in plan.planned_task_ids:
                continue
            yield (
                "", None, "", "yes" if outcome.edit.excluded else "", "", None, None,
                ", ".join(kind.value for kind in task.kinds), task.vehicle_id,
                place_of(task, self._settings), None, None, None, None, None,
                self._changed.get(task.task_id, ""), *self._edit(task.task_id), task.task_id,
                _row_name(StopKey(task.task_id)),
                Link(directions_url(task.before.at), "directions"),
            )  # fmt: skip

    def _lock(self, key: StopKey) -> str:
        """Whoever is bound to a worker shows it, as the next run keeps just what is locked."""
        outcome = self._outcomes.get(key.task_id)
        if outcome is None or not outcome.kept:
            return ""
        bound_only = not outcome.edit.locked
        first_only = outcome.edit.locked and key not in outcome.edit.locked and key.drop_off
        return "" if first_only or (bound_only and key.drop_off) else "yes"

    def _edit(self, task_id: str) -> tuple[Value, ...]:
        """Edit, its costs and the problem; at the task's first row only."""
        outcome = self._outcomes.get(task_id)
        problem = self._problems.get(task_id, "")
        if task_id in self._counted:
            return ("", None, None, "")
        if outcome is None:
            return ("", None, None, sentence(problem))
        money_milli, seconds = outcome.cost_milli, outcome.cost_s
        problems = [sentence(text) for text in (outcome.problem, problem) if text]
        return (
            outcome.edit.text,
            None if money_milli is None else money_milli / 1000,
            None if seconds is None else seconds / 60,
            " ".join(problems),
        )


def _as_done(row: Mapping[str, Value], columns: Sequence[ResultColumn]) -> tuple[Value, ...]:
    """A row as it was, marked done; what it was planned to add is earned already."""
    kept = {**row, "Done": "yes", "Lock": "", "Exclude": "", "Since the last plan": ""}
    return tuple(
        None if column.header == "Directions" or column.header.startswith("What it adds")
        else kept.get(column.header)
        for column in columns
    )  # fmt: skip


def _row_name(key: StopKey) -> str:
    return f"{key.task_id}, drop-off" if key.drop_off else key.task_id
