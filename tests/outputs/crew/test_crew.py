"""What a worker takes along: complete, in order, and free of what only planners see."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree as Xml

import pytest

from fleetdesk.model.places import Parking, Point
from fleetdesk.outputs.crew.directions import MOST_POINTS, geo, legs
from fleetdesk.outputs.crew.drawing import paper, picture
from fleetdesk.outputs.crew.stops import CrewRoute, crew_route
from fleetdesk.outputs.crew.tracks import gpx, kml

GPX, KML = "{http://www.topografix.com/GPX/1/1}", "{http://www.opengis.net/kml/2.2}"


@pytest.fixture
def route(day) -> CrewRoute:
    van = day.vans[0]
    own = next(route for route in day.plan.routes if route.worker == van.worker)
    return crew_route(own, van.start, van.end, day.settings)


def of(route: CrewRoute, count: int) -> CrewRoute:
    """The same with this many stops."""
    first = route.stops[0]
    stops = [replace(first, number=n, at=Point(40.6, 22.9 + n / 1000)) for n in range(1, count + 1)]
    return replace(route, stops=tuple(stops))


def test_a_stop_says_where_when_and_what_and_nothing_of_money(day, route: CrewRoute) -> None:
    assert route.worker == "Ελένη"
    assert [stop.number for stop in route.stops] == list(range(1, len(route.stops) + 1))
    shown = " ".join(cell for stop in route.stops for cell in stop.cells) + route.summary
    assert "EUR" not in shown and "ROI" not in shown
    assert route.stops[0].arrive.startswith("09:"), "on the city's clock"
    assert all(task.task_id not in shown for task in day.tasks)


@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 8, 23])
def test_legs_overlap_and_cover_the_whole_way(route: CrewRoute, count: int) -> None:
    longer = of(route, count)
    walked: list[str] = []
    for leg in legs(longer):
        query = parse_qs(urlsplit(leg.url).query)
        between = query.get("waypoints", [""])[0].split("|") if "waypoints" in query else []
        points = [query["origin"][0], *between, query["destination"][0]]
        assert 2 <= len(points) <= MOST_POINTS
        if walked:
            assert points[0] == walked[-1]
        walked += points[1:] if walked else points
    every = [longer.start, *(stop.at for stop in longer.stops), longer.end]
    assert walked == [f"{point.lat:.6f},{point.lon:.6f}" for point in every]


def test_legs_are_named_by_their_stops(route: CrewRoute) -> None:
    assert [leg.label for leg in legs(of(route, 6))] == ["start to 4", "4 to end"]


def test_a_geo_link_names_the_stop(route: CrewRoute) -> None:
    link = geo(replace(route.stops[0], vehicle="TH 1 & 2"))
    assert link.startswith("geo:40.") and " " not in link and "&" not in link
    assert unquote(link).endswith(f"({route.stops[0].number} TH 1 & 2)")


def test_the_gpx_holds_every_stop_in_order(route: CrewRoute) -> None:
    root = Xml.fromstring(gpx(route))
    names = [point.findtext(f"{GPX}name") for point in root.findall(f"{GPX}wpt")]
    assert names == [f"{stop.number} {stop.vehicle}" for stop in route.stops]
    way = root.findall(f"{GPX}rte/{GPX}rtept")
    assert len(way) == len(route.stops) + 2
    assert [child.tag for child in way[1]] == [f"{GPX}name", f"{GPX}desc"], "the schema's order"
    assert gpx(route) == gpx(route)


def test_the_kml_holds_every_stop_and_the_way(route: CrewRoute) -> None:
    root = Xml.fromstring(kml(route))
    *marks, way = root.findall(f"{KML}Document/{KML}Placemark")
    assert len(marks) == len(route.stops)
    lon, lat = marks[0].findtext(f"{KML}Point/{KML}coordinates").split(",")
    assert (float(lat), float(lon)) == pytest.approx((route.stops[0].at.lat, route.stops[0].at.lon))
    line = way.findtext(f"{KML}LineString/{KML}coordinates").split()
    assert len(line) == len(route.stops) + 2


@pytest.mark.parametrize("write", [gpx, kml])
def test_names_with_markup_and_control_characters_do_no_harm(route: CrewRoute, write) -> None:
    odd = replace(route.stops[0], vehicle='<b>&"\x00\x0b', place="]]>")
    root = Xml.fromstring(write(replace(route, worker="<&>", stops=(odd,))))
    assert any('<b>&"' in (element.text or "") for element in root.iter())


@pytest.mark.parametrize(("count", "pages"), [(0, 1), (12, 1), (13, 2), (60, 3)])
def test_the_paper_has_a_page_for_every_stop(route: CrewRoute, count: int, pages: int) -> None:
    pdf = paper(of(route, count), ())
    assert pdf.startswith(b"%PDF") and len(re.findall(rb"/Type /Page\b", pdf)) == pages
    assert pdf == paper(of(route, count), ()), "nothing in it tells when it was made"


def test_the_picture_is_a_png_and_always_the_same(route: CrewRoute) -> None:
    beside = Point(route.stops[0].at.lat + 0.001, route.stops[0].at.lon)
    parkings = [Parking("P1", "near", beside)]
    png = picture(route, parkings)
    assert png.startswith(b"\x89PNG") and int.from_bytes(png[16:20], "big") == 1200
    assert png == picture(route, parkings)
    assert png != picture(route, ())
