"""The KPIs sheet: what the fleet does, earns and costs, each figure with its formula in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from fleetdesk.features.calendar import moment
from fleetdesk.features.trips import countable, priced
from fleetdesk.fleet.availability import FORMULA, Availability, availability
from fleetdesk.fleet.cycle_length import CycleLength, cycle_length
from fleetdesk.fleet.fleet_state import STANDING, counts, edge_distances_m
from fleetdesk.fleet.history import History
from fleetdesk.model.fleet import VehicleNow
from fleetdesk.model.places import Parking
from fleetdesk.model.privacy import too_few
from fleetdesk.settings.schema import Settings

NOW = "now"


@dataclass(frozen=True, slots=True)
class Kpi:
    """One figure; `value` is None where nothing can be said, a count is an int.

    `window` is `now` or two local times.
    """

    group: str
    name: str
    value: float | None
    unit: str
    formula: str
    window: str


@dataclass(frozen=True, slots=True)
class KeyFigures:
    """All figures; the cycles of the window (features.cycles) and their survival curve."""

    kpis: tuple[Kpi, ...]
    ledger: pa.Table
    cycle_length: CycleLength


def kpis(
    tables: Mapping[str, Any],
    fleet: Sequence[VehicleNow],
    parkings: Sequence[Parking],
    settings: Settings,
    as_of: datetime,
) -> tuple[Kpi, ...]:
    """The figures of `key_figures` alone."""
    history = History(tables["events"], tables["trips"], as_of, tables["rider_swaps"])
    return key_figures(tables, fleet, parkings, settings, history).kpis


def key_figures(
    tables: Mapping[str, Any],
    fleet: Sequence[VehicleNow],
    parkings: Sequence[Parking],
    settings: Settings,
    history: History,
) -> KeyFigures:
    """All figures when the `history` ends, over the sheet's window of days before it.

    `tables` are the canonical tables by name, those of the history among them. Where it is shorter
    than the window, figures per day divide by the days that there are.
    """
    span = _span(tables, settings, history.as_of)
    trips = countable(priced(history.trips, settings.costs))
    cycle_rows, ledger, length = _cycles(history.ledger(settings), settings, span)
    rows = (
        *_fleet(fleet, settings),
        *_batteries(fleet, settings),
        *_parkings(fleet, parkings, settings),
        *_trips(trips, len(fleet), settings, span),
        *cycle_rows,
        *_service(tables["service_tasks"], trips, span, settings),
        *_riders(tables, settings, history.as_of),
    )
    return KeyFigures(rows, ledger, length)


@dataclass(frozen=True, slots=True)
class _Span:
    start: datetime
    end: datetime
    label: str

    @property
    def days(self) -> float:
        return (self.end - self.start).total_seconds() / 86_400.0

    @property
    def in_days(self) -> str:
        """The days in words: where the records begin later, not a whole number."""
        count = f"{self.days:.2f}".rstrip("0").rstrip(".")
        return f"{count} day" if count == "1" else f"{count} days"


def _span(tables: Mapping[str, Any], settings: Settings, as_of: datetime) -> _Span:
    """The window, cut to where the records begin."""
    start = as_of - timedelta(days=settings.city.window_days)
    firsts = [
        tables[name][column].min().to_pyarrow().as_py()
        for name, column in (("events", "event_at"), ("trips", "started_at"))
    ]
    known = [first.replace(tzinfo=UTC) for first in firsts if first is not None]
    start = max(start, min(known, default=start))
    zone = ZoneInfo(settings.city.timezone)
    label = f"{start.astimezone(zone):%Y-%m-%d %H:%M} to {as_of.astimezone(zone):%Y-%m-%d %H:%M}"
    return _Span(min(start, as_of), as_of, label)


def _fleet(fleet: Sequence[VehicleNow], settings: Settings) -> list[Kpi]:
    usable = settings.thresholds.usable_battery_pct
    causes = Counter(availability(vehicle, usable) for vehicle in fleet)
    size = len(fleet)
    idle = [vehicle.idle_h for vehicle in fleet if vehicle.rentable and vehicle.idle_h is not None]
    rows = [Kpi("Fleet", "Vehicles", size, "vehicles", "vehicles with any event", NOW)]
    rows += [
        Kpi("Fleet", _named(cause), _share(causes[cause], size), "%",
            f"{formula} / vehicles x 100", NOW)
        for cause, formula in FORMULA.items()
    ]  # fmt: skip
    rows.append(
        Kpi("Fleet", "Idle time", _mean(idle), "h",
            "mean hours since the last trip of vehicles with state available", NOW)
    )  # fmt: skip
    return rows


def _named(cause: Availability) -> str:
    return "Available" if cause is Availability.AVAILABLE else f"Not available: {cause.value}"


def _batteries(fleet: Sequence[VehicleNow], settings: Settings) -> list[Kpi]:
    low = settings.thresholds.low_battery_pct
    known = [vehicle.battery_pct for vehicle in fleet if vehicle.battery_pct is not None]
    below = sum(1 for battery in known if battery < low)
    return [
        Kpi("Batteries", "Mean charge", _mean(known), "%", "mean of the last known charges", NOW),
        Kpi("Batteries", "Below the low-battery threshold", _share(below, len(known)), "%",
            f"vehicles below {low:g} % / vehicles with a known charge x 100", NOW),
    ]  # fmt: skip


def _parkings(
    fleet: Sequence[VehicleNow], parkings: Sequence[Parking], settings: Settings
) -> list[Kpi]:
    limit = settings.thresholds.outside_m
    standing = [vehicle for vehicle in fleet if vehicle.vehicle_state in STANDING]
    outside: float | None = None
    short: float | None = None
    if parkings:
        outside = int((edge_distances_m(standing, parkings) > limit).sum())
        there = counts(fleet, parkings)
        short = sum(1 for parking in parkings if there[parking.parking_id] < parking.minimum)
    return [
        Kpi("Parkings", "Vehicles outside parkings", outside, "vehicles",
            f"standing vehicles more than {limit:g} m from the edge of every parking", NOW),
        Kpi("Parkings", "Parkings below minimum", short, "parkings",
            "parkings with fewer vehicles than their minimum", NOW),
    ]  # fmt: skip


def _trips(trips: Any, vehicles: int, settings: Settings, span: _Span) -> list[Kpi]:
    done = _done_in(trips, span)
    sums = _row(
        done.agg(
            trips=done.count(),
            gross=done.revenue.sum(),
            net=done.net_revenue.sum(),
            metres=done.distance_m.mean(),
            seconds=done.duration_s.mean(),
        )
    )
    money, n = settings.city.currency, sums["trips"]
    gross, net = sums["gross"] or 0.0, sums["net"] or 0.0
    figures = [
        ("Trips", "Trips", n, "trips", "trips in the window, without those across a feed gap"),
        ("Trips", "Trips per vehicle per day", _ratio(n, vehicles * span.days), "trips",
         f"trips / (vehicles x {span.in_days})"),
        ("Trips", "Mean trip distance", _scaled(sums["metres"], 1000.0), "km",
         "mean ridden distance"),
        ("Trips", "Mean trip duration", _scaled(sums["seconds"], 60.0), "min",
         "mean ridden time"),
        ("Revenue", "Gross revenue", gross, money, "sum of what riders pay for trips"),
        ("Revenue", "Net revenue", net, money,
         "gross revenue less sales tax, payment fee and cost per trip"),
        ("Revenue", "Gross revenue per trip", _ratio(gross, n), money, "gross revenue / trips"),
        ("Revenue", "Net revenue per trip", _ratio(net, n), money, "net revenue / trips"),
        ("Revenue", "Gross revenue per vehicle per day", _ratio(gross, vehicles * span.days),
         money, f"gross revenue / (vehicles x {span.in_days})"),
    ]  # fmt: skip
    return [Kpi(*figure, span.label) for figure in figures]


def _cycles(
    ledger: Any, settings: Settings, span: _Span
) -> tuple[list[Kpi], pa.Table, CycleLength]:
    rows = ledger.filter(ledger.ended_at > moment(span.start)).to_pyarrow()
    whole = rows.filter(rows["start_observed"])
    length = cycle_length(whole["entry_age_h"], whole["operational_h"], whole["event_observed"])
    hours, gross = sum(rows["operational_h"].to_pylist()), sum(rows["revenue"].to_pylist())
    basis = f"Kaplan-Meier over {length.ended} ended and {length.censored} censored cycles"
    figures = [
        ("Operating cycles", "Median length", length.median_h, "h",
         f"operational hours that half of the cycles last; {basis}"),
        ("Operating cycles", "Shorter than 12 h", _gone(length, 12.0), "%",
         f"share of cycles that end within 12 operational hours; {basis}"),
        ("Operating cycles", "Longer than 48 h", _beyond(length, 48.0), "%",
         f"share of cycles that last beyond 48 operational hours; {basis}"),
        ("Operating cycles", "Gross revenue per operational hour", _ratio(gross, hours),
         settings.city.currency,
         "gross revenue / operational hours of cycles that ended in the window or still run"),
    ]  # fmt: skip
    return [Kpi(*figure, span.label) for figure in figures], rows, length


def _service(tasks: Any, trips: Any, span: _Span, settings: Settings) -> list[Kpi]:
    done = tasks.filter(
        (tasks.completed_at >= moment(span.start)) & (tasks.completed_at <= moment(span.end))
    )
    sums = _row(done.agg(tasks=done.count(), priced=done.cost.count(), cost=done.cost.sum()))
    rides = _done_in(trips, span)
    gross = _row(rides.agg(gross=rides.revenue.sum()))["gross"] or 0.0
    money, cost = settings.city.currency, sums["cost"] or 0.0
    share = _ratio(100.0 * cost, gross)
    figures = [
        ("Service", "Tasks per day", _ratio(sums["tasks"], span.days), "tasks",
         f"completed tasks / {span.in_days}"),
        ("Service", "Cost of tasks", cost, money, "sum of the recorded costs"),
        ("Service", "Cost per task", _ratio(cost, sums["priced"]), money,
         "cost of tasks / tasks with a recorded cost"),
        ("Service", "Cost of tasks to gross revenue", share, "%",
         "cost of tasks / gross revenue x 100"),
    ]  # fmt: skip
    return [Kpi(*figure, span.label) for figure in figures]


def _riders(tables: Mapping[str, Any], settings: Settings, as_of: datetime) -> list[Kpi]:
    now, money = moment(as_of), settings.city.currency
    stays = tables["subscriptions"]
    running = stays.filter(
        (stays.started_at <= now) & (stays.ended_at.isnull() | (stays.ended_at > now))
    )
    rows = running.group_by("package").agg(riders=running.rider_id.nunique()).to_pyarrow()
    riders = {row["package"]: row["riders"] for row in rows.to_pylist()}
    prices = {package.name: package.monthly_price for package in settings.packages}
    revenue = sum(count * prices.get(name, 0.0) for name, count in sorted(riders.items()))
    names, least = sorted({*prices, *riders}), settings.riders.smallest_group
    held = [riders.get(name, 0) for name in names]
    hidden = too_few(held, least)
    unsaid = 0 < sum(held[i] for i in hidden) < least  # then the sum tells of them too
    few = f"; not shown, for fewer than {least} riders could be told from it"
    unpriced = sorted(set(riders) - set(prices))
    caveat = f"; no price in the sheet for {', '.join(unpriced)}" if unpriced else ""
    filed = tables["complaints"]
    still_open = filed.filter(
        (filed.filed_at <= now) & (filed.resolved_at.isnull() | (filed.resolved_at > now))
    )
    return [
        Kpi("Riders", "Monthly recurring revenue", None if unsaid else revenue, money,
            f"sum over packages of riders x monthly price{caveat}{few if unsaid else ''}", NOW),
        *(
            Kpi("Riders", f"Riders in {name}", None if i in hidden else held[i], "riders",
                f"riders whose subscription to it is running{few if i in hidden else ''}", NOW)
            for i, name in enumerate(names)
        ),
        Kpi("Riders", "Open complaints", _row(still_open.agg(n=still_open.count()))["n"],
            "complaints", "complaints filed and not resolved", NOW),
    ]  # fmt: skip


def _done_in(trips: Any, span: _Span) -> Any:
    return trips.filter(
        (trips.started_at >= moment(span.start)) & (trips.ended_at <= moment(span.end))
    )


def _row(expression: Any) -> dict[str, Any]:
    row: dict[str, Any] = expression.to_pyarrow().to_pylist()[0]
    return row


def _beyond(length: CycleLength, hours: float) -> float | None:
    share = length.share_beyond(hours)
    return None if share is None else 100.0 * share


def _gone(length: CycleLength, hours: float) -> float | None:
    beyond = _beyond(length, hours)
    return None if beyond is None else 100.0 - beyond


def _ratio(top: float, bottom: float) -> float | None:
    return top / bottom if bottom else None


def _share(part: float, whole: float) -> float | None:
    return _ratio(100.0 * part, whole)


def _scaled(value: float | None, by: float) -> float | None:
    return None if value is None else value / by


def _mean(values: Iterable[float]) -> float | None:
    known = list(values)
    return sum(known) / len(known) if known else None
