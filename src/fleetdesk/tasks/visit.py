"""All reasons that name one vehicle as one visit: what is done there, how long, and what it needs.

Works that need different skills are visits of their own, because different people may do them; one
who can do both is there already. Only who carries a vehicle away does there whatever anyone may do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from fleetdesk.model.fleet import VehicleNow
from fleetdesk.model.places import Parking
from fleetdesk.model.work import ScooterState, Task, TaskKind
from fleetdesk.settings.schema import Costs, Settings, Thresholds
from fleetdesk.tasks.rules import Reason

_VERBS = {
    TaskKind.SWAP_BATTERY: "swap", TaskKind.INSPECT: "inspect", TaskKind.REPAIR: "repair",
    TaskKind.SERVICE: "service", TaskKind.MOVE: "move", TaskKind.BRING_IN: "bring-in",
}  # fmt: skip
_CARRIED = frozenset({TaskKind.MOVE, TaskKind.BRING_IN})
_MENDING = frozenset({TaskKind.REPAIR, TaskKind.SERVICE})
_TIMED_BY_RULE = frozenset({TaskKind.INSPECT, TaskKind.REPAIR, TaskKind.SERVICE})


@dataclass(frozen=True)
class Move:
    """Where a vehicle is taken: `present` are the vehicles there now, `to_fill` = too few of them.

    `outside_m` is how far beyond the edge of the nearest parking it stands now.
    """

    to: Parking | None = None
    present: int = 0
    to_fill: bool = False
    outside_m: float = 0.0


def visits(
    vehicle: VehicleNow,
    reasons: Sequence[Reason],
    move: Move,
    names: Mapping[str, str],
    settings: Settings,
) -> Iterator[Task]:
    """The visits that the reasons ask for; none without reasons. `names` are those of parkings."""
    able = _possible(reasons, move, settings.thresholds)
    first = _first_skill(able)
    groups: dict[str, list[Reason]] = {}
    for reason in able:
        skill = reason.asked.skill if reason.asked else ""
        groups.setdefault(skill if skill and reason.kind not in _CARRIED else first, []).append(
            reason
        )
    for skill, group in groups.items():
        yield _visit(vehicle, group, skill, skill == first, move, names, settings)


def _possible(reasons: Sequence[Reason], move: Move, thresholds: Thresholds) -> list[Reason]:
    """Without the moves that have no destination; those that must be done end in the workshop."""
    if move.to is not None:
        return list(reasons)
    nowhere = f"no parking within {thresholds.longest_move_km:g} km has room"
    return [
        replace(reason, kind=TaskKind.BRING_IN, why=f"{reason.why}, and {nowhere}")
        if reason.kind is TaskKind.MOVE
        else reason
        for reason in reasons
        if reason.kind is not TaskKind.MOVE or (reason.asked and reason.asked.must)
    ]


def _first_skill(reasons: Sequence[Reason]) -> str:
    """The skill of the visit that does whatever anyone may do: none, or that of who carries it."""
    carried = any(reason.kind in _CARRIED for reason in reasons)
    if not carried and any(not (r.asked and r.asked.skill) for r in reasons):
        return ""
    asked = [(r.kind not in _CARRIED, not r.asked.must, r.asked.skill) for r in reasons if r.asked]
    skilled = sorted((row for row in asked if row[2]), key=lambda row: row[:2])
    return skilled[0][2] if skilled else ""


def _visit(
    vehicle: VehicleNow,
    reasons: Sequence[Reason],
    skill: str,
    first: bool,
    move: Move,
    names: Mapping[str, str],
    settings: Settings,
) -> Task:
    kinds = _kinds(reasons)
    goal = move.to if TaskKind.MOVE in kinds else None
    before, after = _states(vehicle, kinds, goal, settings)
    asked = [reason.asked for reason in reasons if reason.asked]
    rules = tuple(dict.fromkeys(reason.rule for reason in reasons))
    task = Task(
        task_id=f"{vehicle.vehicle_id} {'+'.join(_VERBS[kind] for kind in kinds)}"
        + ("" if first else f" ({skill})"),
        vehicle_id=vehicle.vehicle_id,
        kinds=kinds,
        rules=rules,
        before=before,
        after=after,
        service_s=_service_s(kinds, reasons, settings.costs),
        idle_h=vehicle.idle_h,
        batteries=int(TaskKind.SWAP_BATTERY in kinds),
        vehicles=int(bool(_CARRIED & set(kinds))),
        from_parking_id=vehicle.parking_id,
        from_name=names.get(vehicle.parking_id or "", ""),
        outside_m=move.outside_m,
        why="; ".join(dict.fromkeys(reason.text for reason in reasons)),
        extra_priority=sum(rule.extra_priority for rule in dict.fromkeys(asked)),
        skill=skill,
        must=any(rule.must for rule in asked),
    )
    if goal is None:
        return task
    lacking = goal.minimum - move.present
    return replace(
        task,
        drop_off_s=round(settings.costs.drop_off_min * 60),
        to_parking_id=goal.parking_id,
        to_name=goal.name,
        deficit_pct=100 * lacking / goal.minimum if move.to_fill else 0.0,
    )


def _kinds(reasons: Sequence[Reason]) -> tuple[TaskKind, ...]:
    """What is done, in the order of the work; what is brought in is mended there."""
    wanted = {reason.kind for reason in reasons}
    if TaskKind.BRING_IN in wanted:
        wanted &= {TaskKind.INSPECT, TaskKind.BRING_IN}
    return tuple(kind for kind in TaskKind if kind in wanted)


def _states(
    vehicle: VehicleNow, kinds: Sequence[TaskKind], goal: Parking | None, settings: Settings
) -> tuple[ScooterState, ScooterState]:
    """The vehicle before and after: swapped and mended ones can be rented again."""
    thresholds, precision = settings.thresholds, settings.city.cell_precision
    battery, swapped = vehicle.battery_pct, TaskKind.SWAP_BATTERY in kinds
    before = ScooterState(
        vehicle.at,
        vehicle.at.cell(precision),
        battery,
        vehicle.rentable and _usable(battery, thresholds),
    )
    charge = thresholds.charged_battery_pct if swapped else battery
    at = goal.at if goal else vehicle.at
    fit = (
        vehicle.rentable
        or (swapped and vehicle.serviceable)
        or (vehicle.standing and bool(_MENDING & set(kinds)))
    )
    works = fit and TaskKind.BRING_IN not in kinds and _usable(charge, thresholds)
    return before, ScooterState(at, at.cell(precision), charge, works)


def _usable(battery_pct: float | None, thresholds: Thresholds) -> bool:
    """An unknown charge is counted as usable: the feed says that the vehicle can be rented."""
    return battery_pct is None or battery_pct >= thresholds.usable_battery_pct


def _service_s(kinds: Sequence[TaskKind], reasons: Sequence[Reason], costs: Costs) -> int:
    minutes = costs.swap_min if TaskKind.SWAP_BATTERY in kinds else 0.0
    minutes += costs.pick_up_min if _CARRIED & set(kinds) else 0.0
    for kind in _TIMED_BY_RULE & set(kinds):
        asked = (r.asked.service_min for r in reasons if r.asked and r.kind is kind)
        minutes += max(asked, default=0.0)
    return round(60 * minutes)
