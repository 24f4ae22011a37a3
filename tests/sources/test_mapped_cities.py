"""Published files of five cities come in by the general mapping, their faults named and counted."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.sources.mapped import counted, opened, taken

from fleetdesk.features.cells import haversine
from fleetdesk.sources.mapped_agreement import MappingNeeded

pytestmark = pytest.mark.real_data
CENTRES = ["start_centroid_latitude", "start_centroid_longitude"]


@pytest.fixture
def trips(shared_data: Path) -> Path:
    return shared_data / "trips"


def test_austin(trips: Path, tmp_path: Path) -> None:
    path = trips / "austin_dockless_999.csv"
    source = opened(path, tmp_path, confirm="yes", timezone="America/Chicago")
    tables, report = taken(source)
    raw = pd.read_csv(path)
    starts, ends = pd.to_datetime(raw["Start Time"]), pd.to_datetime(raw["End Time"])
    long = raw["Trip Duration"] > 86400
    assert counted(report) == {
        "null row (nothing but ids)": int(raw["Start Time"].isna().sum()),
        "longer than a day": int(long.sum()),
    }
    kept = raw[starts.notna() & ~long]
    assert report.rows_in == len(raw) == 999
    assert len(tables["trips"]) == len(kept) == 997
    assert report.facts["trips whose start and end are the same moment"] == (starts == ends).sum()
    assert report.facts["trips of scooter"] == (kept["Vehicle Type"] == "scooter").sum() == 854
    assert report.facts["trips of bicycle"] == (kept["Vehicle Type"] == "bicycle").sum()
    assert report.facts["trips without a start position"] == 997
    assert len(tables["vehicles"]) == kept["Device ID"].nunique()
    rows = {row["trip_id"]: row for row in tables["trips"]}
    for (_, one), start in zip(kept.iterrows(), starts[kept.index], strict=True):
        row = rows[one["ID"]]
        local = start.tz_localize("America/Chicago").tz_convert("UTC").tz_localize(None)
        assert row["started_at"] == local
        assert (row["duration_s"], row["distance_m"]) == (
            one["Trip Duration"], one["Trip Distance"],
        )  # fmt: skip


def test_chicago_in_both_styles_of_header(trips: Path, tmp_path: Path) -> None:
    api = trips / "chicago_escooter_pilot_2019_api_1000.csv"
    portal = trips / "chicago_escooter_pilot_2019_portalformat_499.csv"
    options = {"confirm": "yes", "timezone": "America/Chicago"}
    first, report = taken(opened(api, tmp_path, **options))
    with api.open(newline="") as file:
        records = list(csv.DictReader(file))
    with portal.open(newline="") as file:
        titles = csv.DictReader(file).fieldnames or []
    # The same trips, written as the portal writes them.
    styled = tmp_path / "styled.csv"
    with styled.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(titles)
        for record in records:
            cells = [record[title.lower().replace(" ", "_")] for title in titles]
            for place in (1, 2):
                at = datetime.fromisoformat(cells[place])
                cells[place] = at.strftime("%m/%d/%Y %I:%M:%S %p")
            writer.writerow(cells)
    second, _ = taken(opened(styled, tmp_path, **options))
    assert second["trips"] == first["trips"]
    fast = pd.read_csv(api).eval("trip_distance / trip_duration * 3.6 > 120").sum()
    assert counted(report) == {"faster than 120 km/h on average": fast}
    assert report.facts["trips without a vehicle"] == 1000 - fast
    third, report = taken(opened(portal, tmp_path, **options))
    raw = pd.read_csv(portal)
    fast = raw.eval("`Trip Duration` > 0 and `Trip Distance` / `Trip Duration` * 3.6 > 120").sum()
    assert counted(report) == {"faster than 120 km/h on average": fast}
    assert report.facts["trips without a start position"] == len(third["trips"]) == 499 - fast
    assert third["trips"][0].keys() == first["trips"][0].keys()
    row = next(row for row in third["trips"] if row["trip_id"].startswith("2b66b89f"))
    assert (row["started_at"], row["duration_s"]) == (datetime(2019, 9, 17, 19), 30.0)


def test_louisville(trips: Path, tmp_path: Path) -> None:
    path = trips / "louisville_2019-08_1000.csv"
    zone = "America/Kentucky/Louisville"
    tables, report = taken(opened(path, tmp_path, confirm="yes", timezone=zone))
    raw = pd.read_csv(path)
    assert report.rows_kept == report.rows_in == 1000
    frame = pd.DataFrame(tables["trips"]).set_index("trip_id").loc[raw["TripID"]].reset_index()
    # Published in minutes and miles.
    assert (frame.duration_s == raw.TripDuration * 60).all()
    assert frame.distance_m.to_list() == pytest.approx((raw.TripDistance * 1609.344).to_list())
    local = pd.to_datetime(raw.StartDate + " " + raw.StartTime).dt.tz_localize(zone)
    assert (frame.started_at == local.dt.tz_convert("UTC").dt.tz_localize(None)).all()
    same = (raw.StartDate + raw.StartTime) == (raw.EndDate + raw.EndTime)
    assert report.facts["trips whose start and end are the same moment"] == same.sum()
    assert (frame.start_lat == raw.StartLatitude).all()


def test_tripoli_in_greece(trips: Path, tmp_path: Path) -> None:
    path = trips / "tripoli_gr_every_vehicle.csv.gz"
    tables, report = taken(opened(path, tmp_path, trust=True, table="telemetry"))
    raw = pd.read_csv(path)
    assert report.rows_in == len(raw) == 73_713
    middle = 37.514, 22.3766
    away = haversine(raw.lat, raw.lng, [middle[0]] * len(raw), [middle[1]] * len(raw)) > 50_000
    fast = raw.velocity > 120
    reasons = counted(report)
    (far,) = (rows for reason, rows in reasons.items() if "far from the city" in reason)
    assert far == away.sum()
    assert reasons["speed above 120 km/h"] == (fast & ~away).sum()
    label = "speed above 120 km/h, counting rows with other faults too"
    assert report.facts[label] == fast.sum() == 750
    assert len(tables["telemetry"]) == (~fast & ~away).sum()
    assert len(tables["vehicles"]) == raw[~fast & ~away].vehicleId.nunique()
    first = tables["telemetry"][0]
    assert first["vehicle_id"] == "1"
    assert first["recorded_at"].replace(tzinfo=UTC) == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(
        milliseconds=int(raw.dateStored[0])
    )
    everywhere, _ = taken(opened(path, tmp_path, trust=True, table="telemetry", far_km=0))
    assert len(everywhere["telemetry"]) == (~fast).sum()


def test_dublin(trips: Path, tmp_path: Path) -> None:
    folder = trips / "dublin_escooter_soc"
    options: dict[str, Any] = {"table": "telemetry", "timezone": "Europe/Dublin"}
    tables, report = taken(opened(folder, tmp_path, trust=True, **options))
    assert (report.rows_in, report.rows_kept) == (3470, 3468)
    assert {e.reason: e.examples for e in report.dropped} == {
        "Latitude cannot be read as lat": ("trip_18.csv row 16: 53.3x85817",),
        "speed below 0": ("trip_6.csv row 106: -3.6",),
    }
    assert any("data_summary.csv has no column" in note for note in report.notes)
    frame = pd.DataFrame(tables["telemetry"])
    assert frame.vehicle_id.nunique() == 30
    charge = frame.sort_values("recorded_at").groupby("vehicle_id").battery_pct
    drops = charge.first() - charge.last()
    summary = pd.read_csv(folder / "data_summary.csv").iloc[:30]
    stated = dict(zip(summary.trip_id.astype(float), summary.starting_soc - summary.ending_soc,
                      strict=True))  # fmt: skip
    # The summary was written by hand; it agrees with most of the files.
    agreeing = [trip for trip, drop in stated.items() if abs(drops[f"trip_{trip:.0f}"] - drop) <= 1]
    assert len(agreeing) >= 25
    for name, start in charge.first().items():
        raw = pd.read_csv(folder / f"{name}.csv").sort_values("Timestamp", kind="stable")
        assert start == raw.SoC.iloc[0], name
    first = frame[frame.vehicle_id == "trip_1"].iloc[0]
    assert first.recorded_at == datetime(2023, 10, 12, 12, 35, 24)
    with pytest.raises(MappingNeeded, match="MISSING, and needed: started_at"):
        opened(folder / "data_summary.csv", tmp_path, confirm="yes")
