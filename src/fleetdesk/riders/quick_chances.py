"""Chances to leave of a few riders at once, for those who wait for the answer.

scikit-learn spends most of a single row's time on checks and on preparing each tree's call. Here
the parts of a calibrated model are asked directly, a forest's trees one by one; the chances are the
same.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import RandomForestClassifier

from fleetdesk.riders.churn import ChurnModel, inputs
from fleetdesk.riders.threads import fit_for

Floats = NDArray[np.float64]


def quick_chances(model: ChurnModel, frame: pd.DataFrame) -> Floats:
    """As `model.chances`, sooner for few riders."""
    if frame.empty or model.pipeline is None or not _of_two_classes(model.pipeline[-1]):
        return model.chances(frame)
    given = model.pipeline[:-1].transform(inputs(frame, model.numbers, model.words))
    with fit_for(len(frame)):
        chances = [
            fold.calibrators[0].predict(_votes(fold.estimator, given))
            for fold in model.pipeline[-1].calibrated_classifiers_
        ]
    return np.asarray(np.mean(chances, axis=0), dtype=np.float64)


def _votes(model: Any, given: Any) -> Any:
    # Calibrators are fitted on the decision function wherever there is one.
    if hasattr(model, "decision_function"):
        return model.decision_function(given)
    if not isinstance(model, RandomForestClassifier):
        return model.predict_proba(given)[:, 1]
    rows = np.ascontiguousarray(given, dtype=np.float32)
    return np.mean([tree.tree_.predict(rows)[:, 1] for tree in model.estimators_], axis=0)


def _of_two_classes(model: object) -> bool:
    """A calibrated model whose folds each have one calibrator."""
    return isinstance(model, CalibratedClassifierCV) and all(
        len(fold.estimator.classes_) == 2 and len(fold.calibrators) == 1
        for fold in model.calibrated_classifiers_
    )
