"""Which day is planned, as of when, and who works on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from fleetdesk.model.places import Parking, Point
from fleetdesk.model.work import Break, Van
from fleetdesk.settings.schema import City, Settings, Worker

DEFAULT_START = time(8, 0)


@dataclass(frozen=True, slots=True)
class Moment:
    """`as_of` is the last moment that may be known, `starts_at` when work begins (UTC-aware).

    Work begins with the first shift; where the `rest` of a day is planned, at the time asked for.
    """

    day: date
    as_of: datetime
    starts_at: datetime
    rest: bool = False


def moment(settings: Settings, last_record: datetime, planned: date | None = None) -> Moment:
    """The moment that the City sheet asks for; without a day, the next shift after the last record.

    Where the rest of a day is asked for, it is that of the day last `planned`, unless the City
    sheet names another or there are records of a later one. Nothing after `as_of` is used, so that
    planning a past day is an honest replay.
    """
    city = settings.city
    zone = ZoneInfo(city.timezone)
    rest_from = settings.travel.rest_from
    last_day = last_record.astimezone(zone).date()
    if rest_from and planned and planned == (city.plan_day or max(planned, last_day)):
        starts_at = _at(planned, rest_from, zone)
        if starts_at > shift_start(settings, planned):
            as_of = _last_at(city, min(starts_at, last_record), zone)
            return Moment(planned, as_of, starts_at, rest=True)
    if city.plan_day is not None:
        starts_at = shift_start(settings, city.plan_day)
        return Moment(city.plan_day, _last_at(city, min(starts_at, last_record), zone), starts_at)
    as_of = _last_at(city, last_record, zone)
    day = as_of.astimezone(zone).date()
    if shift_start(settings, day) < as_of:
        day += timedelta(days=1)
    return Moment(day, as_of, shift_start(settings, day))


def shift_start(settings: Settings, day: date) -> datetime:
    """When the first shift of a day begins (UTC-aware)."""
    start = min((w.shift_start for w in _working(settings)), default=DEFAULT_START)
    return _at(day, start, ZoneInfo(settings.city.timezone))


def vans(settings: Settings, day: date) -> tuple[Van, ...]:
    """The active workers' vans with their shifts on `day`."""
    zone = ZoneInfo(settings.city.timezone)
    return tuple(_van(worker, day, zone, settings) for worker in _working(settings))


def parkings(settings: Settings) -> tuple[Parking, ...]:
    """The parkings in use."""
    return tuple(
        Parking(
            row.parking_id, row.name, Point(row.lat, row.lon), row.radius_m,
            row.capacity, row.minimum, row.target,
        )
        for row in settings.parkings
        if row.active
    )  # fmt: skip


def _working(settings: Settings) -> Sequence[Worker]:
    return [worker for worker in settings.workers if worker.active]


def _van(worker: Worker, day: date, zone: ZoneInfo, settings: Settings) -> Van:
    travel = settings.travel
    base = Point(worker.start_lat, worker.start_lon)
    end = base
    if worker.end_lat is not None and worker.end_lon is not None:
        end = Point(worker.end_lat, worker.end_lon)
    breaks: tuple[Break, ...] = ()
    if worker.break_from is not None and worker.break_until is not None and worker.break_min:
        window = (_at(day, worker.break_from, zone), _at(day, worker.break_until, zone))
        breaks = (Break(*window, round(60 * worker.break_min)),)
    return Van(
        worker=worker.name,
        start=base,
        end=end,
        shift_start=_at(day, worker.shift_start, zone),
        shift_end=_at(day, worker.shift_end, zone),
        battery_capacity=worker.batteries,
        vehicle_capacity=worker.vehicles,
        cost_per_h=worker.cost_per_h,
        cost_per_km=worker.cost_per_km,
        speed_kmh=worker.speed_kmh,
        email=worker.email,
        skills=frozenset(words(worker.skills)),
        breaks=breaks,
        overtime_s=round(60 * travel.overtime_min),
        overtime_per_h=worker.cost_per_h * travel.overtime_extra_pct / 100,
        reload_at=tuple(dict.fromkeys((base, end))),
        reload_s=round(60 * travel.reload_min),
        max_reloads=travel.most_reloads,
    )


def words(text: str) -> tuple[str, ...]:
    """What a cell lists with commas between."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _last_at(city: City, last_record: datetime, zone: ZoneInfo) -> datetime:
    """The last record, or the last time before it when the clock showed the snapshot time."""
    if city.snapshot_time is None:
        return last_record
    day = last_record.astimezone(zone).date()
    seen = _at(day, city.snapshot_time, zone)
    return seen if seen <= last_record else _at(day - timedelta(days=1), city.snapshot_time, zone)


def _at(day: date, clock: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, clock, tzinfo=zone).astimezone(UTC)
