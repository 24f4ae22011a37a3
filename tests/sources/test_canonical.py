"""Folders of files that are canonical already."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fleetdesk.errors import SourceUnreadable
from fleetdesk.model.places import geohash
from fleetdesk.model.quality import QualityReport
from fleetdesk.model.tables import TABLES
from fleetdesk.sources.canonical import CanonicalFolder
from fleetdesk.store.duckdb_store import open_store

WEATHER = "hour_at,temperature_c,rain_mm,wind_kmh"
EVENTS = "event_id,vehicle_id,event_at,vehicle_state,event_types,lat,lon"


def read(folder: Path) -> tuple[dict[str, pa.Table], QualityReport]:
    source = CanonicalFolder(folder)
    pieces: dict[str, list[pa.Table]] = {}
    for name, rows in source.read():
        pieces.setdefault(name, []).append(rows)
    return {name: pa.concat_tables(rows) for name, rows in pieces.items()}, source.report()


def test_files_and_folders_are_taken_by_their_table(tmp_path: Path) -> None:
    (tmp_path / "weather.csv").write_text(f"{WEATHER}\n2024-05-01T10:00:00Z,1,2,3\n")
    (tmp_path / "events").mkdir()
    line = "e1,v,1714557600,available,trip_end,40.6,22.9"
    (tmp_path / "events" / "a.csv.gz").write_bytes(gzip.compress(f"{EVENTS}\n{line}\n".encode()))
    stamps = pa.array([datetime(2024, 5, 1, tzinfo=UTC)], pa.timestamp("ms", "Europe/Athens"))
    pq.write_table(
        pa.table({"event_id": ["e2"], "vehicle_id": pa.array(["v"]).dictionary_encode(),
                  "event_at": stamps, "vehicle_state": ["on_trip"], "event_types": ["trip_start"],
                  "lat": [40.6], "lon": [22.9], "battery_pct": [float("nan")]}),
        tmp_path / "events" / "b.parquet",
    )  # fmt: skip
    (tmp_path / "notes.md").write_text("x")
    tables, report = read(tmp_path)
    assert tables["weather"].to_pylist() == [
        {"hour_at": datetime(2024, 5, 1, 10), "temperature_c": 1.0, "rain_mm": 2.0,
         "wind_kmh": 3.0}
    ]  # fmt: skip
    events = tables["events"]
    assert events.column_names == list(TABLES["events"].column_names)
    assert events.column("cell").to_pylist() == [geohash(40.6, 22.9, 7)] * 2
    assert events.column("event_at").to_pylist() == [datetime(2024, 5, 1, 10), datetime(2024, 5, 1)]
    assert events.column("battery_pct").to_pylist() == [None, None]
    assert report.facts == {"rows of events": 2, "rows of weather": 1}
    assert "Not read: notes.md." in report.notes
    assert "a.csv.gz: there is no column trip_id; it stays empty." in report.notes
    with open_store(tmp_path / "store", create=True) as store:
        with store.new_generation("canonical") as generation:
            for name, rows in tables.items():
                generation.append(name, rows)
        assert store.imports()[-1].tables["events"].rows == 2


def test_times_to_the_nanosecond_are_taken_to_the_microsecond(tmp_path: Path) -> None:
    stamps = pa.array([1_714_557_600_123_456_789], pa.timestamp("ns", "UTC"))
    pq.write_table(
        pa.table({"hour_at": stamps, "temperature_c": [1.0], "rain_mm": [1.0], "wind_kmh": [1.0]}),
        tmp_path / "weather.parquet",
    )
    tables, _ = read(tmp_path)
    assert tables["weather"]["hour_at"].to_pylist() == [datetime(2024, 5, 1, 10, 0, 0, 123456)]


def test_bad_rows_are_dropped_and_counted(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text(
        f"{EVENTS},colour\n"
        "e1,v,1714557600,available,trip_end,40.6,22.9,x\n"
        "e2,v,yesterday,available,trip_end,40.6,22.9,x\n"
        "e3,,1714557600,available,trip_end,40.6,22.9,x\n"
        "e4,v,1714557600,available,trip_end,140.6,22.9,x\n"
    )
    tables, report = read(tmp_path)
    assert tables["events"].column("event_id").to_pylist() == ["e1"]
    assert {entry.reason: entry.examples for entry in report.dropped} == {
        "events: event_at cannot be read": ("events.csv row 3: yesterday",),
        "events: no vehicle_id": ("events.csv row 4",),
        "events: lat off the earth": ("events.csv row 5: 140.6",),
    }
    assert "events.csv: column colour is not known to events and was left out." in report.notes


def test_a_cell_is_that_of_its_position_whatever_is_given(tmp_path: Path) -> None:
    right = geohash(40.6, 22.9, 7)
    lines = [f"e{n},v,1714557600,available,trip_end,40.6,22.9,{cell}"
             for n, cell in enumerate([right, "", "zzzzzzz", "iloiloa", right[:5]])]  # fmt: skip
    (tmp_path / "events.csv").write_text("\n".join([f"{EVENTS},cell", *lines, ""]))
    trips = {
        "trip_id": ["a", "b", "c"], "started_at": [datetime(2024, 5, 1)] * 3,
        "ended_at": [datetime(2024, 5, 1, 1)] * 3, "distance_m": [1.0] * 3,
        "duration_s": [1.0] * 3, "inferred": [False] * 3,
        "start_lat": [40.6, None, None], "start_lon": [22.9, None, None],
        "start_cell": [right, "sx0r1vq", "anywhere"], "end_cell": [None, right, "no"],
    }  # fmt: skip
    pq.write_table(pa.table(trips), tmp_path / "trips.parquet")
    tables, report = read(tmp_path)
    assert tables["events"].column("cell").to_pylist() == [right] * 5
    assert tables["trips"].column("start_cell").to_pylist() == [right, "sx0r1vq", None]
    assert tables["trips"].column("end_cell").to_pylist() == [None, right, None]
    assert report.dropped == ()
    told = {name: count for name, count in report.facts.items() if name.startswith("cells of")}
    assert list(told.values()) == [3, 2]


def test_names_and_columns_that_do_not_fit_are_told(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match="no folder"):
        CanonicalFolder(tmp_path / "none")
    with pytest.raises(SourceUnreadable, match="no Parquet or CSV"):
        CanonicalFolder(tmp_path)
    (tmp_path / "trip.csv").write_text("a,b\n")
    with pytest.raises(SourceUnreadable, match="Did you mean 'trips'"):
        CanonicalFolder(tmp_path)
    (tmp_path / "trip.csv").unlink()
    (tmp_path / "weather.csv").write_text("hour_at,temperature,rain_mm,wind_kmh\n2024,1,2,3\n")
    with pytest.raises(SourceUnreadable, match=r"temperature_c \(did you mean 'temperature'\?\)"):
        read(tmp_path)
    (tmp_path / "weather.csv").unlink()
    pq.write_table(
        pa.table({"hour_at": ["now"], "temperature_c": [1.0], "rain_mm": [1.0], "wind_kmh": [1.0]}),
        tmp_path / "weather.parquet",
    )
    with pytest.raises(SourceUnreadable, match="hour_at has the wrong type"):
        read(tmp_path)
    whole = (tmp_path / "weather.parquet").read_bytes()
    (tmp_path / "weather.parquet").write_bytes(whole[:-9])
    with pytest.raises(SourceUnreadable, match="cannot be read as Parquet"):
        read(tmp_path)


def test_zones_of_ones_own_are_checked_by_their_form(tmp_path: Path) -> None:
    columns = ["zone_id", "rule_id", "ruleset", "rank", "name", "listed_at", "outline", "to_time"]
    good = '{"type": "Polygon", "coordinates": [[[22, 40], [23, 40], [23, 41], [22, 40]]]}'
    table = pa.table(
        {
            "zone_id": ["a", "b", "c", "d"], "rule_id": ["1"] * 4, "ruleset": ["own"] * 4,
            "rank": [0, 1, 2, 3], "name": ["n"] * 4,
            "listed_at": pa.array([datetime(2024, 5, 1)] * 4, pa.timestamp("us")),
            "outline": [good, None, "square", good],
            "to_time": ["12:00:00", None, None, "noon"],
        }
    )  # fmt: skip
    assert table.column_names == columns
    pq.write_table(table, tmp_path / "zones.parquet")
    tables, report = read(tmp_path)
    assert tables["zones"].column("zone_id").to_pylist() == ["a", "b"]
    assert {entry.reason: entry.examples for entry in report.dropped} == {
        "zones: outline cannot be used": ("zones.parquet row 3: not a GeoJSON geometry",),
        "zones: to_time cannot be used": ("zones.parquet row 4: Invalid isoformat string: 'noon'",),
    }
