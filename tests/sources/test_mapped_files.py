"""A planner's own files: guessed, confirmed, imported, and their bad rows mended."""

from __future__ import annotations

import csv
import gzip
import json
from datetime import datetime, time
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.sources.mapped import NOW, counted, opened, taken

from fleetdesk.errors import SourceUnreadable
from fleetdesk.model.places import geohash
from fleetdesk.sources.base import Checkpoint
from fleetdesk.sources.mapped_agreement import MappingNeeded
from fleetdesk.sources.mapped_files import MappedFiles, wishes_of

HEADER = "Ride ID,Scooter,Start time,End time,Distance (km),Start lat,Start lon,End lat,End lon"
GOOD = "r1,v1,2024-05-01 10:00,2024-05-01 10:12,1.9,40.63,22.94,40.64,22.95"
OTHER = "r2,v2,2024-05-01 11:00,2024-05-01 11:09,1.1,40.64,22.95,40.63,22.94"
TRIP = {
    "trip_id": "r1", "vehicle_id": "v1", "rider_id": None, "started_at": datetime(2024, 5, 1, 7),
    "ended_at": datetime(2024, 5, 1, 7, 12), "start_lat": 40.63, "start_lon": 22.94,
    "end_lat": 40.64, "end_lon": 22.95, "start_cell": geohash(40.63, 22.94, 7),
    "end_cell": geohash(40.64, 22.95, 7), "distance_m": 1900.0, "duration_s": 720.0,
    "start_battery_pct": None, "end_battery_pct": None, "revenue": None, "inferred": False,
}  # fmt: skip


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def ways(folder: Path) -> list[Path]:
    """The same two trips in every form of file."""
    rows = [line.split(",") for line in (GOOD, OTHER)]
    header = HEADER.split(",")
    text = "\n".join([HEADER, GOOD, OTHER]) + "\n"
    made = []

    def put(name: str, data: bytes) -> None:
        (folder / name).write_bytes(data)
        made.append(folder / name)

    put("comma.csv", text.encode())
    put("packed.csv.gz", gzip.compress(text.encode()))
    put("bom.csv", b"\xef\xbb\xbf" + text.replace(",", ";").replace(".", ",").encode())
    put("tabs.csv", text.replace(",", "\t").encode("utf-16"))
    records = [dict(zip(header, row, strict=True)) for row in rows]
    put("list.json", json.dumps(records).encode())
    put("data.json", json.dumps({"data": records}).encode())
    put("lines.jsonl", "\n".join(map(json.dumps, records)).encode())
    times = [[datetime.fromisoformat(r["Start time"]), datetime.fromisoformat(r["End time"])]
             for r in records]  # fmt: skip
    columns = {name: [record[name] for record in records] for name in header}
    for place, name in enumerate(header[2:4]):
        columns[name] = [pair[place] for pair in times]
    for name in header[4:]:
        columns[name] = [float(value) for value in columns[name]]
    pq.write_table(pa.table(columns), folder / "typed.parquet")
    made.append(folder / "typed.parquet")
    book = openpyxl.Workbook()
    book.active.append(["Trips of May"])
    book.active.append([])
    book.active.append(header)
    for place in range(2):
        book.active.append([columns[name][place] for name in header])
    book.save(folder / "book.xlsx")
    made.append(folder / "book.xlsx")
    return made


def test_every_form_of_file_gives_the_same_rows(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for path in ways(tmp_path / "in"):
        source = opened(path, tmp_path, confirm="yes", timezone="Europe/Athens")
        tables, report = taken(source)
        assert tables["trips"][0] == TRIP, path.name
        assert [row["trip_id"] for row in tables["trips"]] == ["r1", "r2"], path.name
        assert [row["vehicle_id"] for row in tables["vehicles"]] == ["v1", "v2"], path.name
        assert (report.rows_in, report.rows_kept) == (2, 2), path.name


def test_the_guess_is_shown_and_written_and_nothing_comes_in_before_it_is_confirmed(
    tmp_path: Path,
) -> None:
    path = write(tmp_path / "may.csv", HEADER + ",Colour", GOOD + ",red", OTHER + ",blue")
    with pytest.raises(MappingNeeded) as asked:
        opened(path, tmp_path)
    said = str(asked.value)
    for part in ("Scooter", "-> vehicle_id", "-> distance_m (km)", "Not used: Colour",
                 "no zone", "--option confirm=yes", "mapping for may.csv"):  # fmt: skip
        assert part in said
    lines = {line["column"]: line for line in asked.value.as_dict()["columns"]}  # type: ignore[attr-defined]
    assert lines["Scooter"]["meaning"] == "vehicle_id"
    written = tmp_path / "mapping for may.csv"
    with written.open(encoding="utf-8-sig", newline="") as file:
        rows = {row[0]: row for row in csv.reader(file)}
    assert rows["Distance (km)"][1:4] == ["1.9 | 1.1", "distance_m", "km"]
    assert rows["(confirmed)"][2] == "no"
    before = written.read_bytes()
    with pytest.raises(MappingNeeded, match="is there already and was left as it is"):
        opened(path, tmp_path)
    assert written.read_bytes() == before


def test_the_planner_corrects_it_in_a_spreadsheet_and_later_files_need_no_asking(
    tmp_path: Path,
) -> None:
    path = write(tmp_path / "may.csv", HEADER, GOOD, OTHER)
    with pytest.raises(MappingNeeded):
        opened(path, tmp_path)
    written = tmp_path / "mapping for may.csv"
    text = written.read_text(encoding="utf-8-sig")
    text = text.replace("distance_m,km", "distance_m,mi").replace(
        "(confirmed),,no", "(confirmed),,Yes"
    )
    # As a spreadsheet of the continent saves it.
    rows = list(csv.reader(text.splitlines()))
    with written.open("w", encoding="cp1252", newline="") as file:
        csv.writer(file, delimiter=";").writerows(rows)
    tables, report = taken(opened(path, tmp_path))
    assert tables["trips"][0]["distance_m"] == pytest.approx(1.9 * 1609.344)
    assert "Read by mapping for may.csv, which is confirmed." in report.notes
    june = write(tmp_path / "june.csv", HEADER, GOOD.replace("r1", "r9"))
    assert taken(opened(june, tmp_path))[0]["trips"][0]["trip_id"] == "r9"
    strange = write(tmp_path / "strange.csv", "a,b", "1,2")
    with pytest.raises(MappingNeeded, match="MISSING, and needed"):
        opened(strange, tmp_path)


def test_bad_rows_are_put_aside_mended_and_brought_in_alone(tmp_path: Path) -> None:
    bad = "r3,v3,2024-05-01 12:00,soon,1.9,40.63,22.94,40.64,22.95"
    formula = "=r4,v3,2024-05-01 12:00,2024-05-01 11:00,1.9,40.63,-22.94,40.64,22.95"
    path = write(tmp_path / "may.csv", HEADER, GOOD, bad, OTHER, formula)
    source = opened(path, tmp_path, confirm="yes", far_km=0)
    tables, report = taken(source)
    assert [row["trip_id"] for row in tables["trips"]] == ["r1", "r2"]
    assert [(e.reason, e.examples) for e in report.dropped] == [
        ("End time cannot be read as ended_at", ("row 3: soon",)),
        ("ends before it starts (ended_at before started_at)",
         ("row 5: 2024-05-01 11:00:00",)),
    ]  # fmt: skip
    aside = tmp_path / "rejected rows of may.csv"
    text = aside.read_text(encoding="utf-8-sig")
    assert "'=r4" in text
    assert ",-22.94," in text
    aside.write_text(text.replace("soon", "2024-05-01 12:20"), encoding="utf-8-sig")
    tables, report = taken(opened(aside, tmp_path, far_km=0))
    assert [row["trip_id"] for row in tables["trips"]] == ["r3"]
    left = aside.read_text(encoding="utf-8-sig").splitlines()
    assert len(left) == 2
    assert left[1].startswith("'=r4")
    fixed = left[1].replace("2024-05-01 11:00", "2024-05-01 12:30")
    aside.write_text(f"{left[0]}\n{fixed}\n", encoding="utf-8-sig")
    tables, _ = taken(opened(aside, tmp_path, far_km=0))
    assert [row["trip_id"] for row in tables["trips"]] == ["=r4"]
    assert not aside.exists()


def test_ids_are_made_from_what_a_row_says(tmp_path: Path) -> None:
    without = [line.partition(",")[2] for line in (HEADER, GOOD, OTHER, OTHER)]
    path = write(tmp_path / "a.csv", *without)
    tables, report = taken(opened(path, tmp_path, confirm="yes"))
    assert counted(report) == {"second row with the same trip_id": 1}
    first = {row["trip_id"] for row in tables["trips"]}
    turned = write(tmp_path / "b.csv", without[0], without[2], without[1])
    assert {row["trip_id"] for row in taken(opened(turned, tmp_path))[0]["trips"]} == first
    assert len(first) == 2


def test_faults_are_named_and_counted_each_row_once(tmp_path: Path) -> None:
    lines = {
        "empty row": ",,,,,,,,",
        "null row (nothing but ids)": "x1,v1,,,,,,,",
        "no started_at": "x2,v1,,2024-05-01 10:12,1.9,40.63,22.94,40.64,22.95",
        "longer than a day": "x3,v1,2024-05-01 10:00,2024-05-03 10:12,1.9,40.63,22.94,40.64,22.95",
        "distance above 100 km": "x4,v1,2024-05-01 10:00,2024-05-01 10:12,400,40.63,22.94,40.6,22.9",  # noqa: E501
        "faster than 120 km/h on average": "x5,v1,2024-05-01 10:00,2024-05-01 10:01,3,40.63,22.94,40.6,22.9",  # noqa: E501
        "time before 2010": "x6,v1,2001-05-01 10:00,2001-05-01 10:12,1,40.63,22.94,40.64,22.95",
        "time more than a day ahead": "x7,v1,2031-05-01 10:00,2031-05-01 10:12,1,40.63,22.94,40.6,22.9",  # noqa: E501
        "start position off the earth": "x8,v1,2024-05-01 10:00,2024-05-01 10:12,1,140.63,22.94,40.6,22.9",  # noqa: E501
        "end position 0, 0": "x9,v1,2024-05-01 10:00,2024-05-01 10:12,1,40.63,22.94,0,0",
        "half of the end position": "xa,v1,2024-05-01 10:00,2024-05-01 10:12,1,40.63,22.94,40.6,",
        "second row with the same trip_id": GOOD,
        "distance_m below 0": "xb,v1,2024-05-01 10:00,2024-05-01 10:12,-1,40.63,22.94,40.6,22.9",
    }  # fmt: skip
    far = "xc,v1,2024-05-01 10:00,2024-05-01 10:12,1,37.97,23.72,37.98,23.73"
    same = "xd,v1,2024-05-01 10:00,2024-05-01 10:00,1,40.63,22.94,40.6,22.9"
    path = write(tmp_path / "a.csv", HEADER, GOOD, OTHER, *lines.values(), far, same)
    tables, report = taken(opened(path, tmp_path, confirm="yes"))
    reasons = counted(report)
    where = "start position far from the city (over 50 km from 40.63, 22.94)"
    assert reasons == dict.fromkeys(lines, 1) | {where: 1}
    assert [row["trip_id"] for row in tables["trips"]] == ["r1", "r2", "xd"]
    assert report.facts["trips whose start and end are the same moment"] == 1
    told = {entry.reason: entry.examples[0].partition(": ")[2] for entry in report.dropped}
    assert told["longer than a day"] == "48.2 h"
    assert told["faster than 120 km/h on average"].endswith(" km/h")


def test_times_positions_and_shares_in_other_forms(tmp_path: Path) -> None:
    header = "imei,date,time,where,battery,locked"
    path = write(
        tmp_path / "pings.csv", header,
        "v1,01/05/2024,10:00:00,POINT (22.94 40.63),0.97,locked",
        "v1,13/05/2024,10:00:05,POINT (22.95 40.63),0.5,unlocked",
    )  # fmt: skip
    header_ = header.replace("where", "location")
    path.write_text(path.read_text().replace(header, header_))
    tables, _ = taken(opened(path, tmp_path, confirm="yes", timezone="Europe/Athens"))
    assert tables["telemetry"] == [
        {"vehicle_id": "v1", "recorded_at": datetime(2024, 5, day, 7, 0, second), "lat": 40.63,
         "lon": lon, "speed_kmh": None, "battery_pct": battery, "hdop": None, "locked": locked}
        for day, second, lon, battery, locked in (
            (1, 0, 22.94, 97.0, True), (13, 5, 22.95, 50.0, False))
    ]  # fmt: skip


def test_a_folder_is_one_import_and_is_not_read_twice(tmp_path: Path) -> None:
    folder = tmp_path / "days"
    folder.mkdir()
    for number in (1, 2, 10):
        line = GOOD.replace("r1", f"r{number}")
        write(folder / f"day {number}.csv", HEADER, line)
    write(folder / "summary.csv", "day,trips", "1,1")
    (folder / "broken.xlsx").write_bytes(b"PK\x03\x04 not a workbook")
    source = opened(folder, tmp_path, confirm="yes")
    pieces = list(source.read())
    trips = [piece[1].column("trip_id")[0].as_py() for piece in pieces
             if not isinstance(piece, Checkpoint) and piece[0] == "trips"]  # fmt: skip
    assert trips == ["r1", "r2", "r10"]
    notes = " ".join(source.report().notes)
    assert "summary.csv has no column" in notes
    assert "broken.xlsx cannot be read as a workbook" in notes
    marks = [piece.watermark for piece in pieces if isinstance(piece, Checkpoint)]
    again = opened(folder, tmp_path, watermark=marks[-1])
    assert [piece for piece in again.read() if not isinstance(piece, Checkpoint)] == []
    assert any("3 files are those of an earlier import" in note for note in again.report().notes)
    write(folder / "day 2.csv", HEADER, GOOD.replace("r1", "r2b"))
    tables, report = taken(opened(folder, tmp_path, watermark=marks[-1]))
    assert [row["trip_id"] for row in tables["trips"]] == ["r2b"]
    assert report.rows_in == 1


def test_greek_and_western_letters_and_types_asked_for(tmp_path: Path) -> None:
    lines = ("parking id;name;lat;lon;capacity;target", "p1;{};40,63;22,94;10;5")
    for encoding, name in (("cp1253", "Πλατεία Αριστοτέλους"), ("cp1252", "Königsplatz")):
        path = tmp_path / f"{encoding}.csv"
        path.write_text("\n".join(lines).format(name), encoding=encoding)
        tables, report = taken(opened(path, tmp_path, confirm="yes"))
        assert tables["parkings"][0]["name"] == name
        assert tables["parkings"][0]["radius_m"] == 25.0
        assert any(encoding in note for note in report.notes)
    path = write(tmp_path / "t.csv", HEADER + ",Vehicle type", GOOD + ",Scooter", OTHER + ",bike")
    tables, report = taken(opened(path, tmp_path, confirm="yes", vehicle_types="scooter"))
    assert [row["vehicle_type"] for row in tables["vehicles"]] == ["Scooter"]
    assert counted(report) == {"not one of the vehicle types asked for": 1}


def test_texts_and_times_of_day_in_a_sheet(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    page = book.active
    page.append(["TripID", "StartDate", "StartTime", "Minutes", "Miles"])
    page.append([1, datetime(2024, 5, 1), time(10, 15), 12, 1.5])
    page.append([None, None, None, None, None])
    page.append([2, datetime(2024, 5, 1), time(11), 10, 2])
    book.create_sheet("Other").append(["a", "b"])
    path = tmp_path / "t.xlsx"
    book.save(path)
    with pytest.raises(MappingNeeded):
        opened(path, tmp_path)
    written = tmp_path / "mapping for t.xlsx.csv"
    text = written.read_text(encoding="utf-8-sig")
    rows = [row for row in csv.reader(text.splitlines()) if row[0] != "(not found)"]
    meant = {"Minutes": ["duration_s", "min"], "Miles": ["distance_m", "mi"]}
    with written.open("w", encoding="utf-8", newline="") as file:
        for row in rows:
            csv.writer(file).writerow([*row[:2], *meant.get(row[0], row[2:4]), *row[4:]])
    tables, report = taken(opened(path, tmp_path, mapping=written.name))
    assert report.rows_in == 2
    assert [(r["trip_id"], r["started_at"], r["ended_at"]) for r in tables["trips"]] == [
        ("1", datetime(2024, 5, 1, 10, 15), datetime(2024, 5, 1, 10, 27)),
        ("2", datetime(2024, 5, 1, 11), datetime(2024, 5, 1, 11, 10)),
    ]
    assert tables["trips"][0]["distance_m"] == pytest.approx(1.5 * 1609.344)
    with pytest.raises(SourceUnreadable, match="no sheet 'None such'"):
        opened(path, tmp_path, sheet="None such")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("Ride ID,,tripid,,,", "has no column tripid"),
        ("Ride ID,,vehicle_id,,,", "two columns mean vehicle_id"),
        ("Distance (km),,distance_m,leagues,,", "'leagues'"),
        ("(time zone),,Europe/Atlantis,,,", "no time zone 'Europe/Atlantis'"),
        ("(table),,journeys,,,", "no table 'journeys'"),
        ("Start time,,,,,", "no column means started_at"),
        ("Start time,,started_at,time of day,,", "a time of day and no date"),
    ],
)
def test_what_cannot_be_used_in_a_mapping_is_named(tmp_path: Path, line: str, said: str) -> None:
    path = write(tmp_path / "may.csv", HEADER, GOOD, OTHER)
    taken(opened(path, tmp_path, confirm="yes"))
    written = tmp_path / "mapping for may.csv"
    lines = written.read_text(encoding="utf-8-sig").splitlines()
    name = line.partition(",")[0]
    write(written, *[line if old.partition(",")[0] == name else old for old in lines])
    with pytest.raises(SourceUnreadable, match=said):
        opened(path, tmp_path)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"centre": "40,63,22,94"}, "centre"),
        ({"far_km": "near"}, "far-km"),
        ({"timezone": "Athens"}, "timezone"),
        ({"encoding": "klingon"}, "encoding"),
        ({"table": "rides"}, "table"),
        ({"mapping": "none.csv"}, "no mapping none.csv"),
    ],
)
def test_options_that_cannot_be_used_are_named(
    tmp_path: Path, options: dict[str, str], said: str
) -> None:
    path = write(tmp_path / "may.csv", HEADER, GOOD)
    with pytest.raises(SourceUnreadable, match=said):
        opened(path, tmp_path, **options)


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    for name, data, said in (
        ("zip.xlsx", b"PK\x03\x04" + b"\0" * 50, "workbook"),
        ("page.csv", b"<html>", "web page"),
        ("cut.csv.gz", gzip.compress(b"a,b\n" + b"1,2\n" * 90_000)[:-90], "cut off|damaged"),
        ("cut.parquet", b"PAR1 and no more", "cannot be read"),
        ("empty.csv", b"", "empty"),
        ("quote.csv", b'a,b\n"' + b"1,2\n" * 900_000, "quotation mark"),
    ):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(SourceUnreadable, match=said):
            taken(opened(tmp_path / name, tmp_path, confirm="yes"))
    with pytest.raises(SourceUnreadable, match="no file of rows"):
        (tmp_path / "none").mkdir()
        opened(tmp_path / "none", tmp_path)
    with pytest.raises(SourceUnreadable, match="There is no file"):
        opened(tmp_path / "nowhere.csv", tmp_path)


def test_a_stopped_import_leaves_the_rejected_rows_as_they_were(tmp_path: Path) -> None:
    path = write(tmp_path / "may.csv", HEADER, GOOD, OTHER, OTHER)
    aside = write(tmp_path / "rejected rows of may.csv", "as it was")
    pieces = opened(path, tmp_path, confirm="yes").read()
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    assert aside.read_text() == "as it was\n"
    assert not list(tmp_path.glob(".*"))


def test_no_rider_s_own_id_is_shown_or_put_aside(tmp_path: Path) -> None:
    rows = [f"r{day},2024-05-{day:02d} 10:00,yes" for day in range(1, 29)]
    rows += ["maria@example.org,not a time,yes", ",neither,yes"]
    path = write(tmp_path / "riders.csv", "Rider ID,Signed up at,Consent", *rows)
    wishes = wishes_of({"table": "riders", "confirm": "yes"}, tmp_path)
    taken(MappedFiles(path, wishes, now=NOW, pseudonym=lambda rider: f"rp-{len(rider)}"))
    aside = (tmp_path / "rejected rows of riders.csv").read_text(encoding="utf-8-sig")
    assert "rp-17,not a time" in aside and "\n,neither" in aside
    for file in tmp_path.glob("mapping for*"):
        assert "riders are not shown" in file.read_text(encoding="utf-8-sig")
    written = [f.read_text(encoding="utf-8-sig") for f in tmp_path.iterdir() if f != path]
    assert not any("maria@example.org" in text or "r1" in text for text in written)
