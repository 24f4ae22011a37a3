"""What a value of a GBFS feed must look like; a check gives the faults below it, best none.

A fault is (path, what): the path is that below the checked value, such as `.rules[2].start`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

Fault = tuple[str, str]
Check = Callable[[Any], list[Fault]]
MISSING = "missing"
SHOWN = 40
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S*")
_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)"
)  # fmt: skip
_FIRST_POSIX = 1_450_155_600  # GBFS is no older
_LAST_POSIX = 4_102_444_800  # the year 2100
_MILLISECONDS_FROM = 10**11
_BIGGEST = 1e15


def fields(required: Mapping[str, Check], optional: Mapping[str, Check], *rules: Check) -> Check:
    """An object with these fields; others are nobody's concern. `rules` see it as a whole."""

    def check(value: Any) -> list[Fault]:
        if not isinstance(value, dict):
            return [("", _instead(value, "an object"))]
        faults = [(f".{name}", MISSING) for name in required if name not in value]
        for wanted in (required, optional):
            for name, inner in wanted.items():
                if name in value and (found := inner(value[name])):
                    faults += [(f".{name}{path}", what) for path, what in found]
        for rule in rules:
            faults += rule(value)
        return faults

    return check


def items(inner: Check, *, least: int = 0) -> Check:
    """A list of such values."""

    def check(value: Any) -> list[Fault]:
        if not isinstance(value, list):
            return [("", _instead(value, "a list"))]
        faults = [("", f"{len(value)} entries, at least {least} wanted")] * (len(value) < least)
        for place, entry in enumerate(value):
            if found := inner(entry):
                faults += [(f"[{place}]{path}", what) for path, what in found]
        return faults

    return check


def an_object(value: Any) -> list[Fault]:
    """An object with any fields."""
    return [] if isinstance(value, dict) else [("", _instead(value, "an object"))]


def a_list(value: Any) -> list[Fault]:
    """A list of anything."""
    return [] if isinstance(value, list) else [("", _instead(value, "a list"))]


def some_list(value: Any) -> list[Fault]:
    """A list that is not empty."""
    return a_list(value) or ([] if value else [("", "an empty list")])


def by_name(inner: Check) -> Check:
    """An object whose names are data, such as ids."""

    def check(value: Any) -> list[Fault]:
        if not isinstance(value, dict):
            return [("", _instead(value, "an object"))]
        return [(f".{name[:SHOWN]}{path}", what)
                for name, entry in value.items() for path, what in inner(entry)]  # fmt: skip

    return check


def text(value: Any) -> list[Fault]:
    """Any text."""
    return [] if isinstance(value, str) else [("", _instead(value, "a text"))]


def uri(value: Any) -> list[Fault]:
    """An address of any scheme."""
    return text(value) or ([] if _URI.fullmatch(value) else [("", _instead(value, "an address"))])


def one_of(*words: str) -> Check:
    """One of these words."""

    def check(value: Any) -> list[Fault]:
        if isinstance(value, str) and value in words:
            return []
        return [("", _instead(value, f"one of {', '.join(words)}"))]

    return check


def matching(pattern: str, name: str) -> Check:
    """A text of this form."""
    compiled = re.compile(pattern)

    def check(value: Any) -> list[Fault]:
        return text(value) or ([] if compiled.search(value) else [("", _instead(value, name))])

    return check


def number(least: float | None = None, most: float | None = None, *, whole: bool = False) -> Check:
    """A finite number within bounds."""
    wanted = "a whole number" if whole else "a number"

    def check(value: Any) -> list[Fault]:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return [("", _instead(value, wanted))]
        if not abs(value) < _BIGGEST:  # NaN is not either
            return [("", _instead(value, f"{wanted} that can be"))]
        if whole and value != int(value):
            return [("", _instead(value, wanted))]
        if least is not None and value < least:
            return [("", f"{value} is below {least:g}")]
        if most is not None and value > most:
            return [("", f"{value} is above {most:g}")]
        return []

    return check


def flag(value: Any) -> list[Fault]:
    """True or false."""
    return [] if isinstance(value, bool) else [("", _instead(value, "true or false"))]


def old_flag(value: Any) -> list[Fault]:
    """GBFS 1: 1 or 0, or true or false."""
    return [] if value in (0, 1) else [("", _instead(value, "1 or 0"))]


def posix(most: int = _LAST_POSIX) -> Check:
    """Seconds since 1970, as GBFS 1 and 2 have them."""
    whole = number(whole=True)

    def check(value: Any) -> list[Fault]:
        if whole(value):
            return [("", _instead(value, "seconds since 1970"))]
        if value >= _MILLISECONDS_FROM:
            return [("", _instead(value, "seconds since 1970, these look like milliseconds"))]
        if value < _FIRST_POSIX:
            return [("", f"{value} is before GBFS was")]
        return [] if value <= most else [("", f"{value} is after its version allows")]

    return check


def written_time(value: Any) -> list[Fault]:
    """RFC 3339 with a zone, as GBFS 3 has times."""
    if isinstance(value, str) and _RFC3339.fullmatch(value) and time_of(value) is not None:
        return []
    return [("", _instead(value, "a time such as 2024-05-01T12:00:00Z"))]


def day(value: Any) -> list[Fault]:
    """A date such as 2024-05-01."""
    try:
        date.fromisoformat(value)
    except (ValueError, TypeError):
        return [("", _instead(value, "a date such as 2024-05-01"))]
    return []


def timezone(value: Any) -> list[Fault]:
    """A name of the zone database."""
    known = isinstance(value, str) and value in _zones()
    return [] if known else [("", _instead(value, "a time zone such as Europe/Berlin"))]


language = matching(rf"^{_LANGUAGE.pattern}$", "a language such as en")
email = matching(r"^\S+@\S+$", "an e-mail address")


def localized(inner: Check = text) -> Check:
    """A text in several languages, as GBFS 3 has them."""
    return items(fields({"text": inner, "language": language}, {}))


def position(value: Any) -> list[Fault]:
    """[longitude, latitude, ...] of GeoJSON."""
    if not isinstance(value, list) or len(value) < 2:
        return [("", _instead(value, "longitude and latitude"))]
    return [(f"[{place}]{path}", what)
            for place, inner in enumerate((_LONGITUDE, _LATITUDE, _HEIGHT))
            if place < len(value) for path, what in inner(value[place])]  # fmt: skip


def time_of(value: Any) -> datetime | None:
    """A time in any form that feeds have, UTC-aware: seconds, milliseconds or RFC 3339."""
    try:
        if isinstance(value, str):
            found = datetime.fromisoformat(value.strip().replace("z", "Z"))
            return found.astimezone(UTC) if found.tzinfo else None
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        seconds = value / 1000 if value >= _MILLISECONDS_FROM else value
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _instead(value: Any, wanted: str) -> str:
    """`"x" instead of a number`: what was found, short enough to be shown."""
    if value is None:
        return f"null instead of {wanted}"
    if isinstance(value, dict | list):
        kind = "an object" if isinstance(value, dict) else "a list"
        return f"{kind} instead of {wanted}" if kind != wanted else f"not {wanted} that fits"
    if isinstance(value, bool):
        return f"{str(value).lower()} instead of {wanted}"
    if isinstance(value, int) and abs(value) >= _BIGGEST:
        return f"a number of {int(math.log10(abs(value))) + 1} digits instead of {wanted}"
    shown = repr(value[:SHOWN]) if isinstance(value, str) else repr(value)
    return f"{shown} instead of {wanted}"


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


_LATITUDE, _LONGITUDE, _HEIGHT = number(-90, 90), number(-180, 180), number()
ring = items(position, least=4)
multi_polygon = fields(
    {"type": one_of("MultiPolygon"), "coordinates": items(items(ring))}, {}
)  # fmt: skip
