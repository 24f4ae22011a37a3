"""v0: Method 1.1 of Laufer & Tang (2019), bounded by the battery.

Rate per cell and local weekday = revenue to the end of the cycle / operational hours to that end,
each summed over hourly snapshots (a ratio of sums). A cell leans on the city's rate of the same
weekday: with `cell_support_h` vehicle hours of its own (snapshots) it is trusted half.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from fleetdesk.errors import NotEnoughData
from fleetdesk.fleet.capped_trips import expected_capped
from fleetdesk.fleet.estimator import Explanation, Level
from fleetdesk.fleet.history import History
from fleetdesk.fleet.horizon import weekday_hours
from fleetdesk.fleet.rate_sums import (
    REGION_PRECISION,
    Rate,
    RateSum,
    Region,
    rate_sums,
    regions_of,
    total,
)
from fleetdesk.settings.schema import Settings

Floats = npt.NDArray[np.float64]


class Form(StrEnum):
    """How the battery bounds the revenue."""

    EXPECTED_MIN = "E[min]"
    PAPER_MIN = "min"


@dataclass(frozen=True)
class HourlyRateRevenue:
    """Revenue per hour by cell and weekday, up to what the charge allows.

    `rates` holds (cell, weekday 1-7); what is not in it falls back on `city` (by weekday), and a
    weekday without any hours on `overall`. Cells may be given longer than `precision`. `additional`
    is the share of each cell's trips that are new to the fleet, under "" that of any other cell;
    where it is empty, fleet-level values are the scooter's own.
    """

    form: Form
    net: bool
    timezone: str
    precision: int
    usable_battery_pct: float
    rates: Mapping[tuple[str, int], Rate]
    city: Mapping[int, Rate]
    overall: Rate
    regions: Mapping[str, Region]
    any_region: Region
    as_of: datetime
    window_days: int
    notes: tuple[str, ...] = field(default=())
    additional: Mapping[str, float] = field(default_factory=dict)

    @property
    def estimator(self) -> str:
        """Which estimator ran, for result sheets."""
        return f"v0 {self.form.value}, {'net' if self.net else 'gross'}"

    def value(self, cell: str, battery_pct: float, start: datetime, hours: float) -> float:
        """Expected revenue of an operational scooter in [start, start + hours)."""
        return float(self.values([cell], [battery_pct], [start], [hours])[0])

    def values(
        self,
        cells: Sequence[str],
        battery_pct: npt.ArrayLike,
        starts: Sequence[datetime],
        hours: npt.ArrayLike,
        level: Level = Level.SCOOTER,
    ) -> Floats:
        """The same for many scooters, one number each; a charge of NaN is an unknown one."""
        value = self._parts(cells, battery_pct, starts, hours).value
        return value if level is Level.SCOOTER else np.asarray(value * self.new_shares(cells))

    def draws(
        self,
        cells: Sequence[str],
        battery_pct: npt.ArrayLike,  # noqa: ARG002
        starts: Sequence[datetime],  # noqa: ARG002
        hours: npt.ArrayLike,  # noqa: ARG002
        level: Level = Level.SCOOTER,  # noqa: ARG002
    ) -> Floats:
        """No rounds: the published formula comes without margins."""
        return np.zeros((0, len(cells)))

    @property
    def cell_rates(self) -> Mapping[str, Rate]:
        """Revenue per operational hour of each cell; weekdays weigh by their hours."""
        by_cell: dict[str, list[Rate]] = {}
        for (cell, _), rate in sorted(self.rates.items()):
            by_cell.setdefault(cell, []).append(rate)
        return {cell: _over_the_week(rates) for cell, rates in by_cell.items()}

    def explain(self, cell: str, battery_pct: float, start: datetime, hours: float) -> Explanation:
        """The value with its parts: rate, hours of support, trips expected and allowed."""
        parts = self._parts([cell], [battery_pct], [start], [hours])
        split = weekday_hours(start, hours, self.timezone)
        own = [self.rates.get((cell[: self.precision], day)) for day in range(1, 8)]
        span_h = float(split.sum())
        weights = split / span_h if span_h else np.zeros(7)
        support = [rate.support_h if rate else 0.0 for rate in own]
        allowed = float(parts.allowed[0])
        return Explanation(
            value=float(parts.value[0]),
            rate_per_h=float(parts.unbounded[0]) / span_h if span_h else 0.0,
            hours=span_h,
            support_h=float(weights @ np.array(support)),
            basis=_basis([rate for rate, weight in zip(own, weights, strict=True) if weight > 0]),
            revenue_per_trip=float(parts.per_trip[0]),
            trips_expected=float(parts.expected[0]),
            trips_allowed=allowed if np.isfinite(allowed) else None,
        )

    def _parts(
        self,
        cells: Sequence[str],
        battery_pct: npt.ArrayLike,
        starts: Sequence[datetime],
        hours: npt.ArrayLike,
    ) -> _Parts:
        splits = _splits(starts, np.asarray(hours, dtype=np.float64), self.timezone)
        unbounded = np.einsum("ij,ij->i", self._weekly(cells), splits)
        per_trip, allowed = self.per_trip_and_allowed(cells, battery_pct)
        expected = np.zeros(len(per_trip))
        np.divide(unbounded, per_trip, out=expected, where=per_trip != 0)
        expected = np.maximum(expected, 0.0)
        if self.form is Form.EXPECTED_MIN:
            trips = expected_capped(expected, allowed)
        else:
            trips = np.minimum(expected, allowed)
        return _Parts(trips * per_trip, unbounded, per_trip, expected, allowed)

    def per_trip_and_allowed(
        self, cells: Sequence[str], battery_pct: npt.ArrayLike
    ) -> tuple[Floats, Floats]:
        """Revenue per trip where each scooter stands, and the trips that its charge allows."""
        regions = [self.regions.get(cell[:REGION_PRECISION], self.any_region) for cell in cells]
        per_trip = np.array([region.revenue_per_trip for region in regions])
        used = np.array([_battery_or_nan(region) for region in regions])
        battery = np.asarray(battery_pct, dtype=np.float64)
        # A charge that nobody knows cannot bound anything.
        usable = np.where(np.isnan(battery), np.inf, battery - self.usable_battery_pct)
        known = np.isfinite(used) & (used > 0)
        # Without any known charge the battery can only be asked whether it is rentable at all.
        allowed = np.where(usable > 0, np.inf, 0.0)
        allowed[known] = np.maximum(0.0, usable[known]) / used[known]
        return per_trip, allowed

    def new_shares(self, cells: Sequence[str]) -> Floats:
        """The share of each scooter's trips that are new to the fleet; 1 where none is known."""
        any_cell = self.additional.get("", 1.0)
        return np.array([self.additional.get(c[: self.precision], any_cell) for c in cells])

    def _weekly(self, cells: Sequence[str]) -> Floats:
        """Rates of each cell on the seven weekdays, shape (cells, 7)."""
        fallback = [self.city.get(day, self.overall) for day in range(1, 8)]
        rows = {
            cell: [self.rates.get((cell, day), fallback[day - 1]).per_h for day in range(1, 8)]
            for cell in {cell[: self.precision] for cell in cells}
        }
        weekly = [rows[cell[: self.precision]] for cell in cells]
        return np.array(weekly, dtype=np.float64).reshape(-1, 7)


@dataclass(frozen=True, slots=True)
class _Parts:
    value: Floats
    unbounded: Floats
    per_trip: Floats
    expected: Floats
    allowed: Floats


def estimate(
    history: History,
    settings: Settings,
    form: Form = Form.EXPECTED_MIN,
    *,
    additional: Mapping[str, float] | None = None,
    notes: tuple[str, ...] = (),
) -> HourlyRateRevenue:
    """Learn v0 from the sheet's window before `history.as_of`; nothing after it is looked at.

    Raises NotEnoughData when no vehicle was operational at any full hour of the window; a history
    without trips gives zero.
    """
    found = fit(history.snapshots(settings), history, settings, form)
    return replace(with_new(found, additional), notes=(*notes, *found.notes))


def with_new(found: HourlyRateRevenue, additional: Mapping[str, float] | None) -> HourlyRateRevenue:
    """The same, knowing which share of each cell's trips is new to the fleet."""
    return replace(found, additional=MappingProxyType(dict(additional or {})))


def fit(snapshots: Any, history: History, settings: Settings, form: Form) -> HourlyRateRevenue:
    """The same from the history's snapshots where they are already at hand."""
    trips = history.recent_trips(settings)
    net = settings.costs.use_net_revenue
    sums = rate_sums(snapshots, settings.city.cell_precision, net=net)
    if not sums:
        raise NotEnoughData(
            "No vehicle was operational in the history that rates are learnt from",
            found=f"0 vehicle hours in the {settings.city.window_days} days before "
            f"{history.as_of:%Y-%m-%d %H:%M} UTC",
            fix="Import events, or lengthen History used in the sheet City",
        )
    overall = total(sums.values())
    city = {
        day: total(part for (_, other), part in sums.items() if other == day)
        for day in sorted({day for _, day in sums})
    }
    strength = settings.thresholds.cell_support_h
    regions, any_region = regions_of(trips, net=net)
    return HourlyRateRevenue(
        form=form,
        net=net,
        timezone=settings.city.timezone,
        precision=settings.city.cell_precision,
        usable_battery_pct=settings.thresholds.usable_battery_pct,
        rates=MappingProxyType(
            {key: sums[key].leaning_on(city[key[1]], strength) for key in sorted(sums)}
        ),
        city=MappingProxyType({day: part.rate() for day, part in city.items()}),
        overall=overall.rate(),
        regions=MappingProxyType(regions),
        any_region=any_region,
        as_of=history.as_of,
        window_days=settings.city.window_days,
        notes=_notes(overall, city, any_region),
    )


def _over_the_week(rates: Sequence[Rate]) -> Rate:
    hours = sum(rate.support_h for rate in rates)
    weights = [rate.support_h / hours for rate in rates]
    per_h = sum(rate.per_h * weight for rate, weight in zip(rates, weights, strict=True))
    raw = sum(rate.raw_per_h * weight for rate, weight in zip(rates, weights, strict=True))
    return Rate(per_h, raw, hours)


def _splits(starts: Sequence[datetime], hours: Floats, timezone: str) -> Floats:
    seen: dict[tuple[datetime, float], Floats] = {}
    rows = []
    for start, span in zip(starts, hours.tolist(), strict=True):
        key = (start, span)
        if key not in seen:
            seen[key] = weekday_hours(start, span, timezone)
        rows.append(seen[key])
    return np.array(rows, dtype=np.float64).reshape(-1, 7)


def _battery_or_nan(region: Region) -> float:
    return float("nan") if region.battery_per_trip_pct is None else region.battery_per_trip_pct


def _basis(rates: Sequence[Rate | None]) -> str:
    if rates and all(rate is not None for rate in rates):
        return "cell"
    return "cell and city" if any(rate is not None for rate in rates) else "city"


def _notes(overall: RateSum, city: Mapping[int, RateSum], region: Region) -> tuple[str, ...]:
    notes = []
    missing = [day for day in range(1, 8) if day not in city]
    if missing:
        names = ", ".join(_DAYS[day - 1] for day in missing)
        notes.append(f"No history on {names}: the rate over all days is used there.")
    if region.trips == 0:
        notes.append("No trips in the history: every value is zero.")
    elif region.battery_per_trip_pct is None:
        notes.append("No charge is known of any trip: the battery does not bound the revenue.")
    if overall.snapshots < 24 * 7:
        notes.append(f"Only {overall.snapshots:.0f} vehicle hours of history.")
    return tuple(notes)


_DAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
