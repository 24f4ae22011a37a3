"""Riders who are like no group: VIPs, patterns to look into, and niches (HDBSCAN and DBSCAN)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd
from sklearn.cluster import DBSCAN, HDBSCAN
from sklearn.neighbors import NearestNeighbors

from fleetdesk.riders.matrix import Floats, Scale, drawn, numbers

_ROWS = 5_000
_NEIGHBOURS = 10


class Kind(StrEnum):
    """Why a rider stands out."""

    VIP = "VIP"
    CHECK = "To be checked"
    NICHE = "Niche"


@dataclass(frozen=True, slots=True)
class Unusual:
    """One rider, by place: how far from the groups against their own spread, and what is told.

    `both` says that HDBSCAN and DBSCAN agree.
    """

    row: int
    kind: Kind
    distance: float
    both: bool
    reason: str


def unusual(frame: pd.DataFrame, scale: Scale, most_pct: float, seed: int) -> tuple[Unusual, ...]:
    """The riders outside all dense groups, the farthest first, at most `most_pct` of them.

    Density is learnt from a sample where there are many. One who pays more than most is a VIP; one
    who rides more than most and pays less, goes faster than vehicles can, or pays late is to be
    checked; the others are niches.
    """
    if len(frame) < 2 * _NEIGHBOURS or not scale.columns or most_pct <= 0:
        return ()
    matrix = scale.matrix(frame, reach=8.0)
    rows = drawn(len(matrix), _ROWS, seed)
    sample = matrix[rows]
    near = NearestNeighbors(n_neighbors=_NEIGHBOURS + 1).fit(sample)
    own = near.kneighbors(sample)[0][:, -1]
    typical = float(np.median(own)) or 1.0
    by_hdbscan = HDBSCAN(min_cluster_size=max(_NEIGHBOURS, len(sample) // 100), copy=True)
    noise = by_hdbscan.fit_predict(sample) < 0
    lonely = DBSCAN(eps=float(np.quantile(own, 0.9)), min_samples=_NEIGHBOURS).fit_predict(sample)
    distance = _distances(near, matrix) / typical
    # Where HDBSCAN calls most riders noise there are no dense groups to be outside of.
    dense = noise.mean() < 0.5
    limit = float(np.quantile(own[noise] if dense and noise.any() else own, 0.5)) / typical
    outside = distance >= max(limit, 1.5)
    if dense:
        outside[rows] &= noise
    both = np.zeros(len(matrix), dtype=bool)
    both[rows] = noise & (lonely < 0)
    found = np.flatnonzero(outside)
    found = found[np.argsort(-distance[found], kind="stable")]
    found = found[: int(np.floor(len(matrix) * most_pct / 100.0))]
    told = _told(frame)
    return tuple(_one(told, int(row), float(distance[row]), bool(both[row])) for row in found)


@dataclass(frozen=True)
class _Told:
    spend: Floats
    km: Floats
    speed: Floats
    delay: Floats


def _distances(near: NearestNeighbors, matrix: Floats) -> Floats:
    parts = np.array_split(matrix, max(1, len(matrix) // 50_000))
    return np.concatenate([near.kneighbors(part)[0][:, -1] for part in parts])


def _told(frame: pd.DataFrame) -> _Told:
    """Each rider's rank from 0 to 1 in what the reasons speak of; 0.5 where it is not known."""

    def rank(name: str) -> Floats:
        if name not in frame:
            return np.full(len(frame), 0.5)
        ranks = pd.Series(numbers(frame[name])).rank(pct=True)
        return np.asarray(ranks.fillna(0.5), dtype=np.float64)

    return _Told(
        rank("monthly_spend"), rank("daily_km"), rank("avg_speed_kmh"), rank("payment_delay_days")
    )


def _kind(told: _Told, row: int) -> tuple[Kind, str]:
    spend, km = told.spend[row], told.km[row]
    doubts = []
    if km >= 0.9 and spend <= 0.5:
        doubts.append("rides more than nine in ten and pays less than half of them")
    if told.speed[row] >= 0.995:
        doubts.append("is among the fastest 0.5 %")
    if told.delay[row] >= 0.99 and km >= 0.5:
        doubts.append("pays later than 99 of 100")
    if doubts:
        return Kind.CHECK, "; ".join(doubts)
    if spend >= 0.95:
        return Kind.VIP, "pays more than 95 of 100 riders, in a way of their own"
    return Kind.NICHE, "rides in a way of their own"


def _one(told: _Told, row: int, distance: float, both: bool) -> Unusual:
    kind, reason = _kind(told, row)
    return Unusual(row, kind, distance, both, reason)
