"""Riders at past moments, some of which have none."""

from __future__ import annotations

from datetime import timedelta

import ibis
import numpy as np
import pandas as pd
import pytest

from fleetdesk.errors import NotEnoughData
from fleetdesk.workflows.rider_data import frame, riders_of, usage_history
from tests.workflows.test_offer_data import SETTINGS, trip
from tests.workflows.test_package_answers import NOW, record_of


def record(*trips):
    """A rider who signed up 20 days ago, in a city whose records begin with strangers' trips."""
    rider = {"rider_id": "r", "signed_up_at": NOW - timedelta(days=20), "referrals": 0}
    return record_of({"riders": [rider], "trips": [trip(0, None, 70), *trips]})


def test_moments_at_which_nobody_was_there_do_not_shift_the_others():
    history = usage_history(record(trip(1, "r", 18, km=10.0), trip(2, "r", 3, km=2.0)), SETTINGS)
    assert history["at"].tolist() == [NOW - timedelta(days=14), NOW]
    assert history["km"].tolist() == [10.0, 2.0]
    assert history["km_next"].iloc[0] == 2.0


def test_amounts_do_not_tell_in_which_order_an_engine_added():
    parts = np.random.default_rng(1).integers(1, 5000, (200, 31)) / 100
    there, back = (
        frame(ibis.memtable({"id": range(200), "paid": np.cumsum(order, axis=1)[:, -1] / 31}))
        for order in (parts, parts[:, ::-1])
    )
    assert (parts.sum(axis=1) / 31 != np.cumsum(parts, axis=1)[:, -1] / 31).any()
    pd.testing.assert_frame_equal(there, back, check_exact=True)
    halves = pd.DataFrame({"paid": [0.125, 2.5, 19.37, 1e7 / 64]})
    assert (abs(frame(ibis.memtable(halves)) - halves)["paid"] < 1e-8).all()


def test_riders_of_a_moment_past_are_not_taken_for_todays():
    with pytest.raises(NotEnoughData, match="rode lately"):
        riders_of(record(trip(1, "r", 18)), SETTINGS)
