"""Hours of weather that were asked for before, in one Parquet file per place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

SETTLED = timedelta(days=3)
"""Stations report late; what was asked for so long after the hour is not asked for again."""
PATIENCE = timedelta(hours=1)
_SCHEMA = pa.schema(
    [
        ("hour_at", pa.timestamp("us")), ("temperature_c", pa.float64()), ("rain_mm", pa.float64()),
        ("wind_kmh", pa.float64()), ("asked_at", pa.timestamp("us")),
    ]
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour from `hour_at` (naive UTC); None where no station near by tells."""

    hour_at: datetime
    temperature_c: float | None = None
    rain_mm: float | None = None
    wind_kmh: float | None = None


class WeatherCache:
    """What is known of a place, to about a kilometre; a damaged file is as good as none."""

    def __init__(self, folder: Path, lat: float, lon: float) -> None:
        self._path = folder / f"weather {lat:.2f} {lon:.2f}.parquet"
        self._hours: dict[datetime, tuple[Hour, datetime]] = {}
        try:
            rows = pq.read_table(self._path, schema=_SCHEMA).to_pylist()
        except (OSError, pa.ArrowException):
            rows = []
        for row in rows:
            asked_at = row.pop("asked_at")
            self._hours[row["hour_at"]] = Hour(**row), asked_at

    def get(self, hour_at: datetime) -> Hour | None:
        """The hour as it was told last; None when it was never asked for."""
        return self._hours[hour_at][0] if hour_at in self._hours else None

    def is_fresh(self, hour_at: datetime, now: datetime) -> bool:
        """Whether there is no use in asking for the hour (all naive UTC)."""
        if hour_at not in self._hours:
            return False
        asked_at = self._hours[hour_at][1]
        return asked_at - hour_at >= SETTLED or now - asked_at < PATIENCE

    def keep(self, hours: Iterable[Hour], now: datetime) -> None:
        """Put hours in; the file changes as a whole or not at all."""
        self._hours |= {hour.hour_at: (hour, now) for hour in hours}
        rows = [
            {"hour_at": at, "temperature_c": hour.temperature_c, "rain_mm": hour.rain_mm,
             "wind_kmh": hour.wind_kmh, "asked_at": asked_at}
            for at, (hour, asked_at) in sorted(self._hours.items())
        ]  # fmt: skip
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_suffix(".tmp")
        pq.write_table(pa.Table.from_pylist(rows, schema=_SCHEMA), draft)
        draft.replace(self._path)
