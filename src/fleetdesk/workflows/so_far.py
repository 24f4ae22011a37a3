"""How far the last plan of the day has come: what is done by now, and where the vans are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fleetdesk.errors import Problem, Severity, StoreUnusable
from fleetdesk.model.edits import Edits, StopKey, TaskEdit
from fleetdesk.model.fleet import VehicleNow
from fleetdesk.model.places import Point
from fleetdesk.model.plan import Action, PauseKind
from fleetdesk.model.work import Task, TaskKind, Van
from fleetdesk.routes.resume import Underway, rest_of_day
from fleetdesk.settings.schema import Settings
from fleetdesk.store.base import Store
from fleetdesk.workflows.kept_results import last_plan
from fleetdesk.workflows.moment import Moment

Row = Mapping[str, Any]


@dataclass(frozen=True)
class SoFar:
    """The tasks and vans to plan with, and the rows of the sheet Routes that are done before.

    `settled` are the tasks that are done or whose vehicle is on a van: nothing is to be decided
    about them any more.
    """

    tasks: tuple[Task, ...]
    vans: tuple[Van, ...]
    rows: tuple[Row, ...] = ()
    settled: frozenset[str] = frozenset()
    notes: tuple[Problem, ...] = ()

    def open(self, edits: Edits) -> Edits:
        """The planner's edits without those of settled tasks, which are told of."""
        over = [edit for edit in edits.tasks if edit.task_id in self.settled]
        return replace(
            edits,
            tasks=tuple(edit for edit in edits.tasks if edit not in over),
            problems=(*edits.problems, *((edit.task_id, _over(edit)) for edit in over)),
        )


def so_far(
    store: Store,
    now: Moment,
    tasks: Sequence[Task],
    vans: Sequence[Van],
    said: Mapping[StopKey, bool],
    fleet: Sequence[VehicleNow],
    timezone: str,
) -> SoFar:
    """What is left of the day at `now.starts_at`; all of it where the whole day is planned.

    A stop counts as done once its van has set out for it: vans are not called back on the way.
    `said` are the stops of which the planner knows better. What somebody did who is no longer at
    work stays done.
    """
    if not now.rest:
        return SoFar(tuple(tasks), tuple(vans), notes=_done_unused(store, now, said))
    rows = _last_rows(store)
    if rows is None:
        return SoFar(tuple(tasks), tuple(vans), notes=(_nothing_kept(now),))
    zone = ZoneInfo(timezone)
    seen = {vehicle.vehicle_id: vehicle.at for vehicle in fleet}
    at_work = {van.worker for van in vans}
    away = sorted({str(row["Worker"]) for row in rows if row["Worker"]} - at_work)
    here = [_Crew(van.worker, now.starts_at, rows, said, zone) for van in vans]
    gone = [_Crew(worker, now.starts_at, rows, said, zone) for worker in away]
    crews = (*here, *gone)
    by_id = {task.task_id: task for task in tasks}
    underway = tuple(crew.underway(van, by_id, seen) for crew, van in zip(here, vans, strict=True))
    held = {task_id for each in underway for task_id in each.on_board}
    done = {str(row["Task"]) for crew in crews for row in crew.stops} - held
    left, from_here = rest_of_day(tasks, vans, underway, done)
    stranded = [
        *(_stranded(row, "who has no van now") for crew in gone for row in crew.to_drop_off),
        *(
            _stranded(row, "and no task moves it any more")
            for crew in here
            for row in crew.to_drop_off
            if row["Task"] not in held
        ),
    ]
    return SoFar(
        left,
        from_here,
        tuple(row for crew in crews for row in crew.rows),
        frozenset(done | held),
        tuple(stranded),
    )


def rest_unused(now: Moment, settings: Settings) -> tuple[Problem, ...]:
    """A word where the sheet asks for the rest of a day and the whole is planned."""
    if settings.travel.rest_from is None or now.rest:
        return ()
    return (
        Problem(
            "Routes & travel", "", "Rest of the day from has no effect,",
            f"because the last plan is not of {now.day} or no shift has begun by then",
            "Clear it, or plan the day first", Severity.NOTE,
        ),
    )  # fmt: skip


def _last_rows(store: Store) -> list[Row] | None:
    last = last_plan(store)
    try:
        return None if last is None else list(store.result(last.run_id, "Routes").to_pylist())
    except StoreUnusable:
        return None


def _nothing_kept(now: Moment) -> Problem:
    return Problem(
        "Routes & travel", "", "The last plan's routes were not kept,",
        f"so the rest of {now.day} is planned as if nothing were done yet",
        "", Severity.WARNING,
    )  # fmt: skip


def _done_unused(store: Store, now: Moment, said: Mapping[StopKey, bool]) -> tuple[Problem, ...]:
    """A word where stops of the same day are done and all of it is planned again."""
    count, last = sum(said.values()), last_plan(store)
    if not count or last is None or last.summary["day"] != now.day.isoformat():
        return ()
    return (
        Problem(
            "Routes", "", f"Done is yes at {count} stop{'' if count == 1 else 's'},",
            f"which counts for nothing, because the whole of {now.day} is planned",
            "Enter a time in Rest of the day from on Routes & travel", Severity.NOTE,
        ),
    )  # fmt: skip


def _over(edit: TaskEdit) -> Problem:
    return Problem(
        "Routes", edit.cell, f"{edit.task_id} was done, or its vehicle on a van, by then,",
        f"so this edit is over: {edit.text}", "If it was not, enter no in Done", Severity.NOTE,
    )  # fmt: skip


def _stranded(row: Row, why: str) -> Problem:
    return Problem(
        "Routes", "", f"{row['Vehicle']} is on the van of {row['Worker']}, {why},",
        "so that no route drops it off",
        "Tell the worker where to leave it, or enter no in Done where it was not picked up",
        Severity.WARNING,
    )  # fmt: skip


class _Crew:
    """One worker's rows of the last plan, parted into those that are done and the others."""

    def __init__(
        self,
        worker: str,
        now: datetime,
        rows: Sequence[Row],
        said: Mapping[StopKey, bool],
        zone: ZoneInfo,
    ) -> None:
        self._now, self._said, self._zone = now, said, zone
        mine = [row for row in rows if row["Worker"] == worker and row["Arrive"] is not None]
        mine.sort(key=lambda row: (row["Arrive"], row["Stop"] or 0))
        self._mine = mine
        self._all_stops = [row for row in mine if row["Task"]]
        self.stops = [row for row in self._all_stops if self._is_done(row)]
        until = max((row["Arrive"] for row in self.stops), default=None)
        pauses = [row for row in mine if row["Action"] in set(PauseKind)]
        self._pauses = [row for row in pauses if until is not None and row["Arrive"] <= until]
        self._pauses += [row for row in pauses if until is not None and self._at_break(row, until)]
        done = [*self.stops, *self._pauses]
        self.rows = sorted(done, key=lambda row: (row["Arrive"], row["Stop"] or 0))
        ways_back = [row for row in mine if not row["Task"] and row not in pauses]
        self._back = ways_back[-1] if ways_back else None

    @property
    def to_drop_off(self) -> list[Row]:
        """Pick-ups that are done of vehicles that are still to be dropped off."""
        dropped = {row["Task"] for row in self.stops if row["Action"] == Action.DROP_OFF}
        return [
            row
            for row in self.stops
            if Action.PICK_UP in row["Action"] and row["Task"] not in dropped
        ]

    def underway(self, van: Van, tasks: Mapping[str, Task], seen: Mapping[str, Point]) -> Underway:
        """Where the van is free to go on, and what it has on board; `seen` are the vehicles."""
        full = van.battery_capacity
        if not self.stops:
            return Underway(van.worker, van.start, max(self._now, van.shift_start), full)
        on_board = [str(row["Task"]) for row in self.to_drop_off]
        held = tuple(task for task in on_board if task in tasks and tasks[task].moves)
        taken = {pause: self._taken(pause) for pause in PauseKind}
        home = len(self.stops) == len(self._all_stops) and self._set_out(self._back)
        if home and self._back is not None:
            free = max(self._now, self._moment(self._back["Arrive"]))
            return Underway(
                van.worker, van.end, free, full, held,
                breaks=taken[PauseKind.BREAK], reloads=taken[PauseKind.RELOAD],
            )  # fmt: skip
        last = self.stops[-1]
        begun = [row for row in (last, *self._pauses) if self._set_out(row)]
        skipped = [row for row in self._all_stops if row not in self.stops]
        unused = sum(
            tasks[row["Task"]].batteries
            for row in skipped
            if row["Arrive"] < last["Arrive"]
            and row["Task"] in tasks
            and row["Action"] != Action.DROP_OFF
        )
        return Underway(
            van.worker,
            _place(last, tasks, seen.get(last["Vehicle"], van.start)),
            # What is done before its time keeps nobody until then.
            max([self._now, *(self._moment(row["Leave"]) for row in begun)]),
            min(full, int(last["Batteries left"] or 0) + unused),
            held,
            kept=len(on_board)
            - len(held)
            + sum(TaskKind.BRING_IN in row["Action"] for row in self.stops),
            breaks=taken[PauseKind.BREAK],
            reloads=taken[PauseKind.RELOAD],
        )

    def _is_done(self, row: Row) -> bool:
        said = self._said.get(_key(row))
        if said is None and row.get("Done") == "yes":
            return True
        return self._set_out(row) if said is None else said

    def _set_out(self, row: Row | None) -> bool:
        if row is None:
            return False
        # Who sets out at this very moment can still be sent elsewhere, as when planning again.
        return self._moment(self._sets_out_at(row)) < self._now

    def _sets_out_at(self, row: Row) -> datetime:
        """When the van leaves for a stop; where it reloads on the way, when it leaves for that."""
        arrives: datetime = row["Arrive"]
        sets_out = arrives - timedelta(minutes=row["Leg (min)"] or 0)
        before = [other for other in self._mine if other["Arrive"] < arrives]
        while before and not before[-1]["Task"]:
            pause = before.pop()
            if pause["Action"] == PauseKind.RELOAD and before:
                sets_out = before[-1]["Leave"]
        return sets_out

    def _at_break(self, row: Row, until: datetime) -> bool:
        """Whether it is a break after the last stop done that has begun."""
        next_stop = min((r["Arrive"] for r in self._all_stops if r["Arrive"] > until), default=None)
        in_between = until < row["Arrive"] and (next_stop is None or row["Arrive"] < next_stop)
        return in_between and row["Action"] == PauseKind.BREAK and self._set_out(row)

    def _taken(self, kind: PauseKind) -> int:
        return sum(row["Action"] == kind for row in self._pauses)

    def _moment(self, local: datetime) -> datetime:
        return local.replace(tzinfo=self._zone)


def _place(row: Row, tasks: Mapping[str, Task], seen: Point) -> Point:
    """Where the stop is: as its task says, else where the vehicle was seen."""
    task = tasks.get(row["Task"])
    if task is None:
        return seen
    return task.after.at if row["Action"] == Action.DROP_OFF else task.before.at


def _key(row: Row) -> StopKey:
    return StopKey(str(row["Task"]), row["Action"] == Action.DROP_OFF)
