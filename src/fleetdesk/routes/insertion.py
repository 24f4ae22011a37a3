"""What it costs to put a job into a van's stops, for many jobs and all positions at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fleetdesk.routes import evaluate
from fleetdesk.routes.problem import RoutingProblem, RoutingVan, Stop, Stops

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


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
    frozen: int = 0,
) -> Insertions:
    """Cheapest insertion of each job, alone, into one van's stops; batteries are not looked at.

    Nothing is put before or between the first `frozen` stops.
    With the shift to heed, a single stop is sought among the positions that fit; of a move only
    the cheapest pair of positions is held against the shift, which is the same thing wherever
    driving time grows with distance.
    """
    ride = _Ride(problem, van, stops)
    work = _Work(problem, jobs)
    room = ride.room_for(work.vehicles) if heed_room else np.ones((len(jobs), ride.legs), bool)
    room[:, :frozen] = False
    slack_s = van.shift_s - ride.duration_s
    position, drop_position = np.zeros((2, len(jobs)), np.int64)
    possible = np.zeros(len(jobs), bool)

    single, pair = np.flatnonzero(~work.moves), np.flatnonzero(work.moves)
    if single.size:
        # A vehicle that is not dropped off stays on board to the end of the round.
        stays = np.logical_and.accumulate(room[single, ::-1], axis=1)[:, ::-1]
        allowed = stays | (work.vehicles[single] == 0)[:, None]
        allowed[:, :frozen] = False
        if heed_shift:
            driving_s = ride.detour(ride.seconds, work.at[single])
            allowed &= driving_s + work.seconds[single, None] <= slack_s
        cost = np.where(allowed, ride.detour_milli(work.at[single]), np.inf)
        position[single] = drop_position[single] = cost.argmin(axis=1)
        possible[single] = allowed.any(axis=1)
    if pair.size:
        position[pair], drop_position[pair], possible[pair] = ride.cheapest_pairs(
            work.at[pair], work.to[pair], room[pair]
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


class _Ride:
    """One van's legs as arrays: leg k runs from `frm[k]` to `to[k]`."""

    def __init__(self, problem: RoutingProblem, van: RoutingVan, stops: Stops) -> None:
        matrix = problem.matrix_of(van)
        self.van, self.metres, self.seconds = van, matrix.distance_m, matrix.duration_s
        where = [van.start, *(problem.point_of(stop) for stop in stops), van.end]
        self.frm, self.to = np.array(where[:-1]), np.array(where[1:])
        self.legs = len(self.frm)
        self.load = np.array([0, *evaluate.loads(problem, stops)], np.int64)
        # A van without stops stays at home: its first job pays for the whole way.
        self.goes_out = bool(stops)
        self.duration_s = evaluate.duration_s(problem, van, stops) if stops else 0

    def room_for(self, vehicles: Ints) -> Bools:
        """Whether so many more fit on each leg (jobs x legs)."""
        return self.load[None, :] + vehicles[:, None] <= self.van.vehicles

    def detour(self, table: Ints, at: Ints) -> Ints:
        """What a stop at `at` adds to each leg (jobs x legs)."""
        there: Ints = table[self.frm[None, :], at[:, None]]
        on: Ints = table[at[:, None], self.to[None, :]]
        return there + on - self._saved(table)[None, :]

    def detour_milli(self, at: Ints) -> Floats:
        """The same in money for driving and driving time."""
        return self._milli(self.detour(self.metres, at), self.detour(self.seconds, at))

    def driving_milli(self, metres: Ints) -> Floats:
        """Money for driving so far."""
        return metres.astype(np.float64) * (self.van.cost_per_km_milli / 1000)

    def labour_milli(self, seconds: Ints) -> Floats:
        """Money for working so long."""
        return seconds.astype(np.float64) * (self.van.cost_per_h_milli / 3600)

    def cheapest_pairs(self, at: Ints, to: Ints, room: Bools) -> tuple[Ints, Ints, Bools]:
        """Cheapest pick-up leg and drop-off leg with room on all legs from one to the other."""
        pick_up, drop_off = self.detour_milli(at), self.detour_milli(to)
        in_one = self._milli(self._both(self.metres, at, to), self._both(self.seconds, at, to))
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

    def _both(self, table: Ints, at: Ints, to: Ints) -> Ints:
        there: Ints = table[self.frm[None, :], at[:, None]]
        between: Ints = table[at, to][:, None]
        on: Ints = table[to[:, None], self.to[None, :]]
        return there + between + on - self._saved(table)[None, :]

    def _saved(self, table: Ints) -> Ints:
        return table[self.frm, self.to] if self.goes_out else np.zeros(self.legs, np.int64)

    def _milli(self, metres: Ints, seconds: Ints) -> Floats:
        return self.driving_milli(metres) + self.labour_milli(seconds)
