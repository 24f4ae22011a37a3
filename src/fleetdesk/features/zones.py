"""Which rule of the table ZONES holds for a point: rings, times of day and the order of rules.

A point is inside a polygon when a line from it crosses the polygon's rings an odd number of times
(even-odd rule; Shimrat 1962, CACM 5:8), so that rings inside rings are holes. Polygons of one
outline add up. Degrees are taken as a plane, which is right for zones of a city's size.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any, Literal
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Floats = npt.NDArray[np.float64]
Polygon = tuple[Floats, ...]
Matter = Literal[
    "ride_start_allowed", "parking_allowed", "ride_through_allowed", "stations_only",
    "speed_limit_kmh",
]  # fmt: skip
NO_RULE = -1
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CORNERS = 3  # fewer make no ring


def forbidden(
    zones: pa.Table,
    matter: Literal["ride_start_allowed", "parking_allowed", "ride_through_allowed"],
    lat: npt.ArrayLike,
    lon: npt.ArrayLike,
    *,
    at: datetime,
    timezone: str,
    kinds: Sequence[str | None] | None = None,
) -> npt.NDArray[np.bool_]:
    """Which points a rule forbids the matter at; arguments as in `deciding`."""
    rows = deciding(zones, matter, lat, lon, at=at, timezone=timezone, kinds=kinds)
    told = np.array([value is False for value in zones.column(matter).to_pylist()] + [False])
    return np.asarray(told[rows])


def deciding(
    zones: pa.Table,
    matter: Matter,
    lat: npt.ArrayLike,
    lon: npt.ArrayLike,
    *,
    at: datetime,
    timezone: str,
    kinds: Sequence[str | None] | None = None,
) -> npt.NDArray[np.int64]:
    """The row of ZONES whose rule decides the matter at each point; NO_RULE where none speaks.

    Points are degrees of one shape (1-D), `at` is UTC-aware, `timezone` the city's (IANA); `kinds`
    are the points' vehicle types, None where one is not known: all rules then count. Within a
    ruleset the rule of the lowest rank decides, of several rulesets the strictest. ValueError for
    an outline that cannot be read.
    """
    lats, lons = (np.asarray(values, np.float64).ravel() for values in (lat, lon))
    if lats.shape != lons.shape:
        raise ValueError(f"{lats.size} latitudes but {lons.size} longitudes")
    found = np.full(len(lats), NO_RULE, np.int64)
    strictness = np.full(len(lats), -np.inf)
    for ruleset in _rulesets(zones, matter, at, timezone):
        open_ = np.ones(len(lats), bool)
        for rule in ruleset:
            here = open_ & _is_for(rule.kinds, kinds, len(lats))
            here[here] = _covers(rule.outline, lats[here], lons[here])
            open_ &= ~here
            stricter = here & (rule.strictness > strictness)
            found[stricter] = rule.row
            strictness[stricter] = rule.strictness
    return found


def closed(zones: pa.Table, *, at: datetime, timezone: str) -> list[tuple[str, list[Polygon]]]:
    """Name and polygons of each zone where a rule forbids vehicles to stand, as in `forbidden`.

    What another rule opens again within them is not cut out; rules for everywhere are left out.
    """
    rows = zones.select(["name", "parking_allowed"]).to_pylist()
    return [
        (rows[rule.row]["name"], polygons_of(rule.outline))
        for ruleset in _rulesets(zones, "parking_allowed", at, timezone)
        for rule in ruleset
        if rule.outline is not None and rows[rule.row]["parking_allowed"] is False
    ]


def polygons_of(outline: str) -> list[Polygon]:
    """The polygons of a GeoJSON Polygon or MultiPolygon: rings of (lon, lat), the first the outer.

    ValueError says what is wrong with it.
    """
    try:
        value = json.loads(outline)
        kind, given = value["type"], value["coordinates"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise ValueError("not a GeoJSON geometry") from None
    if kind not in ("Polygon", "MultiPolygon") or not isinstance(given, list):
        raise ValueError(f"{str(kind)[:20]} instead of Polygon or MultiPolygon")
    listed = [given] if kind == "Polygon" else given
    if not listed:
        raise ValueError("no polygon")
    return [_polygon(rings) for rings in listed]


def inside(polygons: Sequence[Polygon], lat: Floats, lon: Floats) -> npt.NDArray[np.bool_]:
    """Which points (degrees, 1-D) are inside any polygon; NaN is nowhere."""
    found = np.zeros(len(lat), bool)
    for rings in polygons:
        west, south = rings[0].min(axis=0)
        east, north = rings[0].max(axis=0)
        near = np.flatnonzero((lat >= south) & (lat <= north) & (lon >= west) & (lon <= east))
        odd = np.zeros(len(near), bool)
        for ring in rings:
            odd ^= _crossings_odd(ring, lat[near], lon[near])
        found[near] |= odd
    return found


@dataclass(frozen=True)
class _Rule:
    row: int
    kinds: frozenset[str]
    outline: str | None
    strictness: float


def _rulesets(
    zones: pa.Table, matter: Matter, at: datetime, timezone: str
) -> Iterator[list[_Rule]]:
    """The rules that speak of the matter at this time, by ruleset, in the order they count in."""
    now = at.astimezone(UTC).replace(tzinfo=None)
    local = at.astimezone(ZoneInfo(timezone))
    by_name: dict[str, list[tuple[int, _Rule]]] = {}
    for row, told in enumerate(zones.to_pylist()):
        value = told[matter]
        if value is not None and _holds(told, now, local):
            kinds = frozenset((told["vehicle_types"] or "").split("+")) - {""}
            rule = _Rule(row, kinds, told["outline"], _strictness(matter, value))
            by_name.setdefault(told["ruleset"], []).append((told["rank"], rule))
    for name in sorted(by_name):
        yield [rule for _, rule in sorted(by_name[name], key=lambda entry: entry[0])]


def _holds(rule: dict[str, Any], now: datetime, local: datetime) -> bool:
    """Whether a rule is in force; a span of the day may go over midnight."""
    starts, ends = rule["valid_from"], rule["valid_to"]
    if (starts is not None and now < starts) or (ends is not None and now >= ends):
        return False
    days = rule["days"]
    if days and _WEEKDAYS[local.weekday()] not in days.split("+"):
        return False
    first = time.fromisoformat(rule["from_time"] or "00:00:00")
    last = time.fromisoformat(rule["to_time"] or "23:59:59")
    clock = local.time().replace(microsecond=0)
    return first <= clock <= last if first <= last else clock >= first or clock <= last


def _strictness(matter: Matter, value: Any) -> float:
    if matter == "speed_limit_kmh":
        return -float(value)
    return float(value) if matter == "stations_only" else float(not value)


def _is_for(
    wanted: frozenset[str], kinds: Sequence[str | None] | None, count: int
) -> npt.NDArray[np.bool_]:
    if not wanted or kinds is None:
        return np.ones(count, bool)
    return np.array([kind is None or kind in wanted for kind in kinds], bool)


def _covers(outline: str | None, lat: Floats, lon: Floats) -> npt.NDArray[np.bool_]:
    if outline is None:
        return np.ones(len(lat), bool)
    return inside(polygons_of(outline), lat, lon)


def _polygon(rings: Any) -> Polygon:
    if not isinstance(rings, list) or not rings:
        raise ValueError("a polygon without a ring")
    return tuple(_ring(ring) for ring in rings)


def _ring(corners: Any) -> Floats:
    try:
        ring = np.array([corner[:2] for corner in corners], np.float64)
    except (ValueError, TypeError, IndexError):
        raise ValueError("a ring with a corner that is no longitude and latitude") from None
    if ring.ndim != 2 or ring.shape[1:] != (2,) or len(np.unique(ring, axis=0)) < _CORNERS:
        raise ValueError("a ring of fewer than three corners")
    if not (np.abs(ring) <= (180, 90)).all():
        raise ValueError("a corner off the earth")
    return ring


def _crossings_odd(ring: Floats, lat: Floats, lon: Floats) -> npt.NDArray[np.bool_]:
    """Whether a line to the east of each point crosses the ring an odd number of times.

    A side counts its lower end and not its upper one, so that a corner counts once.
    """
    odd = np.zeros(len(lat), bool)
    for (lon_a, lat_a), (lon_b, lat_b) in zip(ring, np.roll(ring, -1, axis=0), strict=True):
        if lat_a == lat_b:
            continue
        spans = (lat_a <= lat) != (lat_b <= lat)
        odd ^= spans & (lon < lon_a + (lat - lat_a) / (lat_b - lat_a) * (lon_b - lon_a))
    return odd
