"""The day's routing problem in integers: jobs and vans on a travel matrix, money in thousandths.

Money is exact to the thousandth of the currency (milli). A cost per km in milli is the same
number as millionths per metre, so that van costs are integers without a loss worth seeing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fleetdesk.model.places import Point
from fleetdesk.model.plan import Action, Plan, Route
from fleetdesk.routes.travel_times import TravelMatrix

END_OF_TIME_S = 10**9
"""Later than any day: the end of a window that has none."""


class Stop(NamedTuple):
    """A van's halt for a job: at the vehicle, or (`drop_off`) where the vehicle is taken to."""

    job: int
    drop_off: bool = False


Stops = tuple[Stop, ...]


class Pausing(NamedTuple):
    """A break: it begins from `early_s` to `late_s` and lasts `length_s`."""

    early_s: int
    late_s: int
    length_s: int


@dataclass(frozen=True, slots=True)
class Job:
    """One task as the router sees it; `point` and `drop_off_point` index the problem's points.

    `value_milli` is what it brings before travel and working time; `vehicles` are on board from
    the first stop to the drop-off, or to the end of the round when there is no drop-off; below 0
    they are on board from the start and leave at the stop. Work at each stop begins within
    `window_s`. Only workers with the `skill`, and of those only `worker` where one is named, can do
    it; `must` = done whatever it brings.
    """

    task_id: str
    vehicle_id: str
    action: Action
    point: int
    place: str
    service_s: int
    batteries: int
    vehicles: int
    value_milli: int
    bonus_milli: int
    drop_off_point: int | None = None
    drop_off_place: str = ""
    drop_off_s: int = 0
    window_s: tuple[int, int] | None = None
    skill: str = ""
    worker: str = ""
    must: bool = False

    @property
    def worth_milli(self) -> int:
        """What steers the choice: value and priority bonus."""
        return self.value_milli + self.bonus_milli

    @property
    def work_s(self) -> int:
        """Seconds at its stops."""
        return self.service_s + self.drop_off_s


@dataclass(frozen=True, slots=True)
class RoutingVan:
    """One van for one shift; seconds count from the problem's `starts_at`.

    `matrix` indexes the problem's matrices, one per driving speed. The worker is home `overtime_s`
    after the shift at the latest. `batteries` are on board at the start and `batteries_full` after
    each of at most `max_reloads` reloads at one of `reload_points`; `on_board` = vehicles on board
    at the start, `kept` of which stay there to the end.
    """

    worker: str
    start: int
    end: int
    matrix: int
    shift_start_s: int
    shift_end_s: int
    batteries: int
    vehicles: int
    cost_per_km_milli: int
    cost_per_h_milli: int
    skills: frozenset[str] = frozenset()
    breaks: tuple[Pausing, ...] = ()
    overtime_s: int = 0
    overtime_per_h_milli: int = 0
    reload_points: tuple[int, ...] = ()
    reload_s: int = 0
    max_reloads: int = 0
    batteries_full: int = 0
    on_board: int = 0
    kept: int = 0

    @property
    def shift_s(self) -> int:
        """Length of the shift; 0 when it ends before it begins."""
        return max(0, self.shift_end_s - self.shift_start_s)

    @property
    def break_s(self) -> int:
        """Seconds of the breaks within the shift."""
        within = (b for b in self.breaks if self.shift_start_s <= b.late_s <= self.shift_end_s)
        return sum(pause.length_s for pause in within)

    @property
    def longest_s(self) -> int:
        """The longest driving and work there can be: shift and overtime less breaks."""
        if not self.shift_s:
            return 0
        return max(0, self.shift_s + self.overtime_s - self.break_s)

    @property
    def reloads(self) -> int:
        """How often it may reload."""
        return self.max_reloads if self.reload_points and self.batteries_full else 0

    @property
    def most_batteries(self) -> int:
        """Charged batteries over the whole round."""
        return self.batteries + self.reloads * self.batteries_full

    @property
    def steady(self) -> bool:
        """Whether a round's length is the sum of its legs and works, but for time windows."""
        return not (self.breaks or self.reloads)

    def travel_cost_milli(self, distance_m: int) -> int:
        """Money for driving so far, to the nearest thousandth."""
        return _rounded_quotient(distance_m * self.cost_per_km_milli, 1000)

    def labour_cost_milli(self, paid_s: int, overtime_s: int = 0) -> int:
        """Money for working so long, so much of it overtime, to the nearest thousandth."""
        milli_s = paid_s * self.cost_per_h_milli + overtime_s * self.overtime_per_h_milli
        return _rounded_quotient(milli_s, 3600)


@dataclass(frozen=True, eq=False)
class RoutingProblem:
    """All that a plan is made from and judged by; `currency` is shown with money in reasons.

    Two wishes steer the choice like the priority bonus and are not money earned: each hour that a
    round is longer than the average of all working vans costs `balance_per_h_milli`, and
    `familiar_milli` goes to each job in `familiar` that its van (job, van) does.
    """

    jobs: tuple[Job, ...]
    vans: tuple[RoutingVan, ...]
    points: tuple[Point, ...]
    matrices: tuple[TravelMatrix, ...]
    starts_at: datetime
    travel_times: str
    currency: str = ""
    balance_per_h_milli: int = 0
    familiar: frozenset[tuple[int, int]] = frozenset()
    familiar_milli: int = 0

    @cached_property
    def suitable(self) -> npt.NDArray[np.bool_]:
        """Which van (row) has what each job (column) asks of its worker."""
        return np.array(
            [
                [
                    (not job.skill or job.skill in van.skills)
                    and (not job.worker or job.worker == van.worker)
                    for job in self.jobs
                ]
                for van in self.vans
            ],
            bool,
        ).reshape(len(self.vans), len(self.jobs))

    @cached_property
    def duty_milli(self) -> int:
        """More than any one task can cost: what doing a task that must be done counts for."""
        longest = [
            van.travel_cost_milli(4 * int(self.matrix_of(van).distance_m.max(initial=0)))
            + van.labour_cost_milli(van.longest_s, van.overtime_s)
            for van in self.vans
        ]
        dearest = max((-job.worth_milli for job in self.jobs), default=0)
        return 2 * max([*longest, dearest, 1000])

    @cached_property
    def steering_milli(self) -> tuple[int, ...]:
        """What the choice of each job is steered by: value and bonus, and duty where it must be."""
        return tuple(job.worth_milli + job.must * self.duty_milli for job in self.jobs)

    @cached_property
    def windowed(self) -> bool:
        """Whether any job has a time window."""
        return any(job.window_s is not None for job in self.jobs)

    def steady(self, van: RoutingVan) -> bool:
        """Whether a round of the van is as long as its legs and works, whenever it begins."""
        return not self.windowed and van.steady

    def money(self, van: RoutingVan) -> npt.NDArray[np.float64]:
        """What each leg costs the van in thousandths, driving and wages; made once per rate."""
        rate = van.matrix, van.cost_per_km_milli, van.cost_per_h_milli
        if rate not in self._money:
            matrix = self.matrix_of(van)
            table = matrix.distance_m * (van.cost_per_km_milli / 1000)
            table = table + matrix.duration_s * (van.cost_per_h_milli / 3600)
            self._money[rate] = np.asarray(table, np.float64)
        return self._money[rate]

    @cached_property
    def longest_leg_s(self) -> int:
        """Seconds of the longest way between two points."""
        return max((int(matrix.duration_s.max(initial=0)) for matrix in self.matrices), default=0)

    @cached_property
    def _money(self) -> dict[tuple[int, int, int], npt.NDArray[np.float64]]:
        return {}

    def matrix_of(self, van: RoutingVan) -> TravelMatrix:
        """The travel matrix at the van's speed."""
        return self.matrices[van.matrix]

    def point_of(self, stop: Stop) -> int:
        """Where the stop is, as an index into `points`."""
        job = self.jobs[stop.job]
        if not stop.drop_off:
            return job.point
        return job.point if job.drop_off_point is None else job.drop_off_point

    def stops_of(self, job: int) -> Stops:
        """The stops that doing the job takes, in their order."""
        if self.jobs[job].drop_off_point is None:
            return (Stop(job),)
        return (Stop(job), Stop(job, drop_off=True))


def sequences_of(problem: RoutingProblem, planned: Plan | Sequence[Route]) -> tuple[Stops, ...]:
    """The stops of each van (in the problem's order) as in earlier routes.

    Routes find their van by worker, and by the start of the shift where a worker has several;
    tasks and workers that no longer exist are left out, and so is half a move.
    """
    routes = planned.routes if isinstance(planned, Plan) else planned
    index = {job.task_id: number for number, job in enumerate(problem.jobs)}
    sequences: list[Stops] = [()] * len(problem.vans)
    seen: set[int] = set()
    for route, van in _paired(problem, routes):
        stops = [
            problem.stops_of(index[visit.task_id])[-1 if visit.action is Action.DROP_OFF else 0]
            for visit in route.visits
            if visit.task_id in index
        ]
        whole = {stop.job for stop in stops if set(problem.stops_of(stop.job)) <= set(stops)}
        sequences[van] = tuple(stop for stop in stops if stop.job in whole - seen)
        seen |= whole
    return tuple(sequences)


def milli(amount: float) -> int:
    """Money in thousandths of the currency."""
    return round(amount * 1000)


def _paired(problem: RoutingProblem, routes: Sequence[Route]) -> list[tuple[Route, int]]:
    free = dict(enumerate(problem.vans))
    pairs = []
    for route in routes:
        mine = [number for number, van in free.items() if van.worker == route.worker]
        start_s = round((route.start_at - problem.starts_at).total_seconds())
        mine.sort(key=lambda number: problem.vans[number].shift_start_s != start_s)
        if mine:
            pairs.append((route, mine[0]))
            del free[mine[0]]
    return pairs


def _rounded_quotient(amount: int, by: int) -> int:
    return (2 * amount + by) // (2 * by)
