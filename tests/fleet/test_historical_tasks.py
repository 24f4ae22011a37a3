"""Realised ROI of past tasks against sums done by hand, with an estimator that is plain."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from fleetdesk.fleet.estimator import Level
from fleetdesk.fleet.historical_tasks import residual_h, settled_tasks, valued
from fleetdesk.fleet.history import History
from fleetdesk.settings.schema import City, Costs, Settings, Thresholds, Worker

T0 = datetime(2024, 6, 3)
END = datetime(2024, 6, 24, tzinfo=UTC)
FREE, OUT, GONE = "available", "non_operational", "removed"
DROP, PICK = "provider_drop_off", "rebalance_pick_up"


@dataclass(frozen=True)
class Plain:
    """1 an hour above 10 %, a tenth of it new to the fleet."""

    estimator: str = "plain"

    def values(self, cells, battery_pct, starts, hours, level=Level.SCOOTER):
        rate = np.where(np.asarray(battery_pct) > 10, 1.0, 0.0)
        return rate * np.asarray(hours) * (0.1 if level is Level.FLEET else 1.0)


def settings(**thresholds) -> Settings:
    return Settings(
        city=City(window_days=28, timezone="Europe/Athens"),
        thresholds=Thresholds(**({"roi_level": "scooter", "horizon_h": 24} | thresholds)),
        costs=Costs(use_net_revenue=False, swap_cost=0.5, move_cost=0.25, swap_min=60,
                    pick_up_min=30, drop_off_min=30),
        workers=(Worker(name="A", start_lat=40, start_lon=22, cost_per_h=2),),
    )  # fmt: skip


@pytest.fixture
def found(tables):
    def make(events, trips=(), sheet=None, **options):
        made = tables(
            events=[
                {"event_id": f"e{n:03d}", "vehicle_id": "v", "event_at": T0 + timedelta(hours=h),
                 "vehicle_state": state, "event_types": types, "battery_pct": charge, "cell": cell}
                for n, (h, state, types, charge, cell) in enumerate(events)
            ],
            trips=[
                {"trip_id": f"t{n}", "vehicle_id": "v", "started_at": T0 + timedelta(hours=h),
                 "ended_at": T0 + timedelta(hours=h + 0.2), "revenue": money}
                for n, (h, money) in enumerate(trips)
            ],
        )  # fmt: skip
        history = History(made["events"], made["trips"], END)
        sheet = sheet or settings()
        return valued(settled_tasks(history, sheet), Plain(), sheet, END, **options)

    return make


SWAP = [
    (0, FREE, DROP, 90, "sx0r4m1"),
    (100, FREE, "trip_end", 20, "sx0r4m1"),
    (120, FREE, "battery_charged", 95, "sx0r4m1"),
    (300, OUT, "battery_low", 5, "sx0r4m1"),
]


def test_a_swap_by_hand(found):
    tasks = found(SWAP, [(121, 20.0), (130, 15.0), (150, 99.0)])
    assert tasks.kind.tolist() == ["swap"]
    assert tasks.revenue.tolist() == [35.0]  # the trip 30 h later is beyond the horizon
    assert tasks.without.tolist() == [24.0]  # 20 % would have earned 1 an hour
    assert tasks.cost.tolist() == [2.5]
    assert tasks.roi.tolist() == pytest.approx([8.5])
    assert tasks.expected.tolist() == pytest.approx([23 - 24 - 2.5])  # an hour of work
    assert tasks.hour.tolist() == [3]  # midnight UTC in Athens
    assert tasks.week.tolist() == [2]
    returns = tasks.returns()
    assert (returns.battery_pct.tolist(), returns.roi.tolist()) == ([20.0], pytest.approx([8.5]))


def test_what_crews_cut_short_is_credited_with_its_worth_then(found):
    again = [*SWAP[:3], (130, GONE, PICK, 60, "sx0r4m1"), (131, FREE, DROP, 60, "sx0r4z1"),
             (400, OUT, "battery_low", 5, "sx0r4z1")]  # fmt: skip
    swap, move = range(2)
    tasks = found(again, [(121, 20.0), (140, 50.0)])
    assert tasks.kind.tolist() == ["swap", "move"]
    assert tasks.revenue[swap] == 20 + 14  # seen for 10 hours, 14 more at 1 an hour
    assert tasks.revenue[move] == 50
    assert tasks.cost[move] == pytest.approx(0.25 + 2)


def test_the_differential_value_by_hand(found):
    """One swap every 100 h that takes a vehicle from 20 to 95 %: its cost is only deferred."""
    events = [(0, FREE, DROP, 95, "sx0r4m1")]
    for k in range(1, 4):
        events += [(100 * k - 1, FREE, "trip_end", 20, "sx0r4m1"),
                   (100 * k, FREE, "battery_charged", 95, "sx0r4m1")]  # fmt: skip
    tasks = found(events, [(110, 60.0), (210, 60.0)])
    gain = (60 - 2.5) / 100
    # Under ten cycles each charge counts by the mean length, at most two days.
    expected = (60 - gain * 100) - (48 - gain * 48) - 2.5
    assert tasks.differential[:2] == pytest.approx([expected, expected])
    assert np.isnan(tasks.differential[2])


def test_returns_are_the_same_without_the_differential_value(found):
    trips = [(121, 20.0), (130, 15.0)]
    whole, without = (found(SWAP, trips, differential=wanted) for wanted in (True, False))
    assert np.isnan(without.differential).all()
    for name, values in vars(whole.returns()).items():
        np.testing.assert_array_equal(getattr(without.returns(), name), values)
    np.testing.assert_array_equal(without.scooter_roi, whole.scooter_roi)


def test_at_fleet_level_only_what_is_new_to_the_fleet_counts(found):
    tasks = found(SWAP, [(121, 20.0)], settings(roi_level="fleet"))
    assert tasks.revenue.tolist() == pytest.approx([2.0])
    assert tasks.without.tolist() == pytest.approx([2.4])
    assert tasks.scooter_roi.tolist() == pytest.approx([20 - 24 - 2.5])


def test_an_empty_vehicle_would_have_earned_nothing(found):
    events = [(0, FREE, DROP, 90, "sx0r4m1"), (50, OUT, "battery_low", 30, "sx0r4m1"),
              (60, FREE, "battery_charged", 95, "sx0r4m1")]  # fmt: skip
    assert found(events).without.tolist() == [0.0]


def test_tasks_too_young_to_judge_are_counted_apart(found):
    young = [(0, FREE, DROP, 90, "sx0r4m1"), (500, FREE, "battery_charged", 99, "sx0r4m1")]
    tasks = found(young)
    assert (len(tasks), tasks.unsettled) == (0, 1)
    assert len(found([])) == 0


def test_how_long_a_charge_lasts_is_read_off_cycles_that_passed_it():
    entry, exit_, length = np.full(20, 100.0), np.full(20, 20.0), np.full(20, 40.0)
    assert residual_h(np.array([100.0, 60.0, 10.0]), entry, exit_, length) == pytest.approx(
        [40, 20, 0.5]
    )
    assert residual_h(np.array([50.0]), entry[:3], exit_[:3], length[:3]) == pytest.approx([40])
