"""What it costs to put a job into a van's stops, for many jobs and all positions at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fleetdesk.routes import evaluate
from fleetdesk.routes.problem import END_OF_TIME_S, RoutingProblem, RoutingVan, Stop, Stops
from fleetdesk.routes.schedule import Schedule, earliest

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Numbers = npt.NDArray[Any]
"""Metres, seconds or money."""


@dataclass(frozen=True, eq=False)
class Insertions:
    """The cheapest way into one van's stops, one entry per job.

    `position` and `drop_position` count the old stops before the new one; `extra_s` is driving
    and work together; where not `possible` the other figures mean nothing.
    """

    position: Ints
    drop_position: Ints
    extra_s: Ints
    travel_milli: Floats
    labour_milli: Floats
    possible: Bools

    def of(self, chosen: Bools) -> Insertions:
        """The entries of some of the jobs."""
        return Insertions(
            self.position[chosen],
            self.drop_position[chosen],
            self.extra_s[chosen],
            self.travel_milli[chosen],
            self.labour_milli[chosen],
            self.possible[chosen],
        )

    @property
    def cost_milli(self) -> Floats:
        """Driving and working time that the job adds; infinite where it cannot go in."""
        return np.where(self.possible, self.travel_milli + self.labour_milli, np.inf)


def cheapest(
    problem: RoutingProblem,
    van: RoutingVan,
    stops: Stops,
    jobs: Sequence[int],
    *,
    heed_room: bool = True,
    heed_shift: bool = True,
    heed_windows: bool = True,
    frozen: int = 0,
) -> Insertions:
    """Cheapest insertion of each job, alone, into one van's stops; batteries are not looked at.

    Nothing is put before or between the first `frozen` stops. Waiting, breaks and reloads that a
    job would bring about are not counted: only the referee knows what a round with them comes to.
    With the shift to heed, a single stop is sought among the positions that fit; of a move only
    the cheapest pair of positions is held against the shift, which is the same thing wherever
    driving time grows with distance.
    """
    ride = _Ride(problem, van, stops, heed_shift=heed_shift)
    work = _Work(problem, jobs)
    timely = heed_windows and problem.windowed
    room = ride.room_for(work.vehicles) if heed_room else np.ones((len(jobs), ride.legs), bool)
    room[:, :frozen] = False
    slack_s = van.longest_s - ride.duration_s
    position, drop_position = np.zeros((2, len(jobs)), np.int64)
    possible = np.zeros(len(jobs), bool)

    single, pair = np.flatnonzero(~work.moves), np.flatnonzero(work.moves)
    if single.size:
        # A vehicle that is not dropped off stays on board to the end of the round.
        stays = np.logical_and.accumulate(room[single, ::-1], axis=1)[:, ::-1]
        allowed = stays | (work.vehicles[single] == 0)[:, None]
        allowed[:, :frozen] = False
        # No stop adds more driving than twice the longest leg.
        most_s = 2 * problem.longest_leg_s + int(work.seconds[single].max())
        if heed_shift and slack_s < most_s:
            driving_s = ride.detour(ride.seconds, work.at[single])
            allowed &= driving_s + work.seconds[single, None] <= slack_s
        if timely:
            allowed &= ride.in_time(work, single)
        cost = np.where(allowed, ride.detour(ride.milli, work.at[single]), np.inf)
        position[single] = drop_position[single] = cost.argmin(axis=1)
        possible[single] = allowed.any(axis=1)
    if pair.size:
        position[pair], drop_position[pair], possible[pair] = ride.cheapest_pairs(
            work.at[pair],
            work.to[pair],
            room[pair] & ride.in_time(work, pair) if timely else room[pair],
        )

    extra_m = ride.extra(ride.metres, work, position, drop_position)
    extra_s = ride.extra(ride.seconds, work, position, drop_position) + work.seconds
    if heed_shift:
        possible &= extra_s <= (slack_s if van.shift_s else -1)
    return Insertions(
        position=position,
        drop_position=drop_position,
        extra_s=extra_s,
        travel_milli=ride.driving_milli(extra_m),
        labour_milli=ride.labour_milli(extra_s),
        possible=possible,
    )


def inserted(
    problem: RoutingProblem, stops: Stops, job: int, position: int, drop_position: int
) -> Stops:
    """The stops with the job put in at the positions that `cheapest` gave."""
    if problem.jobs[job].drop_off_point is None:
        return (*stops[:position], Stop(job), *stops[position:])
    between = stops[position:drop_position]
    return (*stops[:position], Stop(job), *between, Stop(job, True), *stops[drop_position:])


class _Work:
    """What the jobs ask for, as arrays."""

    def __init__(self, problem: RoutingProblem, jobs: Sequence[int]) -> None:
        chosen = [problem.jobs[job] for job in jobs]
        self.at = np.array([job.point for job in chosen], np.int64)
        self.to = np.array(
            [job.point if job.drop_off_point is None else job.drop_off_point for job in chosen],
            np.int64,
        )
        self.moves = np.array([job.drop_off_point is not None for job in chosen], bool)
        self.vehicles = np.array([job.vehicles for job in chosen], np.int64)
        self.seconds = np.array([job.work_s for job in chosen], np.int64)
        self.first_s = np.array([job.service_s for job in chosen], np.int64)
        windows = [job.window_s or (0, END_OF_TIME_S) for job in chosen]
        self.early, self.late = np.array(windows, np.int64).reshape(len(chosen), 2).T


class _Ride:
    """One van's legs as arrays: leg k runs from `frm[k]` to `to[k]`."""

    def __init__(
        self, problem: RoutingProblem, van: RoutingVan, stops: Stops, *, heed_shift: bool
    ) -> None:
        matrix = problem.matrix_of(van)
        self.van, self.metres, self.seconds = van, matrix.distance_m, matrix.duration_s
        self.milli = problem.money(van)
        where = [van.start, *(problem.point_of(stop) for stop in stops), van.end]
        self.frm, self.to = np.array(where[:-1]), np.array(where[1:])
        self.legs = len(self.frm)
        self.load = np.array([van.on_board, *evaluate.loads(problem, van, stops)], np.int64)
        # A van without stops stays at home: its first job pays for the whole way.
        self.goes_out = bool(stops)
        self.duration_s = evaluate.duration_s(problem, van, stops) if stops else 0
        if problem.windowed:
            self._set_times(problem, earliest(problem, van, stops), stops, heed_shift=heed_shift)

    def room_for(self, vehicles: Ints) -> Bools:
        """Whether so many more fit on each leg (jobs x legs)."""
        return self.load[None, :] + vehicles[:, None] <= self.van.vehicles

    def in_time(self, work: _Work, chosen: Ints) -> Bools:
        """Whether work there begins in its window and all later windows hold (jobs x legs)."""
        at, early, late = work.at[chosen], work.early[chosen, None], work.late[chosen, None]
        arrives = self._leaves[None, :] + self.seconds[self.frm[None, :], at[:, None]]
        leaves = np.maximum(arrives, early) + work.first_s[chosen, None]
        on = leaves + self.seconds[at[:, None], self.to[None, :]]
        fits: Bools = (arrives <= late) & (on <= self._latest[None, :])
        return fits

    def _set_times(
        self, problem: RoutingProblem, driven: Schedule, stops: Stops, *, heed_shift: bool
    ) -> None:
        """When each leg is begun at the soonest and must be over at the latest."""
        over = self.van.shift_end_s + self.van.overtime_s
        latest = [over if heed_shift else END_OF_TIME_S]
        for number in range(len(stops) - 1, -1, -1):
            window = problem.jobs[stops[number].job].window_s
            begun_by = window[1] if window else END_OF_TIME_S
            spent = driven.end_s[number] - driven.begin_s[number]
            # Breaks and reloads on the way keep their length.
            way = driven.arrive_s[number + 1 :][:1] or (driven.home_s,)
            spent += way[0] - driven.end_s[number]
            latest.append(min(begun_by, latest[-1] - spent))
        self._latest = np.array(latest[::-1], np.int64)
        self._leaves = np.array([driven.leave_s, *driven.end_s], np.int64)

    def detour(self, table: Numbers, at: Ints) -> Numbers:
        """What a stop at `at` adds to each leg (jobs x legs), in the table's unit."""
        there, on = self._ways(table, at)
        return there + on - self._saved(table)[None, :]

    def driving_milli(self, metres: Ints) -> Floats:
        """Money for driving so far."""
        return metres.astype(np.float64) * (self.van.cost_per_km_milli / 1000)

    def labour_milli(self, seconds: Ints) -> Floats:
        """Money for working so much longer."""
        wages = seconds.astype(np.float64) * (self.van.cost_per_h_milli / 3600)
        if not self.van.overtime_per_h_milli:
            return wages
        left_s = self.van.shift_s - self.van.break_s - self.duration_s
        over_s = np.maximum(0, seconds - left_s) - max(0, -left_s)
        return np.asarray(wages + over_s * (self.van.overtime_per_h_milli / 3600), np.float64)

    def cheapest_pairs(self, at: Ints, to: Ints, room: Bools) -> tuple[Ints, Ints, Bools]:
        """Cheapest pick-up leg and drop-off leg with room on all legs from one to the other."""
        saved = self._saved(self.milli)[None, :]
        there, on = self._ways(self.milli, at)
        there_too, on_too = self._ways(self.milli, to)
        pick_up, drop_off = there + on - saved, there_too + on_too - saved
        in_one = there + self.milli[at, to][:, None] + on_too - saved
        count = len(at)
        first, last = np.zeros((2, count), np.int64)
        best = np.full(count, np.inf)
        earlier, earlier_leg = np.full(count, np.inf), np.zeros(count, np.int64)
        for leg in range(self.legs):
            free = room[:, leg]
            apart = np.where(free, earlier + drop_off[:, leg], np.inf)
            together = np.where(free, in_one[:, leg], np.inf)
            for cost, start in ((apart, earlier_leg), (together, leg)):
                better = cost < best
                best = np.where(better, cost, best)
                first, last = np.where(better, start, first), np.where(better, leg, last)
            cheaper = pick_up[:, leg] < earlier
            earlier_leg = np.where(cheaper, leg, earlier_leg)
            earlier = np.where(free, np.minimum(earlier, pick_up[:, leg]), np.inf)
        return first, last, np.isfinite(best)

    def extra(self, table: Ints, work: _Work, position: Ints, drop_position: Ints) -> Ints:
        """What each job adds at its positions, read from `table`."""
        saved = self._saved(table)
        frm, to = self.frm[position], self.to[position]
        into = table[frm, work.at]
        alone = into + table[work.at, to] - saved[position]
        both = into + table[work.at, work.to] + table[work.to, to] - saved[position]
        later = (
            table[self.frm[drop_position], work.to]
            + table[work.to, self.to[drop_position]]
            - saved[drop_position]
        )
        apart = np.where(position == drop_position, both, alone + later)
        return np.asarray(np.where(work.moves, apart, alone), np.int64)

    def _ways(self, table: Numbers, at: Ints) -> tuple[Numbers, Numbers]:
        """From each leg's start to each place, and from there to the leg's end (jobs x legs)."""
        flat, points = table.ravel(), len(table)
        there: Numbers = flat.take(self.frm[None, :] * points + at[:, None])
        on: Numbers = flat.take(at[:, None] * points + self.to[None, :])
        return there, on

    def _saved(self, table: Numbers) -> Numbers:
        """What no longer has to be driven on each leg."""
        if self.goes_out:
            return np.asarray(table[self.frm, self.to])
        return np.zeros(self.legs, table.dtype)
