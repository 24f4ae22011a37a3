"""All that is known of each rider for the next best action: risk, value, segment, package, offer.

What cannot be told for lack of records is left empty and named in the notes. Loads pandas.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from fleetdesk.errors import NotEnoughData
from fleetdesk.riders.churn_actions import actions, bands
from fleetdesk.riders.packages import Advice, advise, on_offer
from fleetdesk.settings.schema import Settings
from fleetdesk.workflows.known import Known
from fleetdesk.workflows.offer_data import EVERYBODY, arm_rows, arms_of, best_offers, offer_log
from fleetdesk.workflows.rider_data import package_rules, riders_now, riders_of
from fleetdesk.workflows.rider_models import churn_of, segments_of
from fleetdesk.workflows.rider_values import Valued, values_of


@dataclass(frozen=True)
class Prospects:
    """One row per rider, as riders.next_best_action.next_best takes them, with consent.

    `advice` is None where no package is on offer; `notes` say what could not be told, and why;
    `value_notes` what to know of the values that could be told, and `months_alike` over how many
    months their value_alike is, as in Valued.
    """

    riders: pd.DataFrame
    advice: Advice | None
    notes: tuple[str, ...]
    value_notes: tuple[str, ...] = ()
    months_alike: float = 0.0


def prospects(record: Known, settings: Settings) -> Prospects:
    """Join the analyses for every rider who rode lately or holds a package."""
    riders = riders_of(record, settings)
    now = riders.now.reset_index(drop=True)
    notes: list[str] = []

    def told(make: Callable[[], Any], otherwise: Any) -> Any:
        try:
            return make()
        except NotEnoughData as lack:
            notes.append(str(lack))
            return otherwise

    def risk() -> Any:
        found = churn_of(record, settings).now.set_index("rider_id")["chance"]
        return 100.0 * found.reindex(now["rider_id"]).to_numpy(float)

    def segment() -> Any:
        found = segments_of(record, settings)
        names = np.array(found.names, dtype=object)[found.labels]
        by_rider = pd.Series(names, index=riders_now(record, settings)["rider_id"])
        return by_rider.reindex(now["rider_id"]).to_numpy()

    def advised() -> Advice:
        packages = on_offer(settings.packages)
        people = riders.people(packages, settings)
        return advise(
            people, packages, settings.costs, package_rules(record, settings), settings.city.seed
        )

    worth = ("value", "value_alike", "months_counted")
    nothing = Valued(pd.DataFrame({"rider_id": [], **{name: [] for name in worth}}), None, None,
                     None, ())  # fmt: skip
    unknown = np.full(len(now), np.nan)
    advice = told(advised, None)
    valued: Valued = told(lambda: values_of(record, settings), nothing)
    values = valued.riders.set_index("rider_id")[list(worth)].reindex(now["rider_id"])
    rows = now[["rider_id", "package", "consent"]].assign(
        segment=told(segment, np.full(len(now), None, dtype=object)),
        risk_pct=told(risk, unknown),
        **{name: values[name].to_numpy(float) for name in worth},
    )
    rows = _with_actions(rows, settings)
    rows = _with_advice(rows, advice)
    rows = _with_offers(rows, record, settings)
    return Prospects(rows, advice, tuple(dict.fromkeys(notes)), valued.notes, valued.months_alike)


def _with_actions(rows: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """The sheet's action for the rider's risk, its cost and the share of leavers it keeps."""
    known = actions(settings.churn)
    risk = rows["risk_pct"].to_numpy(float) / 100.0
    band = bands(np.nan_to_num(risk), settings.churn)
    return rows.assign(
        keep_action=np.array([action.what for action in known], dtype=object)[band],
        keep_cost=np.array([action.cost for action in known])[band],
        keep_uplift_pct=np.array([100.0 * action.kept_share for action in known])[band],
    )


def _with_advice(rows: pd.DataFrame, advice: Advice | None) -> pd.DataFrame:
    if advice is None:
        return rows.assign(
            advised=None,
            saving=np.nan,
            cost_now=np.nan,
            margin_now=np.nan,
            margin_change=np.nan,
            advice_reason="",
        )
    told = advice.rows
    # Who pays per trip is offered a package on the sheet Package advice, not moved to one.
    advised = told["advised"].astype(object).mask(told["package"].isna())
    return rows.assign(
        advised=advised,
        saving=told["saving"].to_numpy(),
        cost_now=told["cost_now"].to_numpy(),
        margin_now=told["margin_now"].to_numpy(),
        margin_change=(told["margin_advised"] - told["margin_now"]).to_numpy(),
        advice_reason=told["reason"].to_numpy(),
    )


def _with_offers(rows: pd.DataFrame, record: Known, settings: Settings) -> pd.DataFrame:
    """The offer that brings most over none in the rider's segment, by the log."""
    log = offer_log(record, settings)
    best = best_offers(arm_rows(log, arms_of(log, settings), settings))
    chosen = [best.get(str(name), best.get(EVERYBODY)) for name in rows["segment"]]
    return rows.assign(
        offer=np.array([one.arm if one else None for one in chosen], dtype=object),
        offer_value=[one.gain if one else np.nan for one in chosen],
        offer_low=[one.low if one else np.nan for one in chosen],
        offer_high=[one.high if one else np.nan for one in chosen],
    )
