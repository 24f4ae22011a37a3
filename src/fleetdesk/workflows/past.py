"""What the past teaches for today: what tasks returned, and below which charge swaps pay."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from fleetdesk.errors import NotEnoughData, Problem, Severity
from fleetdesk.fleet.downstream_revenue import estimate
from fleetdesk.fleet.estimator import DownstreamRevenue
from fleetdesk.fleet.historical_tasks import (
    HistoricalTasks,
    Settled,
    settled_tasks,
    valued,
)
from fleetdesk.fleet.history import History
from fleetdesk.fleet.threshold_policy import ThresholdPolicy, learn
from fleetdesk.fleet.thresholds import Returns, ThresholdAnalysis, analyse
from fleetdesk.settings.schema import Settings
from fleetdesk.tasks.swap_rule import SwapRule


@dataclass(frozen=True)
class Past:
    """The tasks of the window, the threshold for the region, and those of cells and hours."""

    tasks: HistoricalTasks
    thresholds: ThresholdAnalysis
    policy: ThresholdPolicy

    @property
    def notes(self) -> tuple[Problem, ...]:
        """What a planner should know about it."""
        missing = self.thresholds.missing
        if not missing:
            return ()
        return (
            Problem(
                "Thresholds", "", missing, "", "Import more weeks, or keep fewer for scoring",
                Severity.NOTE,
            ),
        )  # fmt: skip


def look_back(history: History, downstream: DownstreamRevenue, settings: Settings) -> Past:
    """Value the past tasks and learn thresholds from them; nothing after the history is used."""
    settled, thresholds = settled_tasks(history, settings), settings.thresholds
    tasks = valued(settled, downstream, settings, history.as_of)
    returns, apart = tasks.returns(), _apart(history, settled, settings)
    found = analyse(
        returns, thresholds.holdout_weeks, thresholds.bootstrap_rounds, settings.city.seed, apart
    )
    if apart is None and not found.missing:
        short = "The scores of the last weeks rest on revenue rates that these weeks taught too"
        found = replace(found, missing=short)
    return Past(tasks, found, learn(returns))


def _apart(history: History, settled: Settled, settings: Settings) -> Returns | None:
    """What the tasks returned by what was known before the weeks kept for scoring; None where
    hardly anything was."""
    weeks, window = settings.thresholds.holdout_weeks, settings.city.window_days
    until = history.as_of - timedelta(weeks=weeks)
    if window <= 7 * weeks or not settled.rows:
        return None
    city = settings.city.model_copy(update={"window_days": window - 7 * weeks})
    before = History(history.events, history.trips, until, history.rider_swaps)
    try:
        learnt = estimate(before, settings.model_copy(update={"city": city}))
    except NotEnoughData:
        return None
    return valued(settled, learnt, settings, until, differential=False).returns()


def rule_notes(rule: SwapRule, settings: Settings) -> tuple[Problem, ...]:
    """What the rule that makes swaps returns beside the other one."""
    if not rule.roi_swaps and not rule.threshold_swaps:
        return ()
    made_by = settings.thresholds.create_by
    return (
        Problem(
            "Thresholds", "", f"Tasks are made by {made_by};", rule.difference(settings),
            "", Severity.NOTE,
        ),
    )  # fmt: skip
