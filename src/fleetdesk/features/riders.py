"""What is known about each rider at a moment; the grain is one rider at one moment.

Nothing after the moment is looked at. What cannot be known is missing, never zero: a ratio whose
denominator is zero, a change against a time before the sign-up, a window that the records do not
reach back to. A rider who was there and did not ride has zero km.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import ibis

from fleetdesk.features.calendar import MONTH_D, calendar, hours_between, moment
from fleetdesk.features.nullable import nullable
from fleetdesk.features.rider_fleet import vehicle_facts
from fleetdesk.features.trips import countable, priced
from fleetdesk.settings.schema import Settings

WINDOWS_D = (30, 60, 90)
_REACH = timedelta(days=1)  # so much of a window's start the records may lack

DERIVED = (
    "usage_intensity", "efficiency_km_per_wh", "peak_pct", "consistency", "value_score",
    "engagement", "growth_pct", "weekend_index", "km_per_trip", "swap_efficiency_pct",
)  # fmt: skip
"""The guide's ten derived features."""
COLUMNS = (
    "rider_id", "at", "consent", "channel", "age_group", "package", "package_months",
    "tenure_months", "days_since_last_trip",
    "km_30d", "km_60d", "km_90d", "trips_30d", "trips_60d", "trips_90d",
    "swaps_30d", "swaps_60d", "swaps_90d", "spend_30d", "spend_60d", "spend_90d",
    "days_active_30d", "daily_km", "rides_per_week", "swaps_per_week", "monthly_spend",
    "avg_speed_kmh", "avg_trip_min", "km_per_swap", "price_per_km", "night_pct",
    "swap_change_pct", "speed_change_pct", "complaints_30d", "late_payments_30d",
    "payment_delay_days", "referrals", "start_battery_pct", "battery_health_pct", "uptime_pct",
    "swap_wait_min", *DERIVED,
)  # fmt: skip
"""In this order; units and meaning are told in docs/analyses/features.md."""


def riders_over(
    tables: Mapping[str, Any],
    moments: Sequence[datetime],
    settings: Settings,
    records_from: datetime | None = None,
) -> Any:
    """The rows of `riders_at` for several moments, one below the other."""
    first, *others = (nullable(riders_at(tables, at, settings, records_from)) for at in moments)
    return ibis.union(first, *others) if others else first


def riders_at(
    tables: Mapping[str, Any],
    at: datetime,
    settings: Settings,
    records_from: datetime | None = None,
) -> Any:
    """One row per rider who had signed up by the moment `at`, with COLUMNS.

    Takes the canonical tables; `records_from` is the first record's time where they do not reach
    back for ever: a window of which they lack more than a day is missing.
    """
    now = moment(at)
    riders = tables["riders"]
    riders = riders.filter(riders.signed_up_at <= now)
    rows = riders.select(
        "rider_id", "consent", "channel", "age_group", "referrals",
        tenure_days=hours_between(now, riders.signed_up_at) / 24.0,
    )  # fmt: skip
    for part in (
        _ridden(tables, at, settings),
        _by_day(tables, at),
        _swapped(tables, at),
        _paid(tables, at, settings.riders.late_after_days),
        _complained(tables, at),
        _package(tables, at),
    ):
        rows = rows.left_join(part, "rider_id").drop("rider_id_right")
    rows = _filled(rows, at, records_from)
    rows = _rates(rows, _reach_days(at, records_from))
    return _derived(rows, at, records_from).mutate(at=now).select(*COLUMNS)


# --- the parts, one row per rider who did something -----------------------------------------------


def _ridden(tables: Mapping[str, Any], at: datetime, settings: Settings) -> Any:
    """Sums over trips that had ended by the moment, by window and by kind of hour."""
    habits = settings.riders
    trips = priced(countable(tables["trips"]), settings.costs)
    trips = trips.filter(trips.rider_id.notnull() & (trips.ended_at <= moment(at)))
    last = trips.group_by("rider_id").agg(last_trip_at=trips.started_at.max())
    trips = trips.filter(trips.started_at > _ago(at, WINDOWS_D[-1]))
    trips = trips.select(
        "rider_id",
        "started_at",
        "revenue",
        "start_battery_pct",
        of=trips.vehicle_id,
        km=trips.distance_m / 1000.0,
        minutes=trips.duration_s / 60.0,
        hour_at=trips.started_at.truncate("h"),
    )
    hours = calendar(at - timedelta(days=WINDOWS_D[-1], hours=1), at, settings.city.timezone)
    hour = hours.local_hour
    morning = (hour >= habits.morning_peak_from_h) & (hour < habits.morning_peak_to_h)
    evening = (hour >= habits.evening_peak_from_h) & (hour < habits.evening_peak_to_h)
    hours = hours.select(
        "hour_at",
        "is_weekend",
        is_peak=(morning | evening) & ~hours.is_weekend,
        is_night=(hour >= habits.night_from_h) | (hour < habits.night_to_h),
    )
    facts = vehicle_facts(tables, at)
    trips = trips.inner_join(hours, "hour_at")
    trips = trips.left_join(facts, trips.of == facts.vehicle_id)
    new = {days: trips.started_at > _ago(at, days) for days in WINDOWS_D}
    month, before = new[30], ~new[30] & new[60]
    sums: dict[str, Any] = {}
    for days in WINDOWS_D:
        sums[f"km_{days}d"] = trips.km.sum(where=new[days])
        sums[f"trips_{days}d"] = trips.count(where=new[days])
        sums[f"trip_spend_{days}d"] = trips.revenue.sum(where=new[days])
    ridden = trips.group_by("rider_id").agg(
        **sums,
        km_before=trips.km.sum(where=before),
        minutes_30d=trips.minutes.sum(where=month),
        minutes_before=trips.minutes.sum(where=before),
        minutes_90d=trips.minutes.sum(),
        peak_km=trips.km.sum(where=trips.is_peak),
        night_km=trips.km.sum(where=trips.is_night),
        weekend_km=trips.km.sum(where=trips.is_weekend),
        weekday_km=trips.km.sum(where=~trips.is_weekend),
        start_battery_pct=trips.start_battery_pct.mean(),
        full_range_km=(trips.full_range_m / 1000.0).mean(),
        battery_capacity_wh=trips.battery_capacity_wh.mean(),
        battery_health_pct=trips.battery_health_pct.mean(),
        uptime_pct=trips.uptime_pct.mean(),
    )
    # An outer join of two tables by one key, spelt so that every engine takes it.
    return last.left_join(ridden, "rider_id").drop("rider_id_right")


def _by_day(tables: Mapping[str, Any], at: datetime) -> Any:
    """Days with rides among the last 30 days of 24 hours, and how far their km spread.

    The spread is summed around the mean of days with rides; days without are added by `_rates`.
    """
    trips = countable(tables["trips"])
    recent = trips.filter(
        trips.rider_id.notnull()
        & (trips.started_at > _ago(at, 30))
        & (trips.ended_at <= moment(at))
    )
    day = recent.mutate(day_no=(hours_between(moment(at), recent.started_at) / 24.0).floor())
    daily = day.group_by(["rider_id", "day_no"]).agg(km=(day.distance_m / 1000.0).sum())
    mine = ibis.window(group_by="rider_id")
    daily = daily.mutate(mean_km=daily.km.mean().over(mine))
    off = daily.km - daily.mean_km
    return daily.group_by("rider_id").agg(
        days_active_30d=daily.count(), active_day_km=daily.km.mean(), spread_km2=(off * off).sum()
    )


def _swapped(tables: Mapping[str, Any], at: datetime) -> Any:
    swaps = tables["rider_swaps"]
    swaps = swaps.filter((swaps.swapped_at <= moment(at)) & (swaps.swapped_at > _ago(at, 90)))
    new = {days: swaps.swapped_at > _ago(at, days) for days in WINDOWS_D}
    return swaps.group_by("rider_id").agg(
        **{f"swaps_{days}d": swaps.count(where=new[days]) for days in WINDOWS_D},
        swaps_before=swaps.count(where=~new[30] & new[60]),
        swap_wait_min=(swaps.wait_s / 60.0).mean(),
    )


def _paid(tables: Mapping[str, Any], at: datetime, late_after_days: float) -> Any:
    """What fell due for packages, and how late it came; what is unpaid is late until now."""
    payments = tables["payments"]
    due = payments.filter((payments.due_at <= moment(at)) & (payments.due_at > _ago(at, 90)))
    known = (due.paid_at <= moment(at)).fill_null(False)
    paid_at = known.ifelse(due.paid_at, moment(at))
    due = due.mutate(delay_days=(hours_between(paid_at, due.due_at) / 24.0).clip(lower=0.0))
    # The price of a trip stands with the trip.
    for_package = due.payment_kind == "package"
    return due.group_by("rider_id").agg(
        **{
            f"package_spend_{days}d": due.amount.sum(
                where=for_package & (due.due_at > _ago(at, days))
            )
            for days in WINDOWS_D
        },
        late_payments_30d=due.count(
            where=(due.delay_days > late_after_days) & (due.due_at > _ago(at, 30))
        ),
        payment_delay_days=due.delay_days.mean(),
    )


def _complained(tables: Mapping[str, Any], at: datetime) -> Any:
    complaints = tables["complaints"]
    filed = complaints.filter(
        complaints.rider_id.notnull()
        & (complaints.filed_at <= moment(at))
        & (complaints.filed_at > _ago(at, 30))
    )
    return filed.group_by("rider_id").agg(complaints_30d=filed.count())


def _package(tables: Mapping[str, Any], at: datetime) -> Any:
    """The package that runs at the moment; of several the one begun last."""
    stays = tables["subscriptions"]
    running = stays.filter(
        (stays.started_at <= moment(at)) & (stays.ended_at.isnull() | (stays.ended_at > moment(at)))
    )
    latest = ibis.window(
        group_by="rider_id", order_by=[running.started_at.desc(), running.subscription_id.desc()]
    )
    running = running.mutate(place=ibis.row_number().over(latest))
    running = running.filter(running.place == 0)
    months = hours_between(moment(at), running.started_at) / 24.0 / MONTH_D
    return running.select("rider_id", "package", package_months=months)


# --- from sums to features ------------------------------------------------------------------------


def _filled(rows: Any, at: datetime, records_from: datetime | None) -> Any:
    """Who did nothing did it zero times, as far as the records reach."""
    counts = {"complaints_30d": 30, "late_payments_30d": 30, "days_active_30d": 30}
    counts |= {f"{what}_{days}d": days for what in ("trips", "swaps") for days in WINDOWS_D}
    counts |= {"swaps_before": 60}
    amounts = {f"km_{days}d": days for days in WINDOWS_D}
    amounts |= {f"trip_spend_{days}d": days for days in WINDOWS_D}
    amounts |= {f"package_spend_{days}d": days for days in WINDOWS_D}
    amounts |= {"km_before": 60, "minutes_before": 60, "minutes_30d": 30, "minutes_90d": 90}
    amounts |= dict.fromkeys(("peak_km", "night_km", "weekend_km", "weekday_km"), 0)
    amounts |= {"active_day_km": 30, "spread_km2": 30}
    covered = {days: _covers(at, records_from, days) for days in (0, *WINDOWS_D)}
    return rows.mutate(
        **{
            f"all_{name}": rows[name].fill_null(0)
            for name in ("trips_90d", "swaps_90d", "trips_30d", "swaps_30d")
        },
        **{
            f"all_{name}": rows[name].fill_null(0.0) for name in ("km_90d", "km_30d", "minutes_90d")
        },
        **{
            name: rows[name].fill_null(0) if covered[days] else ibis.null("int64")
            for name, days in counts.items()
        },
        **{
            name: rows[name].fill_null(0.0) if covered[days] else ibis.null("float64")
            for name, days in amounts.items()
        },
        days_since_last_trip=hours_between(moment(at), rows.last_trip_at) / 24.0,
    )


def _rates(rows: Any, reach_days: float) -> Any:
    """Amounts per day, week and month of the days that were seen of the rider."""
    seen = ibis.least(rows.tenure_days, min(30.0, reach_days)).clip(lower=1.0)
    rows = rows.mutate(
        seen_days=seen,
        spend_30d=rows.trip_spend_30d + rows.package_spend_30d,
        spend_60d=rows.trip_spend_60d + rows.package_spend_60d,
        spend_90d=rows.trip_spend_90d + rows.package_spend_90d,
        active=rows.days_active_30d.cast("float64"),
        tenure_months=rows.tenure_days / MONTH_D,
    )
    # Days with rides spread around their own mean, those without lie at zero.
    days = ibis.greatest(rows.seen_days.ceil().cast("float64"), rows.active)
    mean = rows.active * rows.active_day_km / days
    between = rows.active * (rows.active_day_km - mean) * (rows.active_day_km - mean)
    variance = (rows.spread_km2 + between + (days - rows.active) * mean * mean) / _over(days - 1.0)
    return rows.mutate(
        daily_km=rows.km_30d / rows.seen_days,
        rides_per_week=rows.trips_30d / rows.seen_days * 7.0,
        swaps_per_week=rows.swaps_30d / rows.seen_days * 7.0,
        monthly_spend=rows.spend_30d / rows.seen_days * 30.0,
        mean_day_km=mean,
        daily_km_sd=variance.sqrt(),
        avg_speed_kmh=rows.all_km_90d / _over(rows.all_minutes_90d) * 60.0,
        avg_trip_min=rows.all_minutes_90d / _over(rows.all_trips_90d),
        km_per_swap=rows.all_km_90d / _over(rows.all_swaps_90d),
        price_per_km=rows.spend_30d / _over(rows.km_30d),
    )


def _derived(rows: Any, at: datetime, records_from: datetime | None) -> Any:
    """The guide's ten, with missing for what would be a division by zero, and the changes."""
    two_months = (
        (rows.tenure_days >= 60.0)
        if _covers(at, records_from, 60)
        else ibis.literal(False, "boolean")
    )
    speed = rows.km_30d / _over(rows.minutes_30d)
    speed_before = rows.km_before / _over(rows.minutes_before)
    used_wh = rows.swaps_30d * rows.battery_capacity_wh
    worth = rows.battery_health_pct / 100.0 * (rows.uptime_pct / 100.0)
    acts = rows.trips_30d + rows.swaps_30d + rows.referrals
    return rows.mutate(
        usage_intensity=rows.daily_km * rows.swaps_per_week * rows.avg_speed_kmh / 1000.0,
        efficiency_km_per_wh=rows.km_30d / _over(used_wh),
        peak_pct=rows.peak_km / _over(rows.all_km_90d) * 100.0,
        consistency=1.0 / (rows.daily_km_sd / _over(rows.mean_day_km) + 0.1),
        value_score=worth / _over(rows.monthly_spend),
        engagement=acts / _over(rows.days_active_30d),
        growth_pct=two_months.ifelse(_change_pct(rows.km_30d, rows.km_before), None),
        weekend_index=(rows.weekend_km / 2.0) / _over(rows.weekday_km / 5.0),
        km_per_trip=rows.all_km_90d / _over(rows.all_trips_90d),
        swap_efficiency_pct=rows.km_per_swap / _over(rows.full_range_km) * 100.0,
        night_pct=rows.night_km / _over(rows.all_km_90d) * 100.0,
        swap_change_pct=two_months.ifelse(_change_pct(rows.swaps_30d, rows.swaps_before), None),
        speed_change_pct=_change_pct(speed, speed_before),
    )


def _change_pct(now: Any, before: Any) -> Any:
    return (now - before) / _over(before) * 100.0


def _over(value: Any) -> Any:
    """A denominator: zero becomes missing, and so does what is divided by it."""
    return value.cast("float64").nullif(0.0)


def _covers(at: datetime, records_from: datetime | None, days: int) -> bool:
    return records_from is None or records_from <= at - timedelta(days=days) + _REACH or not days


def _reach_days(at: datetime, records_from: datetime | None) -> float:
    if records_from is None:
        return float(WINDOWS_D[-1])
    return max(1.0, (at - records_from) / timedelta(days=1))


def _ago(at: datetime, days: int) -> Any:
    return moment(at - timedelta(days=days))
