"""Models at rest: what runs keep of what they learnt, and today's riders by it; loads pandas."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fleetdesk.model.feature_words import in_words
from fleetdesk.riders.churn_actions import BANDS, bands
from fleetdesk.riders.drift import spreads, stability_index
from fleetdesk.settings.flatten import flatten
from fleetdesk.settings.schema import Settings
from fleetdesk.store.model_files import Kept, Manifest, card_of, load_model, model_files
from fleetdesk.workflows.catalog import Ask
from fleetdesk.workflows.known import Known
from fleetdesk.workflows.model_key import known_key, model_key
from fleetdesk.workflows.model_places import MODELS_FOLDER, newest_models
from fleetdesk.workflows.rider_data import first_trip, may_leave
from fleetdesk.workflows.rider_values import purchases_of, running_stays, valued_rows


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
    key = model_key(ask.context.folder)
    files = model_files(manifest, parts, card_of(manifest, *card), key)
    return {f"{MODELS_FOLDER}/{name}/{file}": content for file, content in files.items()}


def kept(folder: Path, name: str) -> Kept | None:
    """The newest model of this name that a run left in a workspace."""
    newest = newest_models(folder).get(name)
    return None if newest is None else load_model(newest, known_key(folder))


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
        return f"riders changed in {in_words(worst)} (stability index {drift[worst]:.2f})"
    return ""


def scored(
    riders: pd.DataFrame, models: Mapping[str, Kept], record: Known, settings: Settings
) -> pd.DataFrame:
    """Segment, chance_to_leave_pct, risk and value of the riders, as far as models are kept.

    One row per rider under the index of `riders`. Who has left already has no chance to leave, and
    no risk.
    """
    rows = pd.DataFrame(index=riders.index)
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
        now = record.moment.as_of
        history = purchases_of(record, now, settings) if "often" in parts else pd.DataFrame()
        valued = valued_rows(
            riders, running_stays(record, now), history, parts.get("lifetimes"), parts.get("often"),
            parts.get("much"), settings, draws=0,
        )  # fmt: skip
        rows = rows.assign(value=np.round(valued["value"].to_numpy(float), 2))
    return rows
