from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fleetdesk.riders.threads import in_pieces


@pytest.mark.parametrize("rows", [3, 10_000, 25_001])
def test_pieces_come_back_in_order(rows):
    frame = pd.DataFrame({"km": np.arange(rows, dtype=float)})
    seen = []

    def double(part: pd.DataFrame) -> np.ndarray:
        seen.append(len(part))
        return 2.0 * part["km"].to_numpy()

    assert (in_pieces(double, frame) == 2.0 * frame["km"]).all()
    assert sum(seen) == rows
    assert max(seen) <= 10_000


def test_what_goes_wrong_in_a_piece_is_told():
    frame = pd.DataFrame({"km": np.arange(25_000.0)})

    def fails(part: pd.DataFrame) -> np.ndarray:
        raise ValueError(f"{len(part)} rows")

    with pytest.raises(ValueError, match="rows"):
        in_pieces(fails, frame)
