"""Rows of the log as canonical Arrow tables: names, columns and types of model.tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from fleetdesk.features.cells import geohash_many
from fleetdesk.model.tables import TABLES, DType
from fleetdesk.simulation import riders as people_of
from fleetdesk.simulation.engine import City
from fleetdesk.simulation.layout import PARKING_RADIUS_M, to_degrees
from fleetdesk.simulation.log import (
    ComplaintRow,
    EventRow,
    PaymentRow,
    RiderSwapRow,
    SubscriptionRow,
    TaskRow,
    TripRow,
)
from fleetdesk.simulation.streams import Ints, Purpose, stream

EVENT_PRECISION = 7
_ARROW = {
    DType.STRING: pa.string(),
    DType.INT: pa.int64(),
    DType.FLOAT: pa.float64(),
    DType.BOOL: pa.bool_(),
    DType.TIMESTAMP: pa.timestamp("us"),
}


def arrow_table(name: str, columns: Mapping[str, Any]) -> pa.Table:
    """A canonical table from its columns; a missing or surplus column is an error."""
    table = TABLES[name]
    if set(columns) != set(table.column_names):
        raise KeyError(f"{name}: {set(columns) ^ set(table.column_names)}")
    fields = [pa.field(c.name, _ARROW[c.dtype], nullable=c.nullable) for c in table.columns]
    arrays = [_array(columns[field.name], field.type) for field in fields]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def moments(city: City, seconds: Any) -> Any:
    """Seconds since the start as microseconds since 1970, UTC."""
    start = np.datetime64(city.spec.starts_at, "us")
    return start + np.asarray(seconds, dtype=np.int64) * np.timedelta64(1_000_000, "us")


def moments_or_none(city: City, seconds: Sequence[int | None]) -> pa.Array:
    """The same, empty where the second is None or negative."""
    known = np.array([s is not None and s >= 0 for s in seconds], dtype=np.bool_)
    filled = [s if ok else 0 for s, ok in zip(seconds, known, strict=True)]
    return pa.array(moments(city, filled), type=pa.timestamp("us"), mask=~known)


def names(prefix: str, width: int, numbers: Sequence[int]) -> list[str | None]:
    """Ids such as `r00017`; None for -1."""
    return [None if n < 0 else f"{prefix}{n:0{width}d}" for n in numbers]


def vehicle_ids(city: City) -> list[str]:
    """The vehicles' ids by number."""
    return [f"TH-{number + 1:04d}" for number in range(city.spec.vehicles)]


def parking_ids(city: City) -> list[str]:
    """The parkings' ids by number."""
    return [f"P{number + 1:02d}" for number in range(city.spec.parkings)]


def events_table(city: City, rows: Sequence[EventRow], day: int, first_id: int) -> pa.Table:
    """Events in the order in which they arrived: one in a hundred comes minutes late."""
    order = _arrival_order(city, rows, day)
    vehicles = vehicle_ids(city)
    ids = names("e", 8, list(range(first_id, first_id + len(rows))))
    shuffled = [rows[place] for place in order]
    lat, lon = _degrees(shuffled, "x", "y")
    return arrow_table(
        "events",
        {
            "event_id": [ids[place] for place in order],
            "vehicle_id": [vehicles[row.vehicle] for row in shuffled],
            "event_at": moments(city, [row.at for row in shuffled]),
            "vehicle_state": [row.state for row in shuffled],
            "event_types": [row.types for row in shuffled],
            "lat": lat,
            "lon": lon,
            "cell": geohash_many(lat, lon, EVENT_PRECISION),
            "battery_pct": np.array([row.battery for row in shuffled]).round(1),
            "trip_id": names("t", 7, [row.trip for row in shuffled]),
        },
    )


def trips_table(city: City, rows: Sequence[TripRow]) -> pa.Table:
    """Trips by start."""
    vehicles = vehicle_ids(city)
    start_lat, start_lon = _degrees(rows, "start_x", "start_y")
    end_lat, end_lon = _degrees(rows, "end_x", "end_y")
    return arrow_table(
        "trips",
        {
            "trip_id": names("t", 7, [row.trip for row in rows]),
            "vehicle_id": [vehicles[row.vehicle] for row in rows],
            "rider_id": names("r", 5, [row.rider for row in rows]),
            "started_at": moments(city, [row.started for row in rows]),
            "ended_at": moments(city, [row.ended for row in rows]),
            "start_lat": start_lat,
            "start_lon": start_lon,
            "end_lat": end_lat,
            "end_lon": end_lon,
            "start_cell": geohash_many(start_lat, start_lon, EVENT_PRECISION),
            "end_cell": geohash_many(end_lat, end_lon, EVENT_PRECISION),
            "distance_m": np.array([row.distance_m for row in rows], dtype=np.float64).round(1),
            "duration_s": np.array([row.ended - row.started for row in rows], dtype=np.float64),
            "start_battery_pct": np.array([row.start_battery for row in rows]).round(1),
            "end_battery_pct": np.array([row.end_battery for row in rows]).round(1),
            "revenue": np.array([row.revenue for row in rows], dtype=np.float64),
            "inferred": np.zeros(len(rows), dtype=np.bool_),
        },
    )


def tasks_table(city: City, rows: Sequence[TaskRow], first_id: int) -> pa.Table:
    """The crews' finished tasks."""
    vehicles = vehicle_ids(city)
    from_lat, from_lon = _degrees(rows, "from_x", "from_y")
    to_lat, to_lon = _degrees(rows, "to_x", "to_y")
    return arrow_table(
        "service_tasks",
        {
            "task_id": names("w", 6, list(range(first_id, first_id + len(rows)))),
            "vehicle_id": [vehicles[row.vehicle] for row in rows],
            "task_kind": [row.kind for row in rows],
            "worker": [row.worker for row in rows],
            "started_at": moments(city, [row.started for row in rows]),
            "completed_at": moments(city, [row.completed for row in rows]),
            "from_lat": from_lat,
            "from_lon": from_lon,
            "to_lat": to_lat,
            "to_lon": to_lon,
            "battery_before_pct": np.array([row.before for row in rows]).round(1),
            "battery_after_pct": np.array([row.after for row in rows]).round(1),
            "cost": np.array([row.cost for row in rows], dtype=np.float64),
        },
    )


def payments_table(city: City, rows: Sequence[PaymentRow], first_id: int) -> pa.Table:
    """Payments by the day they are due."""
    return arrow_table(
        "payments",
        {
            "payment_id": names("y", 8, list(range(first_id, first_id + len(rows)))),
            "rider_id": names("r", 5, [row.rider for row in rows]),
            "due_at": moments(city, [row.due for row in rows]),
            "paid_at": moments_or_none(city, [row.paid for row in rows]),
            "amount": np.array([row.amount for row in rows], dtype=np.float64),
            "payment_kind": [row.kind for row in rows],
        },
    )


def rider_swaps_table(city: City, rows: Sequence[RiderSwapRow], first_id: int) -> pa.Table:
    """Battery swaps by riders at cabinets."""
    vehicles, parkings = vehicle_ids(city), parking_ids(city)
    return arrow_table(
        "rider_swaps",
        {
            "swap_id": names("s", 6, list(range(first_id, first_id + len(rows)))),
            "rider_id": names("r", 5, [row.rider for row in rows]),
            "vehicle_id": [vehicles[row.vehicle] for row in rows],
            "swapped_at": moments(city, [row.at for row in rows]),
            "parking_id": [parkings[row.parking] for row in rows],
            "wait_s": np.array([row.wait_s for row in rows], dtype=np.float64),
            "battery_before_pct": np.array([row.before for row in rows]).round(1),
            "battery_after_pct": np.array([row.after for row in rows]).round(1),
        },
    )


def complaints_table(city: City, rows: Sequence[ComplaintRow], first_id: int) -> pa.Table:
    """Complaints by the day they are filed."""
    vehicles = [*vehicle_ids(city), None]  # the last place, -1, is "about no vehicle"
    return arrow_table(
        "complaints",
        {
            "complaint_id": names("c", 6, list(range(first_id, first_id + len(rows)))),
            "rider_id": names("r", 5, [row.rider for row in rows]),
            "vehicle_id": [vehicles[row.vehicle] for row in rows],
            "filed_at": moments(city, [row.filed for row in rows]),
            "topic": [row.topic for row in rows],
            "resolved_at": moments_or_none(city, [row.resolved for row in rows]),
        },
    )


def weather_table(city: City, first_hour: int, last_hour: int) -> pa.Table:
    """The hours from the first up to, not including, the last."""
    weather = city.flows.weather
    hours = np.arange(first_hour, last_hour)
    return arrow_table(
        "weather",
        {
            "hour_at": moments(city, hours * 3600),
            "temperature_c": weather.temperature_c[hours],
            "rain_mm": weather.rain_mm[hours],
            "wind_kmh": weather.wind_kmh[hours],
        },
    )


def subscriptions_table(city: City, rows: Sequence[SubscriptionRow]) -> pa.Table:
    """Every stay in a package, those that ended before the first day included."""
    ended = np.array([row.ended is not None for row in rows], dtype=np.bool_)
    until = moments(city, [0 if row.ended is None else row.ended for row in rows])
    return arrow_table(
        "subscriptions",
        {
            "subscription_id": names("b", 6, list(range(1, len(rows) + 1))),
            "rider_id": names("r", 5, [row.rider for row in rows]),
            "package": [city.spec.packages[row.package].name for row in rows],
            "started_at": moments(city, [row.started for row in rows]),
            "ended_at": pa.array(until, type=pa.timestamp("us"), mask=~ended),
            "end_cause": [row.cause for row in rows],
        },
    )


def dimension_tables(city: City) -> dict[str, pa.Table]:
    """Vehicles, parkings and riders."""
    spec, layout, people = city.spec, city.layout, city.people
    lat, lon = to_degrees(layout.parking_x, layout.parking_y)
    parkings = len(layout.places)
    riders = list(range(people.signed_up.size))
    return {
        "vehicles": arrow_table(
            "vehicles",
            {
                "vehicle_id": vehicle_ids(city),
                "vehicle_type": ["scooter"] * spec.vehicles,
                "full_range_m": np.full(spec.vehicles, spec.range_km * 1000.0),
                "battery_capacity_wh": np.full(spec.vehicles, 551.0),
                "first_seen_at": moments(city, np.zeros(spec.vehicles)),
            },
        ),
        "parkings": arrow_table(
            "parkings",
            {
                "parking_id": parking_ids(city),
                "name": [place.name for place in layout.places],
                "lat": lat,
                "lon": lon,
                "radius_m": np.full(parkings, PARKING_RADIUS_M),
                "capacity": layout.capacity,
                "minimum": layout.minimum,
                "target": layout.target,
                "swap_cabinet": list(layout.cabinet),
            },
        ),
        "riders": arrow_table(
            "riders",
            {
                "rider_id": names("r", 5, riders),
                "signed_up_at": moments(city, people.signed_up),
                "channel": [people_of.CHANNELS[number] for number in people.channel.tolist()],
                "age_group": [people_of.AGE_GROUPS[n] for n in people.age_group.tolist()],
                "consent": people.consent,
                "referrals": people.referrals,
            },
        ),
    }


TABLE_MAKERS: dict[str, Callable[..., pa.Table]] = {
    "service_tasks": tasks_table,
    "payments": payments_table,
    "rider_swaps": rider_swaps_table,
    "complaints": complaints_table,
}


def _arrival_order(city: City, rows: Sequence[EventRow], day: int) -> list[int]:
    u = stream(city.seed, Purpose.LATE_ROWS, day).random((len(rows), 2))
    late: Ints = np.where(u[:, 0] < 0.01, (60 + 1800 * u[:, 1]).astype(np.int64), 0)
    arrived = np.array([row.at for row in rows], dtype=np.int64) + late
    return [int(place) for place in np.argsort(arrived, kind="stable")]


def _degrees(rows: Sequence[Any], x: str, y: str) -> tuple[Any, Any]:
    """Rounded to a tenth of a metre, as feeds do."""
    east = np.array([getattr(row, x) for row in rows], dtype=np.float64)
    north = np.array([getattr(row, y) for row in rows], dtype=np.float64)
    lat, lon = to_degrees(east, north)
    return lat.round(6), lon.round(6)


def _array(values: Any, kind: pa.DataType) -> pa.Array:
    if isinstance(values, pa.Array):
        return values.cast(kind)
    if isinstance(values, np.ndarray) and values.dtype.kind == "U":
        return pa.array(values.tolist(), type=kind)
    return pa.array(values, type=kind)
