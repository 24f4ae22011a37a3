"""Riders in groups by what they do: k-means tiers, how sure their number is, and their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.metrics import (
    adjusted_rand_score,
    calinski_harabasz_score,
    davies_bouldin_score,
    silhouette_score,
)
from sklearn.mixture import GaussianMixture

from fleetdesk.errors import NotEnoughData
from fleetdesk.model.feature_words import in_words
from fleetdesk.riders.matrix import Floats, Scale, drawn, learn_scale, numbers
from fleetdesk.riders.threads import fit_for
from fleetdesk.settings.rider_sheets import Segments

COLUMNS = (
    "daily_km", "rides_per_week", "swaps_per_week", "km_per_swap", "km_per_trip", "avg_trip_min",
    "avg_speed_kmh", "peak_pct", "night_pct", "weekend_index", "consistency", "engagement",
)  # fmt: skip
"""What riders are grouped by; the tiers are ordered by the first."""
FEWEST_PER_SEGMENT = 10
_STABLE = 0.6  # mean adjusted Rand index from which segments count as found again
_FIT_ROWS, _SCORE_ROWS, _GAP_ROWS = 50_000, 4_000, 1_500
_GAP_DRAWS = 10


@dataclass(frozen=True, slots=True)
class Tried:
    """One number of segments and what speaks for it.

    Higher is better for silhouette, Calinski-Harabasz, gap and stability (mean adjusted Rand index
    of segments found in riders drawn anew, with its standard deviation); lower for inertia,
    Davies-Bouldin and BIC (of a Gaussian mixture with as many parts).
    """

    segments: int
    inertia: float
    silhouette: float
    davies_bouldin: float
    calinski_harabasz: float
    gap: float
    gap_error: float
    bic: float
    stability: float
    stability_sd: float
    smallest_share: float


@dataclass(frozen=True)
class Segment:
    """One segment: its name, riders, middle values in the columns' units and what is special."""

    name: str
    riders: int
    share: float
    centre: Mapping[str, float]
    character: str


@dataclass(frozen=True)
class SegmentModel:
    """What places new riders in segments: their names, the columns' scale and the centres."""

    names: tuple[str, ...]
    scale: Scale
    centres: Floats

    def labels(self, frame: pd.DataFrame) -> NDArray[np.int64]:
        """Each rider's segment, by place in `names`."""
        return place(self.scale.matrix(frame), self.centres)


@dataclass(frozen=True)
class Segmentation:
    """The segments, which of them each rider is in (`labels`, by place), and why so many."""

    segments: tuple[Segment, ...]
    labels: NDArray[np.int64]
    model: SegmentModel
    tried: tuple[Tried, ...]
    votes: Mapping[str, int]
    reason: str

    @property
    def names(self) -> tuple[str, ...]:
        """The segments' names, from the least riding to the most."""
        return self.model.names


def find_segments(
    frame: pd.DataFrame, settings: Segments, seed: int, columns: Sequence[str] = COLUMNS
) -> Segmentation:
    """Group riders by k-means over scaled columns; the number from the sheet, or by vote.

    Votes: elbow, silhouette, Davies-Bouldin, Calinski-Harabasz, gap (Tibshirani, Walther and
    Hastie 2001) and the BIC of a Gaussian mixture; among those found again in riders drawn anew,
    the number with most votes wins. Raises NotEnoughData when there are too few riders.
    """
    scale = learn_scale(frame, columns)
    if len(frame) < 2 * FEWEST_PER_SEGMENT:
        raise NotEnoughData(
            "There are too few riders to group",
            found=f"{len(frame)} riders",
            fix=f"At least {2 * FEWEST_PER_SEGMENT} riders with rides are needed",
        )
    if not scale.columns:
        return _one_segment(frame, scale, settings, columns)
    matrix = scale.matrix(frame)
    fit = matrix[drawn(len(matrix), _FIT_ROWS, seed)]
    different = len(np.unique(fit[:_FIT_ROWS], axis=0))
    most = min(settings.most, len(fit) // FEWEST_PER_SEGMENT, different)
    counts = (settings.segments,) if settings.segments else range(settings.fewest, most + 1)
    with fit_for(len(fit)):
        tried = tuple(
            _try(fit, count, settings.stability_rounds, seed)
            for count in counts
            if 2 <= count <= most
        )
        if not tried:
            return _one_segment(frame, scale, settings, columns)
        chosen, votes = _vote(tried)
        found = KMeans(chosen, n_init=10, random_state=seed).fit(fit)
    order = _by_riding(found.cluster_centers_, scale, columns)
    centres = np.asarray(found.cluster_centers_[order], dtype=np.float64)
    labels = place(matrix, centres)
    model = SegmentModel(tier_names(settings, chosen), scale, centres)
    return Segmentation(
        segments=_described(frame, labels, model),
        labels=labels,
        model=model,
        tried=tried,
        votes=votes,
        reason=_reason(chosen, tried, votes, settings),
    )


def place(matrix: Floats, centres: Floats) -> NDArray[np.int64]:
    """The nearest centre of each row."""
    squares = (centres**2).sum(axis=1)
    labels = [
        np.argmin(squares - 2.0 * part @ centres.T, axis=1)
        for part in np.array_split(matrix, max(1, len(matrix) // 100_000))
    ]
    return np.concatenate(labels).astype(np.int64)


def tier_names(settings: Segments, count: int) -> tuple[str, ...]:
    """Names from the sheet, from least to most; those that it lacks are numbered."""
    given = [name.strip() for name in settings.tier_names.split(",") if name.strip()]
    given = list(dict.fromkeys(given))
    return tuple(given[i] if i < len(given) else f"Tier {i + 1}" for i in range(count))


# --- how many -------------------------------------------------------------------------------------


def _try(fit: Floats, count: int, rounds: int, seed: int) -> Tried:
    found = KMeans(count, n_init=5, random_state=seed).fit(fit)
    rows = drawn(len(fit), _SCORE_ROWS, seed)
    sample, labels = fit[rows], found.labels_[rows]
    whole = len(np.unique(labels)) == count
    gap, gap_error = _gap(fit[drawn(len(fit), _GAP_ROWS, seed)], count, seed)
    again = _stability(sample, found.cluster_centers_, count, rounds, seed)
    # Spherical enough for segments that are balls, free enough for those that are not.
    mixture = GaussianMixture(
        count, covariance_type="diag", reg_covar=1e-3, n_init=2, random_state=seed
    ).fit(sample)
    return Tried(
        segments=count,
        inertia=float(found.inertia_),
        silhouette=float(silhouette_score(sample, labels)) if whole else -1.0,
        davies_bouldin=float(davies_bouldin_score(sample, labels)) if whole else float("inf"),
        calinski_harabasz=float(calinski_harabasz_score(sample, labels)) if whole else 0.0,
        gap=gap,
        gap_error=gap_error,
        bic=float(mixture.bic(sample)),
        stability=float(again.mean()),
        stability_sd=float(again.std()),
        smallest_share=float(np.bincount(found.labels_, minlength=count).min() / len(fit)),
    )


def _stability(sample: Floats, centres: Floats, count: int, rounds: int, seed: int) -> Floats:
    """Agreement of the segments with those found in riders drawn with repeats."""
    chance = np.random.default_rng(seed)
    own = place(sample, centres)
    found = []
    for _ in range(rounds):
        again = sample[chance.integers(0, len(sample), len(sample))]
        fitted = KMeans(count, n_init=2, random_state=int(chance.integers(2**31))).fit(again)
        found.append(adjusted_rand_score(own, place(sample, fitted.cluster_centers_)))
    return np.asarray(found)


def _gap(sample: Floats, count: int, seed: int) -> tuple[float, float]:
    """How much tighter the segments are than in riders without any, and its standard error.

    The reference is uniform in a box along the principal axes.
    """
    chance = np.random.default_rng(seed)
    middle = sample.mean(axis=0)
    _, _, axes = np.linalg.svd(sample - middle, full_matrices=False)
    turned = (sample - middle) @ axes.T
    low, high = turned.min(axis=0), turned.max(axis=0)

    def log_inertia(rows: Floats) -> float:
        fitted = KMeans(count, n_init=2, random_state=seed).fit(rows)
        return float(np.log(max(fitted.inertia_, 1e-12)))

    reference = np.array(
        [log_inertia(chance.uniform(low, high, sample.shape)) for _ in range(_GAP_DRAWS)]
    )
    error = float(reference.std() * np.sqrt(1.0 + 1.0 / _GAP_DRAWS))
    return float(reference.mean() - log_inertia(turned)), error


def _vote(tried: Sequence[Tried]) -> tuple[int, dict[str, int]]:
    """Each figure's choice; a number that is not found again may not win while another is."""
    votes = {
        "elbow": _elbow(tried),
        "silhouette": max(tried, key=lambda t: t.silhouette).segments,
        "Davies-Bouldin": min(tried, key=lambda t: t.davies_bouldin).segments,
        "Calinski-Harabasz": max(tried, key=lambda t: t.calinski_harabasz).segments,
        "gap": _first_gap(tried),
        "BIC": min(tried, key=lambda t: t.bic).segments,
    }
    stable = [t for t in tried if t.stability >= _STABLE] or list(tried)
    counted = list(votes.values())
    best = max(stable, key=lambda t: (counted.count(t.segments), t.stability, -t.segments))
    return best.segments, votes


def _elbow(tried: Sequence[Tried]) -> int:
    """The number farthest below the line from the first inertia to the last."""
    if len(tried) < 3:
        return tried[0].segments
    inertia = np.array([t.inertia for t in tried])
    line = np.linspace(inertia[0], inertia[-1], len(inertia))
    return tried[int(np.argmax(line - inertia))].segments


def _first_gap(tried: Sequence[Tried]) -> int:
    """The smallest number whose gap is within one error of the next."""
    for this, following in pairwise(tried):
        if this.gap >= following.gap - following.gap_error:
            return this.segments
    return max(tried, key=lambda t: t.gap).segments


def _reason(
    chosen: int, tried: Sequence[Tried], votes: Mapping[str, int], settings: Segments
) -> str:
    best = next(t for t in tried if t.segments == chosen)
    stable = f"found again with an adjusted Rand index of {best.stability:.2f}"
    if settings.segments:
        return f"{chosen} segments as the sheet Segments asks; {stable}"
    speakers = ", ".join(name for name, count in votes.items() if count == chosen) or "no figure"
    return f"{chosen} segments: {speakers} speak for it; {stable}"


# --- what they are --------------------------------------------------------------------------------


def _by_riding(centres: Floats, scale: Scale, columns: Sequence[str]) -> NDArray[np.int64]:
    """From the least riding to the most: by the first of the columns that tells anything."""
    first = next(i for i, name in enumerate(scale.columns) if name in columns)
    return np.argsort(centres[:, first], kind="stable")


def _described(
    frame: pd.DataFrame, labels: NDArray[np.int64], model: SegmentModel
) -> tuple[Segment, ...]:
    segments = []
    for number, name in enumerate(model.names):
        mine = labels == number
        middle = {
            column: float(np.nanmedian(values))
            for column in model.scale.columns
            if not np.isnan(values := numbers(frame[column])[mine]).all()
        }
        segments.append(
            Segment(
                name=name,
                riders=int(mine.sum()),
                share=float(mine.mean()),
                centre=middle,
                character=_character(model.centres[number], model.scale.columns),
            )
        )
    return tuple(segments)


def _character(centre: Floats, columns: Sequence[str], most: int = 3) -> str:
    """The columns in which a segment differs most from all riders."""
    order = np.argsort(-np.abs(centre), kind="stable")[:most]
    told = [
        f"{'high' if centre[i] > 0 else 'low'} {in_words(columns[i])}"
        for i in order
        if abs(centre[i]) >= 0.3
    ]
    return ", ".join(told) or "like all riders"


def _one_segment(
    frame: pd.DataFrame, scale: Scale, settings: Segments, columns: Sequence[str]
) -> Segmentation:
    """Riders who cannot be told apart are one segment."""
    labels = np.zeros(len(frame), dtype=np.int64)
    centres = np.zeros((1, len(scale.columns)))
    model = SegmentModel(tier_names(settings, 1), scale, centres)
    return Segmentation(
        segments=_described(frame, labels, model),
        labels=labels,
        model=model,
        tried=(),
        votes={},
        reason="One segment: the riders do not differ enough in "
        + ", ".join(in_words(name) for name in columns[:3])
        + " and the other columns",
    )
