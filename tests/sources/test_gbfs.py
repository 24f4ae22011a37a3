"""Raw answers kept as files come in as one history, each file and entry accounted for."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.sources.gbfs_kit import (
    LAT,
    LON,
    NOW,
    T0,
    TYPES,
    Town,
    around,
    body,
    feed,
    kept,
    lay,
    several,
    taken,
    vehicle,
)

from fleetdesk.errors import SourceUnreadable
from fleetdesk.model.fleet import ONCE
from fleetdesk.sources import gbfs_archive
from fleetdesk.sources.gbfs import Gbfs
from fleetdesk.sources.gbfs_archive import archive
from fleetdesk.sources.gbfs_snapshots import GbfsSnapshots
from fleetdesk.sources.kinds import KINDS
from fleetdesk.store.duckdb_store import open_store

SYSTEM = feed({}, name="x") | {"data": {"system_id": "town", "name": "Town", "language": "en",
                                        "timezone": "Europe/Berlin"}}  # fmt: skip


def refusal(place: Path) -> str:
    with pytest.raises(SourceUnreadable) as refused:
        list(Gbfs(place, around(place)).read())
    return str(refused.value)


def test_files_are_told_by_their_names_folders_or_content(tmp_path: Path) -> None:
    folder = lay(tmp_path / "raw", {
        "vehicle_types/2024-05-01T100000Z.json.gz": gzip.compress(body(TYPES)),
        "free_bike_status-11-05.json": feed(several("ab"), T0 + 300),
        "x.json": feed(several("abc"), T0),
        "y.json": feed([{"plan_id": "p", "name": "P", "currency": "EUR", "price": 1,
                         "is_taxable": False, "description": "d"}], name="plans"),
        "notes.txt": b"mine",
    })  # fmt: skip
    got = taken(Gbfs(folder, around(tmp_path)))
    assert [row["seen_at"].minute for row in got.tables["sightings"]] == [0, 0, 0, 5, 5]
    assert got.tables["sightings"][0]["battery_pct"] == 50.0
    assert got.report.facts["price plans"] == 1
    assert "P: 1 EUR" in got.told() and "Not read: notes.txt." in got.told()
    assert got.report.rows_in == got.report.rows_kept == 7
    assert taken(Gbfs(folder / "x.json", around(tmp_path))).ids == [
        f"{name}@once-20240501T110000" for name in "abc"
    ]


def test_the_newest_answer_of_a_feed_counts(tmp_path: Path) -> None:
    newer = json.loads(body(TYPES))
    newer["last_updated"] += 10
    newer["data"]["vehicle_types"][0]["max_range_meters"] = 80_000
    folder = lay(tmp_path / "raw", {
        "vehicle_types/a.json": newer, "vehicle_types/b.json": TYPES,
        "bikes.json": feed(several("a")), "again.json": feed(several("a")),
    })  # fmt: skip
    got = taken(Gbfs(folder, around(tmp_path)))
    assert [row["battery_pct"] for row in got.tables["sightings"]] == [25.0]
    assert "1 files repeat a snapshot" in got.told()


def test_files_that_cannot_be_used_are_counted(tmp_path: Path) -> None:
    whole = body(feed(several("abc"), T0 + 600))
    folder = lay(tmp_path / "raw", {
        "a.json": feed(several("ab")),
        "cut.json": whole[:-30],
        "cut.json.gz": gzip.compress(whole)[:-9],
        "page.json": b"<html></html>",
        "timeless_free_bike_status.json": {"data": {"bikes": []}},
        "early_free_bike_status.json": feed([], 5),
        "other.json": {"data": {"surprise": 1}},
    })  # fmt: skip
    got = taken(Gbfs(folder, around(tmp_path)))
    assert len(got.ids) == 2
    assert (got.report.rows_in, got.report.rows_dropped) == (7, 5)
    told = got.told()
    for said in ("breaks off", "cut off or damaged", "a web page", "does not tell when it is from"):
        assert said in told


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"a.json": b"<html></html>", "b.json": b"{"}, "a web page"),
        ({"a.json": body(feed(several("abc")))[:-9]}, "breaks off"),
        (
            {"a.json": body(feed(several("abc")))[:-9], "system_information.json": SYSTEM},
            "a.json is not JSON that can be read. Found: JSON that breaks off",
        ),
        ({"a.txt": b"x"}, "holds no JSON file"),
    ],
)
def test_a_folder_without_anything_usable_is_refused(
    tmp_path: Path, answers: dict[str, bytes], said: str
) -> None:
    assert said in refusal(lay(tmp_path / "raw", answers))


def test_a_missing_place_is_told(tmp_path: Path) -> None:
    assert "no file or folder" in refusal(tmp_path / "none")


def test_two_systems_in_one_folder_are_not_mixed(tmp_path: Path) -> None:
    systems = {f"{name}/system_information.json": {
        "last_updated": T0, "ttl": 0, "version": "2.3",
        "data": {"system_id": name, "language": "en", "name": name, "timezone": "UTC"},
    } for name in "ab"}  # fmt: skip
    folder = lay(tmp_path / "raw", {**systems, "a/bikes.json": feed(several("a"))})
    assert "several systems. Found: a, b" in refusal(folder)


def test_a_file_beyond_the_bound_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gbfs_archive, "MOST_BYTES", 2_000_000)
    bomb = gzip.compress(b'{"data": {"bikes": [' + bytes(30_000_000))
    assert "too big to be a feed" in refusal(lay(tmp_path / "raw", {"a.json.gz": bomb}))


def test_importing_files_again_doubles_nothing(tmp_path: Path) -> None:
    answers = {f"{n}.json": feed for n, feed in enumerate(Town("lasting").feeds(12))}
    folder = lay(tmp_path / "raw", answers)
    with open_store(tmp_path / "store", create=True) as store:
        first = kept(store, Gbfs(folder, around(tmp_path, tables=store.tables())))
        kept(store, Gbfs(folder, around(tmp_path, tables=store.tables())))
        assert store.tables()["sightings"].count().to_pyarrow().as_py() == len(first.ids)
        assert store.tables()["vehicles"].count().to_pyarrow().as_py() == 80


def test_the_archive_is_one_folder_per_address_and_never_leaves_it(tmp_path: Path) -> None:
    addresses = (
        "https://example.com/a/gbfs.json", "https://example.com/b/gbfs.json",
        "https://example.com/a/gbfs.json?key=secret", "https://example.com:81/a/gbfs.json",
        "https://example.com/../../../etc/gbfs.json",
    )  # fmt: skip
    folders = [archive(tmp_path, address).folder for address in addresses]
    assert len(set(folders)) == len(addresses)
    assert {folder.parent for folder in folders} == {tmp_path / "gbfs"}
    assert not any("secret" in folder.name or "/" in folder.name for folder in folders)


def test_an_answer_is_kept_once(tmp_path: Path) -> None:
    kept_in = archive(tmp_path, "https://example.com/gbfs.json")
    for _ in range(2):
        kept_in.keep("vehicle_types", NOW, body(TYPES))
    (path,) = (kept_in.folder / "vehicle_types").iterdir()
    assert path.name == "2024-05-01T120000Z.json.gz"
    assert kept_in.newest("vehicle_types") == body(TYPES) == gbfs_archive.read(path)
    assert kept_in.newest("vehicle_status") is None
    path.write_bytes(path.read_bytes()[:-5])
    assert kept_in.newest("vehicle_types") is None


def test_a_type_without_a_range_takes_the_longest_seen(tmp_path: Path) -> None:
    bikes = [vehicle("a", current_range_meters=10_000), vehicle("b", 50.0)]
    folder = lay(tmp_path / "raw", {"bikes.json": feed(bikes)})
    got = taken(Gbfs(folder, around(tmp_path)))
    assert [row["battery_pct"] for row in got.tables["sightings"]] == [50.0, 100.0]
    assert "longest range seen" in got.told()


def test_the_kind_is_listed(tmp_path: Path) -> None:
    folder = lay(tmp_path / "raw", {"bikes.json": feed(several("a"))})
    assert taken(KINDS["gbfs"].build(str(folder), around(tmp_path))).ids
    assert {option.name for option in KINDS["gbfs"].options} == {
        "polls", "minutes", "language", "token",
    }  # fmt: skip


@pytest.mark.real_data
def test_a_real_pull_comes_in_whole(shared_data: Path, tmp_path: Path) -> None:
    raw = shared_data / "gbfs" / "tier_wolfsburg_raw"
    bikes = json.loads((raw / "free_bike_status.json").read_bytes())["data"]["bikes"]
    got = taken(Gbfs(raw, around(tmp_path)))
    assert got.report.rows_in == got.report.rows_kept == len(bikes) + 2  # a type and the system
    assert not any("Against its version" in note for note in got.report.notes)
    rows = got.tables["sightings"]
    assert [row["vehicle_id"].partition(ONCE)[0] for row in rows] == [b["bike_id"] for b in bikes]
    for name, field in (("lat", "lat"), ("lon", "lon"), ("range_m", "current_range_meters")):
        assert [row[name] for row in rows] == [bike[field] for bike in bikes]
    assert got.report.facts["full range of okai_escooter, m"] == 46_000
    assert rows[0]["seen_at"] == datetime(2023, 8, 11, 8, 23)


@pytest.mark.real_data
def test_a_real_fleet_s_ids_are_known_to_last(shared_data: Path, tmp_path: Path) -> None:
    """After 45 snapshots from a CSV, one more from a server's answer continues them."""
    gbfs = shared_data / "gbfs"
    table = GbfsSnapshots(gbfs / "tier_wolfsburg_2023-07-31_08-01.csv.gz", now=NOW)
    with open_store(tmp_path / "store", create=True) as store:
        kept(store, table)
        got = kept(
            store, Gbfs(gbfs / "tier_wolfsburg_raw", around(tmp_path, tables=store.tables()))
        )
        assert not any(ONCE in name for name in got.ids)
        assert len(got.tables["vehicles"]) == len(got.ids) == 840
        seen = {row["vehicle_id"]: row["first_seen_at"] for row in got.tables["vehicles"]}
        old = sum(first < datetime(2023, 8, 10) for first in seen.values())
        assert old > 700
        assert got.report.facts["ids seen at places apart"] > 300


def test_time_is_believed_up_to_a_day_ahead(tmp_path: Path) -> None:
    ahead = int((NOW + timedelta(hours=23)).timestamp())
    folder = lay(tmp_path / "raw", {"a.json": feed(several("a"), ahead)})
    (row,) = taken(Gbfs(folder, around(tmp_path))).tables["sightings"]
    assert row["seen_at"].replace(tzinfo=UTC) == NOW + timedelta(hours=23)


def zones_feed(*zones: dict[str, Any], at: int = T0, **beside: Any) -> dict[str, Any]:
    """An answer of GBFS 3 with these zones."""
    moment = datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
    collection = {"type": "FeatureCollection", "features": list(zones)}
    return {"last_updated": moment, "ttl": 0, "version": "3.0",
            "data": {"geofencing_zones": collection, "global_rules": [], **beside}}  # fmt: skip


def a_zone(name: str, *rules: dict[str, Any], side: float = 0.01, **more: Any) -> dict[str, Any]:
    ring = [[LON, LAT], [LON + side, LAT], [LON + side, LAT + side], [LON, LAT]]
    properties = {"name": [{"text": name, "language": "en"}], "rules": list(rules), **more}
    return {"type": "Feature", "properties": properties,
            "geometry": {"type": "MultiPolygon", "coordinates": [[ring]]}}  # fmt: skip


NO_PARKING = {"ride_start_allowed": True, "ride_end_allowed": False, "ride_through_allowed": True}


def test_zones_become_rows_of_rules(tmp_path: Path) -> None:
    slow = NO_PARKING | {"ride_end_allowed": True, "maximum_speed_kph": 6,
                         "vehicle_type_ids": ["a", "b"]}  # fmt: skip
    broken = a_zone("x")
    broken["geometry"]["coordinates"] = [[[[1, 2]]]]
    folder = lay(tmp_path / "raw", {
        "geofencing_zones.json": zones_feed(
            a_zone("Park", NO_PARKING, slow, start="2024-04-01T00:00:00Z"), a_zone("Bare"),
            broken, a_zone("Bare"), global_rules=[slow],
        ),
        "system_information.json": SYSTEM,
    })  # fmt: skip
    got = taken(Gbfs(folder, around(tmp_path)))
    rows = got.tables["zones"]
    assert [(row["name"], row["rule_id"], row["rank"]) for row in rows] == [
        ("Park", "1", 0), ("Park", "2", 1), ("Bare", "none", 2), ("Bare", "none", 3),
        ("everywhere", "1", 4),
    ]  # fmt: skip
    assert len({row["zone_id"] for row in rows}) == 4
    assert {row["ruleset"] for row in rows} == {"town"}
    assert [row["parking_allowed"] for row in rows] == [False, True, None, None, True]
    assert [row["speed_limit_kmh"] for row in rows] == [None, 6.0, None, None, 6.0]
    assert rows[1]["vehicle_types"] == "a+b"
    assert rows[0]["valid_from"] == datetime(2024, 4, 1) and rows[0]["valid_to"] is None
    assert rows[0]["outline"].startswith('{"type":"MultiPolygon","coordinates":[[[[10.78,52.42]')
    assert rows[4]["outline"] is None
    assert got.report.rows_in == 5 and got.report.rows_dropped == 1
    assert "data.geofencing_zones.features[2].geometry" in got.told()
    assert "Geofencing zones: 4, of which 0 forbid starting, 1 ending" in got.told()


def test_old_names_of_rules_say_the_same(tmp_path: Path) -> None:
    answer = zones_feed(
        a_zone(
            "Park",
            {
                "ride_allowed": False,
                "ride_through_allowed": True,
                "vehicle_type_id": ["a"],
                "station_parking": True,
            },
        )
    )
    answer |= {"version": "2.3", "last_updated": T0}
    got = taken(Gbfs(lay(tmp_path / "raw", {"geofencing_zones.json": answer}), around(tmp_path)))
    (row,) = got.tables["zones"]
    assert (row["ride_start_allowed"], row["parking_allowed"]) == (False, False)
    assert (row["ride_through_allowed"], row["stations_only"]) == (True, True)
    assert row["vehicle_types"] == "a" and row["ruleset"] == "GBFS"


def test_a_zone_that_is_listed_no_more_ends(tmp_path: Path) -> None:
    first = lay(tmp_path / "a", {"geofencing_zones.json": zones_feed(
        a_zone("Park", NO_PARKING), a_zone("Quay", NO_PARKING))})  # fmt: skip
    later = lay(
        tmp_path / "b",
        {
            "geofencing_zones.json": zones_feed(
                a_zone("Quay", NO_PARKING), a_zone("Quay", NO_PARKING, side=0.02), at=T0 + 600
            )
        },
    )
    with open_store(tmp_path / "store", create=True) as store:
        kept(store, Gbfs(first, around(tmp_path, tables=store.tables())))
        kept(store, Gbfs(later, around(tmp_path, tables=store.tables())))
        rows = store.tables()["zones"].order_by(["name", "listed_at", "outline"]).to_pyarrow()
        ends = [(row["name"], row["valid_to"]) for row in rows.to_pylist()]
        at = datetime.fromtimestamp(T0 + 600, UTC).replace(tzinfo=None)
        assert ends == [("Park", at), ("Quay", None), ("Quay", None)]
        again = kept(store, Gbfs(first, around(tmp_path, tables=store.tables())))
        assert "older than the last one was passed over" in again.told()
        assert store.tables()["zones"].to_pyarrow().num_rows == 3


def test_price_plans_become_rows_of_steps(tmp_path: Path) -> None:
    plan = {"plan_id": "p", "name": "P", "currency": "EUR", "price": 1, "is_taxable": True,
            "description": "d", "per_min_pricing": [{"start": 0, "rate": 0.2, "interval": 1,
            "end": 30}, {"start": 30, "rate": 5, "interval": 0}],
            "per_km_pricing": [{"start": 2, "rate": 1.5, "interval": 1}]}  # fmt: skip
    folder = lay(tmp_path / "raw", {
        "plans.json": feed([plan, plan, {**plan, "plan_id": "q", "price": "x"}], name="plans"),
        "system_information.json": SYSTEM,
    })  # fmt: skip
    got = taken(Gbfs(folder, around(tmp_path)))
    rows = got.tables["price_plans"]
    steps = [(row["step"], row["measure"], row["from_units"], row["to_units"], row["rate"],
              row["interval"]) for row in rows]  # fmt: skip
    assert steps == [
        (0, None, None, None, None, None), (1, "min", 0.0, 30.0, 0.2, 1.0),
        (2, "min", 30.0, None, 5.0, 0.0), (3, "km", 2.0, None, 1.5, 1.0),
    ]  # fmt: skip
    assert {(row["system"], row["plan_id"], row["flat_price"], row["currency"], row["taxable"])
            for row in rows} == {("town", "p", 1.0, "EUR", True)}  # fmt: skip
    assert got.report.rows_in == 4 and got.report.rows_dropped == 2
    assert "P: 1 EUR, 0.2 per 1 min, 5 per 0 min, 1.5 per 1 km" in got.told()
