"""A toy morning: a depot, points on a grid of about 1 km, round costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from fleetdesk.model.places import Point
from fleetdesk.model.work import ScooterState, Task, TaskKind, TaskRoi, Van
from fleetdesk.routes.building import build
from fleetdesk.routes.problem import RoutingProblem
from fleetdesk.routes.travel_times import Haversine

MORNING = datetime(2024, 5, 6, 6, 0, tzinfo=UTC)


def at(x: float, y: float) -> Point:
    """About x km east and y km north of the depot."""
    return Point(round(40.63 + y / 111.2, 6), round(22.94 + x / 84.4, 6))


@dataclass
class Town:
    """Collects tasks and vans and makes a problem of them."""

    tasks: list[Task] = field(default_factory=list)
    values: dict[str, TaskRoi] = field(default_factory=dict)
    bonuses: dict[str, float] = field(default_factory=dict)
    vans: list[Van] = field(default_factory=list)

    def swap(self, x: float, y: float, value: float, *, bonus: float = 0.0) -> str:
        return self._task(at(x, y), at(x, y), (TaskKind.SWAP_BATTERY,), value, bonus)

    def move(
        self,
        x: float,
        y: float,
        to: tuple[float, float],
        value: float,
        *,
        swap: bool = False,
        bonus: float = 0.0,
    ) -> str:
        kinds = (TaskKind.SWAP_BATTERY, TaskKind.MOVE) if swap else (TaskKind.MOVE,)
        return self._task(at(x, y), at(*to), kinds, value, bonus)

    def van(
        self,
        worker: str = "",
        *,
        x: float = 0,
        y: float = 0,
        hours: float = 8,
        from_h: float = 0,
        batteries: int = 10,
        vehicles: int = 2,
        speed_kmh: float = 25,
        cost_per_h: float = 14,
        cost_per_km: float = 0.3,
    ) -> Van:
        start = MORNING + timedelta(hours=from_h)
        van = Van(
            worker or f"W{len(self.vans)}", at(x, y), at(x, y), start,
            start + timedelta(hours=hours), batteries, vehicles, cost_per_h, cost_per_km, speed_kmh,
        )  # fmt: skip
        self.vans.append(van)
        return van

    def problem(self, order: Sequence[int] | None = None) -> RoutingProblem:
        tasks = self.tasks if order is None else [self.tasks[number] for number in order]
        return build(tasks, self.values, self.bonuses, self.vans, Haversine(), "EUR")

    def _task(
        self, frm: Point, to: Point, kinds: tuple[TaskKind, ...], value: float, bonus: float
    ) -> str:
        task_id = f"T{len(self.tasks)}"
        swaps, moves = TaskKind.SWAP_BATTERY in kinds, TaskKind.MOVE in kinds
        self.tasks.append(
            Task(
                task_id=task_id,
                vehicle_id=f"V{task_id}",
                kinds=kinds,
                rules=(),
                before=ScooterState(frm, frm.cell(6), 12.0, True),
                after=ScooterState(to, to.cell(6), 100.0, True),
                service_s=180,
                drop_off_s=120 if moves else 0,
                batteries=int(swaps),
                vehicles=int(moves),
                to_name="Parking" if moves else "",
            )
        )
        labour = 0.7
        self.values[task_id] = TaskRoi(task_id, value + 1.0, 0.5, 0.5 + labour, labour, 24, "toy")
        self.bonuses[task_id] = bonus
        return task_id


def random_town(seed: int, most_tasks: int, most_vans: int, most_moves: int = 99) -> Town:
    """A town where most tasks pay and every limit pinches now and then."""
    draw = Random(seed)

    def spot() -> tuple[float, float]:
        return draw.randint(-4, 4) / 2, draw.randint(-4, 4) / 2

    town = Town()
    for _ in range(draw.randint(most_tasks - 2, most_tasks)):
        value, bonus = round(draw.uniform(-2, 16), 2), draw.choice([0.0, 0.4])
        if draw.random() < 0.4 or sum(task.moves for task in town.tasks) == most_moves:
            town.swap(*spot(), value, bonus=bonus)
        else:
            town.move(*spot(), spot(), value, swap=draw.random() < 0.6, bonus=bonus)
    for _ in range(draw.randint(most_vans - 1, most_vans)):
        x, y = spot()
        town.van(
            x=x, y=y, hours=draw.choice([0, 0.6, 0.9, 1.2, 8]), batteries=draw.randint(0, 3),
            vehicles=draw.randint(0, 2), speed_kmh=draw.choice([20, 30]),
            cost_per_km=draw.choice([0.3, 0.5]), from_h=draw.choice([0, 0.5]),
        )  # fmt: skip
    return town


@pytest.fixture
def town() -> Town:
    return Town()
