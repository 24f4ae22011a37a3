"""What riders like this one hold: nearest neighbours, and matrix factorisation on habits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
NONE = -1
_BANDS = 5


def by_neighbours(
    features: Floats, package: Ints, content: NDArray[np.bool_], packages: int, neighbours: int
) -> Ints:
    """The most frequent package among the most similar riders who are content with theirs.

    Features are scaled, likeness is the cosine; a rider is not his own neighbour. Ties go to the
    smaller package, -1 where nobody else is content.
    """
    known = np.flatnonzero(content & (package != NONE))
    if known.size == 0:
        return np.full(len(package), NONE, dtype=np.int64)
    scaled = _scaled(features)
    # One more, so that a rider who is among them can be left out.
    count = min(neighbours + 1, known.size)
    tree = NearestNeighbors(n_neighbors=count, metric="cosine").fit(scaled[known])
    near = known[tree.kneighbors(scaled, return_distance=False)]
    votes = np.zeros((len(package), packages))
    for place in range(count):
        other = near[:, place]
        votes[np.arange(len(package)), package[other]] += other != np.arange(len(package))
    return np.where(votes.any(axis=1), votes.argmax(axis=1), NONE).astype(np.int64)


def by_factors(
    features: Floats, package: Ints, months: Floats, packages: int, *,
    factors: int, seed: int, rounds: int = 15, ridge: float = 0.1, weight: float = 2.0,
) -> Ints:  # fmt: skip
    """The package with the highest score of a factorised riders x (packages + habits) matrix.

    Implicit-feedback ALS (Hu, Koren and Volinsky, 2008): months in a package are the confidence in
    it, and each feature's fifth is an item that a rider has, so that riders are tied by habits too.
    -1 where nobody holds one.
    """
    held = np.flatnonzero(package != NONE)
    if held.size == 0:
        return np.full(len(package), NONE, dtype=np.int64)
    items = [_bands(column) for column in _scaled(features).T]
    width = packages + _BANDS * len(items)
    confidence = np.zeros((len(package), width))
    for number, bands in enumerate(items):
        confidence[np.arange(len(package)), packages + _BANDS * number + bands] = 1.0
    confidence[held, package[held]] = 1.0 + weight * np.log1p(np.maximum(months[held], 0.0))
    score = _als(confidence, factors, ridge, rounds, seed)
    return np.asarray(score[:, :packages].argmax(axis=1), dtype=np.int64)


def _als(confidence: Floats, factors: int, ridge: float, rounds: int, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    items = rng.normal(0, 0.1, (confidence.shape[1], factors))
    people = np.zeros((confidence.shape[0], factors))
    for _ in range(rounds):
        people = _solve(confidence, items, ridge)
        items = _solve(confidence.T, people, ridge)
    return np.asarray(people @ items.T)


def _solve(confidence: Floats, other: Floats, ridge: float) -> Floats:
    """Least squares for every row at once; unseen cells count once, seen ones 1 + confidence."""
    base = other.T @ other + ridge * np.eye(other.shape[1])
    outer = (other[:, :, None] * other[:, None, :]).reshape(len(other), -1)
    gram = base + (confidence @ outer).reshape(len(confidence), *base.shape)
    seen = (confidence > 0) * (1 + confidence)
    return np.asarray(np.linalg.solve(gram, (seen @ other)[:, :, None])[:, :, 0])


def _scaled(features: Floats) -> Floats:
    filled = np.where(np.isfinite(features), features, np.nan)
    # A habit that nobody has says nothing, and the median of nothing would warn.
    filled[:, np.isnan(filled).all(axis=0)] = 0.0
    middle = np.nanmedian(filled, axis=0)
    return np.asarray(StandardScaler().fit_transform(np.where(np.isnan(filled), middle, filled)))


def _bands(column: Floats) -> Ints:
    edges = np.quantile(column, np.arange(1, _BANDS) / _BANDS)
    return np.searchsorted(edges, column, side="left").astype(np.int64)
