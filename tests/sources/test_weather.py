"""Weather from a service that may be out of reach, behind a cache that outlives it."""

from __future__ import annotations

import gzip
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pytest

from fleetdesk.errors import SourceUnreadable
from fleetdesk.model.tables import TABLES
from fleetdesk.sources.base import Checkpoint, Surroundings, schema_of
from fleetdesk.sources.weather_cache import Hour, WeatherCache

pytest.importorskip("meteostat", reason="the extra 'weather' is not installed")
from fleetdesk.sources import weather_meteostat
from fleetdesk.sources.weather import open_weather
from fleetdesk.sources.weather_meteostat import LICENCE, meteostat_hours

HOUR = timedelta(hours=1)
FIRST = datetime(2025, 5, 1)
NOW = datetime(2025, 6, 1, tzinfo=UTC)


class Sky:
    """A service that knows every hour and counts what it is asked for."""

    def __init__(self, trouble: SourceUnreadable | None = None) -> None:
        self.asked: list[tuple[datetime, datetime]] = []
        self.trouble = trouble
        self.gaps: dict[datetime, str] = {}
        self.warmer = 0.0

    def __call__(
        self, lat: float, lon: float, since: datetime, until: datetime, folder: Path
    ) -> list[Hour]:
        if self.trouble:
            raise self.trouble
        self.asked.append((since, until))
        hours = []
        while since <= until:
            hour = Hour(since, 10.0 + since.hour + self.warmer, 0.5, 12.0)
            gap = self.gaps.get(since)
            if gap != "all":
                hours.append(replace(hour, **{gap: None}) if gap else hour)
            since += HOUR
        return hours


OFFLINE = SourceUnreadable(
    "Meteostat's weather could not be fetched", found="no network", retry_helps=True
)


def around(folder: Path, now: datetime = NOW, **tables_and_options: Any) -> Surroundings:
    given = tables_and_options
    tables = {
        name: ibis.memtable(given.pop(name, schema_of(table).empty_table()))
        for name, table in TABLES.items()
    }
    options = {name.rstrip("_"): text for name, text in given.items()}
    return Surroundings(now=now, watermark={}, tables=tables, folder=folder, options=options,
                        secret=lambda name: None)  # fmt: skip


def read(sky: Callable[..., list[Hour]], where: Surroundings) -> tuple[list[dict[str, Any]], Any]:
    source = open_weather("meteostat", where, sky)
    rows: list[dict[str, Any]] = []
    for piece in source.read():
        if not isinstance(piece, Checkpoint):
            assert piece[1].schema == schema_of(TABLES["weather"])
            rows += piece[1].to_pylist()
    return rows, source.report()


def day(folder: Path, **more: Any) -> Surroundings:
    options = {"centre": "40.63,22.94", "from_": "2025-05-01", "to": "2025-05-01T23:30"}
    return around(folder, **options | more)


def test_hours_are_fetched_once_and_given_once(tmp_path: Path) -> None:
    sky = Sky()
    rows, report = read(sky, day(tmp_path))
    assert [row["hour_at"] for row in rows] == [FIRST + HOUR * n for n in range(24)]
    assert rows[3] == {"hour_at": FIRST + 3 * HOUR, "temperature_c": 13.0, "rain_mm": 0.5,
                       "wind_kmh": 12.0}  # fmt: skip
    assert (report.rows_in, report.rows_kept) == (24, 24)
    assert LICENCE in report.notes
    there = pa.Table.from_pylist(rows[1:], schema=schema_of(TABLES["weather"]))
    again, _ = read(sky, day(tmp_path, weather=there))
    assert [row["hour_at"] for row in again] == [FIRST]
    assert len(sky.asked) == 1
    read(sky, day(tmp_path, to="2025-05-02T05:00"))
    assert sky.asked[1:] == [(FIRST + 24 * HOUR, FIRST + 29 * HOUR)]


def test_hours_of_the_last_days_are_asked_for_again(tmp_path: Path) -> None:
    sky, now = Sky(), datetime(2025, 5, 2, tzinfo=UTC)
    rows, _ = read(sky, day(tmp_path, now=now))
    read(sky, day(tmp_path, now=now + timedelta(minutes=30)))
    assert len(sky.asked) == 1
    sky.warmer = 1.0
    there = pa.Table.from_pylist(rows, schema=schema_of(TABLES["weather"]))
    changed, _ = read(sky, day(tmp_path, now=now + timedelta(days=9), weather=there))
    assert (len(sky.asked), len(changed), changed[0]["temperature_c"]) == (2, 24, 11.0)
    read(sky, day(tmp_path, now=now + timedelta(days=30)))
    assert len(sky.asked) == 2


def test_gaps_are_counted_and_not_asked_for_again(tmp_path: Path) -> None:
    sky = Sky()
    sky.gaps = {FIRST: "rain_mm", FIRST + HOUR: "all", FIRST + 2 * HOUR: "rain_mm"}
    rows, report = read(sky, day(tmp_path))
    assert len(rows) == 21
    assert {entry.reason: entry.rows for entry in report.dropped} == {
        "no rain_mm from any station": 2, "no temperature_c from any station": 1,
    }  # fmt: skip
    read(sky, day(tmp_path))
    assert len(sky.asked) == 1


def test_without_a_network_the_cache_still_serves(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match="could not be fetched") as told:
        read(Sky(OFFLINE), day(tmp_path))
    assert told.value.retry_helps
    read(Sky(), day(tmp_path))
    rows, report = read(Sky(OFFLINE), day(tmp_path, to="2025-05-02T05:00"))
    assert len(rows) == 24
    assert any("6 hours from 2025-05-02 00:00:00 on are missing" in note for note in report.notes)


def test_a_damaged_cache_is_fetched_anew(tmp_path: Path) -> None:
    sky = Sky()
    read(sky, day(tmp_path))
    (path,) = tmp_path.glob("*.parquet")
    path.write_bytes(path.read_bytes()[:100])
    assert len(read(sky, day(tmp_path))[0]) == 24
    assert len(sky.asked) == 2
    assert WeatherCache(tmp_path, 40.63, 22.94).get(FIRST) is not None


def test_years_are_asked_for_one_by_one(tmp_path: Path) -> None:
    sky = Sky()
    read(sky, day(tmp_path, from_="2023-12-31T20:00", to="2024-01-01T03:00"))
    assert [since.year for since, _ in sky.asked] == [2023, 2024]


def test_place_and_time_are_those_of_the_records(tmp_path: Path) -> None:
    pings = pa.Table.from_pylist(
        [{"vehicle_id": "v", "recorded_at": FIRST + timedelta(minutes=90 * n), "lat": 40.6,
          "lon": 22.9} for n in range(5)], schema=schema_of(TABLES["telemetry"]),
    )  # fmt: skip
    sky = Sky()
    rows, report = read(sky, around(tmp_path, telemetry=pings))
    assert report.source == "meteostat 40.60 22.90"
    assert (rows[0]["hour_at"], rows[-1]["hour_at"]) == (FIRST, FIRST + 6 * HOUR)
    ahead = read(sky, around(tmp_path, now=datetime(2025, 5, 1, 2, 30, tzinfo=UTC),
                             telemetry=pings))[0]  # fmt: skip
    assert ahead[-1]["hour_at"] == FIRST + 2 * HOUR


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "not known where"),
        ({"centre": "40,22"}, "which hours"),
        ({"centre": "40,22", "from_": "2026-01-01"}, "no later than now"),
        ({"centre": "40,22", "from_": "soon"}, "from cannot be read"),
    ],
)
def test_what_is_not_known_is_asked_for(tmp_path: Path, options: Any, told: str) -> None:
    with pytest.raises(SourceUnreadable, match=told):
        open_weather("meteostat", around(tmp_path, **options))
    with pytest.raises(SourceUnreadable, match="no weather service"):
        open_weather("crystal ball", around(tmp_path))


def stations(folder: Path, *places: tuple[str, float, float]) -> None:
    """The list of stations as Meteostat's library keeps it."""
    folder.mkdir(exist_ok=True)
    with closing(sqlite3.connect(folder / "meteostat stations.db")) as base:
        base.executescript(
            "CREATE TABLE stations (id TEXT, country TEXT, region TEXT, latitude REAL, "
            "longitude REAL, elevation INTEGER, timezone TEXT);"
            "CREATE TABLE names (station TEXT, language TEXT, name TEXT);"
            "CREATE TABLE identifiers (station TEXT, key TEXT, value TEXT);"
        )
        for name, lat, lon in places:
            base.execute(
                "INSERT INTO stations VALUES (?, 'GR', NULL, ?, ?, 5, 'Europe/Athens')",
                (name, lat, lon),
            )
            base.execute("INSERT INTO names VALUES (?, 'en', ?)", (name, name))
        base.commit()


def hourly(folder: Path, station: str, hours: int, temperature: float, rain: str = "0.2") -> None:
    """A station's year as Meteostat's server gives it."""
    names = ("temp", "prcp", "wspd")
    head = ["year", "month", "day", "hour", *names, *(f"{name}_source" for name in names)]
    lines = [",".join(head)]
    for n in range(hours):
        at = FIRST + HOUR * n
        lines.append(
            f"2025,{at.month},{at.day},{at.hour},{temperature},{rain},9.0,metar,metar,metar"
        )
    (folder / f"{station} 2025.csv.gz").write_bytes(gzip.compress("\n".join(lines).encode()))


def test_the_library_itself_on_files_instead_of_its_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from meteostat.providers.meteostat import hourly as provider

    stations(tmp_path / "raw", ("near", 40.64, 22.94), ("far", 40.9, 22.94), ("off", 50.0, 8.0))
    hourly(tmp_path, "near", 24, 20.0, rain="")
    hourly(tmp_path, "far", 30, 10.0)
    monkeypatch.setattr(provider, "ENDPOINT", f"{tmp_path}/{{station}} {{year}}.csv.gz")
    hours = meteostat_hours(40.63, 22.94, FIRST, FIRST + 40 * HOUR, tmp_path / "raw")
    known = {hour.hour_at: hour for hour in hours}
    assert known[FIRST] == Hour(FIRST, 20.0, 0.2, 9.0)  # rain from the one that has it
    assert known[FIRST + 29 * HOUR].temperature_c == 10.0
    late = known.get(FIRST + 35 * HOUR)
    assert late is None or late.temperature_c is None
    with pytest.raises(SourceUnreadable, match="no station within 50 km"):
        meteostat_hours(0.0, 0.0, FIRST, FIRST, tmp_path / "raw")
    hours = read(meteostat_hours, day(tmp_path / "raw"))[0]
    assert len(hours) == 24


def test_a_service_that_hangs_or_raises_is_left_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stations(tmp_path, ("near", 40.64, 22.94))
    monkeypatch.setattr(weather_meteostat.meteostat, "hourly", lambda *a, **k: time.sleep(5))
    start = time.monotonic()
    with pytest.raises(SourceUnreadable, match=r"no answer within 0\.2 seconds") as told:
        meteostat_hours(40.63, 22.94, FIRST, FIRST, tmp_path, wait_s=0.2)
    assert told.value.retry_helps
    assert time.monotonic() - start < 3

    def broken(*_: Any, **__: Any) -> None:
        raise Exception("Failed to download the database file")

    monkeypatch.setattr(weather_meteostat.meteostat.stations, "nearby", broken)
    with pytest.raises(SourceUnreadable, match="Failed to download the database file"):
        meteostat_hours(40.63, 22.94, FIRST, FIRST, tmp_path)
