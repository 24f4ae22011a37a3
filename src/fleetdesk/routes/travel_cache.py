"""Matrices kept on disk, so that the same places are not worked out twice."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fleetdesk.model.places import Point
from fleetdesk.routes import kept_arrays
from fleetdesk.routes.travel_times import TravelMatrix, TravelTimes


@dataclass(frozen=True)
class Cached:
    """Another source of travel times with its matrices kept in `folder`.

    `version` names the state of what they were made from, such as a road file's size and time. A
    file that cannot be read is made anew; a folder that cannot be written keeps nothing.
    """

    source: TravelTimes
    folder: Path
    version: str = ""

    @property
    def label(self) -> str:
        """That of the source."""
        return self.source.label

    def matrix(self, points: Sequence[Point], speed_kmh: float) -> TravelMatrix:
        """As the source gives it, now or earlier."""
        path = self.folder / f"{self._key(points, speed_kmh)}.npz"
        kept = _read(path, len(points))
        if kept is None:
            kept = self.source.matrix(points, speed_kmh)
            arrays = {
                "distance_m": kept.distance_m,
                "duration_s": kept.duration_s,
                "told": np.array([kept.label, kept.note]),
                "cut_off": np.array(kept.cut_off, np.int64),
            }
            kept_arrays.keep(path, arrays)
        return kept

    def _key(self, points: Sequence[Point], speed_kmh: float) -> str:
        told = hashlib.sha256(f"{self.source!r} {self.version} {speed_kmh}".encode())
        told.update(np.array([(point.lat, point.lon) for point in points], np.float64).tobytes())
        return told.hexdigest()[:32]


def _read(path: Path, count: int) -> TravelMatrix | None:
    kept = kept_arrays.read(path, distance_m="i", duration_s="i", told="U", cut_off="i")
    if kept is None:
        return None
    distance_m, duration_s, told, cut_off = kept
    if not distance_m.shape == duration_s.shape == (count, count) or told.shape != (2,):
        return None
    return TravelMatrix(distance_m, duration_s, str(told[0]), str(told[1]), tuple(cut_off.tolist()))
