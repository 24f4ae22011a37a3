"""What every estimator of downstream revenue can do, whichever formula it uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import numpy as np
import numpy.typing as npt

from fleetdesk.fleet.rate_sums import Rate

Floats = npt.NDArray[np.float64]


class Level(StrEnum):
    """Whose revenue: the scooter's own, or what it adds to that of the whole fleet."""

    SCOOTER = "scooter"
    FLEET = "fleet"


@dataclass(frozen=True, slots=True)
class Explanation:
    """The parts of one value.

    `rate_per_h` is revenue per hour at full charge, `support_h` the hours in that cell behind it,
    `basis` whose rate it is. `trips_allowed` is None where no charge is known.
    """

    value: float
    rate_per_h: float
    hours: float
    support_h: float
    basis: str
    revenue_per_trip: float
    trips_expected: float
    trips_allowed: float | None


class DownstreamRevenue(Protocol):
    """DSR(L, B, t_s, t_e) in city currency, learnt from a history before `as_of`."""

    @property
    def estimator(self) -> str:
        """Which estimator ran, for result sheets."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on what the history could not tell."""

    @property
    def cell_rates(self) -> Mapping[str, Rate]:
        """Revenue per operational hour by cell, over the week."""

    def values(
        self,
        cells: Sequence[str],
        battery_pct: npt.ArrayLike,
        starts: Sequence[datetime],
        hours: npt.ArrayLike,
        level: Level = Level.SCOOTER,
    ) -> Floats:
        """Expected revenue of scooters in [start, start + hours), one number each.

        Cells may be longer than the sheet's; a charge of NaN is an unknown one.
        """

    def draws(
        self,
        cells: Sequence[str],
        battery_pct: npt.ArrayLike,
        starts: Sequence[datetime],
        hours: npt.ArrayLike,
        level: Level = Level.SCOOTER,
    ) -> Floats:
        """The same from histories drawn anew, (rounds, scooters); round by round the same ones."""

    def explain(self, cell: str, battery_pct: float, start: datetime, hours: float) -> Explanation:
        """One scooter-level value with its parts."""
