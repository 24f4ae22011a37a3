"""Figures that the field has published, found again on the same data by the public functions."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import ibis
import pandas as pd
import pytest

from fleetdesk.features.stays import purchases
from fleetdesk.riders.purchases import fit_bg_nbd
from fleetdesk.riders.retention import Columns, retention
from fleetdesk.settings.rider_sheets import Retention
from fleetdesk.settings.schema import Settings

pytestmark = pytest.mark.real_data


def test_the_cox_model_of_arrests(shared_data: Path) -> None:
    frame = pd.read_csv(shared_data / "customers/survival/rossi.csv")
    factors = tuple(name for name in frame if name not in ("week", "arrest"))
    columns = Columns("week", "arrest", None, factors, ())
    found = retention(frame, Retention(horizon_months=52), 1, None, columns).cox
    effect = {factor.name: factor.coefficient for factor in found.factors}
    assert effect["fin"] == pytest.approx(-0.3794, abs=5e-4)
    assert effect["prio"] == pytest.approx(0.0915, abs=5e-4)
    assert found.concordance == pytest.approx(0.6403, abs=5e-4)
    assert "age" in found.note  # its effect is known to change with time


def test_the_law_of_buying_records(shared_data: Path) -> None:
    names = ("master", "rider_id", "date", "units", "revenue")
    rows = pd.read_csv(
        shared_data / "customers/cdnow/CDNOW_sample.txt", sep=r"\s+", header=None, names=names,
        dtype={"rider_id": str},
    )  # fmt: skip
    trips = pd.DataFrame(
        {
            "trip_id": rows.index.astype(str),
            "rider_id": rows.rider_id,
            "started_at": (bought := pd.to_datetime(rows.date.astype(str))),
            "ended_at": bought,
            "revenue": rows.revenue.astype(float),
            "distance_m": 0.0,
            "duration_s": 0.0,
        }
    )
    until = datetime(1997, 9, 30, tzinfo=UTC)
    law = fit_bg_nbd(purchases(ibis.memtable(trips), until, Settings()).to_pandas())
    assert law.riders == 2357
    assert (law.r, law.alpha) == pytest.approx((0.2426, 4.414), abs=1e-3)
    assert (law.a, law.b) == pytest.approx((0.793, 2.426), abs=2e-3)
    assert law.log_likelihood == pytest.approx(-9582.4, abs=0.05)
