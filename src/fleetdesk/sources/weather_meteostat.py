"""Meteostat's hourly weather at a place, within a bounded time; the only file that knows it.

The library (version 2) waits long where there is no network, then raises or answers with nothing.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import meteostat
from meteostat import Parameter

from fleetdesk.errors import SourceUnreadable
from fleetdesk.sources.weather_cache import Hour

LICENCE = "Weather data by Meteostat (meteostat.net), CC BY 4.0."
WAIT_S = 60.0
_NETWORK_S = 10
_FARTHEST_M = 50_000
_STATIONS = 4
_COLUMNS = {
    "temperature_c": Parameter.TEMP, "rain_mm": Parameter.PRCP, "wind_kmh": Parameter.WSPD,
}  # fmt: skip


def meteostat_hours(
    lat: float, lon: float, since: datetime, until: datetime, folder: Path, wait_s: float = WAIT_S
) -> list[Hour]:
    """The hours from `since` to `until`, both included (naive UTC), as stations near by have them.

    Hours and values that no station has are missing. SourceUnreadable when there is no answer in
    time, or none at all. `folder` keeps the list of stations.
    """
    return _in_time(lambda: _hours(lat, lon, since, until, folder), wait_s)


def _hours(lat: float, lon: float, since: datetime, until: datetime, folder: Path) -> list[Hour]:
    logging.getLogger("meteostat").setLevel(logging.CRITICAL)
    config = meteostat.config
    config.cache_enable = False
    config.cache_directory = str(folder)
    config.stations_db_file = str(folder / "meteostat stations.db")
    config.network_timeout, config.network_max_retries = _NETWORK_S, 0
    point = meteostat.Point(lat, lon)
    near = meteostat.stations.nearby(point, radius=_FARTHEST_M, limit=_STATIONS)
    if near.empty:
        raise SourceUnreadable(
            f"Meteostat knows no station within {_FARTHEST_M // 1000} km of {lat:.2f}, {lon:.2f}",
            fix="Check the option centre, or import a file of weather with the kind files",
        )
    series = meteostat.hourly(near, since, until, parameters=list(_COLUMNS.values()))
    frame = meteostat.interpolate(series, point).fetch()
    if frame is None:
        raise ConnectionError("no station near by gave anything")
    return [
        Hour(moment.to_pydatetime(), **{name: _number(row.get(c)) for name, c in _COLUMNS.items()})
        for moment, row in zip(frame.index, frame.to_dict("records"), strict=True)
    ]


def _number(value: Any) -> float | None:
    """Missing values are None, NaN or pandas' NA, depending on the column."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _in_time(work: Callable[[], list[Hour]], wait_s: float) -> list[Hour]:
    """The work's result; a thread that hangs in the network is left behind."""
    results: list[list[Hour]] = []
    troubles: list[Exception] = []

    def run() -> None:
        try:
            results.append(work())
        except Exception as trouble:  # noqa: BLE001 - the library raises bare ones
            troubles.append(trouble)

    thread = threading.Thread(target=run, name="weather", daemon=True)
    thread.start()
    thread.join(wait_s)
    if results:
        return results[0]
    if troubles and isinstance(troubles[0], SourceUnreadable):
        raise troubles[0]
    said = str(troubles[0]).splitlines()[0] if troubles and str(troubles[0]) else ""
    raise SourceUnreadable(
        "Meteostat's weather could not be fetched",
        found=said or f"no answer within {wait_s:g} seconds",
        fix="Check the network, and import again",
        retry_helps=True,
    )
