"""Segments and chances to leave of a run's riders, learnt once for all that ask for them.

Loads pandas and the models; answers import it only when they answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from fleetdesk.errors import NotEnoughData
from fleetdesk.features.calendar import MONTH_D
from fleetdesk.features.rider_outcomes import outcomes
from fleetdesk.features.riders import riders_over
from fleetdesk.riders.churn import NUMBERS, WORDS, ChurnFit, ChurnModel, fit_churn
from fleetdesk.riders.classify import Flags
from fleetdesk.riders.lifetimes import fit_lifetimes
from fleetdesk.riders.matrix import numbers
from fleetdesk.riders.segments import Segmentation, find_segments
from fleetdesk.settings.schema import Settings
from fleetdesk.workflows.known import Known
from fleetdesk.workflows.rider_data import first_trip, frame, may_leave, riders_now
from fleetdesk.workflows.rider_values import running_stays, stays_of, with_stays

BY_TIME = "time in the package"
MOST_MOMENTS = 6
DATED = tuple(name for name in NUMBERS if name not in ("referrals", "engagement"))
"""What is known of riders as of a moment past. Referrals are known as of today only: who stayed has
had the time to bring in more, so that they would tell of the future."""


@dataclass(frozen=True)
class Churned:
    """What churn was learnt from, and what came of it.

    `now` are today's riders with a column chance; `test` the riders of the last moment whose
    outcome is known, with `left` and the model's chances for them in `fit.held_out`.
    """

    fit: ChurnFit
    now: pd.DataFrame
    test: pd.DataFrame
    left: Flags
    learnt_rows: int
    from_at: datetime
    test_at: datetime


def segments_of(record: Known, settings: Settings) -> Segmentation:
    """The segments of `riders_now`, in its order."""
    found: Segmentation = record.once(
        "segments",
        lambda: find_segments(riders_now(record, settings), settings.segments, settings.city.seed),
    )
    return found


def churn_of(record: Known, settings: Settings) -> Churned:
    """Learn from moments one horizon apart, try on the last, and foretell today's riders.

    Where trips do not reach back three horizons, riders with a package are foretold by their time
    in it; raises NotEnoughData where stays do not tell that either.
    """
    found: Churned = record.once("churn", lambda: _churn(record, settings))
    return found


def _churn(record: Known, settings: Settings) -> Churned:
    as_of, days = record.moment.as_of, settings.churn.horizon_days
    first = first_trip(record.tables)
    reach = (as_of - first) / timedelta(days=1) if first else 0.0
    count = min(int((reach + 1.0) // days) - 1, MOST_MOMENTS)
    if count < 2:
        return _by_time(record, settings, reach)
    moments = [as_of - timedelta(days=days * ago) for ago in range(count, 0, -1)]
    rows = frame(riders_over(record.tables, moments, settings, first))
    told = pd.concat([frame(outcomes(record.tables, at, days, settings.costs)) for at in moments])
    rows = rows.merge(told[["rider_id", "at", "churned"]], on=["rider_id", "at"])
    rows = rows.sort_values(["at", "rider_id"], ignore_index=True)
    left = rows["churned"].to_numpy().astype(bool)
    last = (rows["at"] == rows["at"].max()).to_numpy()
    learn, test = rows[~last].reset_index(drop=True), rows[last].reset_index(drop=True)
    if learn.empty or test.empty:
        raise NotEnoughData(
            "There are no riders to learn from", found="nobody rode at an earlier moment",
            fix="Import older trips with their rider_id",
        )  # fmt: skip
    fit = fit_churn(
        learn, left[~last], test, left[last], settings.churn, settings.city.seed,
        learn["rider_id"], (DATED, WORDS),
    )  # fmt: skip
    now = riders_now(record, settings)
    now = now[may_leave(now, settings)].reset_index(drop=True)
    now = now.assign(chance=fit.model.chances(now))
    return Churned(fit, now, test, left[last], len(rows), moments[0], moments[-1])


def _by_time(record: Known, settings: Settings, reach_days: float) -> Churned:
    """The simpler way where trips are too few: what the time in the package alone tells."""
    days = settings.churn.horizon_days
    lack = (
        f"{reach_days:.0f} days of trips, and {3 * days} are needed to learn who leaves: one "
        "horizon to look back, one to learn from and one to try on"
    )
    try:
        known = stays_of(record, record.moment.as_of)
        lifetimes = fit_lifetimes(known, settings.city.seed)
    except NotEnoughData as none:
        raise NotEnoughData(
            "The records are too short to say who leaves", found=f"{lack}; {none.found}",
            fix="Import older trips or subscriptions, or lower Churn: Looks ahead",
        ) from none  # fmt: skip
    now = riders_now(record, settings)
    now = now[now["package"].notna()].reset_index(drop=True)
    mine = with_stays(now, running_stays(record, record.moment.as_of), lifetimes)
    so_far = np.nan_to_num(numbers(mine["months"]))
    staying = lifetimes.staying(mine, so_far, np.array([days / MONTH_D]))[:, 0]
    chance = 1.0 - staying
    rate = float(chance.mean()) if len(chance) else 0.0
    note = (
        f"by the time in the package alone, and only for riders with one ({lack}); not tried on "
        "riders held out"
    )
    fit = ChurnFit(ChurnModel(BY_TIME, (), (), rate, None), {}, np.empty(0), (), note)
    began = known["started_at"].min().to_pydatetime()
    return Churned(
        fit, now.assign(chance=chance), now.iloc[:0], np.empty(0, dtype=bool), len(known), began,
        record.moment.as_of,
    )  # fmt: skip
