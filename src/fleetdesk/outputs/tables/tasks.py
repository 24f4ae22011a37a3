"""The sheet Tasks: every task with why it is there, why this rank, and why it is not planned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fleetdesk.model.fleet import VehicleNow
from fleetdesk.model.plan import Action, Dropped, Plan
from fleetdesk.model.work import Priority, Task, TaskRoi
from fleetdesk.outputs.wording import other_level, other_roi, place_of, roi_name, sentence
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import CellStyle, ResultColumn, ResultSheet, Value

OFFERED = "Offered to workers"


def tasks_sheet(
    tasks: Sequence[Task],
    priorities: Sequence[Priority],
    rois: Mapping[str, TaskRoi],
    plan: Plan,
    fleet: Sequence[VehicleNow],
    settings: Settings,
    pay: Mapping[str, float] | None = None,
    changed: Mapping[str, str] | None = None,
) -> ResultSheet:
    """One row per task, best rank first; tasks without a rank come last, by id.

    `pay` is what each is offered at, in city currency, where workers are paid by the task;
    `changed` what is other than in the last plan (tables.plan_changes), None without one.
    """
    rank_of = {priority.task_id: priority for priority in priorities}
    vehicles = {vehicle.vehicle_id: vehicle for vehicle in fleet}
    stops = _stops(plan)
    dropped = {item.task_id: item for item in plan.dropped}
    ordered = sorted(
        tasks,
        key=lambda task: (
            rank_of[task.task_id].rank if task.task_id in rank_of else len(tasks) + 1,
            task.task_id,
        ),
    )
    rows = [
        _row(
            task,
            rank_of.get(task.task_id),
            rois.get(task.task_id),
            vehicles.get(task.vehicle_id),
            stops.get(task.task_id, ""),
            dropped.get(task.task_id),
            (changed or {}).get(task.task_id, ""),
            settings,
        )
        for task in ordered
    ]
    planned = sum(task.task_id in stops for task in tasks)
    return ResultSheet(
        sheet="Tasks",
        title=f"Tasks: {settings.city.name}",
        note=(
            f"{planned} of {len(tasks)} tasks are planned. Each row says why it is here, why it "
            f"has this rank and, if it is on no route, why. Money runs "
            f"{settings.thresholds.horizon_h:g} h ahead; travel is charged on the route."
            f"{_changes_note(changed)}"
        ),
        table_name="Tasks",
        columns=_columns(settings) if pay is None else (*_columns(settings), _pay(settings)),
        rows=rows if pay is None else _paid(ordered, rows, pay),
        key="Task",
    )


def _changes_note(changed: Mapping[str, str] | None) -> str:
    if changed is None:
        return ""
    return f" {len(changed)} task{'' if len(changed) == 1 else 's'} changed since the last plan."


def _pay(settings: Settings) -> ResultColumn:
    return ResultColumn(
        f"{OFFERED} ({settings.city.currency})", CellStyle.MONEY, 13,
        "Pay per task by willingness to accept; empty = worth less than the lowest pay.",
    )  # fmt: skip


def _paid(
    tasks: Sequence[Task], rows: Sequence[tuple[Value, ...]], pay: Mapping[str, float]
) -> list[tuple[Value, ...]]:
    return [(*row, pay.get(task.task_id)) for task, row in zip(tasks, rows, strict=True)]


def _columns(settings: Settings) -> tuple[ResultColumn, ...]:
    currency = settings.city.currency
    workers = tuple(worker.name for worker in settings.workers if worker.active)
    return (
        ResultColumn("Rank", CellStyle.INTEGER, 7, "1 = first by priority."),
        ResultColumn("Task", CellStyle.TEXT, 20, "Names the task in all sheets."),
        ResultColumn("Vehicle", CellStyle.TEXT, 16),
        ResultColumn("What to do", CellStyle.TEXT, 30),
        ResultColumn("Must do", CellStyle.TEXT, 9, "yes = a rule of Task rules says so."),
        ResultColumn("Skill", CellStyle.TEXT, 12, "Who may do it; empty = anyone."),
        ResultColumn("Where", CellStyle.TEXT, 30, "Parking, or cell of the demand grid."),
        ResultColumn("Destination", CellStyle.TEXT, 30, "Parking it is taken to; empty = stays."),
        ResultColumn("Battery (%)", CellStyle.PERCENT, 10, "Empty = not known."),
        ResultColumn("Idle (h)", CellStyle.DECIMAL, 9, "Since its last trip; empty = none known."),
        ResultColumn(
            "Priority (0-100)", CellStyle.DECIMAL, 12, "By Weights; Task rules may add points."
        ),
        ResultColumn(
            f"{roi_name(settings)} ({currency})", CellStyle.MONEY, 14,
            "Revenue with the task, less revenue without it, less cost. Fleet-level counts only "
            "trips that no other vehicle would have taken.",
        ),
        ResultColumn(
            f"Low end of it ({currency})", CellStyle.MONEY, 11,
            "1 in 20 draws of the history puts it lower.",
        ),
        ResultColumn(
            f"High end of it ({currency})", CellStyle.MONEY, 11,
            "1 in 20 draws of the history puts it higher.",
        ),
        ResultColumn(
            f"{roi_name(settings, other_level(settings))} ({currency})", CellStyle.MONEY, 14,
            "For comparison: scooter-level counts all trips of the vehicle itself.",
        ),
        ResultColumn(f"Revenue with task ({currency})", CellStyle.MONEY, 13),
        ResultColumn(f"Revenue without task ({currency})", CellStyle.MONEY, 16),
        ResultColumn(f"Cost ({currency})", CellStyle.MONEY, 10, "Material and work, not travel."),
        ResultColumn("Planned?", CellStyle.TEXT, 32, "Worker and stop number, or no."),
        ResultColumn(
            "Give to", CellStyle.TEXT, 16, "A worker puts a task that is on no route on that one.",
            True, workers,
        ),
        ResultColumn("As stop", CellStyle.INTEGER, 9, "Empty = where it fits best.", True),
        ResultColumn("Since the last plan", CellStyle.TEXT, 26, "Empty = as it was."),
        ResultColumn("Why it is here", CellStyle.WRAPPED, 40),
        ResultColumn("Why this rank", CellStyle.WRAPPED, 44, "Strength 0-1 times weight's share."),
        ResultColumn("Why not planned", CellStyle.WRAPPED, 48),
    )  # fmt: skip


def _row(
    task: Task,
    priority: Priority | None,
    roi: TaskRoi | None,
    vehicle: VehicleNow | None,
    stops: str,
    dropped: Dropped | None,
    changed: str,
    settings: Settings,
) -> tuple[Value, ...]:
    return (
        priority.rank if priority else None,
        task.task_id,
        task.vehicle_id,
        ", ".join(kind.value for kind in task.kinds),
        "yes" if task.must else "",
        task.skill,
        place_of(task, settings),
        task.to_name if task.moves else "",
        vehicle.battery_pct if vehicle else task.before.battery_pct,
        task.idle_h,
        priority.score_pct if priority else None,
        roi.roi if roi else None,
        roi.interval[0] if roi and roi.interval else None,
        roi.interval[1] if roi and roi.interval else None,
        other_roi(roi, settings) if roi else None,
        roi.revenue_after if roi else None,
        roi.revenue_without if roi else None,
        roi.cost if roi else None,
        stops or "no",
        "",
        None,
        changed,
        _why_here(task),
        _why_rank(priority),
        _why_not(stops, dropped),
    )


def _stops(plan: Plan) -> dict[str, str]:
    """`Ana, stop 3` or `Ana, stops 3 and 5` per planned task."""
    numbers: dict[str, list[int]] = {}
    worker: dict[str, str] = {}
    drop_offs: dict[str, int] = {}
    for route in plan.routes:
        for number, visit in enumerate(route.visits, start=1):
            worker[visit.task_id] = route.worker
            if visit.action is Action.DROP_OFF:
                drop_offs[visit.task_id] = number
            else:
                numbers.setdefault(visit.task_id, []).append(number)
    texts = {}
    for task_id, name in worker.items():
        here = ", ".join(str(number) for number in numbers.get(task_id, []))
        texts[task_id] = f"{name}, stop {here}" if here else name
        if task_id in drop_offs:
            texts[task_id] += f", drop-off at stop {drop_offs[task_id]}"
    return texts


def _why_here(task: Task) -> str:
    return sentence(task.why or " and ".join(rule.value for rule in task.rules))


def _why_rank(priority: Priority | None) -> str:
    if priority is None:
        return "It was not ranked."
    parts = sorted(
        ((label, strength, share) for label, strength, share in priority.parts),
        key=lambda part: -part[1] * part[2],
    )
    counted = [
        f"{label} {strength:.2f} x {100 * share:.3g} %"
        for label, strength, share in parts
        if strength * share > 0
    ]
    if not counted:
        return "None of the weighted reasons holds, so its priority is 0."
    return f"{' + '.join(counted)} = {priority.score_pct:.1f}"


def _why_not(stops: str, dropped: Dropped | None) -> str:
    if stops:
        return f"It is planned: {stops}."
    if dropped is None:
        return "It was not offered to the routes in this run."
    helps = f" Would help: {dropped.would_help}" if dropped.would_help else ""
    return sentence(f"{sentence(dropped.reason)}{helps}")
