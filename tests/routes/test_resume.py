from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from fleetdesk.errors import FleetDeskError
from fleetdesk.model.plan import Action
from fleetdesk.routes.building import build
from fleetdesk.routes.resume import Underway, rest_of_day
from fleetdesk.routes.solve import plan
from fleetdesk.routes.stop import Iterations
from fleetdesk.routes.travel_times import Haversine

from .conftest import MORNING


def test_the_rest_is_planned_from_where_the_vans_are_with_what_they_carry(town) -> None:
    for x in range(1, 5):
        town.swap(x, 0, 9.0)
    town.move(1, 1, (3, 1), 9.0)
    town.van("Maria", batteries=4)
    whole = plan(town.problem(), Iterations(50), seed=1)
    (route,) = whole.routes
    done = tuple(v for v in route.visits[:3])
    picked = {v.task_id for v in done if v.action is Action.PICK_UP}
    dropped = {v.task_id for v in done if v.action is Action.DROP_OFF}
    on_board = tuple(picked - dropped)
    finished = {v.task_id for v in done} - set(on_board)
    here = Underway("Maria", done[-1].at, done[-1].leave_at, done[-1].batteries_left, on_board)
    tasks, vans = rest_of_day(town.tasks, town.vans, [here], finished)
    problem = build(tasks, town.values, {}, vans, Haversine(), "EUR")
    (rest,) = plan(problem, Iterations(50), seed=1).routes
    assert rest.start_at == done[-1].leave_at
    assert {v.task_id for v in rest.visits} == {v.task_id for v in route.visits} - finished
    # Nothing has changed, so the rest is as long as it was planned to be.
    assert rest.end_at <= route.end_at
    assert rest.visits[0].batteries_left <= here.batteries


def test_a_vehicle_on_board_goes_to_its_destination_by_its_van(town) -> None:
    moved = town.move(-5, 0, (2, 0), 1.0)
    town.van("Maria")
    town.van("Nikos")
    here = Underway("Nikos", town.vans[0].start, MORNING + timedelta(hours=1), 3, (moved,))
    tasks, vans = rest_of_day(town.tasks, town.vans, [here], ())
    found = plan(build(tasks, town.values, {}, vans, Haversine(), "EUR"), Iterations(5), seed=1)
    (route,) = found.routes
    assert (route.worker, route.visits[0].action) == ("Nikos", Action.DROP_OFF)
    assert route.visits[0].load_vehicles == 0


def test_of_a_shift_that_is_over_nothing_is_left(town) -> None:
    town.swap(1, 0, 9.0)
    van = town.van("Maria")
    here = Underway("Maria", van.end, van.shift_end + timedelta(hours=1), 3)
    tasks, (over,) = rest_of_day(town.tasks, town.vans, [here], ())
    assert over.shift_start == over.shift_end == van.shift_end
    problem = build(tasks, town.values, {}, [over], Haversine(), "EUR")
    assert plan(problem, Iterations(5), seed=1).routes == ()


def test_a_vehicle_on_two_vans_or_without_a_drop_off_is_refused(town) -> None:
    moved, swap = town.move(1, 0, (2, 0), 1.0), town.swap(1, 1, 2.0)
    van = town.van("Maria")
    here = Underway("Maria", van.start, MORNING, 3, (moved,))
    with pytest.raises(FleetDeskError, match="on two vans"):
        rest_of_day(town.tasks, town.vans, [here, replace(here, worker="Nikos")], ())
    with pytest.raises(FleetDeskError, match="no drop-off"):
        rest_of_day(town.tasks, town.vans, [replace(here, on_board=(swap,))], ())
