"""All that is known of each rider for the next best action: risk, value, segment, package, offer.

What cannot be told for lack of records is left empty and named in the notes. Loads pandas.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from fleetdesk.errors import NotEnoughData
from fleetdesk.features.riders import outcomes, riders_at
from fleetdesk.features.stays import purchases, stays
from fleetdesk.riders.churn import fit_churn
from fleetdesk.riders.churn_actions import actions, bands
from fleetdesk.riders.lifetime_value import contract_values, free_values
from fleetdesk.riders.lifetimes import fit_lifetimes
from fleetdesk.riders.packages import Advice, advise, on_offer
from fleetdesk.riders.purchases import fit_bg_nbd, fit_gamma_gamma
from fleetdesk.riders.segments import find_segments
from fleetdesk.settings.schema import Settings
from fleetdesk.workflows.known import Known
from fleetdesk.workflows.offer_data import EVERYBODY, NO_OFFER, offer_log
from fleetdesk.workflows.rider_data import first_trip, frame, package_rules, riders_of


@dataclass(frozen=True)
class Prospects:
    """One row per rider, as riders.next_best_action.next_best takes them, with consent.

    `advice` is None where no package is on offer; `notes` say what could not be told, and why.
    """

    riders: pd.DataFrame
    advice: Advice | None
    notes: tuple[str, ...]


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

    nothing = pd.Series(np.nan, index=now.index)
    risk = told(lambda: _risk(record, settings, now), nothing)
    value = told(lambda: _contract(record, settings, now), nothing)
    value = value.fillna(told(lambda: _free(record, settings, now), nothing))
    segment = told(lambda: _segments(now, settings), pd.Series(None, now.index, dtype=object))

    def advised() -> Advice:
        packages = on_offer(settings.packages)
        people = riders.people(packages, settings)
        return advise(
            people, packages, settings.costs, package_rules(record, settings), settings.city.seed
        )

    advice = told(advised, None)
    rows = now[["rider_id", "package", "consent"]].assign(
        segment=segment, risk_pct=100.0 * risk, value=value
    )
    rows = _with_actions(rows, settings)
    rows = _with_advice(rows, advice)
    rows = _with_offers(rows, record, settings)
    return Prospects(rows, advice, tuple(dict.fromkeys(notes)))


def _risk(record: Known, settings: Settings, now: pd.DataFrame) -> pd.Series[float]:
    """Chance to leave, learnt one horizon before and tried on the next; 0 to 1."""
    tables, as_of = record.tables, record.moment.as_of
    days = settings.churn.horizon_days
    first = first_trip(tables)
    moments = [as_of - timedelta(days=2 * days), as_of - timedelta(days=days)]
    if first is None or first > moments[0]:
        raise NotEnoughData(
            "The records are too short to learn who leaves",
            found=f"trips since {first:%Y-%m-%d}" if first else "no trips",
            fix=f"At least {2 * days} days are needed",
        )
    parts = []
    for at in moments:
        known = frame(riders_at(tables, at, settings, first))
        left = frame(outcomes(tables, at, days))[["rider_id", "churned"]]
        parts.append(known.merge(left, on="rider_id", how="inner"))
    learn, test = parts
    found = fit_churn(
        learn, learn["churned"].to_numpy(bool), test, test["churned"].to_numpy(bool),
        settings.churn, settings.city.seed, riders=learn["rider_id"].to_numpy(),
    )  # fmt: skip
    return pd.Series(found.model.chances(now), index=now.index)


def _contract(record: Known, settings: Settings, now: pd.DataFrame) -> pd.Series[float]:
    """Value of riders under contract, by their own curve of staying; missing for the others."""
    held = frame(stays(record.tables, record.moment.as_of, first_trip(record.tables)))
    model = fit_lifetimes(held, settings.city.seed)
    running = held[~held["cancelled"].astype(bool)].sort_values("stay_no")
    running = running.drop_duplicates("rider_id", keep="last")[["rider_id", "months", "package"]]
    rows = now[["rider_id", "monthly_spend", "referrals", "channel"]].merge(
        running, on="rider_id", how="inner"
    )
    if rows.empty:
        return pd.Series(np.nan, index=now.index)
    found = contract_values(rows, model, settings.lifetime_value, draws=10)
    by_rider = pd.Series(found.value, index=rows["rider_id"])
    return pd.Series(by_rider.reindex(now["rider_id"]).to_numpy(float), index=now.index)


def _free(record: Known, settings: Settings, now: pd.DataFrame) -> pd.Series[float]:
    """Value of riders who pay per trip, by how often they come back."""
    history = frame(purchases(record.tables["trips"], record.moment.as_of, settings))
    often, much = fit_bg_nbd(history), fit_gamma_gamma(history)
    history = history.merge(now[["rider_id", "referrals"]], on="rider_id", how="inner")
    found = free_values(history, often, much, settings.lifetime_value)
    by_rider = pd.Series(found.value, index=history["rider_id"])
    return pd.Series(by_rider.reindex(now["rider_id"]).to_numpy(float), index=now.index)


def _segments(now: pd.DataFrame, settings: Settings) -> pd.Series[str]:
    found = find_segments(now, settings.segments, settings.city.seed)
    return pd.Series(np.array(found.names, dtype=object)[found.labels], index=now.index)


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
    from fleetdesk.workflows.answers.offers import arm_rows, arms_of

    log = offer_log(record, settings)
    arms = arm_rows(log, arms_of(log, settings), settings) if len(log) else ()
    best: dict[str, tuple[str, float, float, float]] = {}
    for segment in {arm.segment for arm in arms}:
        mine = [arm for arm in arms if arm.segment == segment]
        base = next((arm.mean for arm in mine if arm.arm == NO_OFFER), 0.0)
        top = max(mine, key=lambda arm: arm.mean)
        if top.arm != NO_OFFER and top.made:
            best[segment] = (top.arm, top.mean - base, top.low - base, top.high - base)
    chosen = [best.get(str(name), best.get(EVERYBODY)) for name in rows["segment"]]
    return rows.assign(
        offer=np.array([one[0] if one else None for one in chosen], dtype=object),
        offer_value=[one[1] if one else np.nan for one in chosen],
        offer_low=[one[2] if one else np.nan for one in chosen],
        offer_high=[one[3] if one else np.nan for one in chosen],
    )
