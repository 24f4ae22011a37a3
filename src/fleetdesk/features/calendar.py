"""UTC hours with their local hour and weekday, so that no engine has to know time zones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import ibis
import pyarrow as pa

HOUR = timedelta(hours=1)
MONTH_D = 365.25 / 12

_SCHEMA = pa.schema(
    [
        ("hour_at", pa.timestamp("us")),
        ("local_hour", pa.int64()),
        ("local_weekday", pa.int64()),
        ("local_date", pa.date32()),
        ("is_weekend", pa.bool_()),
    ]
)


def calendar(first: datetime, last: datetime, timezone: str) -> Any:
    """One row per UTC hour from the hour of `first` to the hour of `last`, both included.

    Takes UTC-aware moments; `last` before `first` gives no rows. Columns: hour_at (naive UTC),
    local_hour 0-23, local_weekday 1 = Monday to 7, local_date, is_weekend. In zones that are off
    by half an hour the local fields are those of the hour's start.
    """
    zone = ZoneInfo(timezone)
    hour = first.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    rows = []
    while hour <= last:
        local = hour.astimezone(zone)
        weekday = local.isoweekday()
        rows.append((hour.replace(tzinfo=None), local.hour, weekday, local.date(), weekday >= 6))
        hour += HOUR
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(_SCHEMA)
    arrays = [
        pa.array(column, type=field.type) for column, field in zip(columns, _SCHEMA, strict=True)
    ]
    return ibis.memtable(pa.Table.from_arrays(arrays, schema=_SCHEMA))


def moment(when: datetime) -> Any:
    """An aware moment as a literal in the tables' form: naive UTC."""
    return ibis.timestamp(naive_utc(when))


def naive_utc(when: datetime) -> datetime:
    """An aware moment as the tables store it; a naive one is refused: its zone is a guess."""
    if when.tzinfo is None:
        raise ValueError(f"{when.isoformat()} has no time zone")
    return when.astimezone(UTC).replace(tzinfo=None)


def hours_between(later: Any, earlier: Any) -> Any:
    """Hours from one timestamp column to another, as a float."""
    # Spark divides whole numbers by a written fraction as decimals.
    return later.delta(earlier, unit="microsecond").cast("float64") / 3_600_000_000.0
