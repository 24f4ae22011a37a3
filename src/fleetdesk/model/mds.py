"""MDS 2.0 micromobility: vehicle states, event types, which lead where, and what it means for ROI.

Source: Open Mobility Foundation, Mobility Data Specification 2.0, modes/micromobility.md; older
names from provider and agency 0.4 and from 1.x. Transitions are never enforced: the standard
allows events out of order, and providers send `removed` -> `non_operational`.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

EVENT_JOIN = "+"  # between the types of a compound event in the canonical table


class VehicleState(StrEnum):
    """Where a vehicle is in its life on the street."""

    AVAILABLE = "available"
    RESERVED = "reserved"
    ON_TRIP = "on_trip"
    NON_OPERATIONAL = "non_operational"
    REMOVED = "removed"
    ELSEWHERE = "elsewhere"
    NON_CONTACTABLE = "non_contactable"
    MISSING = "missing"


class EventType(StrEnum):
    """What made a vehicle change its state."""

    AGENCY_DROP_OFF = "agency_drop_off"
    AGENCY_PICK_UP = "agency_pick_up"
    BATTERY_CHARGED = "battery_charged"
    BATTERY_LOW = "battery_low"
    CHANGED_GEOGRAPHIES = "changed_geographies"
    COMMS_LOST = "comms_lost"
    COMMS_RESTORED = "comms_restored"
    COMPLIANCE_PICK_UP = "compliance_pick_up"
    DECOMMISSIONED = "decommissioned"
    LOCATED = "located"
    MAINTENANCE = "maintenance"
    MAINTENANCE_PICK_UP = "maintenance_pick_up"
    NOT_LOCATED = "not_located"
    OFF_HOURS = "off_hours"
    ON_HOURS = "on_hours"
    PROVIDER_DROP_OFF = "provider_drop_off"
    REBALANCE_PICK_UP = "rebalance_pick_up"
    RESERVATION_CANCEL = "reservation_cancel"
    RESERVATION_START = "reservation_start"
    SYSTEM_RESUME = "system_resume"
    SYSTEM_SUSPEND = "system_suspend"
    TRIP_CANCEL = "trip_cancel"
    TRIP_END = "trip_end"
    TRIP_ENTER_JURISDICTION = "trip_enter_jurisdiction"
    TRIP_LEAVE_JURISDICTION = "trip_leave_jurisdiction"
    TRIP_START = "trip_start"
    UNSPECIFIED = "unspecified"


class Phase(StrEnum):
    """The part of an operating cycle that a state belongs to."""

    OPERATIONAL = "operational"
    PENDING = "pending collection"
    TASK = "task time"
    CENSORED = "censored"


class EndCause(StrEnum):
    """Why a stretch of operation is over; the first five are observed ends, the rest censored."""

    COLLECTED = "collected"
    BATTERY_LOW = "battery_low"
    MAINTENANCE = "maintenance"
    MISSING = "missing"
    SWAPPED = "swapped"
    OFF_HOURS = "off_hours"
    SYSTEM_SUSPEND = "system_suspend"
    COMMS_LOST = "comms_lost"
    LEFT_JURISDICTION = "left_jurisdiction"
    UNSPECIFIED = "unspecified"
    END_OF_DATA = "end_of_data"


_S = VehicleState
_E = EventType
_ANY_STATE = frozenset(VehicleState)

TRANSITIONS: dict[EventType, frozenset[VehicleState]] = {
    _E.AGENCY_DROP_OFF: frozenset({_S.AVAILABLE}),
    _E.AGENCY_PICK_UP: frozenset({_S.REMOVED}),
    _E.BATTERY_CHARGED: frozenset({_S.AVAILABLE}),
    _E.BATTERY_LOW: frozenset({_S.NON_OPERATIONAL}),
    _E.CHANGED_GEOGRAPHIES: frozenset({_S.ON_TRIP}),
    _E.COMMS_LOST: frozenset({_S.NON_CONTACTABLE}),
    _E.COMMS_RESTORED: _ANY_STATE - {_S.NON_CONTACTABLE, _S.MISSING},
    _E.COMPLIANCE_PICK_UP: frozenset({_S.REMOVED}),
    _E.DECOMMISSIONED: frozenset({_S.REMOVED}),
    _E.LOCATED: _ANY_STATE - {_S.NON_CONTACTABLE, _S.MISSING},
    _E.MAINTENANCE: frozenset({_S.AVAILABLE, _S.NON_OPERATIONAL}),
    _E.MAINTENANCE_PICK_UP: frozenset({_S.REMOVED}),
    _E.NOT_LOCATED: frozenset({_S.MISSING}),
    _E.OFF_HOURS: frozenset({_S.NON_OPERATIONAL}),
    _E.ON_HOURS: frozenset({_S.AVAILABLE}),
    _E.PROVIDER_DROP_OFF: frozenset({_S.AVAILABLE}),
    _E.REBALANCE_PICK_UP: frozenset({_S.REMOVED}),
    _E.RESERVATION_CANCEL: frozenset({_S.AVAILABLE}),
    _E.RESERVATION_START: frozenset({_S.RESERVED}),
    _E.SYSTEM_RESUME: frozenset({_S.AVAILABLE}),
    _E.SYSTEM_SUSPEND: frozenset({_S.NON_OPERATIONAL}),
    _E.TRIP_CANCEL: frozenset({_S.AVAILABLE}),
    _E.TRIP_END: frozenset({_S.AVAILABLE}),
    _E.TRIP_ENTER_JURISDICTION: frozenset({_S.ON_TRIP}),
    _E.TRIP_LEAVE_JURISDICTION: frozenset({_S.ELSEWHERE}),
    _E.TRIP_START: frozenset({_S.ON_TRIP}),
    _E.UNSPECIFIED: _ANY_STATE,
}

OPERATIONAL_STATES = frozenset({_S.AVAILABLE, _S.RESERVED, _S.ON_TRIP})
PICK_UPS = frozenset(
    {
        _E.AGENCY_PICK_UP,
        _E.COMPLIANCE_PICK_UP,
        _E.MAINTENANCE_PICK_UP,
        _E.REBALANCE_PICK_UP,
        _E.DECOMMISSIONED,
    }
)
DROP_OFFS = frozenset({_E.AGENCY_DROP_OFF, _E.PROVIDER_DROP_OFF})
OBSERVED_ENDS = frozenset(
    {
        EndCause.COLLECTED,
        EndCause.BATTERY_LOW,
        EndCause.MAINTENANCE,
        EndCause.MISSING,
        EndCause.SWAPPED,
    }
)
# What takes a vehicle out of service without it being in need of anybody.
SUSPENSIONS = frozenset({_E.OFF_HOURS, _E.SYSTEM_SUSPEND, _E.UNSPECIFIED})

_STATES_1X = {"unknown": _S.NON_CONTACTABLE}
_EVENTS_1X = {"missing": _E.NOT_LOCATED}

# Provider 0.4: (event_type, event_type_reason). `reserved` covered the ride as well. `service_end`
# took the vehicle off the street for the night, `service_start` brought it back.
_PROVIDER_04: dict[tuple[str, str], tuple[VehicleState, EventType]] = {
    ("available", "service_start"): (_S.AVAILABLE, _E.PROVIDER_DROP_OFF),
    ("available", "user_drop_off"): (_S.AVAILABLE, _E.TRIP_END),
    ("available", "rebalance_drop_off"): (_S.AVAILABLE, _E.PROVIDER_DROP_OFF),
    ("available", "maintenance_drop_off"): (_S.AVAILABLE, _E.PROVIDER_DROP_OFF),
    ("available", "agency_drop_off"): (_S.AVAILABLE, _E.AGENCY_DROP_OFF),
    ("reserved", "user_pick_up"): (_S.ON_TRIP, _E.TRIP_START),
    ("unavailable", "low_battery"): (_S.NON_OPERATIONAL, _E.BATTERY_LOW),
    ("unavailable", "maintenance"): (_S.NON_OPERATIONAL, _E.MAINTENANCE),
    ("removed", "service_end"): (_S.REMOVED, _E.UNSPECIFIED),
    ("removed", "rebalance_pick_up"): (_S.REMOVED, _E.REBALANCE_PICK_UP),
    ("removed", "maintenance_pick_up"): (_S.REMOVED, _E.MAINTENANCE_PICK_UP),
    ("removed", "agency_pick_up"): (_S.REMOVED, _E.AGENCY_PICK_UP),
}
# Agency 0.4 had event types of its own; a charge was a reason to pick up, which 2.0 calls
# maintenance.
_AGENCY_04: dict[tuple[str, str], tuple[VehicleState, EventType]] = {
    ("register", ""): (_S.REMOVED, _E.UNSPECIFIED),
    ("service_start", ""): (_S.AVAILABLE, _E.UNSPECIFIED),
    ("service_end", "low_battery"): (_S.NON_OPERATIONAL, _E.BATTERY_LOW),
    ("service_end", "maintenance"): (_S.NON_OPERATIONAL, _E.MAINTENANCE),
    ("service_end", "compliance"): (_S.NON_OPERATIONAL, _E.UNSPECIFIED),
    ("service_end", "off_hours"): (_S.NON_OPERATIONAL, _E.OFF_HOURS),
    ("provider_drop_off", ""): (_S.AVAILABLE, _E.PROVIDER_DROP_OFF),
    ("provider_pick_up", "rebalance"): (_S.REMOVED, _E.REBALANCE_PICK_UP),
    ("provider_pick_up", "maintenance"): (_S.REMOVED, _E.MAINTENANCE_PICK_UP),
    ("provider_pick_up", "charge"): (_S.REMOVED, _E.MAINTENANCE_PICK_UP),
    ("provider_pick_up", "compliance"): (_S.REMOVED, _E.COMPLIANCE_PICK_UP),
    ("city_pick_up", ""): (_S.REMOVED, _E.AGENCY_PICK_UP),
    ("reserve", ""): (_S.RESERVED, _E.RESERVATION_START),
    ("cancel_reservation", ""): (_S.AVAILABLE, _E.RESERVATION_CANCEL),
    ("trip_start", ""): (_S.ON_TRIP, _E.TRIP_START),
    ("trip_enter", ""): (_S.ON_TRIP, _E.TRIP_ENTER_JURISDICTION),
    ("trip_leave", ""): (_S.ELSEWHERE, _E.TRIP_LEAVE_JURISDICTION),
    ("trip_end", ""): (_S.AVAILABLE, _E.TRIP_END),
    ("deregister", "missing"): (_S.MISSING, _E.NOT_LOCATED),
    ("deregister", "decommissioned"): (_S.REMOVED, _E.DECOMMISSIONED),
}

# ISO 4217: currencies whose smallest unit is not a hundredth.
_MINOR_DIGITS = dict.fromkeys(
    ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND",
     "VUV", "XAF", "XOF", "XPF"), 0,
) | dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3)  # fmt: skip


def in_major_units(cost: float, currency: str) -> float:
    """A cost of MDS, which counts the currency's smallest unit, in the currency itself."""
    return cost / 10.0 ** _MINOR_DIGITS.get(currency, 2)


def phase_of(vehicle_state: str, event_types: Sequence[str] = ()) -> Phase:
    """The phase of a state; the events only tell a suspension from a vehicle that waits for a crew.

    A state that is not in the standard counts as censored: nothing is known of the vehicle.
    """
    if vehicle_state in OPERATIONAL_STATES:
        return Phase.OPERATIONAL
    if vehicle_state == _S.REMOVED:
        return Phase.TASK
    if vehicle_state == _S.NON_OPERATIONAL and not is_suspension(event_types):
        return Phase.PENDING
    return Phase.CENSORED


def end_cause(vehicle_state: str, event_types: Sequence[str] = ()) -> EndCause | None:
    """Why operation is over when a vehicle enters this state; None while it is operational."""
    if vehicle_state in OPERATIONAL_STATES:
        return None
    if vehicle_state == _S.NON_OPERATIONAL:
        return _cause_of_standing(event_types)
    return {
        _S.REMOVED.value: EndCause.COLLECTED,
        _S.MISSING.value: EndCause.MISSING,
        _S.NON_CONTACTABLE.value: EndCause.COMMS_LOST,
        _S.ELSEWHERE.value: EndCause.LEFT_JURISDICTION,
    }.get(vehicle_state, EndCause.UNSPECIFIED)


def is_suspension(event_types: Sequence[str]) -> bool:
    """Whether a non-operational vehicle merely pauses; battery_low and maintenance weigh more."""
    types = set(event_types)
    return bool(types & SUSPENSIONS) and not types & {_E.BATTERY_LOW, _E.MAINTENANCE}


def modern_state(vehicle_state: str, event_types: Sequence[str] = ()) -> str:
    """The 2.0 name of a 1.x state: `unknown` was split into missing and non-contactable."""
    if vehicle_state == "unknown" and {"missing", "not_located"} & set(event_types):
        return _S.MISSING.value
    return str(_STATES_1X.get(vehicle_state, vehicle_state))


def modern_event(event_type: str) -> str:
    """The 2.0 name of a 1.x event type."""
    return str(_EVENTS_1X.get(event_type, event_type))


def from_provider_0x(event_type: str, reason: str) -> tuple[VehicleState, EventType] | None:
    """State and event of a provider 0.4 status change; None for a pair unknown to the standard."""
    return _PROVIDER_04.get((event_type, reason))


def from_agency_0x(event_type: str, reason: str = "") -> tuple[VehicleState, EventType] | None:
    """State and event of an agency 0.4 event; None for a pair unknown to the standard."""
    return _AGENCY_04.get((event_type, reason)) or _AGENCY_04.get((event_type, ""))


def _cause_of_standing(event_types: Sequence[str]) -> EndCause:
    for event in (_E.BATTERY_LOW, _E.MAINTENANCE, _E.OFF_HOURS, _E.SYSTEM_SUSPEND):
        if event in event_types:
            return EndCause(event.value)
    return EndCause.UNSPECIFIED
