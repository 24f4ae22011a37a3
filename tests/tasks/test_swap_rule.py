"""Which vehicles get a battery under each rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from fleetdesk.fleet.estimator import Level
from fleetdesk.fleet.threshold_policy import LocalThreshold, ThresholdPolicy
from fleetdesk.model.fleet import VehicleNow
from fleetdesk.model.places import Point
from fleetdesk.model.work import Rule
from fleetdesk.settings.schema import City, Costs, Settings, Thresholds
from fleetdesk.tasks.candidates import candidates
from fleetdesk.tasks.swap_rule import swap_rule

HERE = Point(40.63, 22.94)
START = datetime(2024, 6, 3, 8, tzinfo=UTC)


class Falling:
    """A battery of b % earns b / 10 in whatever time; the fleet gains a fifth of it."""

    estimator = "falling"

    def values(self, cells, battery_pct, starts, hours, level=Level.SCOOTER):
        assert len(cells) == len(starts) == len(hours)
        return np.asarray(battery_pct) / 10 * (0.2 if level is Level.FLEET else 1.0)


def vehicle(name, battery, **more):
    return replace(
        VehicleNow(
            name, HERE, HERE.cell(7), battery, "operational", "available", START, START,
            idle_h=1.0,
        ),
        **more,
    )  # fmt: skip


def sheet(**thresholds):
    """A swap costs 6: at scooter level it pays below 40 %."""
    return Settings(
        city=City(timezone="UTC"),
        thresholds=Thresholds(**({"roi_level": "scooter", "low_battery_pct": 30} | thresholds)),
        costs=Costs(swap_cost=6, swap_min=3),
    )


FLEET = [vehicle("a", 5), vehicle("b", 25), vehicle("c", 38), vehicle("d", 60), vehicle("e", None)]


def test_by_roi_batteries_are_swapped_where_it_pays():
    found = swap_rule(FLEET, Falling(), sheet(), START)
    assert set(found.why) == {"a", "b", "c"}
    assert found.why["b"] == "battery 25 % is below 30 %"
    assert found.why["c"].startswith("battery 38 %, and a full one here returns 0.20 EUR more")
    # 5 % is not rentable and earns nothing: 10 - 6; 25 %: 7.5 - 6; 38 %: 6.2 - 6.
    assert found.by_roi == pytest.approx(4 + 1.5 + 0.2)
    assert found.by_threshold == pytest.approx(4 + 1.5)
    assert "worth 0.20 EUR more" in found.difference(sheet())


def test_what_lies_below_the_line_and_does_not_pay_is_weighed_all_the_same():
    found = swap_rule([vehicle("a", 50)], Falling(), sheet(low_battery_pct=55), START)
    assert set(found.why) == {"a"}
    assert (found.by_roi, found.by_threshold) == (0, pytest.approx(-1))


def test_at_fleet_level_fewer_swaps_pay():
    assert set(swap_rule(FLEET, Falling(), sheet(roi_level="fleet"), START).why) == {"a", "b"}


def test_by_threshold_the_line_alone_counts():
    by_line = sheet(create_by="threshold", low_battery_pct=30)
    assert set(swap_rule(FLEET, Falling(), by_line, START).why) == {"a", "b"}
    region = sheet(create_by="threshold", threshold_scope="region")
    policy = ThresholdPolicy(61, {})
    assert set(swap_rule(FLEET, Falling(), region, START, policy).why) == {"a", "b", "c", "d"}
    cell = HERE.cell(6)
    own = {(cell, 8): LocalThreshold(cell, 8, 40, 20, 1.0, overrides=True)}
    local = sheet(create_by="threshold", threshold_scope="cell and hour")
    assert set(swap_rule(FLEET, Falling(), local, START, ThresholdPolicy(61, own)).why) == {"a"}
    later = START + timedelta(hours=1)
    assert len(swap_rule(FLEET, Falling(), local, later, ThresholdPolicy(61, own)).why) == 4


@pytest.mark.parametrize("rule", ["ROI", "threshold"])
def test_no_line_no_swaps_and_no_fleet_no_swaps(rule):
    assert not swap_rule(FLEET, Falling(), sheet(create_by=rule, low_battery_pct=0), START).why
    assert not swap_rule([], Falling(), sheet(create_by=rule), START).why
    ridden = [vehicle("a", 5, vehicle_state="on_trip")]
    assert not swap_rule(ridden, Falling(), sheet(create_by=rule), START).why


def test_candidates_are_what_the_rule_names():
    rule = swap_rule(FLEET, Falling(), sheet(), START)
    tasks = {task.vehicle_id: task for task in candidates(FLEET, [], sheet(), rule.why)}
    assert set(tasks) == {"a", "b", "c"}
    assert tasks["c"].rules == (Rule.SWAP_PAYS,)
    assert tasks["c"].why == rule.why["c"]
    assert tasks["b"].rules == (Rule.LOW_BATTERY,)
