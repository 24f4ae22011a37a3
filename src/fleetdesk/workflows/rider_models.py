"""Segments, chances to leave and values of a run's riders, made once for all that ask for them.

Loads pandas and the models; answers import it only when they answer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fleetdesk.errors import NotEnoughData
from fleetdesk.features.riders import MONTH_D, outcomes, riders_over
from fleetdesk.features.stays import purchases, stays
from fleetdesk.riders.churn import ChurnFit, ChurnModel, fit_churn
from fleetdesk.riders.churn_actions import BANDS, bands
from fleetdesk.riders.classify import Flags, Floats
from fleetdesk.riders.drift import spreads, stability_index
from fleetdesk.riders.lifetime_value import Values, contract_values, free_values
from fleetdesk.riders.lifetimes import Lifetimes, fit_lifetimes
from fleetdesk.riders.matrix import numbers
from fleetdesk.riders.purchases import BgNbd, GammaGamma, fit_bg_nbd, fit_gamma_gamma
from fleetdesk.riders.segments import Segmentation, find_segments
from fleetdesk.settings.flatten import flatten
from fleetdesk.settings.schema import Settings
from fleetdesk.store.model_files import Kept, Manifest, card_of, load_model, model_files
from fleetdesk.workflows.catalog import Ask
from fleetdesk.workflows.context import OUTPUTS_FOLDER
from fleetdesk.workflows.known import Known
from fleetdesk.workflows.rider_data import first_trip, frame

MODELS_FOLDER = "models"
BY_TIME = "time in the package"
MOST_MOMENTS = 6
_THERE_DAYS = 90


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


@dataclass(frozen=True)
class Valued:
    """Today's riders with value, low, high, months, tier (in TIERS) and basis; and the models.

    A model is missing where there was too little to fit it, which `notes` tell.
    """

    riders: pd.DataFrame
    lifetimes: Lifetimes | None
    often: BgNbd | None
    much: GammaGamma | None
    notes: tuple[str, ...]


def riders_now(record: Known, settings: Settings) -> pd.DataFrame:
    """What is known now of riders who hold a package or rode within 90 days, by rider_id.

    Raises NotEnoughData without any.
    """

    def make() -> pd.DataFrame:
        now = record.moment.as_of
        rows = frame(riders_over(record.tables, [now], settings, first_trip(record.tables)))
        lately = numbers(rows["days_since_last_trip"]) <= _THERE_DAYS
        rows = rows[lately | rows["package"].notna()]
        return rows.sort_values("rider_id", ignore_index=True)

    rows: pd.DataFrame = record.once("riders now", make)
    if rows.empty:
        raise NotEnoughData(
            "No riders are known who rode lately or hold a package",
            found="no rows that fit in riders, trips and subscriptions",
            fix="Import riders, and trips with their rider_id",
        )
    return rows


def may_leave(riders: pd.DataFrame, settings: Settings) -> Flags:
    """Who rode within the churn horizon or holds a package; who has left already cannot leave."""
    lately = numbers(riders["days_since_last_trip"]) <= settings.churn.horizon_days
    return np.asarray(lately | riders["package"].notna(), dtype=np.bool_)


def segments_of(record: Known, settings: Settings) -> Segmentation:
    """The segments of `riders_now`, in its order."""
    found: Segmentation = record.once(
        "segments",
        lambda: find_segments(riders_now(record, settings), settings.segments, settings.city.seed),
    )
    return found


def stays_of(record: Known) -> pd.DataFrame:
    """Riders' stays under contract up to now, with delayed entry where older ones are missing."""

    def make() -> pd.DataFrame:
        first = first_trip(record.tables)
        old = record.tables["subscriptions"].ended_at.min().to_pyarrow().as_py()
        # Where stays that ended before the first trip are recorded, nothing is missing.
        missing = first is not None and (old is None or old >= first.replace(tzinfo=None))
        rows = frame(stays(record.tables, record.moment.as_of, first if missing else None))
        return rows.sort_values(["rider_id", "stay_no"], ignore_index=True)

    rows: pd.DataFrame = record.once("stays", make)
    if rows.empty:
        raise NotEnoughData(
            "No stays in a package are known",
            found="no rows in subscriptions",
            fix="Import subscriptions with their first and last day",
        )
    return rows


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
        learn, left[~last], test, left[last], settings.churn, settings.city.seed, learn["rider_id"]
    )
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
        known = stays_of(record)
        lifetimes = fit_lifetimes(known, settings.city.seed)
    except NotEnoughData as none:
        raise NotEnoughData(
            "The records are too short to say who leaves", found=f"{lack}; {none.found}",
            fix="Import older trips or subscriptions, or lower Churn: Looks ahead",
        ) from none  # fmt: skip
    now = riders_now(record, settings)
    now = now[now["package"].notna()].reset_index(drop=True)
    mine = with_stays(now, running_stays(record), lifetimes)
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


def values_of(record: Known, settings: Settings) -> Valued:
    """What today's riders are still worth, with or without a contract."""
    found: Valued = record.once("values", lambda: _values(record, settings))
    return found


def _values(record: Known, settings: Settings) -> Valued:
    now = riders_now(record, settings)
    notes: list[str] = []
    lifetimes, often, much = None, None, None
    try:
        known = stays_of(record)
        lifetimes = fit_lifetimes(known, settings.city.seed)
    except NotEnoughData as lack:
        notes.append(f"Riders in a package are valued by their trips: {lack}")
    try:
        history = _history(record, settings)
        often, much = fit_bg_nbd(history), fit_gamma_gamma(history)
    except NotEnoughData as lack:
        history = pd.DataFrame()
        notes.append(f"Riders without a package have no value: {lack}")
    rows = valued_rows(now, running_stays(record), history, lifetimes, often, much, settings)
    return Valued(rows, lifetimes, often, much, tuple(notes))


def _history(record: Known, settings: Settings) -> pd.DataFrame:
    done = purchases(record.tables["trips"], record.moment.as_of, settings)
    return frame(done).sort_values("rider_id", ignore_index=True)


def running_stays(record: Known) -> pd.DataFrame:
    """The stays that are still running; none where there are no subscriptions."""
    try:
        rows = stays_of(record)
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
) -> pd.DataFrame:
    """The riders with their values: by contract where there is one, else by their trips."""
    sheet = settings.lifetime_value
    held = now["package"].notna().to_numpy()
    rows = now.assign(
        value=np.nan, low=np.nan, high=np.nan, months_expected=np.nan, tier=-1, basis=""
    )
    if lifetimes is not None and held.any():
        mine = with_stays(now[held], running, lifetimes)
        _put(rows, held, contract_values(mine, lifetimes, sheet), "package")
    free = ~held if lifetimes is not None else np.ones(len(now), dtype=bool)
    if often is not None and much is not None and len(history) and free.any():
        mine = now[free].merge(history, on="rider_id", how="left")
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
    rows.loc[mine, "tier"] = values.tier
    rows.loc[mine, "basis"] = basis


def value_by_rider(record: Known, settings: Settings, riders: pd.Series[Any]) -> Floats:
    """The value of each rider in the order given; missing where it is not known."""
    rows = values_of(record, settings).riders.set_index("rider_id")["value"]
    return np.asarray(rows.reindex(riders).to_numpy(), dtype=np.float64)


# --- models at rest -------------------------------------------------------------------------------


def model_of_run(
    ask: Ask,
    name: str,
    parts: Mapping[str, Any],
    riders: pd.DataFrame,
    columns: Sequence[str],
    metrics: Mapping[str, float | None],
    note: str,
    card: tuple[str, str],
) -> dict[str, str | bytes]:
    """The files of a model for the run's folder, with manifest and card.

    `riders` are those that it is used for now, whose spread tells drift later; `card` is what the
    model is for, and when not to trust it.
    """
    manifest = Manifest(
        name=name,
        made_at=ask.context.clock(),
        data_from=first_trip(ask.record.tables),
        data_until=ask.record.moment.as_of,
        settings_hash=settings_hash(ask.settings),
        seed=ask.settings.city.seed,
        riders=len(riders),
        metrics=metrics,
        spreads=spreads(riders, columns),
        note=note,
        files={},
    )
    files = model_files(manifest, parts, card_of(manifest, *card))
    return {f"{MODELS_FOLDER}/{name}/{file}": content for file, content in files.items()}


def kept(folder: Path, name: str) -> Kept | None:
    """The newest model of this name that a run left in a workspace."""
    places = [
        place
        for place in (folder / OUTPUTS_FOLDER).glob(f"*/{MODELS_FOLDER}/{name}")
        if (place / "manifest.json").is_file()
    ]
    newest = max(places, key=lambda place: (place.stat().st_mtime, str(place)), default=None)
    return None if newest is None else load_model(newest)


def settings_hash(settings: Settings) -> str:
    """What tells one state of the settings from another."""
    told = json.dumps(flatten(settings), sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()


def why_learn_anew(model: Kept, riders: pd.DataFrame, now: datetime, settings: Settings) -> str:
    """Why a kept model should be learnt anew: its age or a change of riders; "" = it is fine."""
    limits = settings.riders
    age = (now - model.manifest.made_at) / timedelta(days=1)
    if age > limits.model_age_days:
        return f"it is {age:.0f} days old, more than {limits.model_age_days}"
    if model.manifest.name == "churn":
        riders = riders[may_leave(riders, settings)]
    drift = stability_index(model.manifest.spreads, riders)
    worst = max(drift, key=lambda name: drift[name], default=None)
    if worst is not None and drift[worst] > limits.drift_limit:
        return f"riders changed in {worst.replace('_', ' ')} (stability index {drift[worst]:.2f})"
    return ""


def scored(
    riders: pd.DataFrame, models: Mapping[str, Kept], record: Known, settings: Settings
) -> pd.DataFrame:
    """The riders with segment, chance_to_leave_pct, risk and value, as far as models are kept.

    Who has left already has no chance to leave, and no risk.
    """
    rows = riders
    if "segments" in models:
        model = models["segments"].parts["segments"]
        rows = rows.assign(segment=[model.names[label] for label in model.labels(riders)])
    if "churn" in models:
        there = may_leave(riders, settings)
        chance = models["churn"].parts["churn"].chances(riders[there])
        rows = rows.assign(chance_to_leave_pct=np.nan, risk=None)
        rows.loc[there, "chance_to_leave_pct"] = np.round(100.0 * chance, 1)
        rows.loc[there, "risk"] = [BANDS[band] for band in bands(chance, settings.churn)]
    if "lifetime_value" in models:
        parts = models["lifetime_value"].parts
        history = _history(record, settings) if "often" in parts else pd.DataFrame()
        valued = valued_rows(
            riders, running_stays(record), history, parts.get("lifetimes"), parts.get("often"),
            parts.get("much"), settings,
        )  # fmt: skip
        rows = rows.assign(value=np.round(valued["value"].to_numpy(float), 2))
    return rows
