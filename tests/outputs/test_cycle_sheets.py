"""The sheets about operating cycles: rows of the ledger as a planner reads them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
from tests.fleet.test_operational_time import ledger as short_ledger

from fleetdesk.fleet.cycle_length import cycle_length
from fleetdesk.fleet.operational_time import DAYPARTS, SUPPORT, operational_time
from fleetdesk.outputs.charts import survival_sheet
from fleetdesk.outputs.tables import ledger_sheet, operational_time_sheet
from fleetdesk.outputs.tables.cycles import SHOWN
from fleetdesk.settings.starter import starter_settings
from fleetdesk.sheets.base import ResultSheet, WritePlan
from fleetdesk.sheets.memory import MemoryWorkbook

SETTINGS = starter_settings("Larissa", "Europe/Athens", "EUR")
T0 = datetime(2024, 6, 3)


def cycle(number: int, **more: Any) -> dict[str, Any]:
    return {
        "vehicle_id": "v7", "cycle_no": number, "started_at": T0 + timedelta(hours=10 * number),
        "ended_at": T0 + timedelta(hours=10 * number + 8), "end_cause": "swapped",
        "event_observed": True, "start_cause": "drop-off", "start_observed": True,
        "start_declared": True, "end_declared": False, "entry_age_h": 0.0,
        "operational_h": 8.0, "pending_h": 1.0, "task_h": 0.5, "paused_h": 0.0, "trips": 4,
        "revenue": 12.0, "net_revenue": 9.0, "entry_battery_pct": 95.0,
        "exit_battery_pct": None, "battery_used_pct": 40.0, "entry_cell": "sx0r4n1",
        "exit_cell": "sx0r4n2",
    } | more  # fmt: skip


def rows(sheet: ResultSheet) -> list[dict[str, Any]]:
    headers = [column.header for column in sheet.columns]
    return [dict(zip(headers, row, strict=True)) for row in sheet.rows]


def test_each_cycle_is_a_row_the_latest_first_in_local_time():
    running = cycle(2, end_cause="end_of_data", event_observed=False, end_declared=True)
    sheet = ledger_sheet(pa.Table.from_pylist([cycle(1), running]), SETTINGS)
    latest, first = rows(sheet)
    assert (latest["Cycle"], first["Cycle"]) == ("v7 #2", "v7 #1")
    assert first["Started"] == datetime(2024, 6, 3, 13)  # 10:00 UTC in Athens
    assert (first["Censored?"], first["End declared?"], first["Ended by"]) == (
        "no", "no", "swapped",
    )  # fmt: skip
    assert (latest["Censored?"], latest["End declared?"], latest["Ended by"]) == (
        "yes", None, "end of data",
    )  # fmt: skip
    assert (first["Gross revenue (EUR)"], first["Net revenue (EUR)"], first["Trips"]) == (12, 9, 4)
    assert (first["Battery at entry (%)"], first["Battery at exit (%)"]) == (95, None)
    assert "2 cycles" in sheet.note and "1 censored" in sheet.note and "1 ended by" in sheet.note


def test_only_the_latest_are_shown_and_the_note_says_of_how_many():
    many = pa.Table.from_pylist([cycle(number) for number in range(SHOWN + 7)])
    sheet = ledger_sheet(many, SETTINGS)
    assert len(sheet.rows) == SHOWN
    assert rows(sheet)[0]["Cycle"] == f"v7 #{SHOWN + 6}"
    assert f"{SHOWN} of {SHOWN + 7} cycles" in sheet.note


def test_operational_time_stands_beside_that_of_paris():
    groups = operational_time(
        short_ledger(("sx0r4n1", 5, [10.0, 50.0] * SUPPORT, True), ("sx0r5xx", 5, [9.0], True)),
        SETTINGS,
    )
    sheet = operational_time_sheet(groups, SETTINGS)
    city, few = rows(sheet)[0], rows(sheet)[-1]
    assert city["Shorter than 12 h (%)"] == 100 * (SUPPORT + 1) / (2 * SUPPORT + 1)
    assert city["Paris, shorter than 12 h (%)"] == 19
    assert (city["At risk at 12 h"], city["At risk at 48 h"]) == (SUPPORT, SUPPORT)
    assert (few["Where it began"], few["Cycles ended"]) == ("sx0r5x", 1)
    assert few["Curve of"].startswith("City")


def test_dayparts_with_enough_cycles_have_a_curve_beside_the_whole_days():
    table = short_ledger(("sx0r4n1", 5, [10.0] * SUPPORT, True), ("sx0r4n1", 9, [20.0], True))
    groups = operational_time(table, SETTINGS)
    length = cycle_length(table["entry_age_h"], table["operational_h"], table["event_observed"])
    sheet = survival_sheet(length, SETTINGS, groups)
    at_9 = next(row for row in rows(sheet) if row["Operational hours (h)"] == 9)
    at_15 = next(row for row in rows(sheet) if row["Operational hours (h)"] == 15)
    assert [at_9[part] for part in DAYPARTS] == [None, 100, None, None]
    assert at_15[DAYPARTS[1]] == 0
    assert at_15["Cycles still running (%)"] > 0


def test_full_or_empty_each_can_be_written():
    full = pa.Table.from_pylist([cycle(1)])
    for sheets in (
        (ledger_sheet(full, SETTINGS), operational_time_sheet([], SETTINGS)),
        (ledger_sheet(None, SETTINGS),),
    ):
        book = MemoryWorkbook({"City": {}})
        book.commit(WritePlan(sheets), book.snapshot().fingerprint)
        assert book.charts("Operating cycles") == (sheets[0].charts if sheets[0].rows else ())
