"""The records of a simulated city, one UTC day at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pyarrow as pa

from fleetdesk.model.mds import VehicleState
from fleetdesk.simulation import records
from fleetdesk.simulation.city import CitySpec
from fleetdesk.simulation.engine import City, World, build_city, open_city, run_hour
from fleetdesk.simulation.log import Log
from fleetdesk.simulation.marketing import offers_table, ratings_table
from fleetdesk.simulation.riders import all_subscriptions
from fleetdesk.simulation.telemetry import Pings, draw_pings, join, telemetry_table
from fleetdesk.simulation.workshop import battery_checks_table

_SILENT = (
    VehicleState.ON_TRIP,
    VehicleState.REMOVED,
    VehicleState.NON_CONTACTABLE,
    VehicleState.MISSING,
)


@dataclass(frozen=True)
class DayBatch:
    """One UTC day: canonical table name -> rows of that day.

    The last batch also carries what reaches back before the first day: `subscriptions`, which are
    known only at the end, `offers_made` and `battery_checks`.
    """

    day: date
    tables: Mapping[str, pa.Table]


def generate(
    spec: CitySpec, seed: int, on_progress: Callable[[int, int], None] | None = None
) -> Iterator[DayBatch]:
    """Run the city and yield its records day by day; the same spec and seed give the same bytes.

    `on_progress` gets (days done, days in all). Memory does not grow with the days.
    """
    city = build_city(spec, seed)
    world = open_city(city)
    clerk = _Clerk(city)
    hours = spec.length_s // 3600
    for day in range(spec.days):
        last_hour = min(hours, 24 * (day + 1))
        for hour in range(24 * day, last_hour):
            run_hour(world, hour)
        tables = clerk.close_day(world, day, last_hour)
        if day == spec.days - 1:
            rows = all_subscriptions(world.riders)
            tables["subscriptions"] = records.subscriptions_table(city, rows)
            tables["offers_made"] = offers_table(city)
            tables["battery_checks"] = battery_checks_table(city)
        yield DayBatch(spec.first_day + timedelta(days=day), tables)
        if on_progress:
            on_progress(day + 1, spec.days)


def dimensions(spec: CitySpec, seed: int) -> dict[str, pa.Table]:
    """The tables `vehicles`, `parkings` and `riders`; riders who sign up later are included."""
    return records.dimension_tables(build_city(spec, seed))


@dataclass
class _Clerk:
    """Cuts the log into days; what reaches past midnight waits for the next day."""

    city: City
    waiting: Log = field(default_factory=Log)
    pings: Pings | None = None
    numbers: dict[str, int] = field(default_factory=dict)

    def close_day(self, world: World, day: int, last_hour: int) -> dict[str, pa.Table]:
        end = last_hour * 3600
        self._close_stretches(world, end)
        log, world.log = world.log, Log()
        tables = {"weather": records.weather_table(self.city, 24 * day, last_hour)}

        events = self._cut(log, "events", "at", end)
        first = self._number("events", len(events))
        tables["events"] = records.events_table(self.city, events, day, first)
        # A trip still under way when the records stop is not recorded yet.
        length = self.city.spec.length_s
        trips = [row for row in self._cut(log, "trips", "started", end) if row.ended < length]
        tables["trips"] = records.trips_table(self.city, trips)
        for name, rows, moment in (
            ("service_tasks", "tasks", "completed"),
            ("payments", "payments", "due"),
            ("rider_swaps", "rider_swaps", "at"),
            ("complaints", "complaints", "filed"),
        ):
            todays = self._cut(log, rows, moment, end)
            first = self._number(name, len(todays))
            tables[name] = records.TABLE_MAKERS[name](self.city, todays, first)

        tables["ratings"] = ratings_table(
            self.city, world.riders, day, end, self.numbers.get("ratings", 1)
        )
        self._number("ratings", tables["ratings"].num_rows)

        drawn = draw_pings(self.city, log.stretches)
        todays_pings, self.pings = (join(self.pings, drawn) if self.pings else drawn).before(end)
        tables["telemetry"] = telemetry_table(self.city, todays_pings, day)
        return tables

    def _close_stretches(self, world: World, end: int) -> None:
        fleet = world.fleet
        for vehicle, state in enumerate(fleet.state):
            if state not in _SILENT and fleet.stretch_since[vehicle] < end:
                fleet.cut_stretch(world.log, self.city.build, vehicle, end)

    def _cut(self, log: Log, name: str, moment: str, end: int) -> list[Any]:
        rows = sorted(
            getattr(self.waiting, name) + getattr(log, name), key=lambda row: getattr(row, moment)
        )
        setattr(self.waiting, name, [row for row in rows if getattr(row, moment) >= end])
        return [row for row in rows if getattr(row, moment) < end]

    def _number(self, name: str, count: int) -> int:
        first = self.numbers.get(name, 1)
        self.numbers[name] = first + count
        return first
