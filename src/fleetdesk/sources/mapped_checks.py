"""What makes a row of a canonical table unbelievable; one list for all sources of mapped rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from fleetdesk.features.cells import haversine
from fleetdesk.model.tables import DType, Table
from fleetdesk.sources.mapping import prefixes
from fleetdesk.sources.parsing import Mask, floats
from fleetdesk.sources.zone_rows import FORMS, form_troubles

OLDEST = datetime(2010, 1, 1)  # shared scooters came later
AHEAD = timedelta(days=1)
FASTEST_KMH = 120.0
LONGEST_TRIP_S = 86_400.0
LONGEST_TRIP_M = 100_000.0
FAR_KM = 50.0
Told = Callable[[int], str]
Check = tuple[str, Mask, Told]
Columns = Mapping[str, Any]


@dataclass(frozen=True)
class Limits:
    """What is believed; `now` is UTC-aware, and nothing is farther than `far_km` from a centre."""

    now: datetime
    centre: tuple[float, float] | None = None
    far_km: float = FAR_KM


def row_checks(table: Table, columns: Columns, limits: Limits) -> Iterator[Check]:
    """Reason, rows it strikes, what to show of one; a row counts under the first that strikes."""
    for column in table.columns:
        if not column.nullable and column.name in columns and not column.name.endswith("cell"):
            yield f"no {column.name}", np.asarray(pc.is_null(columns[column.name])), nothing
    yield from _times(table, columns, limits)
    for prefix in prefixes(table):
        yield from _positions(columns, prefix, limits)
    for column in table.columns:
        if column.unit == "%" and column.name in columns:
            values = floats(columns[column.name])
            reason = f"{column.name} outside 0 to 100"
            yield reason, (values < 0) | (values > 100), cell(values)
        elif column.unit in FORMS and column.name in columns:
            troubles = form_troubles(column, columns[column.name])
            unusable = np.array([bool(told) for told in troubles], bool)
            yield f"{column.name} cannot be used", unusable, troubles.__getitem__
        elif column.unit in ("m", "s") and column.name in columns:
            values = floats(columns[column.name])
            yield f"{column.name} below 0", values < 0, cell(values)
    if table.name == "trips":
        yield from _trips(columns)
    if "speed_kmh" in columns:
        speed = floats(columns["speed_kmh"])
        yield "speed below 0", speed < 0, cell(speed)
        yield f"speed above {FASTEST_KMH:.0f} km/h", speed > FASTEST_KMH, cell(speed)


def nothing(row: int) -> str:  # noqa: ARG001
    """For reasons that say all."""
    return ""


def cell(values: Any, unit: str = "") -> Told:
    """The value itself, with its unit where the row in the file does not show it."""
    after = f" {unit}" if unit else ""
    return lambda row: (
        f"{values[row]:.6g}{after}" if isinstance(values, np.ndarray) else f"{values[row]}{after}"
    )


def _times(table: Table, columns: Columns, limits: Limits) -> Iterator[Check]:
    latest = limits.now.replace(tzinfo=None) + AHEAD
    for column in table.columns:
        values = columns.get(column.name)
        if column.dtype is not DType.TIMESTAMP or values is None:
            continue
        old = pc.less(values, pa.scalar(OLDEST, pa.timestamp("us")))
        yield "time before 2010", _mask(old), cell(values)
        if not column.nullable:
            late = pc.greater(values, pa.scalar(latest, pa.timestamp("us")))
            yield "time more than a day ahead", _mask(late), cell(values)
    for first, last in (("started_at", "ended_at"), ("started_at", "completed_at")):
        if first in columns and last in columns:
            reason = f"ends before it starts ({last} before {first})"
            yield reason, _mask(pc.less(columns[last], columns[first])), cell(columns[last])


def _positions(columns: Columns, prefix: str, limits: Limits) -> Iterator[Check]:
    if f"{prefix}lat" not in columns:
        return
    lat, lon = floats(columns[f"{prefix}lat"]), floats(columns[f"{prefix}lon"])
    what = f"{prefix.removesuffix('_')} position".strip()

    def told(row: int) -> str:
        return f"{lat[row]}, {lon[row]}"

    yield f"half of the {what}", np.isnan(lat) != np.isnan(lon), told
    yield f"{what} off the earth", (np.abs(lat) > 90) | (np.abs(lon) > 180), told
    yield f"{what} 0, 0", (lat == 0) & (lon == 0), told
    if limits.centre and limits.far_km > 0:
        middle = limits.centre
        away = haversine(lat, lon, np.full_like(lat, middle[0]), np.full_like(lon, middle[1]))
        where = f"over {limits.far_km:g} km from {middle[0]:.2f}, {middle[1]:.2f}"
        yield f"{what} far from the city ({where})", away > limits.far_km * 1000, told


def _trips(columns: Columns) -> Iterator[Check]:
    duration = floats(columns["duration_s"])
    apart = seconds_between(columns["started_at"], columns["ended_at"])
    long = (duration > LONGEST_TRIP_S) | (apart > LONGEST_TRIP_S)
    yield "longer than a day", long, cell(np.fmax(duration, apart) / 3600, "h")
    distance = floats(columns["distance_m"])
    reason = f"distance above {LONGEST_TRIP_M / 1000:.0f} km"
    yield reason, distance > LONGEST_TRIP_M, cell(distance / 1000, "km")
    moving = duration > 0
    kmh = np.divide(distance, duration, out=np.zeros_like(distance), where=moving) * 3.6
    yield f"faster than {FASTEST_KMH:.0f} km/h on average", kmh > FASTEST_KMH, cell(kmh, "km/h")


def seconds_between(start: Any, end: Any) -> npt.NDArray[np.float64]:
    """End less start, NaN where either is missing."""
    micros = pc.subtract(end.cast(pa.int64()), start.cast(pa.int64()))
    return floats(micros.cast(pa.float64())) / 1e6


def _mask(values: Any) -> Mask:
    return np.asarray(pc.fill_null(values, False))
