"""Models at rest: for whom they speak, and when they should be learnt anew."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from fleetdesk.errors import StoreUnusable
from fleetdesk.riders.churn import base_rate
from fleetdesk.riders.drift import spreads
from fleetdesk.settings.schema import Settings
from fleetdesk.store.model_files import Kept, Manifest
from fleetdesk.workflows.kept_models import kept, scored, why_learn_anew
from fleetdesk.workflows.model_key import known_key, model_key
from fleetdesk.workflows.model_places import newest_models
from fleetdesk.workflows.rider_data import may_leave

MADE = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def riders():
    """Half rode within the month; of the others every fourth still holds a package."""
    away = np.tile([3.0, 60.0], 100)
    package = np.where(np.arange(200) % 8 == 1, "Light", None)
    return pd.DataFrame({"days_since_last_trip": away, "package": package})


def model_of(riders):
    manifest = Manifest(
        "churn", MADE, None, MADE, "", 1, len(riders), {},
        spreads(riders, ["days_since_last_trip"]), "", {},
    )  # fmt: skip
    return Kept(manifest, {"churn": base_rate(np.arange(100) < 30)})


def test_who_has_left_already_has_no_chance_to_leave(riders):
    there = may_leave(riders, Settings())
    assert there.sum() == 125
    rows = scored(riders, {"churn": model_of(riders[there])}, None, Settings())
    assert rows.loc[there, "chance_to_leave_pct"].between(25, 35).all()
    assert rows.loc[~there, ["chance_to_leave_pct", "risk"]].isna().all(axis=None)


def manifest(folder, run, name, made_at):
    place = folder / "outputs" / run / "models" / name
    place.mkdir(parents=True)
    (place / "manifest.json").write_text(json.dumps({"made_at": made_at}))
    return place


def test_the_newest_model_is_the_one_made_last_wherever_it_was_copied(tmp_path):
    newest = manifest(tmp_path, "b", "churn", "2026-06-03T00:00:00+00:00")
    old = manifest(tmp_path, "a", "churn", "2026-06-02T23:00:00.5+00:00")
    only = manifest(tmp_path, "a", "segments", "2026-06-02T23:00:00+00:00")
    os.utime(newest, (0, 0))
    assert newest_models(tmp_path) == {"churn": newest, "segments": only}
    assert newest_models(tmp_path, {"a"}) == {"churn": old, "segments": only}


def test_a_manifest_that_cannot_be_read_is_not_passed_over(tmp_path):
    manifest(tmp_path, "b", "churn", "2026-06-03T00:00:00+00:00")
    broken = manifest(tmp_path, "a", "churn", "yesterday")
    assert newest_models(tmp_path)["churn"] == broken
    with pytest.raises(StoreUnusable):
        kept(tmp_path, "churn")


def test_drift_is_of_those_that_the_model_speaks_for(riders):
    model = model_of(riders[may_leave(riders, Settings())])
    assert why_learn_anew(model, riders, MADE, Settings()) == ""


def test_to_read_makes_no_key(tmp_path):
    assert known_key(tmp_path) == b""
    assert not list(tmp_path.iterdir())
    made = model_key(tmp_path)
    assert known_key(tmp_path) == made == model_key(tmp_path)
