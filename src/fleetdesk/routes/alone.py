"""What no van could do even if it had nothing else to do."""

from __future__ import annotations

import numpy as np

from fleetdesk.model.plan import DropCode, Dropped
from fleetdesk.routes import wording
from fleetdesk.routes.insertion import Bools, cheapest
from fleetdesk.routes.problem import RoutingProblem


class Alone:
    """Each job as each van's only one; `possible[van, job]` says whether the van could do it."""

    def __init__(self, problem: RoutingProblem) -> None:
        self._problem = problem
        self._working = [van for van in problem.vans if van.shift_s > 0]
        jobs, vans = problem.jobs, problem.vans
        self._trip_s = np.zeros((len(vans), len(jobs)), np.int64)
        for number, van in enumerate(vans):
            trip = cheapest(problem, van, (), range(len(jobs)), heed_room=False, heed_shift=False)
            self._trip_s[number] = trip.extra_s
        limits = np.array([(v.vehicles, v.batteries, v.shift_s) for v in vans], np.int64)
        room, charged, shift_s = limits.reshape(len(vans), 3, 1).transpose(1, 0, 2)
        takes = np.array([(job.vehicles, job.batteries) for job in jobs], np.int64)
        vehicles, batteries = takes.reshape(len(jobs), 2).T
        self._holds = (shift_s > 0) & (vehicles <= room) & (batteries <= charged)
        self._over_s = self._trip_s - shift_s
        self.possible: Bools = self._holds & (self._over_s <= 0)

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
        if job.worth_milli <= 0:
            return Dropped(
                job.task_id,
                DropCode.NOT_WORTH,
                f"brings {wording.money(job.worth_milli, currency)} even before driving and "
                "working time",
                f"more than {wording.money(-job.worth_milli, currency)} more revenue",
            )
        if self.possible[:, number].any():
            return None
        if self._holds[:, number].any():
            return self._too_long(number)
        return self._too_small(number)

    def _too_long(self, number: int) -> Dropped:
        over_s = np.where(self._holds[:, number], self._over_s[:, number], np.iinfo(np.int64).max)
        nearest = int(np.argmin(over_s))
        van = self._problem.vans[nearest]
        return Dropped(
            self._problem.jobs[number].task_id,
            DropCode.SHIFT,
            f"the round trip takes {wording.span(int(self._trip_s[nearest, number]))} even with "
            f"nothing else to do, and the shift of {van.worker} is {wording.span(van.shift_s)}",
            f"a shift longer by {wording.span(int(over_s[nearest]))} for {van.worker}",
        )

    def _too_small(self, number: int) -> Dropped:
        job = self._problem.jobs[number]
        most_room = max(van.vehicles for van in self._working)
        most_charged = max(van.batteries for van in self._working)
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
