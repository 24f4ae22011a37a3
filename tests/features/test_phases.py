from __future__ import annotations

import ibis
import pytest

from fleetdesk.features import phases
from fleetdesk.model import mds


@pytest.fixture(scope="module")
def combinations():
    types = [event.value for event in mds.EventType]
    compound = ["trip_end+battery_low", "trip_end+maintenance_pick_up", "off_hours+battery_low", ""]
    states = [*(state.value for state in mds.VehicleState), "of another standard"]
    return [(state, events) for state in states for events in (*types, *compound)]


def test_columns_mean_what_the_model_means(combinations, run):
    states, types = zip(*combinations, strict=True)
    pairs = ibis.memtable({"state": states, "types": types})
    cause = phases.end_cause(pairs.state, pairs.types)
    found = run(
        pairs.mutate(
            phase=phases.phase(pairs.state, pairs.types),
            cause=cause,
            observed=phases.is_observed(cause),
        )
    )
    assert len(found) == len(combinations)
    for row in found:
        events = row["types"].split("+")
        assert row["phase"] == mds.phase_of(row["state"], events), row
        expected = mds.end_cause(row["state"], events)
        if expected is not None:
            assert row["cause"] == expected, row
            assert row["observed"] == (expected in mds.OBSERVED_ENDS), row
