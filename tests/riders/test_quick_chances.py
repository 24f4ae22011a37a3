from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from fleetdesk.riders.churn import base_rate, train
from fleetdesk.riders.quick_chances import ready

COLUMNS = (("days_since_last_trip", "km_30d"), ("package", "channel"))


@pytest.fixture(scope="module")
def riders():
    rng = np.random.default_rng(1)
    away = rng.uniform(0, 40, 300)
    frame = pd.DataFrame(
        {"days_since_last_trip": away, "km_30d": rng.gamma(2, 20, 300),
         "package": rng.choice(["Light", "Power"], 300),
         "channel": rng.choice(["street", "friend", "rare"], 300, p=[0.6, 0.38, 0.02])}
    )  # fmt: skip
    frame.loc[5:20, "km_30d"] = np.nan
    frame.loc[8:30, "package"] = None
    return frame, rng.random(300) < np.where(away > 20, 0.8, 0.1)


@pytest.mark.parametrize("kind", ["random forest", "gradient boosting"])
def test_the_chances_are_the_same(riders, kind):
    frame, left = riders
    model = train(frame, left, kind, 1, columns=COLUMNS)
    asked = frame.head(45).copy()
    asked.loc[3] = [np.nan, np.nan, None, None]
    asked.loc[4, "package"] = "unheard of"
    asked.loc[4, "days_since_last_trip"] = 1e9
    quick = ready(model)
    assert quick.trees is not None
    assert quick.chances(asked) == pytest.approx(model.chances(asked), rel=1e-9)
    for row in range(5):
        one = asked.iloc[[row]]
        assert quick.chances(one) == pytest.approx(model.chances(one), rel=1e-9)
    assert quick.chances(frame).tolist() == model.chances(frame).tolist()


@pytest.mark.parametrize("columns", [(COLUMNS[0], ()), ((), COLUMNS[1])])
def test_models_of_numbers_or_of_words_alone(riders, columns):
    frame, left = riders
    model = train(frame, left, "gradient boosting", 1, columns=columns)
    few = frame.head(40)
    assert ready(model).chances(few) == pytest.approx(model.chances(few), rel=1e-9)


def test_a_base_rate_nobody_and_another_kind_of_model(riders):
    frame, left = riders
    few = frame.head(2)
    model = base_rate(left)
    assert ready(model).chances(few).tolist() == model.chances(few).tolist()
    assert ready(model).chances(frame.head(0)).size == 0
    trained = train(frame, left, "gradient boosting", 1, columns=(COLUMNS[0][:1], ()))
    line = Pipeline([("line", LogisticRegression())]).fit(frame[["days_since_last_trip"]], left)
    other = replace(trained, pipeline=line)
    assert ready(other).chances(few).tolist() == other.chances(few).tolist()
