"""The list of rules that make tasks beside those of the sheet Thresholds."""

from __future__ import annotations

from functools import partial
from typing import ClassVar, Literal

from fleetdesk.model.work import Rule, TaskKind
from fleetdesk.settings import sheet as base

setting = partial(base.setting, since=3)

When = Literal[
    "battery below (%)", "idle (h)", "outside parkings (m)", "no-park zone",
    "parking below minimum", "parking above maximum", "days since service", "open complaints",
    "no record (h)", "moved without trip (m)", "km since service", "rides since service",
    "hours since service",
]  # fmt: skip
Work = Literal["swap battery", "move to parking", "inspect", "repair", "service", "bring in"]

RULES: dict[str, Rule] = {
    "battery below (%)": Rule.LOW_BATTERY,
    "idle (h)": Rule.IDLE,
    "outside parkings (m)": Rule.OUTSIDE_PARKING,
    "no-park zone": Rule.NO_PARK_ZONE,
    "parking below minimum": Rule.PARKING_BELOW_MINIMUM,
    "parking above maximum": Rule.PARKING_ABOVE_MAXIMUM,
    "days since service": Rule.SERVICE_OVERDUE,
    "open complaints": Rule.COMPLAINTS,
    "no record (h)": Rule.NO_RECORD,
    "moved without trip (m)": Rule.MOVING,
    "km since service": Rule.KM_SINCE_SERVICE,
    "rides since service": Rule.RIDES_SINCE_SERVICE,
    "hours since service": Rule.HOURS_SINCE_SERVICE,
}
WITHOUT_THRESHOLD = frozenset(
    {Rule.NO_PARK_ZONE, Rule.PARKING_BELOW_MINIMUM, Rule.PARKING_ABOVE_MAXIMUM}
)
"""Rules about a place: the sheet Parkings or a zone says when they hold."""
MOVES_ONLY = frozenset({Rule.PARKING_BELOW_MINIMUM, Rule.PARKING_ABOVE_MAXIMUM})
"""Rules whose work can only be a move."""


class TaskRule(base.Sheet):
    """One rule that makes tasks."""

    sheet: ClassVar[str] = "Task rules"
    intro: ClassVar[str] = (
        "Rules that make tasks beside those of the sheet Thresholds. Several that name one vehicle "
        "become one visit, and each is told as its reason."
    )
    since: ClassVar[int] = 3

    name: str = setting(..., "Rule", "Told as the reason of its tasks.", min_length=1,
                        max_length=80)  # fmt: skip
    when: When = setting(..., "When", "What must hold of a vehicle, or of a parking.")
    threshold: float | None = setting(
        None, "Threshold", "In the unit that stands behind When; reached = the rule holds.",
        ge=0, le=1_000_000,
    )  # fmt: skip
    work: Work = setting(..., "What to do", "Inspect and repair happen on the street.")
    must: bool = setting(
        False, "Must do", "yes = done whatever it brings, as long as a worker can."
    )
    extra_priority: float = setting(
        0, "Extra priority", "Points on top of the priority of 0-100 by weights.",
        unit="points", ge=0, le=100,
    )  # fmt: skip
    skill: str = setting(
        "", "Needed skill", "Only workers who have it are sent; empty = anyone.", max_length=40,
        example="a word that stands with workers too, such as mechanic",
    )  # fmt: skip
    service_min: float = setting(
        5, "Time at the vehicle",
        "To inspect, repair or service it; other work has its time in Costs & prices.",
        unit="min", ge=0, le=480,
    )  # fmt: skip
    active: bool = setting(True, "In use", "no = makes no tasks.")

    @property
    def rule(self) -> Rule:
        """The reason that its tasks have."""
        return RULES[self.when]

    @property
    def kind(self) -> TaskKind:
        """The work that it asks for."""
        return TaskKind(self.work)

    @property
    def limit(self) -> float:
        """The threshold; nothing stands for 0."""
        return self.threshold or 0.0
