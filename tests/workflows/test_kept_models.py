"""Models at rest: for whom they speak, and when they should be learnt anew."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from fleetdesk.riders.churn import base_rate
from fleetdesk.riders.drift import spreads
from fleetdesk.settings.schema import Settings
from fleetdesk.store.model_files import Kept, Manifest
from fleetdesk.workflows.kept_models import scored, why_learn_anew
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


def test_drift_is_of_those_that_the_model_speaks_for(riders):
    model = model_of(riders[may_leave(riders, Settings())])
    assert why_learn_anew(model, riders, MADE, Settings()) == ""
