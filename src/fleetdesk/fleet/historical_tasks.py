"""What past tasks returned: realised revenue after them, less the estimate without them, less cost.

What happened after a task is on record; only what would have happened without it has to be
estimated. The differential value also counts that a task left undone tonight is mostly done later:
its cost is deferred rather than saved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from fleetdesk.features.calendar import moment
from fleetdesk.features.cycles import SWAP_JUMP_PCT
from fleetdesk.fleet.estimator import DownstreamRevenue, Level
from fleetdesk.fleet.history import History
from fleetdesk.fleet.same_hours import alike
from fleetdesk.fleet.task_roi import mean_cost_per_h
from fleetdesk.fleet.thresholds import Flags, Floats, Ints, Returns
from fleetdesk.settings.schema import Settings

Texts = npt.NDArray[np.str_]

_WEEK = timedelta(days=7)
_LONGEST_WAIT_H = 48.0
_PASSED_NEEDED = 10


class Done(StrEnum):
    """What a past task did, as its states before and after tell."""

    SWAP = "swap"
    MOVE = "move"
    SWAP_AND_MOVE = "swap and move"
    OTHER = "other service"


@dataclass(frozen=True)
class HistoricalTasks:
    """N settled tasks of the window, oldest first; money in city currency, charge in %.

    `started_at` is UTC-aware, `hour` local, `week` counts back from the end of the history. Cells
    are of the sheet's size, `moved` says that the finest cell changed. `revenue` was earned with
    the task up to the horizon and `without` would have been, by estimate, at the level that plans
    are made on; `expected` is the ROI foreseen from the states before and after.
    `scooter_roi` counts all trips of the vehicle itself. `differential` is the value under the
    continuing policy, nan where no later task is known. `unsettled` tasks are too young to judge.
    """

    vehicle_id: Texts
    started_at: tuple[datetime, ...]
    week: Ints
    hour: Ints
    kind: Texts
    cell_before: Texts
    cell_after: Texts
    battery_before_pct: Floats
    battery_after_pct: Floats
    revenue: Floats
    without: Floats
    cost: Floats
    expected: Floats
    scooter_roi: Floats
    differential: Floats
    unsettled: int
    level: Level
    estimator: str

    def __len__(self) -> int:
        return int(self.revenue.size)

    @property
    def roi(self) -> Floats:
        """Realised revenue less the estimate without the task, less cost."""
        return self.revenue - self.without - self.cost

    @property
    def swaps(self) -> Flags:
        """Which tasks put a charged battery in, from a known charge."""
        swapped = np.isin(self.kind, [Done.SWAP.value, Done.SWAP_AND_MOVE.value])
        return np.asarray(swapped & np.isfinite(self.battery_before_pct))

    def returns(self) -> Returns:
        """The swaps, as thresholds are learnt from them."""
        everything = Returns(
            battery_pct=self.battery_before_pct,
            revenue=self.revenue,
            cost=self.cost,
            roi=self.roi,
            expected=self.expected,
            week=self.week,
            cell=self.cell_before,
            hour=self.hour,
        )
        return everything.only(self.swaps)


@dataclass(frozen=True)
class Settled:
    """Past tasks as the records have them, before anything is estimated; `young` are left out."""

    rows: Sequence[dict[str, Any]]
    young: int
    as_of: datetime


def settled_tasks(history: History, settings: Settings) -> Settled:
    """Read the tasks of the window that can be judged."""
    rows = _rows(history, settings)
    settled = [row for row in rows if row["settled"]]
    return Settled(settled, len(rows) - len(settled), history.as_of)


def valued(
    tasks: Settled,
    downstream: DownstreamRevenue,
    settings: Settings,
    learnt_until: datetime,
    *,
    differential: bool = True,
) -> HistoricalTasks:
    """What they returned, by an estimator that was learnt from records up to `learnt_until`.

    A vehicle that crews took again, or that went out of sight, before the horizon is credited with
    what it was worth at that moment: crews come when it is nearly empty, so that stopping the count
    there would compare its best hours with average ones. At fleet level the realised revenue counts
    by the share of it that the estimator holds for new to the fleet: a record does not tell which
    trips another vehicle would have had. Values without `differential` (nan then) are found in half
    the time: it looks ahead for longer than the horizon.
    """
    settled = tasks.rows
    horizon_h, net = settings.thresholds.horizon_h, settings.costs.use_net_revenue
    level = Level(settings.thresholds.roi_level)
    started = tuple(_aware(row["started_at"]) for row in settled)
    zone = ZoneInfo(settings.city.timezone)
    states = _States.of(settled, settings)
    gain_per_h, waits = _policy(settled, states, net=net)
    span_h = max(horizon_h, _LONGEST_WAIT_H)
    likes = alike(started, learnt_until, settings.city.timezone, span_h)
    until_served = {Level.SCOOTER: waits} if differential else {}
    estimates = {
        of: _Estimates.of(downstream, states, likes, horizon_h, until_served.get(of), of)
        for of in dict.fromkeys((Level.SCOOTER, level))
    }
    scooter, counted = estimates[Level.SCOOTER], estimates[level]
    earned = _floats(row["net_revenue" if net else "revenue"] for row in settled)
    share = np.divide(
        counted.after, scooter.after, out=np.ones_like(earned), where=scooter.after > 0
    )
    cycle = _floats(row["cycle_net_revenue" if net else "cycle_revenue"] for row in settled)
    left = scooter.waiting - gain_per_h * waits if differential else np.nan
    return HistoricalTasks(
        vehicle_id=_texts(row["vehicle_id"] for row in settled),
        started_at=started,
        week=np.array([int((tasks.as_of - at) / _WEEK) for at in started], dtype=np.int64),
        hour=np.array([at.astimezone(zone).hour for at in started], dtype=np.int64),
        kind=states.kind,
        cell_before=states.cell_before,
        cell_after=states.cell_after,
        battery_before_pct=states.battery_before,
        battery_after_pct=states.battery_after,
        revenue=earned * share + counted.further,
        without=counted.without,
        cost=states.cost,
        expected=counted.after - counted.without - states.cost,
        scooter_roi=earned + scooter.further - scooter.without - states.cost,
        differential=cycle - gain_per_h * states.length_h - left - states.cost,
        unsettled=tasks.young,
        level=level,
        estimator=downstream.estimator,
    )


def residual_h(charge_pct: Floats, entry_pct: Floats, exit_pct: Floats, length_h: Floats) -> Floats:
    """How long vehicles of this charge go unserved as crews work now: the mean of those that did.

    A cycle (C,) that went evenly from `entry_pct` to `exit_pct` in `length_h` says how long a
    vehicle lasted from each charge between. Below what enough cycles passed, it is what the
    lowest such charge says.
    """
    whole = np.arange(101.0)
    fell = np.maximum(entry_pct - exit_pct, 1e-9)
    passed = (exit_pct < whole[:, None]) & (whole[:, None] <= entry_pct)
    lasted = (whole[:, None] - exit_pct) / fell * length_h
    counts = passed.sum(axis=1)
    mean = np.where(passed, lasted, 0.0).sum(axis=1) / np.maximum(counts, 1)
    known = counts >= _PASSED_NEEDED
    if not known.any():
        return np.full(np.shape(charge_pct), float(length_h.mean()) if length_h.size else 0.0)
    return np.asarray(np.interp(np.nan_to_num(charge_pct, nan=100.0), whole[known], mean[known]))


@dataclass(frozen=True)
class _States:
    """The states before, after and at the end of what was seen, in arrays (N,); hours and cost.

    `seen_h` is from the start to that end, `length_h` to the next task (nan where there is none).
    """

    kind: Texts
    cell_before: Texts
    cell_after: Texts
    cell_until: Texts
    battery_before: Floats
    battery_after: Floats
    battery_until: Floats
    rentable: Flags
    goes_on: Flags
    task_h: Floats
    seen_h: Floats
    length_h: Floats
    service_h: Floats
    cost: Floats

    @classmethod
    def of(cls, rows: Sequence[dict[str, Any]], settings: Settings) -> _States:
        before, after, until = (
            _floats(np.nan if row[name] is None else row[name] for row in rows)
            for name in ("battery_before_pct", "battery_after_pct", "battery_until_pct")
        )
        charged = np.array(
            [row["start_cause"] in ("swap", "charge") for row in rows], dtype=bool
        ) | (after - before >= SWAP_JUMP_PCT)
        moved = np.array([row["cell_before"] != row["cell_after"] for row in rows], dtype=bool)
        carried = moved & np.array([row["end_cause"] == "collected" for row in rows], dtype=bool)
        costs, precision = settings.costs, settings.city.cell_precision
        minutes = charged * costs.swap_min + carried * (costs.pick_up_min + costs.drop_off_min)
        material = charged * costs.swap_cost + carried * costs.move_cost
        kind = np.select(
            [charged & carried, charged, carried],
            [Done.SWAP_AND_MOVE.value, Done.SWAP.value, Done.MOVE.value],
            Done.OTHER.value,
        )
        return cls(
            kind=kind.astype(np.str_),
            cell_before=_texts(row["cell_before"][:precision] for row in rows),
            cell_after=_texts(row["cell_after"][:precision] for row in rows),
            cell_until=_texts((row["cell_until"] or "")[:precision] for row in rows),
            battery_before=before,
            battery_after=after,
            battery_until=until,
            rentable=np.array([row["rentable_before"] for row in rows], dtype=bool),
            goes_on=np.array([row["goes_on"] for row in rows], dtype=bool),
            task_h=_floats(row["task_h"] for row in rows),
            seen_h=_floats(_hours(row["until_at"], row["started_at"]) for row in rows),
            length_h=_floats(
                np.nan if row["next_at"] is None else _hours(row["next_at"], row["started_at"])
                for row in rows
            ),
            service_h=minutes / 60.0,
            cost=material + minutes / 60.0 * mean_cost_per_h(settings),
        )


@dataclass(frozen=True)
class _Estimates:
    """What the estimator says of each task (N,): after it, further on, without it, and waiting."""

    after: Floats
    further: Floats
    without: Floats
    waiting: Floats

    @classmethod
    def of(
        cls,
        downstream: DownstreamRevenue,
        states: _States,
        starts: Sequence[datetime],
        horizon_h: float,
        waits: Floats | None,
        level: Level,
    ) -> _Estimates:
        """All in one question: it is answered once for all that ends at the same hour.

        Without `waits` nothing is said of waiting.
        """
        count = len(starts)
        idle = np.zeros(count)
        work = np.minimum(np.rint(np.maximum(states.task_h, states.service_h)), horizon_h)
        seen = np.minimum(np.rint(states.seen_h), horizon_h)
        sides = [
            (states.cell_after, states.battery_after, work, horizon_h + idle),
            (states.cell_until, states.battery_until, seen, horizon_h + idle),
            (states.cell_before, states.battery_before, idle, horizon_h + idle),
        ]
        if waits is not None:
            sides.append((states.cell_before, states.battery_before, idle, waits))
        cells, battery, later, end = (np.concatenate(parts) for parts in zip(*sides, strict=True))
        found = downstream.values(
            cells.tolist(),
            battery,
            [
                at + timedelta(hours=hours)
                for at, hours in zip([*starts] * len(sides), later.tolist(), strict=True)
            ],
            end - later,
            level,
        )
        after, further, without, *waiting = np.split(found, len(sides))
        return cls(
            after=after,
            further=np.where(states.goes_on, further, idle),
            without=np.where(states.rentable, without, idle),
            waiting=np.where(states.rentable, waiting[0], idle) if waiting else idle,
        )


def _policy(rows: Sequence[dict[str, Any]], states: _States, *, net: bool) -> tuple[float, Floats]:
    """What a vehicle earns per hour less the cost of serving it, as crews work now, and T_A.

    The differential value is (R_B - g L_B) - (DSR(S_A, T_A) - g T_A) - C: L_B is the time to the
    next task, T_A how long a vehicle of that charge usually goes on unserved. What follows the
    next task is the same on both sides, its cost included.
    """
    length = states.length_h
    known = np.isfinite(length)
    if not known.any():
        return 0.0, np.zeros(len(rows))
    revenue = _floats(row["cycle_net_revenue" if net else "cycle_revenue"] for row in rows)
    gain = float((revenue - states.cost)[known].sum() / max(length[known].sum(), 1e-9))
    entry, exit_ = states.battery_after, states.battery_until
    whole = known & np.isfinite(entry) & np.isfinite(exit_)
    waits = residual_h(states.battery_before, entry[whole], exit_[whole], length[whole])
    return gain, np.asarray(np.rint(np.clip(waits, 1.0, _LONGEST_WAIT_H)))


def _rows(history: History, settings: Settings) -> list[dict[str, Any]]:
    found = history.visits(settings)
    found = found.filter(found.started_at >= moment(history.start(settings)))
    rows: list[dict[str, Any]] = (
        found.order_by("started_at", "vehicle_id", "cycle_no").to_pyarrow().to_pylist()
    )
    return [row for row in rows if row["cell_before"] and row["cell_after"]]


def _hours(later: datetime, earlier: datetime) -> float:
    return (later - earlier) / timedelta(hours=1)


def _aware(when: datetime) -> datetime:
    return when.replace(tzinfo=UTC)


def _floats(values: Any) -> Floats:
    return np.array(list(values), dtype=np.float64)


def _texts(values: Any) -> Texts:
    return np.array(list(values), dtype=np.str_)
