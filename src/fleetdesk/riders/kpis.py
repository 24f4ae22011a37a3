"""Key figures about riders, usage, money and service, each with its formula in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fleetdesk.features.calendar import calendar, moment
from fleetdesk.features.rider_fleet import vehicle_facts
from fleetdesk.features.stays import cancellations
from fleetdesk.features.trips import countable, priced
from fleetdesk.settings.schema import Settings

WINDOW_DAYS = 30
RATING_DAYS = 90
MOST_MONTHS = 6
_LACKING = timedelta(days=1)  # of a window's start the records may lack so much
_FULL = 100.0


@dataclass(frozen=True, slots=True)
class RiderKpi:
    """One figure; `value` is None where nothing can be said, `window` local dates.

    `riders` are those whom it tells of; None where it is about the fleet.
    """

    group: str
    name: str
    value: float | None
    unit: str
    formula: str
    riders: int | None
    window: str


def rider_kpis(
    tables: Mapping[str, Any],
    settings: Settings,
    as_of: datetime,
    values: Sequence[float] = (),
    reach: str = "",
) -> tuple[RiderKpi, ...]:
    """All figures over the last 30 days before `as_of` (UTC-aware), or the days that there are.

    `tables` are the canonical tables by name. Figures per month are scaled to 30 days. `values` are
    what riders are still worth, as far as it is known; `reach` says over how long, where it is less
    than the sheet asks for.
    """
    span = _span(tables, as_of)
    trips = priced(countable(tables["trips"]), settings.costs)
    trips = trips.filter(
        (trips.started_at >= moment(span.start)) & (trips.ended_at <= moment(span.end))
    )
    usage = _usage(trips, settings, span)
    money = _money(tables, trips, settings, span)
    label = span.label(settings.city.timezone)
    rows = (
        *_customers(usage, money, values, reach, tables, settings, span),
        *_riding(usage, tables, span),
        *_financial(usage, money, tables, settings, span),
        *_operations(usage, tables, span),
    )
    return tuple(RiderKpi(*row, label) for row in rows)


def rider_months(
    tables: Mapping[str, Any], settings: Settings, as_of: datetime, latest: tuple[RiderKpi, ...]
) -> tuple[tuple[RiderKpi, ...], ...]:
    """The figures of each 30 days that the records cover whole, oldest first, six at most.

    The last are those of `rider_kpis` at `as_of`, given as `latest`.
    """
    first = _first_trip(tables)
    before = []
    for ago in range(1, MOST_MONTHS):
        until = as_of - ago * timedelta(days=WINDOW_DAYS)
        if first is None or first > until - timedelta(days=WINDOW_DAYS) + _LACKING:
            break
        before.append(rider_kpis(tables, settings, until))
    return (*reversed(before), latest)


@dataclass(frozen=True, slots=True)
class _Span:
    start: datetime
    end: datetime

    @property
    def days(self) -> float:
        return (self.end - self.start).total_seconds() / 86_400.0

    @property
    def months(self) -> float:
        return self.days / WINDOW_DAYS

    def label(self, timezone: str) -> str:
        zone = ZoneInfo(timezone)
        return f"{self.start.astimezone(zone):%Y-%m-%d} to {self.end.astimezone(zone):%Y-%m-%d}"


_Row = tuple[str, str, float | None, str, str, int | None]


def _span(tables: Mapping[str, Any], as_of: datetime) -> _Span:
    start = as_of - timedelta(days=WINDOW_DAYS)
    first = _first_trip(tables)
    if first is not None:
        start = max(start, first)
    return _Span(min(start, as_of), as_of)


def _first_trip(tables: Mapping[str, Any]) -> datetime | None:
    first = tables["trips"].started_at.min().to_pyarrow().as_py()
    return None if first is None else first.replace(tzinfo=UTC)


def _usage(trips: Any, settings: Settings, span: _Span) -> dict[str, Any]:
    """Sums over the window's trips; those without a rider count for the fleet only."""
    habits = settings.riders
    hours = calendar(span.start, span.end, settings.city.timezone)
    hour = hours.local_hour
    morning = (hour >= habits.morning_peak_from_h) & (hour < habits.morning_peak_to_h)
    evening = (hour >= habits.evening_peak_from_h) & (hour < habits.evening_peak_to_h)
    hours = hours.select("hour_at", is_peak=(morning | evening) & ~hours.is_weekend)
    at_hour = trips.mutate(hour_at=trips.started_at.truncate("h")).inner_join(hours, "hour_at")
    named = at_hour.rider_id.notnull()
    return _row(
        at_hour.agg(
            trips=at_hour.count(),
            riders=at_hour.rider_id.nunique(),
            vehicles=at_hour.vehicle_id.nunique(),
            named_trips=at_hour.count(where=named).fill_null(0),
            named_km=(at_hour.distance_m / 1000.0).sum(where=named),
            peak_km=(at_hour.distance_m / 1000.0).sum(where=at_hour.is_peak),
            off_km=(at_hour.distance_m / 1000.0).sum(where=~at_hour.is_peak),
            ridden_s=at_hour.duration_s.sum(),
        )
    )


def _money(
    tables: Mapping[str, Any], trips: Any, settings: Settings, span: _Span
) -> dict[str, Any]:
    rides = _row(
        trips.agg(
            gross=trips.revenue.sum(where=trips.rider_id.notnull()),
            net=trips.net_revenue.sum(where=trips.rider_id.notnull()),
        )
    )
    due = tables["payments"]
    due = due.filter(
        (due.due_at >= moment(span.start))
        & (due.due_at <= moment(span.end))
        & (due.payment_kind == "package")
    )
    packages = _row(due.agg(gross=due.amount.sum()))["gross"] or 0.0
    kept = 1.0 / (1.0 + settings.costs.vat_pct / _FULL) - settings.costs.payment_fee_pct / _FULL
    return {
        "gross": (rides["gross"] or 0.0) + packages,
        "net": (rides["net"] or 0.0) + kept * packages,
    }


def _customers(
    usage: dict[str, Any], money: dict[str, Any], values: Sequence[float], reach: str,
    tables: Mapping[str, Any], settings: Settings, span: _Span,
) -> list[_Row]:  # fmt: skip
    currency = settings.city.currency
    riders = tables["riders"]
    new = _count(
        riders.filter(
            (riders.signed_up_at >= moment(span.start)) & (riders.signed_up_at <= moment(span.end))
        )
    )
    active = usage["riders"]
    arpu = _ratio(money["gross"], active * span.months)
    spent = settings.next_best.marketing_per_month
    cac = _ratio(spent * span.months, new) if spent else None
    margin = _ratio(money["net"], active * span.months)
    worth = _ratio(math.fsum(values), len(values))
    reach = f"; {reach}" if reach else ""
    score, low, high, answers, people = _promoters(tables["ratings"], span)
    interval = f"; {answers} answers, 95 % {low:+.0f} to {high:+.0f}" if score is not None else ""
    return [
        ("Customers", "Monthly active riders", active, "riders",
         "riders with a trip in the window", active),
        ("Customers", "New riders a month", _ratio(new, span.months), "riders",
         "sign-ups in the window, per 30 days", new),
        ("Customers", "Average revenue per rider", arpu, currency,
         "gross revenue of trips with a rider and of packages / active riders, per 30 days",
         active),
        ("Customers", "Customer acquisition cost", cac, currency,
         "Next best: Marketing a month / sign-ups a month; empty while marketing is 0", new),
        ("Customers", "CAC payback", _ratio(cac, margin) if cac is not None else None, "months",
         "customer acquisition cost / gross margin per rider a month", min(new, active)),
        ("Customers", "Customer lifetime value", worth, currency,
         f"mean of what riders are still worth, as on the sheet Rider value{reach}", len(values)),
        ("Customers", "Lifetime value to acquisition cost",
         _ratio(worth, cac) if worth is not None else None, "ratio",
         f"customer lifetime value / customer acquisition cost; above 3 is sound{reach}",
         min(new, len(values))),
        ("Customers", "Net promoter score", score, "points",
         f"% of scores 9 and 10 less % of 0 to 6, last {RATING_DAYS} days{interval}", people),
    ]  # fmt: skip


def _riding(usage: dict[str, Any], tables: Mapping[str, Any], span: _Span) -> list[_Row]:
    swaps = _in(tables["rider_swaps"], "swapped_at", span)
    sums = _row(
        swaps.agg(
            swaps=swaps.count(),
            riders=swaps.rider_id.nunique(),
            used=(_FULL - swaps.battery_before_pct).mean(),
        )
    )
    active, months = usage["riders"], span.months
    return [
        ("Usage", "Km per rider a month", _ratio(usage["named_km"] or 0.0, active * months), "km",
         "km of trips with a rider / active riders, per 30 days", active),
        ("Usage", "Trips per rider a month", _ratio(usage["named_trips"], active * months),
         "trips", "trips with a rider / active riders, per 30 days", active),
        ("Usage", "Swaps per rider a month", _ratio(sums["swaps"], active * months), "swaps",
         "battery swaps by riders / active riders, per 30 days", sums["riders"]),
        ("Usage", "Battery used between swaps", sums["used"], "%",
         "mean of 100 - charge of the battery handed in", sums["riders"]),
        ("Usage", "Peak to off-peak", _ratio(usage["peak_km"] or 0.0, usage["off_km"] or 0.0),
         "ratio", "km in the peak hours of the sheet Riders / km at other times", None),
    ]  # fmt: skip


def _financial(
    usage: dict[str, Any], money: dict[str, Any], tables: Mapping[str, Any], settings: Settings,
    span: _Span,
) -> list[_Row]:  # fmt: skip
    currency, stays = settings.city.currency, tables["subscriptions"]
    end = moment(span.end)
    ends = cancellations(tables, span.start, span.end)
    sums = _row(ends.agg(held=ends.held.sum(), gone=ends.gone.sum()))
    held, gone = int(sums["held"] or 0), int(sums["gone"] or 0)
    share = _ratio(gone, held) if span.months else None
    # A churn of less or more than 30 days is brought to 30 by compounding.
    monthly = None if share is None else 1 - (1 - share) ** (1 / span.months)
    running = stays.filter(
        (stays.started_at <= end) & (stays.ended_at.isnull() | (stays.ended_at > end))
    )
    holders = running.group_by("package").agg(riders=running.rider_id.nunique()).to_pyarrow()
    held_now = {row["package"]: row["riders"] for row in holders.to_pylist()}
    recurring = sum(p.monthly_price * held_now.get(p.name, 0) for p in settings.packages)
    margin = _ratio(money["net"], usage["riders"] * span.months)
    return [
        ("Money", "Monthly recurring revenue", recurring, currency,
         "sum over packages of riders in it x monthly price of the sheet", sum(held_now.values())),
        ("Money", "Gross margin per rider a month", margin, currency,
         "revenue less sales tax, payment fee and cost per trip / active riders, per 30 days",
         usage["riders"]),
        ("Money", "Churn a month", None if monthly is None else _FULL * monthly, "%",
         f"packages cancelled / the {held} running at the window's start, per 30 days", held),
        ("Money", "Churn a year", None if monthly is None else _FULL * (1 - (1 - monthly) ** 12),
         "%", "1 - (1 - churn a month) ^ 12", held),
    ]  # fmt: skip


def _operations(usage: dict[str, Any], tables: Mapping[str, Any], span: _Span) -> list[_Row]:
    swaps = _in(tables["rider_swaps"], "swapped_at", span)
    waits = _row(
        swaps.agg(
            mean=swaps.wait_s.mean(), late=swaps.wait_s.quantile(0.9),
            riders=swaps.rider_id.nunique(),
        )
    )  # fmt: skip
    filed = _in(tables["complaints"], "filed_at", span)
    done = _in(tables["complaints"], "resolved_at", span)
    took = (done.resolved_at.delta(done.filed_at, unit="second")).cast("float64") / 3600.0
    solved = _row(done.agg(mean=took.mean(), people=_people(done)))
    facts = vehicle_facts(tables, span.end)
    uptime = _row(facts.agg(mean=facts.uptime_pct.mean()))["mean"]
    hours = usage["vehicles"] * span.days * 24.0
    return [
        ("Operations", "Swap wait, mean", _scaled(waits["mean"], 60.0), "min",
         "mean time that riders waited at swaps", waits["riders"]),
        ("Operations", "Swap wait, nine in ten", _scaled(waits["late"], 60.0), "min",
         "90th percentile of the waits", waits["riders"]),
        ("Operations", "Vehicle uptime", uptime, "%",
         "mean over vehicles of the share of time that they could be rented or were ridden",
         None),
        ("Operations", "Vehicle utilisation", _share((usage["ridden_s"] or 0.0) / 3600.0, hours),
         "%", "ridden hours / (vehicles with a trip x hours of the window) x 100", None),
        ("Operations", "Trips per ridden vehicle a day",
         _ratio(usage["trips"], usage["vehicles"] * span.days), "trips",
         "trips / (vehicles with a trip x days)", None),
        ("Operations", "Complaint rate", _ratio(1000.0 * _count(filed), usage["trips"]),
         "per 1,000 trips", "complaints filed / trips x 1,000", None),
        ("Operations", "Resolution time", solved["mean"], "h",
         "mean hours from filing to settling, of complaints settled in the window",
         solved["people"]),
    ]  # fmt: skip


def _promoters(ratings: Any, span: _Span) -> tuple[float | None, float, float, int, int]:
    """Net promoter score, its 95 % interval (normal, three-valued score), answers and people."""
    since = span.end - timedelta(days=RATING_DAYS)
    rows = ratings.filter(
        (ratings.rated_at > moment(since)) & (ratings.rated_at <= moment(span.end))
    )
    sums = _row(
        rows.agg(
            n=rows.count(), people=_people(rows), up=rows.count(where=rows.score >= 9),
            down=rows.count(where=rows.score <= 6),
        )
    )  # fmt: skip
    n = sums["n"]
    if not n:
        return None, 0.0, 0.0, 0, 0
    up, down = sums["up"] / n, sums["down"] / n
    error = math.sqrt(max(up + down - (up - down) ** 2, 0.0) / n)
    middle = _FULL * (up - down)
    return middle, middle - 196 * error, middle + 196 * error, n, sums["people"]


def _in(table: Any, column: str, span: _Span) -> Any:
    at = table[column]
    return table.filter((at >= moment(span.start)) & (at <= moment(span.end)))


def _people(rows: Any) -> Any:
    """How many stand behind the rows; whoever is not named counts as somebody else."""
    return rows.rider_id.nunique() + rows.rider_id.isnull().sum().coalesce(0)


def _count(expression: Any) -> int:
    return int(expression.count().to_pyarrow().as_py())


def _row(expression: Any) -> dict[str, Any]:
    row: dict[str, Any] = expression.to_pyarrow().to_pylist()[0]
    return row


def _ratio(top: float, bottom: float | None) -> float | None:
    return top / bottom if bottom else None


def _share(part: float, whole: float) -> float | None:
    return _ratio(_FULL * part, whole)


def _scaled(value: float | None, by: float) -> float | None:
    return None if value is None else value / by
