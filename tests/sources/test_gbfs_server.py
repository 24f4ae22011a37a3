"""A GBFS server is asked politely, believed carefully, and left when it misbehaves."""

from __future__ import annotations

import gc
import gzip
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from tests.sources.gbfs_kit import (
    NOW,
    T0,
    TYPES,
    Got,
    Town,
    around,
    body,
    feed,
    kept,
    several,
    taken,
    vehicle,
)
from tests.sources.loopback import Loopback, Reply, loopback

from fleetdesk.errors import SourceUnreadable
from fleetdesk.features.sightings import ONCE
from fleetdesk.sources.gbfs import LIMITS, Gbfs
from fleetdesk.sources.gbfs_server import Patience
from fleetdesk.sources.http import Http, Limits
from fleetdesk.store.duckdb_store import open_store


class Time:
    """A clock that only waiting moves."""

    def __init__(self) -> None:
        self.s = 0.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.s

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.s += seconds

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.s)


@pytest.fixture
def server() -> Iterator[Loopback]:
    with loopback() as running:
        running.replies["/gbfs.json"] = Reply(body(discovery("free_bike_status", "vehicle_types")))
        running.replies["/vehicle_types"] = answer(TYPES)
        running.replies["/free_bike_status"] = answer(feed(several("abc")))
        yield running


def discovery(*feeds: str, **given: Any) -> dict[str, Any]:
    listed = [{"name": name, "url": name} for name in feeds]
    return {
        "last_updated": T0,
        "ttl": 0,
        "version": "2.3",
        "data": {"en": {"feeds": listed}},
        **given,
    }


def answer(values: Any, **headers: str) -> Reply:
    return Reply(body(values), headers={"Content-Type": "application/json", **headers})


def source(
    server: Loopback,
    folder: Path,
    clock: Time | None = None,
    *,
    path: str = "/gbfs.json",
    limits: Limits = LIMITS,
    tables: Mapping[str, Any] | None = None,
    watermark: Mapping[str, str] | None = None,
    secrets: Mapping[str, str] | None = None,
    **options: str,
) -> Gbfs:
    clock = clock or Time()
    http = None
    if secrets is None:
        http = Http(limits=limits, clock=clock, sleep=clock.sleep, rng=Random(1), now=clock.now)
    given = around(folder, tables=tables, watermark=watermark, secrets=secrets, **options)
    patience = Patience(sleep=clock.sleep, timer=clock)
    return Gbfs(f"{server.url}{path}", given, http=http, patience=patience)


def refusal(gbfs: Gbfs) -> str:
    with pytest.raises(SourceUnreadable) as refused:
        list(gbfs.read())
    return str(refused.value)


def test_a_snapshot_comes_with_its_checkpoint(server: Loopback, tmp_path: Path) -> None:
    got = taken(source(server, tmp_path))
    assert [name.partition(ONCE)[0] for name in got.ids] == ["a", "b", "c"]
    row = got.tables["sightings"][0]
    assert row["seen_at"] == datetime(2024, 5, 1, 11) and row["battery_pct"] == 50.0
    assert got.report.rows_in == got.report.rows_kept == 4
    (mark,) = got.watermarks
    assert mark["vehicles last_updated"] == "2024-05-01T11:00:00+00:00"
    assert mark["ids"] == "unproven"


@pytest.mark.parametrize("fields", ["old", "new"])
@pytest.mark.parametrize("form", ["languages", "flat"])
def test_both_generations_are_read_in_any_mixture(
    server: Loopback, tmp_path: Path, fields: str, form: str
) -> None:
    name = "free_bike_status" if fields == "old" else "vehicle_status"
    listed = [{"name": name, "url": f"{server.url}/v"}]
    data: Any = {"feeds": listed} if form == "flat" else {"nb": {"feeds": listed}}
    server.replies["/gbfs.json"] = answer(
        {"last_updated": "2024-05-01T11:00:00Z", "ttl": 0, "version": "3.0", "data": data}
    )
    one = vehicle("a", last_reported=T0)
    if fields == "new":
        one = {**one, "vehicle_id": "a", "last_reported": "2024-05-01T13:00:00+02:00"}
        del one["bike_id"]
    server.replies["/v"] = answer(feed([one], name="bikes" if fields == "old" else "vehicles"))
    (row,) = taken(source(server, tmp_path)).tables["sightings"]
    assert row["vehicle_id"].startswith("a@") and row["last_reported_at"] == datetime(
        2024, 5, 1, 11
    )


def test_the_language_can_be_chosen(server: Loopback, tmp_path: Path) -> None:
    part = {"feeds": [{"name": "free_bike_status", "url": "/free_bike_status"}]}
    wrong = {"feeds": [{"name": "free_bike_status", "url": "/no"}]}
    server.replies["/gbfs.json"] = answer(
        feed(part, name="nb") | {"data": {"en": wrong, "nb": part}}
    )
    assert taken(source(server, tmp_path, language="nb")).ids
    assert "status 404" in refusal(source(server, tmp_path))


def test_no_news_doubles_nothing(server: Loopback, tmp_path: Path) -> None:
    server.replies["/vehicle_types"] = lambda request: (
        Reply(status=304) if request.headers["If-None-Match"] == "t" else answer(TYPES, ETag="t")
    )
    first = taken(source(server, tmp_path))
    again = taken(source(server, tmp_path, watermark=first.watermarks[-1]))
    assert again.tables == {} and again.report.rows_in == 0
    assert again.watermarks == first.watermarks
    server.replies["/free_bike_status"] = answer(feed(several("abcd"), T0 + 60))
    third = taken(source(server, tmp_path, watermark=again.watermarks[-1]))
    assert len(third.ids) == 4
    # The types came from the raw answers, the server having none to send.
    assert third.tables["sightings"][0]["battery_pct"] == 50.0
    assert third.report.rows_in == 4


def test_an_unchanged_snapshot_is_not_even_sent(server: Loopback, tmp_path: Path) -> None:
    def reply(request: Any) -> Reply:
        same = request.headers["If-None-Match"] == '"1"'
        return Reply(status=304) if same else answer(feed(several("abc")), ETag='"1"')

    server.replies["/free_bike_status"] = reply
    first = taken(source(server, tmp_path))
    again = taken(source(server, tmp_path, watermark=first.watermarks[-1]))
    assert again.tables == {} and again.report.rows_in == 0


def test_stations_come_again_only_when_they_changed(server: Loopback, tmp_path: Path) -> None:
    station = {"station_id": "s1", "name": "Square", "lat": 52.4, "lon": 10.7, "capacity": 8}
    server.replies["/gbfs.json"] = answer(discovery("free_bike_status", "station_information"))
    server.replies["/station_information"] = answer(feed([station], name="stations"))
    first = taken(source(server, tmp_path))
    assert [row["capacity"] for row in first.tables["parkings"]] == [8]
    docked = {"bike_id": "d", "station_id": "s1", "is_reserved": False, "is_disabled": False}
    server.replies["/free_bike_status"] = answer(feed([docked], T0 + 60))
    second = taken(source(server, tmp_path, watermark=first.watermarks[-1]))
    assert "parkings" not in second.tables
    assert [(row["lat"], row["lon"]) for row in second.tables["sightings"]] == [(52.4, 10.7)]
    server.replies["/station_information"] = answer(
        feed([station | {"capacity": 9}], T0 + 70, name="stations")
    )
    third = taken(source(server, tmp_path, watermark=second.watermarks[-1]))
    assert list(third.tables) == ["parkings"]


def test_an_older_answer_is_passed_over(server: Loopback, tmp_path: Path) -> None:
    first = taken(source(server, tmp_path))
    server.replies["/free_bike_status"] = answer(feed(several("xyz"), T0 - 60))
    again = taken(source(server, tmp_path, watermark=first.watermarks[-1]))
    assert again.tables == {} and "older than the last one" in again.told()


@pytest.mark.parametrize("at", [T0, 0, T0 + 10 * 86_400, "yesterday", None])
def test_a_time_that_cannot_be_gives_way_to_the_clock(
    server: Loopback, tmp_path: Path, at: Any
) -> None:
    """Including one that stands still while the vehicles change."""
    first = taken(source(server, tmp_path))
    server.replies["/free_bike_status"] = answer(feed(several("abcd"), at))
    clock = Time()
    clock.s = 600.0
    again = taken(source(server, tmp_path, clock, watermark=first.watermarks[-1]))
    assert {row["seen_at"] for row in again.tables["sightings"]} == {datetime(2024, 5, 1, 12)}
    assert "clock's" in again.told()
    server.replies["/free_bike_status"] = answer(feed(several("abcd"), at, ttl=7))
    once_more = taken(source(server, tmp_path, clock, watermark=again.watermarks[-1]))
    assert once_more.tables == {}


def test_polls_keep_to_the_ttl(server: Loopback, tmp_path: Path) -> None:
    town = Town("lasting")
    clock = Time()

    def reply(request: Any) -> Reply:
        at = int(clock.now().timestamp())
        return answer(feed(town.snapshot(), at, ttl=300 if town.taken < 3 else 0))

    server.replies["/free_bike_status"] = reply
    server.replies["/vehicle_types"] = answer({**TYPES, "ttl": 500})
    got = taken(source(server, tmp_path, clock, polls="5"))
    assert clock.waits == [300, 300, 60, 60]
    assert (
        len(got.watermarks) == 5 and len({row["seen_at"] for row in got.tables["sightings"]}) == 5
    )
    assert server.asked("/vehicle_types") == 2
    assert got.watermarks[-1]["ids"] == "lasting"


def test_polls_end_with_the_minutes(server: Loopback, tmp_path: Path) -> None:
    clock = Time()
    server.replies["/free_bike_status"] = lambda request: answer(
        feed(several("abc"), int(clock.now().timestamp()), ttl=120)
    )
    got = taken(source(server, tmp_path, clock, minutes="10"))
    assert clock.waits == [120] * 5 and len(got.watermarks) == 6


def test_a_poll_that_fails_does_not_end_the_others(server: Loopback, tmp_path: Path) -> None:
    clock = Time()
    good = [answer(feed(several("abc"), T0 + n)) for n in range(3)]
    bad = [Reply(b"", 503)] * LIMITS.tries
    server.replies["/free_bike_status"] = [good[0], *bad, good[1], good[2]]
    got = taken(source(server, tmp_path, clock, polls="4"))
    assert len(got.watermarks) == 3 and "status 503" in got.told()
    server.replies["/free_bike_status"] = [good[0], Reply(b"", 503)]
    gone = source(server, tmp_path, Time(), polls="99")
    assert "status 503" in refusal(gone)


@pytest.mark.parametrize("value", ["0", "-1", "many", "1e9"])
def test_options_that_are_no_numbers_are_refused(
    server: Loopback, tmp_path: Path, value: str
) -> None:
    with pytest.raises(SourceUnreadable, match="option polls"):
        source(server, tmp_path, polls=value)


def test_raw_answers_are_kept_and_can_be_imported_again(server: Loopback, tmp_path: Path) -> None:
    clock = Time()
    town = Town("lasting")
    server.replies["/free_bike_status"] = lambda request: answer(
        feed(town.snapshot(), int(clock.now().timestamp()))
    )
    polled = taken(source(server, tmp_path, clock, polls="8"))
    (folder,) = (tmp_path / "gbfs").iterdir()
    assert sorted(path.name for path in (folder / "free_bike_status").iterdir())[0] == (
        "2024-05-01T120000Z.json.gz"
    )
    again = taken(Gbfs(folder, around(tmp_path / "other", now=NOW + timedelta(days=1))))

    def rows(got: Got) -> list[Any]:
        return [(row["vehicle_id"].partition(ONCE)[0], row["seen_at"], row["lat"])
                for row in got.tables["sightings"]]  # fmt: skip

    assert rows(again) == rows(polled)
    # Seen as a whole, even the first snapshots show that the ids last.
    assert not any(ONCE in name for name in again.ids) and any(ONCE in name for name in polled.ids)


def test_a_full_disk_is_told(
    server: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, *args: Any, **kwargs: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "open", full)
    assert "No space left on device" in refusal(source(server, tmp_path))


def test_feeds_beside_the_vehicles_may_fail(server: Loopback, tmp_path: Path) -> None:
    server.replies["/vehicle_types"] = Reply(b"<html>sorry</html>", 200)
    got = taken(source(server, tmp_path))
    assert len(got.ids) == 3
    assert "a web page" in got.told() and got.report.rows_dropped == 1


def test_a_token_goes_to_the_server_and_is_never_told(server: Loopback, tmp_path: Path) -> None:
    secrets = {"feed-token": "s3cr3t-t0ken"}
    server.replies["/free_bike_status"] = Reply(b"bad token s3cr3t-t0ken", 403)
    said = refusal(source(server, tmp_path, secrets=secrets, token="feed-token"))
    assert "refuses access" in said and "s3cr3t" not in said
    assert {request.headers["Authorization"] for request in server.requests} == {
        "Bearer s3cr3t-t0ken"
    }
    with pytest.raises(SourceUnreadable, match="not stored"):
        source(server, tmp_path, secrets={}, token="feed-token")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (discovery(), "no feeds"),
        (discovery("system_alerts"), "feeds system_alerts"),
        (feed([{"system_id": "x", "versions": []}], name="datasets"), "lists 1 systems. Found: x"),
        (feed(several("abc")), "is the feed free_bike_status, not the discovery"),
        ({"data": []}, "is not a feed of GBFS"),
        ([], "JSON that is no object"),
        ({"data": {"feeds": "x"}}, "no feeds"),
        ({"data": {"en": {"feeds": [1, {"name": 2, "url": []}]}}}, "no feeds"),
    ],
)  # fmt: skip
def test_what_is_no_discovery_is_told(
    server: Loopback, tmp_path: Path, values: Any, said: str
) -> None:
    server.replies["/gbfs.json"] = answer(values)
    assert said in refusal(source(server, tmp_path))


BIG = 10**400


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"<!doctype html><p>Moved</p>", "a web page", id="html"),
        pytest.param(body(feed(several("abc")))[:-20], "breaks off", id="truncated"),
        pytest.param(b"", "an empty answer", id="empty"),
        pytest.param(b'{"data": {"bikes": ' + b"[" * 100_000, "nested too deeply", id="deep"),
        pytest.param(
            b'{"data": {"bikes": ' + b"[" * 900 + b"]" * 900 + b"}}", "No vehicle", id="quite deep"
        ),
        pytest.param(b'{"data": {"bikes": {}}}', "no list data.bikes", id="no list"),
        pytest.param(b'{"data": {}}', "no list data.bikes", id="no vehicles"),
        pytest.param(body(feed([1, None, "x", [], {}])), "No vehicle", id="no objects"),
        pytest.param(
            body(feed([vehicle("a", lat=110.7, lon=52.4)])),
            "position off the earth (free_bike_status: data.bikes[0].lat: 110.7 is above 90)",
            id="swapped",
        ),
        pytest.param(body(feed([vehicle("a", lat=BIG)])), "401 digits", id="huge"),
        pytest.param(body(feed([vehicle("a", lat=float("nan"))])), "nan instead of", id="nan"),
        pytest.param(body(feed([vehicle("a", lat=1e999)])), "inf instead of", id="infinity"),
        pytest.param(b"9" * 20_000, "number that cannot be read", id="endless number"),
        pytest.param(body(feed([vehicle("\ud800")])), "cannot be used", id="half a character"),
    ],
)  # fmt: skip
def test_hostile_vehicles_are_refused_in_a_sentence(
    server: Loopback, tmp_path: Path, content: bytes, said: str
) -> None:
    gc.collect()  # what other tests left must not be let go of in the depth of a nested answer
    server.replies["/free_bike_status"] = Reply(content)
    gbfs = source(server, tmp_path)
    begun = time.monotonic()
    assert said in refusal(gbfs)
    assert time.monotonic() - begun < 5
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_refusal_keeps_what_was_imported_before(server: Loopback, tmp_path: Path) -> None:
    with open_store(tmp_path / "store", create=True) as store:
        kept(store, source(server, tmp_path, tables=store.tables()))
        before = store.tables()["sightings"].count().to_pyarrow().as_py()
        server.replies["/free_bike_status"] = Reply(b'{"data": {"bikes": [')
        with pytest.raises(SourceUnreadable):
            kept(store, source(server, tmp_path, tables=store.tables()))
        assert store.tables()["sightings"].count().to_pyarrow().as_py() == before == 3


def test_bad_entries_are_skipped_and_counted_by_field_and_row(
    server: Loopback, tmp_path: Path
) -> None:
    bikes = [
        vehicle("good"),
        {**vehicle("b"), "lat": "north"},
        {key: value for key, value in vehicle("c").items() if key != "lat"},
        {key: value for key, value in vehicle("d").items() if key != "bike_id"},
        vehicle("good", 500.0),
        vehicle("e", lat=0, lon=0),
        vehicle("f", current_range_meters=-5, is_reserved="yes", vehicle_type_id=None),
        vehicle("g", 700.0, current_fuel_percent=0.25, unheard_of={"x": 1}),
        vehicle(7, 800.0),
    ]  # fmt: skip
    server.replies["/free_bike_status"] = answer(feed(bikes))
    got = taken(source(server, tmp_path))
    assert [name.partition(ONCE)[0] for name in got.ids] == ["good", "f", "g", "7"]
    assert {entry.reason: entry.examples for entry in got.report.dropped} == {
        "free_bike_status: data.bikes[].lat unusable":
            ("free_bike_status: data.bikes[1].lat: 'north' instead of a number",),
        "free_bike_status: data.bikes[].lat missing":
            ("free_bike_status: data.bikes[2].lat: missing",),
        "free_bike_status: data.bikes[].bike_id missing":
            ("free_bike_status: data.bikes[3].bike_id: missing",),
        "free_bike_status: second row of a vehicle in one snapshot":
            ("free_bike_status: data.bikes[4]: second row of a vehicle in one snapshot",),
        "free_bike_status: position 0, 0":
            ("free_bike_status: data.bikes[5].lat: position 0, 0",),
    }  # fmt: skip
    told = got.told()
    assert "data.bikes[6].current_range_meters: -5 is below 0" in told
    assert "data.bikes[6].is_reserved: 'yes' instead of true or false" in told
    assert "data.bikes[8].bike_id: 7 instead of a text" in told
    assert got.report.facts["kept entries with faulty fields"] == 2
    rows = {row["vehicle_id"].partition(ONCE)[0]: row for row in got.tables["sightings"]}
    assert rows["f"]["range_m"] is None and rows["f"]["battery_pct"] is None
    assert rows["f"]["vehicle_type"] is None and not rows["f"]["is_reserved"]
    assert rows["g"]["battery_pct"] == 25.0


def test_a_feed_that_breaks_its_declared_version_is_read_and_told(
    server: Loopback, tmp_path: Path
) -> None:
    server.replies["/free_bike_status"] = answer(feed(several("abc"), version="3.0"))
    got = taken(source(server, tmp_path))
    assert len(got.ids) == 3
    assert "data.vehicles missing" in got.told() and "last_updated unusable" in got.told()
    assert "data.bikes[].vehicle_id missing (3 times)" in got.told()
    server.replies["/free_bike_status"] = answer(feed(several("abc"), version="2.7"))
    got = taken(source(server, tmp_path / "b"))
    assert len(got.ids) == 3 and "'2.7' instead of one of 2.3" in got.told()


def test_charge_in_percent_is_understood(server: Loopback, tmp_path: Path) -> None:
    bikes = [vehicle(name, 100.0 * n, current_fuel_percent=value)
             for n, (name, value) in enumerate({"a": 80, "b": 20.5, "c": 0}.items())]  # fmt: skip
    server.replies["/free_bike_status"] = answer(feed(bikes))
    got = taken(source(server, tmp_path))
    assert [row["battery_pct"] for row in got.tables["sightings"]] == [80, 20.5, 0]
    bikes[0]["current_fuel_percent"], bikes[1]["current_fuel_percent"] = 0.8, 0.9
    bikes[2]["current_fuel_percent"] = 40  # one that is off does not shrink the others
    server.replies["/free_bike_status"] = answer(feed(bikes, T0 + 60))
    got = taken(source(server, tmp_path / "b"))
    assert [row["battery_pct"] for row in got.tables["sightings"]] == [80, 90, 50]


def test_stations_without_vehicles_are_a_system_too(server: Loopback, tmp_path: Path) -> None:
    server.replies["/gbfs.json"] = answer(discovery("station_information", "station_status"))
    ring = [[10.7, 52.4], [10.7, 52.401], [10.701, 52.401], [10.7, 52.4]]
    area = {"type": "MultiPolygon", "coordinates": [[ring]]}
    server.replies["/station_information"] = answer(feed([
        {"station_id": "a", "name": "A", "lat": 52.4, "lon": 10.7, "station_area": area},
        {"station_id": "b", "name": [{"text": "Bee", "language": "en"}], "lat": 52.4, "lon": 10.7,
         "vehicle_type_capacity": {"s": 4, "t": 3}},
        {"station_id": "a", "name": "again", "lat": 52.4, "lon": 10.7},
        {"station_id": "x" * 81, "name": "long", "lat": 52.4, "lon": 10.7},
    ], name="stations"))  # fmt: skip
    server.replies["/station_status"] = answer(feed([
        {"station_id": "a", "num_bikes_available": 2, "num_docks_available": 9,
         "is_installed": True, "is_renting": True, "is_returning": True, "last_reported": T0},
    ], name="stations"))  # fmt: skip
    got = taken(source(server, tmp_path))
    rows = [(row["parking_id"], row["name"], row["capacity"], row["radius_m"])
            for row in got.tables["parkings"]]  # fmt: skip
    assert rows == [("a", "A", 11, 130.3), ("b", "Bee", 7, 30.0)]
    assert "no feed of vehicles" in got.told() and got.report.rows_dropped == 2


def test_a_silent_server_is_left_at_the_deadline(server: Loopback, tmp_path: Path) -> None:
    def silence(out: Any, closing: threading.Event) -> None:
        closing.wait(20)

    server.replies["/free_bike_status"] = Reply(write=silence)
    gbfs = Gbfs(
        f"{server.url}/gbfs.json", around(tmp_path), http=Http(limits=Limits(deadline_s=0.5))
    )
    begun = time.monotonic()
    assert "no whole answer within 0.5 s" in refusal(gbfs)
    assert time.monotonic() - begun < 3


def _garbage(out: Any, closing: threading.Event) -> None:
    """Ten gigabytes of vehicles, if anybody would take them."""
    out.write(b'HTTP/1.1 200 OK\r\n\r\n{"data": {"bikes": [')
    piece = body(vehicle("x")) + b","
    piece *= 1_000_000 // len(piece)
    for _ in range(10_000):
        out.write(piece)


BOMB = gzip.compress(b'{"data": {"bikes": [' + b"[]," * 20_000_000, 1)
HOSTILE = {
    "more than 48 MB": Reply(write=_garbage),
    "more than 48 MB, packed": Reply(BOMB, headers={"Content-Encoding": "gzip"}),
    "would take more": Reply(b'{"data": {"bikes": [' + b"[]," * 15_000_000),
    "No vehicle": Reply(b'{"data": {"bikes": [' + b'{"a":1},' * 400_000 + b"{}]}}"),
}
CHILD = """
import resource, sys
from pathlib import Path
from fleetdesk.errors import SourceUnreadable
from fleetdesk.sources.gbfs import Gbfs
from tests.sources.gbfs_kit import around
for address in sys.argv[2:]:
    try:
        list(Gbfs(address, around(Path(sys.argv[1]))).read())
    except SourceUnreadable as refusal:
        print(refusal)
# What the kernel counts of this program alone; the usual figure is inherited from the parent.
status = Path("/proc/self/status")
lines = status.read_text().splitlines() if status.exists() else []
marks = [line.split() for line in lines if line.startswith("VmHWM")]
print(marks[0][1] if marks else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_garbage_stays_within_half_a_gigabyte(server: Loopback, tmp_path: Path) -> None:
    addresses = []
    for number, reply in enumerate(HOSTILE.values()):
        server.replies[f"/{number}/gbfs.json"] = answer(discovery("free_bike_status"))
        server.replies[f"/{number}/free_bike_status"] = reply
        addresses.append(f"{server.url}/{number}/gbfs.json")
    command = [sys.executable, "-c", CHILD, str(tmp_path), *addresses]
    root = Path(__file__).parents[2]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=True, cwd=root
    )
    *told, peak = done.stdout.splitlines()
    assert len(told) == len(HOSTILE)
    for said, line in zip(HOSTILE, told, strict=True):
        assert said.partition(",")[0] in line
    unit = 1 if sys.platform == "darwin" else 1024
    assert int(peak) * unit < 500_000_000
