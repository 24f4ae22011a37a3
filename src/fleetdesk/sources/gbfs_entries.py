"""Entries of GBFS feeds, with the field names of both generations, as plain values.

What the canonical tables need and cannot be read drops the entry; any other faulty field is taken
as absent. Both are counted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from fleetdesk.features.cells import geohash_many
from fleetdesk.model.places import EARTH_RADIUS_M
from fleetdesk.model.tables import PARKINGS
from fleetdesk.sources.base import schema_of
from fleetdesk.sources.gbfs_checks import MISSING, Fault, time_of
from fleetdesk.sources.gbfs_document import Account, Document, checked, said

LONGEST_RANGE_M = 1_000_000.0
DEFAULT_RADIUS_M, LONGEST_RADIUS_M = 30.0, 300.0
DEFAULT_CAPACITY, MOST_CAPACITY = 20, 1000
_LONGEST_ID, _LONGEST_PARKING_ID, _LONGEST_NAME = 200, 80, 120
_FORMAT = "utf-8"
Point = tuple[float, float]


@dataclass(frozen=True)
class VehicleType:
    """One vehicle type; `full_range_m` is None where the feed tells none."""

    type_id: str
    form: str
    full_range_m: float | None


def vehicles(
    answer: Document, account: Account, stations: Mapping[str, Point], latest: datetime
) -> dict[str, Any]:
    """The usable vehicles of a snapshot as Arrow columns, named as in SIGHTINGS plus `fuel` (0-1).

    A docked vehicle without a position stands where its station is.
    """
    rows: list[tuple[Any, ...]] = []
    seen: set[str] = set()
    fuel_scale = _fuel_scale(answer)
    for place, entry, faults in checked(answer):
        account.tally.rows_in += 1
        vehicle_id = word_of(entry, "vehicle_id", "bike_id")
        lat, lon = _place(entry, stations)
        trouble = _trouble(entry, faults, vehicle_id, lat, lon)
        if trouble is None and vehicle_id in seen:
            trouble = "", "second row of a vehicle in one snapshot"
        if trouble is not None:
            dropped(account, answer, place, trouble)
            continue
        seen.add(str(vehicle_id))
        account.kept(answer, place, faults)
        fuel = number_of(entry, "current_fuel_percent", 0, 100)
        share = None if fuel is None or fuel > fuel_scale else fuel / fuel_scale
        reported = time_of(entry.get("last_reported"))
        rows.append((
            vehicle_id, lat, lon, number_of(entry, "current_range_meters", 0, LONGEST_RANGE_M),
            share,
            _flag(entry, "is_reserved"), _flag(entry, "is_disabled"),
            word_of(entry, "vehicle_type_id"),
            _naive(reported) if reported and _OLDEST <= reported <= latest else None,
        ))  # fmt: skip
    columns = list(zip(*rows, strict=True)) or [()] * len(_COLUMNS)
    found = {name: pa.array(values, kind)
             for (name, kind), values in zip(_COLUMNS, columns, strict=True)}  # fmt: skip
    lat_deg, lon_deg = (np.array(found[name], dtype=np.float64) for name in ("lat", "lon"))
    return found | {"cell": pa.array(geohash_many(lat_deg, lon_deg, 7), pa.string())}


_OLDEST = datetime(2010, 1, 1, tzinfo=UTC)
_COLUMNS = (
    ("vehicle_id", pa.string()), ("lat", pa.float64()), ("lon", pa.float64()),
    ("range_m", pa.float64()), ("fuel", pa.float64()), ("is_reserved", pa.bool_()),
    ("is_disabled", pa.bool_()), ("vehicle_type", pa.string()),
    ("last_reported_at", pa.timestamp("us")),
)  # fmt: skip


def vehicle_types(answer: Document, account: Account) -> dict[str, VehicleType]:
    """The types by their id."""
    found: dict[str, VehicleType] = {}
    for place, entry, faults in checked(answer):
        account.tally.rows_in += 1
        type_id = word_of(entry, "vehicle_type_id")
        if type_id is None or type_id in found:
            dropped(account, answer, place, without(entry, faults, "vehicle_type_id", type_id))
            continue
        account.kept(answer, place, faults)
        reach = number_of(entry, "max_range_meters", 0, LONGEST_RANGE_M)
        form = word_of(entry, "form_factor") or "unknown"
        found[type_id] = VehicleType(type_id, form, reach or None)
    return found


def stations(answer: Document, account: Account, room: Mapping[str, int]) -> pa.Table:
    """The canonical PARKINGS; `room` is what station_status says where no capacity is given."""
    rows: dict[str, dict[str, Any]] = {}
    for place, entry, faults in checked(answer):
        account.tally.rows_in += 1
        parking_id = word_of(entry, "station_id", longest=_LONGEST_PARKING_ID)
        lat, lon = _place(entry, {})
        trouble = _trouble(entry, faults, parking_id, lat, lon, names=("station_id",))
        if trouble is None and parking_id in rows:
            trouble = "", "second row of a station"
        if trouble is not None or parking_id is None or lat is None or lon is None:
            dropped(account, answer, place, trouble or ("", "unusable"))
            continue
        account.kept(answer, place, faults)
        rows[parking_id] = {
            "parking_id": parking_id,
            "name": (localized(entry.get("name")) or parking_id)[:_LONGEST_NAME],
            "lat": lat,
            "lon": lon,
            "radius_m": _radius_m(entry, lat, lon),
            "capacity": _capacity(entry) or room.get(parking_id) or DEFAULT_CAPACITY,
            "minimum": 0,
            "target": 0,
            "swap_cabinet": False,
        }
    return pa.Table.from_pylist(list(rows.values()), schema=schema_of(PARKINGS))


def station_room(answer: Document, account: Account) -> dict[str, int]:
    """Vehicles and free docks together, by station."""
    found: dict[str, int] = {}
    for place, entry, faults in checked(answer):
        account.tally.rows_in += 1
        station_id = word_of(entry, "station_id", longest=_LONGEST_PARKING_ID)
        if station_id is None or station_id in found:
            dropped(account, answer, place, without(entry, faults, "station_id", station_id))
            continue
        account.kept(answer, place, faults)
        docks = number_of(entry, "num_docks_available", 0, MOST_CAPACITY)
        parts = [docks, *(number_of(entry, name, 0, MOST_CAPACITY) for name in _STANDING)]
        told = sum(int(part) for part in parts if part is not None)
        found[station_id] = min(told, MOST_CAPACITY) if docks is not None else 0
    return found


_STANDING = ("num_bikes_available", "num_vehicles_available", "num_bikes_disabled",
             "num_vehicles_disabled", "num_docks_disabled")  # fmt: skip


def merely_checked(answer: Document, account: Account) -> None:
    """Count the entries of a feed that no table has a place for."""
    for place, entry, faults in checked(answer):
        account.tally.rows_in += 1
        if isinstance(entry, dict):
            account.kept(answer, place, faults)
        else:
            dropped(account, answer, place, faults[0])


def localized(value: Any) -> str | None:
    """A text, or the English (else the first) of several languages."""
    if isinstance(value, list):
        told = {entry.get("language"): entry.get("text")
                for entry in reversed(value) if isinstance(entry, dict)
                and isinstance(entry.get("language"), str)}  # fmt: skip
        value = told.get("en", next(reversed(told.values()), None))
    return _clean(value)


def _trouble(
    entry: Any,
    faults: list[Fault],
    entry_id: str | None,
    lat: float | None,
    lon: float | None,
    *,
    names: tuple[str, ...] = ("vehicle_id", "bike_id"),
) -> Fault | None:
    """Why an entry that needs an id and a position cannot be used."""
    if not isinstance(entry, dict):
        return faults[0]
    if entry_id is None:
        wanted = (name for name in names if name in entry or (f".{name}", MISSING) in faults)
        return without(entry, faults, next(wanted, names[0]), None)
    if lat is None or lon is None:
        for field in ("lat", "lon"):
            told = next((fault for fault in faults if fault[0] == f".{field}"), None)
            if told is not None:
                return told
        return (".station_id", "names no known station, and there is no position")
    if lat == 0 and lon == 0:
        return (".lat", "position 0, 0")
    return None


def without(entry: Any, faults: list[Fault], name: str, value: str | None) -> Fault:
    """The fault of a field that an entry cannot be without."""
    if value is not None:
        return f".{name}", "the same as in an earlier row"
    told = next((fault for fault in faults if fault[0] in ("", f".{name}")), None)
    if told is not None:
        return told
    absent = isinstance(entry, dict) and name not in entry
    return f".{name}", MISSING if absent else "cannot be used"


def dropped(account: Account, answer: Document, place: int, trouble: Fault) -> None:
    """Count an entry as left out because of this fault."""
    path, what = trouble
    where = answer.at(place) + path
    reason = what if what.startswith(("second", "position")) else said(where, what)
    if path in (".lat", ".lon") and (" is above " in what or " is below " in what):
        reason = "position off the earth"
    account.drop(answer.feed, reason, f"{where}: {what}")


def _place(entry: Any, known: Mapping[str, Point]) -> tuple[float | None, float | None]:
    if not isinstance(entry, dict):
        return None, None
    nowhere = entry.get("lat") is None and entry.get("lon") is None
    if nowhere and isinstance(entry.get("station_id"), str):
        return known.get(entry["station_id"], (None, None))
    return number_of(entry, "lat", -90, 90), number_of(entry, "lon", -180, 180)


def number_of(entry: Any, name: str, least: float, most: float) -> float | None:
    """A field's number, written as a text too; None for what is none or not within bounds."""
    value = entry.get(name) if isinstance(entry, dict) else None
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if least <= value <= most else None  # NaN is not between


def word_of(entry: Any, *names: str, longest: int = _LONGEST_ID) -> str | None:
    """The first of these fields that holds a text; a whole number counts as one."""
    for name in names:
        value = entry.get(name) if isinstance(entry, dict) else None
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
            value = str(value)
        clean = _clean(value)
        if clean and len(clean) <= longest:
            return clean
    return None


def _clean(value: Any) -> str | None:
    """The text without blanks around it; None for what is no text, half a character included."""
    if not isinstance(value, str):
        return None
    try:
        value.encode(_FORMAT)
    except UnicodeEncodeError:
        return None
    return value.strip() or None


def _flag(entry: Any, name: str) -> bool:
    value = entry.get(name)
    return value in (True, 1) or (isinstance(value, str) and value.lower() in ("true", "1"))


def _fuel_scale(answer: Document) -> float:
    """1, or 100 where most charges are above 1: some feeds take percent by its word."""
    told = [number_of(entry, "current_fuel_percent", 0, 100) for entry in answer.entries]
    charged = [value for value in told if value]
    above = sum(value > 1 for value in charged)
    return 100.0 if above > len(charged) / 2 else 1.0


def _capacity(entry: Any) -> int:
    """The station's own capacity, else the sum over vehicle types; 0 where none is told."""
    own = number_of(entry, "capacity", 0, MOST_CAPACITY)
    if own:
        return int(own)
    total = 0.0
    for name in ("vehicle_capacity", "vehicle_type_capacity"):
        table = entry.get(name)
        counts = [number_of(table, key, 0, MOST_CAPACITY) for key in table] if isinstance(
            table, dict) else []  # fmt: skip
        total = total or sum(count for count in counts if count)
    for name in ("vehicle_types_capacity", "vehicle_docks_capacity"):
        listed = entry.get(name)
        counts = [number_of(part, "count", 0, MOST_CAPACITY) for part in listed] if isinstance(
            listed, list) else []  # fmt: skip
        total = total or sum(count for count in counts if count)
    return min(int(total), MOST_CAPACITY)


def _radius_m(entry: Any, lat: float, lon: float) -> float:
    """As far as the station's area reaches, within reason."""
    area = entry.get("station_area")
    corners = [] if not isinstance(area, dict) else _corners(area.get("coordinates"))
    if not corners:
        return DEFAULT_RADIUS_M
    north = [math.radians(y - lat) for _, y in corners]
    east = [math.radians(x - lon) * math.cos(math.radians(lat)) for x, _ in corners]
    reach_m = EARTH_RADIUS_M * max(math.hypot(n, e) for n, e in zip(north, east, strict=True))
    return min(max(round(reach_m, 1), 1.0), LONGEST_RADIUS_M)


def _corners(value: Any, depth: int = 3) -> list[tuple[float, float]]:
    """All positions of a multi-polygon's nested lists; what is none is passed over."""
    if not isinstance(value, list):
        return []
    if depth:
        return [corner for inner in value for corner in _corners(inner, depth - 1)]
    good = len(value) >= 2 and all(isinstance(part, int | float) for part in value[:2])
    near = good and abs(value[0]) <= 180 and abs(value[1]) <= 90
    return [(float(value[0]), float(value[1]))] if near else []


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
