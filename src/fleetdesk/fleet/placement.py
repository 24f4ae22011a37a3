"""How well the fleet stands: how scattered, how far from its target, how many riders it meets.

Entropy and placement score by the hour, as Laufer & Tang (2019) draw them over the day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
from scipy.special import pdtrc

from fleetdesk.features.calendar import moment
from fleetdesk.features.standing import standing
from fleetdesk.fleet.history import History
from fleetdesk.model.places import Parking
from fleetdesk.settings.schema import Settings

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

DAYS = 7
_BANDS = 10
_ROUNDS = 60
_SMOOTH = 0.5


@dataclass(frozen=True, slots=True)
class HourState:
    """One local hour's mean over the last days; None where nothing can be said.

    `entropy` and `divergence` in nats, `score_pct` of the best layout of as many vehicles.
    """

    hour: int
    vehicles: float
    entropy: float
    divergence: float | None
    score_pct: float | None


def hourly_state(
    history: History, parkings: Sequence[Parking], settings: Settings
) -> tuple[HourState, ...]:
    """The fleet at the start of each hour of the last seven days, by local hour."""
    zone = ZoneInfo(settings.city.timezone)
    end = history.as_of.replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    moments = [end - timedelta(hours=back) for back in range(24 * DAYS - 1, -1, -1)]
    hours = np.array([at.astimezone(zone).hour for at in moments], dtype=np.int64)
    cells, stock, spread = _standing(history, moments, settings)
    if not stock.size or not stock.sum():
        return ()
    taken = _trips(history, moments, cells, settings)
    demand = demand_per_h(taken, stock, hours)
    target = _target(parkings, cells, settings)
    found = []
    for hour in range(24):
        at = np.flatnonzero((hours == hour) & (stock.sum(axis=1) > 0))
        if not at.size:
            continue
        scores = [score for i in at if (score := placement_score(demand[hour], stock[i]))]
        apart = [] if target is None else [divergence(stock[i], target) for i in at]
        found.append(
            HourState(
                hour=hour,
                vehicles=float(stock[at].sum(axis=1).mean()),
                entropy=float(np.mean([entropy(spread[i]) for i in at])),
                divergence=float(np.mean(apart)) if apart else None,
                score_pct=100 * float(np.mean(scores)) if scores else None,
            )
        )
    return tuple(found)


def entropy(counts: npt.ArrayLike) -> float:
    """H = -sum p log p of vehicles counted by place and charge, in nats."""
    share = np.asarray(counts, dtype=np.float64).ravel()
    share = share[share > 0] / max(float(share.sum()), 1e-300)
    return abs(float(-(share * np.log(share)).sum()))


def divergence(counts: npt.ArrayLike, target: npt.ArrayLike) -> float:
    """Kullback-Leibler divergence of where vehicles stand from where they should, in nats.

    Both are counts by cell; half a vehicle is added to each cell of the target, since a vehicle
    where none is wanted would make it infinite.
    """
    p, q = np.asarray(counts, dtype=np.float64), np.asarray(target, dtype=np.float64) + _SMOOTH
    p, q = p / p.sum(), q / q.sum()
    here = p > 0
    return max(0.0, float((p[here] * np.log(p[here] / q[here])).sum()))


def placement_score(demand: Floats, stock: Ints) -> float | None:
    """Sum V_g(n_g) / max over layouts of as many vehicles, V_g(n) = E[min(D_g, n)], D_g Poisson.

    Takes riders per hour and vehicles by cell. The n-th vehicle of a cell adds P(D_g >= n), less
    than the one before it: taking the largest gains one by one is the best layout.
    """
    most = int(stock.sum())
    if not most or not demand.sum():
        return None
    gains = pdtrc(np.arange(most)[None, :], demand[:, None])
    met = gains[np.arange(most)[None, :] < stock[:, None]].sum()
    best = np.sort(gains, axis=None)[-most:].sum()
    return float(met / best) if best > 0 else None


def demand_per_h(taken: Ints, stock: Ints, hours: Ints) -> Floats:
    """Riders per local hour and cell (24, G), whether or not they found a vehicle.

    Takes trips and vehicles by moment and cell (M, G). Censored Poisson: fewer trips than vehicles
    is the demand, as many is at least that, and where nobody stood nothing is learnt. Each (hour,
    cell) leans with the weight of one day on the cell's level x the city's profile.
    """
    told = stock > 0
    full = told & (taken >= stock)
    seen = np.where(told, taken, 0)
    level = seen.sum(axis=0) / np.maximum(told.sum(axis=0), 1)
    mean_h = max(float(seen.sum()) / max(len(hours), 1), 1e-12)
    profile = np.ones(24)
    for hour in np.unique(hours):
        profile[hour] = seen[hours == hour].sum(axis=1).mean() / mean_h
    prior = profile[:, None] * level[None, :]
    demand = np.maximum(prior, 1e-6)
    exact = np.where(told & ~full, taken, 0)
    for _ in range(_ROUNDS):
        mean = demand[hours]
        # E[D | D >= n] = mu P(D >= n - 1) / P(D >= n): pdtrc(k) is P(D > k).
        at_least = np.where(stock > 0, pdtrc(np.maximum(stock - 1, 0), mean), 1.0)
        one_less = np.where(stock > 1, pdtrc(np.maximum(stock - 2, 0), mean), 1.0)
        more = np.where(full, mean * one_less / np.maximum(at_least, 1e-12), 0.0)
        # Never below what was taken: riders come and go within the hour.
        whole = exact + np.where(full, np.maximum(more, taken), 0.0)
        total, weight = np.zeros_like(demand), np.zeros_like(demand)
        np.add.at(total, hours, whole)
        np.add.at(weight, hours, told.astype(np.float64))
        demand = np.maximum((total + prior) / (weight + 1.0), 1e-6)
    return np.asarray(demand, dtype=np.float64)


def _standing(
    history: History, moments: Sequence[datetime], settings: Settings
) -> tuple[list[str], Ints, Floats]:
    """The cells, rentable vehicles (M, G), and all vehicles by cell and band of charge (M, G, 11).

    The last band is that of unknown charges.
    """
    seen = standing(history.timeline, moments).to_pyarrow()
    number = {at.replace(tzinfo=None): i for i, at in enumerate(moments)}
    precision = settings.city.cell_precision
    names = [cell[:precision] for cell in seen["cell"].to_pylist()]
    cells = sorted(set(names))
    place = {cell: i for i, cell in enumerate(cells)}
    at = np.array([number[when] for when in seen["at"].to_pylist()], dtype=np.int64)
    cell = np.array([place[name] for name in names], dtype=np.int64)
    charge = np.array(
        [np.nan if pct is None else pct for pct in seen["battery_pct"].to_pylist()],
        dtype=np.float64,
    )
    rentable = np.array(seen["rentable"].to_pylist(), dtype=bool)
    rentable &= ~(charge < settings.thresholds.usable_battery_pct)
    band = np.where(np.isnan(charge), _BANDS, np.clip(charge // _BANDS, 0, _BANDS - 1))
    shape = (len(moments), len(cells))
    stock = np.zeros(shape, dtype=np.int64)
    spread = np.zeros((*shape, _BANDS + 1))
    np.add.at(stock, (at[rentable], cell[rentable]), 1)
    np.add.at(spread, (at, cell, band.astype(np.int64)), 1.0)
    return cells, stock, spread


def _trips(
    history: History, moments: Sequence[datetime], cells: Sequence[str], settings: Settings
) -> Ints:
    """Trips that started in each hour after a moment, by cell (M, G)."""
    taken = np.zeros((len(moments), len(cells)), dtype=np.int64)
    place = {cell: i for i, cell in enumerate(cells)}
    number = {at.replace(tzinfo=None): i for i, at in enumerate(moments)}
    trips: Any = history.known_trips(settings)
    trips = trips.filter(trips.started_at >= moment(moments[0]))
    trips = trips.mutate(hour_at=trips.started_at.truncate("h"))
    rows = trips.group_by(["hour_at", "start_cell"]).agg(trips=trips.count()).to_pyarrow()
    precision = settings.city.cell_precision
    for row in rows.to_pylist():
        cell = (row["start_cell"] or "")[:precision]
        if cell in place and row["hour_at"] in number:
            taken[number[row["hour_at"]], place[cell]] += row["trips"]
    return taken


def _target(parkings: Sequence[Parking], cells: Sequence[str], settings: Settings) -> Floats | None:
    """Vehicles wanted by cell, of the cells where vehicles stand; None where no target is set."""
    wanted = np.zeros(len(cells))
    place = {cell: i for i, cell in enumerate(cells)}
    for parking in parkings:
        cell = parking.at.cell(settings.city.cell_precision)
        if cell in place:
            wanted[place[cell]] += parking.target
    return wanted if wanted.sum() else None
