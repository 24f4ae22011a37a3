"""A Google Sheet keeps what is the planner's, and shows what is ours as it should."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time
from typing import Any

import pytest
from google_server import KEY, GoogleServer, Refused, Time, check, check_mask

from fleetdesk.errors import WorkbookRefused
from fleetdesk.model.charts import Chart, ChartKind, Series
from fleetdesk.sheets import google_requests, google_values, google_write
from fleetdesk.sheets.base import CellStyle, Link, ResultColumn, ResultSheet, WritePlan
from fleetdesk.sheets.google import GoogleSheet, sheet_key
from fleetdesk.sheets.google_http import SheetsHttp
from fleetdesk.sheets.open import open_workbook

COLUMNS = (
    ResultColumn("Task", CellStyle.TEXT, 12),
    ResultColumn("ROI (EUR)", CellStyle.MONEY, 12),
    ResultColumn("Due", CellStyle.DATETIME, 16),
    ResultColumn("See", CellStyle.LINK, 16),
)
QUOTA_READS = QUOTA_WRITES = 60
"""Calls a minute and person that Google allows each."""


@pytest.fixture
def server() -> Iterator[GoogleServer]:
    server = GoogleServer("Thessaloniki")
    server.add("City", 0)
    server.edit("City", 1, 1, "City")
    server.edit("City", 1, 2, "Thessaloniki")
    yield server
    server.close()


@pytest.fixture
def sheet(server: GoogleServer) -> GoogleSheet:
    waits = Time()
    return GoogleSheet(
        KEY, SheetsHttp(None, server.session(), clock=waits.clock, sleep=waits.sleep)
    )


def tasks(*keys: str, columns: tuple[ResultColumn, ...] = COLUMNS, **more: Any) -> WritePlan:
    row = (12.5, datetime(2024, 5, 1, 8, 30), Link("https://example.org/a", "map"))
    rows = [(key, *row)[: len(columns)] for key in keys]
    return WritePlan((ResultSheet("Tasks", "Today", "Why.", "Tasks", columns, rows, key="Task"),))


def run(sheet: GoogleSheet, plan: WritePlan) -> str:
    """What a run does with its workbook."""
    snapshot = sheet.snapshot()
    prepared = sheet.prepare(plan, snapshot.fingerprint)
    receipt = prepared.switch()
    assert receipt.fingerprint == prepared.after
    return receipt.fingerprint


def test_a_run_is_six_calls_and_stays_far_below_the_quota(
    server: GoogleServer, sheet: GoogleSheet
) -> None:
    run(sheet, tasks("a", "b"))
    assert server.calls == ["get", "get", "drive", "get", "drive", "write"]
    server.edit("Tasks", 5, 6, "call Maria")
    server.calls.clear()
    run(sheet, tasks("b", "a"))
    assert sorted(server.calls) == ["details", "drive", "drive", "get", "get", "get", "write"]
    assert len(server.calls) <= 8
    reads = len([call for call in server.calls if call in ("get", "details")])
    # Drive counts its own calls. Even a run every six seconds fits.
    assert reads * 10 <= QUOTA_READS
    assert server.calls.count("write") * 10 <= QUOTA_WRITES


def test_the_fingerprint_is_known_before_the_write(
    server: GoogleServer, sheet: GoogleSheet
) -> None:
    server.edit("City", 2, 1, "=NOW()")
    for plan in (tasks("a", "b"), tasks("b", "a", "c"), tasks(), tasks("c", columns=COLUMNS[:2])):
        after = run(sheet, plan)
        assert sheet.snapshot().fingerprint == after
        assert sheet.snapshot(names=()).fingerprint == after
        server.edit("Tasks", 5, 6, "note")
        server.edit("Tasks", 20, 2, "below")
        server.edit("Tasks", 6, 7, "=B6*2")


def test_one_content_has_one_fingerprint(server: GoogleServer, sheet: GoogleSheet) -> None:
    server.edit("City", 2, 1, 0.1 + 0.2)
    first = sheet.snapshot().fingerprint
    server.edit("City", 2, 1, 0.3)
    assert sheet.snapshot().fingerprint == first
    for change in (
        lambda: server.edit("City", 2, 1, 0.31),
        lambda: server.edit("City", 2, 1, "0.3"),
        lambda: server.edit("City", 2, 1, True),
        lambda: server.edit("City", 2, 1, "=0.3"),
        lambda: server.rename("City", "Town"),
        lambda: server.add("More", 9),
    ):
        before = sheet.snapshot().fingerprint
        change()
        assert sheet.snapshot().fingerprint != before


def test_dates_are_told_from_numbers_by_their_format(
    server: GoogleServer, sheet: GoogleSheet
) -> None:
    formats = [
        (45413, {"type": "DATE"}),
        (45413.5, {"type": "DATE_TIME", "pattern": "yyyy-mm-dd hh:mm"}),
        (0.25, {"type": "TIME"}),
        (1.25, {"type": "TIME", "pattern": "[h]:mm"}),
        (2, {"type": "DATE"}),
        (45413, {"type": "NUMBER", "pattern": "0"}),
        (45413, {}),
    ]
    for row, (number, shown) in enumerate(formats, start=1):
        server.edit("Times", row, 1, number, userEnteredFormat={"numberFormat": shown})
    cells = sheet.snapshot(["Times"]).sheets["Times"].cells
    assert [cells[row, 1] for row in range(1, 8)] == [
        date(2024, 5, 1), datetime(2024, 5, 1, 12), time(6), 1.25, date(1900, 1, 1), 45413, 45413,
    ]  # fmt: skip


def test_results_of_formulas_and_errors_are_read(server: GoogleServer, sheet: GoogleSheet) -> None:
    error = {"errorValue": {"type": "REF", "message": "gone"}}
    server.edit("City", 2, 1, "=A9", **{"effectiveValue!": error})
    server.edit("City", 3, 1, "=B2*2")
    server.edit("City", 4, 1, None, **{"effectiveValue!": {"stringValue": "spilled"}})
    cells = sheet.snapshot(["City"]).sheets["City"].cells
    assert [cells[row, 1] for row in (2, 3, 4)] == ["#REF!", 21, "spilled"]


def test_everything_of_a_note_follows_its_row(server: GoogleServer, sheet: GoogleSheet) -> None:
    run(sheet, tasks("a", "b"))
    bold = {"textFormat": {"bold": True}}
    choice = {"condition": {"type": "BOOLEAN"}, "strict": True}
    more = {"userEnteredFormat": bold, "note": "since Monday", "dataValidation": choice}
    server.edit("Tasks", 5, 6, "call Maria", **more)
    server.edit("Tasks", 6, 6, "call Nikos")
    run(sheet, tasks("b", "a"))
    assert server.cell("Tasks", 6, 6) == {"userEnteredValue": {"stringValue": "call Maria"}, **more}
    assert server.cell("Tasks", 5, 6) == {"userEnteredValue": {"stringValue": "call Nikos"}}


def test_rows_inserted_above_the_table_are_followed(
    server: GoogleServer, sheet: GoogleSheet
) -> None:
    run(sheet, tasks("a", "b"))
    server.insert_rows("Tasks", 1, 3)
    server.edit("Tasks", 1, 1, "printed Monday")
    run(sheet, tasks("c"))
    cells = sheet.snapshot(["Tasks"]).sheets["Tasks"].cells
    assert (cells[1, 1], cells[7, 1], cells[8, 1]) == ("printed Monday", "Task", "c")
    assert (9, 1) not in cells


def test_a_removed_name_is_made_again(server: GoogleServer, sheet: GoogleSheet) -> None:
    run(sheet, tasks("a"))
    server.state["names"].clear()
    run(sheet, tasks("b"))
    cells = sheet.snapshot(["Tasks"]).sheets["Tasks"].cells
    assert cells[5, 1] == "b"
    assert [name["name"] for name in server.state["names"]] == ["FleetDesk_Tasks"]


def test_merged_cells_in_the_way_are_taken_apart(server: GoogleServer, sheet: GoogleSheet) -> None:
    run(sheet, tasks("a"))
    corner = {"startRowIndex": 5, "endRowIndex": 7, "startColumnIndex": 0, "endColumnIndex": 2}
    beside = {"startRowIndex": 4, "endRowIndex": 6, "startColumnIndex": 6, "endColumnIndex": 8}
    server.page("Tasks")["merges"] = [corner, beside]
    server.edit("Tasks", 5, 7, "stays together")
    run(sheet, tasks("b", "c", "a"))
    assert server.page("Tasks")["merges"] == [beside]
    assert sheet.snapshot().sheets["Tasks"].cells[5, 7] == "stays together"


def test_a_small_grid_grows(server: GoogleServer, sheet: GoogleSheet) -> None:
    run(sheet, tasks("a"))
    run(sheet, tasks(*(f"t{number}" for number in range(300))))
    assert sheet.snapshot().sheets["Tasks"].cells[304, 1] == "t299"


def test_more_cells_than_google_holds_are_refused(server: GoogleServer, sheet: GoogleSheet) -> None:
    server.add("Big", 5, gridProperties={"rowCount": 999_900, "columnCount": 10})
    with pytest.raises(WorkbookRefused, match="more cells"):
        run(sheet, tasks(*(f"t{number}" for number in range(9_000))))
    assert "write" not in server.calls


def test_looks_are_of_the_column_and_of_the_value(server: GoogleServer, sheet: GoogleSheet) -> None:
    columns = (ResultColumn("When", CellStyle.DATETIME), ResultColumn("What", CellStyle.NUMBER))
    rows = [(datetime(2024, 5, 1, 8), 1), (date(2024, 5, 1), 2), (7.5, 3.5)]
    run(sheet, WritePlan((ResultSheet("T", "t", "n", "T", columns, rows),)))

    def shown(row: int, column: int) -> str:
        return str(
            server.cell("T", row, column)["userEnteredFormat"].get("numberFormat", {}).get("type")
        )

    assert [shown(row, 1) for row in (5, 6, 7)] == ["DATE_TIME", "DATE", "None"]
    assert shown(5, 2) == "NUMBER"
    codes = [server.cell("T", row, 2)["userEnteredFormat"]["numberFormat"] for row in (5, 7)]
    assert [code["pattern"] for code in codes] == ["#,##0", "#,##0.00"]
    assert server.cell("T", 4, 1)["userEnteredFormat"]["textFormat"]["bold"]
    grid = server.page("T")["properties"]["gridProperties"]
    assert grid["frozenRowCount"] == 4
    assert server.page("T")["protected"][0]["warningOnly"]


@pytest.mark.parametrize(
    ("target", "uri"),
    [
        ("https://example.org/?a=1", "https://example.org/?a=1"),
        ("mailto:maria@example.org", "mailto:maria@example.org"),
        ("#'City'!B2", "#gid=0&range=B2"),
        ("#City!$B$2", "#gid=0&range=B2"),
        ("#'Tasks'!A1", None),
        ("javascript:alert(1)", ""),
        ("outputs/map.html", ""),
        ("#'Gone'!A1", ""),
    ],
)
def test_links_lead_where_a_browser_can_go(
    target: str, uri: str | None, server: GoogleServer, sheet: GoogleSheet
) -> None:
    columns = (ResultColumn("See", CellStyle.LINK),)
    run(sheet, WritePlan((ResultSheet("T", "t", "n", "T", columns, [(Link(target, "=x"),)]),
                          *tasks("a").sheets)))  # fmt: skip
    cell = server.cell("T", 5, 1)
    assert cell["userEnteredValue"] == {"stringValue": "=x"}
    found = cell["userEnteredFormat"]["textFormat"].get("link", {}).get("uri", "")
    number = server.page("Tasks")["properties"]["sheetId"]
    assert found == (f"#gid={number}&range=A1" if uri is None else uri)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "=HYPERLINK(1)", "'=1"])
def test_text_is_sent_as_text(text: str, server: GoogleServer, sheet: GoogleSheet) -> None:
    run(sheet, WritePlan((ResultSheet("T", text, text, "T", (ResultColumn(text),), [(text,)]),)))
    for row in (1, 2, 4, 5):
        assert server.cell("T", row, 1)["userEnteredValue"] == {"stringValue": text}


def test_no_line_of_ours_can_write_a_formula() -> None:
    for module in (google_values, google_write, google_requests):
        tree = ast.parse(inspect.getsource(module))
        made = [
            key.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Dict)
            for key in node.keys
            if isinstance(key, ast.Constant)
        ]
        assert "formulaValue" not in made


def test_a_table_name_of_the_planner_is_no_trouble(
    server: GoogleServer, sheet: GoogleSheet
) -> None:
    place = {"sheetId": 0, "startRowIndex": 0, "endRowIndex": 1, "startColumnIndex": 0,
             "endColumnIndex": 1}  # fmt: skip
    server.state["names"].append({"namedRangeId": "x", "name": "Tasks", "range": place})
    run(sheet, tasks("a"))
    assert server.state["names"][0]["range"] == place


def test_a_newer_manifest_is_refused(server: GoogleServer, sheet: GoogleSheet) -> None:
    run(sheet, tasks("a"))
    row = next(r for (r, c), cell in server.page("_fleetdesk")["cells"].items()
               if cell.get("userEnteredValue") == {"stringValue": "manifest_version"})  # fmt: skip
    server.edit("_fleetdesk", row + 1, 2, 99)
    with pytest.raises(WorkbookRefused, match="newer FleetDesk"):
        run(sheet, tasks("b"))


@pytest.mark.parametrize(
    ("address", "key"),
    [
        (f"https://docs.google.com/spreadsheets/d/{KEY}/edit#gid=0", KEY),
        (f"https://docs.google.com/spreadsheets/d/{KEY}", KEY),
        (f"https://docs.google.com/spreadsheets/u/1/d/{KEY}/edit?usp=sharing", KEY),
        (f"https:/docs.google.com/spreadsheets/d/{KEY}", KEY),
        (f"gsheet:{KEY}", KEY),
        ("https://docs.google.com/document/d/abcdefghijk", None),
        (f"https://evil.example/docs.google.com/spreadsheets/d/{KEY}", None),
        ("gsheet.xlsx", None),
    ],
)
def test_addresses(address: str, key: str | None) -> None:
    assert sheet_key(address) == key


def test_the_door_opens_a_google_sheet_for_who_is_signed_in() -> None:
    account = {"client_id": "c", "client_secret": "s", "refresh_token": "r"}
    secrets = {"google-account": json.dumps(account)}
    opened = open_workbook(f"gsheet:{KEY}", secrets.get)
    assert isinstance(opened, GoogleSheet) and opened.key == KEY
    with pytest.raises(WorkbookRefused, match="fleetdesk login google"):
        open_workbook(f"gsheet:{KEY}")
    with pytest.raises(WorkbookRefused, match="cannot be used") as refused:
        open_workbook(f"gsheet:{KEY}", {"google-account": "s3cret no json"}.get)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    "body",
    [
        {"requests": [{"updateCell": {}}]},
        {"requests": [{"updateCells": {"fieldz": "note"}}]},
        {"requests": [{"updateCells": {"range": {"sheetId": "0"}}}]},
        {"requests": [{"addSheet": {"properties": {"sheetType": "GRIDS"}}}]},
        {"requests": [{"addSheet": {"properties": {"hidden": 1}}}]},
        {"requests": [{"addSheet": {}, "deleteSheet": {}}]},
    ],
)
def test_the_stand_in_refuses_what_google_does_not_describe(body: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        check(body, "BatchUpdateSpreadsheetRequest")
    with pytest.raises(Refused):
        check_mask("sheets.data.rowDatas", "Spreadsheet")


@pytest.mark.parametrize("kind", list(ChartKind))
def test_a_chart_is_renewed_where_the_planner_has_put_it(
    server: GoogleServer, sheet: GoogleSheet, kind: ChartKind
) -> None:
    chart = Chart(
        kind, "What pays", "Task", "ROI", "EUR", "Task", (Series("ROI (EUR)", "#0072B2"),)
    )
    server.add("Mine", 7)
    server.state["sheets"][1]["charts"] = [{"chartId": 5, "spec": {"title": "Mine"}}]
    run(sheet, charted(tasks("a", "b"), chart, chart))
    first, second = server.page("Tasks")["charts"]
    ends = [c["position"]["overlayPosition"]["offsetYPixels"] for c in (first, second)]
    assert ends[0] < ends[1], "one below the other"
    first["position"] = {"overlayPosition": "where the planner wants it"}
    run(sheet, charted(tasks("a", "b", "c"), chart))
    (kept,) = server.page("Tasks")["charts"]
    assert kept["position"] == {"overlayPosition": "where the planner wants it"}
    (series,) = kept["spec"]["basicChart"]["series"]
    (place,) = series["series"]["sourceRange"]["sources"]
    assert (place["startRowIndex"], place["endRowIndex"]) == (3, 7), "header and three rows"
    run(sheet, charted(tasks(), chart))
    assert server.page("Tasks")["charts"] == [], "nothing to draw"
    assert server.page("Mine")["charts"] == [{"chartId": 5, "spec": {"title": "Mine"}}]


def test_a_dropdown_follows_the_rows(server: GoogleServer, sheet: GoogleSheet) -> None:
    columns = (ResultColumn("Task"), ResultColumn("Lock", input=True, choices=("yes",)))

    def offered(row: int) -> list[str]:
        rule = server.cell("Tasks", row, 2).get("dataValidation")
        return [v["userEnteredValue"] for v in rule["condition"]["values"]] if rule else []

    for keys in ("abc", "a", "ab"):
        rows = [(key, None) for key in keys]
        plan = ResultSheet("Tasks", "Today", "Why.", "Tasks", columns, rows, key="Task")
        run(sheet, WritePlan((plan,)))
        offers = [offered(row) for row in range(4, 9)]
        assert offers == [[]] + [["yes"]] * len(keys) + [[]] * (4 - len(keys))


def charted(plan: WritePlan, *charts: Chart) -> WritePlan:
    (sheet,) = plan.sheets
    return WritePlan((replace(sheet, charts=charts),))
