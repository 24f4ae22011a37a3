"""Which tasks, by whom, in what order: the day's plan."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from fleetdesk.errors import Enough
from fleetdesk.model.plan import Plan
from fleetdesk.routes import evaluate, explain, ortools_engine, pyvrp_engine
from fleetdesk.routes.alone import Alone
from fleetdesk.routes.fences import between
from fleetdesk.routes.filling import filled, opened
from fleetdesk.routes.pins import FREE, Rules, holds
from fleetdesk.routes.problem import RoutingProblem, Stops, sequences_of
from fleetdesk.routes.recreating import recreated
from fleetdesk.routes.stop import Stop

PROGRESS_EVERY_S = 0.25
ROUNDS_PER_TURN = 200
"""How long a search keeps its fences and its average round before they are set anew."""
DUTIES_SHARE = 0.3
"""Of the whole effort, the most that is spent on bringing in what must be done."""
RECREATING_SHARE = 0.5
"""Of the effort, what goes into ruin and recreate where vans reload or have breaks."""
ROUNDS_PER_TRIAL = 10
"""How many rounds of the engine's search last as long as one trial of ruin and recreate."""
CENT_MILLI = 10
"""For less than a hundredth of the currency nobody is asked to drive otherwise than before."""

MOST_SMALL_TASKS = 25
MOST_BREAK_TASKS = 150
SECOND_SOLUTIONS = 100
"""Up to how many tasks OR-Tools is asked too, and for how many of its solutions."""

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Progress:
    """How a search stands: rounds and seconds so far, and the best plan with its figures."""

    iterations: int
    seconds: float
    profit_milli: int
    planned_tasks: int
    sequences: tuple[Stops, ...] = ()


def plan(
    problem: RoutingProblem,
    stop: Stop,
    seed: int,
    warm_start: Plan | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    clock: Clock = time.perf_counter,
) -> Plan:
    """The plan with the highest profit and bonus found until `stop`, with a reason for the rest.

    Tasks that do not pay are left out, but for those that must be done; the search begins with no
    tasks or from `warm_start`, of which everything that can still be driven is kept. `on_progress`
    is called at most four times per second and at the end; when it raises Enough, the best plan so
    far is returned. `clock` gives the seconds that `stop` counts. The same problem, seed, start and
    rounds give the same plan.
    """
    start = begun(problem, warm_start)
    best, iterations = improve(problem, start, stop, seed, on_progress, clock=clock)
    return as_plan(problem, best, seed, iterations)


def begun(problem: RoutingProblem, warm_start: Plan | None) -> tuple[Stops, ...]:
    """What of an earlier plan can still be driven; nothing where there is none."""
    if warm_start is None:
        return ((),) * len(problem.vans)
    return drivable(problem, sequences_of(problem, warm_start))


def improve(
    problem: RoutingProblem,
    start: Sequence[Stops],
    stop: Stop,
    seed: int,
    on_progress: Callable[[Progress], None] | None = None,
    rules: Rules = FREE,
    clock: Clock = time.perf_counter,
    *,
    quick: bool = False,
) -> tuple[tuple[Stops, ...], int]:
    """The best sequences found from `start` until `stop`, and the rounds done.

    A `quick` search asks for no second opinion. `start` must be drivable and keep `rules`; so does
    the answer, which is never worse (see `settled`). What must be done is brought in before all
    else, and kept from then on.
    """
    search = _Search(problem, seed, stop, on_progress, rules, clock)
    first = search.filled(start)
    search.tell(first)
    best = search.lengthened(first)
    best = search.best_of(search.with_duties(best), until=1.0 - search.recreating_share)
    best = search.recreated(best)
    best = best if quick else search.second_opinion(best)
    best = opened(problem, filled(problem, best, search.jobs, rules), search.jobs, rules)
    best = settled(problem, first, best)
    search.tell(best)
    return best, search.rounds


def settled(
    problem: RoutingProblem, old: tuple[Stops, ...], new: tuple[Stops, ...]
) -> tuple[Stops, ...]:
    """The new sequences where they are worth a cent more; else the old, which crews know."""
    gain = evaluate.objective_milli(problem, new) - evaluate.objective_milli(problem, old)
    return new if gain >= CENT_MILLI else old


def as_plan(
    problem: RoutingProblem,
    sequences: Sequence[Stops],
    seed: int,
    iterations: int,
    rules: Rules = FREE,
) -> Plan:
    """The plan that the sequences come to, with a reason for every job that is left out."""
    routes = evaluate.evaluate(problem, sequences)
    return Plan(
        routes=routes,
        dropped=explain.dropped(problem, routes, rules),
        engine=pyvrp_engine.NAME,
        travel_times=problem.travel_times,
        seed=seed,
        iterations=iterations,
    )


def progress_of(
    problem: RoutingProblem, sequences: Sequence[Stops], iterations: int, seconds: float
) -> Progress:
    """What is told of the best so far."""
    routes = evaluate.evaluate(problem, sequences)
    return Progress(
        iterations,
        seconds,
        sum(route.profit_milli for route in routes),
        len(_jobs_in(sequences)),
        tuple(sequences),
    )


def drivable(
    problem: RoutingProblem, sequences: Sequence[Stops], bound: Collection[int] = ()
) -> tuple[Stops, ...]:
    """The sequences without the jobs that add least on vans that break a limit.

    What breaks no limit is returned as it is. What must be done, and still more so the jobs in
    `bound`, go only where no other is left.
    """
    kept = list(sequences)
    duties = {number for number, job in enumerate(problem.jobs) if job.must}
    while broken := evaluate.violations(problem, kept):
        number, task_id = broken[0].van, broken[0].task_id
        adds = explain.added_milli(problem, number, kept[number])
        for dear in (duties, set(bound)):
            if not adds.keys() <= dear:
                adds = {job: milli for job, milli in adds.items() if job not in dear}
        blamed = [job for job in adds if problem.jobs[job].task_id == task_id]
        worst = blamed[0] if blamed else min(adds, key=lambda job: (adds[job], job))
        kept[number] = tuple(stop for stop in kept[number] if stop.job != worst)
    return tuple(kept)


class _Search:
    """Turns of the engine's search under one stopping rule, and how far they are."""

    def __init__(
        self,
        problem: RoutingProblem,
        seed: int,
        stop: Stop,
        on_progress: Callable[[Progress], None] | None,
        rules: Rules,
        clock: Clock,
    ) -> None:
        self._problem, self._seed, self._stop, self._rules = problem, seed, stop, rules
        self._on_progress, self._clock = on_progress, clock
        self._enough = False
        self._filling_s = 0.0
        self._began = clock()
        self._last_told = time.perf_counter()
        self._vans = [number for number, van in enumerate(problem.vans) if van.shift_s > 0]
        self.jobs = _offered(problem, rules)
        self.rounds = 0

    def filled(self, start: Sequence[Stops]) -> tuple[Stops, ...]:
        """The start with all that pays; half that time is kept back for the same at the end."""
        found = filled(self._problem, start, self.jobs, self._rules)
        # The last time there is less to put in.
        self._filling_s = (self._clock() - self._began) / 2
        return found

    def lengthened(self, best: tuple[Stops, ...]) -> tuple[Stops, ...]:
        """The best with stretches that pay as a whole, to which no search by single tasks comes."""

        def over(so_far: tuple[Stops, ...]) -> bool:
            self._tell_now_and_then(lambda: so_far, self.rounds)
            return self._enough

        return opened(self._problem, best, self.jobs, self._rules, longer=True, over=over)

    def with_duties(self, best: tuple[Stops, ...]) -> tuple[Stops, ...]:
        """The best with as many as can be of the tasks that must be done, and nothing else new."""
        duties = [job for job in self.jobs if self._problem.jobs[job].must]
        if not set(duties) - _jobs_in(best) or not self._vans:
            return best
        # The planner's own tasks stay; all others make room and come back afterwards.
        kept = {*duties, *self._rules.van_of}
        bare = tuple(tuple(stop for stop in stops if stop.job in kept) for stops in best)
        bare = filled(self._problem, bare, duties, self._rules)
        offered, self.jobs = self.jobs, [job for job in self.jobs if job in kept]
        if set(duties) - _jobs_in(bare):
            bare = self.best_of(bare, until=DUTIES_SHARE, duties=frozenset(duties))
        self.jobs = offered
        return _better(self._problem, best, bare, self._rules)

    def best_of(
        self,
        best: tuple[Stops, ...],
        until: float,
        duties: frozenset[int] = frozenset(),
    ) -> tuple[Stops, ...]:
        """The best found from `best` in this share of the stopping rule.

        With `duties` to bring in, the search ends as soon as they are all in.
        """
        problem = self._problem
        turn = 0
        while self._vans and self.jobs and not self._over(self.rounds, until):
            fences = between(problem, best, self._rules, turn)
            even = problem.balance_per_h_milli > 0
            within = self.rounds + ROUNDS_PER_TURN if fences or even else np.inf

            def stopped(
                rounds: int,
                sequences: Callable[[], tuple[Stops, ...]],
                before: int = self.rounds,
                within: float = within,
            ) -> bool:
                self._tell_now_and_then(sequences, before + rounds)
                all_in = bool(duties) and duties <= _jobs_in(sequences())
                return all_in or before + rounds >= within or self._over(before + rounds, until)

            required = [job for job in self._required(best) if job not in duties]
            average_s = _average_s(problem, best) if even else None
            found, rounds = pyvrp_engine.search(
                problem, self.jobs, self._vans, best, self._seed, stopped, self._rules, fences,
                required, average_s,
            )  # fmt: skip
            self.rounds += rounds
            turn += 1
            found = drivable(problem, found, self._rules.van_of)
            best = _better(problem, best, found, self._rules)
            if within == np.inf:
                break
        return best

    @property
    def recreating_share(self) -> float:
        """Of the effort, what is kept for ruin and recreate: nothing where the engine is exact."""
        steady = all(self._problem.vans[van].steady for van in self._vans)
        return 0.0 if steady else RECREATING_SHARE

    def recreated(self, best: tuple[Stops, ...]) -> tuple[Stops, ...]:
        """The best found from `best` by ruin and recreate in the rest of the stopping rule."""
        if not self.recreating_share:
            return best
        before = self.rounds

        def over(trials: int, so_far: tuple[Stops, ...]) -> bool:
            self.rounds = before + trials * ROUNDS_PER_TRIAL
            self._tell_now_and_then(lambda: so_far, self.rounds)
            return self._over(self.rounds, 1.0)

        found = recreated(self._problem, best, self.jobs, self._rules, self._seed, over)
        return _better(self._problem, best, found, self._rules)

    def second_opinion(self, best: tuple[Stops, ...]) -> tuple[Stops, ...]:
        """OR-Tools' plan where that is better: on small days, and with breaks among windows."""
        clash = self._problem.windowed and any(van.breaks for van in self._problem.vans)
        most = MOST_BREAK_TASKS if clash else MOST_SMALL_TASKS
        locked = any(self._rules.order.values())
        if not self.rounds or locked or not 0 < len(self.jobs) <= most or self._enough:
            return best
        found = ortools_engine.search(
            self._problem, self.jobs, self._vans, best, SECOND_SOLUTIONS, self._rules
        )
        found = drivable(self._problem, found, self._rules.van_of)
        return _better(self._problem, best, found, self._rules)

    def tell(self, best: Sequence[Stops]) -> None:
        """Report the best so far."""
        if self._on_progress:
            seconds = self._clock() - self._began
            with self._until_enough():
                self._on_progress(progress_of(self._problem, best, self.rounds, seconds))

    def _tell_now_and_then(self, sequences: Callable[[], tuple[Stops, ...]], rounds: int) -> None:
        now = time.perf_counter()
        if self._on_progress and now - self._last_told >= PROGRESS_EVERY_S:
            self._last_told = now
            seconds = self._clock() - self._began
            with self._until_enough():
                self._on_progress(progress_of(self._problem, sequences(), rounds, seconds))

    @contextmanager
    def _until_enough(self) -> Iterator[None]:
        try:
            yield
        except Enough:
            self._enough = True

    def _over(self, rounds: int, until: float) -> bool:
        spent_s = self._clock() - self._began + self._filling_s
        return self._enough or self._stop.reached(int(rounds / until), spent_s / until)

    def _required(self, best: Sequence[Stops]) -> list[int]:
        there = _jobs_in(best)
        return [job for job in self.jobs if self._problem.jobs[job].must and job in there]


def _average_s(problem: RoutingProblem, sequences: Sequence[Stops]) -> int:
    """Paid seconds of a working van's round, on the average."""
    paid = [
        evaluate.paid_s(problem, van, stops) if stops else 0
        for van, stops in zip(problem.vans, sequences, strict=True)
        if van.shift_s
    ]
    return round(sum(paid) / max(1, len(paid)))


def _jobs_in(sequences: Sequence[Stops]) -> set[int]:
    return {stop.job for stops in sequences for stop in stops}


def _offered(problem: RoutingProblem, rules: Rules) -> list[int]:
    """The jobs that the search may plan: those that could pay, and the bound ones in any case."""
    possible = np.flatnonzero(Alone(problem).possible.any(axis=0)).tolist()
    could_pay = {job for job in possible if problem.steering_milli[job] > 0}
    return sorted((could_pay | set(rules.van_of)) - rules.excluded)


def _better(
    problem: RoutingProblem, start: tuple[Stops, ...], found: tuple[Stops, ...], rules: Rules
) -> tuple[Stops, ...]:
    if not holds(rules, found):
        return start
    return max(start, found, key=lambda each: evaluate.objective_milli(problem, each))
