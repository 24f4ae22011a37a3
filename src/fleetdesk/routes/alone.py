"""What no van could do even if it had nothing else to do."""

from __future__ import annotations

import numpy as np

from fleetdesk.model.plan import DropCode, Dropped
from fleetdesk.routes import wording
from fleetdesk.routes.insertion import Bools, cheapest
from fleetdesk.routes.problem import RoutingProblem, RoutingVan


class Alone:
    """Each job as each van's only one; `possible[van, job]` says whether the van could do it."""

    def __init__(self, problem: RoutingProblem) -> None:
        self._problem = problem
        self._working = [van for van in problem.vans if van.shift_s > 0]
        jobs, vans = problem.jobs, problem.vans
        self._trip_s = np.zeros((len(vans), len(jobs)), np.int64)
        self._in_time = np.ones((len(vans), len(jobs)), bool)
        for number, van in enumerate(vans):
            trip = cheapest(problem, van, (), range(len(jobs)), heed_room=False, heed_shift=False)
            self._trip_s[number], self._in_time[number] = trip.extra_s, trip.possible
        limits = np.array(
            [(v.vehicles - v.kept, v.most_batteries, v.longest_s) for v in vans], np.int64
        )
        room, charged, longest_s = limits.reshape(len(vans), 3, 1).transpose(1, 0, 2)
        takes = np.array([(job.vehicles, job.batteries) for job in jobs], np.int64)
        vehicles, batteries = takes.reshape(len(jobs), 2).T
        works = np.array([van.shift_s > 0 for van in vans], bool)[:, None]
        self._suits = works & problem.suitable
        self._holds = self._suits & (vehicles <= room) & (batteries <= charged)
        self._over_s = self._trip_s - longest_s
        self.possible: Bools = self._holds & self._in_time & (self._over_s <= 0)

    def reason(self, number: int) -> Dropped | None:
        """Why no van could do the job; None when one could."""
        job, currency = self._problem.jobs[number], self._problem.currency
        if not self._working:
            return Dropped(
                job.task_id,
                DropCode.NO_WORKER,
                "nobody works in the planned hours",
                "a worker with a shift in the sheet Workers & vans",
            )
        if job.worth_milli <= 0 and not job.must:
            return Dropped(
                job.task_id,
                DropCode.NOT_WORTH,
                f"brings {wording.money(job.worth_milli, currency)} even before driving and "
                "working time",
                f"more than {wording.money(-job.worth_milli, currency)} more revenue",
            )
        if self.possible[:, number].any():
            return None
        if not self._suits[:, number].any():
            return self._unsuitable(number)
        if not self._holds[:, number].any():
            return self._too_small(number)
        if not (self._holds & self._in_time)[:, number].any():
            return self._out_of_hours(number)
        return self._too_long(number)

    def _unsuitable(self, number: int) -> Dropped:
        job = self._problem.jobs[number]
        if job.worker and all(van.worker != job.worker for van in self._working):
            reason, helps = f"is for {job.worker} alone, who does not work", f"{job.worker} at work"
        else:
            who = job.worker or "nobody who works"
            missing = f"{who} lacks it" if job.worker else f"{who} has it"
            reason = f'needs the skill "{job.skill}", and {missing}'
            helps = f'a worker with the skill "{job.skill}"'
        return Dropped(job.task_id, DropCode.SKILL, reason, helps)

    def _out_of_hours(self, number: int) -> Dropped:
        job = self._problem.jobs[number]
        early, late = job.window_s or (0, 0)
        return Dropped(
            job.task_id,
            DropCode.WINDOW,
            "nobody can be there within its hours, which end at "
            f"{wording.clock(self._problem, late)}, even with nothing else to do",
            "later hours" if late >= early else "hours that end after they begin",
        )

    def _too_long(self, number: int) -> Dropped:
        able = (self._holds & self._in_time)[:, number]
        over_s = np.where(able, self._over_s[:, number], np.iinfo(np.int64).max)
        nearest = int(np.argmin(over_s))
        van = self._problem.vans[nearest]
        return Dropped(
            self._problem.jobs[number].task_id,
            DropCode.SHIFT,
            f"the round trip takes {wording.span(int(self._trip_s[nearest, number]))} even with "
            f"nothing else to do, and {_has(van)}",
            f"a shift longer by {wording.span(int(over_s[nearest]))} for {van.worker}",
        )

    def _too_small(self, number: int) -> Dropped:
        job = self._problem.jobs[number]
        able = [van for n, van in enumerate(self._problem.vans) if self._suits[n, number]]
        most_room = max(van.vehicles - van.kept for van in able)
        most_charged = max(van.most_batteries for van in able)
        needs, have = [], []
        if job.vehicles > most_room:
            needs.append(wording.room(job.vehicles))
            have.append("no van has any" if not most_room else f"no van has more than {most_room}")
        if job.batteries > most_charged:
            needs.append(wording.batteries(job.batteries))
            have.append(
                "no van carries any" if not most_charged else f"no van carries over {most_charged}"
            )
        if not needs:
            needs = [wording.room(job.vehicles), wording.batteries(job.batteries)]
            have = ["no one van has both"]
        wanted = " and ".join(needs)
        return Dropped(
            job.task_id,
            DropCode.CAPACITY,
            f"needs {wanted}, and {' and '.join(have)}",
            f"a van with {wanted}",
        )


def _has(van: RoutingVan) -> str:
    if van.longest_s == van.shift_s:
        return f"the shift of {van.worker} is {wording.span(van.shift_s)}"
    return f"{van.worker} has {wording.span(van.longest_s)} with overtime and without breaks"
