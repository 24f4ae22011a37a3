from __future__ import annotations

import pandas as pd
import pytest

from fleetdesk.riders.cohorts import cohorts

JAN, FEB, MAR = (pd.Timestamp(2026, month, 1) for month in (1, 2, 3))


@pytest.fixture(scope="module")
def found():
    riders = pd.DataFrame(
        {
            "rider_id": ["a", "b", "c", "d"],
            "signed_up_month": [JAN, JAN, FEB, MAR],
            "channel": ["street", "friend", "street", "street"],
        }
    )
    months = pd.DataFrame(
        [("a", JAN, 10.0, 1, 5.0), ("a", MAR, 6.0, 1, 3.0), ("b", JAN, 2.0, 1, 1.0),
         ("c", FEB, 4.0, 1, 2.0), ("c", MAR, 8.0, 2, 4.0),
         ("a", pd.Timestamp(2026, 4, 1), 9.0, 1, 9.0)],
        columns=["rider_id", "month", "km", "trips", "revenue"],
    )  # fmt: skip
    stays = pd.DataFrame(
        {
            "rider_id": ["a", "a", "c", "b"],
            "package": ["Light", "Power", "Light", "Light"],
            "started_month": [JAN, FEB, FEB, JAN],
            "ended_month": [FEB, pd.NaT, MAR, pd.NaT],
            "end_cause": ["upgraded", None, "cancelled", None],
        }
    )
    return cohorts(riders, months, stays, MAR)


def cell(found, cohort, age):
    rows = found.cells
    return rows[(rows["cohort"] == cohort) & (rows["age_months"] == age)].iloc[0]


def test_cells_by_hand(found):
    assert len(found.cells) == 3 + 2 + 1
    first = cell(found, JAN, 0)
    assert (first["riders"], first["active"], first["retention_pct"]) == (2, 2, 100)
    assert cell(found, JAN, 1)["retention_pct"] == 0  # nobody rode in February
    assert cell(found, JAN, 2)["retention_pct"] == 50
    assert cell(found, JAN, 0)["revenue_per_rider"] == 3
    assert cell(found, FEB, 1)["km_per_rider"] == 8
    assert cell(found, MAR, 0)["retention_pct"] == 0


def test_sums_tie_to_the_records_of_the_months_that_are_over(found):
    assert found.cells["revenue"].sum() == 5 + 3 + 1 + 2 + 4
    assert found.channels["revenue"].sum() == 15
    assert found.cells["km"].sum() == 30


def test_channels_count_only_riders_who_are_old_enough(found):
    rows = found.channels.set_index(["channel", "age_months"])
    assert rows.loc[("street", 0), "riders"] == 3
    assert rows.loc[("street", 1), "riders"] == 2
    assert rows.loc[("street", 2), "riders"] == 1
    assert rows.loc[("friend", 0), "revenue_per_rider"] == 1


def test_changes_by_months_in_the_package(found):
    rows = found.changes.set_index("age_months")
    assert rows.loc[1, ["upgraded", "downgraded", "cancelled"]].tolist() == [1, 0, 1]
    assert rows.loc[0, "at_risk"] == 4
    assert rows["upgraded"].sum() == 1


def test_nobody_gives_typed_nothing(found):
    riders = pd.DataFrame({"rider_id": [], "signed_up_month": pd.to_datetime([]), "channel": []})
    months = pd.DataFrame({"rider_id": [], "month": pd.to_datetime([]), "km": [], "trips": [],
                           "revenue": []})  # fmt: skip
    stays = pd.DataFrame({"rider_id": [], "package": [], "started_month": pd.to_datetime([]),
                          "ended_month": pd.to_datetime([]), "end_cause": []})  # fmt: skip
    empty = cohorts(riders, months, stays, MAR)
    assert empty.cells.empty
    assert list(empty.cells.columns) == list(found.cells.columns)
    assert empty.changes.empty


def test_months_before_the_records_are_not_zero_but_unknown():
    riders = pd.DataFrame({"rider_id": ["a"], "signed_up_month": [JAN], "channel": ["street"]})
    months = pd.DataFrame(
        [("a", JAN, 1.0, 1, 9.0), ("a", MAR, 6.0, 1, 3.0)],
        columns=["rider_id", "month", "km", "trips", "revenue"],
    )
    stays = pd.DataFrame({"rider_id": [], "package": [], "started_month": pd.to_datetime([]),
                          "ended_month": pd.to_datetime([]), "end_cause": []})  # fmt: skip
    cells = cohorts(riders, months, stays, MAR, FEB).cells
    assert cells["age_months"].tolist() == [1, 2]
    assert cells["revenue"].tolist() == [0, 3]
