"""Why a task is on no route and what would bring it in; what each planned task adds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from fleetdesk.model.plan import DropCode, Dropped, Route
from fleetdesk.routes import evaluate, wording
from fleetdesk.routes.alone import Alone
from fleetdesk.routes.evaluate import Limit
from fleetdesk.routes.filling import WORTHWHILE_MILLI, worth
from fleetdesk.routes.insertion import Floats, Insertions, cheapest, inserted
from fleetdesk.routes.pins import FREE, Rules
from fleetdesk.routes.problem import RoutingProblem, Stops, sequences_of


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


class _Heed(NamedTuple):
    """Which limits an insertion keeps; batteries and skills are looked at apart."""

    room: bool = True
    shift: bool = True
    windows: bool = True


_ALL, _NONE = _Heed(), _Heed(False, False, False)
_NO_ROOM, _NO_SHIFT, _NO_WINDOWS = (
    _Heed(room=False),
    _Heed(shift=False),
    _Heed(windows=False),
)


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
        self._numbers = numbers
        self._pairs = [(problem.vans[number], sequences[number]) for number in numbers]
        heads = [rules.frozen.get(number, 0) for number in numbers]
        chosen = np.array(jobs, np.int64)
        worths = [worth(problem, number, chosen) for number in numbers]
        takes = np.array([problem.jobs[job].batteries for job in jobs], np.int64)
        left = [van.most_batteries - evaluate.batteries_used(problem, s) for van, s in self._pairs]
        self._missing_batteries = takes[None, :] - np.array(left, np.int64)[:, None]
        self._suits = problem.suitable[np.ix_(numbers, jobs)]
        slack = [
            van.longest_s - (evaluate.duration_s(problem, van, stops) if stops else 0)
            for van, stops in self._pairs
        ]
        self._slack_s = np.array(slack, np.int64)
        self._ways: dict[_Heed, list[Insertions]] = {}
        self._gain: dict[_Heed, Floats] = {}
        lifted = (_NO_WINDOWS,) if problem.windowed else ()
        for heed in (_ALL, _NO_ROOM, _NO_SHIFT, *lifted, _NONE):
            self._ways[heed] = [
                cheapest(
                    problem, van, stops, jobs, heed_room=heed.room, heed_shift=heed.shift,
                    heed_windows=heed.windows, frozen=head,
                )
                for (van, stops), head in zip(self._pairs, heads, strict=True)
            ]  # fmt: skip
            costs = [way.cost_milli for way in self._ways[heed]]
            shape = (len(costs), len(jobs))
            self._gain[heed] = np.array(worths).reshape(shape) - np.array(costs).reshape(shape)

    def reason(self, job: int) -> Dropped:
        """The reason for one of the jobs."""
        column = self._column[job]
        charged = self._missing_batteries[:, column] <= 0
        suits = self._suits[:, column]
        able = charged & suits
        if _best(self._gain[_ALL][:, column], able)[1] >= WORTHWHILE_MILLI:
            return self._refused(job, able)
        free_van, free_gain = _best(self._gain[_NONE][:, column])
        if free_gain < WORTHWHILE_MILLI:
            return self._too_dear(job, free_van)
        # Each limit lifted alone: (van, gain, limits that are heeded).
        single = [
            (*_best(self._gain[_ALL][:, column], ~charged & suits), _ALL),
            (*_best(self._gain[_ALL][:, column], charged & ~suits), _ALL),
            (*_best(self._gain[_NO_ROOM][:, column], able), _NO_ROOM),
            (*self._least_overtime(column, able), _NO_SHIFT),
        ]
        if self._problem.windowed:
            single.append((*_best(self._gain[_NO_WINDOWS][:, column], able), _NO_WINDOWS))
        van, gain, heed = max(single, key=lambda option: option[1])
        if gain >= WORTHWHILE_MILLI:
            return self._kept_out(job, van, gain, heed)
        suited_van, suited_gain = _best(self._gain[_NONE][:, column], suits)
        if suited_gain >= WORTHWHILE_MILLI:
            return self._kept_out(job, suited_van, suited_gain, _NONE)
        return self._kept_out(job, free_van, free_gain, _NONE)

    def _least_overtime(self, column: int, able: np.ndarray) -> tuple[int, float]:
        gain = self._gain[_NO_SHIFT][:, column]
        over_s = np.array([way.extra_s[column] for way in self._ways[_NO_SHIFT]]) - self._slack_s
        pays = able & (gain >= WORTHWHILE_MILLI)
        van = int(np.argmin(np.where(pays, over_s, np.iinfo(np.int64).max)))
        return van, float(gain[van]) if pays[van] else -np.inf

    def _refused(self, job: int, able: np.ndarray) -> Dropped:
        """It fits and pays by driving and work alone; what the referee says of each way in."""
        column, found = self._column[job], []
        rows = np.flatnonzero(able & (self._gain[_ALL][:, column] >= WORTHWHILE_MILLI)).tolist()
        for row in rows:
            way, (driver, stops) = self._ways[_ALL][row], self._pairs[row]
            places = int(way.position[column]), int(way.drop_position[column])
            trial: list[Stops] = [()] * len(self._problem.vans)
            trial[self._numbers[row]] = inserted(self._problem, stops, job, *places)
            broken = evaluate.violations(self._problem, trial)
            before = evaluate.profit_milli(self._problem, driver, stops)
            after = evaluate.profit_milli(self._problem, driver, trial[self._numbers[row]])
            bonus = self._problem.steering_milli[job] - self._problem.jobs[job].value_milli
            adds = after - before + bonus
            if not broken and adds >= WORTHWHILE_MILLI and not self._problem.balance_per_h_milli:
                return self._search_ended(job)
            found.append((len(broken), -adds, row, broken[0] if broken else None))
        _, lost, best, violation = min(found, key=lambda each: each[:3])
        worker = self._pairs[best][0].worker
        if violation is None:
            return Dropped(
                self._problem.jobs[job].task_id,
                DropCode.DETOUR,
                f"waiting, reloading and uneven rounds make it too dear for {worker} by "
                f"{wording.money(max(0.0, lost), self._problem.currency)}",
                f"{wording.at_least(max(1.0, lost), self._problem.currency)} more revenue",
            )
        if violation.limit is Limit.WINDOW:
            code, lack = DropCode.WINDOW, f"hours longer by {wording.span(violation.excess)}"
            why = f"{violation.task_id} would be begun {wording.span(violation.excess)} late"
        else:
            code, lack = DropCode.SHIFT, f"a shift longer by {wording.span(violation.excess)}"
            why = f"it fits only with {wording.span(violation.excess)} overtime"
        return Dropped(
            self._problem.jobs[job].task_id,
            code,
            f"with waiting, breaks and reloads {why} on the round of {worker}",
            f"{lack} for {violation.task_id or worker}",
        )

    def _search_ended(self, job: int) -> Dropped:
        return Dropped(
            self._problem.jobs[job].task_id,
            DropCode.SEARCH_ENDED,
            "fits and pays, but the search ended before it was placed",
            "more search effort",
        )

    def _too_dear(self, job: int, van: int) -> Dropped:
        task, currency = self._problem.jobs[job], self._problem.currency
        way, column = self._ways[_NONE][van], self._column[job]
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
            f"{working_cents / 100:.2f}), and before both it brings {brings}",
            f"{wording.at_least(cost - task.worth_milli, currency)} more revenue or less cost",
        )

    def _kept_out(self, job: int, van: int, gain: float, heed: _Heed) -> Dropped:
        """Kept out of one van by the limits that this way in breaks."""
        task, column = self._problem.jobs[job], self._column[job]
        way, (driver, stops) = self._ways[heed][van], self._pairs[van]
        legs = slice(int(way.position[column]), int(way.drop_position[column]) + 1)
        if task.vehicles and task.drop_off_point is None:
            legs = slice(legs.start, None)
        on_board = [driver.on_board, *evaluate.loads(self._problem, driver, stops)]
        room = max(on_board[legs]) + task.vehicles - driver.vehicles if task.vehicles else 0
        batteries = int(self._missing_batteries[van, column])
        over_s = int(way.extra_s[column] - self._slack_s[van])

        without, needs, codes = [], [], []
        if not self._suits[van, column]:
            who = task.worker or f'a worker with the skill "{task.skill}"'
            without.append(f"only {who} may do it")
            needs.append(f'the skill "{task.skill}"' if not task.worker else "any worker allowed")
            codes.append(DropCode.SKILL)
        if batteries > 0:
            without.append("the batteries are used up")
            needs.append(wording.batteries(batteries, "more "))
            codes.append(DropCode.CAPACITY)
        if room > 0:
            without.append("the van is full on the way")
            needs.append(wording.room(room, "more "))
            codes.append(DropCode.CAPACITY)
        if over_s > 0:
            more = "more " if driver.overtime_s else ""
            without.append(f"it fits only with {wording.span(over_s)} {more}overtime")
            shorter = " or a break shorter by as much" if driver.break_s >= over_s else ""
            needs.append(f"a shift longer by {wording.span(over_s)}{shorter}")
            codes.append(DropCode.SHIFT)
        if not heed.windows and self._problem.windowed and not codes:
            without.append("it would come too late for its hours or for those of a later stop")
            needs.append("longer hours")
            codes.append(DropCode.WINDOW)
        if not needs:
            return self._search_ended(job)
        order = (DropCode.SHIFT, DropCode.WINDOW, DropCode.SKILL, DropCode.CAPACITY)
        adds = f"; it would add {wording.money(gain, self._problem.currency)}"
        return Dropped(
            task.task_id,
            next(code for code in order if code in codes),
            f"on the best round for it, of {driver.worker}, {' and '.join(without)}"
            f"{'; it must be done' if task.must else adds}",
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
