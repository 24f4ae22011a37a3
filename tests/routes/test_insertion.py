from __future__ import annotations

from itertools import combinations_with_replacement

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetdesk.routes.evaluate import Limit, distance_m, duration_s, violations
from fleetdesk.routes.insertion import cheapest, inserted
from fleetdesk.routes.problem import Stop

from .conftest import Town

SPOT = st.tuples(st.integers(-3, 3), st.integers(-3, 3))


def brute(problem, van, stops, job, *, heed):
    """Cheapest cost over all ways in that break none of the heeded limits."""
    base = (distance_m(problem, van, stops), duration_s(problem, van, stops)) if stops else (0, 0)
    moves = problem.jobs[job].drop_off_point is not None
    best = float("inf")
    for first, last in combinations_with_replacement(range(len(stops) + 1), 2):
        if not moves and first != last:
            continue
        new = inserted(problem, stops, job, first, last)
        if {v.limit for v in violations(problem, (new,))} & heed:
            continue
        metres = distance_m(problem, van, new) - base[0]
        seconds = duration_s(problem, van, new) - base[1]
        cost = metres * van.cost_per_km_milli / 1000 + seconds * van.cost_per_h_milli / 3600
        best = min(best, cost)
    return best


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(SPOT, st.none() | SPOT), min_size=2, max_size=6),
    st.booleans(),
    st.booleans(),
    st.integers(20, 200),
)
def test_no_cheaper_way_in_is_overlooked(places, heed_room, heed_shift, minutes) -> None:
    town = Town()
    for spot, to in places:
        town.swap(*spot, 3.0) if to is None else town.move(*spot, to, 3.0)
    town.van(batteries=99, vehicles=1, hours=minutes / 60)
    problem = town.problem()
    stops = tuple(stop for job in range(len(places) - 1) for stop in problem.stops_of(job))
    last = len(places) - 1
    heed = {Limit.ROOM} if heed_room else set()
    expected = brute(problem, problem.vans[0], stops, last, heed=heed)
    way = cheapest(
        problem, problem.vans[0], stops, [last], heed_room=heed_room, heed_shift=heed_shift
    )
    slack_s = problem.vans[0].shift_s - duration_s(problem, problem.vans[0], stops)
    if heed_shift and not way.possible[0]:
        cost = brute(problem, problem.vans[0], stops, last, heed=heed | {Limit.SHIFT})
        # Whole seconds and metres can part the cheapest way from the quickest by a hair.
        assert cost == float("inf") or way.extra_s[0] - slack_s <= 3
        return
    assert way.cost_milli[0] == pytest.approx(expected, abs=1.5)
    new = inserted(problem, stops, last, int(way.position[0]), int(way.drop_position[0]))
    assert duration_s(problem, problem.vans[0], new) - way.extra_s[0] == (
        duration_s(problem, problem.vans[0], stops)
    )


def test_the_first_job_pays_for_the_whole_way(town) -> None:
    town.swap(3, 0, 3.0)
    van = town.van(x=0, y=0)
    problem = town.problem()
    way = cheapest(problem, problem.vans[0], (), [0])
    assert way.extra_s[0] == duration_s(problem, problem.vans[0], (Stop(0),))
    assert van.speed_kmh == 25


def test_no_jobs_no_ways(town) -> None:
    town.van()
    problem = town.problem()
    assert cheapest(problem, problem.vans[0], (), []).cost_milli.size == 0
