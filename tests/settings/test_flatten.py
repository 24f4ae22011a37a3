"""Flat keys for the run log, and what changed between two runs."""

from __future__ import annotations

from datetime import date, time

from fleetdesk.settings.fields import SECTIONS, inputs_of
from fleetdesk.settings.flatten import changes, flatten
from fleetdesk.settings.schema import FORMS, LISTS


def test_keys_are_what_a_planner_reads(settings):
    flat = flatten(settings)
    assert flat["Weights: Low battery"] == 0.35
    assert flat["Workers & vans: Maria: Shift ends"] == "16:00"
    assert flat["Parkings: P2: Capacity"] == 20
    assert flat["Thresholds: Fill parkings below minimum"] == "yes"
    assert flat["City: Day to plan"] == ""


def test_every_setting_has_its_own_key(settings):
    forms = sum(len(inputs_of(kind)) for kind in FORMS.values())
    lists = sum(
        len(getattr(settings, section)) * len(inputs_of(SECTIONS[section])) for section in LISTS
    )
    assert len(flatten(settings)) == forms + lists


def test_no_label_holds_the_colon_that_parts_a_key():
    labels = [entry.label for kind in SECTIONS.values() for entry in inputs_of(kind)]
    assert not [label for label in labels if ":" in label]


def test_changes_name_old_and_new(settings):
    city = settings.city.model_copy(update={"plan_day": date(2026, 5, 1)})
    weights = settings.weights.model_copy(update={"low_battery": 0.5})
    maria, nikos = settings.workers
    maria = maria.model_copy(update={"shift_end": time(17, 30), "active": False})
    new = settings.model_copy(update={"city": city, "weights": weights, "workers": (nikos, maria)})
    assert [str(change) for change in changes(flatten(settings), flatten(new))] == [
        "City: Day to plan: empty -> 2026-05-01",
        "Weights: Low battery: 0.35 -> 0.5",
        "Workers & vans: Maria: Working: yes -> no",
        "Workers & vans: Maria: Shift ends: 16:00 -> 17:30",
    ]


def test_a_row_that_came_or_went_is_one_change(settings):
    tower = settings.parkings[2].model_copy(update={"parking_id": "P4"})
    new = settings.model_copy(update={"parkings": (*settings.parkings[:2], tower)})
    assert [str(change) for change in changes(flatten(settings), flatten(new))] == [
        "Parkings: P4: added",
        "Parkings: P3: removed",
    ]


def test_nothing_changed_is_no_change(settings):
    again = settings.model_copy(update={"parkings": settings.parkings[::-1]})
    assert changes(flatten(settings), flatten(again)) == ()
