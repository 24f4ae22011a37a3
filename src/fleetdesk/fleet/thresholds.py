"""Below which charge batteries are best swapped: what tasks returned, learnt and scored apart.

max over x of sum ROI_i 1{B_i < x} (Laufer & Tang, 2019), with what the paper leaves out: a band
for chance, and scores on weeks that had no say in the choice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

GRID = np.arange(0.0, 96.0)
BAND = (0.05, 0.95)


@dataclass(frozen=True)
class Returns:
    """What N tasks returned, in city currency; one entry each.

    `revenue` is what was earned with the task, `roi` that less what would have been earned without
    it and less `cost`; `expected` is the ROI that could be foreseen from the states before and
    after. `week` counts back from the end of the history, 0 = the last; `hour` is local.
    """

    battery_pct: Floats
    revenue: Floats
    cost: Floats
    roi: Floats
    expected: Floats
    week: Ints
    cell: npt.NDArray[np.str_]
    hour: Ints

    def only(self, which: Flags) -> Returns:
        """Those tasks alone."""
        return Returns(*(values[which] for values in vars(self).values()))

    def __len__(self) -> int:
        return int(self.roi.size)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What doing some of the tasks returned: how many, in all, and their cost per revenue in %."""

    tasks: int
    returned: float
    cost_per_revenue_pct: float | None


@dataclass(frozen=True)
class Curve:
    """Cumulative return of the tasks below each threshold (T,), and a band of 9 in 10 draws."""

    threshold_pct: Floats
    tasks: Ints
    returned: Floats
    low: Floats
    high: Floats
    cost_per_revenue_pct: Floats

    @property
    def best_pct(self) -> float:
        """The lowest of the thresholds that return most."""
        return float(self.threshold_pct[int(np.argmax(self.returned))])


@dataclass(frozen=True, slots=True)
class Comparison:
    """The paper's table over one set of tasks: as they were done, by threshold, and two bounds.

    `foreseen` does what could be known to pay, E[ROI | S] > 0; `perfect` what turned out to pay,
    which takes luck for knowledge.
    """

    tasks: str
    threshold_pct: float | None
    current: Outcome
    threshold: Outcome
    foreseen: Outcome
    perfect: Outcome


@dataclass(frozen=True)
class ThresholdAnalysis:
    """The curve of all weeks, the comparisons fitted and held out, the range of the best threshold.

    `missing` says why nothing was held out; it is empty when something was.
    """

    curve: Curve
    best_pct: float
    best_range_pct: tuple[float, float] | None
    comparisons: tuple[Comparison, ...]
    missing: str = ""


def analyse(
    returns: Returns, holdout_weeks: int, rounds: int, seed: int, apart: Returns | None = None
) -> ThresholdAnalysis:
    """Learn the region's threshold and score it, on its own weeks and on others.

    The last `holdout_weeks` are scored with what the earlier ones taught; the cross-fit scores each
    week with what all others taught. Neither grades a threshold on weeks that chose it. `apart` are
    the same tasks, their returns by an estimator that never saw the last weeks; where given, the
    scores of these rest on it.
    """
    curve, bests = curve_of(returns, rounds, seed)
    best = curve.best_pct
    found = [compare("all weeks, fitted on them", returns, below(best), best)]
    weeks = np.unique(returns.week)
    late = returns.week < holdout_weeks
    missing = ""
    if late.any() and not late.all():
        known = returns if apart is None else apart
        early, last = known.only(~late), known.only(late)
        learnt = best_threshold(early)
        found.append(compare("earlier weeks, fitted on them", early, below(learnt), learnt))
        found.append(compare("last weeks, not learnt from", last, below(learnt), learnt))
    else:
        missing = (
            f"Nothing is held out: weeks kept for scoring {holdout_weeks}, weeks with known tasks "
            f"{weeks.size}"
        )
    if weeks.size > 1:
        found.append(compare("every week by the others", returns, _cross_fitted(returns), None))
    spread = np.quantile(bests, BAND) if bests.size else None
    return ThresholdAnalysis(
        curve=curve,
        best_pct=best,
        best_range_pct=None if spread is None else (float(spread[0]), float(spread[1])),
        comparisons=tuple(found),
        missing=missing,
    )


def best_threshold(returns: Returns, grid: Floats = GRID) -> float:
    """The lowest threshold on the grid that returns most; 0 where no swap pays."""
    curve, _ = curve_of(returns, 0, 0, grid)
    return curve.best_pct


def curve_of(returns: Returns, rounds: int, seed: int, grid: Floats = GRID) -> tuple[Curve, Floats]:
    """The cumulative return on an ascending grid, and the best thresholds of the draws (rounds,).

    Each draw weighs the tasks, one operating cycle each, as a sample with replacement does.
    """
    step = np.searchsorted(grid, returns.battery_pct, side="right")
    size = grid.size + 1

    def summed(weights: Floats) -> Floats:
        total = np.cumsum(np.bincount(step, weights=weights, minlength=size))
        return np.asarray(total[: grid.size], dtype=np.float64)

    tasks, returned = summed(np.ones(len(returns))), summed(returns.roi)
    cost, revenue = summed(returns.cost), summed(returns.revenue)
    generator = np.random.default_rng(seed)
    order = np.lexsort((returns.roi, returns.battery_pct))  # the order of the rows must not matter
    drawn = np.empty((rounds if len(returns) else 0, grid.size))
    for number in range(drawn.shape[0]):
        times = np.bincount(
            generator.integers(0, len(returns), len(returns)), minlength=len(returns)
        )
        weights = np.empty(len(returns))
        weights[order] = times
        drawn[number] = summed(weights * returns.roi)
    low, high = np.quantile(drawn, BAND, axis=0) if drawn.size else (returned, returned)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(revenue > 0, 100 * cost / revenue, np.nan)
    curve = Curve(grid, np.rint(tasks).astype(np.int64), returned, low, high, share)
    return curve, grid[np.argmax(drawn, axis=1)] if drawn.size else np.empty(0)


Choice = Callable[[Returns], Flags]


def below(threshold_pct: float) -> Choice:
    """The tasks on batteries below one threshold."""
    return lambda returns: returns.battery_pct < threshold_pct


def compare(name: str, returns: Returns, choice: Choice, threshold: float | None) -> Comparison:
    """The paper's table over these tasks, with the threshold's tasks as `choice` picks them."""
    return Comparison(
        tasks=name,
        threshold_pct=threshold,
        current=outcome(returns, np.ones(len(returns), dtype=bool)),
        threshold=outcome(returns, choice(returns)),
        foreseen=outcome(returns, returns.expected > 0),
        perfect=outcome(returns, returns.roi > 0),
    )


def outcome(returns: Returns, done: Flags) -> Outcome:
    """What the tasks that are done return."""
    revenue, cost = float(returns.revenue[done].sum()), float(returns.cost[done].sum())
    return Outcome(
        tasks=int(done.sum()),
        returned=float(returns.roi[done].sum()),
        cost_per_revenue_pct=100 * cost / revenue if revenue > 0 else None,
    )


def _cross_fitted(returns: Returns) -> Choice:
    done = np.zeros(len(returns), dtype=bool)
    for week in np.unique(returns.week):
        mine = returns.week == week
        done[mine] = returns.battery_pct[mine] < best_threshold(returns.only(~mine))
    return lambda _: done
