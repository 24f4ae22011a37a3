"""What earlier runs planned beside what crews did: money, minutes, and what leaving a task costs.

It suggests settings and never changes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import sqrt
from statistics import fmean, median, variance
from typing import Any

from fleetdesk.errors import StoreUnusable
from fleetdesk.features.calendar import moment, naive_utc
from fleetdesk.features.cell_expressions import haversine_m
from fleetdesk.fleet.historical_tasks import HistoricalTasks
from fleetdesk.fleet.history import History
from fleetdesk.fleet.task_roi import mean_cost_per_h
from fleetdesk.model.plan import DropCode
from fleetdesk.outputs.tables.planned_done import DoneRow
from fleetdesk.outputs.tables.tasks import OFFERED
from fleetdesk.settings.schema import Settings
from fleetdesk.store.base import RunState, Store
from fleetdesk.workflows.moment import shift_start
from fleetdesk.workflows.record import Record

DAY = timedelta(days=1)
_ENOUGH = 10  # fewer tasks suggest nothing
_RUNS = 100
_VAN_KMH = 25.0
_ON_THE_WAY = "Other stops on the way are in it, so that a pick-up and a drop-off take less."
_CLOSE = 0.1  # a tenth off is no reason to change a setting


@dataclass(frozen=True)
class PlannedTask:
    """A task of an earlier run; `start` is its day's first shift. Money in city currency."""

    vehicle_id: str
    start: datetime
    planned: bool
    held_back: bool
    roi: float | None
    revenue_without: float | None
    offered: float | None


def done_against_planned(
    store: Store, history: History, past: HistoricalTasks, settings: Settings
) -> tuple[DoneRow, ...]:
    """Match earlier runs' tasks and the crews' own records with the ledger up to `history.as_of`.

    A planned task counts as done when its vehicle was served within a day of the shift's start.
    """
    tasks = [t for t in earlier_tasks(store, settings) if t.start + DAY <= history.as_of]
    record = Record.of(history, settings)
    return (
        *_plans(tasks, record, past, settings),
        *crews_work(_service_rows(store, history, settings), settings),
        *leaving(tasks, record, settings),
    )


def earlier_tasks(store: Store, settings: Settings) -> list[PlannedTask]:
    """The tasks that finished runs kept, of each day planned as its last run saw them.

    A run of the rest of a day has not what was done before; that is as the run before it had it.
    A day whose results were cleared away since has none.
    """
    finished = [run for run in store.runs.list() if run.state is RunState.FINISHED]
    by_day: dict[str, list[str]] = {}
    for run in finished[-_RUNS:]:
        if "day" in run.summary:
            by_day.setdefault(run.summary["day"], []).append(run.run_id)
    found = []
    for day, runs in sorted(by_day.items()):
        start = shift_start(settings, date.fromisoformat(day))
        found += [_planned_task(row, start) for row in _tasks_of_day(store, runs)]
    return found


def _tasks_of_day(store: Store, runs: Sequence[str]) -> list[Mapping[str, Any]]:
    *before, last = runs
    rows = _kept(store, last, "Tasks")
    routes = _kept(store, last, "Routes") if before else []
    done = {row["Task"] for row in routes if row.get("Done") == "yes"}
    done -= {row["Task"] for row in rows}
    while before and done:
        more = [row for row in _kept(store, before.pop(), "Tasks") if row["Task"] in done]
        done -= {row["Task"] for row in more}
        rows += more
    return rows


def _kept(store: Store, run_id: str, sheet: str) -> list[Mapping[str, Any]]:
    try:
        rows: list[Mapping[str, Any]] = store.result(run_id, sheet).to_pylist()
    except StoreUnusable:
        return []  # only the last runs' results are kept for good
    return rows


def leaving(
    tasks: Iterable[PlannedTask], record: Record, settings: Settings
) -> tuple[DoneRow, ...]:
    """What tasks held back at random earned, and how much more the planned ones did.

    The lot makes both alike, so that their difference is what leaving a task costs in revenue.
    """
    tasks = list(tasks)
    held = [task for task in tasks if task.held_back]
    if not held:
        return ()
    horizon = timedelta(hours=settings.thresholds.horizon_h)

    def earned(group: Sequence[PlannedTask]) -> list[float]:
        starts = [naive_utc(task.start.astimezone(UTC)) for task in group]
        return [
            record.revenue(task.vehicle_id, start, start + horizon)
            for task, start in zip(group, starts, strict=True)
        ]

    currency = settings.city.currency
    without = [task.revenue_without for task in held if task.revenue_without is not None]
    left = earned(held)
    rows = [
        DoneRow(
            "Revenue of tasks held back at random, each", len(held),
            fmean(without) if without else None, fmean(left), currency,
            "Foreseen is at the level that plans are made on, measured is the vehicle's own.",
        )
    ]  # fmt: skip
    done = earned([task for task in tasks if task.planned])
    if len(left) > 1 and len(done) > 1:
        margin = 1.96 * sqrt(variance(done) / len(done) + variance(left) / len(left))
        rows.append(
            DoneRow(
                "What leaving a task costs in revenue, each", len(held) + len(done), None,
                fmean(done) - fmean(left), currency, f"Give or take {margin:.2f} {currency}.",
            )
        )  # fmt: skip
    return tuple(rows)


def _plans(
    tasks: Sequence[PlannedTask], record: Record, past: HistoricalTasks, settings: Settings
) -> Iterable[DoneRow]:
    planned = [task for task in tasks if task.planned]
    if not planned:
        return
    done = [
        task
        for task in planned
        if record.was_served(task.vehicle_id, naive_utc(task.start), naive_utc(task.start + DAY))
    ]
    yield DoneRow("Planned tasks done within a day", len(planned), len(planned), len(done),
                     "tasks")  # fmt: skip
    realised: dict[str, list[tuple[datetime, float]]] = {}
    for vehicle, at, roi in zip(
        past.vehicle_id.tolist(), past.started_at, past.roi.tolist(), strict=True
    ):
        realised.setdefault(vehicle, []).append((at, roi))
    pairs = []
    for task in done:
        hits = [
            roi
            for at, roi in realised.get(task.vehicle_id, ())
            if task.start <= at < task.start + DAY
        ]
        if hits and task.roi is not None:
            pairs.append((task.roi, hits[0]))
    if pairs:
        yield DoneRow(
            "ROI of those done, each", len(pairs), fmean(p for p, _ in pairs),
            fmean(r for _, r in pairs), settings.city.currency,
        )  # fmt: skip


def crews_work(rows: Sequence[Mapping[str, Any]], settings: Settings) -> Iterable[DoneRow]:
    """The crews' own records against the sheet's minutes and costs.

    A row has `task_kind`, `cost`, `minutes` from start to end and `apart_m` between their places
    (None where one is not known). The sheet's minutes of a move are without the drive, so that the
    time vans need for that distance is taken off; a move of unknown distance is left out.
    """
    costs, hourly = settings.costs, mean_cost_per_h(settings)
    move_min = costs.pick_up_min + costs.drop_off_min
    kinds = (
        ("swap", ("swap",), costs.swap_min, costs.swap_cost, "Time for a swap"),
        (
            "move",
            ("rebalance",),
            move_min,
            costs.move_cost,
            "Time for a pick-up and for a drop-off",
        ),
    )
    for name, told, minutes, material, label in kinds:
        mine = [row for row in rows if row["task_kind"] in told]
        driven = [_driven_min(row, settings) if name == "move" else 0.0 for row in mine]
        took = [
            max(0.0, row["minutes"] - drive)
            for row, drive in zip(mine, driven, strict=True)
            if row["minutes"] > 0 and drive is not None
        ]
        if len(took) >= _ENOUGH:
            measured = median(took)
            yield DoneRow(
                f"Work of a {name}{', drive taken off' if name == 'move' else ''}, middle of all",
                len(took), minutes, measured, "min",
                _suggest(label, minutes, measured, "min") if name == "swap" else _ON_THE_WAY,
            )  # fmt: skip
        paid = [row["cost"] for row in mine if row["cost"] is not None]
        if len(paid) >= _ENOUGH:
            cost, measured = material + minutes / 60 * hourly, fmean(paid)
            yield DoneRow(
                f"Cost of a {name}, each", len(paid), cost, measured, settings.city.currency,
                _suggest("material or work", cost, measured, settings.city.currency),
            )  # fmt: skip


def _driven_min(row: Mapping[str, Any], settings: Settings) -> float | None:
    """What vans take from a pick-up to its drop-off, as the crow flies times the sheet's detour."""
    apart_m: float | None = row["apart_m"]
    if apart_m is None:
        return None
    speeds = [worker.speed_kmh for worker in settings.workers if worker.active] or [_VAN_KMH]
    return apart_m * settings.travel.detour_factor * 0.06 / fmean(speeds)


def _service_rows(store: Store, history: History, settings: Settings) -> list[dict[str, Any]]:
    done = store.tables()["service_tasks"]
    done = done.filter(
        (done.completed_at <= moment(history.as_of))
        & (done.started_at >= moment(history.start(settings)))
    )
    rows: list[dict[str, Any]] = done.select(
        "task_kind",
        "cost",
        minutes=done.completed_at.delta(done.started_at, unit="microsecond") / 6e7,
        apart_m=haversine_m(done.from_lat, done.from_lon, done.to_lat, done.to_lon),
    ).to_pyarrow().to_pylist()  # fmt: skip
    return rows


def _suggest(label: str, sheet: float, measured: float, unit: str) -> str:
    if abs(measured - sheet) <= _CLOSE * max(abs(sheet), 1e-9):
        return "The sheet agrees."
    return f"Consider {measured:.1f} {unit} instead of {sheet:.1f} in Costs & prices: {label}."


def _planned_task(row: Mapping[str, Any], start: datetime) -> PlannedTask:
    return PlannedTask(
        vehicle_id=row["Vehicle"],
        start=start,
        planned=row["Planned?"] != "no",
        held_back=DropCode.HELD_BACK.value in (row["Why not planned"] or "").lower(),
        roi=_of(row, "ROI, "),
        revenue_without=_of(row, "Revenue without task"),
        offered=_of(row, OFFERED),
    )


def _of(row: Mapping[str, Any], beginning: str) -> float | None:
    """The first column that begins so: currency and level are part of the header."""
    return next((row[name] for name in row if name.startswith(beginning)), None)
