"""How much more or less often a vehicle is taken because of how many stand around it.

One of N rivals is taken in proportion to N^(e - 1), the law of `rivals`. A factor is against what a
vehicle there usually met, so it averages 1 over the hours vehicles stood.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fleetdesk.fleet.counts import Counts
from fleetdesk.fleet.rivals import Rivalry

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def crowds_now(counts: Counts, rivalry: Rivalry) -> Floats:
    """The factor of each cell (G,) by the vehicles that stand there when the history ends.

    The one asked about is taken to be among them; where nobody stands it will be alone.
    """
    vehicles = np.maximum(counts.standing, 1.0)
    each = rivalry.per_vehicle(vehicles, counts.near @ counts.standing)
    return np.asarray(each / _usual(counts, rivalry))


def drawn_crowds(
    counts: Counts, rivalry: Rivalry, cells: Ints, generator: np.random.Generator
) -> Floats:
    """A factor for each of these cells (A,), drawn from what a vehicle there usually met."""
    cell, _, vehicles, around = counts.stock.key
    weight = vehicles * counts.stock.hours
    order = np.argsort(cell, kind="stable")
    running = np.append(0.0, np.cumsum(weight[order]))
    first = np.searchsorted(cell[order], cells, side="left")
    after = np.searchsorted(cell[order], cells, side="right")
    chance = generator.random(cells.size)
    wanted = running[first] + chance * (running[after] - running[first])
    chosen = np.searchsorted(running, wanted, side="right") - 1
    each = np.ones(cells.size)
    seen = running[after] > running[first]
    met = order[np.minimum(chosen[seen], order.size - 1)]
    usual = _usual(counts, rivalry)[cells[seen]]
    each[seen] = rivalry.per_vehicle(vehicles[met], around[met]) / usual
    return each


def _usual(counts: Counts, rivalry: Rivalry) -> Floats:
    """The mean of N^(e - 1) over the hours that vehicles stood in each cell (G,); 1 where none."""
    cell, _, vehicles, around = counts.stock.key
    weight, size = vehicles * counts.stock.hours, len(counts.cells)
    total = np.bincount(cell, weights=weight, minlength=size)
    each = weight * rivalry.per_vehicle(vehicles, around)
    sums = np.bincount(cell, weights=each, minlength=size)
    return np.where(total > 0, sums / np.maximum(total, 1e-9), 1.0)
