from __future__ import annotations

import pytest

from fleetdesk.fleet.cycle_length import cycle_length


def test_the_textbook_curve_by_hand():
    # Ends at 2, 4 and 6 hours, censored at 3 and 8: 4/5, then 2/3 of it, then half of it.
    length = cycle_length([0] * 5, [2, 3, 4, 6, 8], [True, False, True, True, False])
    assert length.at_h == (2, 4, 6)
    assert length.surviving == pytest.approx((4 / 5, 4 / 5 * 2 / 3, 4 / 5 * 2 / 3 / 2))
    assert length.median_h == 6
    assert (length.ended, length.censored) == (3, 2)
    assert length.share_beyond(1.9) == 1.0
    assert length.share_beyond(4) == pytest.approx(8 / 15)


def test_late_entry_is_at_risk_only_from_its_age_on():
    # The second row was already 5 hours old, so it was not at risk when the first ended at 3.
    length = cycle_length([0, 5, 0], [3, 2, 10], [True, True, False])
    assert length.surviving == pytest.approx((1 / 2, 1 / 4))


def test_nothing_ended_has_no_median_and_nothing_at_all_no_share():
    running = cycle_length([0, 0], [5, 7], [False, False])
    assert (running.median_h, running.share_beyond(6)) == (None, 1.0)
    assert cycle_length([], [], []).share_beyond(6) is None
