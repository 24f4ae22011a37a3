"""What may be shown of groups of riders: never few, and never what gives few away."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetdesk.outputs.tables.cohorts import cohort_sheets
from fleetdesk.outputs.tables.frames import too_few, without_small
from fleetdesk.outputs.tables.next_best import next_best_sheets
from fleetdesk.outputs.tables.packages import trial_sheets
from fleetdesk.outputs.tables.riders_churn import ChurnTold, churn_sheets
from fleetdesk.outputs.tables.riders_retention import retention_sheets
from fleetdesk.riders.bias import GroupAudit
from fleetdesk.riders.churn import ChurnFit, base_rate
from fleetdesk.riders.churn_actions import ProfitPoint
from fleetdesk.riders.cohorts import Cohorts
from fleetdesk.riders.package_trial import Trial
from fleetdesk.riders.retention import RetentionResult
from fleetdesk.riders.staying import Curve
from fleetdesk.settings.schema import Settings

LEAST = Settings().riders.smallest_group
RIDERS = pd.DataFrame(
    {"rider_id": "r", "consent": False, "package": "Light",
     "band": ["High"] * 3 + ["Medium"] * 15 + ["Low"] * 60, "chance": 0.5, "value": 9.0,
     "gain": 1.0, "act": [True] * 20 + [False] * 58, "reason": "", "action": ""}
)  # fmt: skip


@given(st.lists(st.integers(0, 40), max_size=8))
def test_what_is_hidden_together_is_of_enough_riders(numbers):
    counts = pd.Series(numbers, dtype=int)
    hidden = too_few(counts, Settings())
    assert not counts[~hidden].between(1, LEAST - 1).any()
    together = counts[hidden].sum()
    assert together == 0 or together >= LEAST or not counts[~hidden].any()


@pytest.mark.parametrize(
    ("numbers", "shown"),
    [
        ((50, 4, 20), (50, None, None)),
        ((50, 6, 6), (50, None, None)),
        ((50, 1, 2, 12), (50, None, None, None)),
        ((50, 0, 20), (50, 0, 20)),
        ((3,), (None,)),
    ],
)
def test_groups_are_hidden_until_the_rest_tells_nothing(numbers, shown):
    frame = pd.DataFrame({"riders": numbers, "spend": 1.0})
    found = without_small(frame, "riders", ("spend",), Settings())
    assert tuple(None if value != value else value for value in found["riders"]) == shown
    assert frame["riders"].tolist() == list(numbers)


def test_all_ages_of_a_cohort_hide_together_and_no_total_tells_of_it():
    months = pd.to_datetime(["2026-01-01"] * 2 + ["2026-02-01"] * 2 + ["2026-03-01"])
    cells = pd.DataFrame(
        {"cohort": months, "age_months": [0, 1, 0, 1, 0], "riders": [40, 40, 12, 12, 3],
         "active": 2, "revenue": 5.0, "retention_pct": 5.0, "revenue_per_rider": 1.0,
         "km_per_rider": 1.0}
    )  # fmt: skip
    channels = cells.rename(columns={"cohort": "channel"}).assign(channel=list("aabbc"))
    changes = pd.DataFrame(
        {"age_months": [0, 1], "at_risk": [30, 2], "upgraded": 1, "downgraded": 0, "cancelled": 1}
    )
    sheets = cohort_sheets(Cohorts(cells, channels, changes), Settings())
    for sheet in sheets[:2]:
        assert [row[3] for row in sheet.rows] == [40, 40, None, None, None]
        assert all(row[7] is None for row in sheet.rows if row[3] is None)
    assert all(row[4] is None and row[6] is None for row in sheets[0].rows)  # two rode: too few
    assert [row[5] for row in sheets[0].rows] == [5.0, 5.0, None, None, None]  # of forty
    assert "Revenue" in sheets[0].note
    assert sheets[2].rows == [("0", 30, None, 0, None), ("1", None, None, 0, None)]


def test_what_riders_of_one_age_paid_does_not_follow_from_the_sums_of_another_sheet():
    ages = pd.DataFrame(
        {"age_months": 0, "riders": [30, 25, 20], "active": [20, 15, 4], "revenue": 9.0,
         "retention_pct": 50.0, "revenue_per_rider": 1.0, "km_per_rider": 1.0}
    )  # fmt: skip
    cells = ages.assign(cohort=pd.to_datetime(["2026-01-01", "2026-02-01", "2026-03-01"]))
    channels = ages.assign(channel=["a", "b", "c"])
    none = pd.DataFrame(columns=["age_months", "at_risk", "upgraded", "downgraded", "cancelled"])
    for sheet in cohort_sheets(Cohorts(cells, channels, none), Settings())[:2]:
        assert [row[6] for row in sheet.rows] == [9.0, None, None]
        assert [row[3] for row in sheet.rows] == [30, 25, 20]


def test_the_revenue_of_all_is_not_told_where_another_sheet_leaves_out_few():
    ages = pd.DataFrame(
        {"age_months": 0, "riders": [40, 30], "active": [30, 25], "revenue": 9.0,
         "retention_pct": 50.0, "revenue_per_rider": 1.0, "km_per_rider": 1.0}
    )  # fmt: skip
    cells = ages.assign(cohort=pd.to_datetime(["2026-01-01", "2026-02-01"]))
    channels = ages.assign(channel=["a", "b"])
    # Nine rode by a channel of one age alone: nothing beside them is there to be hidden with.
    alone = channels.iloc[:1].assign(age_months=1, active=9, revenue=7.0)
    none = pd.DataFrame(columns=["age_months", "at_risk", "upgraded", "downgraded", "cancelled"])
    for known, told in ((channels, True), (pd.concat([channels, alone]), False)):
        sheet = cohort_sheets(Cohorts(cells, known.reset_index(drop=True), none), Settings())[0]
        assert ("18.00" in sheet.note) == told
        assert [row[6] for row in sheet.rows] == [9.0, 9.0]


def test_points_of_the_profit_curve_lie_apart():
    fit = ChurnFit(base_rate(np.arange(9) < 3), {}, np.empty(0), (), "")
    profit = tuple(ProfitPoint(5.0 * n, 4 * n, 1.0, 2.0, 3.0) for n in range(12))
    rows = churn_sheets(ChurnTold(RIDERS, fit, profit, (), ""), Settings())[2].rows
    assert [row[1] for row in rows] == [0, 12, 24, 44]


def test_few_at_high_risk_are_not_told_of():
    fit = ChurnFit(base_rate(np.arange(9) < 3), {}, np.empty(0), (), "")
    profit = tuple(ProfitPoint(share, riders, 1.0, 2.0, 3.0) for share, riders in ((0, 0), (5, 4)))
    told = churn_sheets(ChurnTold(RIDERS, fit, profit, (), ""), Settings())
    rows = {row[0]: row for row in told[0].rows}
    assert rows["High"][2:5] == rows["Medium"][2:5] == (None,) * 3
    assert rows["Low"][2] == 60 and rows["Low"][6:] == (None,) * 3
    assert [row[1] for row in told[2].rows] == [0]


def test_an_age_group_too_small_to_audit_does_not_follow_from_the_others():
    groups = tuple(
        GroupAudit(name, riders, 1, 1, 0, 0, 0, 0, 0, flagged=False)
        for name, riders in (("18-24", 40), ("25-34", 60), ("35-44", 15))
    )
    fit = ChurnFit(base_rate(np.arange(9) < 3), {}, np.zeros(119), (), "")  # four are older
    sheet = churn_sheets(ChurnTold(RIDERS, fit, (), groups, ""), Settings())[6]
    assert [row[0] for row in sheet.rows] == ["18-24", "25-34"]


def test_stays_too_few_for_a_curve_do_not_follow_from_the_others():
    def curve(group, stays):
        none = np.zeros(1)
        return Curve(
            group, stays, 0, none, none, none, none, none.astype(int), none, none,
            mean_hazard=0, mean_months=1, mean_low=1, mean_high=1, median_months=None,
        )  # fmt: skip

    groups = curve("Small", 100), curve("Large", 50)  # and four more in a package of their own
    told = RetentionResult(curve("All", 154), groups, None, None, "")
    assert [row[0] for row in retention_sheets(told, None, Settings())[2].rows] == ["All", "Small"]


def test_moves_of_few_riders_do_not_follow_from_the_number_of_all():
    trial = Trial((), (("Small", 50, 64), ("Middle", 20, 0), ("Large", 4, 10)), 74)
    rows = {row[0]: row[1:] for row in trial_sheets(trial, Settings())[1].rows}
    assert rows == {"Small": (50, 64), "Middle": (None, 0), "Large": (None, 10)}


def test_actions_for_few_riders_are_told_of_together():
    actions = pd.DataFrame(
        {"rider_id": [f"r{n}" for n in range(45)], "action": ["a"] * 30 + ["b"] * 12 + ["c"] * 3,
         "in_budget": True, "cost": 1.0, "gain": 2.0, "consent": False}
    ).assign(**dict.fromkeys(
        ("rank", "segment", "package", "risk_pct", "value", "months_counted", "offer", "low",
         "high", "reason")
    ))  # fmt: skip
    rows = next_best_sheets(actions, (), Settings())[1].rows
    assert {row[0]: row[1] for row in rows} == {"a": 30, "other": 15}
