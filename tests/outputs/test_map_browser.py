"""The map in a real browser whose network is closed; skips where no Chromium is installed."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fleetdesk.model.places import Point
from fleetdesk.outputs.city_map import over_city
from fleetdesk.outputs.ground import Ground, Tiles
from fleetdesk.outputs.map import map_view, route_map
from fleetdesk.routes.roads import Roads

DESK = (1366, 768, False)
PHONE = (390, 844, True)
ROAD = Roads(
    np.array([40.62, 40.66]), np.array([22.92, 22.98]), np.array([0, 0]),
    np.array([0, 0], np.int8), "© OpenStreetMap",
)  # fmt: skip


@pytest.mark.parametrize("screen", [DESK, PHONE], ids=["desk", "phone"])
def test_opens_without_a_network_and_without_complaint(browser, tmp_path, day, screen):
    opened = browser.open(_saved(tmp_path, _view(day)), screen)
    assert [url for url in opened.requests if not url.startswith(("file:", "data:"))] == []
    assert opened.failures == []
    assert opened.complaints == []
    assert browser.evaluate("document.querySelectorAll('.sign .pin').length") == 6
    assert browser.evaluate(_COVERED) == [], "two workers at one parking hide none of the two"


_SEEN = "document.querySelector('.leaflet-control-attribution').innerText"
_ON = "[...document.querySelectorAll('.leaflet-control-layers input')].map(i => i.checked)[0]"


def test_roads_are_drawn_and_tiles_where_they_are_asked_for(browser, tmp_path, day, tile_server):
    address, asked = tile_server
    opened = browser.open(_saved(tmp_path, replace(_view(day), ground=Ground(ROAD))), DESK)
    assert (opened.failures, opened.complaints) == ([], [])
    inked = """(() => {
      const sheet = document.querySelector(".leaflet-roads-pane canvas");
      const { data } = sheet.getContext("2d").getImageData(0, 0, sheet.width, sheet.height);
      return data.some((value, at) => at % 4 === 3 && value > 0);
    })()"""
    assert browser.evaluate(inked)
    assert browser.evaluate(_SEEN) == ("no basemap, roads: © OpenStreetMap, drawn with Leaflet")
    ground = Ground(ROAD, Tiles(address + "/{z}/{x}/{y}.png", "© <b>Tiles</b>"))
    opened = browser.open(_saved(tmp_path, replace(_view(day), ground=ground)), DESK)
    assert (opened.failures, opened.complaints) == ([], [])
    assert asked and all(re.fullmatch(r"/\d+/\d+/\d+\.png", path) for path in asked)
    assert browser.evaluate(_SEEN) == "© <b>Tiles</b>, drawn with Leaflet"
    assert not browser.evaluate(_ON), "roads are drawn on the pictures"


def test_where_tiles_cannot_be_had_roads_take_their_place(browser, tmp_path, day):
    ground = Ground(ROAD, Tiles("https://example.invalid/{z}/{x}/{y}.png", "Tiles"))
    browser.open(_saved(tmp_path, replace(_view(day), ground=ground)), DESK)
    assert browser.evaluate(_ON)
    assert "map pictures cannot be reached, no basemap, roads: © OpenStreetMap" in browser.evaluate(
        _SEEN
    )


def test_roads_go_again_when_the_first_picture_comes(browser, tmp_path, day, tile_server):
    address, _ = tile_server
    ground = Ground(ROAD, Tiles(address + "/{z}/{x}/{y}.png?some", "Tiles"))
    browser.open(_saved(tmp_path, replace(_view(day), ground=ground)), DESK)
    assert not browser.evaluate(_ON)
    assert browser.evaluate(_SEEN) == "Tiles, drawn with Leaflet"
    ground = Ground(ROAD, Tiles(address + "/{z}/{x}/{y}.png?never", "Tiles"))
    page = _saved(tmp_path, replace(_view(day), ground=ground))
    browser._call("Page.navigate", url=page.as_uri())  # for a page that waits is not loaded
    assert browser.becomes(_ON), "whoever waits for a server has roads meanwhile"


@pytest.mark.parametrize(
    ("bounds", "credit"),
    [
        ([[40, 22], [41, 24]], "Protomaps © OpenStreetMap"),
        ([[40.63, 22], [41, 24]], "Protomaps © OpenStreetMap, roads: © OpenStreetMap"),
        ([[50, 22], [51, 24]], "no basemap, roads: © OpenStreetMap"),
    ],
    ids=["over the plan", "over a part of it", "elsewhere"],
)
def test_only_what_lies_under_the_plan_is_named(browser, tmp_path, day, bounds, credit):
    page = _saved(tmp_path, replace(_view(day), ground=Ground(ROAD)))
    city = SimpleNamespace(bounds=bounds, max_zoom=2, version="1")
    page.write_text(over_city(page.read_text("utf-8"), city, "own://{z}/{x}/{y}"), "utf-8")
    browser.open(page, DESK)
    assert browser.evaluate(_SEEN) == f"{credit}, drawn with Leaflet"
    assert browser.evaluate(_ON) == ("roads" in credit)


def test_a_request_to_the_network_would_be_noticed(browser, tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<img src='http://example.invalid/a.png'><script>nonsense()</script>")
    opened = browser.open(page, DESK)
    assert opened.failures
    assert opened.complaints


def test_a_stop_tells_number_time_vehicle_action_battery_and_reason(browser, tmp_path, day):
    browser.open(_saved(tmp_path, _view(day)), DESK)
    said = browser.evaluate(
        "[...document.querySelectorAll('.sign .pin')].find(p => p.textContent === '1').click(),"
        "document.querySelector('.leaflet-popup-content').innerText"
    )
    for part in ("Stop 1 · 09:10", "Ελένη", "swap battery", "V1", "8 % → 100 %", "4.50\u00a0EUR",
                 "Battery 8 % is below the limit of 30 %", "39 batteries left"):  # fmt: skip
        assert part in said


def test_near_stops_share_a_sign_and_crowds_are_dots_with_the_signs_that_fit(
    browser, tmp_path, day
):
    view = _view(day)
    first = view.routes[0].stops[0]

    def crowd(step: float):
        stops = tuple(
            replace(first, number=n, at=Point(40.63 + n * step, 22.94 + n * step))
            for n in range(1, 201)
        )
        routes = tuple(replace(route, stops=stops, worker=f"W{i}") for i, route in enumerate(
            view.routes * 3))  # fmt: skip
        return replace(view, routes=routes)

    labels = "[...document.querySelectorAll('.sign .pin')].map(pin => pin.textContent)"
    one = replace(crowd(1e-5), routes=crowd(1e-5).routes[:1])
    opened = browser.open(_saved(tmp_path, one), DESK)
    shared = browser.evaluate(labels)
    assert 0 < len(shared) < 200 and any("\u2013" in label for label in shared)
    assert opened.complaints == []
    browser.open(_saved(tmp_path, crowd(2e-4)), DESK)
    dots = "document.querySelectorAll('.leaflet-dots-pane path.leaflet-interactive').length"
    assert browser.evaluate(dots) == 6 * 200, "every stop has a dot"
    far = len(browser.evaluate(labels))
    assert 6 <= far < 400
    assert browser.evaluate(_COVERED) == []
    browser.evaluate(
        "[...document.querySelectorAll('.leaflet-control-layers input')].slice(-5)"
        ".forEach(input => input.click())"
    )
    alone = browser.evaluate(labels)
    assert len(alone) > far / 6, "who is alone has the room of those who are not shown"


_COVERED = """
(() => {
  const signs = [...document.querySelectorAll(
    '.sign > .pin, .sign > .depot, .sign > .pause, .sign > .parking:not(.small)')];
  const boxes = signs.map(sign => [sign.textContent, sign.getBoundingClientRect()]);
  return boxes.flatMap(([one, a], i) => boxes.slice(i + 1).filter(([, b]) =>
    a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1)
    .map(([other]) => `${one} and ${other}`));
})()
"""


def test_layers_switch_routes_off_and_vehicles_on(browser, tmp_path, day):
    browser.open(_saved(tmp_path, _view(day)), DESK)
    names = browser.evaluate(
        "[...document.querySelectorAll('.leaflet-control-layers label')]"
        ".map(label => label.innerText.trim())"
    )
    assert names == [
        "Where work pays, by cell", "All vehicles by battery", "All vehicles by idle time",
        "Parkings", "Tasks not planned", "Ελένη", "Nikos",
    ]  # fmt: skip
    on = "[...document.querySelectorAll('.leaflet-control-layers input')].map(i => i.checked)"
    assert browser.evaluate(on) == [True, False, False, True, True, True, True]
    browser.evaluate("document.querySelectorAll('.leaflet-control-layers input')[5].click()")
    assert browser.evaluate("document.querySelectorAll('.sign .pin').length") == 3


def test_hostile_names_stay_text(browser, tmp_path, day):
    names = ["</script><script>boom=1</script>", "<img src=x onerror=boom=1>", "{{ 7 * 7 }}"]
    view = _view(day)
    routes = tuple(
        replace(
            route,
            worker=names[0] + names[2],
            stops=tuple(
                replace(stop, vehicle=names[0], place=names[1], reason=names[2])
                for stop in route.stops
            ),
        )
        for route in view.routes
    )
    hostile = replace(
        view, title=names[0], subtitle=names[1], routes=routes, notes=tuple(names),
        parkings=tuple(replace(p, name=names[1]) for p in view.parkings),
        dropped=tuple(replace(d, vehicle=names[0], reason=names[1]) for d in view.dropped),
    )  # fmt: skip
    opened = browser.open(_saved(tmp_path, hostile), DESK)
    assert (opened.failures, opened.complaints) == ([], [])
    browser.evaluate("[...document.querySelectorAll('.sign > span')].forEach(sign => sign.click())")
    assert browser.evaluate("typeof boom") == "undefined"
    assert browser.evaluate("document.title") == names[0]
    assert browser.evaluate("document.querySelector('.routes b').textContent") == (
        names[0] + names[2]
    )
    said = browser.evaluate("document.body.innerText")
    assert "{{ 7 * 7 }}" in said
    assert "49" not in said


def _view(day):
    return map_view(
        day.plan, day.tasks, day.settings, date(2025, 6, 3), rois=day.rois, vans=day.vans,
        fleet=day.fleet, rates_per_h={day.tasks[0].before.cell: 0.42},
    )  # fmt: skip


def _saved(folder: Path, view) -> Path:
    page = folder / "χάρτης.html"
    page.write_text(route_map(view), encoding="utf-8")
    return page


@pytest.fixture
def tile_server() -> Iterator[tuple[str, list[str]]]:
    """A server of grey pictures, and the paths that it was asked for."""
    asked: list[str] = []
    grey = base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNo"
        "AAAAggCBd81ytgAAAABJRU5ErkJggg=="
    )

    class Grey(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            if self.path.endswith("?never"):
                gone.wait(20)
            if self.path.endswith("?some") and len(asked) < 4:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Type", "image/png")
            self.end_headers()
            self.wfile.write(grey)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    gone = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Grey)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    gone.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.skip("no Chromium on PATH, so the map cannot be opened")
    opened = Browser(path)
    yield opened
    opened.close()


class Opened:
    """What happened while a page was opened."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.failures: list[str] = []
        self.complaints: list[str] = []


class Browser:
    """Chromium driven over its debugging pipe (DevTools protocol), standard library only."""

    def __init__(self, path: str) -> None:
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        commands, self._send = os.pipe()
        self._receive, answers = os.pipe()
        # Chromium reads commands on descriptor 3 and answers on 4.
        high = [fcntl.fcntl(fd, fcntl.F_DUPFD, 20) for fd in (commands, answers)]
        move = f"os.dup2({high[0]}, 3); os.dup2({high[1]}, 4)"
        launch = f"import os, sys; {move}; os.execv(sys.argv[1], sys.argv[1:])"
        arguments = [
            "--headless", "--disable-gpu", "--no-first-run", "--disable-sync", "--disable-quic",
            "--disable-background-networking", "--disable-component-update", "--lang=en",
            "--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            f"--user-data-dir={self._profile.name}", "--remote-debugging-pipe",
            *(["--no-sandbox"] if os.geteuid() == 0 else []), "about:blank",
        ]  # fmt: skip
        self._process = subprocess.Popen(
            [sys.executable, "-c", launch, path, *arguments], pass_fds=high,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        for fd in (commands, answers, *high):
            os.close(fd)
        self._number, self._buffer, self._session = 0, b"", None
        self._events: list[dict[str, Any]] = []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self._call(f"{domain}.enable")

    def open(self, page: Path, screen: tuple[int, int, bool]) -> Opened:
        width, height, mobile = screen
        self._call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                   deviceScaleFactor=2 if mobile else 1, mobile=mobile)  # fmt: skip
        self._call("Page.navigate", url="about:blank")
        time.sleep(0.1)
        self._call("Log.clear")
        self._events.clear()
        self._call("Page.navigate", url=page.as_uri())
        self._until(lambda event: event["method"] == "Page.loadEventFired")
        self.evaluate("new Promise(done => setTimeout(done, 500))")
        return self._seen()

    def evaluate(self, expression: str) -> Any:
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True,
                            awaitPromise=True)  # fmt: skip
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def becomes(self, expression: str, within_s: float = 60.0) -> bool:
        """Whether it comes true, however busy the computer is."""
        ends = time.monotonic() + within_s
        while time.monotonic() < ends:
            if self.evaluate(expression):
                return True
            time.sleep(0.1)
        return False

    def picture(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self._call("Page.captureScreenshot")["data"]))

    def close(self) -> None:
        os.close(self._send)
        os.close(self._receive)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._profile.cleanup()

    def _seen(self) -> Opened:
        opened = Opened()
        for event in self._events:
            method, details = event["method"], event["params"]
            if method == "Network.requestWillBeSent":
                opened.requests.append(details["request"]["url"])
            elif method == "Network.loadingFailed":
                opened.failures.append(details["errorText"])
            elif method == "Runtime.exceptionThrown":
                opened.complaints.append(details["exceptionDetails"]["text"])
            elif method == "Runtime.consoleAPICalled" and details["type"] in ("error", "warning"):
                opened.complaints.append(str(details["args"]))
            elif method == "Log.entryAdded":
                opened.complaints.append(details["entry"]["text"])
        return opened

    def _call(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._send, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def _until(self, wanted) -> None:
        while not any(wanted(event) for event in self._events):
            self._read()

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            chunk = os.read(self._receive, 1 << 16)
            assert chunk, "the browser ended"
            self._buffer += chunk
        first, self._buffer = self._buffer.split(b"\0", 1)
        message: dict[str, Any] = json.loads(first)
        if "method" in message:
            self._events.append(message)
        return message
