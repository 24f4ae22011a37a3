from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fleetdesk.features.after_hours import EDGES_H, after_hours
from fleetdesk.features.calendar import calendar
from fleetdesk.features.cell_hours import cell_hours
from fleetdesk.features.cycles import timeline
from fleetdesk.features.trips import priced
from fleetdesk.settings.schema import Costs

START, END = datetime(2024, 6, 3, tzinfo=UTC), datetime(2024, 6, 4, tzinfo=UTC)


def test_hours_at_risk_and_trips_by_block(history, run):
    events, trips = history(
        [
            (0, "available", "provider_drop_off", 90.0, "sx0r4m1"),
            (8, "removed", "rebalance_pick_up", 40.0, "sx0r4m1"),
        ],
        [(0.5, 0.75, 2.0), (2.0, 2.25, 2.0), (6.5, 6.75, 2.0), (7.5, 7.75, 2.0)],
    )
    snapshots = cell_hours(
        timeline(events, END), priced(trips, Costs()), calendar(START, END, "UTC"), END
    )
    rows = {row["slot"]: row for row in run(after_hours(snapshots, 6))}
    assert sorted(rows) == list(range(8))
    blocks = range(len(EDGES_H) - 1)
    # Taken in after 8 hours: at risk for 1 + 2 + 3 + 2 of them, and for none after that.
    assert [rows[0][f"hours_{k}"] for k in blocks] == pytest.approx([1, 2, 3, 2, 0, 0, 0])
    assert [rows[0][f"trips_{k}"] for k in blocks] == [1, 1, 0, 2, 0, 0, 0]
    assert [rows[6][f"hours_{k}"] for k in blocks] == pytest.approx([1, 1, 0, 0, 0, 0, 0])
    assert [rows[6][f"trips_{k}"] for k in blocks] == [1, 1, 0, 0, 0, 0, 0]
    assert sum(row["snapshots"] for row in rows.values()) == 8
