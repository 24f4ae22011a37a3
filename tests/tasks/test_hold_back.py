"""A share of tasks left undone at random: how large, why, and always the same ones."""

from __future__ import annotations

from datetime import date, timedelta

from fleetdesk.model.places import Point
from fleetdesk.model.plan import DropCode
from fleetdesk.model.work import Rule, ScooterState, Task, TaskKind
from fleetdesk.settings.schema import Settings, Thresholds
from fleetdesk.tasks.hold_back import hold_back, lot
from fleetdesk.tasks.select import Selection

HERE = Point(40.63, 22.94)
DAY = date(2024, 6, 3)


def held(share_pct):
    return Settings(thresholds=Thresholds(hold_back_pct=share_pct))


def some_tasks(count):
    state = ScooterState(HERE, HERE.cell(6), 10, True)
    return tuple(
        Task(f"v{i} swap", f"v{i}", (TaskKind.SWAP_BATTERY,), (Rule.LOW_BATTERY,), state, state, 9)
        for i in range(count)
    )


def test_nothing_is_held_back_by_default():
    chosen = Selection(some_tasks(50), {}, ())
    assert hold_back(chosen, Settings(), DAY) is chosen


def test_a_share_is_held_back_with_the_reason():
    chosen = Selection(some_tasks(2000), {}, ())
    kept = hold_back(chosen, held(10), DAY)
    assert 150 < len(kept.dropped) < 250
    assert {d.code for d in kept.dropped} == {DropCode.HELD_BACK}
    assert "held back at random" in kept.dropped[0].reason
    assert len(kept.tasks) + len(kept.dropped) == 2000


def test_the_draw_hangs_on_seed_day_and_task_alone():
    settings = held(20)
    drawn = {
        d.task_id for d in hold_back(Selection(some_tasks(200), {}, ()), settings, DAY).dropped
    }
    fewer = Selection(some_tasks(100)[::-1], {}, ())
    again = {d.task_id for d in hold_back(fewer, settings, DAY).dropped}
    assert again == {t.task_id for t in some_tasks(100)} & drawn
    tomorrow = hold_back(fewer, settings, DAY + timedelta(days=1)).dropped
    assert {d.task_id for d in tomorrow} != again
    assert lot(1, DAY, "v1 swap") != lot(2, DAY, "v1 swap")
