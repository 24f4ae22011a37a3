"""Every call ends and every body has a bound, whatever the server does."""

from __future__ import annotations

import gzip
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from tests.sources.loopback import Loopback, Reply, loopback

from fleetdesk.errors import SourceUnreadable
from fleetdesk.sources.http import Credentials, Http, Limits

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
TOKEN = "s3cr3t-t0ken-value"
Drip = Callable[[Any, threading.Event], None]


class Clock:
    """Time that passes only by waiting."""

    def __init__(self) -> None:
        self.s = 0.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.s

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.s += seconds


@pytest.fixture
def server() -> Iterator[Loopback]:
    with loopback() as running:
        yield running


def client(clock: Clock | None = None, **limits: Any) -> Http:
    clock = clock or Clock()
    return Http(
        limits=Limits(**limits), clock=clock, sleep=clock.sleep, rng=Random(1), now=lambda: NOW
    )


def patient(**limits: Any) -> Http:
    """With the real clock, for servers that are slow."""
    return Http(limits=Limits(**limits), sleep=lambda _: None, rng=Random(1), now=lambda: NOW)


def refusal(http: Http, url: str, **asked: Any) -> str:
    with pytest.raises(SourceUnreadable) as refused:
        http.get(url, **asked).json()
    assert TOKEN not in repr(refused.value.as_dict())
    return str(refused.value)


def test_json_comes_with_its_etag_and_is_asked_for_again_by_it(server: Loopback) -> None:
    def reply(request: Any) -> Reply:
        if request.headers["If-None-Match"] == '"a"':
            return Reply(status=304, headers={"ETag": '"a"'})
        return Reply(b'{"x": 1}', headers={"etag": '"a"'})

    server.replies["/feed"] = reply
    http = client()
    first = http.get(f"{server.url}/feed")
    assert (first.json(), first.etag, first.not_modified) == ({"x": 1}, '"a"', False)
    second = http.get(f"{server.url}/feed", etag=first.etag)
    assert second.not_modified and second.body == b""


def test_gzip_is_unpacked_and_query_and_headers_are_sent(server: Loopback) -> None:
    packed = gzip.compress(b"[1, 2]")
    server.replies["/feed"] = Reply(packed, headers={"Content-Encoding": "gzip"})
    answer = client().get(f"{server.url}/feed", params={"a": "b c"}, headers={"Accept": "x/y"})
    assert answer.json() == [1, 2]
    (request,) = server.requests
    assert request.path == "/feed?a=b+c" and request.headers["Accept"] == "x/y"


def test_statuses_that_the_caller_knows_come_back(server: Loopback) -> None:
    server.replies["/hour"] = Reply(b"", 202)
    assert client().get(f"{server.url}/hour", also=(202, 404)).status == 202
    assert client().get(f"{server.url}/none", also=(202, 404)).status == 404


def test_what_may_pass_is_tried_again_with_growing_waits(server: Loopback) -> None:
    server.replies["/feed"] = [Reply(b"", 503), Reply(b"", 502), Reply(b"{}")]
    clock = Clock()
    assert client(clock).get(f"{server.url}/feed").json() == {}
    assert len(clock.waits) == 2 and 0.5 <= clock.waits[0] <= 1 <= clock.waits[1] <= 2


@pytest.mark.parametrize("asked", ["7", "Wed, 01 May 2024 12:00:07 GMT"])
def test_the_server_s_own_wait_is_kept(server: Loopback, asked: str) -> None:
    server.replies["/feed"] = [Reply(b"", 429, {"Retry-After": asked}), Reply(b"{}")]
    clock = Clock()
    client(clock).get(f"{server.url}/feed")
    assert clock.waits == [7.0]


@pytest.mark.parametrize("asked", ["999999", "9" * 5000, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_wait_beyond_the_deadline_ends_the_call_at_once(server: Loopback, asked: str) -> None:
    server.replies["/feed"] = Reply(b"", 429, {"Retry-After": asked})
    clock = Clock()
    said = refusal(client(clock), f"{server.url}/feed")
    assert clock.waits == [] and "status 429" in said and "asks to wait" in said
    assert "Trying again may help" in said


def test_a_nonsense_wait_is_ignored(server: Loopback) -> None:
    server.replies["/feed"] = [Reply(b"", 503, {"Retry-After": "soon"}), Reply(b"{}")]
    assert client().get(f"{server.url}/feed").json() == {}


def test_tries_are_bounded(server: Loopback) -> None:
    server.replies["/feed"] = Reply(b"", 500)
    assert "4 tries" in refusal(client(), f"{server.url}/feed")
    assert server.asked("/feed") == 4


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 418])
def test_what_does_not_pass_is_asked_once(server: Loopback, status: int) -> None:
    server.replies["/feed"] = Reply(b"no such thing", status)
    said = refusal(client(), f"{server.url}/feed")
    assert f"status {status}, beginning with 'no such thing'" in said
    assert server.asked("/feed") == 1


def test_redirects_are_followed_within_a_bound(server: Loopback) -> None:
    server.replies["/a"] = Reply(b"", 302, {"Location": "/b"})
    server.replies["/b"] = Reply(b"{}")
    server.replies["/round"] = Reply(b"", 301, {"Location": "/round"})
    server.replies["/nowhere"] = Reply(b"", 302)
    server.replies["/file"] = Reply(b"", 302, {"Location": "file:///etc/passwd"})
    assert client().get(f"{server.url}/a").json() == {}
    assert "more than 5 redirects" in refusal(client(), f"{server.url}/round")
    assert "no Location" in refusal(client(), f"{server.url}/nowhere")
    assert "Only addresses that begin with http" in refusal(client(), f"{server.url}/file")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/y", "gbfs.json", "http://", "//x"])
def test_only_http_is_spoken(url: str) -> None:
    assert "Only addresses that begin with http" in refusal(client(), url)


def test_secret_headers_go_to_their_own_place_only(server: Loopback) -> None:
    with loopback() as other:
        credentials = Credentials(f"{server.url}/x", {"Authorization": f"Bearer {TOKEN}"})
        http = Http(credentials=credentials)
        server.replies["/feed"] = Reply(b"", 302, {"Location": f"{other.url}/feed"})
        other.replies["/feed"] = Reply(b"{}")
        http.get(f"{server.url}/feed")
        assert server.requests[0].headers["Authorization"] == f"Bearer {TOKEN}"
        assert other.requests[0].headers["Authorization"] is None
        assert TOKEN not in repr(credentials)


def test_no_secret_is_told(server: Loopback) -> None:
    echo = f"<html>you sent Bearer {TOKEN}</html>".encode()
    server.replies["/denied"] = Reply(echo, 401)
    server.replies["/page"] = Reply(echo)
    http = Http(credentials=Credentials(server.url, {"X-Key": TOKEN}))
    assert "Bearer ***" in refusal(http, f"{server.url}/denied")
    assert "Bearer ***" in refusal(http, f"{server.url}/page")
    assert "Bearer ***" in refusal(client(), f"{server.url}/denied", params={"token": TOKEN})
    assert "Bearer ***" in refusal(client(), f"{server.url}/denied?token={TOKEN}")
    host = server.url.removeprefix("http://")
    assert "Bearer ***" in refusal(client(), f"http://user:{TOKEN}@{host}/denied")


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (b"<!doctype html><html>Error</html>", "text/html; charset=utf-8",
         "a web page (text/html), beginning with '<!doctype html><html>Error"),
        (b'{"data": [1, 2', "application/json", "breaks off after 14 bytes"),
        (b'{"data": "ab', "application/json", "breaks off"),
        (b"id;lat;lon\n1;2;3", "text/csv", "no JSON at line 1, column 1 (text/csv)"),
        (b"", "application/json", "an empty answer"),
        (b"[" * 200_000, "application/json", "nested too deeply"),
        (b"9" * 10_000, "application/json", "a number that cannot be read"),
        (b'"\xff\xfe\xfa"', "application/json", "a text that cannot be read"),
    ],
)  # fmt: skip
def test_what_is_not_json_is_told(server: Loopback, body: bytes, kind: str, said: str) -> None:
    server.replies["/feed"] = Reply(body, headers={"Content-Type": kind})
    assert said in refusal(client(), f"{server.url}/feed")


def test_json_is_read_under_any_type_and_with_a_byte_order_mark(server: Loopback) -> None:
    server.replies["/feed"] = Reply(b"\xef\xbb\xbf[1]", headers={"Content-Type": "text/plain"})
    assert client().get(f"{server.url}/feed").json() == [1]


def test_json_that_would_fill_the_memory_is_not_unpacked(server: Loopback) -> None:
    server.replies["/feed"] = Reply(b"[" + b"[]," * 100_000 + b"[]]")
    http = client(json_bytes=10_000_000)
    assert "would take more than 10 MB" in refusal(http, f"{server.url}/feed")


def _forever(first: bytes, piece: bytes, wait_s: float) -> Drip:
    def write(out: Any, closing: threading.Event) -> None:
        out.write(first)
        while not closing.wait(wait_s):
            out.write(piece)

    return write


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(_forever(b"", b"", 0.05), id="says nothing"),
        pytest.param(_forever(b"", b"H", 0.05), id="drips the status"),
        pytest.param(_forever(b"HTTP/1.1 200 OK\r\nX: ", b"x", 0.05), id="drips a header"),
        pytest.param(_forever(b"HTTP/1.1 200 OK\r\n\r\n[", b" ", 0.05), id="drips the body"),
        pytest.param(
            _forever(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0", 0.05),
            id="drips the size of a chunk",
        ),
    ],
)
def test_a_server_that_is_silent_or_drips_is_left(server: Loopback, write: Drip) -> None:
    server.replies["/feed"] = Reply(write=write)
    begun = time.monotonic()
    said = refusal(patient(deadline_s=0.5), f"{server.url}/feed")
    assert "no whole answer within 0.5 s" in said
    assert time.monotonic() - begun < 2
    server.replies["/feed"] = Reply(b"{}")
    assert patient(deadline_s=5).get(f"{server.url}/feed").json() == {}


def test_a_client_lives_on_after_a_deadline(server: Loopback) -> None:
    http = patient(deadline_s=0.3)
    server.replies["/slow"] = Reply(write=_forever(b"", b"H", 0.05))
    server.replies["/feed"] = Reply(b"{}")
    assert http.get(f"{server.url}/feed").json() == {}
    refusal(http, f"{server.url}/slow")
    assert http.get(f"{server.url}/feed").json() == {}


def test_a_connection_that_cannot_be_made_is_told() -> None:
    with loopback() as gone:
        url = gone.url
    said = refusal(client(), f"{url}/feed")
    assert "could not be reached" in said and "4 tries" in said


def _measured(http: Http, url: str) -> tuple[str, float]:
    tracemalloc.start()
    try:
        return refusal(http, url), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_garbage_without_end_is_left_at_the_bound(server: Loopback) -> None:
    server.replies["/feed"] = Reply(
        write=_forever(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 1_000_000, 0.0)
    )
    said, peak = _measured(patient(body_bytes=5_000_000), f"{server.url}/feed")
    assert "more than 5 MB" in said and peak < 15_000_000


def test_ten_announced_gigabytes_are_not_begun(server: Loopback) -> None:
    server.replies["/feed"] = Reply(b"x", headers={"Content-Length": "10000000000"})
    said, peak = _measured(client(), f"{server.url}/feed")
    assert "more than 200 MB" in said and peak < 3_000_000


def test_a_small_answer_that_unpacks_to_a_giant_is_left_at_the_bound(server: Loopback) -> None:
    bomb = gzip.compress(bytes(60_000_000))
    server.replies["/feed"] = Reply(bomb, headers={"Content-Encoding": "gzip"})
    said, peak = _measured(client(body_bytes=5_000_000), f"{server.url}/feed")
    assert "more than 5 MB" in said and peak < 15_000_000


@pytest.mark.parametrize("packed", [False, True])
def test_a_body_that_breaks_off_is_asked_for_again(server: Loopback, packed: bool) -> None:
    body = gzip.compress(b"[1, 2, 3]") if packed else b"[1, 2, 3]"
    headers = {"Content-Encoding": "gzip"} if packed else {}

    def cut(out: Any, closing: threading.Event) -> None:
        lines = [f"{name}: {value}" for name, value in headers.items()]
        lines.append(f"Content-Length: {len(body)}")
        out.write(("HTTP/1.1 200 OK\r\n" + "\r\n".join(lines) + "\r\n\r\n").encode() + body[:-2])

    server.replies["/feed"] = [Reply(write=cut), Reply(body, headers=headers)]
    assert client().get(f"{server.url}/feed").json() == [1, 2, 3]
    assert server.asked("/feed") == 2


def test_cut_off_gzip_of_no_known_length_is_noticed(server: Loopback) -> None:
    body = gzip.compress(b"[1, 2, 3]")[:-4]
    server.replies["/feed"] = Reply(body, headers={"Content-Encoding": "gzip"})
    assert "breaks off" in refusal(client(), f"{server.url}/feed")
    server.replies["/feed"] = Reply(b"not gzip", headers={"Content-Encoding": "gzip"})
    assert "damaged gzip" in refusal(client(), f"{server.url}/feed")
    server.replies["/feed"] = Reply(b"{}", headers={"Content-Encoding": "br"})
    assert "not asked for" in refusal(client(), f"{server.url}/feed")
