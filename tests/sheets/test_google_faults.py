"""Whatever happens on the way, a run's write is in the Google Sheet whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
import requests
from google.auth.exceptions import RefreshError, TransportError
from google_server import KEY, Fault, GoogleServer, Time
from urllib3.exceptions import MaxRetryError, NewConnectionError

from fleetdesk.errors import WorkbookRefused
from fleetdesk.sheets.base import Receipt, ResultColumn, ResultSheet, WritePlan
from fleetdesk.sheets.google import GoogleSheet
from fleetdesk.sheets.google_http import Patience, SheetsHttp

NOW = datetime(2024, 5, 1, 12, 0, 0, tzinfo=UTC)
PATIENCE = Patience(deadline_s=120, read_s=0.3, first_wait_s=1, longest_wait_s=8)


class Run:
    """A server with a workbook that one run has written, and a client whose waits take no time."""

    def __init__(self) -> None:
        self.server = GoogleServer()
        self.server.add("City", 0)
        self.server.edit("City", 1, 2, "Thessaloniki")
        self.time = Time()
        self.client = SheetsHttp(
            None, self.server.session(), patience=PATIENCE, clock=self.time.clock,
            sleep=self.time.sleep, rng=Random(1), now=lambda: NOW,
        )  # fmt: skip
        self.sheet = GoogleSheet(KEY, self.client)
        self.write("a", "b")
        self.server.edit("Tasks", 5, 4, "call Maria")
        self.server.calls.clear()

    def write(self, *keys: str, expect: str | None = None) -> Receipt:
        rows = [(key, index) for index, key in enumerate(keys)]
        columns = (ResultColumn("Task"), ResultColumn("Rank"))
        sheet = ResultSheet("Tasks", "Today", "Why.", "Tasks", columns, rows, key="Task")
        return self.sheet.commit(
            WritePlan((sheet,)), expect or self.sheet.snapshot(names=()).fingerprint
        )

    @property
    def tasks(self) -> list[Any]:
        cells = self.sheet.snapshot(["Tasks"]).sheets["Tasks"].cells
        return [cells[row, 1] for row in range(5, 9) if (row, 1) in cells]

    @property
    def whole(self) -> bool:
        """The note stands beside its task, the rank beside its own."""
        cells = self.sheet.snapshot(["Tasks"]).sheets["Tasks"].cells
        keys = [cells[row, 1] for row in range(5, 9) if (row, 1) in cells]
        ranks = [cells[row, 2] for row in range(5, 9) if (row, 2) in cells]
        noted = [cells.get((row, 1)) for row, column in cells if column == 4]
        return ranks == list(range(len(keys))) and noted == ["a"]

    def fault(self, *faults: Fault) -> None:
        self.server.faults = list(faults)


@pytest.fixture
def run() -> Iterator[Run]:
    made = Run()
    yield made
    made.server.close()


@pytest.mark.parametrize("on", ["get", "details", "drive", "write"])
def test_too_many_calls_wait_as_long_as_google_asks(on: str, run: Run) -> None:
    run.fault(Fault(on, "429", times=2, headers={"Retry-After": "17"}))
    run.write("b", "a")
    assert run.time.waits == [17.0, 17.0]
    assert run.tasks == ["b", "a"] and run.whole
    assert run.server.calls.count("write") == 1


def test_a_wait_may_be_given_as_a_date(run: Run) -> None:
    run.fault(Fault("write", "429", headers={"Retry-After": "Wed, 01 May 2024 12:00:40 GMT"}))
    run.write("b", "a")
    assert run.time.waits == [40.0]


def test_a_wait_beyond_the_deadline_is_told_at_once(run: Run) -> None:
    run.fault(Fault("write", "429", headers={"Retry-After": "3600"}))
    with pytest.raises(WorkbookRefused) as refused:
        run.write("b", "a")
    assert refused.value.retry_helps and "3600 s" in str(refused.value)
    assert run.time.waits == []
    assert run.tasks == ["a", "b"] and run.whole


def test_drives_way_of_saying_too_many_is_understood(run: Run) -> None:
    run.fault(Fault("drive", "403", reason="userRateLimitExceeded"))
    run.write("b", "a")
    assert len(run.time.waits) == 1


@pytest.mark.parametrize("status", ["500", "502", "503", "504"])
@pytest.mark.parametrize("on", ["get", "details", "drive", "write"])
def test_a_burst_of_faults_is_sat_out(on: str, status: str, run: Run) -> None:
    run.fault(Fault(on, status, times=3))
    run.write("b", "a")
    assert run.tasks == ["b", "a"] and run.whole
    assert run.server.calls.count("write") == 1


def test_waits_grow_and_are_spread(run: Run) -> None:
    run.fault(Fault("get", "503", times=5))
    run.write("b", "a")
    bounds = [(0.5, 1), (1, 2), (2, 4), (4, 8), (4, 8)]
    assert all(
        low <= wait <= high for wait, (low, high) in zip(run.time.waits, bounds, strict=True)
    )
    assert len({wait % 0.5 for wait in run.time.waits}) == 5


@pytest.mark.parametrize("on", ["get", "details", "drive", "write"])
def test_faults_without_end_come_to_one(on: str, run: Run) -> None:
    run.fault(Fault(on, "503", times=1000))
    with pytest.raises(WorkbookRefused) as refused:
        run.write("b", "a")
    assert refused.value.retry_helps
    assert "503" in str(refused.value)
    assert sum(run.time.waits) <= 4 * PATIENCE.deadline_s
    run.fault()
    assert run.tasks == ["a", "b"] and run.whole


@pytest.mark.parametrize("do", ["drop", "hang", "500"])
def test_a_write_that_arrived_although_its_answer_was_lost_is_done(do: str, run: Run) -> None:
    run.fault(Fault("write", do, when="after"))
    receipt = run.write("b", "a")
    assert run.server.calls.count("write") == 1
    assert run.tasks == ["b", "a"] and run.whole
    assert receipt.fingerprint == run.sheet.snapshot().fingerprint


@pytest.mark.parametrize("do", ["drop", "hang"])
def test_a_write_lost_on_the_way_leaves_everything_and_is_not_sent_again(do: str, run: Run) -> None:
    run.fault(Fault("write", do))
    with pytest.raises(WorkbookRefused, match="as it was") as refused:
        run.write("b", "a")
    assert refused.value.retry_helps
    assert run.server.calls.count("write") == 0
    assert run.tasks == ["a", "b"] and run.whole


def test_a_write_that_arrives_late_is_found(run: Run) -> None:
    """The connection drops, and the service carries the write out after our first look."""
    kept: list[Any] = []
    answer = run.server.answer

    def late(method: str, path: str, query: Any, body: Any) -> Any:
        if path.endswith(":batchUpdate"):
            kept.append((method, path, query, body))
        elif kept and len(run.time.waits) == 2:
            answer(*kept.pop())
        return answer(method, path, query, body) if method == "GET" else {}

    run.server.answer = late  # type: ignore[method-assign]
    run.fault(Fault("write", "drop", when="after"))
    run.write("b", "a")
    assert run.tasks == ["b", "a"] and run.whole


def test_a_write_whose_fate_cannot_be_read_is_told_so(run: Run) -> None:
    lost = Fault("write", "drop", when="after")
    run.fault(Fault("write", "call", call=lambda: run.fault(lost, Fault("get", "503", times=99))))
    with pytest.raises(WorkbookRefused, match="all of it is there or nothing is") as refused:
        run.write("b", "a")
    assert refused.value.retry_helps
    run.fault()
    assert run.tasks == ["b", "a"] and run.whole


def edits(server: GoogleServer) -> list[Callable[[], None]]:
    return [
        lambda: server.edit("City", 1, 2, "Volos"),
        lambda: server.edit("Tasks", 5, 4, "call Nikos"),
        lambda: server.edit("Tasks", 5, 2, 7),
        lambda: server.edit("Mine", 1, 1, "new sheet"),
        lambda: server.rename("Tasks", "Monday"),
        lambda: server.delete("Tasks"),
    ]


@pytest.mark.parametrize("number", range(6))
@pytest.mark.parametrize("call", [("get", 1), ("get", 2), ("drive", 1)])
def test_an_edit_in_mid_run_is_seen_and_nothing_is_overwritten(
    number: int, call: tuple[str, int], run: Run
) -> None:
    """The planner edits before the preparing read, before the last one, and right after that."""
    edit = edits(run.server)[number]
    on, skip = call
    run.fault(Fault(on, "call", call=edit, skip=skip))
    with pytest.raises(WorkbookRefused, match="was changed") as refused:
        run.write("b", "a")
    assert refused.value.retry_helps
    assert "write" not in run.server.calls
    expected = Run()
    edits(expected.server)[number]()
    assert run.sheet.snapshot() == expected.sheet.snapshot()
    expected.server.close()


def test_a_change_of_version_without_one_of_content_is_no_edit(run: Run) -> None:
    def touch() -> None:
        run.server.drive_version += 1

    run.fault(Fault("drive", "call", call=touch, skip=1))
    run.write("b", "a")
    assert run.tasks == ["b", "a"]
    assert len(run.server.calls) <= 8 + 1  # the reading of this test's own snapshot


def test_an_edit_between_two_tries_of_a_write_is_seen(run: Run) -> None:
    edit = Fault("get", "call", skip=3, call=lambda: run.server.edit("City", 1, 2, "Volos"))
    run.fault(Fault("write", "503"), edit)
    with pytest.raises(WorkbookRefused, match="was changed"):
        run.write("b", "a")
    assert "write" not in run.server.calls
    assert run.sheet.snapshot().sheets["City"].cells[1, 2] == "Volos"


def test_two_runs_at_once_do_not_mix(run: Run) -> None:
    expect = run.sheet.snapshot().fingerprint
    run.write("b", "a", expect=expect)
    with pytest.raises(WorkbookRefused, match="was changed"):
        run.write("a", expect=expect)
    assert run.tasks == ["b", "a"] and run.whole


@pytest.mark.parametrize(
    ("status", "reason", "says"),
    [
        ("401", "Request had invalid authentication credentials.", "fleetdesk login google"),
        ("403", "The caller does not have permission", "as editor"),
        ("403", "Google Sheets API has not been used: SERVICE_DISABLED", "Switch on"),
        ("404", "Requested entity was not found.", "not shared"),
        ("400", "You are trying to edit a protected cell or object.", "Protect sheets and ranges"),
        ("400", "Invalid requests[0]", "status 400"),
    ],
)
def test_refusals_name_the_fix_and_are_not_repeated(
    status: str, reason: str, says: str, run: Run
) -> None:
    run.fault(Fault("write", status, reason=reason))
    with pytest.raises(WorkbookRefused) as refused:
        run.write("b", "a")
    assert says in str(refused.value)
    assert not refused.value.retry_helps
    assert run.time.waits == []
    assert run.tasks == ["a", "b"] and run.whole


class Broken(requests.Session):
    """A session that raises before anything is sent."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error
        self.calls = 0

    def request(self, *args: Any, **kwargs: Any) -> Any:
        self.calls += 1
        raise self.error


def test_a_write_that_never_left_is_sent_again(run: Run) -> None:
    send, failed = run.client.session.request, []

    def refuse_first(method: str, *args: Any, **kwargs: Any) -> Any:
        if method == "post" and not failed:
            failed.append(method)
            reason = NewConnectionError(None, "refused")  # type: ignore[arg-type]
            raise requests.ConnectionError(MaxRetryError(None, "", reason))  # type: ignore[arg-type]
        return send(method, *args, **kwargs)

    run.client.session.request = refuse_first
    run.write("b", "a")
    assert failed and run.tasks == ["b", "a"] and run.whole


@pytest.mark.parametrize(
    ("error", "says", "again"),
    [
        (TransportError("no network"), "could not be reached", True),
        (requests.ConnectTimeout("slow"), "could not be reached", True),
        (requests.ConnectionError("refused"), "could not be reached", True),
        (RefreshError("invalid_grant: ya29.token"), "login google", False),
        (requests.exceptions.SSLError("certificate"), "clock", False),
    ],
)
def test_a_network_that_is_not_there_ends_in_a_sentence(
    error: Exception, says: str, again: bool
) -> None:
    time, session = Time(), Broken(error)
    client = SheetsHttp(None, session, clock=time.clock, sleep=time.sleep, rng=Random(1))
    with pytest.raises(WorkbookRefused) as refused:
        GoogleSheet(KEY, client).snapshot()
    assert says in str(refused.value) and "ya29" not in str(refused.value)
    assert refused.value.retry_helps is again
    assert (session.calls > 1) is again
    assert sum(time.waits) <= Patience().deadline_s
