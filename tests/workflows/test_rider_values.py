"""What riders were worth at a moment rests on what was known then, and unknown is not zero."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from fleetdesk.features.riders import riders_at
from fleetdesk.workflows.offer_data import BEFORE
from fleetdesk.workflows.rider_data import first_trip, frame
from fleetdesk.workflows.rider_models import DATED
from fleetdesk.workflows.rider_values import values_at
from tests.workflows.test_package_answers import AS_OF, SETTINGS, record_of, rows

AT = AS_OF - timedelta(days=28)
THEN = AT.replace(tzinfo=None)


def until(found):
    """The rows as they stood at the moment."""
    stays = [
        row | ({"ended_at": None, "end_cause": None} if (row["ended_at"] or THEN) > THEN else {})
        for row in found["subscriptions"]
        if row["started_at"] <= THEN
    ]
    trips = [row for row in found["trips"] if row["ended_at"] <= THEN]
    return found | {"subscriptions": stays, "trips": trips}


@pytest.fixture(scope="module")
def told():
    found = rows()
    record, then = record_of(found), record_of(until(found))
    riders = frame(riders_at(then.tables, AT, SETTINGS, first_trip(then.tables)))
    return record, then, riders.sort_values("rider_id", ignore_index=True)


def test_what_came_later_changes_no_value_of_the_past(told):
    record, then, riders = told
    by_all, by_then = (values_at(one, riders, AT, SETTINGS).riders for one in (record, then))
    assert by_then["value"].notna().sum() > 100
    pd.testing.assert_frame_equal(by_all, by_then)


def test_spend_that_is_not_known_is_no_spend_of_zero(told):
    record, _, riders = told
    found = values_at(record, riders.assign(monthly_spend=np.nan), AT, SETTINGS)
    assert "valued by their trips" in " ".join(found.notes)
    assert set(found.riders.loc[found.riders["value"].notna(), "basis"]) == {"trips"}


def test_a_value_by_trips_is_over_no_more_months_than_the_trips(told):
    record, _, riders = told
    found = values_at(record, riders, AT, SETTINGS)
    counted = found.riders.groupby("basis")["months_counted"].agg(["min", "max"])
    first = first_trip(record.tables).replace(hour=0, minute=0, second=0, microsecond=0)
    months = (AT - first) / timedelta(days=365.25 / 12) + 1e-9
    assert 0 < counted.loc["trips", "max"] <= months and counted.loc["trips", "min"] > 0
    assert (counted.loc["package"] == SETTINGS.lifetime_value.horizon_months).all()
    alike, held = found.riders["value_alike"], found.riders["basis"] == "package"
    assert found.months_alike == counted.loc["trips", "max"]
    assert (alike[held] <= found.riders["value"][held]).all()
    assert 0 < alike[held].sum() < 0.5 * found.riders["value"][held].sum()
    assert alike[~held].equals(found.riders["value"][~held])
    shown = f"over {counted.loc['trips', 'max']:.1f} of 120 months"
    assert shown in found.reach and shown in " ".join(found.notes)


def test_nothing_that_is_known_as_of_today_only_is_learnt_from(told):
    record, _, riders = told
    later = record.tables["riders"].mutate(referrals=99)
    then = frame(
        riders_at({**record.tables, "riders": later}, AT, SETTINGS, first_trip(record.tables))
    ).sort_values("rider_id", ignore_index=True)
    assert not then["referrals"].equals(riders["referrals"])
    for names in (DATED, BEFORE):
        pd.testing.assert_frame_equal(then[list(names)], riders[list(names)])
