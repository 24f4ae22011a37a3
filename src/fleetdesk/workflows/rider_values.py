"""What riders are worth at a moment, by what was known then; loads pandas."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from fleetdesk.errors import NotEnoughData
from fleetdesk.features.stays import purchases, stays
from fleetdesk.outputs.tables.frames import many
from fleetdesk.riders.classify import Flags, Floats
from fleetdesk.riders.lifetime_value import (
    DRAWS,
    Values,
    contract_values,
    free_values,
    months_foretold,
)
from fleetdesk.riders.lifetimes import Lifetimes, fit_lifetimes
from fleetdesk.riders.purchases import (
    LOSS_LIMIT,
    BgNbd,
    GammaGamma,
    fit_bg_nbd,
    fit_gamma_gamma,
)
from fleetdesk.settings.schema import Settings
from fleetdesk.workflows.known import Known
from fleetdesk.workflows.rider_data import first_trip, frame, riders_now


@dataclass(frozen=True)
class Valued:
    """Riders with value, low, high, months, tier (in TIERS), basis and months_counted; the models.

    `value_alike` is each rider's value over `months_alike`, the months that all can be valued for:
    means and orders of riders with unlike months_counted are taken of these. A model is missing
    where there was too little to fit it, which `notes` tell in sentences. `reach` says over how
    many months riders valued by their trips are, where that is less than the sheet's; else "".
    """

    riders: pd.DataFrame
    lifetimes: Lifetimes | None
    often: BgNbd | None
    much: GammaGamma | None
    notes: tuple[str, ...]
    reach: str = ""
    months_alike: float = 0.0


def stays_of(record: Known, as_of: datetime) -> pd.DataFrame:
    """Stays under contract up to a moment, with delayed entry where older ones are missing."""

    def make() -> pd.DataFrame:
        first = first_trip(record.tables)
        old = record.tables["subscriptions"].ended_at.min().to_pyarrow().as_py()
        # Where stays that ended before the first trip are recorded, nothing is missing.
        missing = first is not None and (old is None or old >= first.replace(tzinfo=None))
        rows = frame(stays(record.tables, as_of, first if missing else None))
        return rows.sort_values(["rider_id", "stay_no"], ignore_index=True)

    rows: pd.DataFrame = record.once(f"stays until {as_of:%Y-%m-%d %H:%M:%S}", make)
    if rows.empty:
        raise NotEnoughData(
            "No stays in a package are known",
            found="no rows in subscriptions",
            fix="Import subscriptions with their first and last day",
        )
    return rows


def values_of(record: Known, settings: Settings) -> Valued:
    """What today's riders are still worth, with or without a contract."""
    found: Valued = record.once(
        "values",
        lambda: values_at(record, riders_now(record, settings), record.moment.as_of, settings),
    )
    return found


def values_at(record: Known, riders: pd.DataFrame, as_of: datetime, settings: Settings) -> Valued:
    """What the riders, as they were known at a moment, were worth by what was known then."""
    notes: list[str] = []
    lifetimes, often, much = None, None, None
    try:
        lifetimes = fit_lifetimes(stays_of(record, as_of), settings.city.seed)
    except NotEnoughData as lack:
        notes.append(f"Riders in a package are valued by their trips: {lack}")
    short = int((riders["package"].notna() & riders["monthly_spend"].isna()).sum())
    if lifetimes is not None and short:
        notes.append(
            f"{many(short, settings)} riders in a package are valued by their trips: the records "
            "do not reach back a month, so what they pay is not known."
        )
    try:
        history = purchases_of(record, as_of, settings)
        often, much = fit_bg_nbd(history), fit_gamma_gamma(history)
    except NotEnoughData as lack:
        history = pd.DataFrame()
        notes.append(f"Riders without a package have no value: {lack}")
    running = running_stays(record, as_of)
    rows = valued_rows(riders, running, history, lifetimes, often, much, settings)
    reach, alike = "", rows["months_counted"].min()
    if (rows["basis"] == "trips").any() and often is not None:
        reach = _reach(often, settings)
        notes += _short_notes(often, reach, settings)
    rows = rows.assign(value_alike=rows["value"])
    longer = (rows["months_counted"] > alike).to_numpy()
    if lifetimes is not None and longer.any():
        mine = with_stays(riders[longer], running, lifetimes)
        found = contract_values(mine, lifetimes, settings.lifetime_value, 0, float(alike))
        rows.loc[longer, "value_alike"] = found.value
    return Valued(rows, lifetimes, often, much, tuple(notes), reach, float(alike))


def _reach(often: BgNbd, settings: Settings) -> str:
    sheet = settings.lifetime_value
    counted = months_foretold(often, sheet)
    if counted >= sheet.horizon_months:
        return ""
    return f"those valued by their trips over {counted:.1f} of {sheet.horizon_months} months"


def _short_notes(often: BgNbd, reach: str, settings: Settings) -> list[str]:
    """What the records are too short to tell of riders valued by their trips."""
    notes = []
    if reach:
        notes.append(
            f"Values are of unlike length: {reach}, as nothing is foretold further ahead than the "
            f"records reach back; for all {settings.lifetime_value.horizon_months} import as many "
            "months of trips."
        )
    if often.loss_ratio < LOSS_LIMIT:
        notes.append(
            "These are upper limits, as if nobody left: in so short a time it cannot be told how "
            f"riders without a package are lost (likelihood ratio {often.loss_ratio:.1f}, at least "
            f"{LOSS_LIMIT:.1f} is needed); it shows once riders stay away for much longer than "
            "they used to, mostly after two months or more of trips."
        )
    return notes


def purchases_of(record: Known, as_of: datetime, settings: Settings) -> pd.DataFrame:
    """How often, how lately and for how much each rider rode until a moment."""
    done = purchases(record.tables["trips"], as_of, settings)
    return frame(done).sort_values("rider_id", ignore_index=True)


def running_stays(record: Known, as_of: datetime) -> pd.DataFrame:
    """The stays that were running at a moment; none where there are no subscriptions."""
    try:
        rows = stays_of(record, as_of)
    except NotEnoughData:
        return pd.DataFrame({"rider_id": [], "months": []})
    running = rows[~rows["cancelled"].astype(bool)]
    return running.drop_duplicates("rider_id", keep="last")


def valued_rows(
    now: pd.DataFrame,
    running: pd.DataFrame,
    history: pd.DataFrame,
    lifetimes: Lifetimes | None,
    often: BgNbd | None,
    much: GammaGamma | None,
    settings: Settings,
    *,
    draws: int = DRAWS,
) -> pd.DataFrame:
    """The riders with their values: by contract where there is one, else by their trips.

    `draws` of the curve of staying make the intervals; none are needed for the values alone.
    """
    sheet = settings.lifetime_value
    # A month's spend that is not known, for want of records, is no spend of zero.
    held = (now["package"].notna() & now["monthly_spend"].notna()).to_numpy()
    rows = now.assign(
        value=np.nan, low=np.nan, high=np.nan, months_expected=np.nan, months_counted=np.nan,
        tier=-1, basis="",
    )  # fmt: skip
    if lifetimes is not None and held.any():
        mine = with_stays(now[held], running, lifetimes)
        _put(rows, held, contract_values(mine, lifetimes, sheet, draws), "package")
    free = ~held if lifetimes is not None else np.ones(len(now), dtype=bool)
    if often is not None and much is not None and len(history) and free.any():
        mine = now.loc[free, ["rider_id", "referrals"]].merge(history, on="rider_id", how="left")
        there = free.copy()
        there[free] = mine["repeats"].notna().to_numpy()
        known = mine[mine["repeats"].notna()]
        if len(known):
            _put(rows, there, free_values(known, often, much, sheet), "trips")
    return rows


def with_stays(riders: pd.DataFrame, running: pd.DataFrame, lifetimes: Lifetimes) -> pd.DataFrame:
    """The riders with `months` of their running stay and the factors that it began with."""
    rows = riders.merge(
        running[["rider_id", "months", *_words(lifetimes, running)]],
        on="rider_id", how="left", suffixes=("_now", ""),
    )  # fmt: skip
    for name in ("package", "channel"):
        if f"{name}_now" in rows:
            rows[name] = rows[name].fillna(rows[f"{name}_now"])
    return rows


def _words(lifetimes: Lifetimes, running: pd.DataFrame) -> list[str]:
    names = {factor.partition(": ")[0] for factor in lifetimes.factors if ": " in factor}
    return sorted(names & set(running.columns))


def _put(rows: pd.DataFrame, mine: Flags, values: Values, basis: str) -> None:
    rows.loc[mine, "value"] = values.value
    rows.loc[mine, "low"] = values.low
    rows.loc[mine, "high"] = values.high
    rows.loc[mine, "months_expected"] = values.months
    rows.loc[mine, "months_counted"] = values.counted
    rows.loc[mine, "tier"] = values.tier
    rows.loc[mine, "basis"] = basis


def value_by_rider(record: Known, settings: Settings, riders: pd.Series[Any]) -> Floats:
    """The value of each rider in the order given; missing where it is not known."""
    rows = values_of(record, settings).riders.set_index("rider_id")["value"]
    return np.asarray(rows.reindex(riders).to_numpy(), dtype=np.float64)
