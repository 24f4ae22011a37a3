"""What to do about riders at risk: bands and actions from the sheet, and where acting pays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fleetdesk.riders.classify import Flags, Floats
from fleetdesk.settings.rider_sheets import Churn

BANDS = ("High", "Medium", "Low")


@dataclass(frozen=True, slots=True)
class Action:
    """What is done in a band, what it costs per rider and which share of leavers it keeps."""

    band: str
    what: str
    cost: float
    kept_share: float


@dataclass(frozen=True)
class Decisions:
    """Each rider's band (place in BANDS), expected gain of its action, and whether it pays.

    The gain is chance x share kept x value - cost, in money.
    """

    band: np.ndarray[tuple[int], np.dtype[np.int64]]
    gain: Floats
    act: Flags


@dataclass(frozen=True, slots=True)
class ProfitPoint:
    """What acting on the riskiest share would have brought on riders held out."""

    share_pct: float
    riders: int
    lowest_chance_pct: float
    profit: float
    profit_at_random: float


def actions(settings: Churn) -> tuple[Action, ...]:
    """The sheet's actions in the order of BANDS."""
    return (
        Action(
            "High", settings.high_action, settings.high_cost, settings.high_uplift_pct / 100.0
        ),
        Action(
            "Medium", settings.medium_action, settings.medium_cost,
            settings.medium_uplift_pct / 100.0,
        ),
        Action("Low", settings.low_action, settings.low_cost, settings.low_uplift_pct / 100.0),
    )  # fmt: skip


def bands(chance: Floats, settings: Churn) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The place in BANDS of each chance."""
    high, medium = settings.high_risk_pct / 100.0, settings.medium_risk_pct / 100.0
    return np.where(chance >= high, 0, np.where(chance >= medium, 1, 2)).astype(np.int64)


def decide(chance: Floats, value: Floats, settings: Churn) -> Decisions:
    """Act where what the action is expected to keep is worth more than it costs.

    `value` is what is lost with a rider who leaves, in money.
    """
    band = bands(chance, settings)
    known = actions(settings)
    kept = np.array([action.kept_share for action in known])[band]
    cost = np.array([action.cost for action in known])[band]
    gain = chance * kept * value - cost
    return Decisions(band, gain, gain > 0.0)


def profit_curve(
    chance: Floats, left: Flags, value: Floats, settings: Churn, steps: int = 20
) -> tuple[ProfitPoint, ...]:
    """Act on the riskiest 0, 5, ... 100 %: what that had brought, beside acting at random.

    Each rider gets the action of their band; one who left is kept with the action's share.
    """
    band = bands(chance, settings)
    known = actions(settings)
    kept = np.array([action.kept_share for action in known])[band]
    cost = np.array([action.cost for action in known])[band]
    brought = left * kept * value - cost
    order = np.argsort(-chance, kind="stable")
    running = np.concatenate([[0.0], np.cumsum(brought[order])])
    points = []
    for step in range(steps + 1):
        riders = round(len(chance) * step / steps)
        lowest = float(chance[order[riders - 1]]) if riders else 1.0
        points.append(
            ProfitPoint(
                share_pct=100.0 * step / steps,
                riders=riders,
                lowest_chance_pct=100.0 * lowest,
                profit=float(running[riders]),
                profit_at_random=float(running[-1]) * step / steps,
            )
        )
    return tuple(points)
