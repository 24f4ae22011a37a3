"""What other limits or prices would mean: riders moved, revenue, margin, churn; with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fleetdesk.riders.package_costs import Usage, margins, rider_costs
from fleetdesk.settings.schema import Costs, Package

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
NONE = -1


@dataclass(frozen=True, slots=True)
class TrialRules:
    """What riders do when packages change; percent and money as in the sheet.

    Riders move when `moves_at` a month more is to be saved than today; each percent that a rider
    has to pay more raises the chance to leave by `churn_response_pct`, give or take
    `response_error_pct`.
    """

    moves_at: float
    churn_pct: float
    churn_response_pct: float
    response_error_pct: float
    cost_per_km: float


@dataclass(frozen=True, slots=True)
class Change:
    """One figure before, on trial, and their difference with its interval."""

    name: str
    unit: str
    before: float
    after: float
    difference: float
    low: float
    high: float


@dataclass(frozen=True)
class Trial:
    """The outcome: figures, and riders by package before and on trial."""

    figures: tuple[Change, ...]
    moves: tuple[tuple[str, int, int], ...]
    riders: int


def try_packages(
    usage: Usage, held: Ints, before: Sequence[Package], after: Sequence[Package], costs: Costs,
    rules: TrialRules, *, rounds: int, seed: int, interval_pct: float = 90.0,
) -> Trial:  # fmt: skip
    """Let today's riders choose among the packages of `after`.

    `held` is each rider's package in `before`, all held (none -1). A package that is gone makes its
    riders choose anew. For the interval riders and the churn response are drawn anew, `rounds`
    times.
    """
    pay_now = rider_costs(usage, before)[np.arange(usage.riders), held]
    chosen = _chosen(usage, held, before, after, rules.moves_at)
    rows = np.arange(usage.riders)
    pay_then = rider_costs(usage, after)[rows, chosen]
    earn_now = margins(usage, before, costs, rules.cost_per_km)[rows, held]
    earn_then = margins(usage, after, costs, rules.cost_per_km)[rows, chosen]
    names_then = np.array([package.name for package in after])[chosen]
    names_now = np.array([package.name for package in before])[held]
    moved = (names_then != names_now).astype(float)
    dearer_pct = np.where(
        pay_now > 0, 100.0 * (pay_then / np.where(pay_now > 0, pay_now, 1) - 1), 0
    )

    def figures(pick: Ints, response_pct: float) -> Floats:
        churn_now = np.full(pick.size, rules.churn_pct / 100.0)
        churn_then = np.clip(churn_now * (1 + response_pct / 100.0 * dearer_pct[pick]), 0.0, 1.0)
        stays_now, stays_then = 1 - churn_now, 1 - churn_then
        return np.array(
            [
                [0.0, moved[pick].sum()],
                [(stays_now * pay_now[pick]).sum(), (stays_then * pay_then[pick]).sum()],
                [(stays_now * earn_now[pick]).sum(), (stays_then * earn_then[pick]).sum()],
                [churn_now.sum(), churn_then.sum()],
                [pay_now[pick].mean(), pay_then[pick].mean()],
            ]
        )

    middle = figures(rows, rules.churn_response_pct)
    rng = np.random.default_rng(seed)
    spread = []
    for _ in range(rounds):
        response = rules.churn_response_pct + rules.response_error_pct * rng.standard_normal()
        found = figures(rng.integers(0, usage.riders, usage.riders), max(response, 0.0))
        spread.append(found[:, 1] - found[:, 0])
    tail = (100.0 - interval_pct) / 2
    edges = np.percentile(np.array(spread), [tail, 100 - tail], axis=0) if spread else None
    labels = (
        ("Riders moved", "riders"), ("Revenue a month", "money"), ("Margin a month", "money"),
        ("Riders who leave a month", "riders"), ("Paid per rider a month", "money"),
    )  # fmt: skip
    changes = tuple(
        Change(
            name, unit, float(now), float(then), float(then - now),
            float(edges[0, number]) if edges is not None else float("nan"),
            float(edges[1, number]) if edges is not None else float("nan"),
        )
        for number, ((name, unit), (now, then)) in enumerate(zip(labels, middle, strict=True))
    )  # fmt: skip
    everyone = sorted({p.name for p in before} | {p.name for p in after})
    moves = tuple(
        (name, int((names_now == name).sum()), int((names_then == name).sum())) for name in everyone
    )
    return Trial(changes, moves, usage.riders)


def _chosen(
    usage: Usage, held: Ints, before: Sequence[Package], after: Sequence[Package], moves_at: float
) -> Ints:
    """The cheapest package where that saves enough, else the present one under its new terms.

    Who forgoes a saving today shows that it is not enough: it must grow by `moves_at`.
    """
    rows = np.arange(usage.riders)
    now = rider_costs(usage, before)
    offered = np.array([package.active for package in before])
    best_now = np.where(offered, now, np.inf).min(axis=1)
    forgone = np.maximum(now[rows, held] - best_now, 0.0)
    price = rider_costs(usage, after)
    best = price.argmin(axis=1).astype(np.int64)
    place = {package.name: number for number, package in enumerate(after)}
    same = np.array([place.get(package.name, NONE) for package in before])[held]
    own = np.where(same != NONE, price[rows, np.maximum(same, 0)], np.inf)
    cheapest = price[rows, best]
    return np.where(own - cheapest - forgone >= max(moves_at, 1e-9), best, same).astype(np.int64)
