"""Chances to leave of a few riders at once, for those who wait for the answer.

scikit-learn spends most of a single row's time on preparing each tree's call. Here the trees of a
calibrated forest are read directly; the chances are the same.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import RandomForestClassifier

from fleetdesk.riders.churn import ChurnModel, inputs

Floats = NDArray[np.float64]


def quick_chances(model: ChurnModel, frame: pd.DataFrame) -> Floats:
    """As `model.chances`, sooner for few riders."""
    if frame.empty or model.pipeline is None or not _calibrated_forest(model.pipeline[-1]):
        return model.chances(frame)
    given = model.pipeline[:-1].transform(inputs(frame, model.numbers, model.words))
    rows = np.ascontiguousarray(given, dtype=np.float32)
    chances = []
    for fold in model.pipeline[-1].calibrated_classifiers_:
        trees = fold.estimator.estimators_
        votes = np.mean([tree.tree_.predict(rows)[:, 1] for tree in trees], axis=0)
        chances.append(fold.calibrators[0].predict(votes))
    return np.asarray(np.mean(chances, axis=0), dtype=np.float64)


def _calibrated_forest(model: object) -> bool:
    """A forest of two classes in every fold, each with its own calibrator."""
    return isinstance(model, CalibratedClassifierCV) and all(
        isinstance(fold.estimator, RandomForestClassifier)
        and len(fold.estimator.classes_) == 2
        and len(fold.calibrators) == 1
        for fold in model.calibrated_classifiers_
    )
