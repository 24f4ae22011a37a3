from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fleetdesk.riders.churn import base_rate, train
from fleetdesk.riders.quick_chances import quick_chances

COLUMNS = (("days_since_last_trip", "km_30d"), ("package",))


@pytest.fixture(scope="module")
def riders():
    rng = np.random.default_rng(1)
    away = rng.uniform(0, 40, 300)
    frame = pd.DataFrame(
        {"days_since_last_trip": away, "km_30d": rng.gamma(2, 20, 300),
         "package": rng.choice(["Light", "Power"], 300)}
    )  # fmt: skip
    return frame, rng.random(300) < np.where(away > 20, 0.8, 0.1)


@pytest.mark.parametrize("kind", ["random forest", "gradient boosting"])
def test_the_chances_are_the_same(riders, kind):
    frame, left = riders
    model = train(frame, left, kind, 1, columns=COLUMNS)
    asked = frame.head(20).copy()
    asked.loc[3, "km_30d"] = np.nan
    asked.loc[4, "package"] = "unheard of"
    assert quick_chances(model, asked) == pytest.approx(model.chances(asked), rel=1e-9)


def test_a_base_rate_and_nobody(riders):
    frame, left = riders
    model = base_rate(left)
    assert quick_chances(model, frame.head(2)).tolist() == model.chances(frame.head(2)).tolist()
    assert quick_chances(base_rate(left), frame.head(0)).size == 0
