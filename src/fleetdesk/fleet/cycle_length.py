"""How long vehicles operate between services, with censored cycles counted for what they show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CycleLength:
    """Kaplan-Meier of operational hours: steps at `at_h` down to `surviving` (share)."""

    at_h: tuple[float, ...]
    surviving: tuple[float, ...]
    ended: int
    censored: int
    longest_h: float

    def share_beyond(self, hours: float) -> float | None:
        """Share of cycles that last longer than this; None when none was watched for so long."""
        still_running = not self.surviving or self.surviving[-1] > 0
        if hours > self.longest_h and still_running:
            return None
        reached = [
            share for at, share in zip(self.at_h, self.surviving, strict=True) if at <= hours
        ]
        return reached[-1] if reached else 1.0

    @property
    def median_h(self) -> float | None:
        """Hours that half of the cycles last; None while more than half are still running."""
        below = [at for at, share in zip(self.at_h, self.surviving, strict=True) if share <= 0.5]
        return below[0] if below else None


def cycle_length(
    entry_age_h: npt.ArrayLike, operational_h: npt.ArrayLike, event_observed: npt.ArrayLike
) -> CycleLength:
    """The survival curve of rows of the ledger, each at risk from its entry age on.

    Takes three equally long columns; only rows whose start was observed belong in it.
    """
    entry = np.asarray(entry_age_h, dtype=np.float64)
    end = entry + np.asarray(operational_h, dtype=np.float64)
    observed = np.asarray(event_observed, dtype=bool)
    times = np.unique(end[observed])
    by_end, by_entry = np.sort(end), np.sort(entry)
    at_risk = np.searchsorted(by_entry, times, side="left") - np.searchsorted(
        by_end, times, side="left"
    )
    ended = np.searchsorted(np.sort(end[observed]), times, side="right") - np.searchsorted(
        np.sort(end[observed]), times, side="left"
    )
    surviving = np.cumprod(1.0 - ended / np.maximum(at_risk, 1))
    return CycleLength(
        tuple(times.tolist()),
        tuple(surviving.tolist()),
        int(observed.sum()),
        int((~observed).sum()),
        float(np.max(end, initial=0.0)),
    )
