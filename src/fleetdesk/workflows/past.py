"""What the past teaches for today: what tasks returned, and below which charge swaps pay."""

from __future__ import annotations

from dataclasses import dataclass

from fleetdesk.errors import Problem, Severity
from fleetdesk.fleet.estimator import DownstreamRevenue
from fleetdesk.fleet.historical_tasks import HistoricalTasks, historical_tasks
from fleetdesk.fleet.history import History
from fleetdesk.fleet.threshold_policy import ThresholdPolicy, learn
from fleetdesk.fleet.thresholds import ThresholdAnalysis, analyse
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
    tasks = historical_tasks(history, downstream, settings)
    returns, thresholds = tasks.returns(), settings.thresholds
    return Past(
        tasks,
        analyse(returns, thresholds.holdout_weeks, thresholds.bootstrap_rounds, settings.city.seed),
        learn(returns),
    )


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
