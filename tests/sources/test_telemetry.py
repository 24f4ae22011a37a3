"""Pings of vehicles in the shapes that trackers send, from files and from a server."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sources.loopback import Reply, loopback
from tests.sources.mapped import NOW, counted, taken

from fleetdesk.errors import SourceUnreadable
from fleetdesk.model.tables import TELEMETRY
from fleetdesk.sources.base import Tally, schema_of
from fleetdesk.sources.mapped_agreement import MappingNeeded
from fleetdesk.sources.mapped_checks import Limits
from fleetdesk.sources.mapped_files import MappedFiles, wishes_of
from fleetdesk.sources.mapped_rows import Counts
from fleetdesk.sources.telemetry import TelemetryRows, telemetry_at

START = datetime(2024, 5, 1, 10)


def at(place: object, folder: Path, **options: str) -> MappedFiles:
    wishes = wishes_of({"table": "telemetry", **options}, folder, trust=True)
    return telemetry_at(str(place), wishes, now=NOW, raw=folder / "raw")


def dump(folder: Path, value: Any, name: str = "pings.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def ping(second: int = 0, lat: float = 40.63, lon: float = 22.94) -> dict[str, Any]:
    moment = START + timedelta(seconds=second)
    return {"at": moment, "lat": lat, "lon": lon}


def millis(moment: datetime) -> int:
    return int(moment.replace(tzinfo=UTC).timestamp() * 1000)


def shapes(pings: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """The same pings as several makers nest them."""

    def nested(p: dict[str, Any]) -> dict[str, Any]:
        return {
            "ts": millis(p["at"]), "gps": {"lat": p["lat"], "lon": p["lon"], "hdop": 0.8, "alt": 3},
            "battery": {"level": 0.5}, "lock": {"state": "locked"},
        }  # fmt: skip

    def flat(vehicle: str, p: dict[str, Any]) -> dict[str, Any]:
        return {
            "imei": vehicle, "timestamp": f"{p['at'].isoformat()}Z", "latitude": p["lat"],
            "longitude": p["lon"], "hdop": 0.8, "soc": 50, "locked": True,
        }  # fmt: skip

    def point(vehicle: str, p: dict[str, Any]) -> dict[str, Any]:
        return {
            "device": {"id": vehicle}, "time": millis(p["at"]) // 1000,
            "location": {"type": "Point", "coordinates": [p["lon"], p["lat"]]},
            "status": {"battery_pct": 50, "is_locked": 1, "hdop": 0.8},
        }  # fmt: skip

    every = [(vehicle, p) for vehicle, list_ in pings.items() for p in list_]
    return {
        "per vehicle": [{"vehicle_id": v, "pings": [nested(p) for p in list_]}
                        for v, list_ in pings.items()],
        "under data": {"data": {"vehicles": [{"vehicle_id": v, "track": [nested(p) for p in list_]}
                                             for v, list_ in pings.items()]}},
        "by id": {v: [nested(p) for p in list_] for v, list_ in pings.items()},
        "flat list": [flat(v, p) for v, p in every],
        "points": {"items": [point(v, p) for v, p in every], "total": len(every)},
    }  # fmt: skip


def test_every_shape_gives_the_same_rows(tmp_path: Path) -> None:
    pings = {
        f"v{vehicle}": [ping(5 * turn, 40.63 + turn / 1e4, 22.94 + vehicle / 1e3)
                        for turn in range(6)]
        for vehicle in range(3)
    }  # fmt: skip
    expected = [
        {"vehicle_id": vehicle, "recorded_at": p["at"], "lat": p["lat"], "lon": p["lon"],
         "speed_kmh": None, "battery_pct": 50.0, "hdop": 0.8, "locked": True}
        for vehicle, list_ in pings.items() for p in list_
    ]  # fmt: skip
    for name, value in shapes(pings).items():
        tables, report = taken(at(dump(tmp_path, value, f"{name}.json"), tmp_path))
        assert tables["telemetry"] == expected, name
        assert report.rows_in == report.rows_kept == len(expected), name
        assert [row["vehicle_id"] for row in tables["vehicles"]] == list(pings), name
        assert tables["vehicles"][0]["first_seen_at"] == START
        lines = value if isinstance(value, list) else [value]
        path = tmp_path / f"{name}.jsonl.gz"
        path.write_bytes(gzip.compress("\n".join(map(json.dumps, lines)).encode()))
        assert taken(at(path, tmp_path))[0]["telemetry"] == expected, name
    assert not list(tmp_path.glob("mapping for*"))


def test_two_numbers_that_could_be_either_way_round_are_asked_about(tmp_path: Path) -> None:
    def dumped(name: str, *position: float) -> Path:
        row = {"id": "v1", "time": "2024-05-01T10:00:00Z", "position": position}
        return dump(tmp_path, {"data": [row]}, name)

    with pytest.raises(MappingNeeded, match="latitude first: check"):
        taken(at(dumped("a.json", 22.94, 40.63), tmp_path))
    (mapping,) = tmp_path.glob("mapping for*")
    mapping.write_text(
        mapping.read_text("utf-8").replace("lat, lon", "lon, lat").replace(",no", ",yes"), "utf-8"
    )
    tables, _ = taken(at(dumped("a.json", 22.94, 40.63), tmp_path))
    assert (tables["telemetry"][0]["lat"], tables["telemetry"][0]["lon"]) == (40.63, 22.94)
    # In Kyoto only one order is on earth.
    tables, _ = taken(at(dumped("b.json", 135.77, 35.01), tmp_path / "other"))
    assert (tables["telemetry"][0]["lat"], tables["telemetry"][0]["lon"]) == (35.01, 135.77)


def test_the_unit_of_speed_is_told_by_the_steps(tmp_path: Path) -> None:
    # 5 s at 5 m/s northwards is 25 m.
    for unit, stated in (("m/s", 5.0), ("km/h", 18.0), ("mph", 11.1847)):
        rows = [
            {"vehicle_id": "v", "ts": millis(START) + 5000 * turn, "lat": 40.6 + turn * 25 / 111195,
             "lon": 22.9, "speed": stated}
            for turn in range(60)
        ]  # fmt: skip
        tables, report = taken(at(dump(tmp_path, rows), tmp_path))
        assert [round(row["speed_kmh"], 2) for row in tables["telemetry"]] == [18.0] * 60
        assert any(f"({unit})" in note for note in report.notes)


def test_faults_are_named_and_counted(tmp_path: Path) -> None:
    good = {"vehicle_id": "v", "lat": 40.6, "lon": 22.9, "speed": 10, "battery": 55}

    def row(second: int, **changed: Any) -> dict[str, Any]:
        return {"ts": millis(START) + 1000 * second, **good, **changed}

    rows = [
        *(row(second) for second in range(40)),
        row(40, ts=millis(datetime(1980, 1, 6))), row(41, ts=millis(datetime(2031, 1, 1))),
        row(42, lat=95), row(43, lat=0, lon=0), row(44, speed=150), row(45, speed=-1),
        row(46, battery=140), row(3, speed=3), row(47, lat=37.97, lon=23.72), row(48, lat=None),
        row(49, vehicle_id=None), row(50, ts="soon"), row(-60), row(51),
    ]  # fmt: skip
    tables, report = taken(at(dump(tmp_path, rows), tmp_path))
    assert counted(report) == {
        "time before 2010": 1, "time more than a day ahead": 1, "position off the earth": 1,
        "position 0, 0": 1, "speed above 120 km/h": 1, "speed below 0": 1,
        "battery_pct outside 0 to 100": 1, "no lat": 1, "no vehicle_id": 1,
        "second row with the same vehicle_id and recorded_at": 1,
        "ts cannot be read as recorded_at": 1,
        "position far from the city (over 50 km from 40.60, 22.90)": 1,
    }  # fmt: skip
    assert len(tables["telemetry"]) == 42
    assert report.facts["pings that go back in time after another of the vehicle"] == 1


def test_a_charge_from_0_to_1_is_told_for_the_whole_file(tmp_path: Path) -> None:
    shares = [0.0, 0.01, 0.5, 1.0]
    for values, expected in ((shares, [0.0, 1.0, 50.0, 100.0]), ([1, 0, 99, 1], [1, 0, 99, 1])):
        rows = [
            {"vehicle_id": "v", "ts": millis(START) + turn, "lat": 1.5, "lon": 2, "battery": value}
            for turn, value in enumerate(values)
        ]
        tables, _ = taken(at(dump(tmp_path, rows), tmp_path))
        assert [row["battery_pct"] for row in tables["telemetry"]] == expected


def test_what_is_missing_is_asked_for(tmp_path: Path) -> None:
    path = dump(tmp_path, [{"vehicle_id": "v", "lat": 1, "lon": 2, "mood": 3}] * 3)
    with pytest.raises(MappingNeeded, match="MISSING, and needed: recorded_at"):
        at(path, tmp_path)
    assert (tmp_path / "mapping for pings.json.csv").exists()


def test_a_server_is_asked_with_its_token_and_the_answer_is_kept(tmp_path: Path) -> None:
    body = json.dumps([{"imei": "v", "ts": millis(START), "lat": 40.6, "lon": 22.9}]).encode()
    with loopback() as server:
        server.replies["/positions"] = Reply(body)
        server.replies["/page"] = Reply(b"<html>no</html>")
        wishes = wishes_of({"table": "telemetry"}, tmp_path, trust=True)
        source = telemetry_at(
            f"{server.url}/positions", wishes, now=NOW, raw=tmp_path / "raw", token="open sesame"
        )
        with pytest.raises(SourceUnreadable, match="web page"):
            at(f"{server.url}/page", tmp_path / "other")
    asked = [request.headers["Authorization"] for request in server.requests]
    tables, report = taken(source)
    assert asked == ["Bearer open sesame", None]
    assert report.source == "127.0.0.1"
    assert [row["vehicle_id"] for row in tables["telemetry"]] == ["v"]
    (kept,) = (tmp_path / "raw").iterdir()
    assert gzip.decompress(kept.read_bytes()) == body


def test_batches_of_a_database_become_rows() -> None:
    tally, counts = Tally(), Counts()
    rows = TelemetryRows(Limits(NOW), tally, counts)
    given = {
        "vehicle_id": pa.array(["a", "a", None, "b"]),
        "recorded_at": pa.array([START] * 4, pa.timestamp("us")),
        "lat": pa.array([1.0, 1.0, 1.0, 0.0]),
        "lon": pa.array([1.0, 1.0, 1.0, 0.0]),
    }
    first = rows.take(given, lambda row: f"row {row}")
    assert first.schema == schema_of(TELEMETRY)
    assert first.column("vehicle_id").to_pylist() == ["a"]
    assert rows.take(given, lambda row: f"row {row}").num_rows == 0
    report = tally.report("database", notes=(), facts=counts.facts)
    assert (report.rows_in, report.rows_kept) == (8, 1)
    assert counted(report) == {
        "no vehicle_id": 2, "position 0, 0": 2,
        "second row with the same vehicle_id and recorded_at": 3,
    }  # fmt: skip


@settings(deadline=None, max_examples=40)
@given(st.permutations(range(12)), st.lists(st.integers(0, 11), max_size=6))
def test_order_and_repeats_change_nothing(order: list[int], repeats: list[int]) -> None:
    whole = {
        "vehicle_id": pa.array([f"v{turn % 3}" for turn in range(12)]),
        "recorded_at": pa.array([START + timedelta(seconds=turn) for turn in range(12)],
                                pa.timestamp("us")),
        "lat": pa.array([40.0 + turn / 100 for turn in range(12)]),
        "lon": pa.array([22.0] * 12),
    }  # fmt: skip
    places = pa.array([*order, *repeats])
    tally = Tally()
    rows = TelemetryRows(Limits(NOW), tally).take(
        {name: values.take(places) for name, values in whole.items()}, lambda row: f"row {row}"
    )
    key = [("recorded_at", "ascending")]
    expected = TelemetryRows(Limits(NOW), Tally()).take(whole, str)
    assert rows.sort_by(key) == expected.sort_by(key)
    assert tally.rows_dropped == len(repeats)
