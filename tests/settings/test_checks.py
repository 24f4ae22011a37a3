"""What must hold between settings."""

from __future__ import annotations

from datetime import date, time

import pytest

from fleetdesk.settings.checks import cross_checks
from fleetdesk.settings.rows import Row


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        ({("Workers & vans", "A6"): "MARIA"},
         ["'Workers & vans'!A6: 'MARIA' is used twice, also in A5. Give each worker its own."]),
        ({("Parkings", "A7"): "p1"},
         ["Parkings!A7: 'p1' is used twice, also in A5. Give each parking id its own."]),
        ({("Packages", "A8"): "Light rider"},
         ["Packages!A8: 'Light rider' is used twice, also in A5. Give each package its own."]),
        ({("Workers & vans", "E5"): time(8, 0)},
         ["'Workers & vans'!E5: 08:00 is not after the start of the shift, 08:00. "
          "Enter a later time of the same day."]),
        ({("Parkings", "G5"): 21},
         ["Parkings!G5: 21 is above the capacity, 20. Enter at most 20."]),
        ({("Parkings", "H5"): None},
         ["Parkings!H5: 0 (the cell is empty) is below the minimum, 2. Enter at least 2."]),
        ({("Parkings", "H5"): 21},
         ["Parkings!H5: 21 is above the capacity, 20. Enter at most 20."]),
        ({("Thresholds", "B6"): 30},
         ["Thresholds!B6: 30 is not below the low battery limit, 30. Enter less than 30."]),
        ({("Thresholds", "B7"): 25},
         ["Thresholds!B7: 25 is not above the low battery limit, 30. "
          "Enter more than 30, or a swap changes nothing."]),
        ({("Offers", "B5"): "Daily comuter"},
         ["Offers!B5: 'Daily comuter' is not among the packages; did you mean 'Daily Commuter'? "
          "Enter 'Daily Commuter'."]),
        ({("Offers", "B5"): "Gold"},
         ["Offers!B5: 'Gold' is not among the packages. Choose a name from the sheet Packages."]),
        ({("Offers", "E5"): date(2026, 6, 2), ("Offers", "F5"): date(2026, 6, 1)},
         ["Offers!F5: 2026-06-01 is before the offer's first day, 2026-06-02. "
          "Enter a later day or leave it empty."]),
        ({("Weights", f"B{row}"): 0 for row in range(5, 10)},
         ["Weights!B5: all weights are 0. Give at least one reason a weight above 0."]),
    ],
)  # fmt: skip
def test_settings_that_contradict_each_other_stop_the_run(book, edits, expected):
    for (sheet, address), value in edits.items():
        book.set(sheet, address, value)
    assert book.problems() == expected


def test_swaps_can_be_switched_off(book):
    assert book.set("Thresholds", "B5", 0).read().settings.thresholds.low_battery_pct == 0


def test_an_offer_of_one_day_is_legal(book):
    book.set("Offers", "E5", date(2026, 6, 1)).set("Offers", "F5", date(2026, 6, 1))
    assert book.read().warnings == ()


def test_an_unread_package_name_does_not_blame_the_offers(book):
    book.set("Packages", "A6", date(2026, 1, 1))
    assert [problem.address for problem in book.errors()] == ["Packages!A6"]


def test_nobody_working_is_a_warning(book):
    book.set("Workers & vans", "C5", "no").set("Workers & vans", "C6", "no")
    assert [str(w) for w in book.read().warnings] == [
        "'Workers & vans': nobody is working, so no task can be routed. "
        "Set Working to yes for at least one worker."
    ]


def test_swapped_and_far_places_are_warnings(book):
    book.set("Parkings", "C6", 22.92).set("Parkings", "D6", 40.64)
    book.set("Workers & vans", "F5", 37.98).set("Workers & vans", "G5", 23.73)
    assert [str(w) for w in book.read().warnings] == [
        "'Workers & vans'!F5: 37.98, 23.73 is 301 km from the middle of the parkings. "
        "Check latitude and longitude.",
        "Parkings!C6: 22.92, 40.64 is 2572 km from the middle of the parkings. "
        "Latitude and longitude look swapped.",
    ]


def test_a_skill_that_nobody_who_works_has_is_warned_of() -> None:
    rule = {"name": "Brakes", "skill": "mechanic", "active": True}
    rules = [Row("Task rules", rule, {"skill": 7}, 5)]

    def told(*skills: str) -> list[str]:
        crew = [Row("Workers & vans", {"skills": text, "active": True}) for text in skills]
        found = cross_checks({"task_rules": rules, "workers": crew})
        return [str(problem) for problem in found if problem.sheet == "Task rules"]

    (warning,) = told("driver", "")
    assert "'Task rules'!G5" in warning and "nobody who works" in warning
    assert told("driver, mechanic") == []
    assert told("Mechanic") != [], "as it is written"


def test_two_parkings_at_one_place_are_told(book):
    book.set("Parkings", "C7", 40.64).set("Parkings", "D7", 22.92)
    assert [str(w) for w in book.read().warnings] == [
        "Parkings!C7: 'Tower' stands where 'Station' does (C6), and vehicles there count for one "
        "of them alone. Correct a position, or make one of them not in use."
    ]
    book.set("Parkings", "I7", "no")
    assert book.read().warnings == ()


def test_defaults_that_empty_cells_take_are_told(book):
    book.set("Workers & vans", "D5", None).set("Workers & vans", "E5", None)
    (note,) = book.read().warnings
    assert str(note) == (
        "'Workers & vans'!D5: Empty, so this is taken: Shift starts 08:00, Shift ends 16:00. "
        "Enter what shall hold."
    )
    book.set("Workers & vans", "D6", None).set("Workers & vans", "E6", None)
    book.set("Thresholds", "B5", None)
    of_form, of_list = book.read().warnings
    assert (of_form.sheet, of_form.cell) == ("Thresholds", "B5")
    assert "Low battery below 30" in of_form.expected
    assert of_list.found == "Empty in 2 rows,"
