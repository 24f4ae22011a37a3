"""Why a task is on no route and what would bring it in; what each planned task adds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from fleetdesk.model.plan import DropCode, Dropped, Route
from fleetdesk.routes import evaluate, wording
from fleetdesk.routes.alone import Alone
from fleetdesk.routes.insertion import Floats, Insertions, cheapest
from fleetdesk.routes.pins import FREE, Rules
from fleetdesk.routes.problem import RoutingProblem, Stops, sequences_of

WORTHWHILE_MILLI = 2.0
"""A gain below this may be rounding: travel and labour are each rounded to the thousandth."""


def dropped(
    problem: RoutingProblem, routes: Sequence[Route], rules: Rules = FREE
) -> tuple[Dropped, ...]:
    """A reason for every job on no route, in the order of the jobs.

    First what the planner excluded, then what no van could do even alone; else the cheapest
    insertion into the routes as they are says whether the job is too dear everywhere or kept out
    by a limit. Where lifting one limit is enough, that one is named, and of several the one that
    leaves the highest gain.
    """
    sequences = sequences_of(problem, routes)
    on_route = {stop.job for stops in sequences for stop in stops}
    alone = Alone(problem)
    reasons = {
        number: _excluded(problem, number) if number in rules.excluded else alone.reason(number)
        for number in range(len(problem.jobs))
        if number not in on_route
    }
    open_jobs = [job for job, hard in reasons.items() if hard is None]
    chances = _Chances(problem, sequences, open_jobs, rules)
    return tuple(hard or chances.reason(job) for job, hard in reasons.items())


def marginal(problem: RoutingProblem, routes: Sequence[Route]) -> Mapping[str, int]:
    """What each planned task adds: profit with it less profit without it, in thousandths.

    The other stops keep their order; the only task of a round carries the whole way.
    """
    return {
        problem.jobs[job].task_id: adds
        for van, stops in enumerate(sequences_of(problem, routes))
        for job, adds in added_milli(problem, van, stops).items()
    }


def added_milli(problem: RoutingProblem, van: int, stops: Stops) -> dict[int, int]:
    """The same for one van's stops, by job."""
    driver = problem.vans[van]
    whole = evaluate.profit_milli(problem, driver, stops)
    return {
        job: whole
        - evaluate.profit_milli(problem, driver, tuple(stop for stop in stops if stop.job != job))
        for job in dict.fromkeys(stop.job for stop in stops)
    }


class _Chances:
    """The cheapest way in for some jobs on each working van, with and without its limits."""

    def __init__(
        self,
        problem: RoutingProblem,
        sequences: Sequence[Stops],
        jobs: Sequence[int],
        rules: Rules,
    ) -> None:
        self._problem = problem
        self._column = {job: column for column, job in enumerate(jobs)}
        numbers = [number for number, van in enumerate(problem.vans) if van.shift_s > 0]
        self._pairs = [(problem.vans[number], sequences[number]) for number in numbers]
        heads = [rules.frozen.get(number, 0) for number in numbers]
        worth = np.array([problem.jobs[job].worth_milli for job in jobs], np.float64)
        takes = np.array([problem.jobs[job].batteries for job in jobs], np.int64)
        left = [van.batteries - evaluate.batteries_used(problem, s) for van, s in self._pairs]
        self._missing_batteries = takes[None, :] - np.array(left, np.int64)[:, None]
        slack = [
            van.shift_s - (evaluate.duration_s(problem, van, stops) if stops else 0)
            for van, stops in self._pairs
        ]
        self._slack_s = np.array(slack, np.int64)
        self._ways: dict[tuple[bool, bool], list[Insertions]] = {}
        self._gain: dict[tuple[bool, bool], Floats] = {}
        for heed in ((True, True), (True, False), (False, True), (False, False)):
            self._ways[heed] = [
                cheapest(
                    problem, van, stops, jobs, heed_room=heed[0], heed_shift=heed[1], frozen=head
                )
                for (van, stops), head in zip(self._pairs, heads, strict=True)
            ]
            costs = [way.cost_milli for way in self._ways[heed]]
            self._gain[heed] = worth - np.array(costs).reshape(len(costs), len(jobs))

    def reason(self, job: int) -> Dropped:
        """The reason for one of the jobs."""
        column = self._column[job]
        charged = self._missing_batteries[:, column] <= 0
        if _best(self._gain[True, True][:, column], charged)[1] >= WORTHWHILE_MILLI:
            return self._search_ended(job)
        free_van, free_gain = _best(self._gain[False, False][:, column])
        if free_gain < WORTHWHILE_MILLI:
            return self._too_dear(job, free_van)
        # Each limit lifted alone: (gain, van, room heeded, shift heeded).
        single = [
            (*_best(self._gain[True, True][:, column], ~charged), True, True),
            (*_best(self._gain[False, True][:, column], charged), False, True),
            (*self._least_overtime(column, charged), True, False),
        ]
        van, gain, room, shift = max(single, key=lambda option: option[1])
        if gain >= WORTHWHILE_MILLI:
            return self._kept_out(job, van, gain, (room, shift))
        return self._kept_out(job, free_van, free_gain, (False, False))

    def _least_overtime(self, column: int, charged: np.ndarray) -> tuple[int, float]:
        gain = self._gain[True, False][:, column]
        over_s = np.array([way.extra_s[column] for way in self._ways[True, False]]) - self._slack_s
        pays = charged & (gain >= WORTHWHILE_MILLI)
        van = int(np.argmin(np.where(pays, over_s, np.iinfo(np.int64).max)))
        return van, float(gain[van]) if pays[van] else -np.inf

    def _search_ended(self, job: int) -> Dropped:
        return Dropped(
            self._problem.jobs[job].task_id,
            DropCode.SEARCH_ENDED,
            "fits and pays, but the search ended before it was placed",
            "more search effort",
        )

    def _too_dear(self, job: int, van: int) -> Dropped:
        task, currency = self._problem.jobs[job], self._problem.currency
        way, column = self._ways[False, False][van], self._column[job]
        cost = float(way.travel_milli[column] + way.labour_milli[column])
        driving_cents = round(float(way.travel_milli[column]) / 10)
        working_cents = round(cost / 10) - driving_cents
        brings = wording.money(task.worth_milli, currency)
        if task.bonus_milli:
            brings += f" with its priority bonus of {wording.money(task.bonus_milli, '')}"
        return Dropped(
            task.task_id,
            DropCode.DETOUR,
            f"costs {wording.money(cost, currency)} on the nearest round, of "
            f"{self._pairs[van][0].worker} (driving {driving_cents / 100:.2f}, working time "
            f"{working_cents / 100:.2f}), and brings {brings}",
            f"{wording.at_least(cost - task.worth_milli, currency)} more revenue or less cost",
        )

    def _kept_out(self, job: int, van: int, gain: float, heed: tuple[bool, bool]) -> Dropped:
        """Kept out of one van by the limits that this way in breaks."""
        task, column = self._problem.jobs[job], self._column[job]
        way, (driver, stops) = self._ways[heed][van], self._pairs[van]
        legs = slice(int(way.position[column]), int(way.drop_position[column]) + 1)
        if task.vehicles and task.drop_off_point is None:
            legs = slice(legs.start, None)
        on_board = [0, *evaluate.loads(self._problem, stops)]
        room = max(on_board[legs]) + task.vehicles - driver.vehicles if task.vehicles else 0
        batteries = int(self._missing_batteries[van, column])
        over_s = int(way.extra_s[column] - self._slack_s[van])

        without, needs = [], []
        if batteries > 0:
            without.append("the batteries are used up")
            needs.append(wording.batteries(batteries, "more "))
        if room > 0:
            without.append("the van is full on the way")
            needs.append(wording.room(room, "more "))
        if over_s > 0:
            without.append(f"it fits only with {wording.span(over_s)} overtime")
            needs.append(f"a shift longer by {wording.span(over_s)}")
        if not needs:
            return self._search_ended(job)
        return Dropped(
            task.task_id,
            DropCode.SHIFT if over_s > 0 else DropCode.CAPACITY,
            f"on the best round for it, of {driver.worker}, {' and '.join(without)}; it would add "
            f"{wording.money(gain, self._problem.currency)}",
            f"{' and '.join(needs)} for {driver.worker}",
        )


def _excluded(problem: RoutingProblem, number: int) -> Dropped:
    return Dropped(
        problem.jobs[number].task_id,
        DropCode.EXCLUDED,
        "excluded by you on the sheet Routes",
        "an empty Exclude in its row there",
    )


def _best(gain: Floats, among: np.ndarray | None = None) -> tuple[int, float]:
    allowed = gain if among is None else np.where(among, gain, -np.inf)
    van = int(np.argmax(allowed))
    return van, float(allowed[van])
