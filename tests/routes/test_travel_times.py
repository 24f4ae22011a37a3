from __future__ import annotations

import pytest

from fleetdesk.model.places import Point
from fleetdesk.routes.travel_times import Haversine


def test_the_estimate_is_the_straight_line_times_the_factor() -> None:
    here, there = Point(40.63, 22.94), Point(40.60, 22.97)
    matrix = Haversine().matrix([here, there], 25.0)
    expected_m = here.distance_m(there) * 1.35
    assert matrix.distance_m[0, 1] == pytest.approx(expected_m, abs=0.5)
    assert matrix.duration_s[0, 1] == pytest.approx(expected_m / (25 / 3.6), abs=0.5)


def test_twice_the_speed_is_half_the_time() -> None:
    points = [Point(40.63, 22.94), Point(40.60, 22.97)]
    slow, fast = (Haversine().matrix(points, speed) for speed in (20.0, 40.0))
    assert slow.duration_s[0, 1] == pytest.approx(2 * fast.duration_s[0, 1], abs=1)
    assert slow.distance_m[0, 1] == fast.distance_m[0, 1]


def test_the_label_says_that_it_is_an_estimate() -> None:
    assert Haversine().label == "estimated: straight line x 1.35"
