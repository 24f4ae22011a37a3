"""The map page without a browser: nothing is fetched, nothing hostile gets through."""

from __future__ import annotations

import copy
import hashlib
import json
import re
from dataclasses import replace
from datetime import date

import folium
import numpy as np
import pytest

from fleetdesk.errors import FleetDeskError
from fleetdesk.model.fleet import CellDemand, NoParking
from fleetdesk.model.places import Point
from fleetdesk.outputs.ground import Ground, Tiles
from fleetdesk.outputs.map import MapCell, MapRoute, MapStop, MapView, map_view, route_map
from fleetdesk.outputs.map.data import (
    as_script_text,
    battery_colour,
    cell_colour,
    frame,
    roi_edges,
)
from fleetdesk.outputs.map.inline import inline, references
from fleetdesk.outputs.page_policy import POLICY
from fleetdesk.outputs.palette import contrast, palette, text_on
from fleetdesk.outputs.wording import number_ranges
from fleetdesk.resources import folder
from fleetdesk.routes.roads import Roads

HOSTILE = "</script><script>alert(1)</script>{{ 7 * 7 }}{% raw %}<!--\u2028"


def test_the_same_view_gives_the_same_bytes_and_the_page_fetches_nothing(day):
    first, second = route_map(view_of(day)), route_map(view_of(day))
    assert first == second
    assert references(first) == ()
    assert not re.search(r"""(?:src|href)\s*=\s*["']?\s*(?:https?:)?//""", first)
    assert "sourceMappingURL" not in first
    assert not re.search(r"""\bb'""", first.split("<body>")[1])


def test_skeleton(day):
    page = route_map(view_of(day))
    assert page.startswith("<!DOCTYPE html>")
    assert '<html lang="en">' in page
    assert "<title>Routes · Θεσσαλονίκη</title>" in page
    assert '<meta name="viewport"' in page
    assert "default-src 'none'" in page
    assert "Redistribution and use in source and binary forms" in page
    assert "Tue 2025-06-03 · 4 of 5 tasks planned · profit 19.64\u00a0EUR" in page
    body = page.split("<body>")[1]
    layers = re.findall(r"var feature_group_(\d+) = L\.featureGroup", body)
    assert len(layers) == 7
    assert len(set(layers)) == 7


def test_data_of_the_plan(day):
    data = data_of(route_map(view_of(day)))
    eleni, nikos = data["routes"]
    assert eleni["worker"] == "Ελένη"
    assert eleni["leaves"] == "09:00"
    first = eleni["places"][0]["stops"][0]
    assert first == {
        "n": 1, "do": "swap battery", "vehicle": "V1", "place": "sv8tqk", "at": "09:10",
        "from": 8, "to": 100, "load": 0, "left": 39,
        "why": "Battery 8 % is below the limit of 30 %", "adds": "4.50\u00a0EUR",
        "does": ["swap"], "mark": "",
    }  # fmt: skip
    assert nikos["places"][1]["stops"][0]["to"] == 64, "a vehicle only moved keeps its charge"
    assert nikos["places"][2]["stops"][0]["adds"] is None, "what a task adds is told once"
    assert data["dropped"][0]["help"] == "A worker who starts nearer"
    assert [p["n"] for p in data["parkings"]] == [0, 1]


def test_roads_are_steps_of_a_metre_around_the_stops(day):
    lat = np.array([40.63, 40.640001, 41.9, 40.63])
    lon = np.array([22.94, 22.95, 22.95, 22.945])
    line = np.array([0, 0, 1, 1])
    roads = Roads(lat, lon, line, np.array([0, 0, 3, 3], np.int8), "city.csv")
    page = route_map(replace(view_of(day), ground=Ground(roads)))
    data = data_of(page)
    assert data["roadsBy"] == "city.csv"
    assert [kind for kind, _ in data["roads"]] == [0, 3]
    ((main,), (service,)) = (lines for _, lines in data["roads"])
    assert main == [4063000, 2294000, 1000, 1000]
    assert service == [4190000, 2295000, -127000, -500], "up to the next point outside"
    assert POLICY in page and "Roads" in page
    plain = route_map(view_of(day))
    assert "roads" not in data_of(plain) and POLICY in plain


def test_the_browser_lets_pictures_come_from_the_one_tile_server(day):
    tiles = Tiles("https://{s}.tiles.example.org/{z}/{x}/{y}.png", HOSTILE)
    page = route_map(replace(view_of(day), ground=Ground(tiles=tiles)))
    assert "img-src data: https://*.tiles.example.org; " in page
    assert page.count("example.org") == 2, "and no tag names it"
    assert references(page) == ()
    assert data_of(page)["tiles"] == {"from": tiles.address, "by": HOSTILE}


def test_vehicles_are_told_by_their_idle_time(day):
    view = view_of(day)
    one = view.vehicles[0]
    hours = (None, 0.0, 12.0, 24.0, 48.0)
    told = replace(view, vehicles=tuple(replace(one, idle_h=h) for h in hours))
    vehicles = data_of(route_map(told))["vehicles"]
    assert [v["idle"] for v in vehicles] == list(hours)
    assert len({v["idleFill"] for v in vehicles}) == 5
    assert view.idle_bands == (12, 24, 48), "a quarter, half and all of what counts fully"


def test_cells_are_told_by_the_vehicles_they_lack(day):
    lacks = (-20.0, -2.0, 0.0, 2.0, 20.0)
    cells = ("sx0r4h", "sx0r4j", "sx0r4k", "sx0r4m", "sx0r4n")
    told = tuple(CellDemand(c, 20.0, 3, s) for c, s in zip(cells, lacks, strict=True))
    page = route_map(replace(view_of(day), demand=told))
    drawn = data_of(page)["demand"]
    assert [cell["short"] for cell in drawn] == list(lacks)
    assert len({cell["fill"] for cell in drawn}) == 3, "10 is the edge: 2 is near enough"
    assert "Demand less supply, by cell" in page
    assert "Demand less supply" not in route_map(view_of(day)).split('id="fleetdesk-data"')[0]


def test_inputs_stay_as_they_are(day):
    before = copy.deepcopy(day)
    route_map(view_of(day))
    assert day == before


def test_hostile_text_neither_ends_a_script_nor_runs_as_a_template(day):
    view = view_of(day)
    routes = tuple(replace(route, worker=HOSTILE) for route in view.routes)
    page = route_map(replace(view, title=HOSTILE, subtitle=HOSTILE, routes=routes))
    tame = route_map(view)
    assert page.count("<script") == tame.count("<script")
    assert page.count("</script") == tame.count("</script")
    assert "{{ 7 * 7 }}" in json.dumps(data_of(page))
    assert "49{" not in page


def test_two_workers_of_one_name_keep_a_layer_each(day):
    view = view_of(day)
    twins = tuple(replace(route, worker="Ana", colour="#0072B2") for route in view.routes)
    page = route_map(replace(view, routes=twins))
    assert "Ana (2)" in page


def test_an_empty_day_still_opens():
    page = route_map(MapView("Routes", "no plan", "EUR", Point(40.6, 22.9)))
    assert "No routes: no task is planned." in page
    assert references(page) == ()
    assert frame(MapView("", "", "EUR", Point(0, 0))) is None


def test_two_thousand_stops_stay_small():
    why = "Battery 12 % is below 30 %; stands 140 m outside Αριστοτέλους (limit 100 m)"
    routes = tuple(
        MapRoute(
            f"Worker {w}", "#0072B2",
            tuple(
                MapStop(n, "swap battery", f"TH-{w}-{n}", Point(40.6 + n / 1e4, 22.9 + w / 1e3),
                        "cell sx0r3k", "09:00", 12.0, 100.0, 0, 40, why, 3.2)
                for n in range(100)
            ),
            None, None, "08:00", "16:00", 1, 1, 1.0,
        )
        for w in range(20)
    )  # fmt: skip
    page = route_map(MapView("Routes", "", "EUR", Point(40.6, 22.9), routes=routes))
    assert len(page.encode()) < 5_000_000


@pytest.mark.parametrize(
    "page",
    [
        '<script src="https://cdn.example/leaflet.js"></script>',
        '<link rel="stylesheet" href="https://cdn.example/a.css"/>',
        '<script src="vendor/missing.js"></script>',
        '<script src="../pyproject.toml"></script>',
        '<img src="//cdn.example/a.png">',
        "<style>a{background:url(http://cdn.example/a.png)}</style>",
        '<p style="background:url(pixel.png)">',
        '<a href="https://example.org">out</a>',
    ],
)
def test_what_is_not_shipped_is_refused_in_a_sentence(page):
    with pytest.raises(FleetDeskError) as refused:
        inline(page, folder("ui"))
    assert "must open without a network" in str(refused.value)


def test_folium_alone_is_refused():
    with pytest.raises(FleetDeskError, match="not shipped"):
        inline(folium.Map(tiles=None).get_root().render(), folder("ui"))


@pytest.mark.parametrize("name", ["leaflet", "protomaps-leaflet"])
def test_vendored_files_are_as_they_came(name):
    home = folder("ui") / "vendor" / name
    sums = dict(
        reversed(line.split()) for line in (home / "SHA256SUMS").read_text().splitlines() if line
    )
    assert set(sums) == {
        path.relative_to(home).as_posix()
        for path in home.rglob("*")
        if path.is_file() and path.name not in ("SHA256SUMS", "LICENSES-of-parts.txt")
    }
    for name, digest in sums.items():
        assert hashlib.sha256((home / name).read_bytes()).hexdigest() == digest, name


def test_json_cannot_end_a_script_and_reads_back():
    text = as_script_text({"a": HOSTILE})
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == {"a": HOSTILE}


@pytest.mark.parametrize(
    ("numbers", "text"),
    [([3], "3"), ([3, 4, 5], "3–5"), ([3, 7, 8], "3, 7–8"), ([1, 3], "1, 3"), ([], "")],
)
def test_number_ranges(numbers, text):
    assert number_ranges(numbers) == text


def test_roi_classes_are_round_and_few():
    cells = [MapCell("sv8tqk", roi, 1) for roi in (-3.0, 0.5, 11.0, 37.0)]
    edges = roi_edges(cells)
    assert edges == (0, 10, 20, 30)
    colours = palette()
    assert cell_colour(-3.0, edges, colours) == colours.below
    assert [cell_colour(roi, edges, colours) for roi in (0.5, 11.0, 37.0)] == [
        colours.steps[0], colours.steps[1], colours.steps[3],
    ]  # fmt: skip
    assert roi_edges([MapCell("sv8tqk", -1.0, 1)]) == (0.0,)


def test_battery_colours_follow_the_bands():
    colours = palette()
    bands = (10.0, 30.0, 60.0)
    found = [battery_colour(pct, bands, colours) for pct in (0, 10, 29.9, 30, 60, 100)]
    assert found == [colours.battery[i] for i in (0, 1, 1, 2, 3, 3)]
    assert battery_colour(None, bands, colours) == colours.quiet


def test_numbers_on_pins_are_readable_and_colours_differ():
    colours = palette()
    for colour in colours.categories:
        assert contrast(text_on(colour), colour) >= 4.5
    assert len(set(colours.categories)) == len(colours.categories)
    assert colours.category(0) == colours.category(len(colours.categories))
    assert [colours.repeats(i) for i in (0, 5, 6)] == [0, 0, 1]
    assert contrast(colours.quiet, colours.ground) >= 4.5


def test_zones_are_drawn_with_their_holes_and_named_in_the_legend(day) -> None:
    outer, hole = ((Point(40.6, 22.9), Point(40.6, 22.96), Point(40.66, 22.93)) for _ in range(2))
    page = route_map(replace(view_of(day), no_parking=(NoParking("Old <town>", ((outer, hole),)),)))
    ring = [[40.6, 22.9], [40.6, 22.96], [40.66, 22.93]]
    assert data_of(page)["zones"] == [{"name": "Old <town>", "polygons": [[ring, ring]]}]
    assert page.count("Zone where no vehicle may stand") == 1
    assert "Zone where no vehicle may stand" not in route_map(view_of(day))


def view_of(day) -> MapView:
    return map_view(
        day.plan, day.tasks, day.settings, date(2025, 6, 3), rois=day.rois, vans=day.vans,
        fleet=day.fleet,
    )  # fmt: skip


def data_of(page: str):
    block = re.search(r'id="fleetdesk-data">(.*?)</script>', page, re.DOTALL)
    return json.loads(block[1])
