"""The referee: times, loads and money of any plan, whoever made it; its profit is the one shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from fleetdesk.model.plan import Action, Pause, PauseKind, Route, Visit
from fleetdesk.routes.problem import RoutingProblem, RoutingVan, Stop, Stops
from fleetdesk.routes.schedule import Schedule, schedule, work_s


class Limit(StrEnum):
    """A limit that a sequence of stops can break."""

    ROOM = "room for vehicles"
    BATTERIES = "charged batteries"
    SHIFT = "shift"
    ORDER = "pick-up before drop-off"
    ONCE = "each task once"
    WINDOW = "time window"
    WORKER = "skill or worker asked for"


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken limit: on which van (index), which task if one is to blame, and by how much."""

    limit: Limit
    van: int
    excess: int
    task_id: str = ""


def evaluate(problem: RoutingProblem, sequences: Sequence[Stops]) -> tuple[Route, ...]:
    """The routes that `sequences` (one per van, in the problem's order) come to.

    Vans without stops stay at home and have no route. See `schedule` for when a van leaves, waits,
    pauses and reloads. Nothing is checked here: see `violations`.
    """
    return tuple(_route(problem, number, stops) for number, stops in enumerate(sequences) if stops)


def violations(problem: RoutingProblem, sequences: Sequence[Stops]) -> tuple[Violation, ...]:
    """Every limit that `sequences` (one per van) break; empty when the plan can be driven."""
    found: list[Violation] = []
    done: set[int] = set()
    for number, (van, stops) in enumerate(zip(problem.vans, sequences, strict=True)):
        if not stops:
            continue
        jobs = {stop.job for stop in stops}
        found += _repeats(problem, number, stops, jobs & done)
        found += _disorder(problem, number, stops)
        found += _unsuitable(problem, number, jobs)
        done |= jobs
        driven = None if problem.steady(van) else schedule(problem, van, stops)
        if driven is None:
            late = duration_s(problem, van, stops) - van.shift_s - van.overtime_s
        else:
            late = driven.home_s - van.shift_end_s - van.overtime_s if van.shift_s else 1
            found += _too_late(problem, number, stops, driven)
        for limit, excess in (
            (Limit.ROOM, max(loads(problem, van, stops)) - van.vehicles),
            (Limit.BATTERIES, _batteries_missing(problem, van, stops, driven)),
            (Limit.SHIFT, late),
        ):
            if excess > 0:
                found.append(Violation(limit, number, excess))
    return tuple(found)


def objective_milli(problem: RoutingProblem, sequences: Sequence[Stops]) -> int:
    """What a plan is chosen by, in thousandths.

    Profit and priority bonuses, less imbalance, and each task done that must be done counts more
    than any cost.
    """
    total = sum(
        profit_milli(problem, van, stops)
        + bonus_milli(problem, number, stops)
        + problem.duty_milli * sum(problem.jobs[job].must for job in {s.job for s in stops})
        for number, (van, stops) in enumerate(zip(problem.vans, sequences, strict=True))
    )
    return total - imbalance_milli(problem, sequences)


def imbalance_milli(problem: RoutingProblem, sequences: Sequence[Stops]) -> int:
    """What the hours beyond the average round cost a plan in its choice; no money is paid."""
    if not problem.balance_per_h_milli:
        return 0
    paid = [
        paid_s(problem, van, stops) if stops else 0
        for van, stops in zip(problem.vans, sequences, strict=True)
        if van.shift_s
    ]
    average = sum(paid) / max(1, len(paid))
    beyond_s = sum(max(0.0, seconds - average) for seconds in paid)
    return round(beyond_s * problem.balance_per_h_milli / 3600)


def bonus_milli(problem: RoutingProblem, van: int, stops: Stops) -> int:
    """Priority bonuses of one van's jobs, and those for cells that its worker knows."""
    jobs = {stop.job for stop in stops}
    known = sum((job, van) in problem.familiar for job in jobs) if problem.familiar else 0
    return sum(problem.jobs[job].bonus_milli for job in jobs) + known * problem.familiar_milli


def profit_milli(problem: RoutingProblem, van: RoutingVan, stops: Stops) -> int:
    """One van's value less travel and labour, in thousandths; 0 when it stays at home."""
    if not stops:
        return 0
    value = sum(problem.jobs[stop.job].value_milli for stop in stops if not stop.drop_off)
    if not problem.steady(van):
        driven = schedule(problem, van, stops)
        metres, paid, over = driven.distance_m, driven.paid_s, _overtime_s(van, driven.home_s)
    else:
        metres, paid = distance_m(problem, van, stops), duration_s(problem, van, stops)
        over = _overtime_s(van, van.shift_start_s + paid)
    return value - van.travel_cost_milli(metres) - van.labour_cost_milli(paid, over)


def paid_s(problem: RoutingProblem, van: RoutingVan, stops: Stops) -> int:
    """Seconds from leaving to coming home, without breaks."""
    if not problem.steady(van):
        return schedule(problem, van, stops).paid_s
    return duration_s(problem, van, stops)


def distance_m(problem: RoutingProblem, van: RoutingVan, stops: Stops) -> int:
    """Metres from start over all stops to the end, reloads left out."""
    metres = problem.matrix_of(van).distance_m
    where = [van.start, *(problem.point_of(stop) for stop in stops), van.end]
    return int(metres[where[:-1], where[1:]].sum())


def duration_s(problem: RoutingProblem, van: RoutingVan, stops: Stops) -> int:
    """Seconds of driving and work from start to end; waiting, breaks and reloads left out."""
    seconds = problem.matrix_of(van).duration_s
    where = [van.start, *(problem.point_of(stop) for stop in stops), van.end]
    return int(seconds[where[:-1], where[1:]].sum()) + sum(work_s(problem, stop) for stop in stops)


def loads(problem: RoutingProblem, van: RoutingVan, stops: Stops) -> list[int]:
    """Vehicles on board when leaving each stop."""
    on_board = van.on_board
    after = []
    for stop in stops:
        vehicles = problem.jobs[stop.job].vehicles
        on_board += -vehicles if stop.drop_off else vehicles
        after.append(on_board)
    return after


def batteries_used(problem: RoutingProblem, stops: Stops) -> int:
    """Charged batteries that the stops take."""
    return sum(problem.jobs[stop.job].batteries for stop in stops if not stop.drop_off)


def _route(problem: RoutingProblem, number: int, stops: Stops) -> Route:
    van = problem.vans[number]
    driven = schedule(problem, van, stops)
    left, pauses = _batteries_left(problem, van, stops, driven)
    visits = tuple(
        Visit(
            task_id=problem.jobs[stop.job].task_id,
            vehicle_id=problem.jobs[stop.job].vehicle_id,
            action=_action(problem, stop),
            at=problem.points[problem.point_of(stop)],
            place=_place(problem, stop),
            arrive_at=_moment(problem, driven.arrive_s[n]),
            leave_at=_moment(problem, driven.end_s[n]),
            leg_m=driven.legs[n].distance_m,
            leg_s=driven.legs[n].drive_s,
            wait_s=driven.begin_s[n] - driven.arrive_s[n],
            load_vehicles=on_board,
            batteries_left=left[n],
        )
        for n, (stop, on_board) in enumerate(zip(stops, loads(problem, van, stops), strict=True))
    )
    overtime_s = _overtime_s(van, driven.home_s)
    return Route(
        worker=van.worker,
        visits=visits,
        start_at=_moment(problem, driven.leave_s),
        end_at=_moment(problem, driven.home_s),
        distance_m=driven.distance_m,
        duration_s=driven.home_s - driven.leave_s,
        return_leg_m=driven.legs[-1].distance_m,
        return_leg_s=driven.legs[-1].drive_s,
        value_milli=sum(problem.jobs[stop.job].value_milli for stop in stops if not stop.drop_off),
        bonus_milli=bonus_milli(problem, number, stops),
        travel_cost_milli=van.travel_cost_milli(driven.distance_m),
        labour_cost_milli=van.labour_cost_milli(driven.paid_s, overtime_s),
        pauses=pauses,
        overtime_s=overtime_s,
    )


def _batteries_left(
    problem: RoutingProblem, van: RoutingVan, stops: Stops, driven: Schedule
) -> tuple[list[int], tuple[Pause, ...]]:
    """Charged batteries when leaving each stop, and the pauses with theirs."""
    now, left, pauses = van.batteries, [], []
    waiting = list(driven.pauses)
    for number in range(len(stops) + 1):
        while waiting and waiting[0].leg == number:
            pause = waiting.pop(0)
            now = van.batteries_full if pause.reload else now
            pauses.append(
                Pause(
                    PauseKind.RELOAD if pause.reload else PauseKind.BREAK,
                    problem.points[pause.point],
                    _moment(problem, pause.start_s),
                    _moment(problem, pause.end_s),
                    number,
                    now,
                )
            )
        if number < len(stops) and not stops[number].drop_off:
            now -= problem.jobs[stops[number].job].batteries
        left.append(now)
    return left[: len(stops)], tuple(pauses)


def _batteries_missing(
    problem: RoutingProblem, van: RoutingVan, stops: Stops, driven: Schedule | None
) -> int:
    if driven is None or not van.reloads:
        return batteries_used(problem, stops) - van.batteries
    return -min(_batteries_left(problem, van, stops, driven)[0])


def _overtime_s(van: RoutingVan, home_s: int) -> int:
    return max(0, home_s - van.shift_end_s)


def _moment(problem: RoutingProblem, seconds: int) -> datetime:
    return problem.starts_at + timedelta(seconds=seconds)


def _action(problem: RoutingProblem, stop: Stop) -> Action:
    return Action.DROP_OFF if stop.drop_off else problem.jobs[stop.job].action


def _place(problem: RoutingProblem, stop: Stop) -> str:
    job = problem.jobs[stop.job]
    return job.drop_off_place if stop.drop_off else job.place


def _unsuitable(problem: RoutingProblem, van: int, jobs: set[int]) -> list[Violation]:
    return [
        Violation(Limit.WORKER, van, 1, problem.jobs[job].task_id)
        for job in sorted(jobs)
        if not problem.suitable[van, job]
    ]


def _too_late(problem: RoutingProblem, van: int, stops: Stops, driven: Schedule) -> list[Violation]:
    return [
        Violation(Limit.WINDOW, van, late, problem.jobs[stop.job].task_id)
        for stop, late in zip(stops, driven.late_s, strict=True)
        if late
    ]


def _repeats(
    problem: RoutingProblem, van: int, stops: Stops, elsewhere: set[int]
) -> list[Violation]:
    twice = {stop.job for stop, times in Counter(stops).items() if times > 1} | elsewhere
    return [Violation(Limit.ONCE, van, 1, problem.jobs[job].task_id) for job in sorted(twice)]


def _disorder(problem: RoutingProblem, van: int, stops: Stops) -> list[Violation]:
    seen: dict[int, Stops] = {}
    for stop in dict.fromkeys(stops):
        seen[stop.job] = (*seen.get(stop.job, ()), stop)
    return [
        Violation(Limit.ORDER, van, 1, problem.jobs[job].task_id)
        for job in sorted(seen)
        if seen[job] != problem.stops_of(job)
    ]
