"""Maps in the window: drawn from the run's own file, without a single request outside."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from tests.outputs.city_maps import city_map

from fleetdesk.apps.desktop.widgets import map_view
from fleetdesk.apps.desktop.widgets.map_view import MapView
from fleetdesk.apps.desktop.work.shapes import Under

pytestmark = pytest.mark.skipif(
    not map_view.MAPS, reason="the web engine's system libraries are not here"
)


def shows(view: MapView, qtbot: QtBot, script: str) -> bool:
    """Whether the page, once it is there, says so.

    It is asked again and again: a page that is just being loaded may leave a question unanswered.
    """
    said: list[object] = []

    def look() -> bool:
        view._view.page().runJavaScript(script, 0, said.append)
        qtbot.wait(200)
        return any(said)

    qtbot.waitUntil(lambda: view._view is not None, timeout=60_000)
    qtbot.waitUntil(look, timeout=120_000)
    return True


@pytest.fixture
def outside() -> Iterator[tuple[str, list[str]]]:
    """A server that a page may not reach, and what it was asked for all the same."""
    asked: list[str] = []

    class Noting(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Noting)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


CREDIT = "document.querySelector('.leaflet-control-attribution')?.innerText"
DRAWN = """(() => {
  const tiles = [...document.querySelectorAll(".leaflet-tile-pane canvas")];
  const pad = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  return tiles.some((tile) => {
    pad.drawImage(tile, 0, 0);
    return pad.getImageData(9, 9, 1, 1).data[3] === 255;
  });
})()"""
SHOWS_ALL = """(() => {
  const map = Object.values(window).find((one) => one instanceof L.Map);
  const { frame } = JSON.parse(document.getElementById("fleetdesk-data").textContent);
  return innerWidth === %d && map.getBounds().contains(frame)
    && map.getZoom() === Math.min(16, map.getBoundsZoom(frame, false, [64, 64]))
    && document.getElementById("legend").open === (innerWidth > 720);
})()"""


def test_the_map_of_a_run_is_drawn_fits_its_view_and_asks_for_nothing_outside(
    maps: None, qapp: QApplication, qtbot: QtBot, city: Path
) -> None:
    (page,) = (city.parent / "outputs").rglob("route map.html")
    view = MapView("Map")
    qtbot.addWidget(view)
    view.resize(600, 500)
    view.show()
    view.show_file(str(page))
    assert shows(view, qtbot, "document.querySelectorAll('.leaflet-marker-icon').length > 3")
    for width in (600, 1100):
        view.resize(width, 500)
        assert shows(view, qtbot, SHOWS_ALL % width)
    assert view.refused == []
    view.retire()


def test_a_page_that_asks_outside_reaches_nothing(
    maps: None, qapp: QApplication, qtbot: QtBot, tmp_path: Path, outside: tuple[str, list[str]]
) -> None:
    address, asked = outside
    page = tmp_path / "spy.html"
    page.write_text(
        f"<html><body><p id='there'>here</p><img src='{address}/x.png'>"
        f"<script src='{address}/a.js'></script><iframe src='{address}/f.html'></iframe>"
        f"<script>fetch('{address}/fetched').catch(() => 0);"
        f"navigator.sendBeacon('{address}/beacon');</script>"
        "</body></html>",
        encoding="utf-8",
    )
    view = MapView("Map")
    qtbot.addWidget(view)
    view.show()
    view.show_file(str(page))
    assert shows(view, qtbot, "document.getElementById('there') !== null")
    # Last of all, for the page is gone after that.
    view._view.page().runJavaScript(f"location = '{address}/gone'")
    qtbot.wait(1500)
    assert asked == []
    view.retire()


def test_the_citys_own_map_lies_under_the_page_and_still_nothing_is_asked_outside(
    maps: None, qapp: QApplication, qtbot: QtBot, city: Path
) -> None:
    (page,) = (city.parent / "outputs").rglob("route map.html")
    view = MapView("Map")
    qtbot.addWidget(view)
    view.resize(1000, 500)
    view.show()
    view.show_file(str(page), Under(str(city_map(city.parent / "city.pmtiles"))))
    assert shows(view, qtbot, DRAWN)
    assert shows(view, qtbot, f"{CREDIT} === 'Protomaps © OpenStreetMap, drawn with Leaflet'")
    assert (view.refused, view._said.isVisible()) == ([], False)
    (city.parent / "city.pmtiles").write_text("torn")
    view.show_file(str(page), Under(str(city.parent / "city.pmtiles")))
    assert shows(view, qtbot, f"{CREDIT} === 'no basemap, drawn with Leaflet'")
    assert "city.pmtiles cannot be drawn" in view._said.text() and view._said.isVisible()
    view.retire()


def test_only_pictures_of_the_tile_server_that_the_planner_named_pass(
    maps: None, qapp: QApplication, qtbot: QtBot, tmp_path: Path, outside: tuple[str, list[str]]
) -> None:
    address, asked = outside
    page = tmp_path / "page.html"
    page.write_text(
        f"<html><body><p id='there'>here</p><img src='{address}/1/2/3.png'>"
        f"<img src='{address.replace('127.0.0.1', 'localhost')}/other.png'>"
        f"<script src='{address}/a.js'></script>"
        f"<script>fetch('{address}/fetched').catch(() => 0);</script></body></html>",
        encoding="utf-8",
    )
    view = MapView("Map")
    qtbot.addWidget(view)
    view.show()
    view.show_file(str(page), Under(tiles=address))
    assert shows(view, qtbot, "document.getElementById('there') !== null")
    qtbot.waitUntil(lambda: bool(asked), timeout=10_000)
    qtbot.wait(500)
    assert asked == ["/1/2/3.png"]
    view.retire()


def test_without_a_web_engine_the_file_is_named(
    qapp: QApplication, qtbot: QtBot, tmp_path: Path
) -> None:
    view = MapView("Map")
    qtbot.addWidget(view)
    view.show()
    view.show_file(str(tmp_path / "route map.html"))
    qtbot.waitUntil(lambda: "route map" in view._said.text(), timeout=5000)
    assert "route map.html" in view._said.text() and view._view is None
