"""Whether chances are as right for one group of riders as for the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from fleetdesk.riders.classify import Flags, Floats

ROUNDS = 400


@dataclass(frozen=True, slots=True)
class GroupAudit:
    """One group: what was foretold and came, and how that differs from all others (90 %).

    `gap_pct` is the foretold share less the share that left, minus the same of the others;
    `called_pct` and `missed_pct` are the share called at high risk, and of those who left the share
    that was not called (missing where none left). `flagged`: the gap is beyond the limit and the
    interval tells it from none.
    """

    group: str
    riders: int
    left_pct: float
    foretold_pct: float
    gap_pct: float
    gap_low_pct: float
    gap_high_pct: float
    called_pct: float
    missed_pct: float | None
    flagged: bool


def audit(
    chance: Floats,
    left: Flags,
    groups: pd.Series,
    limit_pct: float,
    called_from_pct: float,
    least: int,
    seed: int,
) -> tuple[GroupAudit, ...]:
    """Compare each group of at least `least` riders with all other riders, by bootstrap.

    Riders whose group is not known are a group of their own. With one group there is nothing to
    compare, and the result is empty.
    """
    names = groups.astype(object).where(groups.notna(), "not known").astype(str).to_numpy()
    known, counts = np.unique(names, return_counts=True)
    if len(known) < 2:
        return ()
    draw = np.random.default_rng(seed)
    off = chance - left
    called = chance >= called_from_pct / 100.0
    found = []
    for name in known[counts >= least]:
        mine, others = off[names == name], off[names != name]
        gap = 100.0 * (mine.mean() - others.mean())
        drawn = [
            100.0
            * (
                mine[draw.integers(0, len(mine), len(mine))].mean()
                - others[draw.integers(0, len(others), len(others))].mean()
            )
            for _ in range(ROUNDS)
        ]
        low, high = np.quantile(drawn, (0.05, 0.95))
        member = names == name
        gone = member & left
        found.append(
            GroupAudit(
                group=str(name),
                riders=int(member.sum()),
                left_pct=100.0 * float(left[member].mean()),
                foretold_pct=100.0 * float(chance[member].mean()),
                gap_pct=float(gap),
                gap_low_pct=float(low),
                gap_high_pct=float(high),
                called_pct=100.0 * float(called[member].mean()),
                missed_pct=100.0 * float((~called[gone]).mean()) if gone.any() else None,
                flagged=bool(abs(gap) > limit_pct and (low > 0 or high < 0)),
            )
        )
    return tuple(found)
