"""The records of MDS 0.4, 1 and 2, provider and agency, as tables of fields.

Source: Open Mobility Foundation, Mobility Data Specification 0.4.1, 1.2.0 and 2.0: the JSON
Schemas of the first two, the OpenAPI models of the third.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from fleetdesk.model.mds import TRANSITIONS, EventType, VehicleState, modern_event, modern_state
from fleetdesk.sources.mds_checks import (
    FEATURE,
    GPS,
    MISSING,
    Check,
    Fault,
    Fields,
    by_key,
    count,
    currency,
    flag,
    millis,
    one_of,
    or_null,
    percent,
    route,
    share,
    some,
    text,
    thing,
    uuid,
    whole,
)
from fleetdesk.sources.mds_zone_shapes import GEOGRAPHY, policy


@dataclass(frozen=True)
class Shape:
    """One kind of record of one generation of the standard (its major version, 0 to 2)."""

    name: str
    generation: int
    fields: Fields
    agency: bool = False

    def missing_of(self, keys: frozenset[str]) -> int:
        """How many required fields are not among the keys."""
        return len(self.fields.required.keys() - keys)

    def likeness(self, keys: frozenset[str]) -> int:
        """How well the keys fit: what a record has tells more than what it lacks."""
        required = self.fields.required.keys()
        known = len(required & keys)
        return 3 * known - len(required) + len(self.fields.optional.keys() & keys)


# The words under which records come, and what they are called here.
ARRAYS = {
    "trips": "trips",
    "status_changes": "events",
    "events": "events",
    "telemetry": "telemetry",
    "vehicles": "vehicles",
    "vehicles_status": "vehicles",
    "stops": "stops",
    "geographies": "geographies",
    "policies": "policies",
}
# Records that stand alone, or each in an object of its own, under the word for one of them.
SINGLES = {"geography": "geographies", "policy": "policies"}
# Parts of MDS that hold no records of a fleet.
OTHER_PARTS = (
    "jurisdictions",
    "jurisdiction",
    "reports",
    "requirements",
    "metrics",
    "programs",
)
ENOUGH_ALIKE = 1  # likeness of the poorest record that is still taken for one of MDS


@lru_cache(maxsize=4096)
def shape_of(keys: frozenset[str], name: str, generation: int | None) -> Shape | None:
    """The shape that a record with these keys has; None when it is not one of MDS.

    `name` is what its list says ("" without), `generation` what the payload declares (None
    without). A declared generation is left only for one that fits much better.
    """
    fitting = [shape for shape in SHAPES if name in ("", shape.name)]
    best = max(fitting, key=lambda shape: (shape.likeness(keys), shape.generation))
    declared = [shape for shape in fitting if shape.generation == generation]
    if declared:
        own = max(declared, key=lambda shape: shape.likeness(keys))
        if own.missing_of(keys) <= best.missing_of(keys) + 1:
            best = own
    return best if name or best.likeness(keys) >= ENOUGH_ALIKE else None


def _legal(states: str, events: str) -> Check:
    """Every event must be one that leads into the state it comes with."""

    def rule(record: Any) -> list[Fault]:
        types, state = record.get(events), record.get(states)
        if not isinstance(types, list) or not isinstance(state, str):
            return []
        state = modern_state(state, [kind for kind in types if isinstance(kind, str)])
        strange = [
            kind
            for kind in types
            if isinstance(kind, str)
            and (into := TRANSITIONS.get(modern_event(kind))) is not None  # type: ignore[call-overload]
            and state in _STATES
            and state not in into
        ]
        if not strange or len(strange) < len(types):
            return []
        return [(events, f"does not lead to the state {state}", types)]

    return rule


def _trip_named(events: str, trip: str) -> Check:
    """An event of a trip must say which."""

    def rule(record: Any) -> list[Fault]:
        types = record.get(events)
        if isinstance(types, str):
            types = [types]
        told = isinstance(types, list) and any(
            kind in _TRIP_EVENTS for kind in types if isinstance(kind, str)
        )
        return [(trip, f"{MISSING}, the event is a trip's", None)] if (
            told and not record.get(trip)
        ) else []  # fmt: skip

    return rule


def _placed(record: Any) -> list[Fault]:
    if record.get("location") is None and record.get("event_geographies") is None:
        return [("location", MISSING, None)]
    return []


_STATES = frozenset(state.value for state in VehicleState)
_TRIP_EVENTS = frozenset(
    {
        EventType.TRIP_START.value, EventType.TRIP_END.value, EventType.TRIP_CANCEL.value,
        EventType.TRIP_ENTER_JURISDICTION.value, EventType.TRIP_LEAVE_JURISDICTION.value,
        "user_pick_up", "user_drop_off",
    }
)  # fmt: skip
_PROPULSION = ("combustion", "electric", "electric_assist", "human")
_TYPES_0 = ("bicycle", "car", "scooter", "moped")
_TYPES_1 = (*_TYPES_0, "cargo_bicycle", "other")
_TYPES_2 = (
    "bicycle", "bus", "cargo_bicycle", "car", "delivery_robot", "moped", "motorcycle",
    "scooter_standing", "scooter_seated", "truck", "other",
)  # fmt: skip
_PROPULSION_2 = (
    *_PROPULSION, "combustion_diesel", "hybrid", "hydrogen_fuel_cell", "plug_in_hybrid",
)  # fmt: skip
_STATE_1 = one_of(
    "available", "elsewhere", "non_operational", "on_trip", "removed", "reserved", "unknown"
)
_EVENTS_1 = some(
    one_of(
        *{event.value for event in EventType}
        - {EventType.CHANGED_GEOGRAPHIES.value, EventType.NOT_LOCATED.value},
        "missing",
    )
)
_STATE_2 = one_of(*_STATES)
_EVENTS_2 = some(one_of(*(event.value for event in EventType)))
_EVENT_TYPE_0 = one_of("available", "reserved", "unavailable", "removed")
_REASON_0 = one_of(
    "service_start", "user_drop_off", "rebalance_drop_off", "maintenance_drop_off",
    "agency_drop_off", "user_pick_up", "low_battery", "maintenance", "service_end",
    "rebalance_pick_up", "maintenance_pick_up", "agency_pick_up",
)  # fmt: skip
_AGENCY_EVENT_0 = one_of(
    "register", "service_start", "service_end", "provider_drop_off", "provider_pick_up",
    "city_pick_up", "reserve", "cancel_reservation", "trip_start", "trip_enter", "trip_leave",
    "trip_end", "deregister",
)  # fmt: skip

_ATTRIBUTES = Fields({}, {"year": count, "make": text, "model": text})
_ACCESS = some(one_of("adaptive"), least=0)

_FLEET: dict[str, Check] = {
    "provider_name": text, "provider_id": uuid, "device_id": uuid, "vehicle_id": text,
}  # fmt: skip
_FLEET_0: dict[str, Check] = _FLEET | {
    "vehicle_type": one_of(*_TYPES_0), "propulsion_type": some(one_of(*_PROPULSION)),
}  # fmt: skip
_FLEET_1: dict[str, Check] = _FLEET | {
    "vehicle_type": one_of(*_TYPES_1), "propulsion_types": some(one_of(*_PROPULSION)),
}  # fmt: skip
_FLEET_2: dict[str, Check] = {"provider_id": uuid, "device_id": uuid}
_OLD_TRIP: dict[str, Check] = {
    "trip_id": uuid, "trip_duration": whole, "trip_distance": whole, "route": route,
    "accuracy": whole, "start_time": millis, "end_time": millis,
}  # fmt: skip
_COSTS_OLD: dict[str, Check] = {
    "publication_time": millis, "parking_verification_url": text, "standard_cost": whole,
    "actual_cost": whole, "currency": currency,
}  # fmt: skip
_TELEMETRY_OLD = Fields({"device_id": uuid, "timestamp": millis, "gps": GPS}, {"charge": share})
_TELEMETRY_2 = Fields(
    _FLEET_2
    | {
        "telemetry_id": uuid, "timestamp": millis, "trip_ids": or_null(some(uuid)),
        "journey_id": or_null(uuid), "location": GPS,
    },
    {
        "data_provider_id": uuid, "stop_id": uuid, "battery_percent": percent,
        "fuel_percent": percent, "tipped_over": flag,
        "location_type": one_of("street", "sidewalk", "crosswalk", "garage", "bike_lane"),
    },
)  # fmt: skip
_EVENT_2 = Fields(
    _FLEET_2
    | {"event_id": uuid, "vehicle_state": _STATE_2, "event_types": _EVENTS_2, "timestamp": millis},
    {
        "data_provider_id": uuid, "publication_time": millis, "location": GPS,
        "event_geographies": some(uuid), "battery_percent": percent, "fuel_percent": percent,
        "trip_ids": some(uuid, least=0), "associated_ticket": text,
    },
    (_placed, _legal("vehicle_state", "event_types"), _trip_named("event_types", "trip_ids")),
)  # fmt: skip
_PAYMENT = one_of(
    "key", "creditcard", "paypass", "applepay", "androidpay", "transitcard", "accountnumber",
    "phone",
)  # fmt: skip
_STATUS: Fields = Fields({"is_installed": flag, "is_renting": flag, "is_returning": flag})


def _stop(time: str, place: Check, types: tuple[str, ...]) -> Fields:
    counts = by_key(types, count)
    return Fields(
        {
            "stop_id": uuid, "name": text, time: millis, "location": place, "status": _STATUS,
            "capacity": counts, "num_vehicles_available": counts,
            "num_vehicles_disabled": counts,
        },
        {
            "provider_id": uuid, "data_provider_id": uuid, "geography_id": uuid,
            "region_id": text, "short_name": text, "address": text, "post_code": text,
            "cross_street": text, "num_places_available": counts, "num_places_disabled": counts,
            "parent_stop": uuid, "devices": some(uuid, least=0), "image_url": text,
            "rental_methods": some(_PAYMENT, least=0),
        },
    )  # fmt: skip


def _registered(fields: Mapping[str, Check], *, answered: Mapping[str, Check] | None) -> Fields:
    """A vehicle as an agency is told of it, or as it answers."""
    told: dict[str, Check] = {"year": whole, "mfgr": text, "model": text}
    own = {"device_id": uuid, "vehicle_id": text} | dict(fields)
    if answered is None:
        return Fields(own, told)
    return Fields(own | told | {"provider_id": uuid, "updated": millis} | dict(answered))


_REGISTERED_0: dict[str, Check] = {
    "type": one_of(*_TYPES_0), "propulsion": some(one_of(*_PROPULSION)),
}  # fmt: skip
_REGISTERED_1: dict[str, Check] = {
    "vehicle_type": one_of(*_TYPES_1), "propulsion_types": some(one_of(*_PROPULSION)),
}  # fmt: skip

SHAPES = (
    Shape("trips", 0, Fields(_FLEET_0 | _OLD_TRIP, _COSTS_OLD)),
    Shape("trips", 1, Fields(_FLEET_1 | _OLD_TRIP, _COSTS_OLD)),
    Shape("trips", 2, Fields(
        _FLEET_2 | {
            "trip_id": uuid, "start_time": millis, "end_time": millis, "start_location": GPS,
            "end_location": GPS, "duration": count, "distance": count,
        },
        {
            "data_provider_id": uuid, "publication_time": millis, "standard_cost": count,
            "actual_cost": count, "currency": currency, "trip_attributes": thing,
            "fare_attributes": thing, "accessibility_attributes": _ACCESS,
            "parking_verification_url": text,
            "trip_type": some(one_of("rider", "rebalance", "maintenance"), least=0, most=1),
            "parking_category": one_of("corral", "curb", "rack", "other_valid", "invalid"),
        },
    )),
    Shape("events", 0, Fields(
        _FLEET_0 | {
            "event_type": _EVENT_TYPE_0, "event_type_reason": _REASON_0, "event_time": millis,
            "event_location": FEATURE,
        },
        {
            "publication_time": millis, "battery_pct": share, "associated_trip": uuid,
            "associated_ticket": text,
        },
        (_trip_named("event_type_reason", "associated_trip"),),
    )),
    Shape("events", 1, Fields(
        _FLEET_1 | {
            "vehicle_state": _STATE_1, "event_types": _EVENTS_1, "event_time": millis,
            "event_location": FEATURE,
        },
        {
            "publication_time": millis, "battery_pct": share, "trip_id": uuid,
            "associated_ticket": text,
        },
        (_legal("vehicle_state", "event_types"), _trip_named("event_types", "trip_id")),
    )),
    Shape("events", 0, Fields(
        {"event_type": _AGENCY_EVENT_0, "telemetry": _TELEMETRY_OLD},
        {"event_type_reason": text, "timestamp": millis, "trip_id": uuid, "device_id": uuid},
    ), agency=True),
    Shape("events", 1, Fields(
        {
            "vehicle_state": _STATE_1, "event_types": _EVENTS_1, "timestamp": millis,
            "telemetry": _TELEMETRY_OLD,
        },
        {"trip_id": uuid, "device_id": uuid},
        (_legal("vehicle_state", "event_types"), _trip_named("event_types", "trip_id")),
    ), agency=True),
    Shape("events", 2, _EVENT_2),
    Shape("telemetry", 0, _TELEMETRY_OLD, agency=True),
    Shape("telemetry", 1, _TELEMETRY_OLD, agency=True),
    Shape("telemetry", 2, _TELEMETRY_2),
    Shape("vehicles", 0, Fields(
        _FLEET_0 | {
            "last_event_time": millis, "last_event_type": _EVENT_TYPE_0,
            "last_event_type_reason": _REASON_0, "last_event_location": FEATURE,
        },
        {"current_location": FEATURE, "battery_pct": share},
    )),
    Shape("vehicles", 1, Fields(
        _FLEET_1 | {
            "last_event_time": millis, "last_vehicle_state": _STATE_1,
            "last_event_types": _EVENTS_1, "last_event_location": FEATURE,
        },
        {"current_location": FEATURE, "battery_pct": share},
        (_legal("last_vehicle_state", "last_event_types"),),
    )),
    Shape("vehicles", 0, _registered(_REGISTERED_0, answered=None), agency=True),
    Shape("vehicles", 0, _registered(_REGISTERED_0, answered={
        "prev_event": _AGENCY_EVENT_0,
        "status": one_of("available", "elsewhere", "inactive", "removed", "reserved", "trip",
                         "unavailable"),
    }), agency=True),
    Shape("vehicles", 1, _registered(_REGISTERED_1, answered=None), agency=True),
    Shape("vehicles", 1, _registered(
        _REGISTERED_1, answered={"state": _STATE_1, "prev_events": _EVENTS_1}
    ), agency=True),
    Shape("vehicles", 2, Fields(
        _FLEET_2 | {
            "vehicle_id": text, "vehicle_type": one_of(*_TYPES_2),
            "propulsion_types": some(one_of(*_PROPULSION_2)),
        },
        {
            "data_provider_id": uuid, "vehicle_attributes": _ATTRIBUTES, "fuel_capacity": count,
            "accessibility_attributes": _ACCESS, "battery_capacity": count,
            "maximum_speed": count,
        },
    )),
    Shape("vehicles", 2, Fields(
        _FLEET_2 | {"last_event": _EVENT_2, "last_telemetry": _TELEMETRY_2},
        {"data_provider_id": uuid},
    )),
    Shape("stops", 1, _stop("last_reported", FEATURE, _TYPES_1)),
    Shape("stops", 2, _stop("last_updated", GPS, _TYPES_2)),
    Shape("geographies", 1, GEOGRAPHY),
    Shape("geographies", 2, GEOGRAPHY),
    Shape("policies", 1, policy({}, _TYPES_1, _PROPULSION)),
    Shape("policies", 2, policy(
        {"mode_id": one_of("car-share", "delivery-robots", "micromobility", "passenger-services")},
        _TYPES_2, _PROPULSION_2,
    )),
)  # fmt: skip
