from __future__ import annotations

import json
import re

import pytest

from fleetdesk.model.mds import (
    OBSERVED_ENDS,
    TRANSITIONS,
    EndCause,
    EventType,
    Phase,
    VehicleState,
    end_cause,
    from_agency_0x,
    from_provider_0x,
    modern_event,
    modern_state,
    phase_of,
)


def test_every_event_leads_somewhere():
    assert set(TRANSITIONS) == set(EventType)
    assert all(TRANSITIONS.values())


@pytest.mark.parametrize(
    ("state", "events", "phase", "cause"),
    [
        ("available", ["trip_end"], Phase.OPERATIONAL, None),
        ("reserved", ["reservation_start"], Phase.OPERATIONAL, None),
        ("on_trip", ["comms_restored"], Phase.OPERATIONAL, None),
        ("non_operational", ["battery_low"], Phase.PENDING, EndCause.BATTERY_LOW),
        ("non_operational", ["trip_end", "battery_low"], Phase.PENDING, EndCause.BATTERY_LOW),
        ("non_operational", ["maintenance"], Phase.PENDING, EndCause.MAINTENANCE),
        ("available", ["maintenance"], Phase.OPERATIONAL, None),
        ("non_operational", ["off_hours"], Phase.CENSORED, EndCause.OFF_HOURS),
        ("non_operational", ["system_suspend"], Phase.CENSORED, EndCause.SYSTEM_SUSPEND),
        ("non_operational", ["unspecified"], Phase.CENSORED, EndCause.UNSPECIFIED),
        ("non_operational", ["comms_restored"], Phase.PENDING, EndCause.UNSPECIFIED),
        ("removed", ["rebalance_pick_up"], Phase.TASK, EndCause.COLLECTED),
        ("removed", ["maintenance_pick_up"], Phase.TASK, EndCause.COLLECTED),
        ("removed", ["decommissioned"], Phase.TASK, EndCause.COLLECTED),
        ("missing", ["not_located"], Phase.CENSORED, EndCause.MISSING),
        ("non_contactable", ["comms_lost"], Phase.CENSORED, EndCause.COMMS_LOST),
        ("elsewhere", ["trip_leave_jurisdiction"], Phase.CENSORED, EndCause.LEFT_JURISDICTION),
        ("of another standard", [], Phase.CENSORED, EndCause.UNSPECIFIED),
    ],
)
def test_phase_and_end_cause(state, events, phase, cause):
    assert phase_of(state, events) is phase
    assert end_cause(state, events) is cause


def test_censored_causes_are_not_observed():
    assert not OBSERVED_ENDS & {
        EndCause.OFF_HOURS,
        EndCause.SYSTEM_SUSPEND,
        EndCause.COMMS_LOST,
        EndCause.LEFT_JURISDICTION,
        EndCause.UNSPECIFIED,
        EndCause.END_OF_DATA,
    }


def test_names_of_1x():
    assert modern_state("unknown", ["missing"]) == "missing"
    assert modern_state("unknown", ["comms_lost"]) == "non_contactable"
    assert modern_state("available") == "available"
    assert modern_event("missing") == "not_located"
    assert modern_event("trip_end") == "trip_end"


def test_names_of_0x():
    assert from_provider_0x("unavailable", "low_battery") == ("non_operational", "battery_low")
    assert from_provider_0x("available", "low_battery") is None
    assert from_agency_0x("provider_pick_up", "charge") == ("removed", "maintenance_pick_up")
    assert from_agency_0x("trip_start", "noise") == ("on_trip", "trip_start")


def test_old_names_land_on_legal_transitions():
    from fleetdesk.model import mds

    for state, event in (*mds._PROVIDER_04.values(), *mds._AGENCY_04.values()):
        assert state in TRANSITIONS[event]


@pytest.mark.real_data
def test_vocabulary_agrees_with_the_published_models(shared_data):
    models = shared_data / "mds" / "openapi" / "models"
    states = _listed((models / "data-types" / "vehicle-state.yaml").read_text())
    assert {state.value for state in VehicleState} == states - {"stopped"}  # other modes only
    published = (models / "modes" / "micromobility" / "event.yaml").read_text().split("\nif:")[0]
    for block in published.split("- title: ")[1:]:
        state = re.search(r"const: (\w+)", block).group(1)
        events = _listed(block.split("enum:", 1)[1])
        ours = {event.value for event, into in TRANSITIONS.items() if state in into}
        assert ours == events, state


@pytest.mark.real_data
def test_every_pair_of_provider_04_is_known(shared_data):
    schema = json.loads(
        (shared_data / "mds/v0.4.1/provider/dockless/status_changes.json").read_text()
    )
    items = schema["properties"]["data"]["properties"]["status_changes"]["items"]
    for option in items["allOf"][0]["oneOf"]:
        for reason in option["properties"]["event_type_reason"]["enum"]:
            event_type = option["properties"]["event_type"]["enum"][0]
            assert from_provider_0x(event_type, reason), (event_type, reason)


def _listed(yaml_text: str) -> set[str]:
    return set(re.findall(r"^\s+- (\w+)\s*$", yaml_text, re.MULTILINE))
