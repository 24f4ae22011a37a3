"""One run answers many single tasks: checked against runs of the whole city, one for each task."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fleetdesk.model.places import Point
from fleetdesk.simulation.city import demo_city
from fleetdesk.simulation.truth import Change, SavedCity

SPEC = replace(demo_city(vehicles=120, days=2, demand_per_vehicle=6.0), weather_effect=0.0)
FUTURES = range(1, 7)


@pytest.fixture(scope="module")
def saved() -> SavedCity:
    return SavedCity(SPEC, 5, SPEC.ends_at)


def _tasks(saved: SavedCity, count: int) -> list[tuple[str, Change]]:
    """Full batteries for the emptiest vehicles; every third is also carried to where one stands."""
    standing = [
        v for v in saved.vehicles() if v.state == "available" and saved.is_free(v.vehicle_id)
    ]
    emptiest = sorted(standing, key=lambda v: v.battery_pct)[:count]
    return [
        (
            vehicle.vehicle_id,
            Change(100.0, None if number % 3 else standing[5 * number % len(standing)].at),
        )
        for number, vehicle in enumerate(emptiest)
    ]


def test_futures_differ_and_each_can_be_drawn_again(saved):
    first = saved.revenue({}, future=1)
    assert first == saved.revenue({}, future=1)
    assert len({saved.revenue({}, future=k).fleet for k in range(4)}) == 4


def test_an_unchanged_vehicle_does_what_it_did_in_the_run(saved):
    names = [name for name, _ in _tasks(saved, 60)]
    fast = saved.own_revenue([(name, Change()) for name in names], future=1)
    slow = saved.revenue({}, future=1).by_vehicle
    same = np.isclose(fast, [slow[name] for name in names], atol=0.015)
    # Parkings that fill up between a reservation and its trip make the odd one out.
    assert same.mean() > 0.95


@pytest.mark.parametrize(("with_crews", "same", "alike"), [(False, 0.75, 0.95), (True, 0.6, 0.85)])
def test_single_tasks_agree_with_whole_runs(saved, with_crews, same, alike):
    tasks = _tasks(saved, 10)
    fast = [saved.own_revenue(tasks, with_crews=with_crews, future=k) for k in FUTURES]
    slow = [
        [
            saved.revenue(
                dict([task]), with_crews=with_crews, future=k, left_alone=[task[0]]
            ).by_vehicle[task[0]]
            for task in tasks
        ]
        for k in FUTURES
    ]
    # Most chains are the very same; the rest meet a vehicle that their own doing had displaced, or
    # one that a crew serves in their place.
    assert np.mean(np.abs(np.subtract(fast, slow)) < 0.02) > same
    assert np.corrcoef(np.ravel(fast), np.ravel(slow))[0, 1] > alike
    assert np.mean(fast) == pytest.approx(np.mean(slow), rel=0.06)


def test_crews_pass_by_what_they_are_told_to_leave_alone(saved):
    empty = {v.vehicle_id for v in saved.vehicles() if v.battery_pct < SPEC.usable_battery_pct}
    served = saved.revenue({}, with_crews=True).by_vehicle
    left = saved.revenue({}, with_crews=True, left_alone=empty).by_vehicle
    assert sum(served[name] for name in empty) > 0.0
    assert sum(left[name] for name in empty) == 0.0


def test_an_empty_vehicle_earns_nothing_and_a_full_one_does(saved):
    name = _tasks(saved, 1)[0][0]
    quay = Point(40.6218, 22.9524)
    tasks = [(name, Change(5.0)), (name, Change(100.0, quay))]
    means = np.mean([saved.own_revenue(tasks, future=k) for k in FUTURES], axis=0)
    assert means[0] == 0.0
    assert means[1] > 1.0
