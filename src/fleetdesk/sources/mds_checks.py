"""What the fields of MDS must look like: each check yields the faults of one value.

A check is a function of a value that returns faults as (path inside the value, what is wrong, the
value found). Nothing is decided here: what can be used in spite of a fault is for the reader of
the row.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard

Fault = tuple[str, str, Any]
Check = Callable[[Any], Iterable[Fault]]
MISSING = "missing"
CLAMPED = "above 1, taken as 100 %"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_SHARE = 1.2  # gauges overshoot; what is above is no share
_LARGEST = 2**53  # beyond it floats are no longer exact
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d")
_CURRENCY = re.compile(r"[A-Z]{3}")
_NONE: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class Fields:
    """The fields of an object: what must be there, what may be, and rules between them."""

    required: Mapping[str, Check]
    optional: Mapping[str, Check] = field(default_factory=dict)
    rules: tuple[Check, ...] = ()

    def __call__(self, value: Any) -> list[Fault]:
        """All faults of an object; unknown fields are none."""
        if not isinstance(value, dict):
            return [("", "not an object", value)]
        faults: list[Fault] = []
        for name, check in self.required.items():
            given = value.get(name, _absent)
            if given is _absent:
                faults.append((name, MISSING, None))
            elif found := check(given):
                faults += [(_join(name, path), what, shown) for path, what, shown in found]
        for name, check in self.optional.items():
            given = value.get(name)
            if given is not None and (found := check(given)):
                faults += [(_join(name, path), what, shown) for path, what, shown in found]
        for rule in self.rules:
            faults += rule(value)
        return faults


_absent = object()


def text(value: Any) -> Iterable[Fault]:
    """Any text."""
    return _NONE if isinstance(value, str) else [("", "not a text", value)]


def uuid(value: Any) -> Iterable[Fault]:
    """An id as the standard writes it."""
    if isinstance(value, str) and _UUID.fullmatch(value):
        return _NONE
    return [("", "not a UUID", value)]


def flag(value: Any) -> Iterable[Fault]:
    """True or false."""
    return _NONE if isinstance(value, bool) else [("", "not true or false", value)]


def number(value: Any) -> Iterable[Fault]:
    """Any finite number."""
    return _NONE if is_number(value) else [("", "not a number", value)]


def whole(value: Any) -> Iterable[Fault]:
    """A whole number."""
    return _NONE if is_whole(value) else [("", "not a whole number", value)]


def count(value: Any) -> Iterable[Fault]:
    """A whole number that is not negative."""
    return whole(value) or ([("", "negative", value)] if value < 0 else _NONE)


def millis(value: Any) -> Iterable[Fault]:
    """A time: whole milliseconds since 1970."""
    if not is_number(value):
        return [("", "not a time in milliseconds", value)]
    return _NONE if is_whole(value) else [("", "not whole milliseconds", value)]


def share(value: Any) -> Iterable[Fault]:
    """A battery up to MDS 1: 0 to 1, where gauges that overshoot are told."""
    if not is_number(value):
        return [("", "not a number", value)]
    if 0 <= value <= 1:
        return _NONE
    return [("", CLAMPED if 1 < value <= MOST_SHARE else "outside 0 to 1", value)]


def percent(value: Any) -> Iterable[Fault]:
    """A battery of MDS 2: whole, 0 to 100."""
    return whole(value) or (_NONE if 0 <= value <= 100 else [("", "outside 0 to 100", value)])


def currency(value: Any) -> Iterable[Fault]:
    """A code of ISO 4217."""
    if isinstance(value, str) and _CURRENCY.fullmatch(value):
        return _NONE
    return [("", "not a currency code of three capital letters", value)]


def thing(value: Any) -> Iterable[Fault]:
    """An object of no further interest."""
    return _NONE if isinstance(value, dict) else [("", "not an object", value)]


def clock(value: Any) -> Iterable[Fault]:
    """A time of day such as 23:59:59."""
    if isinstance(value, str) and _CLOCK.fullmatch(value):
        return _NONE
    return [("", "not a time of day", value)]


def one_of(*words: str) -> Check:
    """One of the words of an enumeration."""
    known = frozenset(words)

    def check(value: Any) -> Iterable[Fault]:
        if isinstance(value, str) and value in known:
            return _NONE
        return [("", "not a word of the standard", value)]

    return check


def some(check: Check, *, least: int = 1, most: int | None = None) -> Check:
    """A list whose every entry passes `check`."""

    def checked(value: Any) -> Iterable[Fault]:
        if not isinstance(value, list):
            return [("", "not a list", value)]
        if len(value) < least:
            return [("", "an empty list", value)]
        if most is not None and len(value) > most:
            return [("", "too long a list", value)]
        return [(path, what, shown) for entry in value for path, what, shown in check(entry)]

    return checked


def or_null(check: Check) -> Check:
    """A field that must be there but may be null."""
    return lambda value: _NONE if value is None else check(value)


def by_key(words: tuple[str, ...], check: Check) -> Check:
    """An object with some of these keys, each holding what passes `check`."""

    def checked(value: Any) -> Iterable[Fault]:
        if not isinstance(value, dict):
            return [("", "not an object", value)]
        return [
            (_join(name, path), what, shown)
            for name, given in value.items()
            for path, what, shown in (
                check(given) if name in words else [("", "not a word of the standard", name)]
            )
        ]

    return checked


def point(value: Any) -> Iterable[Fault]:
    """A GeoJSON Point: [longitude, latitude] in degrees."""
    faults = _GEOMETRY(value)
    if faults:
        return faults
    place = value["coordinates"]
    if len(place) < 2 or not all(is_number(part) for part in place):
        return [("coordinates", "not a longitude and a latitude", place)]
    if not on_earth(place[1], place[0]):
        return [("coordinates", "off the earth", place)]
    return _NONE


def route(value: Any) -> Iterable[Fault]:
    """A GeoJSON FeatureCollection of at least two points with their times."""
    faults = _COLLECTION(value)
    if faults:
        return faults
    features = value["features"]
    if len(features) < 2:
        return [("features", "fewer than two points", len(features))]
    if all(map(_plain, features)):
        return _NONE
    return next(
        [(_join(f"features[{place}]", path), what, shown) for path, what, shown in found]
        for place, found in enumerate(map(FEATURE, features))
        if found or place == len(features) - 1
    )


def _plain(feature: Any) -> bool:
    """Whether a point of a route is in order, told fast: there are many of them."""
    try:
        lon, lat = feature["geometry"]["coordinates"][:2]
        return (
            type(feature["properties"]["timestamp"]) is int
            and feature["type"] == "Feature"
            and feature["geometry"]["type"] == "Point"
            and -90 <= lat <= 90
            and -180 <= lon <= 180
        )
    except (TypeError, KeyError, ValueError, IndexError):
        return False


def is_number(value: Any) -> TypeGuard[float]:
    """Whether this is a number that a table can hold; true and false are none."""
    if type(value) is int:
        return -_LARGEST <= value <= _LARGEST
    return type(value) is float and math.isfinite(value)


def is_whole(value: Any) -> TypeGuard[float]:
    """Whether this is a whole number, written as 5 or as 5.0."""
    return is_number(value) and value == int(value) and abs(value) <= _LARGEST


def on_earth(lat: float, lon: float) -> bool:
    """Whether a position can be one."""
    return -90 <= lat <= 90 and -180 <= lon <= 180


def within(most: float) -> Check:
    """A number of degrees from -most to most."""

    def check(value: Any) -> Iterable[Fault]:
        return number(value) or (
            _NONE if -most <= value <= most else [("", "off the earth", value)]
        )

    return check


def _join(name: str, path: str) -> str:
    if not path:
        return name
    return f"{name}{path}" if path.startswith("[") else f"{name}.{path}"


_MEASURED: dict[str, Check] = dict.fromkeys(
    ("altitude", "heading", "speed", "accuracy", "hdop", "horizontal_accuracy",
     "vertical_accuracy"), number,
) | {"satellites": whole}  # fmt: skip
_GEOMETRY = Fields({"type": one_of("Point"), "coordinates": some(number, least=2)})
_COLLECTION = Fields({"type": one_of("FeatureCollection"), "features": some(thing)})
COLLECTION = Fields({"type": one_of("FeatureCollection"), "features": some(thing, least=0)})
FEATURE = Fields(
    {
        "type": one_of("Feature"),
        "properties": Fields({"timestamp": millis}, _MEASURED | {"stop_id": uuid}),
        "geometry": point,
    }
)
GPS = Fields({"lat": within(90), "lng": within(180)}, _MEASURED)
