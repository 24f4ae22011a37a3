"""A route as GPX and KML, for navigation devices and map programs.

Source: Topografix, GPX 1.1; OGC 12-007r2, KML 2.3.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from xml.etree import ElementTree as Xml

from fleetdesk.model.places import Point
from fleetdesk.model.plan import PauseKind
from fleetdesk.outputs.crew.stops import CrewRoute, CrewStop
from fleetdesk.outputs.crew.words import ENGLISH, Words

_GPX = "http://www.topografix.com/GPX/1/1"
_KML = "http://www.opengis.net/kml/2.2"


def gpx(route: CrewRoute, words: Words = ENGLISH) -> bytes:
    """Waypoints for the stops and one route through them and all reloads, from start to end."""
    root = Xml.Element("gpx", {"xmlns": _GPX, "version": "1.1", "creator": "FleetDesk"})
    Xml.SubElement(Xml.SubElement(root, "metadata"), "name").text = _clean(words.title(route))
    for stop in route.stops:
        point = _gpx_point(root, "wpt", stop.at, _name(stop))
        Xml.SubElement(point, "desc").text = _clean(_details(route, stop, words))
    way = Xml.SubElement(root, "rte")
    Xml.SubElement(way, "name").text = _clean(words.title(route))
    for name, at, details in _way(route, words):
        point = _gpx_point(way, "rtept", at, name)
        if details:
            Xml.SubElement(point, "desc").text = _clean(details)
    return _bytes(root)


def kml(route: CrewRoute, words: Words = ENGLISH) -> bytes:
    """A placemark for each stop and one line through them and all reloads, from start to end."""
    root = Xml.Element("kml", {"xmlns": _KML})
    document = Xml.SubElement(root, "Document")
    Xml.SubElement(document, "name").text = _clean(words.title(route))
    for stop in route.stops:
        mark = Xml.SubElement(document, "Placemark")
        Xml.SubElement(mark, "name").text = _clean(_name(stop))
        Xml.SubElement(mark, "description").text = _clean(_details(route, stop, words))
        when = Xml.SubElement(mark, "TimeStamp")
        moment = stop.arrive_at.astimezone(UTC)
        Xml.SubElement(when, "when").text = f"{moment:%Y-%m-%dT%H:%M:%SZ}"
        Xml.SubElement(Xml.SubElement(mark, "Point"), "coordinates").text = _lon_lat(stop.at)
    line = Xml.SubElement(document, "Placemark")
    Xml.SubElement(line, "name").text = _clean(words.route)
    way = Xml.SubElement(line, "LineString")
    Xml.SubElement(way, "tessellate").text = "1"
    Xml.SubElement(way, "coordinates").text = " ".join(
        _lon_lat(at) for _, at, _ in _way(route, words)
    )
    return _bytes(root)


def _way(route: CrewRoute, words: Words) -> Iterator[tuple[str, Point, str]]:
    """Name, position and details of each place in order; a reload is a way back to the depot."""
    reloads = [pause for pause in route.pauses if pause.kind is PauseKind.RELOAD]
    yield words.start, route.start, ""
    for number in range(len(route.stops) + 1):
        if number > 0:
            stop = route.stops[number - 1]
            yield _name(stop), stop.at, _details(route, stop, words)
        for reload in reloads:
            if reload.after_stop == number:
                yield words.pauses[PauseKind.RELOAD], reload.at, words.pause(route, reload)
    yield words.end, route.end, ""


def _gpx_point(parent: Xml.Element, tag: str, at: Point, name: str) -> Xml.Element:
    # Elements of a point stand in the schema's order: name, then desc.
    point = Xml.SubElement(parent, tag, {"lat": f"{at.lat:.6f}", "lon": f"{at.lon:.6f}"})
    Xml.SubElement(point, "name").text = _clean(name)
    return point


def _name(stop: CrewStop) -> str:
    return f"{stop.number} {stop.vehicle}"


def _details(route: CrewRoute, stop: CrewStop, words: Words) -> str:
    return f"{route.clock(stop.arrive_at)} {words.todo(stop)}, {stop.place}"


def _lon_lat(at: Point) -> str:
    return f"{at.lon:.6f},{at.lat:.6f}"


def _clean(text: str) -> str:
    """Without the control characters that XML cannot hold."""
    return "".join(letter for letter in text if letter.isprintable())


def _bytes(root: Xml.Element) -> bytes:
    Xml.indent(root)
    return bytes(Xml.tostring(root, encoding="utf-8", xml_declaration=True))
