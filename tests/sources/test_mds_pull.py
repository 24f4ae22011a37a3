"""A provider's server: hours, pages, patience, and a watermark from which the next one goes on."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.sources.loopback import Loopback, Reply, Request, loopback
from tests.sources.mds_import import Imported, around, drained
from tests.sources.test_mds import TIME, change, event, old_trip, trip

from fleetdesk.errors import SourceUnreadable
from fleetdesk.sources.base import Checkpoint
from fleetdesk.sources.http import Credentials, Http, Limits
from fleetdesk.sources.kinds import KINDS
from fleetdesk.sources.mds import door_of
from fleetdesk.sources.mds_intake import Intake
from fleetdesk.sources.mds_pull import MdsServer, open_server

NOW = datetime(2023, 11, 15, 2, 30, tzinfo=UTC)
SINCE = "2023-11-14T22"  # four whole hours before now
HOURS = ["2023-11-14T22", "2023-11-14T23", "2023-11-15T00", "2023-11-15T01"]
TOKEN = "s3cr3t-t0ken-value"
Hour = Callable[[str, Request], Reply]


def page(name: str, records: list[Any], *, version: str = "2.0.0", **links: Any) -> Reply:
    inside = {name: records}
    body = {"version": version} | (inside if version >= "2" else {"data": inside})
    return Reply(json.dumps(body | ({"links": links} if links else {})).encode())


@pytest.fixture
def server() -> Iterator[Loopback]:
    with loopback() as running:
        running.replies["/trips"] = lambda request: page("trips", hour_of(request, trip))
        running.replies["/events/historical"] = lambda request: page(
            "events", hour_of(request, event)
        )
        yield running


def asked_hour(request: Request) -> str:
    (values,) = parse_qs(urlsplit(request.path).query).values()
    return values[0]


def hour_of(request: Request, make: Callable[..., Any]) -> list[Any]:
    """One record of each hour that is asked for."""
    number = HOURS.index(asked_hour(request))
    time = TIME + number * 3_600_000
    if make is event:
        return [event(number, timestamp=time)]
    return [make(number, start_time=time, end_time=time + 600_000)]


def pull(
    server: Loopback,
    *,
    watermark: Mapping[str, str] | None = None,
    waits: list[float] | None = None,
    token: str | None = TOKEN,
    **options: str,
) -> MdsServer:
    given = {"since": SINCE, "endpoints": "trips,events"} | options
    near = around(watermark=watermark, token=token, now=NOW, **given)
    intake = Intake(
        door_of(near), lambda name: near.tables[name].to_pyarrow(),
        version=given.get("version", ""),
    )  # fmt: skip
    secret = {"Authorization": f"Bearer {TOKEN}"}
    http = Http(
        limits=Limits(deadline_s=10, first_wait_s=0.01, tries=3), rng=Random(1),
        credentials=Credentials(server.url, secret) if token else None,
        sleep=(waits if waits is not None else []).append,
    )  # fmt: skip
    return open_server(
        server.url, intake, near, http=http, sleep=(waits if waits is not None else []).append
    )


def hours_asked(server: Loopback, path: str = "/trips") -> list[str]:
    return [asked_hour(r) for r in server.requests if urlsplit(r.path).path == path]


def told(found: Imported) -> str:
    return "\n".join(found.report.notes)


def test_whole_hours_are_pulled_with_version_and_token(server: Loopback):
    found = drained(pull(server))
    assert hours_asked(server) == HOURS
    assert hours_asked(server, "/events/historical") == HOURS
    for request in server.requests:
        assert request.headers["Accept"] == "application/vnd.mds+json;version=2.0"
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert (len(found.rows("trips")), len(found.rows("events"))) == (4, 4)
    assert found.report.rows_kept == found.report.rows_in == 8
    assert found.checkpoints[-1] == {"trips": HOURS[-1], "events": HOURS[-1]}
    assert TOKEN not in json.dumps(found.report.as_dict())


def test_the_next_import_goes_on_after_the_watermark(server: Loopback):
    first = drained(pull(server, watermark={"trips": HOURS[1], "events": HOURS[3]}))
    assert hours_asked(server) == HOURS[2:]
    assert hours_asked(server, "/events/historical") == []
    assert first.checkpoints[-1] == {"trips": HOURS[3], "events": HOURS[3]}


@pytest.mark.parametrize("version,name", [("0.4.1", "trips"), ("1.2.0", "trips")])
def test_older_servers_are_asked_in_their_own_words(server: Loopback, version: str, name: str):
    server.replies["/trips"] = lambda r: page(name, hour_of(r, old_trip), version=version)
    server.replies["/status_changes"] = lambda r: page(
        "status_changes", [change(event_time=TIME)], version=version
    )
    found = drained(pull(server, version=version, endpoints="trips,status_changes"))
    queries = {tuple(parse_qs(urlsplit(r.path).query)) for r in server.requests}
    assert queries == {("end_time",), ("event_time",)}
    assert server.requests[0].headers["Accept"].endswith(f"version={version}")
    assert len(found.rows("trips")) == 4
    assert set(found.checkpoints[-1]) == {"trips", "status_changes"}


def test_pages_are_followed_to_the_last(server: Loopback):
    def paged(request: Request) -> Reply:
        query = parse_qs(urlsplit(request.path).query)
        number = int(query.get("page", ["1"])[0])
        onward = f"/trips?page={number + 1}" if number < 3 else None
        return page("trips", [trip(number)], next=onward)

    server.replies["/trips"] = paged
    found = drained(pull(server, endpoints="trips", since=HOURS[3]))
    assert len(found.rows("trips")) == 3
    assert [r.path for r in server.requests] == [
        f"/trips?end_time={HOURS[3]}", "/trips?page=2", "/trips?page=3",
    ]  # fmt: skip


def test_pages_that_lead_in_a_circle_are_left_and_the_hours_before_kept(server: Loopback):
    def circling(request: Request) -> Reply:
        if HOURS[0] in request.path:
            return page("trips", hour_of(request, trip), next=None)
        return page("trips", [trip(9)], next="/trips?page=2")

    server.replies["/trips"] = circling
    pieces, error = until_error(pull(server, endpoints="trips"))
    assert "pages lead in a circle" in str(error)
    assert [p.watermark for p in pieces if isinstance(p, Checkpoint)] == [{"trips": HOURS[0]}]


def until_error(source: MdsServer) -> tuple[list[Any], SourceUnreadable]:
    pieces: list[Any] = []
    with pytest.raises(SourceUnreadable) as raised:
        for piece in source.read():
            pieces.append(piece)
    return pieces, raised.value


def test_an_hour_in_the_making_is_waited_for_and_then_left_open(server: Loopback):
    makings = iter([202, 200])

    def making(request: Request) -> Reply:
        if HOURS[1] in request.path:
            status = next(makings)
            return page("trips", hour_of(request, trip)) if status == 200 else Reply(b"", 202)
        if HOURS[2] in request.path:
            return Reply(b"", 202)
        return page("trips", hour_of(request, trip))

    server.replies["/trips"] = making
    waits: list[float] = []
    found = drained(pull(server, waits=waits, endpoints="trips"))
    assert waits == [5.0, 5.0, 10.0]
    assert hours_asked(server) == [HOURS[0], *[HOURS[1]] * 2, *[HOURS[2]] * 3]
    assert found.checkpoints[-1] == {"trips": HOURS[1]}
    assert f"still making {HOURS[2]}" in told(found)


def test_hours_that_are_not_there_yet_stay_open_unless_later_ones_are(server: Loopback):
    def gaps(request: Request) -> Reply:
        there = asked_hour(request) == HOURS[2]
        return page("trips", hour_of(request, trip)) if there else Reply(b"", 404)

    server.replies["/trips"] = gaps
    found = drained(pull(server, endpoints="trips"))
    assert hours_asked(server) == HOURS
    assert found.checkpoints[-1] == {"trips": HOURS[2]}
    assert f"nothing yet from {HOURS[3]} on" in told(found)


def test_an_endpoint_that_a_server_lacks_is_told(server: Loopback):
    found = drained(pull(server, endpoints=""))
    assert "telemetry: the server has nothing there (status 404)." in found.report.notes
    assert "stops: the server has nothing there (status 404)." in found.report.notes
    assert len(found.rows("trips")) == 4


def test_a_server_that_is_busy_is_asked_again(server: Loopback):
    server.replies["/trips"] = [
        Reply(b"slow down", 429, {"Retry-After": "2"}), page("trips", [trip(1)]),
    ]  # fmt: skip
    waits: list[float] = []
    found = drained(pull(server, waits=waits, endpoints="trips", since=HOURS[3]))
    assert waits == [2.0]
    assert len(found.rows("trips")) == 1


def test_what_came_before_a_failure_is_given_with_its_watermark(server: Loopback):
    def failing(request: Request) -> Reply:
        if asked_hour(request) >= HOURS[2]:
            return Reply(b"<html>down</html>", 500)
        return page("trips", hour_of(request, trip))

    server.replies["/trips"] = failing
    pieces, error = until_error(pull(server, endpoints="trips"))
    assert error.retry_helps
    assert isinstance(pieces[-1], Checkpoint)
    assert pieces[-1].watermark == {"trips": HOURS[1]}
    assert sum(piece[1].num_rows for piece in pieces[:-1] if piece[0] == "trips") == 2
    server.replies["/trips"] = lambda request: page("trips", hour_of(request, trip))
    found = drained(pull(server, watermark=pieces[-1].watermark, endpoints="trips"))
    assert len(found.rows("trips")) == 2
    assert found.checkpoints[-1] == {"trips": HOURS[3]}


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_token_is_told_without_the_token(server: Loopback, status: int, caplog):
    caplog.set_level(logging.DEBUG)
    refused = Reply(f"no access with Bearer {TOKEN}".encode(), status)
    server.replies["/trips"] = refused
    _, error = until_error(pull(server))
    assert "token" in error.fix
    assert TOKEN not in str(error) + repr(error.as_dict()) + caplog.text


def test_another_version_than_was_asked_for_is_told_and_read(server: Loopback):
    server.replies["/trips"] = lambda r: page("trips", hour_of(r, old_trip), version="1.2.0")
    found = drained(pull(server, endpoints="trips"))
    assert len(found.rows("trips")) == 4
    assert "trips: asked for MDS 2.0, the server answers in 1.2.0." in found.report.notes


def test_a_server_that_answers_in_02_is_refused(server: Loopback):
    server.replies["/trips"] = lambda r: page("trips", hour_of(r, old_trip), version="0.2.0")
    _, error = until_error(pull(server, endpoints="trips"))
    assert "MDS 0.2.0 is not among the versions" in str(error)
    server.replies["/trips"] = Reply(b"", 406)
    _, error = until_error(pull(server, endpoints="trips"))
    assert "does not speak MDS 2.0" in str(error)


def test_a_web_page_instead_of_records_is_refused(server: Loopback):
    server.replies["/trips"] = Reply(b"<html>Sign in</html>", 200, {"Content-Type": "text/html"})
    _, error = until_error(pull(server, endpoints="trips"))
    assert "a web page" in str(error)


def test_pulling_again_gives_the_same_rows(server: Loopback):
    first, again = drained(pull(server)), drained(pull(server))
    for name in ("trips", "events", "vehicles"):
        assert first.tables[name].equals(again.tables[name])
    assert first.report == again.report


def test_a_long_history_is_kept_day_by_day(server: Loopback):
    server.replies["/trips"] = lambda request: page("trips", [])
    found = drained(pull(server, endpoints="trips", since="2023-11-13"))
    assert [mark["trips"] for mark in found.checkpoints] == [
        "2023-11-13T23", "2023-11-14T23", "2023-11-15T01",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "options,what",
    [
        ({"endpoints": "trips,spies"}, "has no endpoint spies"),
        ({"version": "new"}, "not one of MDS"),
        ({"since": "last week"}, "since is not a day"),
    ],
)
def test_options_that_cannot_be_are_told(server: Loopback, options: dict[str, str], what: str):
    with pytest.raises(SourceUnreadable, match=what):
        pull(server, **options)


def test_a_token_does_not_travel_unprotected():
    with pytest.raises(SourceUnreadable, match="https"):
        KINDS["mds"].build("http://mds.example.org/", around(token=TOKEN))


def test_the_kind_opens_files_and_servers(server: Loopback, tmp_path):
    near = around(token=TOKEN, now=NOW, since=HOURS[3], endpoints="trips")
    source = KINDS["mds"].build(server.url, near)
    assert isinstance(source, MdsServer)
    assert len(drained(source).rows("trips")) == 1
    assert server.requests[0].headers["Authorization"] == f"Bearer {TOKEN}"
    path = tmp_path / "trips.json"
    path.write_text(json.dumps({"version": "2.0.0", "trips": [trip(1)]}))
    assert len(drained(KINDS["mds"].build(str(path), near)).rows("trips")) == 1
