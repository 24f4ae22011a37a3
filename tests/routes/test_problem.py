from __future__ import annotations

from dataclasses import replace

import pytest

from fleetdesk.errors import FleetDeskError
from fleetdesk.model.plan import Action
from fleetdesk.routes.building import build
from fleetdesk.routes.evaluate import evaluate
from fleetdesk.routes.problem import Stop, sequences_of
from fleetdesk.routes.travel_times import Haversine


def test_a_job_is_worth_its_roi_with_the_labour_given_back(town) -> None:
    # revenue 4.0 after, 0.5 without, 1.2 cost of which 0.7 labour: ROI 2.3, value 3.0
    town.swap(1, 0, 3.0, bonus=0.25)
    job = town.problem().jobs[0]
    assert (job.value_milli, job.bonus_milli, job.worth_milli) == (3000, 250, 3250)
    assert (job.action, job.batteries, job.vehicles) == (Action.SWAP, 1, 0)


def test_a_move_has_two_stops_and_a_swap_on_the_way_is_said(town) -> None:
    town.move(1, 0, (2, 0), 3.0, swap=True)
    problem = town.problem()
    assert problem.jobs[0].action is Action.SWAP_AND_PICK_UP
    assert problem.stops_of(0) == (Stop(0), Stop(0, True))
    assert problem.jobs[0].drop_off_place == "Parking"


def test_equal_positions_share_a_point_and_equal_speeds_a_matrix(town) -> None:
    for _ in range(3):
        town.swap(1, 0, 3.0)
    town.van()
    town.van()
    town.van(speed_kmh=15)
    problem = town.problem()
    assert len(problem.points) == 2
    assert len(problem.matrices) == 2


def test_seconds_count_from_the_first_shift_and_costs_are_whole(town) -> None:
    town.van(from_h=2, hours=4)
    town.van(from_h=0.5)
    late, early = town.problem().vans
    assert (late.shift_start_s, late.shift_s, early.shift_start_s) == (5400, 14400, 0)
    assert (late.cost_per_km_milli, late.cost_per_h_milli) == (300, 14000)


def test_a_task_without_a_value_is_named(town) -> None:
    town.swap(1, 0, 3.0)
    with pytest.raises(FleetDeskError, match=r"Task T0 cannot be routed.*no ROI"):
        build(town.tasks, {}, {}, town.vans, Haversine())
    broken = {"T0": replace(town.values["T0"], revenue_after=float("nan"))}
    with pytest.raises(FleetDeskError, match="value nan"):
        build(town.tasks, broken, {}, town.vans, Haversine())


def test_the_same_task_twice_is_named(town) -> None:
    town.swap(1, 0, 3.0)
    with pytest.raises(FleetDeskError, match=r"twice\. Found: T0"):
        build(town.tasks * 2, town.values, {}, town.vans, Haversine())


def test_routes_find_their_way_back_to_stops(town) -> None:
    town.swap(1, 0, 3.0)
    town.move(1, 1, (2, 0), 3.0)
    town.van("Maria", hours=4)
    town.van("Maria", from_h=5, hours=4)
    problem = town.problem()
    sequences = ((), (Stop(1), Stop(0), Stop(1, True)))
    assert sequences_of(problem, evaluate(problem, sequences)) == sequences


def test_tasks_and_workers_that_are_gone_leave_no_trace(town) -> None:
    town.swap(1, 0, 3.0)
    town.move(1, 1, (2, 0), 3.0)
    town.van("Maria")
    town.van("Nikos")
    problem = town.problem()
    routes = evaluate(problem, ((Stop(0),), (Stop(1), Stop(1, True))))
    town.vans.pop()
    assert sequences_of(town.problem(), routes) == ((Stop(0),),)
    assert sequences_of(town.problem([1]), routes) == ((),)
