"""Method 1: revenue by hours since the start, from those still watched, up to what charge allows.

The rate of trips in each block of hours after a snapshot is trips over vehicle hours at risk, by
cell and by the part of the week the start falls in. It leans on what is usual in the city, by
Gamma-Poisson empirical Bayes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from fleetdesk.features.after_hours import EDGES_H, after_hours
from fleetdesk.fleet import method_v0
from fleetdesk.fleet.capped_trips import expected_capped
from fleetdesk.fleet.counts import SLOTS
from fleetdesk.fleet.empirical_bayes import kappa_of, shrunk
from fleetdesk.fleet.estimator import Explanation, Level
from fleetdesk.fleet.history import History
from fleetdesk.fleet.horizon import slots_before
from fleetdesk.fleet.method_v0 import HourlyRateRevenue
from fleetdesk.fleet.rate_sums import Rate
from fleetdesk.settings.schema import Settings

Floats = npt.NDArray[np.float64]

_BLOCKS = len(EDGES_H) - 1
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Method1:
    """Trips per hour by cell, slot of the start and block of hours since, (G, 48, blocks).

    The last cell, "", is the city's. `base` is v0 of the same history: money and charge per trip
    are the same. `support_h` are the vehicle hours seen in the first hour, by cell.
    """

    base: HourlyRateRevenue
    cells: Mapping[str, int]
    per_h: Floats
    support_h: Floats

    @property
    def estimator(self) -> str:
        """Which estimator ran, for result sheets."""
        return f"Method 1, {'net' if self.base.net else 'gross'}"

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on what the history could not tell."""
        return self.base.notes

    @property
    def cell_rates(self) -> Mapping[str, Rate]:
        """Revenue per operational hour by cell, over the week."""
        return self.base.cell_rates

    def values(
        self,
        cells: Sequence[str],
        battery_pct: npt.ArrayLike,
        starts: Sequence[datetime],
        hours: npt.ArrayLike,
        level: Level = Level.SCOOTER,
    ) -> Floats:
        """Expected revenue in [start, start + hours), one number each."""
        per_trip, allowed = self.base.per_trip_and_allowed(cells, battery_pct)
        value = per_trip * expected_capped(self._trips(cells, starts, hours), allowed)
        return value if level is Level.SCOOTER else np.asarray(value * self.base.new_shares(cells))

    def draws(
        self,
        cells: Sequence[str],
        battery_pct: npt.ArrayLike,  # noqa: ARG002
        starts: Sequence[datetime],  # noqa: ARG002
        hours: npt.ArrayLike,  # noqa: ARG002
        level: Level = Level.SCOOTER,  # noqa: ARG002
    ) -> Floats:
        """No rounds: margins come with Method 2."""
        return np.zeros((0, len(cells)))

    def explain(self, cell: str, battery_pct: float, start: datetime, hours: float) -> Explanation:
        """One value with its parts; the rate is the mean over the hours."""
        expected = float(self._trips([cell], [start], [hours])[0])
        per_trip, allowed = self.base.per_trip_and_allowed([cell], [battery_pct])
        at = self._at(cell)
        return Explanation(
            value=float(self.values([cell], [battery_pct], [start], [hours])[0]),
            rate_per_h=expected * float(per_trip[0]) / hours if hours else 0.0,
            hours=hours,
            support_h=float(self.support_h[at]),
            basis="cell" if self.support_h[at] > 0 else "city",
            revenue_per_trip=float(per_trip[0]),
            trips_expected=expected,
            trips_allowed=float(allowed[0]) if np.isfinite(allowed[0]) else None,
        )

    def _at(self, cell: str) -> int:
        return self.cells.get(cell[: self.base.precision], len(self.cells))

    def _trips(
        self, cells: Sequence[str], starts: Sequence[datetime], hours: npt.ArrayLike
    ) -> Floats:
        """Trips expected; between two full hours the rates of both starts are mixed."""
        spans = np.asarray(hours, dtype=np.float64)[:, None]
        low, high = (np.array(edges, dtype=np.float64) for edges in (EDGES_H[:-1], EDGES_H[1:]))
        # Beyond the last block its rate goes on.
        high[-1] = np.inf
        within = np.clip(spans - low, 0.0, high - low)
        at = np.array([self._at(cell) for cell in cells], dtype=np.int64)
        seen = {start: self._slots(start) for start in set(starts)}
        first = np.array([seen[start][0] for start in starts], dtype=np.int64)
        after = np.array([seen[start][1] for start in starts], dtype=np.int64)
        part = np.array([seen[start][2] for start in starts])[:, None]
        per_h = (1 - part) * self.per_h[at, first] + part * self.per_h[at, after]
        return np.asarray((per_h * within).sum(axis=1))

    def _slots(self, start: datetime) -> tuple[int, int, float]:
        """The slots of the full hours before and after a start, and how far it is between them."""
        hour = start.replace(minute=0, second=0, microsecond=0)
        later, sooner = slots_before(hour + 2 * _HOUR, 2, _HOUR, self.base.timezone).tolist()
        return sooner, later, (start - hour) / _HOUR


def estimate(
    history: History, settings: Settings, additional: Mapping[str, float] | None = None
) -> Method1:
    """Fit Method 1 to the sheet's window before `history.as_of`.

    Raises NotEnoughData when no vehicle was operational at any full hour of it.
    """
    snapshots = history.snapshots(settings).cache()
    base = method_v0.fit(snapshots, history, settings, method_v0.Form.EXPECTED_MIN)
    rows = after_hours(snapshots, settings.city.cell_precision).to_pyarrow()
    names = sorted(set(rows["cell"].to_pylist()))
    cells = {name: number for number, name in enumerate(names)}
    at = [cells[name] for name in rows["cell"].to_pylist()]
    slot = rows["slot"].to_numpy()
    trips, hours = (_table(rows, kind, at, slot, len(names) + 1) for kind in ("trips", "hours"))
    return Method1(
        base=method_v0.with_new(base, additional),
        cells=cells,
        per_h=_rates(trips, hours),
        support_h=hours[:, :, 0].sum(axis=1),
    )


def _table(rows: Any, kind: str, at: list[int], slot: Any, cells: int) -> Floats:
    found = np.zeros((cells, SLOTS, _BLOCKS))
    for block in range(_BLOCKS):
        found[at, slot, block] = np.round(rows[f"{kind}_{block}"].to_numpy(), 6)
    return found


def _rates(trips: Floats, hours: Floats) -> Floats:
    """Trips per hour, from the city's to the cell's: its level, by block, by part of the day.

    Snapshots of one vehicle see the same trips again and again; each block's counts are thinned to
    about as many as there were, or the shrinkage would believe itself too sure.
    """
    seen_again = np.maximum(1.0, np.diff(np.array(EDGES_H, dtype=np.float64)))
    y, e = trips / seen_again, hours / seen_again
    city = (y.sum(axis=0) + 1e-9) / (e.sum(axis=0) + 1e-9)
    rate = np.broadcast_to(city, y.shape).copy()
    for axes in ((1, 2), (1,), (2,), ()):
        counted = y.sum(axis=axes, keepdims=True) if axes else y
        expected = (rate * e).sum(axis=axes, keepdims=True) if axes else rate * e
        rate = rate * shrunk(counted, expected, kappa_of(counted, expected))
    return rate
