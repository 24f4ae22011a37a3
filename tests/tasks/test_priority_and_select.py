"""Rank by the sheet's weights, and what does not pay."""

from __future__ import annotations

import pytest

from fleetdesk.model.places import Point
from fleetdesk.model.plan import DropCode
from fleetdesk.model.work import Rule, ScooterState, Task, TaskKind, TaskRoi
from fleetdesk.settings.schema import Settings, Thresholds, Weights
from fleetdesk.tasks.priority import prioritise
from fleetdesk.tasks.select import select

HERE = Point(40.63, 22.94)


def task(name: str, battery: float = 10, idle_h: float = 0.0) -> Task:
    before = ScooterState(HERE, HERE.cell(6), battery, True)
    after = ScooterState(HERE, HERE.cell(6), 100, True)
    return Task(
        name, name, (TaskKind.SWAP_BATTERY,), (Rule.LOW_BATTERY,), before, after, 180, batteries=1,
        idle_h=idle_h,
    )  # fmt: skip


def rois(**gains: float) -> dict[str, TaskRoi]:
    return {n: TaskRoi(n, gain + 2, 1, 1, 0.5, 24, "v0") for n, gain in gains.items()}


def test_weights_decide_the_order() -> None:
    tasks = [task("empty", 2, idle_h=0), task("idle", 28, idle_h=48)]
    values = rois(empty=1, idle=1)
    only = {name: 0.0 for name in Weights.model_fields if name != "bonus_at_full_priority"}
    battery_first = Settings(weights=Weights(**(only | {"low_battery": 1})))
    idle_first = Settings(weights=Weights(**(only | {"idle": 1})))
    assert [p.task_id for p in prioritise(tasks, values, battery_first)] == ["empty", "idle"]
    assert [p.task_id for p in prioritise(tasks, values, idle_first)] == ["idle", "empty"]


def test_the_score_is_the_sum_of_the_parts_shown() -> None:
    (first, *_) = prioritise([task("a", 3, 10)], rois(a=2), Settings())
    assert first.score_pct == pytest.approx(100 * sum(s * share for _, s, share in first.parts))
    assert sum(share for _, _, share in first.parts) == pytest.approx(1)
    assert 0 <= first.score_pct <= 100


def test_only_the_ratio_of_weights_counts() -> None:
    tasks, values = [task("a", 3), task("b", 20)], rois(a=1, b=3)
    half = Settings(weights=Weights(**{n: v / 2 for n, v in _weights(Weights()).items()}))
    scores = [[p.score_pct for p in prioritise(tasks, values, s)] for s in (Settings(), half)]
    assert scores[0] == pytest.approx(scores[1])


def test_what_does_not_pay_is_dropped_with_the_figures() -> None:
    settings = Settings(weights=Weights(bonus_at_full_priority=0))
    values = rois(good=1.0, bad=-0.5)
    tasks = [task("good"), task("bad")]
    chosen = select(tasks, values, prioritise(tasks, values, settings), settings)
    assert [t.task_id for t in chosen.tasks] == ["good"]
    (dropped,) = chosen.dropped
    assert dropped.code is DropCode.NOT_WORTH
    assert "ROI -0.50 EUR" in dropped.reason
    assert "0.50 EUR more revenue" in dropped.would_help


def test_the_bonus_can_lift_a_task_over_the_line() -> None:
    settings = Settings(weights=Weights(bonus_at_full_priority=10))
    tasks, values = [task("bad", 0)], rois(bad=-0.5)
    assert select(tasks, values, prioritise(tasks, values, settings), settings).tasks


def test_the_limit_keeps_the_best_and_says_so() -> None:
    settings = Settings(thresholds=Thresholds(max_tasks=1))
    tasks, values = [task("a", 25), task("b", 1)], rois(a=1, b=1)
    chosen = select(tasks, values, prioritise(tasks, values, settings), settings)
    assert [t.task_id for t in chosen.tasks] == ["b"]
    assert chosen.dropped[0].code is DropCode.OVER_LIMIT


def _weights(weights: Weights) -> dict[str, float]:
    return {n: v for n, v in weights.model_dump().items() if n != "bonus_at_full_priority"}
