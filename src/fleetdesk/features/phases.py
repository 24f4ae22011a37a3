"""The phase of an operating cycle as column expressions; the meaning is that of model.mds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import ibis

from fleetdesk.model.mds import (
    DROP_OFFS,
    EVENT_JOIN,
    OBSERVED_ENDS,
    OPERATIONAL_STATES,
    SUSPENSIONS,
    EndCause,
    EventType,
    Phase,
    VehicleState,
)

RENEWING = (EventType.BATTERY_CHARGED, *sorted(DROP_OFFS))
"""After these the charge is another one than before."""


def phase(state: Any, types: Any) -> Any:
    """The phase of each event's state: `model.mds.phase_of` over columns."""
    weighty = has_any(types, (EventType.BATTERY_LOW, EventType.MAINTENANCE))
    suspended = has_any(types, SUSPENSIONS) & ~weighty
    return ibis.cases(
        (state.isin(_values(OPERATIONAL_STATES)), Phase.OPERATIONAL.value),
        (state == VehicleState.REMOVED.value, Phase.TASK.value),
        ((state == VehicleState.NON_OPERATIONAL.value) & ~suspended, Phase.PENDING.value),
        else_=Phase.CENSORED.value,
    )


def end_cause(state: Any, types: Any) -> Any:
    """Why operation is over in this state: `model.mds.end_cause` over columns."""
    standing = state == VehicleState.NON_OPERATIONAL.value
    named = (
        EventType.BATTERY_LOW,
        EventType.MAINTENANCE,
        EventType.OFF_HOURS,
        EventType.SYSTEM_SUSPEND,
    )
    return ibis.cases(
        *((standing & has(types, event), event.value) for event in named),
        (state == VehicleState.REMOVED.value, EndCause.COLLECTED.value),
        (state == VehicleState.MISSING.value, EndCause.MISSING.value),
        (state == VehicleState.NON_CONTACTABLE.value, EndCause.COMMS_LOST.value),
        (state == VehicleState.ELSEWHERE.value, EndCause.LEFT_JURISDICTION.value),
        else_=EndCause.UNSPECIFIED.value,
    )


def is_observed(cause: Any) -> Any:
    """Whether an end cause was seen to happen, as against the view being lost."""
    return cause.isin(_values(OBSERVED_ENDS))


def has(types: Any, event: EventType) -> Any:
    """Whether a (compound) event is of this type."""
    return (EVENT_JOIN + types + EVENT_JOIN).contains(f"{EVENT_JOIN}{event.value}{EVENT_JOIN}")


def has_any(types: Any, events: Iterable[EventType]) -> Any:
    """Whether a (compound) event is of any of these types."""
    first, *others = sorted(events)
    found = has(types, first)
    for event in others:
        found = found | has(types, event)
    return found


def _values(members: Iterable[Any]) -> list[str]:
    return sorted(member.value for member in members)
