from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from fleetdesk.fleet.method_v0 import Form, HourlyRateRevenue
from fleetdesk.fleet.rate_sums import Rate, Region
from fleetdesk.fleet.task_roi import mean_cost_per_h, task_rois
from fleetdesk.model.places import Point
from fleetdesk.model.work import Rule, ScooterState, Task, TaskKind
from fleetdesk.settings.schema import Costs, Settings, Thresholds, Worker

START = datetime(2024, 6, 3, 8, tzinfo=UTC)
POOR, RICH = "sx0r4m", "sx0r4z"
WORKERS = tuple(
    Worker(name=name, start_lat=40, start_lon=22, cost_per_h=cost, active=active)
    for name, cost, active in (("A", 12, True), ("B", 18, True), ("C", 99, False))
)
SETTINGS = Settings(
    thresholds=Thresholds(horizon_h=10, usable_battery_pct=10),
    costs=Costs(swap_cost=0.6, move_cost=0.2),
    workers=WORKERS,
)


@pytest.fixture
def downstream():
    """1 an hour in the poor cell, 3 in the rich one; the battery never runs out above 10 %."""
    rates = {
        (cell, day): Rate(per_h, per_h, 100.0)
        for cell, per_h in ((POOR, 1.0), (RICH, 3.0))
        for day in range(1, 8)
    }
    return HourlyRateRevenue(
        form=Form.EXPECTED_MIN, net=True, timezone="UTC", precision=6, usable_battery_pct=10,
        rates=rates, city={}, overall=Rate(0, 0, 0), regions={},
        any_region=Region(2.0, None, 10), as_of=START, window_days=28,
    )  # fmt: skip


def state(cell, battery, operational=True):
    return ScooterState(Point(40, 22), cell + "1", battery, operational)


SWAP = Task(
    task_id="swap", vehicle_id="v", kinds=(TaskKind.SWAP_BATTERY,), rules=(Rule.LOW_BATTERY,),
    before=state(POOR, 5), after=state(POOR, 100), service_s=1800,
)  # fmt: skip
MOVE = Task(
    task_id="move", vehicle_id="w", kinds=(TaskKind.MOVE,), rules=(Rule.OUTSIDE_PARKING,),
    before=state(POOR, 80), after=state(RICH, 80), service_s=1800, drop_off_s=1800,
)  # fmt: skip


def test_a_swap_and_a_move_by_hand(downstream):
    swap, move = task_rois([SWAP, MOVE], downstream, SETTINGS, START)
    assert mean_cost_per_h(SETTINGS) == 15
    # Empty without the task; 9.5 of the 10 hours with it; half an hour of work.
    assert (swap.revenue_without, swap.revenue_after) == (0, pytest.approx(9.5))
    assert swap.labour_cost == pytest.approx(7.5)
    assert swap.roi == pytest.approx(9.5 - 0.6 - 7.5)
    # 1 x 10 h against 3 x 9 h: the common end, not ten hours after the work.
    assert (move.revenue_without, move.revenue_after) == (pytest.approx(10), pytest.approx(27))
    assert move.roi == pytest.approx(27 - 10 - 0.2 - 15)
    assert move.horizon_h == 10
    assert move.estimator == "v0 E[min], net"


def test_both_kinds_at_once_cost_both_materials(downstream):
    both = replace(MOVE, kinds=(TaskKind.SWAP_BATTERY, TaskKind.MOVE))
    (roi,) = task_rois([both], downstream, SETTINGS, START)
    assert roi.cost - roi.labour_cost == pytest.approx(0.8)


def test_out_of_service_earns_nothing_without_the_task(downstream):
    broken = replace(SWAP, before=state(RICH, 90, operational=False))
    (roi,) = task_rois([broken], downstream, SETTINGS, START)
    assert roi.revenue_without == 0
    assert roi.revenue_after > 0


def test_work_that_outlasts_the_horizon_brings_nothing(downstream):
    endless = replace(SWAP, service_s=int(timedelta(hours=11).total_seconds()))
    (roi,) = task_rois([endless], downstream, SETTINGS, START)
    assert roi.revenue_after == 0


def test_order_is_kept_and_nothing_gives_nothing(downstream):
    one_way = task_rois([SWAP, MOVE], downstream, SETTINGS, START)
    assert task_rois([MOVE, SWAP], downstream, SETTINGS, START) == one_way[::-1]
    assert task_rois([], downstream, SETTINGS, START) == ()


def test_without_crews_labour_is_free(downstream):
    (roi,) = task_rois([SWAP], downstream, SETTINGS.model_copy(update={"workers": ()}), START)
    assert roi.cost == pytest.approx(0.6)
