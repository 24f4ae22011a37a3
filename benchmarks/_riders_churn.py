"""Leavers of a subscription, foretold over ten folds of customers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from _bar import bar

NUMBERS = ("tenure", "MonthlyCharges", "TotalCharges")
FOLDS = 10


def figures(data: Path, seed: int) -> Iterator[dict[str, Any]]:
    """JSON lines for the model that the sheet Churn calls gradient boosting."""
    from sklearn.model_selection import StratifiedKFold

    from fleetdesk.riders.churn import BOOSTING, train
    from fleetdesk.riders.classify import auc, brier, expected_calibration_error

    path = data / "customers/telco_customer_churn.csv"
    if not path.is_file():
        return
    frame = pd.read_csv(path)
    left = (frame["Churn"] == "Yes").to_numpy()
    words = [name for name in frame if name not in (*NUMBERS, "Churn", "customerID")]
    chance, aucs = np.zeros(len(frame)), []
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    for learn, test in folds.split(frame, left):
        model = train(frame.iloc[learn], left[learn], BOOSTING, seed, None, (NUMBERS, words))
        chance[test] = model.chances(frame.iloc[test])
        aucs.append(auc(chance[test], left[test]))
    pooled = round(auc(chance, left) or 0.0, 4)
    yield bar("churn_auc", round(float(np.mean(aucs)), 4), 0.849, "higher", pooled=pooled)
    yield bar("churn_brier", round(brier(chance, left), 4), 0.134, "lower")
    ece = expected_calibration_error(chance, left)
    # So few customers leave noise in it: what chances that are exactly right would show.
    rng = np.random.default_rng(seed)
    drawn = (rng.random(len(chance)) < chance for _ in range(100))
    right = float(np.mean([expected_calibration_error(chance, truth) for truth in drawn]))
    yield bar("churn_ece", round(ece, 4), 0.010, "lower", if_exactly_right=round(right, 4))
