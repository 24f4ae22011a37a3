"""What the sheets about riders may say: nothing of small groups, nobody by name without leave."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.riders.test_retention import planted as planted_stays
from tests.riders.test_segments import QUICK, planted

from fleetdesk.outputs.charts_riders import dendrogram
from fleetdesk.outputs.tables.riders_churn import churn_sheets
from fleetdesk.outputs.tables.riders_retention import retention_sheets
from fleetdesk.outputs.tables.riders_segments import Grouped, segment_sheets
from fleetdesk.outputs.tables.riders_value import value_sheets
from fleetdesk.riders.hierarchy import Hierarchy, hierarchy
from fleetdesk.riders.retention import retention
from fleetdesk.riders.rfm import rfm
from fleetdesk.riders.segments import find_segments
from fleetdesk.riders.unusual import unusual
from fleetdesk.settings.rider_sheets import Retention, Riders
from fleetdesk.settings.schema import Settings

OPEN = Settings(riders=Riders(show_rider_ids=True))


@pytest.fixture(scope="module")
def grouped() -> Grouped:
    frame, _ = planted(40)
    size = len(frame)
    frame = frame.assign(
        rider_id=[f"r{n}" for n in range(size)], consent=np.arange(size) % 2 == 0, package="Light",
        monthly_spend=frame.daily_km * 3, days_since_last_trip=np.arange(size) / 4.0,
    )  # fmt: skip
    found = find_segments(frame, QUICK, 1)
    tree = hierarchy(found.model.scale.matrix(frame), found.labels, 3, 1)
    return Grouped(frame, found, rfm(frame), tree, unusual(frame, found.model.scale, 5, 1))


def by_name(sheets) -> dict:
    return {sheet.sheet: sheet for sheet in sheets}


@pytest.mark.parametrize(
    "make",
    [
        lambda settings: segment_sheets(None, settings),
        lambda settings: churn_sheets(None, settings),
        lambda settings: retention_sheets(None, None, settings),
        lambda settings: value_sheets(None, "", settings),
    ],
)
def test_before_the_first_run_sheets_are_empty_and_say_how_to_ask(make):
    for sheet in make(Settings()):
        assert not list(sheet.rows), sheet.sheet
        assert "Questions" in sheet.note, sheet.sheet


def test_charts_name_columns_that_are_there(grouped):
    stays = retention(planted_stays(300), Retention(), 1)
    for sheet in (
        *segment_sheets(grouped, Settings()),
        *retention_sheets(stays, None, Settings()),
        *churn_sheets(None, Settings()),
        *value_sheets(None, "", Settings()),
    ):
        headers = {column.header for column in sheet.columns}
        assert all(len(row) == len(sheet.columns) for row in sheet.rows), sheet.sheet
        for chart in sheet.charts:
            assert {chart.categories, *(series.header for series in chart.series)} <= headers


def test_riders_are_listed_only_with_leave_and_only_those_who_agreed(grouped):
    assert not list(by_name(segment_sheets(grouped, Settings()))["Riders by segment"].rows)
    rows = list(by_name(segment_sheets(grouped, OPEN))["Riders by segment"].rows)
    agreed = set(grouped.riders.loc[grouped.riders.consent, "rider_id"])
    assert {row[0] for row in rows} == agreed


def test_a_small_segment_is_hidden_and_with_it_the_next(grouped):
    least = sorted(segment.riders for segment in grouped.found.segments)[0] + 1
    strict = Settings(riders=Riders(smallest_group=least))
    rows = list(by_name(segment_sheets(grouped, strict))["Rider segments"].rows)
    assert sum(row[1] is None for row in rows) >= 2
    assert all(row[3] is None for row in rows if row[1] is None)


def test_a_tree_is_drawn_the_same_each_time(grouped):
    one, other = dendrogram(grouped.tree), dendrogram(grouped.tree)
    assert one.png.startswith(b"\x89PNG") and one.png == other.png and "Ward" in one.alt
    nothing = Hierarchy(np.empty((0, 4)), 0, (), np.empty(0, dtype=np.int64))
    assert dendrogram(nothing) is None


def test_values_are_summed_by_tier_and_group():
    riders = pd.DataFrame(
        {
            "rider_id": [f"r{n}" for n in range(40)], "consent": True,
            "value": [2000.0] * 20 + [5.0] * 19 + [None], "low": 1.0, "high": 3.0,
            "tier": [0] * 20 + [3] * 20, "package": ["Light"] * 20 + [None] * 20,
            "channel": "app", "months_expected": 3.0, "monthly_spend": 9.0, "basis": "trips",
            "months_counted": [120.0] * 20 + [0.82] * 20,
        }
    )  # fmt: skip
    sheets = by_name(value_sheets(riders, "A note.", OPEN))
    tiers = {row[0]: row for row in sheets["Rider value"].rows}
    assert tiers["Platinum"][1] == 20 and tiers["Platinum"][5] == 40_000.0
    assert tiers["Bronze"][1:3] == (19, 5.0)
    groups = {row[0] for row in sheets["Value by group"].rows}
    assert groups == {"Package: Light", "Package: none", "Channel: app"}
    counted = {row[0]: row[6] for row in sheets["Value by group"].rows}
    assert counted["Package: Light"] == "120" and counted["Channel: app"] == "0.8 to 120"
    assert [tiers[name][6] for name in ("Platinum", "Gold")] == ["120", ""]
    listed = list(sheets["Value by rider"].rows)
    assert len(listed) == 39 and listed[0][3] == 2000.0
