"""Trips per free vehicle and hour, by cell and slot of the week, each leaning on what is usual.

From the coarse to the fine: the city's profile over the 48 slots, the region's, the cell's level,
its level on workdays and at weekends, in each part of the day, in each hour. Each step is a factor
on the step before, shrunk as far as the counts of all places say it should be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fleetdesk.fleet.battery_multiplier import Multiplier, multiplier_of
from fleetdesk.fleet.counts import SLOTS, Counts, daypart
from fleetdesk.fleet.empirical_bayes import kappa_of, shrunk

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

REGION_PRECISION = 5
_WEEKPART = np.arange(SLOTS) // 24
_DAYPART = _WEEKPART * 4 + daypart(np.arange(SLOTS) % 24)


@dataclass(frozen=True)
class Kappas:
    """How many trips of its own each step needs to be trusted half."""

    region_hour: float
    cell: float
    weekpart: float
    daypart: float
    hour: float


@dataclass(frozen=True)
class HourlyRates:
    """`per_h` (G, 48): trips per free vehicle-hour; `multiplier` is by charge, of mean 1."""

    per_h: Floats
    multiplier: Multiplier
    kappas: Kappas


def hourly_rates(counts: Counts, weights: Floats, kappas: Kappas | None = None) -> HourlyRates:
    """Rates from the blocks of `counts`, weighted (K,); `kappas` are fitted unless given.

    Vehicles with little charge are taken less often: hours are counted for what they are worth, and
    `per_h` is the rate of a vehicle whose multiplier is 1.
    """
    free = np.tensordot(weights, counts.free_h, 1)
    trips = np.tensordot(weights, counts.trips, 1)
    plain, kappas = _levels(trips, free, counts.cells, kappas)
    multiplier = multiplier_of(counts.trips_by_charge, counts.free_by_charge_h, plain)
    known = counts.free_by_charge_h.sum(axis=2)
    worth = np.einsum("gsc,gc->gs", counts.free_by_charge_h, multiplier.factors)
    worth = (worth + 1.0) / (known + 1.0)
    per_h, kappas = _levels(trips, free * worth, counts.cells, kappas)
    return HourlyRates(per_h, multiplier, kappas)


def open_rates(trips: Floats, kappas: Kappas) -> Floats:
    """What a bootstrap of trips (G, 48) leaves out of how sure each cell's rate is over a day (G,),
    as a squared coefficient of variation.

    Of the Gamma posterior's 1 / (kappa + y) it shows y / (kappa + y)^2, so that a cell that hardly
    anybody was in looks as sure as its prior; kappa / (kappa + y)^2 is left, level by level. A day
    lies in one part of the week and in all four of the day.
    """
    columns = ((np.zeros(SLOTS, dtype=np.int64), kappas.cell, 1), (_WEEKPART, kappas.weekpart, 1),
               (_DAYPART, kappas.daypart, 4))  # fmt: skip
    found = np.zeros(len(trips))
    for column, kappa, parts in columns:
        own = _pooled(trips, np.arange(len(trips)), column)
        found += (kappa / (kappa + own) ** 2).mean(axis=1) / parts
    return found


def _levels(
    trips: Floats, free: Floats, cells: tuple[str, ...], kappas: Kappas | None
) -> tuple[Floats, Kappas]:
    profile = _city_profile(trips, free)
    rate = np.tile(profile, (len(cells), 1))
    region = np.unique([cell[:REGION_PRECISION] for cell in cells], return_inverse=True)[1]
    alone = np.arange(len(cells))
    steps: tuple[tuple[str, Ints, Ints], ...] = (
        ("region_hour", region, np.arange(SLOTS)),
        ("cell", alone, np.zeros(SLOTS, dtype=np.int64)),
        ("weekpart", alone, _WEEKPART),
        ("daypart", alone, _DAYPART),
        ("hour", alone, np.arange(SLOTS)),
    )
    fitted: dict[str, float] = {}
    for name, rows, columns in steps:
        y, e = _pooled(trips, rows, columns), _pooled(rate * free, rows, columns)
        fitted[name] = getattr(kappas, name) if kappas else kappa_of(y, e)
        rate = rate * shrunk(y, e, fitted[name])[np.ix_(rows, columns)]
    return rate, Kappas(**fitted)


def _city_profile(trips: Floats, free: Floats) -> Floats:
    """The city's rate in each slot; a slot that nobody stood in has the rate over all of them."""
    y, e = trips.sum(axis=0), free.sum(axis=0)
    overall = y.sum() / e.sum() if e.sum() else 0.0
    return np.asarray((y + overall) / (e + 1.0))


def _pooled(table: Floats, rows: Ints, columns: Ints) -> Floats:
    """Sums over the cells and slots that share a number."""
    by_row = np.zeros((int(rows.max()) + 1, table.shape[1]))
    np.add.at(by_row, rows, table)
    pooled = np.zeros((by_row.shape[0], int(columns.max()) + 1))
    np.add.at(pooled.T, columns, by_row.T)
    return pooled
