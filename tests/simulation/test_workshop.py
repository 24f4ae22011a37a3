"""Checks of batteries follow the losses that were put in."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fleetdesk.simulation.workshop import monthly_losses


def test_health_falls_as_was_planted(town):
    checks = pd.DataFrame(town.rows("battery_checks"))
    losses = monthly_losses(town.spec, 7)
    assert checks["battery_id"].nunique() == losses.size == 104
    seen, months = checks.groupby("battery_id"), np.timedelta64(30, "D")
    whole = seen["battery_id"].transform("size") == 12
    slopes = {
        name: -np.polyfit((rows["checked_at"] - rows["checked_at"].min()) / months,
                          rows["health_pct"], 1)[0]
        for name, rows in checks[whole].groupby("battery_id")
    }  # fmt: skip
    true = np.array([losses[int(name[1:]) - 1] for name in slopes])
    assert len(slopes) > 50
    assert np.array(list(slopes.values())) == pytest.approx(true, abs=0.2)


def test_spare_batteries_are_in_no_vehicle(town):
    checks = pd.DataFrame(town.rows("battery_checks"))
    held = checks.groupby("battery_id")["vehicle_id"].first()
    assert held.notna().sum() == town.spec.vehicles
    assert checks["checked_at"].max() < pd.Timestamp(town.spec.ends_at)
    assert checks["health_pct"].between(70, 100).all()
