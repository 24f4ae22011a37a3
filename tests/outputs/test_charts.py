"""The small sheets with charts, from days whose answers can be counted by hand."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from fleetdesk.fleet.cycle_length import CycleLength, cycle_length
from fleetdesk.model.plan import LimitWorth, Pause, PauseKind, Plan
from fleetdesk.outputs.charts import (
    availability_sheet,
    battery_sheet,
    left_out_sheet,
    load_profile_sheet,
    survival_sheet,
    workload_sheet,
)
from fleetdesk.outputs.charts_day import shift_picture, spans
from fleetdesk.outputs.palette import contrast, palette
from fleetdesk.outputs.tables import limits_sheet
from fleetdesk.sheets.base import ResultSheet, WritePlan
from fleetdesk.sheets.memory import MemoryWorkbook

NOTHING = Plan((), (), "pyvrp", "estimated", 1, 0)


def all_sheets(day) -> list[ResultSheet]:
    return [
        battery_sheet(day.fleet, day.settings),
        availability_sheet(day.fleet, day.settings),
        workload_sheet(day.plan, day.vans, day.settings),
        load_profile_sheet(day.plan, day.settings),
        limits_sheet((LimitWorth("one more worker", 5250, 12),), day.settings),
        left_out_sheet(day.tasks, day.rois, day.plan, day.settings),
        survival_sheet(cycle_length([0, 0, 0], [10, 30, 50], [1, 1, 0]), day.settings),
    ]


def empty_sheets(day) -> list[ResultSheet]:
    return [
        battery_sheet([], day.settings),
        availability_sheet([], day.settings),
        workload_sheet(NOTHING, [], day.settings),
        load_profile_sheet(NOTHING, day.settings),
        limits_sheet((), day.settings),
        left_out_sheet([], {}, NOTHING, day.settings),
        survival_sheet(CycleLength((), (), 0, 0, 0.0), day.settings),
    ]


def rows(sheet: ResultSheet) -> list[dict]:
    headers = [column.header for column in sheet.columns]
    return [dict(zip(headers, row, strict=True)) for row in sheet.rows]


def with_batteries(day, *charges):
    return [replace(day.fleet[0], vehicle_id=str(i), battery_pct=c) for i, c in enumerate(charges)]


def test_every_vehicle_with_a_known_charge_is_in_one_band_and_one_grade(day):
    fleet = with_batteries(day, 0, 9.9, 10, 25, 30, 30.1, 99.9, 100, None)
    sheet = battery_sheet(fleet, day.settings)
    table = {row["Charge (%)"]: row for row in rows(sheet)}
    assert [row["Vehicles"] for row in rows(sheet)] == [2, 1, 1, 2, 0, 0, 0, 0, 0, 2]
    assert table["0–10"]["Too low to rent"] == 2
    assert table["10–20"]["Low"] == 1
    assert table["30–40"]["Enough"] == 2
    assert sheet.charts[0].note == "4 of 8 vehicles are below 30 %. 1 more have no known charge."


def test_a_band_that_a_threshold_cuts_shows_both_grades(day):
    limits = day.settings.thresholds.model_copy(update={"low_battery_pct": 25.0})
    settings = day.settings.model_copy(update={"thresholds": limits})
    row = rows(battery_sheet(with_batteries(day, 21, 24, 25, 26), settings))[2]
    assert (row["Low"], row["Enough"], row["Vehicles"]) == (2, 2, 4)


def test_causes_are_counted_once_and_the_most_frequent_is_first(day):
    states = ["available", "available", "on_trip", "removed", "on_trip", "elsewhere"]
    fleet = [
        replace(day.fleet[0], vehicle_id=str(i), vehicle_state=state, battery_pct=80.0)
        for i, state in enumerate(states)
    ]
    fleet[1] = replace(fleet[1], battery_pct=3.0)
    sheet = availability_sheet(fleet, day.settings)
    table = {row["Cause"]: row["Vehicles"] for row in rows(sheet)}
    assert next(iter(table)) == "On a trip"
    assert table == {
        "On a trip": 2, "Charge too low": 1, "With a crew": 1, "Out of sight": 1,
        "Reserved": 0, "Out of service": 0,
    }  # fmt: skip
    assert sheet.charts[0].note == "1 of 6 vehicles (17 %) can be rented now."


def test_planned_and_left_out_add_up_to_all_tasks(day):
    sheet = left_out_sheet(day.tasks, day.rois, day.plan, day.settings)
    table = rows(sheet)
    assert [(row["Outcome"], row["Tasks"]) for row in table] == [
        ("Planned", 4), ("Detour costs more than it brings", 1),
    ]  # fmt: skip
    money = sum(row["ROI, fleet-level net (EUR)"] for row in table)
    assert money == pytest.approx(sum(roi.roi for roi in day.rois.values()))
    assert len(sheet.charts) == 2


def test_the_hours_of_a_shift_add_up(day):
    third = replace(day.vans[0], worker="Idle")
    table = rows(workload_sheet(day.plan, (*day.vans, third), day.settings))
    hours = (
        "Driving (h)", "Work at stops (h)", "Loading batteries (h)", "Waiting (h)", "Breaks (h)",
        "Shift left (h)",
    )  # fmt: skip
    for row in table:
        assert sum(row[name] for name in hours) == pytest.approx(8.0)
    assert table[0]["Driving (h)"] == pytest.approx(4 * 240 / 3600)
    assert table[0]["Most vehicles on board"] == 1
    assert (table[2]["Worker"], table[2]["Shift left (h)"]) == ("Idle", 8.0)


def test_the_profits_of_the_workers_add_up_to_that_of_the_plan(day):
    idle = replace(day.vans[0], worker="Idle")
    table = rows(workload_sheet(day.plan, (*day.vans, idle), day.settings))
    assert round(sum(row["Profit (EUR)"] for row in table) * 1000) == day.plan.profit_milli
    for row in table:
        left = row["Tasks bring (EUR)"] - row["Driving costs (EUR)"]
        assert left - row["Working time costs (EUR)"] == pytest.approx(row["Profit (EUR)"])


def test_a_break_is_neither_work_nor_driving(day):
    paused = replace(day.plan, routes=(with_pauses(day.plan.routes[0]), day.plan.routes[1]))
    before, after = (
        rows(workload_sheet(plan, day.vans, day.settings))[0] for plan in (day.plan, paused)
    )
    assert after["Breaks (h)"] == pytest.approx(0.1) and before["Breaks (h)"] == 0
    assert after["Loading batteries (h)"] == pytest.approx(2 / 60)
    spent_h = before["Work at stops (h)"] - after["Work at stops (h)"]
    assert spent_h == pytest.approx(0.1 + 2 / 60)


def with_pauses(route):
    first = route.visits[0]
    at = first.leave_at
    pause = Pause(PauseKind.BREAK, first.at, at, at + timedelta(minutes=6), 1, 39)
    reload_end = route.visits[-1].leave_at + timedelta(minutes=2)
    full = Pause(PauseKind.RELOAD, first.at, route.visits[-1].leave_at, reload_end, 3, 40)
    return replace(route, pauses=(pause, full))


def test_the_spans_of_a_shift_leave_no_gap(day):
    for route in (*day.plan.routes, with_pauses(day.plan.routes[0])):
        found = list(spans(route))
        assert (found[0].start, found[-1].end) == (route.start_at, route.end_at)
        assert all(one.end == other.start for one, other in pairwise(found))
    kinds = [span.what for span in spans(with_pauses(day.plan.routes[0]))]
    assert "break" in kinds and "loading batteries" in kinds


def test_the_shifts_are_drawn_for_whoever_works(day):
    picture = shift_picture(day.plan, day.vans, day.settings)
    assert picture.png.startswith(b"\x89PNG") and "Ελένη, Nikos" in picture.alt
    assert picture == shift_picture(day.plan, day.vans, day.settings)
    assert shift_picture(Plan((), (), "", "", 1, 0), (), day.settings) is None
    odd = tuple(replace(van, worker="$x^{$") for van in day.vans)
    assert shift_picture(Plan((), (), "", "", 1, 0), odd, day.settings)
    nobody_out = shift_picture(Plan((), (), "", "", 1, 0), day.vans, day.settings)
    assert nobody_out.png != picture.png


def test_the_load_follows_the_stops_and_reloads(day):
    sheet = load_profile_sheet(day.plan, day.settings)
    table = {row["Time"]: row for row in rows(sheet)}
    assert table["09:00"]["Ελένη: on board"] == 0
    assert table["09:00"]["Ελένη: batteries"] == 40, "before the first swap"
    assert (table["09:30"]["Ελένη: on board"], table["09:30"]["Ελένη: batteries"]) == (1, 38)
    assert table["10:00"]["Ελένη: on board"] is None, "home by then"
    assert len(sheet.charts) == 2
    reloaded = replace(day.plan, routes=(with_pauses(day.plan.routes[0]),))
    last = {row["Time"]: row for row in rows(load_profile_sheet(reloaded, day.settings))}
    assert last["09:45"]["Ελένη: batteries"] == 40
    assert load_profile_sheet(Plan((), (), "", "", 1, 0), day.settings).rows == []


def test_limits_come_by_their_worth_and_say_when_none_holds(day):
    worths = (LimitWorth("ten more batteries", 0, 0), LimitWorth("one more worker", 5250, 12))
    sheet = limits_sheet(worths, day.settings)
    assert [(r["If there were"], r["Profit more (EUR)"]) for r in rows(sheet)] == [
        ("one more worker", 5.25), ("ten more batteries", 0.0),
    ]  # fmt: skip
    assert "do not add up" in sheet.note
    assert "Below 0" not in sheet.note
    dear = LimitWorth("one more hour for every worker", -250, 3)
    assert "Below 0" in limits_sheet((*worths, dear), day.settings).note
    assert "brings nothing" in limits_sheet(worths[:1], day.settings).note
    assert limits_sheet((), day.settings).note == "Not worked out for this plan."


def test_the_curve_begins_at_100_and_steps_where_cycles_end(day):
    sheet = survival_sheet(cycle_length([0, 0, 0, 0], [10, 20, 20, 40], [1, 1, 0, 1]), day.settings)
    table = {row["Operational hours (h)"]: row["Cycles still running (%)"] for row in rows(sheet)}
    assert (table[0.0], table[9.0], table[10.0]) == (100, 100, pytest.approx(75))
    assert table[20.0] == pytest.approx(50)
    assert table[40.0] == 0
    assert list(table) == [float(hour) for hour in range(41)]
    assert "3 cycles ended, 1 still run or went out of sight." in sheet.note


def test_a_long_tail_is_cut_and_the_rows_stay_few(day):
    hours = [*(0.1 * i for i in range(1, 2000)), 5000.0]
    sheet = survival_sheet(cycle_length([0] * 2000, hours, [1] * 2000), day.settings)
    last = sheet.rows[-1]
    assert 190 <= last[0] <= 205
    assert len(sheet.rows) <= 121


@pytest.mark.parametrize("make", [all_sheets, empty_sheets])
def test_every_sheet_can_be_written_and_its_charts_name_its_columns(day, make):
    book = MemoryWorkbook({"City": {}})
    sheets = make(day)
    book.commit(WritePlan(tuple(sheets)), book.snapshot().fingerprint)
    for sheet in sheets:
        assert book.charts(sheet.sheet) == (sheet.charts if sheet.rows else ())


def test_charts_speak_with_units_and_in_the_palettes_colours(day):
    colours = palette()
    allowed = {*colours.categories, *colours.battery, colours.below, colours.alert}
    for sheet in all_sheets(day):
        assert sheet.charts
        for chart in sheet.charts:
            assert chart.x_title and chart.y_title and chart.note
            assert chart.title in chart.alt_text
            used = [series.colour for series in chart.series]
            assert set(used) <= allowed
            assert len(set(used)) == len(used)
            assert all(re.fullmatch("#[0-9A-F]{6}", colour) for colour in used)
            assert all(contrast(colour, "#FFFFFF") > 1.5 for colour in used)


def test_titles_do_not_change_with_the_result(day):
    """Charts are found again by their titles when a program gave them new names."""
    full = [chart.title for sheet in all_sheets(day) for chart in sheet.charts]
    empty = [chart.title for sheet in empty_sheets(day) for chart in sheet.charts]
    assert full == empty
    assert len(set(full)) == len(full)
