"""Snapshots of a public feed: good rows become canonical, bad ones are counted with their row."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from fleetdesk.errors import SourceUnreadable
from fleetdesk.model.places import geohash
from fleetdesk.model.quality import QualityReport
from fleetdesk.model.tables import SIGHTINGS, VEHICLES
from fleetdesk.sources import csv_file
from fleetdesk.sources.base import schema_of
from fleetdesk.sources.gbfs_snapshots import GbfsSnapshots

NOW = datetime(2024, 1, 1, tzinfo=UTC)
HEADER = (
    "snapshot_unix,bike_id,last_reported_unix,lat,lon,current_range_meters,"
    "is_reserved,is_disabled,vehicle_type_id"
)
GOOD = "1690803922,a,1690802392,52.42,10.76,24000,0,1,okai"


def read(path: Path, known: pa.Table | None = None) -> tuple[pa.Table, pa.Table, QualityReport]:
    source = GbfsSnapshots(path, now=NOW, known_vehicles=known)
    pieces: dict[str, list[pa.Table]] = {"sightings": [], "vehicles": []}
    for name, rows in source.read():
        pieces[name].append(rows)
    return (
        pa.concat_tables(pieces["sightings"]),
        pa.concat_tables([schema_of(VEHICLES).empty_table(), *pieces["vehicles"]]),
        source.report(),
    )


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def _write(*lines: str, name: str = "feed.csv") -> Path:
        path = tmp_path / name
        data = ("\n".join(lines) + "\n").encode()
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return path

    return _write


def row(**changes: object) -> str:
    names = HEADER.split(",")
    values = dict(zip(names, GOOD.split(","), strict=True)) | {
        k: str(v) for k, v in changes.items()
    }
    return ",".join(values[name] for name in names)


@pytest.mark.parametrize("name", ["feed.csv", "feed.csv.gz", "feed.txt"])
def test_a_row_becomes_a_sighting_and_a_vehicle(write: Any, name: str) -> None:
    sightings, vehicles, report = read(
        write(HEADER, GOOD, row(bike_id="b", current_range_meters=48000), name=name)
    )
    assert sightings.column_names == list(SIGHTINGS.column_names)
    assert sightings.to_pylist()[0] == {
        "vehicle_id": "a",
        "seen_at": datetime(2023, 7, 31, 11, 45, 22),
        "last_reported_at": datetime(2023, 7, 31, 11, 19, 52),
        "lat": 52.42,
        "lon": 10.76,
        "cell": geohash(52.42, 10.76, 7),
        "range_m": 24000.0,
        "battery_pct": 50.0,
        "is_reserved": False,
        "is_disabled": True,
        "vehicle_type": "okai",
    }
    assert vehicles.column_names == list(VEHICLES.column_names)
    assert vehicles.to_pylist()[0] == {
        "vehicle_id": "a",
        "vehicle_type": "okai",
        "full_range_m": 48000.0,
        "battery_capacity_wh": None,
        "first_seen_at": datetime(2023, 7, 31, 11, 45, 22),
    }
    assert (report.rows_in, report.rows_kept, report.dropped) == (2, 2, ())
    assert report.facts["full range of okai, m"] == 48000.0
    assert any("100 x range / full range" in note for note in report.notes)


def test_gbfs_3_names_rfc_3339_times_and_a_charge_of_its_own(write: Any) -> None:
    sightings, vehicles, report = read(
        write(
            "\ufefflast_updated;vehicle_id;lat;lon;current_fuel_percent;is_reserved;colour;last_reported",
            "2023-07-31T13:45:22+02:00;a;52.4;10.7;0.25;false;red;2023-07-31T11:45:22.5Z",
            "1690803922000;b;52.4;10.7;;TRUE;red;",
        )
    )
    a, b = sightings.to_pylist()
    assert a["seen_at"] == b["seen_at"] == datetime(2023, 7, 31, 11, 45, 22)
    assert a["last_reported_at"] == datetime(2023, 7, 31, 11, 45, 22, 500_000)
    assert (a["battery_pct"], b["battery_pct"], a["range_m"]) == (25.0, None, None)
    assert (a["is_reserved"], b["is_reserved"], a["is_disabled"]) == (False, True, False)
    assert vehicles.column("vehicle_type").to_pylist() == ["unknown", "unknown"]
    assert any("colour" in note for note in report.notes)
    assert any("is_disabled" in note for note in report.notes)


def test_a_charge_from_0_to_100_is_recognised(write: Any) -> None:
    header = "snapshot,bike_id,lat,lon,current_fuel_percent"
    sightings, _, report = read(
        write(header, "1690803922,a,1,1,0.5", "1690803922,b,1,1,80", "1690803922,c,1,1,101")
    )
    assert sightings.column("battery_pct").to_pylist() == [0.5, 80.0]
    assert [(entry.reason, entry.examples) for entry in report.dropped] == [
        ("charge outside 0 to 100 %", ("row 4: charge is 101.0",))
    ]


@pytest.mark.parametrize(
    ("bad", "reason", "example"),
    [
        (row(lat="52,4").replace("52,4", '"52,4"'), "lat cannot be read", "row 3: lat is 52,4"),
        (row(current_range_meters="far"), "current_range_meters cannot be read",
         "row 3: current_range_meters is far"),
        (row(is_reserved="maybe"), "is_reserved cannot be read", "row 3: is_reserved is maybe"),
        (row(snapshot_unix="2023-02-30T00:00:00Z"), "snapshot_unix cannot be read",
         "row 3: snapshot_unix is 2023-02-30T00:00:00Z"),
        (row(snapshot_unix="2023-02-03T00:00:00"), "snapshot_unix cannot be read",
         "row 3: snapshot_unix is 2023-02-03T00:00:00"),
        (row(snapshot_unix=""), "no time", "row 3: a"),
        (row(bike_id="  "), "no vehicle id", "row 3"),
        (row(lat=""), "no position", "row 3: a"),
        (row(lat="-90.5"), "position off the earth", "row 3: -90.5, 10.76"),
        (row(lon="181"), "position off the earth", "row 3: 52.42, 181.0"),
        (row(lon="nan"), "no position", "row 3: a"),
        (row(lon="inf"), "lon cannot be read", "row 3: lon is inf"),
        (row(lat="0", lon="0.0"), "position 0, 0", "row 3: a"),
        (row(current_range_meters="-1"), "negative range", "row 3: range is -1.0"),
        (row(current_range_meters="9e9"), "range above 1000 km", "row 3: range is 9000000000.0"),
        (row(snapshot_unix="1000000000"), "time before 2010", "row 3: time is 2001-09-09 01:46:40"),
        (row(snapshot_unix="1704300000"), "time in the future",
         "row 3: time is 2024-01-03 16:40:00"),
        (row(lat="52.43"), "second row of a vehicle in one snapshot", "row 3: a"),
        ("", "empty row", "row 3"),
        ("1,2", "wrong number of cells", "row 3: 2 cells instead of 9"),
    ],
)  # fmt: skip
def test_a_bad_row_is_dropped_and_counted_with_its_number(
    write: Any, bad: str, reason: str, example: str
) -> None:
    sightings, vehicles, report = read(write(HEADER, GOOD, bad, row(bike_id="z")))
    assert sightings.column("vehicle_id").to_pylist() == ["a", "z"]
    assert sightings.column("lat").to_pylist() == [52.42, 52.42]
    assert vehicles.column("full_range_m").to_pylist() == [24000.0, 24000.0]
    assert (report.rows_in, report.rows_kept) == (3, 2)
    assert [(entry.reason, entry.rows) for entry in report.dropped] == [(reason, 1)]
    assert report.dropped[0].examples == (example,)


def test_many_pieces_give_the_same_as_one(write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [HEADER]
    for number in range(300):
        vehicle = f"v{number % 40}"
        lines.append(row(bike_id=vehicle, snapshot_unix=1690800000 + 300 * (number // 50)))
        if number % 60 == 7:
            lines.append(row(lat="x"))
        if number % 60 == 9:
            lines.append("too,few")
    path = write(*lines)
    whole = read(path)
    monkeypatch.setattr(csv_file, "BLOCK_BYTES", 700)
    cut = read(path)
    assert cut[0].to_pylist() == whole[0].to_pylist()
    assert cut[1].to_pylist() == whole[1].to_pylist()
    assert cut[2] == whole[2]
    assert [(d.reason, d.rows) for d in whole[2].dropped] == [
        ("second row of a vehicle in one snapshot", 60),
        ("lat cannot be read", 5),
        ("wrong number of cells", 5),
    ]
    assert len(whole[2].dropped[0].examples) == 5
    bad_line = lines.index(row(lat="x")) + 1
    assert whole[2].dropped[1].examples[0] == f"row {bad_line}: lat is x"


def test_earlier_vehicles_keep_their_full_range_and_first_record(write: Any) -> None:
    _, known, _ = read(write(HEADER, row(current_range_meters=50000, snapshot_unix=1690000000)))
    sightings, vehicles, _ = read(write(HEADER, row(current_range_meters=25000)), known)
    assert sightings.column("battery_pct").to_pylist() == [50.0]
    assert vehicles.to_pylist()[0]["full_range_m"] == 50000.0
    assert vehicles.to_pylist()[0]["first_seen_at"] == datetime(2023, 7, 22, 4, 26, 40)


def test_ids_that_rotate_are_noticed(write: Any) -> None:
    lines = [row(bike_id=f"v{n}", snapshot_unix=1690000000 + 300 * n) for n in range(40)]
    sightings, vehicles, report = read(write(HEADER, *lines))
    assert any("new ids after trips" in note for note in report.notes)
    assert sightings.column("vehicle_id").to_pylist()[:2] == [
        "v0@once-20230722T042640", "v1@once-20230722T043140",
    ]  # fmt: skip
    assert vehicles.num_rows == 0
    lines = [row(snapshot_unix=1690000000 + 300 * n) for n in range(40)]
    assert not any("new ids" in note for note in read(write(HEADER, *lines))[2].notes)


def test_progress_runs_from_0_to_1(write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_file, "BLOCK_BYTES", 5_000)
    lines = [row(bike_id=f"v{n}") for n in range(20_000)]
    told: list[float] = []
    for _ in GbfsSnapshots(write(HEADER, *lines), now=NOW).read(told.append):
        pass
    assert told == sorted(told) and told[-1] == 1.0 and len(told) > 10 and told[0] < 0.5


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (HEADER.replace("bike_id", "bikeid"), "did you mean 'bikeid'?"),
        (HEADER.replace("lat,", "latitud,"), "did you mean 'latitud'?"),
        (HEADER.replace("is_reserved", "vehicle_id"), "bike_id and vehicle_id mean the same"),
        ("a,b,c", "no column snapshot_unix or"),
    ],
)
def test_a_wrong_header_is_told_with_the_nearest_name(write: Any, header: str, said: str) -> None:
    with pytest.raises(SourceUnreadable) as refusal:
        GbfsSnapshots(write(header, GOOD), now=NOW)
    assert said in str(refusal.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (gzip.compress(b"", mtime=0), "it is empty"),
        (b"<!doctype html><html>404</html>", "a web page"),
        (b'{"data": {"bikes": []}}', "it is JSON"),
        (b"PK\x03\x04rest", "an Excel workbook"),
        (b"\x89PNG,\0\0\0", "binary"),
        (b"\x1f\x8bgarbage", "cut off or damaged"),
        ((HEADER + "\n").encode(), "a header and nothing else"),
        (HEADER.encode(), "it has no rows"),
        ((HEADER + "\n" + row(bike_id="\xe9")).encode("latin-1"), "not UTF-8"),
        ((HEADER + "\n" + row(lat="x")).encode(), "1 rows: lat cannot be read (row 2: lat is x)"),
    ],
)
def test_what_is_not_a_feed_is_refused_in_a_sentence(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "feed.csv"
    path.write_bytes(content)
    with pytest.raises(SourceUnreadable) as refusal:
        read(path)
    assert said in str(refusal.value)


def test_a_folder_is_refused_as_a_folder(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match="it is a folder"):
        GbfsSnapshots(tmp_path, now=NOW)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match="no such file"):
        GbfsSnapshots(tmp_path / "none.csv", now=NOW)


@pytest.mark.parametrize("cut", [3, 8, 200, 4000])
def test_a_truncated_gzip_is_told(tmp_path: Path, cut: int) -> None:
    lines = [row(bike_id=f"v{n}", lat=50 + n / 7919) for n in range(3000)]
    path = tmp_path / "feed.csv.gz"
    path.write_bytes(gzip.compress("\n".join([HEADER, *lines]).encode())[:-cut])
    with pytest.raises(SourceUnreadable, match="cut off or damaged"):
        read(path)


def test_reading_keeps_memory_bounded(write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_file, "BLOCK_BYTES", 50_000)
    lines = [row(bike_id=f"v{n % 100}", snapshot_unix=1690000000 + n) for n in range(20_000)]
    path = write(HEADER, *lines)
    sizes: Sequence[int] = [
        rows.num_rows for name, rows in GbfsSnapshots(path, now=NOW).read() if name == "sightings"
    ]
    assert sum(sizes) == 20_000 and max(sizes) < 2_000
