"""Weather by the hour at the city's middle, for the time that the workspace's records cover.

docs/sources/weather.md says what is asked for, kept and left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa

from fleetdesk.errors import SourceUnreadable
from fleetdesk.model.quality import QualityReport
from fleetdesk.model.tables import WEATHER
from fleetdesk.sources.base import Checkpoint, OnProgress, Piece, Surroundings, Tally, schema_of
from fleetdesk.sources.mapped_files import Place, centre_of
from fleetdesk.sources.victoria import day_or_time
from fleetdesk.sources.weather_cache import Hour, WeatherCache
from fleetdesk.sources.weather_meteostat import LICENCE, meteostat_hours

SERVICE = "meteostat"
HOUR = timedelta(hours=1)
Fetch = Callable[[float, float, datetime, datetime, Path], list[Hour]]
_VALUES = ("temperature_c", "rain_mm", "wind_kmh")
# Where and when something was seen; the first that has rows tells the city's middle.
_SEEN = {
    "parkings": ("", None), "trips": ("start_", "started_at"), "events": ("", "event_at"),
    "sightings": ("", "seen_at"), "telemetry": ("", "recorded_at"),
}  # fmt: skip


@dataclass(frozen=True)
class Span:
    """Whole hours from `first` to `last`, both included, naive UTC."""

    first: datetime
    last: datetime

    def hours(self) -> list[datetime]:
        """All of them."""
        return [self.first + HOUR * n for n in range(int((self.last - self.first) / HOUR) + 1)]


def open_weather(place: str, around: Surroundings, fetch: Fetch = meteostat_hours) -> Weather:
    """The weather of the city; SourceUnreadable while nothing tells where or when."""
    if place != SERVICE:
        raise SourceUnreadable(
            f"There is no weather service {place!r}", found=f"known is {SERVICE}",
            fix="A file of weather is imported by the kind files",
        )  # fmt: skip
    centre = centre_of(around.options) or _middle(around.tables)
    if centre is None:
        raise SourceUnreadable(
            "It is not known where the city is",
            fix="Import its records first, or give --option centre=LAT,LON",
        )
    return Weather(centre, _span(around), around, fetch)


class Weather:
    """Hours that are new or have changed; those that are asked for come from the cache if known."""

    def __init__(self, centre: Place, span: Span, around: Surroundings, fetch: Fetch) -> None:
        self.name = f"{SERVICE} {centre[0]:.2f} {centre[1]:.2f}"
        self._centre, self._span, self._around, self._fetch = centre, span, around, fetch
        self._cache = WeatherCache(around.folder, *centre)
        self._report: QualityReport | None = None

    def read(self, on_progress: OnProgress | None = None) -> Iterator[Piece]:
        """Yield `weather`; what cannot be fetched is told, and raised when nothing is known."""
        tally = Tally()
        notes = [*self._fetched(on_progress), LICENCE]
        known = [hour for at in self._span.hours() if (hour := self._cache.get(at))]
        tally.rows_in = len(known)
        good = [hour for hour in known if self._is_whole(hour, tally)]
        there = self._there()
        rows = [
            {"hour_at": hour.hour_at, **_values(hour)} for hour in good
            if there.get(hour.hour_at) != _values(hour)
        ]  # fmt: skip
        if rows:
            yield WEATHER.name, pa.Table.from_pylist(rows, schema=schema_of(WEATHER))
        if on_progress:
            on_progress(1.0)
        yield Checkpoint({"last": self._span.last.isoformat()})
        facts = {"hours asked for": float(len(self._span.hours()))}
        self._report = tally.report(self.name, notes=tuple(notes), facts=facts)

    def report(self) -> QualityReport:
        """What became of the rows; only after `read` has come to its end."""
        if self._report is None:
            raise RuntimeError("the report exists only after the source has been read")
        return self._report

    def _fetched(self, on_progress: OnProgress | None) -> Iterator[str]:
        """Fill the cache year by year; a sentence when the service does not answer."""
        now = self._around.now.astimezone(UTC).replace(tzinfo=None)
        wanted = [at for at in self._span.hours() if not self._cache.is_fresh(at, now)]
        years = [list(hours) for _, hours in groupby(wanted, key=lambda at: at.year)]
        for turn, hours in enumerate(years):
            try:
                found = self._fetch(*self._centre, hours[0], hours[-1], self._around.folder)
            except SourceUnreadable as trouble:
                if not any(self._cache.get(at) for at in self._span.hours()):
                    raise
                missing = sum(self._cache.get(at) is None for at in wanted)
                yield (
                    f"{trouble.cause} ({trouble.found}): {missing} hours from {hours[0]} on are "
                    "missing, those that were fetched before are given. Import again later."
                )
                return
            told = {hour.hour_at: hour for hour in found}
            self._cache.keep((told.get(at, Hour(at)) for at in hours), now)
            if on_progress:
                on_progress((turn + 1) / (len(years) + 1))

    def _is_whole(self, hour: Hour, tally: Tally) -> bool:
        for name in _VALUES:
            if getattr(hour, name) is None:
                tally.drop(f"no {name} from any station", 1, iter([f"{hour.hour_at}"]))
                return False
        return True

    def _there(self) -> dict[datetime, dict[str, float]]:
        """The store's hours of the span."""
        table = self._around.tables[WEATHER.name]
        inside = table.filter(table.hour_at.between(self._span.first, self._span.last))
        return {
            row["hour_at"]: {name: row[name] for name in _VALUES}
            for row in inside.to_pyarrow().to_pylist()
        }


def _values(hour: Hour) -> dict[str, Any]:
    return {name: getattr(hour, name) for name in _VALUES}


def _middle(tables: Mapping[str, Any]) -> Place | None:
    for name, (prefix, _) in _SEEN.items():
        table = tables[name]
        lat, lon = table[f"{prefix}lat"], table[f"{prefix}lon"]
        row = table.agg(lat=lat.median(), lon=lon.median()).to_pyarrow().to_pylist()[0]
        if row["lat"] is not None and row["lon"] is not None:
            return round(row["lat"], 2), round(row["lon"], 2)
    return None


def _seen(tables: Mapping[str, Any]) -> Iterator[tuple[datetime, datetime]]:
    """The first and last moment of each table that has any."""
    for name, (_, column) in _SEEN.items():
        if column is not None:
            times = tables[name][column]
            row = tables[name].agg(first=times.min(), last=times.max()).to_pyarrow().to_pylist()[0]
            if row["first"] is not None:
                yield row["first"], row["last"]


def _span(around: Surroundings) -> Span:
    """From and to as told, else the first and last record; no later than now."""
    first, last = (
        moment and moment.astimezone(UTC).replace(tzinfo=None)
        for moment in (day_or_time(name, around.options.get(name, "")) for name in ("from", "to"))
    )
    if first is None or last is None:
        seen = list(_seen(around.tables))
        first = first or min((span[0] for span in seen), default=None)
        last = last or max((span[1] for span in seen), default=None)
    now = around.now.astimezone(UTC).replace(tzinfo=None)
    last = min(last, now) if last else now
    if first is None:
        raise SourceUnreadable(
            "It is not known which hours are wanted",
            fix="Import the city's records first, or give --option from=2025-01-01",
        )
    if first > last:
        raise SourceUnreadable(
            "There is no time between from and to",
            found=f"{first} and {last}", fix="Give the earlier first, and no later than now",
        )  # fmt: skip
    return Span(*(at.replace(minute=0, second=0, microsecond=0) for at in (first, last)))
