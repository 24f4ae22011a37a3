"""Chances to leave of a few riders at once, for those who wait for the answer.

scikit-learn spends most of a single row's time on checks and on a call for each tree. Here all
trees of a calibrated model lie side by side in arrays, and a rider goes down all of them together;
the chances are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

from fleetdesk.riders.churn import ChurnModel, inputs

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_FEW = 50  # riders; the fitted model answers for more of them as soon
_UNHEARD = ""  # a word that no rider has: what is missing is given one before words are looked up


@dataclass(frozen=True)
class QuickChances:
    """A churn model made ready for few riders at a time (see `ready`)."""

    model: ChurnModel
    trees: _Trees | None = None
    folds: tuple[_Fold, ...] = ()
    words: _Words | None = None

    def chances(self, frame: pd.DataFrame) -> Floats:
        """As `model.chances`, sooner for few riders."""
        if not 0 < len(frame) <= _FEW or self.trees is None or self.words is None:
            return self.model.chances(frame)
        told = frame[list(self.model.numbers)].to_numpy(dtype=np.float64)
        words = self.words.coded(inputs(frame, (), self.model.words), len(frame))
        leaves = self.trees.leaves(np.hstack([told, words]))
        ends = [*accumulate(fold.trees for fold in self.folds)][:-1]
        parts = np.split(leaves, ends, axis=1)
        chances = [fold.chances(part) for fold, part in zip(self.folds, parts, strict=True)]
        return np.asarray(np.mean(chances, axis=0), dtype=np.float64)


def ready(model: ChurnModel) -> QuickChances:
    """Lay a model's trees out; what is none of the kinds of `churn.MODELS` answers by itself."""
    parts = _fitted(model)
    if model.pipeline is None or not parts:
        return QuickChances(model)
    laid = [list(_NODES[type(part.estimator)](part.estimator)) for part in parts]
    folds = tuple(
        _Fold(
            len(trees), _start(part.estimator), isinstance(part.estimator, RandomForestClassifier),
            np.asarray(part.calibrators[0].X_thresholds_, dtype=np.float64),
            np.asarray(part.calibrators[0].y_thresholds_, dtype=np.float64),
        )
        for part, trees in zip(parts, laid, strict=True)
    )  # fmt: skip
    return QuickChances(model, _side_by_side([*chain(*laid)], folds[0].votes), folds, _coded(model))


@dataclass(frozen=True)
class _Fold:
    """What becomes of the leaves of one fold's trees: their mean or sum, then its calibration."""

    trees: int
    start: float
    votes: bool
    given: Floats
    chance: Floats

    def chances(self, leaves: Floats) -> Floats:
        told = leaves.mean(axis=1) if self.votes else self.start + leaves.sum(axis=1)
        return np.asarray(np.interp(told, self.given, self.chance), dtype=np.float64)


@dataclass(frozen=True)
class _Trees:
    """The nodes of all trees; a leaf leads to itself, so that all are reached in `levels` steps."""

    roots: Ints
    column: Ints
    limit: Floats
    below: Ints
    above: Ints
    missing: Ints
    value: Floats
    levels: int
    single: bool  # whether they were given numbers in single precision

    def leaves(self, rows: Floats) -> Floats:
        """The value that each rider comes to in each tree; riders x trees."""
        given = rows.astype(np.float32) if self.single else rows
        rider = np.arange(len(rows))[:, None]
        at = np.repeat(self.roots[None, :], len(rows), axis=0)
        for _ in range(self.levels):
            told = given[rider, self.column[at]]
            on = np.where(told <= self.limit[at], self.below[at], self.above[at])
            at = np.where(np.isnan(told), self.missing[at], on)
        return self.value[at]


@dataclass(frozen=True)
class _Words:
    """What riders without a known word are coded as, and what each column's word adds to it."""

    base: Floats
    adds: tuple[Mapping[str, Floats], ...]

    def coded(self, words: pd.DataFrame, riders: int) -> Floats:
        rows = np.tile(self.base, (riders, 1))
        for place, adds in enumerate(self.adds):
            for row, word in enumerate(words.iloc[:, place]):
                rows[row] += adds.get(word, 0.0)
        return rows


_Tree = tuple[Ints, Floats, Ints, Ints, Ints, Floats, int]


def _boosted(model: HistGradientBoostingClassifier) -> Iterator[_Tree]:
    for (predictor,) in model._predictors:
        nodes = predictor.nodes
        yield _tree(
            nodes["is_leaf"].astype(bool), nodes["feature_idx"], nodes["num_threshold"],
            nodes["left"], nodes["right"], nodes["missing_go_to_left"], nodes["value"],
            nodes["depth"].max(),
        )  # fmt: skip


def _grown(model: RandomForestClassifier) -> Iterator[_Tree]:
    for one in model.estimators_:
        tree = one.tree_
        yield _tree(
            tree.children_left < 0, tree.feature, tree.threshold, tree.children_left,
            tree.children_right, tree.missing_go_to_left, tree.value[:, 0, 1], tree.max_depth,
        )  # fmt: skip


_NODES: Mapping[type, Callable[[Any], Iterator[_Tree]]] = {
    HistGradientBoostingClassifier: _boosted,
    RandomForestClassifier: _grown,
}


def _tree(
    leaf: NDArray[np.bool_], column: Ints, limit: Floats, left: Ints, right: Ints,
    missing_left: Any, value: Floats, levels: Any,
) -> _Tree:  # fmt: skip
    own = np.arange(len(leaf))
    below = np.where(leaf, own, left.astype(np.int64))
    above = np.where(leaf, own, right.astype(np.int64))
    missing = np.where(missing_left.astype(bool), below, above)
    return np.where(leaf, 0, column.astype(np.int64)), limit, below, above, missing, value, levels


def _side_by_side(trees: Sequence[_Tree], single: bool) -> _Trees:
    column, limit, below, above, missing, value, levels = zip(*trees, strict=True)
    roots = np.cumsum([0, *(len(one) for one in column[:-1])])

    def moved(parts: Sequence[Ints]) -> Ints:
        return np.concatenate([part + root for part, root in zip(parts, roots, strict=True)])

    return _Trees(
        roots, np.concatenate(column), np.concatenate(limit), moved(below), moved(above),
        moved(missing), np.concatenate(value), int(max(levels)), single,
    )  # fmt: skip


def _coded(model: ChurnModel) -> _Words:
    """Each word's code, from asking the fitted encoder once for each."""
    if not model.words or model.pipeline is None:
        return _Words(np.empty(0), ())
    encoder = model.pipeline[0].named_transformers_["words"]
    nothing = dict.fromkeys(model.words, _UNHEARD)

    def asked(told: dict[str, str]) -> Floats:
        row = pd.DataFrame([nothing | told]).astype(object)
        return np.asarray(encoder.transform(row)[0], dtype=np.float64)

    base = asked({})
    adds = tuple(
        {str(word): asked({name: word}) - base for word in known}
        for name, known in zip(model.words, encoder.categories_, strict=True)
    )
    return _Words(base, adds)


def _start(model: Any) -> float:
    if isinstance(model, RandomForestClassifier):
        return 0.0
    return float(np.ravel(model._baseline_prediction)[0])


def _fitted(model: ChurnModel) -> Sequence[Any]:
    """The folds of a calibrated model of two classes and one kind of trees; none of another."""
    last = model.pipeline[-1] if model.pipeline is not None else None
    folds = last.calibrated_classifiers_ if isinstance(last, CalibratedClassifierCV) else []
    known = all(
        type(fold.estimator) in _NODES
        and len(fold.estimator.classes_) == 2
        and len(fold.calibrators) == 1
        for fold in folds
    )
    return folds if known else ()
