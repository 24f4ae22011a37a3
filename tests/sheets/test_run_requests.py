"""Requests are found and answered in any workbook, and no cell of a planner's is written."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from google_server import KEY, Fault, GoogleServer, Time

from fleetdesk.sheets.base import Workbook
from fleetdesk.sheets.google import GoogleSheet
from fleetdesk.sheets.google_http import SheetsHttp
from fleetdesk.sheets.memory import MemoryWorkbook
from fleetdesk.sheets.run_requests import ANSWERS, REQUESTS, RequestState, answer, requests

AT = datetime(2024, 5, 1, 10, 0)
ASKED = [
    ("When", "Who", "What", "Request", "State"),
    (datetime(2024, 5, 1, 9), "maria@example.org", "run", "id-1", "waiting"),
    (datetime(2024, 5, 1, 9, 5), "nikos", "Check ", "id-2", "waiting"),
    (None, None, None, None, None),
    (datetime(2024, 5, 1, 9, 7), "maria", "run", None, None),
    (datetime(2024, 5, 1, 9, 7), "maria", "run", None, None),
    (datetime(2024, 5, 1, 9, 9), "maria", None, None, "a note of hers"),
]


@pytest.fixture(params=["memory", "google"])
def book(request: pytest.FixtureRequest) -> Iterator[tuple[Workbook, Any]]:
    if request.param == "memory":
        workbook = MemoryWorkbook({"City": {(1, 1): "City"}})
        yield workbook, workbook.edit
        return
    server = GoogleServer()
    server.add("City", 0)
    waits = Time()
    client = SheetsHttp(None, server.session(), clock=waits.clock, sleep=waits.sleep)

    def edit(sheet: str, row: int, column: int, value: Any) -> None:
        if isinstance(value, datetime):
            days = (value - datetime(1899, 12, 30)).total_seconds() / 86_400
            shown = {"numberFormat": {"type": "DATE_TIME"}}
            server.edit(sheet, row, column, days, userEnteredFormat=shown)
        else:
            server.edit(sheet, row, column, value)

    yield GoogleSheet(KEY, client), edit
    server.close()


def ask(edit: Any) -> None:
    for row, values in enumerate(ASKED, start=1):
        for column, value in enumerate(values, start=1):
            if value is not None:
                edit(REQUESTS, row, column, value)


def test_no_sheet_is_no_request(book: tuple[Workbook, Any]) -> None:
    assert requests(book[0]) == ()


def test_each_request_is_found_once_until_it_is_answered(book: tuple[Workbook, Any]) -> None:
    workbook, edit = book
    ask(edit)
    first, second, third = requests(workbook)
    assert (first.id, first.who, first.what) == ("id-1", "maria@example.org", "run")
    assert first.when == datetime(2024, 5, 1, 9)
    assert (second.id, second.what, third.what) == ("id-2", "check", "run")
    answer(workbook, first, RequestState.RUNNING, "", AT)
    assert requests(workbook) == (second, third)
    answer(workbook, first, RequestState.DONE, "Planned 12 tasks", AT)
    answer(workbook, third, RequestState.REFUSED, "=Weights!B5: 1.7 is above 1", AT)
    assert requests(workbook) == (second,)
    cells = workbook.snapshot([ANSWERS]).sheets[ANSWERS].cells
    rows = [[cells.get((row, column)) for column in range(1, 5)] for row in (5, 6)]
    assert rows == [
        ["id-1", "done", "Planned 12 tasks", AT],
        [third.id, "refused", "=Weights!B5: 1.7 is above 1", AT],
    ]


def test_the_planners_sheet_is_never_written(book: tuple[Workbook, Any]) -> None:
    workbook, edit = book
    ask(edit)
    before = workbook.snapshot([REQUESTS]).sheets[REQUESTS]
    for request in requests(workbook):
        answer(workbook, request, RequestState.DONE, "done", AT)
    assert workbook.snapshot([REQUESTS]).sheets[REQUESTS] == before


def test_requests_that_come_while_one_is_answered_are_kept() -> None:
    server = GoogleServer()
    server.add("City", 0)
    ask(lambda sheet, row, column, value: server.edit(sheet, row, column, str(value)))
    client = SheetsHttp(None, server.session(), sleep=Time().sleep)
    workbook = GoogleSheet(KEY, client)
    first = requests(workbook)[0]

    def another() -> None:
        for column, value in enumerate(("now", "nikos", "undo", "id-9"), start=1):
            server.edit(REQUESTS, 9, column, value)

    server.faults = [Fault("drive", "call", call=another)]
    answer(workbook, first, RequestState.DONE, "done", AT)
    assert "id-9" in [request.id for request in requests(workbook)]
    assert first.id not in [request.id for request in requests(workbook)]
    server.close()
