"""`fleetdesk replay`: today's settings on past days, each planned only from what came before it.

Nobody can say what a plan that was never driven would have earned. What can be held against the
records: vehicles of the plan that crews did serve that day, and vehicles that nobody served.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from math import fsum
from pathlib import Path
from typing import Any

from fleetdesk.errors import NotEnoughData
from fleetdesk.features.calendar import naive_utc
from fleetdesk.fleet.record_checks import check_records
from fleetdesk.model.work import Task
from fleetdesk.settings.schema import Settings
from fleetdesk.store.base import Store
from fleetdesk.workflows.context import Clock, open_context, utc_now
from fleetdesk.workflows.known import known
from fleetdesk.workflows.moment import shift_start
from fleetdesk.workflows.plan_day import DayPlan, plan_day
from fleetdesk.workflows.progress import OnProgress, part, silent
from fleetdesk.workflows.record import Record


@dataclass(frozen=True, slots=True)
class Held:
    """Vehicles whose revenue was foreseen and is on record: how many, and both sums."""

    vehicles: int
    foreseen: float
    realised: float


@dataclass(frozen=True, slots=True)
class ReplayDay:
    """One past day under today's settings; money in city currency.

    `roi` and `profit` are what the plan promises. `served` are vehicles of the plan that crews did
    serve that day, with the revenue foreseen after the task; `left` are vehicles with a task that
    nobody served within the horizon, with the revenue foreseen without it. Both at scooter level,
    as a record shows it.
    """

    day: date
    tasks: int
    planned: int
    roi: float
    profit: float
    served: Held
    left: Held


@dataclass(frozen=True)
class Replay:
    """The days, oldest first."""

    days: tuple[ReplayDay, ...]
    currency: str

    def as_dict(self) -> Mapping[str, Any]:
        """For the command line."""
        return {
            "currency": self.currency,
            "days": [{**asdict(day), "day": day.day.isoformat()} for day in self.days],
            "text": self._text(),
        }

    def _text(self) -> str:
        names = ("Tasks", "Planned", "ROI", "Profit", "Served", "foreseen", "realised", "Left",
                 "foreseen", "realised")  # fmt: skip
        lines = [
            f"Money in {self.currency}. Each day is planned from what was known before it. Served: "
            "planned vehicles that crews did serve that day, and their revenue over the horizon; "
            "left: vehicles with a task that nobody served. Crews came at times of their own, and "
            "sooner to vehicles that were ridden empty: both may bring less than foreseen by that. "
            "How true estimates are stands on the sheet Task history. Nothing was written.",
            "Day       " + "".join(f"{name:>10}" for name in names),
        ]
        lines += [f"{day.day}" + _cells(day) for day in self.days]
        return "\n".join([*lines, "Sum       " + _cells(_sum(self.days))])


def replay(
    address: str,
    *,
    weeks: int = 4,
    folder: Path | None = None,
    clock: Clock = utc_now,
    on_progress: OnProgress = silent,
) -> Replay:
    """Plan each day of the last `weeks` anew; days whose outcome is not on record are left out."""
    with open_context(address, folder, clock, writing=False) as context:
        settings = context.settings
        checked = check_records(context.store.tables())
        today = known(context.store, settings, checked)
        days = _days(context.store, settings, today.moment.as_of, weeks)
        record = Record.of(today.history, settings)
        found = []
        for number, day in enumerate(days):
            report = part(on_progress, number / len(days), (number + 1) / len(days))
            then = _as_of(settings, day)
            plan = plan_day(
                context.store,
                then,
                folder=context.folder,
                record=known(context.store, then, checked),
                looking_back=False,
                on_progress=report,
            )
            found.append(_held_against(plan, record, settings))
        return Replay(tuple(found), settings.city.currency)


def _days(store: Store, settings: Settings, last: datetime, weeks: int) -> Sequence[date]:
    window = store.data_window()
    horizon = timedelta(hours=settings.thresholds.horizon_h)
    days = [last.date() - timedelta(days=back) for back in range(7 * weeks + 2, -1, -1)]
    first = window[0] + timedelta(days=1) if window else last
    over = [
        day
        for day in days
        if first <= shift_start(settings, day) and shift_start(settings, day) + horizon <= last
    ][-7 * weeks :]
    if not over:
        raise NotEnoughData(
            "There is no past day whose outcome is known",
            found=f"records up to {last:%Y-%m-%d %H:%M} UTC, and a horizon of "
            f"{settings.thresholds.horizon_h:g} h",
            fix="Import more records",
        )
    return over


def _as_of(settings: Settings, day: date) -> Settings:
    """The settings as if that day were planned, without the error margins that nobody will see."""
    return settings.model_copy(
        update={
            "city": settings.city.model_copy(update={"plan_day": day}),
            "travel": settings.travel.model_copy(update={"rest_from": None}),
            "thresholds": settings.thresholds.model_copy(update={"bootstrap_rounds": 0}),
        }
    )


def _held_against(day: DayPlan, record: Record, settings: Settings) -> ReplayDay:
    start = naive_utc(day.moment.starts_at.astimezone(UTC))
    end = start + timedelta(hours=settings.thresholds.horizon_h)
    planned = day.plan.planned_task_ids
    served = [t for t in day.tasks if record.was_served(t.vehicle_id, start, end)]
    hit = [t for t in served if t.task_id in planned]
    left = [t for t in day.tasks if t not in served]

    def held(tasks: Sequence[Task], *, after: bool) -> Held:
        foreseen = []
        for task in tasks:
            revenues = day.rois[task.task_id].scooter
            if revenues is not None:
                foreseen.append(revenues.after if after else revenues.without)
        realised = fsum(record.revenue(task.vehicle_id, start, end) for task in tasks)
        return Held(len(tasks), fsum(foreseen), realised)

    return ReplayDay(
        day=day.moment.day,
        tasks=len(day.tasks),
        planned=len(planned),
        roi=fsum(day.rois[task_id].roi for task_id in planned),
        profit=day.plan.profit_milli / 1000,
        served=held(hit, after=True),
        left=held(left, after=False),
    )


def _sum(days: Sequence[ReplayDay]) -> ReplayDay:
    def held(parts: Sequence[Held]) -> Held:
        return Held(
            sum(part.vehicles for part in parts),
            fsum(part.foreseen for part in parts),
            fsum(part.realised for part in parts),
        )

    return ReplayDay(
        day=days[-1].day,
        tasks=sum(day.tasks for day in days),
        planned=sum(day.planned for day in days),
        roi=fsum(day.roi for day in days),
        profit=fsum(day.profit for day in days),
        served=held([day.served for day in days]),
        left=held([day.left for day in days]),
    )


def _cells(day: ReplayDay) -> str:
    cells = [f"{day.tasks}", f"{day.planned}", f"{day.roi:.2f}", f"{day.profit:.2f}"]
    for part_ in (day.served, day.left):
        cells += [f"{part_.vehicles}", f"{part_.foreseen:.2f}", f"{part_.realised:.2f}"]
    return "".join(f"{cell:>10}" for cell in cells)
