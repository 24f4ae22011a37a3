"""Method 2: where a scooter will be taken to, with what charge, and what it earns on the way.

Local rates by Gamma-Poisson empirical Bayes on the hours a vehicle stood free, destinations by part
of the day, the charge's influence, faults; then a backward recursion over the horizon.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fleetdesk.fleet.battery_multiplier import kappa_by_cell
from fleetdesk.fleet.counts import BLOCKS, CLASS_PCT, CLASSES, SLOTS, Counts
from fleetdesk.fleet.crowds import crowds_now
from fleetdesk.fleet.estimator import Explanation, Level
from fleetdesk.fleet.fine_cells import (
    Neighbourhood,
    arrival_factors,
    neighbourhood,
    place_factors,
)
from fleetdesk.fleet.fleet_level import Additional, additional
from fleetdesk.fleet.horizon import slots_before
from fleetdesk.fleet.laws import Laws, laws
from fleetdesk.fleet.left_open import Asked, LeftOpen
from fleetdesk.fleet.rate_sums import Rate
from fleetdesk.fleet.recursion import Steps, backward, steps_of
from fleetdesk.settings.schema import Settings

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_STEPS_PER_H = 6


@dataclass(frozen=True)
class Draw:
    """The laws of one draw of the cycles.

    `factors` (F,) are each place's on its cell's rate, `arrivals` (G, C) those of the equally
    likely kinds of place that trips to a cell end in.
    """

    laws: Laws
    factors: Floats
    arrivals: Floats


@dataclass(frozen=True)
class Method2:
    """The estimator; `new` tells which of a scooter's trips are new to the fleet.

    The rest of the fleet is taken to be served as it was. How many vehicles stand around when the
    history ends counts for as long as they are likely to stay. `charge_kappa` says how alike cells
    are in what a charge is good for.
    """

    counts: Counts
    usual: Draw
    around: Neighbourhood
    charge_kappa: float
    fine: bool
    new: Additional
    as_of: datetime
    timezone: str
    usable_battery_pct: float
    net: bool
    rounds: int
    seed: int
    notes: tuple[str, ...] = field(default=())

    @property
    def estimator(self) -> str:
        """Which estimator ran, for result sheets."""
        finer = ", finer cells" if self.fine else ""
        return f"Method 2{finer}, {'net' if self.net else 'gross'}"

    @cached_property
    def cell_rates(self) -> Mapping[str, Rate]:
        """Revenue per free hour by cell, over the hours that vehicles stood there."""
        free = self.counts.free_h.sum(axis=0)
        trips = self.counts.trips.sum(axis=0).sum(axis=1)
        hours, law = free.sum(axis=1), self.usual.laws
        per_h = (law.rates.per_h * free).sum(axis=1) / np.maximum(hours, 1e-9) * law.per_trip
        raw = trips / np.maximum(hours, 1e-9) * law.per_trip
        return {
            cell: Rate(float(per_h[i]), float(raw[i]), float(hours[i]))
            for i, cell in enumerate(self.counts.cells)
            if hours[i] > 0
        }

    def values(
        self,
        cells: Sequence[str],
        battery_pct: npt.ArrayLike,
        starts: Sequence[datetime],
        hours: npt.ArrayLike,
        level: Level = Level.SCOOTER,
    ) -> Floats:
        """Expected revenue in [start, start + hours), one number each; continuous in all of them.

        An unknown charge (NaN) bounds nothing, as if the battery were full.
        """
        asked = self._asked(cells, battery_pct, starts, hours, by_charge=False)
        return self._worth(self.usual, asked, level)

    def draws(
        self,
        cells: Sequence[str],
        battery_pct: npt.ArrayLike,
        starts: Sequence[datetime],
        hours: npt.ArrayLike,
        level: Level = Level.SCOOTER,
    ) -> Floats:
        """The same from `rounds` bootstrap draws, (rounds, scooters).

        Each draws whole cycles anew, what is left open about a place's rate because it may differ
        from its cell or from what its own few trips say (the Gamma posterior), and what the vehicle
        uses of its charge.
        """
        asked = self._asked(cells, battery_pct, starts, hours, by_charge=True)
        generator = np.random.default_rng(self.seed)
        weights = generator.multinomial(BLOCKS, np.full(BLOCKS, 1 / BLOCKS), size=self.rounds)
        kappas = self.usual.laws.rates.kappas
        found = np.zeros((self.rounds, len(cells)))
        left_open = LeftOpen(
            self.counts, self.around, self.new.rivalry, self.usual.factors, kappas,
            self.charge_kappa, self.usable_battery_pct, self.fine,
        )  # fmt: skip
        for number, weight in enumerate(weights.astype(np.float64)):
            law = laws(self.counts, weight, kappas)
            draw = draw_of(self.counts, weight, self.around, law, fine=self.fine)
            drawn, local = left_open.drawn(asked, generator)
            found[number] = self._worth(draw, drawn, level, local)
        return found

    def explain(self, cell: str, battery_pct: float, start: datetime, hours: float) -> Explanation:
        """One value with its parts; the rate is that of the first moment's slot of the week."""
        value = float(self.values([cell], [battery_pct], [start], [hours])[0])
        place, at = self._row(cell)
        slot = int(slots_before(start + self._step, 1, self._step, self.timezone)[0])
        law = self.usual.laws
        factor = self.usual.factors[place] if place >= 0 else 1.0
        per_h = float(law.rates.per_h[at, slot] * factor)
        per_trip = float(law.per_trip[at])
        used = float(law.uses_pct[at].mean())
        left = max(0.0, battery_pct - self.usable_battery_pct)
        return Explanation(
            value=value,
            rate_per_h=per_h * per_trip,
            hours=hours,
            support_h=float(self.counts.free_h[:, at].sum()),
            basis=("place" if place >= 0 and self.fine else "cell") if at < self._city else "city",
            revenue_per_trip=per_trip,
            trips_expected=value / per_trip if per_trip else 0.0,
            trips_allowed=left / used if used > 0 and np.isfinite(left) else None,
        )

    @property
    def _city(self) -> int:
        """The row that stands for wherever nothing was seen."""
        return len(self.counts.cells) - 1

    @property
    def _step(self) -> timedelta:
        """About twice a trip's length, and a whole part of an hour."""
        busy_h = max(self.counts.busy_h, 1e-3)
        return timedelta(hours=1) / int(np.clip(round(0.5 / busy_h), 1, _MOST_STEPS_PER_H))

    @cached_property
    def _places(self) -> Mapping[str, int]:
        return {name: number for number, name in enumerate(self.counts.places)}

    @cached_property
    def _cells(self) -> Mapping[str, int]:
        return {name: number for number, name in enumerate(self.counts.cells)}

    def _row(self, cell: str) -> tuple[int, int]:
        """The place (-1 where it is not known) and the cell of a name of whatever length."""
        names = [cell[:n] for n in range(len(cell), 0, -1)]
        place = next((self._places[name] for name in names if name in self._places), -1)
        if place >= 0:
            return place, int(self.counts.parent[place])
        return -1, next((self._cells[name] for name in names if name in self._cells), self._city)

    def _asked(
        self,
        cells: Sequence[str],
        battery_pct: npt.ArrayLike,
        starts: Sequence[datetime],
        hours: npt.ArrayLike,
        *,
        by_charge: bool,
    ) -> Asked:
        """The scooters by number, with one state for each place, or for each charge there too."""
        places = {name: self._row(name) for name in sorted(set(cells))}
        spans = np.asarray(hours, dtype=np.float64)
        told = np.asarray(battery_pct, dtype=np.float64)
        charge = np.where(np.isnan(told), 100.0, np.minimum(told, 100.0))
        classes = np.clip(charge // CLASS_PCT, 0, CLASSES - 1).astype(np.int64)
        known = (classes if by_charge else np.zeros_like(classes)).tolist()
        states = [(*places[name], number) for name, number in zip(cells, known, strict=True)]
        wanted = sorted(set(states))
        number = {state: index for index, state in enumerate(wanted)}
        place, cell, charge_class = np.array(wanted, dtype=np.int64).reshape(-1, 3).T
        step = self._step
        ends = [
            start + timedelta(hours=span)
            for start, span in zip(starts, spans.tolist(), strict=True)
        ]
        return Asked(
            place=place,
            cell=cell,
            charge_class=charge_class,
            usual_crowd=np.ones(cell.size),
            row=np.array([number[state] for state in states], dtype=np.int64),
            charge=charge,
            end=np.array([(end - _EPOCH) / step for end in ends]),
            steps=np.maximum(0.0, spans * (timedelta(hours=1) / step)),
        )

    def _worth(
        self,
        draw: Draw,
        asked: Asked,
        level: Level,
        local: Floats | None = None,
    ) -> Floats:
        """Values of one draw: a recursion for each end on the lattice of steps, then between.

        `local` (A,) are factors on the rates of the places asked about, for what is not known.
        """
        steps = self._steps(draw, asked, np.ones(asked.cell.size) if local is None else local)
        now = int((self.as_of - _EPOCH) / self._step)
        known = crowds_now(self.counts, self.new.rivalry)[asked.cell]
        first = draw.arrivals.size
        worth = np.zeros(asked.row.size)
        low = np.floor(asked.end)
        for ends, weight in ((low, 1 - (asked.end - low)), (low + 1, asked.end - low)):
            for end in np.unique(ends[weight > 0]):
                mine = np.flatnonzero((ends == end) & (weight > 0))
                most = int(np.ceil(asked.steps[mine].max()))
                moment = _EPOCH + self._step * int(end)
                slots = slots_before(moment, most, self._step, self.timezone)
                counted = np.ones((most, len(self.counts.cells)))
                if level is Level.FLEET:
                    counted = self.new.share[:, slots].T
                since = int(end) - 1 - np.arange(most) - now
                still = self._still_there(int(since.max(initial=-1)) + 1)[:, asked.cell]
                lasts = np.where((since >= 0)[:, None], still[np.maximum(since, 0)], 0.0)
                crowd = known**lasts * asked.usual_crowd ** (1.0 - lasts)
                values = backward(steps, slots, counted, crowd)
                rows = first + asked.row[mine]
                found = _between(values, asked.steps[mine], rows, asked.charge[mine], steps.charges)
                worth[mine] += weight[mine] * found
        return worth

    def _still_there(self, steps: int) -> Floats:
        """The chance that a vehicle has stayed since the history ended (steps or more, G)."""
        last = _EPOCH + self._step * (int((self.as_of - _EPOCH) / self._step) + steps)
        slots = slots_before(last, max(steps, 1), self._step, self.timezone)[::-1]
        per_step = self.usual.laws.rates.per_h.T[slots] * (self._step / timedelta(hours=1))
        return np.asarray(np.exp(-(np.cumsum(per_step, axis=0) - per_step)))

    def _steps(self, draw: Draw, asked: Asked, local: Floats) -> Steps:
        """Rows: every cell as trips arrive in it, then the places that were asked about."""
        known = asked.place >= 0
        factor = np.where(
            known, draw.factors[np.maximum(asked.place, 0)] if known.any() else 1.0, 1.0
        )
        base = draw.laws.rates.per_h
        return steps_of(
            draw.laws,
            arrived=base[:, None, :] * draw.arrivals[:, :, None],
            asked=base[asked.cell] * (factor * local)[:, None],
            asked_cell=asked.cell,
            usable_pct=self.usable_battery_pct,
            step_h=self._step / timedelta(hours=1),
        )


def draw_of(
    counts: Counts, weights: Floats, around: Neighbourhood, law: Laws, *, fine: bool
) -> Draw:
    """The factors of places that go with the laws of a draw; 1 where cells are not divided."""
    if not fine:
        return Draw(law, np.ones(len(counts.places)), np.ones((len(counts.cells), 1)))
    factors = place_factors(counts, around, weights)
    return Draw(law, factors, arrival_factors(counts, factors, weights))


def _between(values: Floats, steps: Floats, rows: Ints, charge: Floats, grid: Floats) -> Floats:
    """Read values (T + 1, R, B) between whole steps and between charges of the grid; above the grid
    on the line of its last two charges.
    """
    k = np.minimum(np.floor(steps).astype(np.int64), values.shape[0] - 1)
    later = np.minimum(k + 1, values.shape[0] - 1)
    high = np.clip(np.searchsorted(grid, charge, side="right"), 1, grid.size - 1)
    part = np.maximum((charge - grid[high - 1]) / (grid[high] - grid[high - 1]), 0.0)

    def at(step: Ints) -> Floats:
        return (1 - part) * values[step, rows, high - 1] + part * values[step, rows, high]

    return np.asarray(at(k) + (steps - k) * (at(later) - at(k)))


def estimate(counts: Counts, settings: Settings, as_of: datetime) -> Method2:
    """Fit Method 2 to what was counted up to `as_of` (UTC-aware)."""
    everything = np.ones(BLOCKS)
    law = laws(counts, everything)
    around = neighbourhood(counts, law.rates)
    fine = settings.thresholds.fine_cells
    return Method2(
        counts=counts,
        usual=draw_of(counts, everything, around, law, fine=fine),
        around=around,
        charge_kappa=kappa_by_cell(
            counts.trips_by_charge, counts.free_by_charge_h, law.rates.per_h, law.rates.multiplier
        ),
        fine=fine,
        new=additional(counts),
        as_of=as_of,
        timezone=settings.city.timezone,
        usable_battery_pct=settings.thresholds.usable_battery_pct,
        net=settings.costs.use_net_revenue,
        rounds=settings.thresholds.bootstrap_rounds,
        seed=settings.city.seed,
        notes=_notes(counts, law),
    )


def _notes(counts: Counts, law: Laws) -> tuple[str, ...]:
    notes = []
    if not law.uses_pct.any():
        notes.append("No charge is known of any trip: the battery does not bound the revenue.")
    unseen = int((counts.free_h.sum(axis=(0, 1)) == 0).sum())
    if unseen:
        notes.append(
            f"No vehicle stood free in {unseen} of the {SLOTS} hours of workdays and weekends: the "
            "rate over all hours is used there."
        )
    return tuple(notes)
