"""When a van is where: windows, waiting, breaks and reloads of one round."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fleetdesk.routes.problem import (
    END_OF_TIME_S,
    Pausing,
    RoutingProblem,
    RoutingVan,
    Stop,
    Stops,
)


class Leg(NamedTuple):
    """The way to a stop or home, by a place of reloading where `reload` (a point) is given.

    `drive_s` and `distance_m` are the whole way; `first_s` is the drive to the reload alone.
    """

    distance_m: int
    drive_s: int
    reload: int | None = None
    first_s: int = 0


class PauseAt(NamedTuple):
    """A break (`reload` None) or a reload before the leg with this number."""

    leg: int
    point: int
    start_s: int
    end_s: int
    reload: bool


@dataclass(frozen=True, slots=True)
class Schedule:
    """One round in seconds since the problem's start; one entry per stop.

    `legs` has one more, the way home. `late_s` is by how much work begins after its window.
    """

    leave_s: int
    home_s: int
    arrive_s: tuple[int, ...]
    begin_s: tuple[int, ...]
    end_s: tuple[int, ...]
    late_s: tuple[int, ...]
    legs: tuple[Leg, ...]
    pauses: tuple[PauseAt, ...]

    @property
    def distance_m(self) -> int:
        """Metres of the whole round."""
        return sum(leg.distance_m for leg in self.legs)

    @property
    def break_s(self) -> int:
        """Seconds of breaks."""
        return sum(pause.end_s - pause.start_s for pause in self.pauses if not pause.reload)

    @property
    def paid_s(self) -> int:
        """Seconds from leaving to coming home, without breaks."""
        return self.home_s - self.leave_s - self.break_s


def schedule(problem: RoutingProblem, van: RoutingVan, stops: Stops) -> Schedule:
    """The round that is home as early as can be, left as late as that allows (waiting is paid).

    A break is taken at the first stop that is left within its window, or after waiting for the
    window where the next chance would be too late; none where the worker is home by then.
    Reloads lie where they cost least.
    """
    round_ = _Round(problem, van, stops)
    first, due = round_.earliest()
    leave_s = round_.latest_leave(first)
    if leave_s <= first.leave_s:
        return first
    return round_.driven(due, leave_s, [p.leg for p in first.pauses if not p.reload])


def earliest(problem: RoutingProblem, van: RoutingVan, stops: Stops) -> Schedule:
    """The same round left as soon as the shift begins."""
    return _Round(problem, van, stops).earliest()[0]


def work_s(problem: RoutingProblem, stop: Stop) -> int:
    """Seconds of work at the stop."""
    job = problem.jobs[stop.job]
    return job.drop_off_s if stop.drop_off else job.service_s


class _Round:
    """One van's stops in their order, to be driven once or more."""

    def __init__(self, problem: RoutingProblem, van: RoutingVan, stops: Stops) -> None:
        self._van = van
        self._points = [van.start, *(problem.point_of(stop) for stop in stops)]
        self._works = [work_s(problem, stop) for stop in stops]
        windows = [problem.jobs[stop.job].window_s for stop in stops]
        self._windows = [window or (0, END_OF_TIME_S) for window in windows]
        self._legs = _legs(problem, van, stops)

    def earliest(self) -> tuple[Schedule, list[Pausing]]:
        """As early as can be, and the breaks that are due."""
        due = [pause for pause in self._van.breaks if pause.late_s >= self._van.shift_start_s]
        while due and self.driven(due[:-1]).home_s <= due[-1].late_s:
            due.pop()
        return self.driven(due), due

    def driven(
        self,
        due: Sequence[Pausing],
        leave_s: int | None = None,
        before: Sequence[int] | None = None,
    ) -> Schedule:
        """As early as can be with the breaks in `due`; `before` holds their legs where known."""
        leave = now = self._van.shift_start_s if leave_s is None else leave_s
        times: list[tuple[int, int, int, int]] = []
        pauses: list[PauseAt] = []
        left, known = list(due), list(before or ())
        for number, leg in enumerate(self._legs):
            while left and (
                known[0] == number if known else self._pauses_now(number, now, left[0])
            ):
                begins = max(now, left[0].early_s)
                now = begins + left.pop(0).length_s
                known = known[1:]
                pauses.append(PauseAt(number, self._points[number], begins, now, reload=False))
            if leg.reload is not None:
                there = now + leg.first_s
                pauses.append(
                    PauseAt(number, leg.reload, there, there + self._van.reload_s, reload=True)
                )
            now += self._takes_s(leg)
            if number < len(self._works):
                early, late = self._windows[number]
                begin = max(now, early)
                times.append((now, begin, begin + self._works[number], max(0, now - late)))
                now = times[-1][2]
        arrive, begins_, ends, lates = zip(*times, strict=True) if times else ((), (), (), ())
        return Schedule(leave, now, arrive, begins_, ends, lates, tuple(self._legs), tuple(pauses))

    def latest_leave(self, driven: Schedule) -> int:
        """The latest start that neither the way home nor the first break has to wait for."""
        breaks = [pause for pause in driven.pauses if not pause.reload]
        count = breaks[0].leg if breaks else len(self._works)
        latest = breaks[0].start_s if breaks else END_OF_TIME_S
        for number in range(count - 1, -1, -1):
            late = max(driven.begin_s[number], self._windows[number][1])
            by = min(late, latest - self._works[number])
            if number == len(self._works) - 1:
                by = min(by, driven.begin_s[number])
            latest = by - self._takes_s(self._legs[number])
        return latest if count else driven.leave_s

    def _pauses_now(self, leg: int, now: int, pause: Pausing) -> bool:
        """Whether to take it before this leg: its window is open, or too late after the next."""
        if now >= pause.early_s:
            return True
        then = now + self._takes_s(self._legs[leg])
        if leg < len(self._works):
            then = max(then, self._windows[leg][0]) + self._works[leg]
        return then > pause.late_s

    def _takes_s(self, leg: Leg) -> int:
        return leg.drive_s + (self._van.reload_s if leg.reload is not None else 0)


def _legs(problem: RoutingProblem, van: RoutingVan, stops: Stops) -> list[Leg]:
    matrix = problem.matrix_of(van)
    where = [van.start, *(problem.point_of(stop) for stop in stops), van.end]
    metres = matrix.distance_m[where[:-1], where[1:]].tolist()
    seconds = matrix.duration_s[where[:-1], where[1:]].tolist()
    legs = [Leg(m, s) for m, s in zip(metres, seconds, strict=True)]
    for leg in _reload_before(problem, van, stops, where):
        legs[leg] = _by_reload(problem, van, where[leg], where[leg + 1])
    return legs


def _reload_before(
    problem: RoutingProblem, van: RoutingVan, stops: Stops, where: Sequence[int]
) -> list[int]:
    """The legs on which to reload so that the batteries last, at the least cost.

    Where no way of reloading is enough, as few batteries as can be are missing at the end.
    """
    takes = [0 if stop.drop_off else problem.jobs[stop.job].batteries for stop in stops]
    if not van.reloads or sum(takes) <= van.batteries:
        return []
    used = [0, *accumulate(takes)]
    cost = _detours_milli(problem, van, where[:-1]).tolist()
    # After reloading before stop k: (money so far, legs of the reloads so far).
    ways: dict[int, tuple[float, tuple[int, ...]]] = {
        leg: (cost[leg], (leg,)) for leg in range(len(stops)) if used[leg] <= van.batteries
    }
    furthest: tuple[int, ...] = ()
    for _ in range(van.reloads):
        ends = [way for leg, way in ways.items() if used[-1] - used[leg] <= van.batteries_full]
        if ends:
            return list(min(ends)[1])
        furthest = ways[max(ways)][1]
        further = {}
        for then in range(len(stops)):
            # Only after these legs a full load lasts until then.
            since = bisect_left(used, used[then] - van.batteries_full)
            if before := [ways[leg] for leg in range(since, then) if leg in ways]:
                so_far, legs = min(before)
                further[then] = (so_far + cost[then], (*legs, then))
        ways = further or ways
    return list(furthest)


def _by_reload(problem: RoutingProblem, van: RoutingVan, here: int, there: int) -> Leg:
    matrix = problem.matrix_of(van)
    ways = [
        Leg(
            int(matrix.distance_m[here, depot] + matrix.distance_m[depot, there]),
            int(matrix.duration_s[here, depot] + matrix.duration_s[depot, there]),
            depot,
            int(matrix.duration_s[here, depot]),
        )
        for depot in van.reload_points
    ]
    return min(ways, key=lambda leg: _money(van, leg))


def _detours_milli(
    problem: RoutingProblem, van: RoutingVan, where: Sequence[int]
) -> npt.NDArray[np.float64]:
    """What reloading costs on each leg between the points, beyond the direct way."""
    money, depots = problem.money(van), list(van.reload_points)
    here, there = np.array(where[:-1]), np.array(where[1:])
    by_depot = money[here[:, None], depots] + money[depots, there[:, None]]
    return np.asarray(by_depot.min(axis=1) - money[here, there], np.float64)


def _money(van: RoutingVan, leg: Leg) -> float:
    return leg.distance_m * van.cost_per_km_milli / 1000 + leg.drive_s * van.cost_per_h_milli / 3600
