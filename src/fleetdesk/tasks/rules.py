"""Which rules of the sheet name a vehicle, each with its reason in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fleetdesk.model.fleet import VehicleFacts, VehicleNow
from fleetdesk.model.work import Rule, TaskKind
from fleetdesk.settings.schema import Thresholds
from fleetdesk.settings.task_sheets import MOVES_ONLY, TaskRule

NEED_FACTS = frozenset(
    {
        Rule.NO_PARK_ZONE, Rule.SERVICE_OVERDUE, Rule.COMPLAINTS, Rule.MOVING,
        Rule.KM_SINCE_SERVICE, Rule.RIDES_SINCE_SERVICE, Rule.HOURS_SINCE_SERVICE,
    }
)  # fmt: skip
"""Rules for which the records have to be looked through."""
_SEARCHED = frozenset({Rule.NO_RECORD, Rule.MOVING})
"""Rules that hold of vehicles that nobody knows the place of, too."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule that names a vehicle; `asked` is the row of the sheet Task rules, None = Thresholds.

    `kind` is the work that it asks for.
    """

    rule: Rule
    kind: TaskKind
    why: str
    asked: TaskRule | None = None

    @property
    def text(self) -> str:
        """The reason, with the rule's name where it has one."""
        return f"{self.asked.name}: {self.why}" if self.asked else self.why


def in_use(rules: Iterable[TaskRule]) -> tuple[TaskRule, ...]:
    """The rules that make tasks."""
    return tuple(rule for rule in rules if rule.active)


def about_parkings(rules: Iterable[TaskRule], rule: Rule) -> tuple[TaskRule, ...]:
    """The rules of one kind that speak of parkings, not of single vehicles."""
    return tuple(row for row in in_use(rules) if row.rule is rule)


def reasons(
    vehicle: VehicleNow,
    facts: VehicleFacts,
    outside_m: float | None,
    nearest: str,
    rules: Sequence[TaskRule],
) -> tuple[Reason, ...]:
    """What the rules about single vehicles say of one.

    `outside_m` is how far beyond the edge of the nearest parking it stands; None without parkings.
    """
    return tuple(
        Reason(row.rule, row.kind, why, row)
        for row in in_use(rules)
        if row.rule not in MOVES_ONLY
        and (vehicle.standing or (vehicle.lost and row.rule in _SEARCHED))
        for why in (_holds(row, vehicle, facts, outside_m, nearest),)
        if why
    )


def low(vehicle: VehicleNow, thresholds: Thresholds) -> bool:
    """Whether the charge is below the line of the sheet Thresholds."""
    return (vehicle.battery_pct or 0.0) < thresholds.low_battery_pct


def _holds(
    row: TaskRule,
    vehicle: VehicleNow,
    facts: VehicleFacts,
    outside_m: float | None,
    nearest: str,
) -> str:
    """Why the rule holds, with what was found and the threshold; empty where it does not."""
    limit = row.limit
    if row.rule is Rule.LOW_BATTERY:
        battery = vehicle.battery_pct
        holds = battery is not None and battery < limit
        return f"battery {round(battery or 0.0, 1):g} % is below {limit:g} %" if holds else ""
    if row.rule is Rule.NO_PARK_ZONE:
        zone = facts.no_park_zone
        return f"parking is forbidden in {zone}" if zone else ""
    idle_h, beyond_m = vehicle.idle_h or 0.0, outside_m or 0.0
    silent_h = (vehicle.as_of - vehicle.last_seen_at).total_seconds() / 3600
    complaints, days = facts.open_complaints, facts.days_since_service
    since = "since its last service"
    measured: Mapping[Rule, tuple[float, str]] = {
        Rule.IDLE: (idle_h, f"idle for {idle_h:.0f} h"),
        Rule.OUTSIDE_PARKING: (beyond_m, f"stands {beyond_m:.0f} m outside {nearest}"),
        Rule.SERVICE_OVERDUE: (days, f"{days:.0f} days {since}"),
        Rule.COMPLAINTS: (
            complaints, f"{complaints} open complaint{'' if complaints == 1 else 's'}",
        ),
        Rule.NO_RECORD: (silent_h, f"not heard of for {silent_h:.0f} h"),
        Rule.MOVING: (facts.moved_m, f"moved {facts.moved_m:.0f} m without a trip"),
        Rule.KM_SINCE_SERVICE: (facts.km, f"{facts.km:.0f} km {since}"),
        Rule.RIDES_SINCE_SERVICE: (facts.rides, f"{facts.rides} rides {since}"),
        Rule.HOURS_SINCE_SERVICE: (facts.ridden_h, f"ridden {facts.ridden_h:.0f} h {since}"),
    }  # fmt: skip
    value, text = measured[row.rule]
    return f"{text} (limit {limit:g})" if value > 0 and value >= limit else ""
