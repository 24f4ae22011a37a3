"""A fleet's records made up a day at a time, as many as asked: plain, dense and the same each time.

Nothing is learnt from it; it only has the shape of real tables: vehicles that ride, run low, are
taken in and come back, and a ping every few minutes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from fleetdesk.features.cells import geohash_many
from fleetdesk.model.tables import EVENTS, TELEMETRY, TRIPS
from fleetdesk.store.open import open_any

FIRST_DAY = datetime(2026, 1, 5)
# The mix of a year of a real fleet: 25 million pings, 493 thousand trips, 1.09 million events.
TRIPS_PER_PING = 493_000 / 25_000_000
SERVICE_DAYS = 3
DAY_S = 86_400
OPENS_S, CLOSES_S = 6 * 3600, 23 * 3600
PLACES = 400
USE_PCT = 4.0
FULL_PCT = 96.0


@dataclass(frozen=True)
class Size:
    """How much to make up; `pings` per vehicle and day."""

    vehicles: int
    days: int
    pings: int = 288

    @classmethod
    def of(cls, rows: int, days: int) -> Size:
        """The size with about so many pings."""
        return cls(max(10, round(rows / days / 288)), days)


def write_history(folder: Path, size: Size, seed: int) -> dict[str, int]:
    """Make the records up in a new store of this computer; returns rows per table."""
    counts: dict[str, int] = {}
    with open_any("", folder, create=True) as store, store.new_generation("made up") as generation:
        for tables in days(size, seed):
            for name, rows in tables.items():
                generation.append(name, rows)
                counts[name] = counts.get(name, 0) + rows.num_rows
    return counts


def days(size: Size, seed: int) -> Iterator[dict[str, pa.Table]]:
    """Each day's telemetry, trips and events."""
    draw = np.random.default_rng(seed)
    lat, lon = 40.6 + draw.normal(0, 0.03, PLACES), 22.9 + draw.normal(0, 0.04, PLACES)
    city = _City(size, lat, lon, geohash_many(lat, lon, 7), draw)
    place = draw.integers(0, PLACES, size.vehicles)
    battery = draw.uniform(40, FULL_PCT, size.vehicles)
    for day in range(size.days):
        tables, place, battery = city.day(day, place, battery)
        yield tables


@dataclass(frozen=True)
class _City:
    size: Size
    lat: Any
    lon: Any
    cell: Any
    draw: np.random.Generator

    def day(self, day: int, place: Any, battery: Any) -> tuple[dict[str, pa.Table], Any, Any]:
        """One day from where vehicles stand and what their batteries hold; returns both after."""
        n = self.size.vehicles
        ids = np.array([f"V{number:05d}" for number in range(n)])
        served = np.flatnonzero((np.arange(n) + day) % SERVICE_DAYS == 0)
        low = battery[served].copy()
        battery = battery.copy()
        battery[served] = FULL_PCT
        wanted = self.draw.poisson(self.size.pings * TRIPS_PER_PING, n)
        rides = np.minimum(wanted, ((battery - 8.0) / USE_PCT).astype(int)).clip(0)
        who = np.repeat(np.arange(n), rides)
        nth = np.arange(len(who)) - np.repeat(np.cumsum(rides) - rides, rides)
        slot = (CLOSES_S - OPENS_S) / rides[who]
        start = OPENS_S + slot * (nth + self.draw.uniform(0, 0.4, len(who)))
        ridden = np.minimum(self.draw.gamma(2.0, 300.0, len(who)) + 60.0, slot * 0.55)
        goal = self.draw.integers(0, PLACES, len(who))
        origin = np.where(nth == 0, place[who], np.roll(goal, 1))
        before = battery[who] - USE_PCT * nth
        trips = self._trips(day, ids, who, nth, start, ridden, origin, goal, before)
        events = self._events(day, ids, who, trips, served, place, low, origin, goal, before)
        telemetry = self._telemetry(day, ids, place, battery, rides, served, low)
        place, battery = place.copy(), battery - USE_PCT * rides
        ends = np.cumsum(rides) - 1
        place[rides > 0] = goal[ends[rides > 0]]
        return {"trips": trips, "events": events, "telemetry": telemetry}, place, battery

    def _trips(
        self, day: int, ids: Any, who: Any, nth: Any, start: Any, ridden: Any, origin: Any,
        goal: Any, before: Any,
    ) -> pa.Table:  # fmt: skip
        names = np.char.add(
            np.char.add(ids[who], f"-{day:04d}-"), np.char.zfill(nth.astype(str), 3)
        )
        columns = {
            "trip_id": names,
            "vehicle_id": ids[who],
            "rider_id": np.char.add("R", (who * 31 + nth * 7 + day).astype(str)),
            "started_at": _at(day, start),
            "ended_at": _at(day, start + ridden),
            "start_lat": self.lat[origin],
            "start_lon": self.lon[origin],
            "end_lat": self.lat[goal],
            "end_lon": self.lon[goal],
            "start_cell": self.cell[origin],
            "end_cell": self.cell[goal],
            "distance_m": ridden * 3.5,
            "duration_s": ridden,
            "start_battery_pct": before,
            "end_battery_pct": before - USE_PCT,
            "revenue": np.where(nth % 10 == 0, np.nan, 1.0 + ridden / 60 * 0.2),
            "inferred": np.zeros(len(who), bool),
        }
        return _table(TRIPS, columns)

    def _events(
        self, day: int, ids: Any, who: Any, trips: pa.Table, served: Any, place: Any, low: Any,
        origin: Any, goal: Any, before: Any,
    ) -> pa.Table:  # fmt: skip
        """The start and end of each trip, and three events of each service early in the day."""
        rode, m = len(who), len(served)
        service = [
            ("non_operational", "battery_low", 3 * 3600, low),
            ("removed", "maintenance_pick_up", 4 * 3600, low),
            ("available", "provider_drop_off", 5 * 3600, np.full(m, FULL_PCT)),
        ]
        started, ended = (np.asarray(trips[name]) for name in ("started_at", "ended_at"))
        late = served * 3.0  # not all at once
        kinds = [
            ("on_trip", "trip_start", who, started, origin, before),
            ("available", "trip_end", who, ended, goal, before - USE_PCT),
            *(
                (state, types, served, _at(day, at + late), place[served], charge)
                for state, types, at, charge in service
            ),
        ]
        trip_ids = trips["trip_id"].to_numpy(zero_copy_only=False)
        parts = []
        for number, (state, types, vehicle, at, where, charge) in enumerate(kinds):
            count = len(vehicle)
            head = trip_ids if count == rode and number < 2 else np.char.add(
                ids[vehicle], f"-{day:04d}"
            )  # fmt: skip
            columns = {
                "event_id": np.char.add(head.astype(str), f"-{number}"),
                "vehicle_id": ids[vehicle],
                "event_at": at,
                "vehicle_state": np.full(count, state),
                "event_types": np.full(count, types),
                "lat": self.lat[where],
                "lon": self.lon[where],
                "cell": self.cell[where],
                "battery_pct": charge,
                "trip_id": head.astype(str) if number < 2 else np.full(count, ""),
            }
            parts.append(_table(EVENTS, columns))
        return pa.concat_tables(parts)

    def _telemetry(
        self, day: int, ids: Any, place: Any, battery: Any, rides: Any, served: Any, low: Any
    ) -> pa.Table:
        n, pings = self.size.vehicles, self.size.pings
        rows = n * pings
        step = DAY_S / pings
        at = np.tile(np.arange(pings) * step, n) + self.draw.uniform(0, step * 0.9, rows)
        share = np.tile(np.arange(pings) / pings, n)
        noise = self.draw.normal(0, 5e-5, (2, rows))
        charge = np.repeat(battery, pings) - np.repeat(rides * USE_PCT, pings) * share
        # Vehicles that are served show their old charge until they are put down again.
        back, old = np.zeros(n), np.zeros(n)
        back[served], old[served] = 5 * 3600 + served * 3.0, low
        charge = np.where(at < np.repeat(back, pings), np.repeat(old, pings), charge)
        locked = self.draw.random(rows) < 0.9
        columns = {
            "vehicle_id": np.repeat(ids, pings),
            "recorded_at": _at(day, at),
            "lat": np.repeat(self.lat[place], pings) + noise[0],
            "lon": np.repeat(self.lon[place], pings) + noise[1],
            "speed_kmh": np.where(locked, 0.0, 15.0 + noise[0] * 1e4),
            "battery_pct": charge,
            "hdop": 1.0 + np.abs(noise[1]) * 1e4,
            "locked": locked,
        }
        return _table(TELEMETRY, columns)


def _at(day: int, seconds: Any) -> Any:
    first = np.datetime64(FIRST_DAY + timedelta(days=day), "us")
    return first + (np.asarray(seconds) * 1e6).astype("timedelta64[us]")


def _table(definition: Any, columns: dict[str, Any]) -> pa.Table:
    arrays = {}
    for column in definition.columns:
        values = np.asarray(columns[column.name])
        array = pa.array(values, from_pandas=True)
        if column.name == "trip_id" and column.nullable:
            array = pa.compute.if_else(pa.compute.equal(array, ""), None, array)
        arrays[column.name] = array
    return pa.table(arrays)
