"""The referee: times, loads and money of any plan, whoever made it; its profit is the one shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from fleetdesk.model.plan import Action, Route, Visit
from fleetdesk.routes.problem import RoutingProblem, RoutingVan, Stop, Stops


class Limit(StrEnum):
    """A limit that a sequence of stops can break."""

    ROOM = "room for vehicles"
    BATTERIES = "charged batteries"
    SHIFT = "shift"
    ORDER = "pick-up before drop-off"
    ONCE = "each task once"


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken limit: on which van (index), which task if one is to blame, and by how much."""

    limit: Limit
    van: int
    excess: int
    task_id: str = ""


def evaluate(problem: RoutingProblem, sequences: Sequence[Stops]) -> tuple[Route, ...]:
    """The routes that `sequences` (one per van, in the problem's order) come to.

    Vans without stops stay at home and have no route. A van leaves at the start of its shift;
    tasks have no time windows, so that it never waits. Nothing is checked here: see `violations`.
    """
    return tuple(
        _route(problem, van, stops)
        for van, stops in zip(problem.vans, sequences, strict=True)
        if stops
    )


def violations(problem: RoutingProblem, sequences: Sequence[Stops]) -> tuple[Violation, ...]:
    """Every limit that `sequences` (one per van) break; empty when the plan can be driven."""
    found: list[Violation] = []
    done: set[int] = set()
    for number, (van, stops) in enumerate(zip(problem.vans, sequences, strict=True)):
        jobs = {stop.job for stop in stops}
        found += _repeats(problem, number, stops, jobs & done)
        found += _disorder(problem, number, stops)
        done |= jobs
        worst = max(loads(problem, stops), default=0)
        used = batteries_used(problem, stops)
        late = duration_s(problem, van, stops) - van.shift_s
        for limit, excess in (
            (Limit.ROOM, worst - van.vehicles),
            (Limit.BATTERIES, used - van.batteries),
            (Limit.SHIFT, late),
        ):
            if stops and excess > 0:
                found.append(Violation(limit, number, excess))
    return tuple(found)


def objective_milli(problem: RoutingProblem, sequences: Sequence[Stops]) -> int:
    """What a plan is chosen by: profit and priority bonuses, in thousandths."""
    return sum(route.profit_milli + route.bonus_milli for route in evaluate(problem, sequences))


def profit_milli(problem: RoutingProblem, van: RoutingVan, stops: Stops) -> int:
    """One van's value less travel and labour, in thousandths; 0 when it stays at home."""
    if not stops:
        return 0
    value = sum(problem.jobs[stop.job].value_milli for stop in stops if not stop.drop_off)
    travel = van.travel_cost_milli(distance_m(problem, van, stops))
    return value - travel - van.labour_cost_milli(duration_s(problem, van, stops))


def distance_m(problem: RoutingProblem, van: RoutingVan, stops: Stops) -> int:
    """Metres from start over all stops to the end."""
    metres = problem.matrix_of(van).distance_m
    where = [van.start, *(problem.point_of(stop) for stop in stops), van.end]
    return int(metres[where[:-1], where[1:]].sum())


def duration_s(problem: RoutingProblem, van: RoutingVan, stops: Stops) -> int:
    """Seconds of driving and work from start to end."""
    seconds = problem.matrix_of(van).duration_s
    where = [van.start, *(problem.point_of(stop) for stop in stops), van.end]
    return int(seconds[where[:-1], where[1:]].sum()) + sum(
        service_s(problem, stop) for stop in stops
    )


def loads(problem: RoutingProblem, stops: Stops) -> list[int]:
    """Vehicles on board when leaving each stop."""
    on_board = 0
    after = []
    for stop in stops:
        vehicles = problem.jobs[stop.job].vehicles
        on_board += -vehicles if stop.drop_off else vehicles
        after.append(on_board)
    return after


def batteries_used(problem: RoutingProblem, stops: Stops) -> int:
    """Charged batteries that the stops take."""
    return sum(problem.jobs[stop.job].batteries for stop in stops if not stop.drop_off)


def service_s(problem: RoutingProblem, stop: Stop) -> int:
    """Seconds of work at the stop."""
    job = problem.jobs[stop.job]
    return job.drop_off_s if stop.drop_off else job.service_s


def _route(problem: RoutingProblem, van: RoutingVan, stops: Stops) -> Route:
    matrix = problem.matrix_of(van)
    start_at = problem.starts_at + timedelta(seconds=van.shift_start_s)
    here, elapsed_s, metres, batteries = van.start, 0, 0, van.batteries
    visits = []
    for stop, on_board in zip(stops, loads(problem, stops), strict=True):
        job, there = problem.jobs[stop.job], problem.point_of(stop)
        leg_m, leg_s = int(matrix.distance_m[here, there]), int(matrix.duration_s[here, there])
        arrive_s = elapsed_s + leg_s
        elapsed_s = arrive_s + service_s(problem, stop)
        metres += leg_m
        batteries -= 0 if stop.drop_off else job.batteries
        here = there
        visits.append(
            Visit(
                task_id=job.task_id,
                vehicle_id=job.vehicle_id,
                action=Action.DROP_OFF if stop.drop_off else job.action,
                at=problem.points[there],
                place=job.drop_off_place if stop.drop_off else job.place,
                arrive_at=start_at + timedelta(seconds=arrive_s),
                leave_at=start_at + timedelta(seconds=elapsed_s),
                leg_m=leg_m,
                leg_s=leg_s,
                wait_s=0,
                load_vehicles=on_board,
                batteries_left=batteries,
            )
        )
    return_m = int(matrix.distance_m[here, van.end])
    return_s = int(matrix.duration_s[here, van.end])
    done = [problem.jobs[stop.job] for stop in stops if not stop.drop_off]
    return Route(
        worker=van.worker,
        visits=tuple(visits),
        start_at=start_at,
        end_at=start_at + timedelta(seconds=elapsed_s + return_s),
        distance_m=metres + return_m,
        duration_s=elapsed_s + return_s,
        return_leg_m=return_m,
        return_leg_s=return_s,
        value_milli=sum(job.value_milli for job in done),
        bonus_milli=sum(job.bonus_milli for job in done),
        travel_cost_milli=van.travel_cost_milli(metres + return_m),
        labour_cost_milli=van.labour_cost_milli(elapsed_s + return_s),
    )


def _repeats(
    problem: RoutingProblem, van: int, stops: Stops, elsewhere: set[int]
) -> list[Violation]:
    twice = {stop.job for stop, times in Counter(stops).items() if times > 1} | elsewhere
    return [Violation(Limit.ONCE, van, 1, problem.jobs[job].task_id) for job in sorted(twice)]


def _disorder(problem: RoutingProblem, van: int, stops: Stops) -> list[Violation]:
    found = []
    for job in sorted({stop.job for stop in stops}):
        needed = problem.stops_of(job)
        seen = tuple(dict.fromkeys(stop for stop in stops if stop.job == job))
        if seen != needed:
            found.append(Violation(Limit.ORDER, van, 1, problem.jobs[job].task_id))
    return found
