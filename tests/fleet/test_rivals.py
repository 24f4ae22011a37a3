from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest

from fleetdesk.fleet.rivals import Rivalry, gathered, near


def test_cells_that_touch_are_near():
    cells = ("sx0r4h", "sx0r4j", "sx0r45", "sx0qfr", "")
    beside = near(cells)
    assert beside[0, 1] == beside[1, 0] == 1
    assert beside.diagonal().tolist() == [0] * 5 and not beside[-1].any() and not beside[3].any()
    assert (beside == beside.T).all()


def test_rivals_are_the_own_cell_and_part_of_those_around():
    law = Rivalry(0.5, 0.25)
    assert law.rivals([2, 2], [0, 8]) == pytest.approx([2, 4])
    assert law.per_vehicle(2, 8) == pytest.approx(0.5)


def test_moments_are_summed_with_the_mean_of_the_same_hour_around():
    """Two cells side by side: in the first hour 7 stand in b, in the second none."""
    first, second = datetime(2024, 6, 3, 8), datetime(2024, 6, 3, 9)
    rows = {
        "hour_at": np.array([first, first, first, second], dtype="datetime64[us]"),
        "slot": np.array([8, 8, 8, 9]),
        "vehicles": np.array([1, 2, 7, 2]),
        "hours": np.array([0.5, 0.5, 1.0, 1.0]),
        "taken": np.array([1, 0, 3, 2]),
    }
    found = gathered(rows, np.array([0, 0, 1, 0]), np.array([[0.0, 1.0], [1.0, 0.0]]))
    sums = zip(found.hours.tolist(), found.taken.tolist(), strict=True)
    assert dict(zip(map(tuple, found.key.T.tolist()), sums, strict=True)) == {
        (0, 8, 1, 7): (0.5, 1),
        (0, 8, 2, 7): (0.5, 0),
        (0, 9, 2, 0): (1.0, 2),
        (1, 8, 7, 2): (1.0, 3),  # 1.5 vehicles on average, in the step of 2
    }
