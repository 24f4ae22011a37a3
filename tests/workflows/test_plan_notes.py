"""What is said about a plan though it stopped nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from fleetdesk.model.findings import Done, Finding
from fleetdesk.model.places import Point
from fleetdesk.model.plan import Action, Plan, Route, Visit
from fleetdesk.settings.schema import Settings
from fleetdesk.workflows.plan_notes import (
    _at_a_loss,
    _settings_without_use,
    _stays,
    about_faults,
)

AT = datetime(2026, 6, 17, 6, tzinfo=UTC)


def plan_of(*, value_milli: int) -> Plan:
    visit = Visit(
        task_id="V1 swap", action=Action.SWAP, vehicle_id="V1", at=Point(40.6, 22.9), place="P",
        arrive_at=AT, leave_at=AT, wait_s=0, leg_m=0, leg_s=0, load_vehicles=0, batteries_left=1,
    )  # fmt: skip
    route = Route("Maria", (visit,), AT, AT, 0, 60, 0, 0, value_milli, 0, 0, 1000)
    return Plan((route,), (), engine="", travel_times="", seed=1, iterations=1)


@pytest.mark.parametrize(
    ("must", "bonus", "says"),
    [
        (True, 1.0, "because the bonus at priority 100 is 1 EUR and 1 of them must be done"),
        (True, 0.0, "because 1 of them must be done. Clear Must do"),
        (False, 1.0, "because the bonus at priority 100 is 1 EUR"),
        (False, 0.0, "because edits keep tasks on the routes"),
    ],
)
def test_a_loss_is_put_down_to_what_made_it(must: bool, bonus: float, says: str) -> None:
    settings = Settings()
    weights = settings.weights.model_copy(update={"bonus_at_full_priority": bonus})
    settings = settings.model_copy(update={"weights": weights})
    tasks = [SimpleNamespace(task_id="V1 swap", must=must)]
    (note,) = _at_a_loss(plan_of(value_milli=0), tasks, settings)
    assert says in str(note)
    assert _at_a_loss(plan_of(value_milli=1000), tasks, settings) == ()


@pytest.mark.parametrize(
    ("estimator", "wanted", "rounds", "fine", "told"),
    [
        ("v0 E[min], net", "Method 2", 100, False, ["v0 E[min] has no margins"]),
        ("Method 1, gross", "Method 1", 0, True, ["Method 1 has no finer cells"]),
        ("v0 min, net", "v0 min", 9, True, ["v0 min has no margins", "v0 min has no finer cells"]),
        ("v0 min, net", "v0 min", 0, False, []),
        ("Method 2, net", "Method 2", 100, True, []),
    ],
)
def test_settings_that_the_estimator_has_no_use_for_are_named(
    estimator: str, wanted: str, rounds: int, fine: bool, told: list[str]
) -> None:
    update = {"estimator": wanted, "bootstrap_rounds": rounds, "fine_cells": fine}
    thresholds = Settings().thresholds.model_copy(update=update)
    notes = _settings_without_use(estimator, Settings(thresholds=thresholds))
    assert [str(note).split(": ")[1] for note in notes] == told
    assert all(("Choose Method 2" in str(note)) == (wanted != "Method 2") for note in notes)


def test_a_fault_that_many_rows_have_is_told_at_once() -> None:
    faults = [
        Finding("trips", "negative revenue", Done.LEFT_OUT, 10, 100),
        Finding("events", "battery below 0 or above 100 %", Done.BLANKED, 100, 100),
        Finding("telemetry", "a bad clock", Done.LEFT_OUT, 9, 100),
        Finding("sightings", "a bad clock", Done.LEFT_OUT, 0, 0),
    ]
    first, second = about_faults(faults)
    assert "10 % of the trips were left out: negative revenue" in str(first)
    assert "100 % of the events have a value that was ignored: battery below" in str(second)


def test_a_van_that_holds_nothing_is_told_from_one_that_does_not_pay() -> None:
    empty = SimpleNamespace(worker="Maria", batteries=0, batteries_full=0, vehicles=0)
    assert _stays(SimpleNamespace(), empty) == "Maria (no batteries, no room for vehicles)"
