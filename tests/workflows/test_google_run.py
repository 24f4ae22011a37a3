"""A planner's day on a Google Sheet, from settings to routes, in at most eight calls."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path

import pytest

from fleetdesk.errors import FleetDeskError, SettingsInvalid, WorkbookRefused
from fleetdesk.settings.fields import SECTIONS
from fleetdesk.settings.schema import SHEET_ORDER
from fleetdesk.sheets import open as door
from fleetdesk.sheets.google import GoogleSheet
from fleetdesk.sheets.google_http import SheetsHttp
from fleetdesk.sheets.google_values import entered
from fleetdesk.sheets.xlsx_file import XlsxFile
from fleetdesk.workflows.context import workbook_in
from fleetdesk.workflows.run import RunResult, check_workbook, run_workbook
from fleetdesk.workflows.watch_requests import watch_requests
from tests.sheets.google_server import KEY, Fault, GoogleServer, Time
from tests.workflows.conftest import Clock

ADDRESS = f"https://docs.google.com/spreadsheets/d/{KEY}/edit#gid=0"
MOST_CALLS = 8


@pytest.fixture
def google(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GoogleServer]:
    """The sample workbook's settings as a planner would have them in Google Sheets."""
    server = GoogleServer("Planner of the sample city")
    settings = {SECTIONS[section].sheet for section in SHEET_ORDER}
    for name, page in XlsxFile(workbook_in(workspace)).snapshot().sheets.items():
        if name not in settings:
            continue
        for (row, column), value in page.cells.items():
            if isinstance(value, date | time):
                kind = "DATE_TIME" if isinstance(value, datetime) else "DATE"
                kind = "TIME" if isinstance(value, time) else kind
                shown = {"numberFormat": {"type": kind}}
                number = entered(value)[0]["numberValue"]
                server.edit(name, row, column, number, userEnteredFormat=shown)
            else:
                server.edit(name, row, column, value)
    waits = Time()
    client = SheetsHttp(None, server.session(), clock=waits.clock, sleep=waits.sleep)
    monkeypatch.setattr(door, "connect", lambda key, secret: GoogleSheet(key, client))
    yield server
    server.close()


def test_a_day_is_planned_in_a_google_sheet_unless_it_was_edited_meanwhile(
    workspace: Path, google: GoogleServer
) -> None:
    edit = Fault("get", "call", skip=1, call=lambda: google.edit("City", 30, 1, "a note"))
    google.faults = [edit]
    with pytest.raises(WorkbookRefused, match="was changed"):
        run_workbook(ADDRESS, folder=workspace, clock=Clock())
    assert "write" not in google.calls, "an edit while the day is planned is not overwritten"
    google.calls.clear()
    before = {page["properties"]["title"]: dict(page["cells"]) for page in google.state["sheets"]}
    result = run_workbook(ADDRESS, folder=workspace, clock=Clock())
    assert result.published.summary["tasks_planned"] > 0
    assert len(google.calls) <= MOST_CALLS, google.calls
    google.calls.clear()
    again = run_workbook(ADDRESS, folder=workspace, clock=Clock())
    assert again.published.run_id != result.published.run_id
    assert len(google.calls) <= MOST_CALLS, google.calls
    sheets = GoogleSheet(KEY, SheetsHttp(None, google.session())).snapshot().sheets
    log = sheets["Run log"].cells
    runs = [log[row, 1] for row in sorted({row for row, _ in log}) if row > 4 and (row, 1) in log]
    assert runs == [result.published.run_id, again.published.run_id]
    assert {"Tasks", "Routes", "ROI", "KPIs", "Issues"} <= set(sheets)
    after = {page["properties"]["title"]: dict(page["cells"]) for page in google.state["sheets"]}
    assert {name: after[name] for name in before} == before


def test_problems_are_named_at_their_cells(workspace: Path, google: GoogleServer) -> None:
    google.edit("Weights", 5, 2, "much")
    with pytest.raises(SettingsInvalid, match="Weights!B5"):
        check_workbook(ADDRESS)
    assert google.calls == ["get"]


def test_the_menus_requests_are_done_once_and_answered(
    workspace: Path, google: GoogleServer
) -> None:
    for column, name in enumerate(("When", "Who", "What", "Request"), start=1):
        google.edit("Run requests", 1, column, name)
    for row, what in enumerate(("run", "undo", "dance"), start=2):
        for column, value in enumerate(("today", "Maria", what, f"id-{what}"), start=1):
            google.edit("Run requests", row, column, value)
    looks = 0

    def sleep(_seconds: float) -> None:
        nonlocal looks
        looks += 1
        if looks == 3:
            raise KeyboardInterrupt

    outcomes: list[object] = []
    with pytest.raises(KeyboardInterrupt):
        for outcome in watch_requests(ADDRESS, folder=workspace, clock=Clock(), sleep=sleep):
            outcomes.append(outcome)
    assert [type(outcome) for outcome in outcomes] == [RunResult, FleetDeskError, FleetDeskError]
    page = GoogleSheet(KEY, SheetsHttp(None, google.session())).snapshot().sheets["Run answers"]
    states = {page.cells[row, 1]: page.cells[row, 2] for row, c in page.cells if c == 2 and row > 4}
    assert states == {"id-run": "done", "id-undo": "refused", "id-dance": "refused"}
