"""The names under which files of many makers carry what the canonical columns mean."""

from __future__ import annotations

import re
from dataclasses import dataclass

# The better name comes first: where two columns fit, the earlier one is taken.
WORDS: dict[str, tuple[str, ...]] = {
    "trip_id": ("trip id", "ride id", "rental id", "journey id", "order id", "booking id",
                "trip number", "trip", "id"),
    "vehicle_id": ("vehicle id", "key", "device id", "scooter id", "bike id", "asset id", "unit id",
                   "vehicle", "scooter", "device", "vehicle number", "vehicle code", "imei",
                   "serial number", "id"),
    "vehicle_type": ("vehicle type", "vehicle type id", "vehicle model", "model", "type",
                     "device type", "rideable type"),
    "rider_id": ("rider id", "user id", "customer id", "member id", "account id", "rider",
                 "customer", "user"),
    "started_at": ("started at", "start time", "start datetime", "start date time",
                   "start timestamp", "start date", "trip start", "begin time", "pickup time",
                   "departure time", "unlocked at", "valid from", "start"),
    "ended_at": ("ended at", "end time", "end datetime", "end date time", "end timestamp",
                 "end date", "trip end", "stop time", "dropoff time", "arrival time", "locked at",
                 "valid to", "end"),
    "distance_m": ("trip distance", "distance", "ride distance", "trip length", "length",
                   "distance travelled", "mileage", "miles", "kilometers", "kilometres", "km"),
    "duration_s": ("trip duration", "duration", "ride duration", "ride time", "trip time",
                   "elapsed time", "minutes", "seconds"),
    "start_battery_pct": ("start battery", "starting battery", "start soc", "starting soc",
                          "battery start", "battery at start"),
    "end_battery_pct": ("end battery", "ending battery", "end soc", "ending soc", "battery end",
                        "battery at end"),
    "revenue": ("revenue", "fare", "price", "trip cost", "total cost", "total amount", "amount",
                "cost", "total"),
    "recorded_at": ("recorded at", "timestamp", "time stamp", "datetime", "date time",
                    "measured at", "gps time", "device time", "date stored", "event time",
                    "created at", "reported at", "last seen", "ts", "time", "date", "at"),
    "lat": ("lat", "latitude", "gps lat", "y"),
    "lon": ("lon", "lng", "long", "longitude", "gps lon", "x"),
    "position": ("position", "location", "point", "coordinates", "geometry", "geom", "gps", "wkt"),
    "speed_kmh": ("speed", "velocity", "gps speed", "spd", "current speed"),
    "battery_pct": ("battery", "battery level", "soc", "state of charge", "battery percent",
                    "battery percentage", "battery soc", "charge", "charge level", "level",
                    "current fuel percent", "power"),
    "hdop": ("hdop", "gps hdop", "horizontal dilution of precision"),
    "locked": ("locked", "is locked", "lock", "lock state", "lock status"),
    "parking_id": ("parking id", "station id", "stop id", "hub id", "id"),
    "name": ("name", "station name", "parking name", "stop name", "label"),
    "radius_m": ("radius", "buffer"),
    "capacity": ("capacity", "slots", "docks", "places", "max vehicles", "maximum"),
    "minimum": ("minimum", "min vehicles"),
    "target": ("target", "target vehicles", "wanted"),
    "full_range_m": ("full range", "max range", "max range meters", "range"),
    "battery_capacity_wh": ("battery capacity", "capacity"),
    "first_seen_at": ("first seen at", "first seen", "commissioned at", "in service since",
                      "registered at", "purchase date", "created at"),
    "signed_up_at": ("signed up at", "sign up date", "signup date", "registered at",
                     "registration date", "joined", "created at"),
    "package": ("package", "plan", "subscription", "pass", "product"),
    "subscription_id": ("subscription id", "contract id", "id"),
    "payment_id": ("payment id", "transaction id", "invoice id", "id"),
    "due_at": ("due at", "due date", "invoice date", "date"),
    "paid_at": ("paid at", "payment date", "paid on"),
    "complaint_id": ("complaint id", "ticket id", "case id", "id"),
    "filed_at": ("filed at", "opened at", "created at", "date"),
    "resolved_at": ("resolved at", "closed at", "solved at"),
    "topic": ("topic", "category", "subject", "reason"),
    "task_id": ("task id", "job id", "work order", "id"),
    "task_kind": ("task kind", "task type", "job type", "task", "type"),
    "completed_at": ("completed at", "done at", "finished at", "end time"),
    "worker": ("worker", "technician", "employee", "driver"),
    "swap_id": ("swap id", "id"),
    "swapped_at": ("swapped at", "swap time", "time"),
    "hour_at": ("hour at", "hour", "datetime", "time", "date time", "timestamp"),
    "temperature_c": ("temperature", "temp", "air temperature"),
    "rain_mm": ("rain", "precipitation", "prcp", "rainfall"),
    "wind_kmh": ("wind", "wind speed", "wspd"),
    "event_id": ("event id", "id"),
    "event_at": ("event at", "event time", "timestamp", "time"),
    "vehicle_state": ("vehicle state", "state", "status"),
    "event_types": ("event types", "event type", "event"),
}  # fmt: skip
BEFORE = {
    "start_": ("start", "starting", "origin", "from", "pickup", "begin", "departure"),
    "end_": ("end", "ending", "destination", "to", "dropoff", "finish", "arrival"),
    "from_": ("from", "start", "pickup", "origin"),
    "to_": ("to", "end", "dropoff", "destination"),
    "": ("", "vehicle", "current", "gps", "last"),
}
_FILLERS = {"centroid", "location", "position", "point", "coordinate", "coordinates", "gps", "geo"}
_PLACES = ("lat", "lon", "position")
_UNITS = {
    "km": "km", "kilometers": "km", "kilometres": "km", "m": "m", "meters": "m", "metres": "m",
    "mi": "mi", "miles": "mi", "ft": "ft", "feet": "ft", "s": "s", "sec": "s", "secs": "s",
    "seconds": "s", "min": "min", "mins": "min", "minutes": "min", "h": "h", "hours": "h",
    "ms": "ms", "milliseconds": "ms", "kmh": "km/h", "km/h": "km/h", "kph": "km/h", "m/s": "m/s",
    "mps": "m/s", "mph": "mph", "pct": "%", "percent": "%", "%": "%", "wh": "Wh", "kwh": "kWh",
    "cents": "cents", "c": "C", "°c": "C", "f": "F", "°f": "F", "mm": "mm", "in": "in",
}  # fmt: skip
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_BRACKETS = re.compile(r"[(\[]\s*([^)\]]*?)\s*[)\]]")


@dataclass(frozen=True, slots=True)
class Header:
    """A header as words in small letters, and the unit that it names, if any."""

    words: tuple[str, ...]
    unit: str

    @property
    def text(self) -> str:
        """The words with spaces between."""
        return " ".join(self.words)


def header_of(name: str) -> Header:
    """`tripDistance (km)` is `trip distance` in km; `gps.lat` is `gps lat`."""
    bracketed = [_UNITS.get(text.lower(), "") for text in _BRACKETS.findall(name)]
    unit = next((unit for unit in bracketed if unit), "")
    bare = _BRACKETS.sub(lambda m: " " if _UNITS.get(m[1].lower()) else f" {m[1]} ", name)
    words = re.findall(r"[^\W_]+", _CAMEL.sub(" ", bare).lower())
    # A capital C within a word is no unit: SoC.
    apart = re.split(r"[\W_]+", bare.strip().lower())[-1:] == words[-1:]
    if not unit and len(words) > 1 and words[-1] in _UNITS and (apart or len(words[-1]) > 1):
        unit = _UNITS[words.pop()]
    if not unit and len(words) == 1:
        unit = _UNITS.get(words[0], "")
    return Header(tuple(words), unit)


def rank(header: Header, target: str) -> int | None:
    """How well a header names a canonical column: 0 is best, None is not at all."""
    for prefix, before in BEFORE.items():
        kind = target.removeprefix(prefix) if target.startswith(prefix) else ""
        if kind in _PLACES:
            return _place_rank(header, kind, before)
    names = (header_of(target).text, *WORDS.get(target, ()))
    return _rank_in(header.words, names)


def _place_rank(header: Header, kind: str, before: tuple[str, ...]) -> int | None:
    """`start centroid latitude` is the start's `lat`; words that say nothing are skipped."""
    words = header.words
    if before[0] == "":
        full = _rank_in(words, WORDS[kind])
        if full is not None:
            return full
    if not words or words[0] not in before:
        return None
    rest = words[1:]
    if kind != "position":
        rest = tuple(word for word in rest if word not in _FILLERS)
    elif len(rest) > 1:
        rest = rest[-1:] if rest[-1] in WORDS[kind] and set(rest) <= _FILLERS else rest
    return _rank_in(rest, WORDS[kind])


def _rank_in(words: tuple[str, ...], names: tuple[str, ...]) -> int | None:
    joined = "".join(words)
    found = (place for place, name in enumerate(names) if name.replace(" ", "") == joined)
    return next(found, None)
