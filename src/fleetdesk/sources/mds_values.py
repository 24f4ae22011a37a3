"""Single values of MDS records: ids, times, positions, batteries; what is wrong is told by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from fleetdesk.model.places import Point
from fleetdesk.sources.mds_checks import MISSING, MOST_SHARE, is_number, is_whole, on_earth

Row = dict[str, Any]
OLDEST_MS = 1_262_304_000_000  # 2010: shared scooters came later, and seconds end up before
_IDS = UUID("5f3c0a52-6a0f-5d83-9d5b-0f4d0f1f7a44")  # for ids that are made up from content
_UUID_LENGTH = 36


class Unusable(Exception):
    """Why a record cannot be a row: the field, what is wrong with it, and the value found."""

    def __init__(self, path: str, what: str, shown: Any = None) -> None:
        super().__init__(path, what)
        self.path, self.what, self.shown = path, what, shown


@dataclass(frozen=True)
class Door:
    """What is known before the first record.

    `latest_ms` bounds what is believed to be a time; `currency` is the city's, "" when it is not
    known; `voltage_v` turns mAh into Wh.
    """

    latest_ms: int
    currency: str = ""
    voltage_v: float | None = None


def vehicle_id_of(value: Mapping[str, Any], path: str = "device_id") -> str:
    """The device, which never changes; where it is missing, what is written on the vehicle."""
    for name in ("device_id", "vehicle_id"):
        if found := id_of(value.get(name)):
            return found
    raise Unusable(path, MISSING)


def id_of(given: Any, *content: Any) -> str:
    """An id as text, UUIDs in small letters; one made from the content when none is given."""
    told = plain(given).strip()
    if told:
        return told.lower() if len(told) == _UUID_LENGTH else told
    return str(uuid5(_IDS, "|".join(map(str, content)))) if content else ""


def plain(given: Any) -> str:
    """A text as every store can keep it, "" for what is none: JSON allows halves of characters."""
    if not isinstance(given, str):
        return ""
    return given.encode("utf-8", "replace").decode().replace("\0", "")


def time_ms(value: Mapping[str, Any], path: str, door: Door) -> int:
    """Milliseconds since 1970, rounded where the record gives parts of them."""
    given = found_at(value, path)
    if not is_number(given):
        raise Unusable(path, MISSING if given is None else "not a time in milliseconds", given)
    if given < OLDEST_MS:
        raise Unusable(path, "a time before 2010 (are these seconds?)", given)
    if given > door.latest_ms:
        raise Unusable(path, "a time in the future", given)
    return round(given)


def gps(value: Mapping[str, Any], path: str) -> Point:
    """A position written as lat and lng."""
    given = found_at(value, path)
    if not isinstance(given, dict):
        raise Unusable(path, MISSING if given is None else "not an object", given)
    return _position(given.get("lat"), given.get("lng"), path)


def feature(value: Mapping[str, Any], path: str) -> Point:
    """A position written as a GeoJSON Feature."""
    place = _coordinates(found_at(value, path))
    if place is None:
        raise Unusable(path, "no coordinates", found_at(value, path))
    return _position(place[1], place[0], path)


def route_points(value: Mapping[str, Any]) -> list[Point]:
    """The points of a route that have coordinates, in their order: the ends are start and end."""
    given = found_at(value, "route.features")
    points = list(_points(given if isinstance(given, list) else []))
    if not points:
        raise Unusable("route", "no point with coordinates", None)
    return points


def _points(features: list[Any]) -> Iterator[Point]:
    for feature in features:
        place = _coordinates(feature)
        if place and on_earth(place[1], place[0]) and (place[0] or place[1]):
            yield Point(float(place[1]), float(place[0]))


def _coordinates(feature: Any) -> list[Any] | None:
    place = found_at(feature, "geometry.coordinates")
    if isinstance(place, list) and len(place) >= 2 and all(map(is_number, place[:2])):
        return place
    return None


def _position(lat: Any, lon: Any, path: str) -> Point:
    if not (is_number(lat) and is_number(lon)):
        raise Unusable(path, "no coordinates", [lat, lon])
    if not on_earth(lat, lon):
        raise Unusable(path, "off the earth", [lat, lon])
    if lat == 0 and lon == 0:
        raise Unusable(path, "at 0, 0", [lat, lon])
    return Point(float(lat), float(lon))


def found_at(value: Any, path: str) -> Any:
    """What stands at `a.b.c` inside objects, or None."""
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def share_pct(given: Any) -> float | None:
    """Battery of 0 to 1 in percent; gauges that overshoot a little mean full."""
    if is_number(given) and 0 <= given <= MOST_SHARE:
        return min(100.0, 100.0 * given)
    return None


def percent_pct(given: Any) -> float | None:
    """Battery of 0 to 100; a part of a percent is no such number, but a share by mistake."""
    return float(given) if is_whole(given) and 0 <= given <= 100 else None
