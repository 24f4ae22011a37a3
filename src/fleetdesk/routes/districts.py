"""Days too large for one search: districts planned side by side, then the whole polished."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import ceil
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from signal import SIG_IGN, SIGINT, signal

import numpy as np
from scipy.cluster.vq import kmeans2

from fleetdesk.errors import Enough
from fleetdesk.model.plan import Plan
from fleetdesk.routes import solve
from fleetdesk.routes.problem import RoutingProblem, RoutingVan, Stop, Stops
from fleetdesk.routes.solve import PROGRESS_EVERY_S, Progress, progress_of
from fleetdesk.routes.stop import Iterations
from fleetdesk.routes.stop import Stop as StoppingRule
from fleetdesk.routes.travel_times import TravelMatrix

MOST_TASKS = 1500
"""Above, one search makes too few rounds in a planner's time."""
TASKS_PER_DISTRICT = 500
DISTRICTS_SHARE = 0.5
"""Of the effort, what goes into the districts; the rest polishes the whole."""
_END: Event | None = None


@dataclass(frozen=True, slots=True)
class _Share:
    """A stopping rule that ends after a share of another."""

    rule: StoppingRule
    share: float

    def reached(self, iterations: int, seconds: float) -> bool:
        """Whether that share is used up."""
        return self.rule.reached(int(iterations / self.share), seconds / self.share)


@dataclass(frozen=True, slots=True)
class _District:
    """A part of the day, and the numbers of its jobs and vans in the whole."""

    problem: RoutingProblem
    jobs: tuple[int, ...]
    vans: tuple[int, ...]


def plan_large(
    problem: RoutingProblem,
    stop: StoppingRule,
    seed: int,
    on_progress: Callable[[Progress], None] | None = None,
) -> Plan:
    """`solve.plan`; above `MOST_TASKS` tasks begun from districts that processes plan at once.

    Each district and the whole get half of `stop`. The same problem, seed and rounds give the
    same plan, whatever the number of cores. Who has waited enough gets the best of each district.
    """
    if len(problem.jobs) <= MOST_TASKS or len(problem.vans) < 2:
        return solve.plan(problem, stop, seed, on_progress=on_progress)
    sequences: list[Stops] = [()] * len(problem.vans)
    watch = _Watch(problem, sequences, on_progress)
    _plan_districts(_districts(problem, seed), stop, seed, watch)
    # After enough only what fits and pays is put in, and nothing is searched.
    rest = Iterations(0) if watch.enough else _Share(stop, 1 - DISTRICTS_SHARE)
    best, rounds = solve.improve(problem, sequences, rest, seed, on_progress)
    return solve.as_plan(problem, best, seed, rounds)


class _Watch:
    """Who waits for the districts: told how far they are, and asked whether that is enough."""

    def __init__(
        self,
        problem: RoutingProblem,
        sequences: list[Stops],
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        self._problem, self._sequences, self._on_progress = problem, sequences, on_progress
        self._began = time.perf_counter()
        self.enough = False

    def take(self, district: _District, found: Sequence[Stops]) -> None:
        """Bring a district's routes into the whole."""
        for van, stops in zip(district.vans, found, strict=True):
            self._sequences[van] = tuple(Stop(district.jobs[s.job], s.drop_off) for s in stops)

    def tell(self) -> None:
        """Report the districts that are planned."""
        if self._on_progress and not self.enough:
            seconds = time.perf_counter() - self._began
            try:
                self._on_progress(progress_of(self._problem, self._sequences, 0, seconds))
            except Enough:
                self.enough = True


def _plan_districts(
    districts: Sequence[_District], stop: StoppingRule, seed: int, watch: _Watch
) -> None:
    """Plan the districts, each in a process; at the watcher's wish they end with their best."""
    share = _Share(stop, DISTRICTS_SHARE)
    workers = min(len(districts), os.cpu_count() or 1)
    context = get_context("spawn")
    end = context.Event()
    with ProcessPoolExecutor(workers, context, _begin, (end,)) as pool:
        with _deaf():
            waiting = {pool.submit(_solved, each.problem, share, seed): each for each in districts}
        try:
            while waiting:
                done, _ = wait(waiting, PROGRESS_EVERY_S, FIRST_COMPLETED)
                for future in done:
                    watch.take(waiting.pop(future), future.result())
                watch.tell()
                if watch.enough:
                    end.set()
        finally:
            # Who cancels does not wait for what nobody wants.
            end.set()
            pool.shutdown(cancel_futures=True)


@contextmanager
def _deaf() -> Iterator[None]:
    """Processes that begin now inherit that Ctrl-C is nothing to them, from their first moment."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal(SIGINT, SIG_IGN)
    try:
        yield
    finally:
        signal(SIGINT, before)


def _begin(end: Event) -> None:
    """In a district's process: keep the event that ends its search; Ctrl-C is for who waits."""
    global _END
    _END = end
    signal(SIGINT, SIG_IGN)


def _solved(problem: RoutingProblem, stop: StoppingRule, seed: int) -> tuple[Stops, ...]:
    start: tuple[Stops, ...] = ((),) * len(problem.vans)
    return solve.improve(problem, start, stop, seed, _heed_the_end, quick=True)[0]


def _heed_the_end(_: Progress) -> None:
    if _END and _END.is_set():
        raise Enough


def _districts(problem: RoutingProblem, seed: int) -> list[_District]:
    """Tasks by k-means on the map, and to each district its share of the working vans."""
    working = [number for number, van in enumerate(problem.vans) if van.shift_s > 0]
    count = min(ceil(len(problem.jobs) / TASKS_PER_DISTRICT), max(1, len(working)))
    at = [problem.points[job.point] for job in problem.jobs]
    middle = np.radians(np.mean([point.lat for point in at]))
    places = np.array([(point.lat, point.lon * np.cos(middle)) for point in at])
    _, label = kmeans2(places, count, minit="++", rng=np.random.default_rng(seed))
    members = [np.flatnonzero(label == district).tolist() for district in range(count)]
    members = [jobs for jobs in members if jobs]
    crews = _shared_out(problem, working, members)
    return [
        _District(_part(problem, jobs, vans), tuple(jobs), tuple(vans))
        for jobs, vans in zip(members, crews, strict=True)
        if vans
    ]


def _shared_out(
    problem: RoutingProblem, working: Sequence[int], members: Sequence[Sequence[int]]
) -> list[list[int]]:
    """Vans one by one to the district with most work per van, those that may do most of it."""
    work = [sum(problem.jobs[job].work_s for job in jobs) for jobs in members]
    crews: list[list[int]] = [[] for _ in members]
    for van in working:
        able = [int(problem.suitable[van, list(jobs)].sum()) for jobs in members]
        wanted = [
            (work[n] / (len(crews[n]) + 1) * (able[n] / len(members[n])), -n)
            for n in range(len(members))
        ]
        crews[-max(wanted)[1]].append(van)
    return crews


def _part(problem: RoutingProblem, jobs: Sequence[int], vans: Sequence[int]) -> RoutingProblem:
    """The problem of some jobs and vans, with no more points than they need."""
    points: dict[int, int] = {}

    def at(point: int) -> int:
        return points.setdefault(point, len(points))

    def placed(van: RoutingVan) -> RoutingVan:
        reload_points = tuple(at(point) for point in van.reload_points)
        return replace(van, start=at(van.start), end=at(van.end), reload_points=reload_points)

    its_jobs = tuple(
        replace(
            job,
            point=at(job.point),
            drop_off_point=None if job.drop_off_point is None else at(job.drop_off_point),
        )
        for job in (problem.jobs[number] for number in jobs)
    )
    its_vans = tuple(placed(problem.vans[number]) for number in vans)
    chosen = np.ix_(list(points), list(points))
    job_of = {old: new for new, old in enumerate(jobs)}
    van_of = {old: new for new, old in enumerate(vans)}
    return replace(
        problem,
        jobs=its_jobs,
        vans=its_vans,
        points=tuple(problem.points[point] for point in points),
        matrices=tuple(
            TravelMatrix(m.distance_m[chosen], m.duration_s[chosen], m.label)
            for m in problem.matrices
        ),
        familiar=frozenset(
            (job_of[job], van_of[van])
            for job, van in problem.familiar
            if job in job_of and van in van_of
        ),
    )
