"""The day's plan: who goes where in which order, what it earns, and what was left out and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fleetdesk.model.places import Point


class Action(StrEnum):
    """What happens at a stop."""

    SWAP = "swap battery"
    PICK_UP = "pick up"
    SWAP_AND_PICK_UP = "swap battery, pick up"
    DROP_OFF = "drop off"
    VISIT = "work at the vehicle"


class DropCode(StrEnum):
    """Why a task is on no route."""

    EXCLUDED = "excluded by you"
    NOT_WORTH = "not worth it"
    OVER_LIMIT = "over the task limit"
    HELD_BACK = "held back at random"
    NO_WORKER = "no worker"
    CAPACITY = "capacity"
    SHIFT = "shift too short"
    SKILL = "skill"
    WINDOW = "time window"
    DETOUR = "detour costs more than it brings"
    SEARCH_ENDED = "search ended first"


@dataclass(frozen=True, slots=True)
class Visit:
    """One stop of a route; times UTC-aware, `load_*` counted when leaving the stop."""

    task_id: str
    vehicle_id: str
    action: Action
    at: Point
    place: str
    arrive_at: datetime
    leave_at: datetime
    leg_m: int
    leg_s: int
    wait_s: int
    load_vehicles: int
    batteries_left: int


class PauseKind(StrEnum):
    """What a worker does between two stops other than driving."""

    BREAK = "break"
    RELOAD = "reload batteries"


@dataclass(frozen=True, slots=True)
class Pause:
    """A break or a reload between two stops; `after_stop` counts the visits before it.

    A reload's way is part of the next visit's leg.
    """

    kind: PauseKind
    at: Point
    start_at: datetime
    end_at: datetime
    after_stop: int
    batteries_left: int


@dataclass(frozen=True, slots=True)
class Route:
    """One worker's round; money in thousandths of the currency, so that sums are exact.

    `duration_s` runs from leaving to coming home; breaks in it are not paid, and overtime is
    dearer; `labour_cost_milli` heeds both. `value_milli` is what the tasks on it bring before
    travel and labour, `bonus_milli` the priority bonus that steered the choice and is not money
    earned.
    """

    worker: str
    visits: tuple[Visit, ...]
    start_at: datetime
    end_at: datetime
    distance_m: int
    duration_s: int
    return_leg_m: int
    return_leg_s: int
    value_milli: int
    bonus_milli: int
    travel_cost_milli: int
    labour_cost_milli: int
    pauses: tuple[Pause, ...] = ()
    overtime_s: int = 0

    @property
    def break_s(self) -> int:
        """Seconds of its breaks."""
        return self._paused_s(PauseKind.BREAK)

    @property
    def reload_s(self) -> int:
        """Seconds of loading batteries."""
        return self._paused_s(PauseKind.RELOAD)

    @property
    def profit_milli(self) -> int:
        """Value less travel and labour; the bonus is left out."""
        return self.value_milli - self.travel_cost_milli - self.labour_cost_milli

    def _paused_s(self, kind: PauseKind) -> int:
        return sum(
            round((pause.end_at - pause.start_at).total_seconds())
            for pause in self.pauses
            if pause.kind is kind
        )


@dataclass(frozen=True, slots=True)
class Dropped:
    """A task on no route: the code, the reason as a sentence, and what would bring it in."""

    task_id: str
    code: DropCode
    reason: str
    would_help: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """All routes of a day and every task that is on none of them, each with its reason."""

    routes: tuple[Route, ...]
    dropped: tuple[Dropped, ...]
    engine: str
    travel_times: str
    seed: int
    iterations: int

    @property
    def profit_milli(self) -> int:
        """Sum over the routes, in thousandths of the currency."""
        return sum(route.profit_milli for route in self.routes)

    @property
    def planned_task_ids(self) -> frozenset[str]:
        """Tasks that are on a route."""
        return frozenset(visit.task_id for route in self.routes for visit in route.visits)


@dataclass(frozen=True, slots=True)
class LimitWorth:
    """What a limit of the day holds back: profit and tasks that lifting it would bring.

    `what` is the change in words ("one more hour for every worker"); money in thousandths, below
    0 where more is done for its priority, or because it must be, than pays; tasks may be fewer.
    """

    what: str
    profit_milli: int
    more_tasks: int
