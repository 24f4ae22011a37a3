"""How much more or less often a vehicle is taken because of how many stand around it.

One of n free vehicles of a cell is taken in proportion to n^(e - 1), the law of `fleet_level`. A
factor is against what a vehicle there usually met, so it averages 1 over the hours vehicles stood.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fleetdesk.fleet.counts import Counts

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def crowds_now(counts: Counts, elasticity: float) -> Floats:
    """The factor of each cell (G,) by the vehicles that stand there when the history ends.

    The one asked about is taken to be among them; where nobody stands it will be alone.
    """
    vehicles = np.maximum(counts.standing, 1.0)
    return np.asarray(vehicles ** (elasticity - 1.0) / _usual(counts, elasticity))


def drawn_crowds(
    counts: Counts, elasticity: float, cells: Ints, generator: np.random.Generator
) -> Floats:
    """A factor for each of these cells (A,), drawn from what a vehicle there usually met."""
    cell, _, vehicles = counts.stock
    weight = vehicles * counts.stock_h
    order = np.argsort(cell, kind="stable")
    running = np.append(0.0, np.cumsum(weight[order]))
    first = np.searchsorted(cell[order], cells, side="left")
    after = np.searchsorted(cell[order], cells, side="right")
    chance = generator.random(cells.size)
    wanted = running[first] + chance * (running[after] - running[first])
    chosen = np.searchsorted(running, wanted, side="right") - 1
    each = np.ones(cells.size)
    seen = running[after] > running[first]
    met = vehicles[order[np.minimum(chosen[seen], order.size - 1)]]
    each[seen] = met ** (elasticity - 1.0) / _usual(counts, elasticity)[cells[seen]]
    return each


def _usual(counts: Counts, elasticity: float) -> Floats:
    """The mean of n^(e - 1) over the hours that vehicles stood in each cell (G,); 1 where none."""
    cell, _, vehicles = counts.stock
    weight, size = vehicles * counts.stock_h, len(counts.cells)
    total = np.bincount(cell, weights=weight, minlength=size)
    each = np.bincount(cell, weights=weight * vehicles ** (elasticity - 1.0), minlength=size)
    return np.where(total > 0, each / np.maximum(total, 1e-9), 1.0)
