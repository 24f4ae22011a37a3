"""Matrices kept on disk, so that the same places are not worked out twice."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from fleetdesk.model.places import Point
from fleetdesk.routes.travel_times import TravelMatrix, TravelTimes

MOST_KEPT = 50
"""Files kept in the folder; the oldest go first."""


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
            self._keep(path, kept)
        return kept

    def _key(self, points: Sequence[Point], speed_kmh: float) -> str:
        told = hashlib.sha256(f"{self.source!r} {self.version} {speed_kmh}".encode())
        told.update(np.array([(point.lat, point.lon) for point in points], np.float64).tobytes())
        return told.hexdigest()[:32]

    def _keep(self, path: Path, matrix: TravelMatrix) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.folder, suffix=".part")
            try:
                with os.fdopen(handle, "wb") as file:
                    np.savez_compressed(
                        file,
                        distance_m=matrix.distance_m,
                        duration_s=matrix.duration_s,
                        told=np.array([matrix.label, matrix.note]),
                        cut_off=np.array(matrix.cut_off, np.int64),
                    )
                Path(name).replace(path)
            finally:
                Path(name).unlink(missing_ok=True)
            kept = sorted(self.folder.glob("*.npz"), key=lambda each: each.stat().st_mtime)
            for old in kept[:-MOST_KEPT]:
                old.unlink(missing_ok=True)
        except OSError:
            # A full or closed disk costs time at the next run, and nothing else.
            return


def _read(path: Path, count: int) -> TravelMatrix | None:
    try:
        with np.load(path, allow_pickle=False) as file:
            label, note = (str(text) for text in file["told"])
            cut_off = tuple(file["cut_off"].tolist())
            matrix = TravelMatrix(file["distance_m"], file["duration_s"], label, note, cut_off)
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None
    whole = (count, count)
    return matrix if matrix.distance_m.shape == matrix.duration_s.shape == whole else None
