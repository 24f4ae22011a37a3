"""Revenue still to come, worked out backwards from the horizon's end for all cells at once.

V_k(g, b) = q r + (1 - s) [(1 - q) V_(k-1)(g, b) + q sum over g' of P(g -> g') V_(k-1)(g', b - d)],
q = 1 - exp(-rate x f(b) x step): in one step a vehicle is taken at most once. A step is about twice
as long as a trip, so that the time a trip takes is not offered a second time. A vehicle of little
charge may be the best at hand or stand beside better ones, and stays so for a while: both kinds are
followed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fleetdesk.fleet.counts import CLASS_PCT, daypart
from fleetdesk.fleet.laws import Laws

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# Above the usable charge; close together where a vehicle is nearly empty. Ten points apart, what
# was read between them made charges spread, and half-full vehicles looked worth up to 3 % less.
_ABOVE_PCT = (0.0, 0.5, 1.0, 2.0, 3.5, 5.0, 7.5, *range(10, 91, 5))
# How far arrivals favour the better kind. Where a kind lasted as long as the stay it would be 1,
# the share of the trips that start in it; others come and go meanwhile.
_LASTING_KIND = 0.5


@dataclass(frozen=True)
class Steps:
    """The laws in steps, on a grid of charges (B,), ready to be run backwards.

    Rows (R) are those of the cells in order, equally many of each, then whatever places are asked
    about; `cell` (R,) is the cell whose goals, money and use a row has. Trips end evenly in the
    rows of a cell. `multiplier` (2, R, B) is on the rates of the two kinds, equally many of which
    stand at any time; `favoured` (G, B) of the trips end in the first. `stand` (B, B) and `ride`
    (R, B, B) move charge on the grid. `swapped` (G, B) is the share of the trips that end in a cell
    with so much left after which a rider puts in a full battery.
    """

    charges: Floats
    cell: Ints
    per_cell: int
    per_step: Floats
    multiplier: Floats
    favoured: Floats
    goals: Floats
    per_trip: Floats
    stand: Floats
    ride: Floats
    swapped: Floats
    lasting: float


def steps_of(
    laws: Laws, arrived: Floats, asked: Floats, asked_cell: Ints, usable_pct: float, step_h: float
) -> Steps:
    """The laws on a grid of charges.

    `arrived` (G, C, 48) are the rates of C equally likely rows that trips to a cell may end in,
    `asked` (A, 48) those of further rows, in the cells `asked_cell` (A,).
    """
    cells, per_cell, slots = arrived.shape
    per_h = np.vstack([arrived.reshape(-1, slots), asked])
    cell = np.concatenate([np.repeat(np.arange(cells), per_cell), asked_cell])
    charges = _grid(usable_pct)
    multiplier = laws.rates.multiplier.at(charges)
    apart = np.sqrt(np.maximum(0.0, 1.0 - multiplier / multiplier[:, -1:]))
    multiplier[:, 0] = 0.0  # whoever has no charge above the usable one is not rented
    left = charges[None, :, None] - laws.uses_pct[:, None, :]
    return Steps(
        charges=charges,
        cell=cell,
        per_cell=per_cell,
        per_step=step_h * per_h.T,
        multiplier=np.stack([multiplier * (1 + apart), multiplier * (1 - apart)])[:, cell],
        favoured=(1 + _LASTING_KIND * apart) / 2,
        goals=laws.goals,
        per_trip=laws.per_trip[cell],
        stand=_spread(charges[:, None] - laws.standing_pct_per_h * step_h, charges),
        ride=_spread(left, charges)[cell],
        swapped=laws.swaps[:, (charges // CLASS_PCT).astype(np.int64)],
        lasting=float(np.exp(-laws.fault_per_h * step_h)),
    )


def backward(steps: Steps, slots: Ints, counted: Floats, crowd: Floats) -> Floats:
    """Values (T + 1, R, B) with 0, 1, ... T steps to go.

    `slots` (T,) are those of the last step before the end, of the last but one, and so on;
    `counted` (T, G) is the share of the trips from a cell whose money counts: those that nobody
    else would have served. All trips move the vehicle and use its charge. With the others the fleet
    still has in the cell, and not at the goal, whoever would have served them, charged as crews
    keep it. `crowd` (T, A) is what the rates of the places asked about are multiplied by in each of
    them.
    """
    cells = steps.goals.shape[1]
    values = np.zeros((slots.size + 1, *steps.multiplier.shape[1:]))
    ahead = np.zeros_like(steps.multiplier)
    parts = daypart(slots % 24)
    earned, arrived = steps.per_trip[:, None], cells * steps.per_cell
    for k, (slot, part) in enumerate(zip(slots.tolist(), parts.tolist(), strict=True)):
        per_step = steps.per_step[slot].copy()
        per_step[arrived:] *= crowd[k]
        taken = -np.expm1(-per_step[:, None] * steps.multiplier)
        stood = ahead @ steps.stand.T
        kinds = ahead[:, :arrived].reshape(2, cells, steps.per_cell, -1).mean(axis=2)
        ends = steps.favoured * kinds[0] + (1 - steps.favoured) * kinds[1]
        ends += steps.swapped * (ends[:, -1:] - ends)
        there = (steps.goals[part] @ ends)[steps.cell]
        rode = np.matmul(steps.ride, there[:, :, None])[:, :, 0]
        new = counted[k][steps.cell, None]
        left_behind = (1.0 - new) * (ahead[..., -1:] - there[:, -1:])
        ahead = taken * earned * new + steps.lasting * (
            stood + taken * (rode - stood + left_behind)
        )
        ahead[..., 0] = 0.0
        values[k + 1] = ahead.mean(axis=0)
    return values


def _grid(usable_pct: float) -> Floats:
    charges = usable_pct + np.array(_ABOVE_PCT)
    return np.append(charges[charges < 100.0], 100.0)


def _spread(charge: Floats, grid: Floats) -> Floats:
    """Weights (..., B) that put charges between their two neighbours on the grid.

    `charge` is (..., Q): Q equally likely charges. Below the grid there is nothing left to earn.
    """
    high = np.clip(np.searchsorted(grid, charge, side="right"), 1, grid.size - 1)
    low = high - 1
    part = np.clip((charge - grid[low]) / (grid[high] - grid[low]), 0.0, 1.0)
    eye = np.eye(grid.size)
    spread = (1 - part)[..., None] * eye[low] + part[..., None] * eye[high]
    return np.asarray(spread.mean(axis=-2))
