"""The account of imports as a sheet that adds up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from fleetdesk.model.findings import Done, Finding
from fleetdesk.model.quality import DroppedRows, QualityReport
from fleetdesk.outputs.tables import ImportAccount, quality_sheet
from fleetdesk.outputs.tables.quality import ALL, SHOWN
from fleetdesk.settings.starter import starter_settings
from fleetdesk.sheets.base import CellStyle

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
SETTINGS = starter_settings("Larissa", "Europe/Athens", "EUR")
FEED = QualityReport(
    "feed.csv", 10, 7,
    (DroppedRows("no id", 2, ("row 3", "row 9")), DroppedRows("off the earth", 1)),
    ("Battery was worked out.",), {"vehicles": 3},
)  # fmt: skip


def rows(*accounts: ImportAccount, findings: tuple[Finding, ...] = ()) -> list[dict[str, Any]]:
    sheet = quality_sheet(accounts, SETTINGS, findings)
    headers = [column.header for column in sheet.columns]
    return [dict(zip(headers, row, strict=True)) for row in sheet.rows]


def test_every_reason_has_its_row_and_the_parts_add_up() -> None:
    later = ImportAccount(NOON + timedelta(hours=1), QualityReport("trips", 5, 5))
    found = rows(ImportAccount(NOON, FEED), later)
    sums = [(r["What"], r["Rows"]) for r in found if r["Source"] == ALL]
    assert sums == [("came in", 15), ("kept", 12), ("left out", 3)]
    assert [r["Source"] for r in found[3:5]] == ["trips", "trips"]  # the latest first
    feed = [r for r in found if r["Source"] == "feed.csv"]
    reasons = {r["Why"]: r for r in feed if r["What"] == "left out"}
    assert reasons["for all reasons"]["Rows"] == 3
    assert reasons["no id"]["Rows"] == 2 and reasons["no id"]["Share of rows (%)"] == 20.0
    assert reasons["no id"]["Examples"] == "row 3\nrow 9"
    assert [(r["What"], r["Why"], r["Rows"]) for r in feed[-2:]] == [
        ("figure", "vehicles", 3), ("note", "Battery was worked out.", None),
    ]  # fmt: skip
    assert feed[0]["Imported"] == datetime(2024, 5, 1, 15)  # Athens


def test_only_the_latest_are_shown_and_none_is_fine() -> None:
    many = [ImportAccount(NOON + timedelta(days=n), FEED) for n in range(SHOWN + 5)]
    found = rows(*many)
    assert found[0]["Rows"] == 10 * SHOWN
    assert rows() == []


def test_counts_have_no_decimals_unless_a_figure_has_some() -> None:
    mean = QualityReport("feed.csv", 10, 10, facts={"median": 44.5})
    styles = [
        quality_sheet([ImportAccount(NOON, report)], SETTINGS).columns[4].style
        for report in (FEED, mean)
    ]
    assert styles == [CellStyle.INTEGER, CellStyle.DECIMAL]


def test_what_a_run_found_stands_between_the_sums_and_the_imports() -> None:
    wrong = Finding("trips", "negative revenue", Done.LEFT_OUT, 2, 400, ("t7", "t9"))
    found = rows(ImportAccount(NOON, FEED), findings=(wrong,))[3]
    assert (found["Source"], found["What"], found["Why"]) == (
        "This run: trips", "left out", "negative revenue",
    )  # fmt: skip
    assert (found["Rows"], found["Share of rows (%)"]) == (2, 0.5)
    assert found["Examples"] == "t7\nt9"
    assert [row["What"] for row in rows(findings=(wrong,))] == ["left out"]
