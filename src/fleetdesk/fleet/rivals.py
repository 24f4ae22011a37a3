"""Which free vehicles compete for the same riders: those of a cell and, less so, of those around.

Riders of a cell take one of n free vehicles, while m stand in the eight cells around it, at the
rate mu n N^(e - 1), N = n + w m. N are the rivals that a rider chooses among; the reach w is how
much a vehicle in the next cell counts, and e, between 0 and 1, how far vehicles are from standing
in each other's way. At 0 any one of N serves all riders, at 1 each has riders of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fleetdesk.model.places import cells_around

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Rivalry:
    """The `elasticity` e and the `reach` w of a city."""

    elasticity: float
    reach: float

    def rivals(self, vehicles: npt.ArrayLike, around: npt.ArrayLike) -> Floats:
        """N, where `vehicles` stand in a cell and as many as `around` in those next to it."""
        n, m = (np.asarray(count, dtype=np.float64) for count in (vehicles, around))
        return np.asarray(n + self.reach * m)

    def per_vehicle(self, vehicles: npt.ArrayLike, around: npt.ArrayLike) -> Floats:
        """How often one of them is taken, against one that stands alone."""
        return np.asarray(self.rivals(vehicles, around) ** (self.elasticity - 1.0))


@dataclass(frozen=True)
class Stock:
    """How many free vehicles stood together and how many were taken, summed over alike moments.

    `key` (4, S) lists cell, slot of the week, vehicles in the cell and vehicles around it; `hours`
    (S,) for which so many stood there and `taken` (S,) of them.
    """

    key: Ints
    hours: Floats
    taken: Floats


def near(cells: Sequence[str]) -> Floats:
    """(G, G): 1 where two cells share a side or a corner."""
    number = {cell: index for index, cell in enumerate(cells)}
    found = np.zeros((len(cells), len(cells)))
    for cell, index in number.items():
        others = [number[other] for other in cells_around(cell) if other in number]
        found[index, others] = 1.0
    return found


def gathered(rows: Mapping[str, npt.NDArray[np.generic]], cell: Ints, beside: Floats) -> Stock:
    """The rows of features.stock, of the cells numbered `cell`, with who stood `beside` (G, G).

    The vehicles around are those of the same hour on average, so that a rider who takes the last
    one of a cell is not mistaken for the cause of an empty neighbourhood.
    """
    vehicles, slot = (np.asarray(rows[name], dtype=np.int64) for name in ("vehicles", "slot"))
    hours, taken = (np.asarray(rows[name], dtype=np.float64) for name in ("hours", "taken"))
    at, hour = np.unique(rows["hour_at"], return_inverse=True)
    mean = np.zeros((at.size, beside.shape[0]))
    np.add.at(mean, (hour, cell), vehicles * hours)
    around = _rounded(mean @ beside)[hour, cell]
    key, row = np.unique(np.stack([cell, slot, vehicles, around]), axis=1, return_inverse=True)
    row = row.reshape(-1)
    return Stock(
        key=key,
        hours=np.round(np.bincount(row, weights=hours, minlength=key.shape[1]), 6),
        taken=np.bincount(row, weights=taken, minlength=key.shape[1]).astype(np.float64),
    )


def _rounded(vehicles: Floats) -> Ints:
    """In steps of about two fifths, so that moments which hardly differ are summed."""
    steps = np.rint(2 * np.log2(1 + np.round(vehicles, 6)))
    return np.asarray(np.rint(2.0 ** (steps / 2) - 1), dtype=np.int64)
