"""What a worker takes along: complete, in order, and free of what only planners see."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import get_args
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree as Xml

import numpy as np
import pytest

from fleetdesk.errors import FleetDeskError
from fleetdesk.model.places import Parking, Point
from fleetdesk.model.plan import Action, PauseKind
from fleetdesk.model.work import TaskKind
from fleetdesk.outputs.crew.directions import MOST_POINTS, geo, legs
from fleetdesk.outputs.crew.drawing import paper, picture
from fleetdesk.outputs.crew.kept import from_json, to_json
from fleetdesk.outputs.crew.lists import stop_table, stop_text
from fleetdesk.outputs.crew.map_words import MAP_WORDS
from fleetdesk.outputs.crew.stops import CrewPause, CrewRoute, crew_route
from fleetdesk.outputs.crew.tracks import gpx, kml
from fleetdesk.outputs.crew.words import ENGLISH, words_of
from fleetdesk.outputs.ground import Ground
from fleetdesk.outputs.map import crew_map, route_map
from fleetdesk.resources import folder
from fleetdesk.routes.roads import Roads
from fleetdesk.settings.mail_sheet import Language

GPX, KML = "{http://www.topografix.com/GPX/1/1}", "{http://www.opengis.net/kml/2.2}"


@pytest.fixture
def route(day) -> CrewRoute:
    van = day.vans[0]
    own = next(route for route in day.plan.routes if route.worker == van.worker)
    return crew_route(own, van, {task.task_id: task for task in day.tasks}, day.settings)


def of(route: CrewRoute, count: int) -> CrewRoute:
    """The same with this many stops."""
    first = route.stops[0]
    stops = [replace(first, number=n, at=Point(40.6, 22.9 + n / 1000)) for n in range(1, count + 1)]
    return replace(route, stops=tuple(stops))


def test_a_stop_says_where_when_and_what_and_nothing_of_money(day, route: CrewRoute) -> None:
    assert route.worker == "Ελένη"
    assert [stop.number for stop in route.stops] == list(range(1, len(route.stops) + 1))
    shown = stop_text(route) + stop_table(route)
    assert "EUR" not in shown and "ROI" not in shown
    assert ENGLISH.cells(route, route.stops[0])[1].startswith("09:"), "on the city's clock"
    assert all(task.task_id not in shown for task in day.tasks)


def test_the_work_is_told_in_its_order_and_in_three_languages(route: CrewRoute) -> None:
    first, second, third = route.stops
    kinds = (TaskKind.SWAP_BATTERY, TaskKind.INSPECT, TaskKind.MOVE)
    whole = replace(second, kinds=kinds, must=True)
    assert ENGLISH.todo(whole) == "swap battery, inspect, pick up (must be done)"
    assert words_of("Greek").todo(whole) == "αλλαγή μπαταρίας, έλεγχος, παραλαβή (υποχρεωτικό)"
    assert words_of("German").todo(first) == "Akku tauschen"
    assert ENGLISH.todo(third) == "drop off"
    unknown = replace(first, kinds=(), action=Action.SWAP_AND_PICK_UP)
    assert ENGLISH.todo(unknown) == "swap battery, pick up"
    assert words_of("Greek").title(route) == "Ελένη, Τρίτη 3 Ιουνίου 2025"


@pytest.mark.parametrize("language", get_args(Language))
def test_every_language_has_words_for_everything(language: str) -> None:
    words = words_of(language)
    assert set(words.kinds) == set(TaskKind) and set(words.pauses) == set(PauseKind)
    assert len(words.headers) == len(ENGLISH.headers)
    assert len(set(words.weekdays)) == 7 and len(set(words.months)) == 12


def test_pay_is_the_workers_own_and_summed_once_per_task(day) -> None:
    van, own = day.vans[0], day.plan.routes[0]
    tasks = {task.task_id: task for task in day.tasks}
    route = crew_route(own, van, tasks, day.settings, {"T1": 2.5, "T4": 3.0, "T9": 99.0})
    assert route.pay == 5.5
    assert ENGLISH.summary(route).endswith("pay 5.50 EUR")
    assert [ENGLISH.cells(route, stop)[-1] for stop in route.stops] == ["2.50", "3.00", ""]
    assert ENGLISH.heads(route)[-1] == "Pay (EUR)"


def test_breaks_and_reloads_stand_between_the_stops(route: CrewRoute) -> None:
    def pause(kind: PauseKind, after: int) -> CrewPause:
        end = route.starts_at + timedelta(minutes=30)
        return CrewPause(kind, route.starts_at, end, after, route.start)

    pauses = (pause(PauseKind.RELOAD, 0), pause(PauseKind.BREAK, 2))
    paused = replace(route, pauses=pauses)
    lines = stop_text(paused).splitlines()
    assert lines[3].startswith("-- load charged batteries, 09:00 to 09:30")
    assert lines.index("-- break, 09:00 to 09:30") > next(
        number for number, line in enumerate(lines) if line.startswith("2. ")
    )
    later = replace(paused, pauses=(pause(PauseKind.RELOAD, 1),))
    depot = f"%7C{route.start.lat:.6f},{route.start.lon:.6f}%7C"
    assert depot in legs(later)[0].url and depot not in legs(route)[0].url
    assert from_json(to_json([paused])) == (paused,)


def test_what_is_kept_comes_back_and_what_is_damaged_is_said(route: CrewRoute) -> None:
    paid = replace(route, stops=tuple(replace(stop, pay=1.5) for stop in route.stops))
    assert from_json(to_json([route, paid])) == (route, paid)
    for damaged in ("", "{}", '{"form": 2, "routes": []}', '{"form": 1, "routes": [{}]}'):
        with pytest.raises(FleetDeskError, match="cannot be read"):
            from_json(damaged)


def test_formulas_in_names_are_texts_in_the_table(route: CrewRoute) -> None:
    odd = replace(route.stops[0], vehicle="=1+1")
    assert "'=1+1" in stop_table(replace(route, stops=(odd,)))


def test_places_that_follow_each_other_are_one_point_of_the_way(route: CrewRoute) -> None:
    same = tuple(replace(stop, at=route.stops[0].at) for stop in of(route, 9).stops)
    (leg,) = legs(replace(route, stops=same))
    assert leg.url.count("%7C") == 0, "one waypoint"


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


def test_who_follows_a_track_comes_to_the_depot_for_batteries(route: CrewRoute) -> None:
    at = Point(route.start.lat + 0.05, route.start.lon)
    times = (route.starts_at, route.starts_at + timedelta(minutes=15))
    pauses = (CrewPause(PauseKind.RELOAD, *times, 1, at), CrewPause(PauseKind.BREAK, *times, 1, at))
    paused = replace(route, pauses=pauses)
    way = Xml.fromstring(gpx(paused)).findall(f"{GPX}rte/{GPX}rtept")
    assert len(way) == len(route.stops) + 3
    assert way[2].findtext(f"{GPX}name") == "load charged batteries"
    assert float(way[2].get("lat", 0)) == pytest.approx(at.lat)
    line = Xml.fromstring(kml(paused)).findtext(f".//{KML}LineString/{KML}coordinates").split()
    assert len(line) == len(route.stops) + 3
    assert line[2] == f"{at.lon:.6f},{at.lat:.6f}"


@pytest.mark.parametrize("write", [gpx, kml])
def test_names_with_markup_and_control_characters_do_no_harm(route: CrewRoute, write) -> None:
    odd = replace(route.stops[0], vehicle='<b>&"\x00\x0b', place="]]>")
    root = Xml.fromstring(write(replace(route, worker="<&>", stops=(odd,))))
    assert any('<b>&"' in (element.text or "") for element in root.iter())


@pytest.mark.parametrize(("count", "pages"), [(0, 1), (9, 1), (60, 3)])
def test_the_paper_has_a_page_for_every_stop(route: CrewRoute, count: int, pages: int) -> None:
    pdf = paper(of(route, count), ())
    assert pdf.startswith(b"%PDF") and len(re.findall(rb"/Type /Page\b", pdf)) == pages
    assert pdf == paper(of(route, count), ()), "nothing in it tells when it was made"


def test_long_texts_are_wrapped_and_none_is_cut(route: CrewRoute) -> None:
    kinds = (TaskKind.SWAP_BATTERY, TaskKind.INSPECT, TaskKind.SERVICE, TaskKind.MOVE)
    stops = tuple(
        replace(s, kinds=kinds, must=True, place="Long " * 9) for s in of(route, 30).stops
    )
    pdf = paper(replace(route, stops=stops), ())
    assert len(re.findall(rb"/Type /Page\b", pdf)) > 2


def test_the_picture_is_a_png_and_always_the_same(route: CrewRoute) -> None:
    beside = Point(route.stops[0].at.lat + 0.001, route.stops[0].at.lon)
    parkings = [Parking("P1", "near", beside)]
    png = picture(route, parkings)
    assert png.startswith(b"\x89PNG") and int.from_bytes(png[16:20], "big") == 960
    assert png == picture(route, parkings)
    assert png != picture(route, ())


def test_names_that_look_like_formulas_are_set_as_they_are(route: CrewRoute) -> None:
    odd = replace(route.stops[0], place="2$ of 3$", vehicle="$x^{$")
    named = replace(route, worker="A $x^{$", city="a_b^$c$", stops=(odd, *route.stops[1:]))
    assert picture(named, ()).startswith(b"\x89PNG") and paper(named, ()).startswith(b"%PDF")


def test_roads_lie_under_picture_and_paper(route: CrewRoute) -> None:
    at = route.stops[0].at
    roads = Roads(
        np.array([at.lat, at.lat + 0.001]), np.array([at.lon, at.lon]), np.zeros(2, np.int64),
        np.zeros(2, np.int8), "© OpenStreetMap",
    )  # fmt: skip
    ground = Ground(roads)
    assert picture(route, ()) != picture(route, (), ENGLISH, ground)
    assert picture(route, (), ENGLISH, ground) == picture(route, (), ENGLISH, ground)
    pdf = paper(route, (), ENGLISH, ground)
    assert len(re.findall(rb"/Subtype /Image\b", pdf)) == 2, (
        "all roads are one picture and its mask"
    )
    assert pdf == paper(route, (), ENGLISH, ground)


def test_the_workers_map_speaks_one_language() -> None:
    drawing = (folder("ui") / "map" / "route_map.js").read_text(encoding="utf-8")
    asked = set(re.findall(r'say\("([^"]+)"', drawing)) | {"vehicle", "vehicles", "battery"}
    assert len(asked) > 10
    for language in get_args(Language):
        words = words_of(language)
        if words.code == "en":
            continue
        known = MAP_WORDS[words.code]
        assert asked <= set(known)
        assert all(text.count("{}") == said.count("{}") for text, said in known.items())
        assert known.keys() == MAP_WORDS["el"].keys()


def test_no_english_word_is_left_on_a_greek_map(day) -> None:
    own = crew_route(
        day.plan.routes[0], day.vans[0], {task.task_id: task for task in day.tasks}, day.settings
    )
    page = route_map(crew_map(own, (), words_of("Greek")))
    aside = page[page.index('<aside id="panel">') : page.index("</aside>")]
    assert '<html lang="el">' in page and "Σύμβολα" in aside
    for english in ("Signs", "Routes", "Swap the battery", "Where a van", "Lines join", " stops"):
        assert english not in aside
