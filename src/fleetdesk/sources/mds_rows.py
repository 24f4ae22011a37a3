"""One record of MDS as rows of the canonical tables; docs/sources/mds.md is the mapping page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from fleetdesk.model.mds import (
    EVENT_JOIN,
    EventType,
    VehicleState,
    from_agency_0x,
    from_provider_0x,
    in_major_units,
    modern_event,
    modern_state,
)
from fleetdesk.model.places import Point
from fleetdesk.sources.mds_checks import MISSING, Fault, is_number, is_whole
from fleetdesk.sources.mds_shapes import Shape
from fleetdesk.sources.mds_values import (
    Door,
    Row,
    Unusable,
    feature,
    gps,
    id_of,
    percent_pct,
    plain,
    route_points,
    share_pct,
    time_ms,
    vehicle_id_of,
)
from fleetdesk.sources.mds_zones import Geography, Policy, geography, policy

SHORTEST_TRIP_S = 60
RADIUS_M = 30.0
CAPACITY = 20  # of a stop that does not tell; both as in model.places.Parking
_STATES = frozenset(state.value for state in VehicleState)
_EVENTS = frozenset(event.value for event in EventType)
_MUSCLE = frozenset({"human", "combustion", "combustion_diesel"})


@dataclass
class Sight:
    """What a record tells of a vehicle; times in milliseconds, types best when `registered`."""

    vehicle_id: str
    at_ms: int | None = None
    vehicle_type: str = ""
    registered: bool = False
    capacity_wh: float | None = None
    without_motor: bool = False


@dataclass
class Reading:
    """What became of one record: its rows by table, and what was found amiss but borne."""

    rows: list[tuple[str, Row]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    sight: Sight | None = None
    ruling: Geography | Policy | None = None


def read_record(value: Mapping[str, Any], shape: Shape, door: Door) -> Reading:
    """The rows of one record; Unusable names the field that keeps it from being one."""
    reading = Reading(faults=shape.fields(value))
    try:
        _READERS[shape.name](value, shape, door, reading)
    except Unusable as unusable:
        raise _settled(unusable, reading.faults) from None
    return reading


def _settled(unusable: Unusable, faults: list[Fault]) -> Unusable:
    """The same refusal in the words of the fault that was found at the place, if there is one."""
    for path, what, shown in faults:
        if _inside(path, unusable.path) or _inside(unusable.path, path):
            return Unusable(path, what, shown)
    return unusable


def _inside(path: str, outer: str) -> bool:
    return path == outer or path.startswith((f"{outer}.", f"{outer}["))


def _trip(value: Mapping[str, Any], shape: Shape, door: Door, reading: Reading) -> None:
    vehicle_id = vehicle_id_of(value)
    started, ended = time_ms(value, "start_time", door), time_ms(value, "end_time", door)
    if ended < started:
        raise Unusable("end_time", "before start_time", ended)
    kind = _trip_kind(value)
    if kind == "maintenance":
        raise Unusable("trip_type", "maintenance: neither a rider's trip nor a known task")
    if shape.generation == 2:
        start, end = (gps(value, name) for name in ("start_location", "end_location"))
        path = [start, end]
    else:
        path = route_points(value)
        start, end = path[0], path[-1]
    trip_id = id_of(value.get("trip_id"), "trip", vehicle_id, started)
    reading.sight = Sight(vehicle_id, started, plain(value.get("vehicle_type")))
    if kind == "rebalance":
        reading.rows.append(
            (
                "service_tasks",
                {
                    "task_id": trip_id, "vehicle_id": vehicle_id, "task_kind": "rebalance",
                    "started_at": started * 1000, "completed_at": ended * 1000,
                    "from_lat": start.lat, "from_lon": start.lon,
                    "to_lat": end.lat, "to_lon": end.lon,
                },
            )
        )  # fmt: skip
        return
    duration_s = _duration_s(value, shape, (ended - started) / 1000, reading)
    reading.rows.append(
        (
            "trips",
            {
                "trip_id": trip_id, "vehicle_id": vehicle_id,
                "started_at": started * 1000, "ended_at": ended * 1000,
                "start_lat": start.lat, "start_lon": start.lon,
                "end_lat": end.lat, "end_lon": end.lon,
                "distance_m": _distance_m(value, shape, path), "duration_s": duration_s,
                "revenue": _revenue(value, door, reading), "inferred": False,
            },
        )
    )  # fmt: skip


def _trip_kind(value: Mapping[str, Any]) -> str:
    given = value.get("trip_type")
    kinds = given if isinstance(given, list) else [given] if given is not None else []
    kind = kinds[0] if kinds else "rider"
    if kind not in ("rider", "rebalance", "maintenance"):
        raise Unusable("trip_type", "not a word of the standard", given)
    return str(kind)


def _duration_s(
    value: Mapping[str, Any], shape: Shape, between_s: float, reading: Reading
) -> float:
    """What the record says, unless that is longer than its own times allow."""
    name = "duration" if shape.generation == 2 else "trip_duration"
    given = value.get(name)
    seconds = between_s
    if is_number(given) and given > between_s + SHORTEST_TRIP_S:
        reading.faults.append((name, "longer than from start_time to end_time", given))
    elif is_number(given) and given >= 0:
        seconds = float(given)
    if seconds < SHORTEST_TRIP_S:
        raise Unusable(name, f"trip under {SHORTEST_TRIP_S} s", seconds)
    return seconds


def _distance_m(value: Mapping[str, Any], shape: Shape, path: list[Point]) -> float:
    """What the record says, else the length of the line through its points."""
    given = value.get("distance" if shape.generation == 2 else "trip_distance")
    if is_number(given) and given >= 0:
        return float(given)
    return sum(one.distance_m(two) for one, two in pairwise(path))


def _revenue(value: Mapping[str, Any], door: Door, reading: Reading) -> float | None:
    cost, currency = value.get("actual_cost"), value.get("currency")
    if cost is None or not is_number(cost):
        return None
    if cost < 0:
        reading.faults.append(("actual_cost", "negative, left out", cost))
        return None
    code = "USD" if currency is None else currency
    if code != door.currency:
        city = f"not the city's {door.currency}" if door.currency else "the city's is not known"
        reading.faults.append(("currency", f"{plain(code)[:12]}, {city}; costs left out", cost))
        return None
    return in_major_units(cost, code)


def _event(value: Mapping[str, Any], shape: Shape, door: Door, reading: Reading) -> None:
    row = _event_row(value, shape, door)
    kind = plain(value.get("vehicle_type"))
    reading.sight = Sight(row["vehicle_id"], row["event_at"] // 1000, kind)
    reading.rows.append(("events", row))


def _event_row(value: Mapping[str, Any], shape: Shape, door: Door) -> Row:
    telemetry = value.get("telemetry")
    telemetry = telemetry if isinstance(telemetry, dict) else {}
    if shape.agency:
        vehicle_id = vehicle_id_of({**telemetry, **value}, "telemetry.device_id")
        told = value if value.get("timestamp") is not None else {"telemetry": telemetry}
        at = time_ms(told, "timestamp" if told is value else "telemetry.timestamp", door)
        place = gps(value, "telemetry.gps")
        battery, trip = share_pct(telemetry.get("charge")), value.get("trip_id")
    elif shape.generation == 2:
        vehicle_id, at = vehicle_id_of(value), time_ms(value, "timestamp", door)
        place, battery = gps(value, "location"), percent_pct(value.get("battery_percent"))
        trips = value.get("trip_ids")
        trip = trips[0] if isinstance(trips, list) and trips else None
    else:
        vehicle_id, at = vehicle_id_of(value), time_ms(value, "event_time", door)
        place, battery = feature(value, "event_location"), share_pct(value.get("battery_pct"))
        trip = value.get("associated_trip" if shape.generation == 0 else "trip_id")
    state, types = _state_and_types(value, shape)
    return {
        "event_id": id_of(value.get("event_id"), "event", vehicle_id, at, state, types),
        "vehicle_id": vehicle_id, "event_at": at * 1000, "vehicle_state": state,
        "event_types": types, "lat": place.lat, "lon": place.lon, "battery_pct": battery,
        "trip_id": id_of(trip) or None,
    }  # fmt: skip


def _state_and_types(value: Mapping[str, Any], shape: Shape) -> tuple[str, str]:
    """The state of 2.0 and its event types; a type that is not known is left out."""
    if shape.generation == 0:
        kind, reason = value.get("event_type"), value.get("event_type_reason")
        if not isinstance(kind, str):
            raise Unusable("event_type", MISSING if kind is None else "not a text", kind)
        translate = from_agency_0x if shape.agency else from_provider_0x
        pair = translate(kind, reason if isinstance(reason, str) else "")
        if pair is None:
            what = f"does not go with event_type {plain(kind)[:30]}"
            raise Unusable("event_type_reason", MISSING if reason is None else what, reason)
        return pair[0].value, pair[1].value
    given = value.get("event_types")
    given = given if isinstance(given, list) else []
    types = [modern_event(kind) for kind in given if isinstance(kind, str)]
    state = value.get("vehicle_state")
    if not isinstance(state, str):
        raise Unusable("vehicle_state", MISSING if state is None else "not a text", state)
    known = [kind for kind in dict.fromkeys(types) if kind in _EVENTS]
    modern = modern_state(state, known)
    if modern not in _STATES:
        raise Unusable("vehicle_state", "not a word of the standard", state)
    return modern, EVENT_JOIN.join(known) or EventType.UNSPECIFIED.value


def _ping(value: Mapping[str, Any], shape: Shape, door: Door, reading: Reading) -> None:
    row = _ping_row(value, shape, door)
    reading.sight = Sight(row["vehicle_id"], row["recorded_at"] // 1000)
    reading.rows.append(("telemetry", row))


def _ping_row(value: Mapping[str, Any], shape: Shape, door: Door) -> Row:
    at_2 = shape.generation == 2
    place = gps(value, "location" if at_2 else "gps")
    measured = value["location" if at_2 else "gps"]
    speed, hdop = measured.get("speed"), measured.get("hdop")
    return {
        "vehicle_id": vehicle_id_of(value), "recorded_at": time_ms(value, "timestamp", door) * 1000,
        "lat": place.lat, "lon": place.lon,
        "speed_kmh": speed * 3.6 if is_number(speed) and speed >= 0 else None,
        "battery_pct": percent_pct(value.get("battery_percent")) if at_2
        else share_pct(value.get("charge")),
        "hdop": float(hdop) if is_number(hdop) and hdop >= 0 else None,
    }  # fmt: skip


def _vehicle(value: Mapping[str, Any], shape: Shape, door: Door, reading: Reading) -> None:
    vehicle_id = vehicle_id_of(value)
    sight = Sight(vehicle_id, vehicle_type=_model(value), registered=True)
    reading.sight = sight
    capacity = value.get("battery_capacity")
    if is_number(capacity) and capacity > 0 and door.voltage_v:
        sight.capacity_wh = capacity / 1000 * door.voltage_v
    engines = value.get("propulsion_types", value.get("propulsion_type", value.get("propulsion")))
    sight.without_motor = isinstance(engines, list) and bool(engines) and set(
        map(str, engines)
    ) <= _MUSCLE  # fmt: skip
    for name in ("updated", "last_event_time"):
        if value.get(name) is not None:
            sight.at_ms = _borne(reading, "", time_ms, value, name, door)
    if value.get("current_location") is not None:
        _add(reading, "telemetry", "", _seen_now, value, vehicle_id, door)
    for name, table, make in (
        ("last_event", "events", _event_row), ("last_telemetry", "telemetry", _ping_row),
    ):  # fmt: skip
        inner = value.get(name)
        if isinstance(inner, dict):
            _add(reading, table, name, make, {"device_id": vehicle_id} | inner, shape, door)
    if sight.at_ms is None:
        times = [row.get("event_at", row.get("recorded_at")) for _, row in reading.rows]
        sight.at_ms = min((time // 1000 for time in times if time), default=None)


def _model(value: Mapping[str, Any]) -> str:
    """Maker and model where they are told, else the kind of vehicle."""
    attributes = value.get("vehicle_attributes")
    told = {**value, **attributes} if isinstance(attributes, dict) else value
    names = [plain(told.get("make", told.get("mfgr"))), plain(told.get("model"))]
    model = " ".join(name.strip() for name in names if name.strip())
    return model or plain(value.get("vehicle_type", value.get("type")))


def _seen_now(value: Mapping[str, Any], vehicle_id: str, door: Door) -> Row:
    place = feature(value, "current_location")
    return {
        "vehicle_id": vehicle_id, "lat": place.lat, "lon": place.lon,
        "recorded_at": time_ms(value, "current_location.properties.timestamp", door) * 1000,
        "battery_pct": share_pct(value.get("battery_pct")),
    }  # fmt: skip


def _stop(value: Mapping[str, Any], shape: Shape, door: Door, reading: Reading) -> None:  # noqa: ARG001
    place = (gps if shape.generation == 2 else feature)(value, "location")
    status = value.get("status")
    if isinstance(status, dict) and status.get("is_installed") is False:
        raise Unusable("status.is_installed", "false, so there is no such stop")
    given, name = value.get("capacity"), plain(value.get("name"))
    places = {
        kind: number
        for kind, number in (given.items() if isinstance(given, dict) else ())
        if is_whole(number) and number >= 0
    }
    scooters = [number for kind, number in places.items() if kind.startswith("scooter")]
    parking_id = id_of(value.get("stop_id"), "stop", place.lat, place.lon)
    reading.rows.append(
        (
            "parkings",
            {
                "parking_id": parking_id, "name": name or parking_id,
                "lat": place.lat, "lon": place.lon, "radius_m": RADIUS_M,
                "capacity": int(sum(scooters or places.values())) if places else CAPACITY,
                "minimum": 0, "target": 0, "swap_cabinet": False,
            },
        )
    )  # fmt: skip


def _geography(value: Mapping[str, Any], shape: Shape, door: Door, reading: Reading) -> None:  # noqa: ARG001
    reading.ruling, faults = geography(value, door)
    _add_faults(reading, faults)


def _policy(value: Mapping[str, Any], shape: Shape, door: Door, reading: Reading) -> None:  # noqa: ARG001
    reading.ruling, faults = policy(value, door)
    _add_faults(reading, faults)


_READERS: dict[str, Callable[[Mapping[str, Any], Shape, Door, Reading], None]] = {
    "trips": _trip, "events": _event, "telemetry": _ping, "vehicles": _vehicle, "stops": _stop,
    "geographies": _geography, "policies": _policy,
}  # fmt: skip


def _borne(reading: Reading, within: str, make: Callable[..., Any], *given: Any) -> Any:
    """What `make` gives, or None with a fault: the record is of use without it."""
    try:
        return make(*given)
    except Unusable as unusable:
        path = f"{within}.{unusable.path}" if within else unusable.path
        _add_faults(reading, [(path, unusable.what, unusable.shown)])
        return None


def _add_faults(reading: Reading, faults: list[Fault]) -> None:
    """Add those about which nothing is said yet."""
    for path, what, shown in faults:
        if not any(_inside(known, path) or _inside(path, known) for known, _, _ in reading.faults):
            reading.faults.append((path, what, shown))


def _add(reading: Reading, table: str, within: str, make: Callable[..., Row], *given: Any) -> None:
    row = _borne(reading, within, make, *given)
    if row is not None:
        reading.rows.append((table, row))
