"""The menu of a Google Sheet, run in node with stand-ins for Google's services."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from fleetdesk.sheets.base import Value
from fleetdesk.sheets.memory import MemoryWorkbook
from fleetdesk.sheets.run_requests import ANSWERS, HEADERS, REQUESTS, requests

FOLDER = Path(__file__).resolve().parents[2] / "sheets_templates" / "apps_script"
MENU = [["Run", "askForRun"], ["Check", "askForCheck"], ["Undo", "askForUndo"]]


def menu(*actions: str, **scenario: Any) -> dict[str, Any]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed, so the script of the Google menu cannot be run")
    scenario = {"actions": actions, "email": "maria@example.org", **scenario}
    script = [node, str(Path(__file__).parent / "menu.js"), str(FOLDER / "Code.gs")]
    done = subprocess.run(
        [*script, json.dumps(scenario)], capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def cells(log: dict[str, Any], sheet: str = REQUESTS) -> dict[tuple[int, int], Value]:
    return {
        (int(key.split(",")[0]), int(key.split(",")[1])): cell["value"]
        for key, cell in log["sheets"][sheet].items()
    }


def test_the_menu_has_its_three_items() -> None:
    log = menu("onOpen")
    assert (log["title"], log["menu"], log["shown"]) == ("FleetDesk", MENU, True)
    assert log["sheets"] == {}


def test_what_the_menu_writes_is_what_fleetdesk_reads() -> None:
    log = menu("askForRun", "askForCheck", "askForUndo")
    found = requests(MemoryWorkbook({REQUESTS: cells(log)}))
    assert [(r.id, r.who, r.what) for r in found] == [
        ("uuid-1", "maria@example.org", "run"),
        ("uuid-2", "maria@example.org", "check"),
        ("uuid-3", "maria@example.org", "undo"),
    ]
    assert [cells(log)[1, column] for column in range(1, 5)] == list(HEADERS)
    assert log["locked"] == log["released"] == log["flushed"] == 3
    assert [title for title, _ in log["toasts"]] == ["FleetDesk"] * 3


def test_state_and_answer_look_into_fleetdesks_sheet() -> None:
    log = menu("askForRun")
    state, text = (log["sheets"][REQUESTS][f"2,{column}"] for column in (5, 6))
    assert (state["kind"], text["kind"]) == ("formula", "formula")
    assert f"'{ANSWERS}'!A:C" in state["value"] and "$D2" in state["value"]
    assert ', 2, FALSE), "waiting")' in state["value"] and ", 3, FALSE)" in text["value"]


def test_rows_go_below_what_is_there_and_change_nothing_of_it() -> None:
    mine = [[*HEADERS, "State"], ["Monday", "Nikos", "run", None, "a note"], [None] * 4 + ["below"]]
    log = menu("askForRun", sheets={REQUESTS: mine, "City": [["City"]]}, maxRows=3)
    after = cells(log)
    for row, values in enumerate(mine, start=1):
        for column, value in enumerate(values, start=1):
            assert after.get((row, column)) == value
    assert after[4, 3] == "run"
    assert cells(log, "City") == {(1, 1): "City"}


def test_a_sheet_of_the_planners_own_is_left_alone() -> None:
    log = menu("askForRun", sheets={REQUESTS: [["My", "own", "list"]]})
    assert cells(log) == {(1, 1): "My", (1, 2): "own", (1, 3): "list"}
    assert "Rename it" in log["toasts"][0][1]
    assert log["released"] == 1


def test_who_is_never_a_formula() -> None:
    log = menu("askForRun", email="=HYPERLINK(1)")
    assert log["sheets"][REQUESTS]["2,2"] == {"value": "=HYPERLINK(1)", "kind": "string"}


def test_without_an_address_it_is_the_planner() -> None:
    assert cells(menu("askForRun", email=""))[2, 2] == "planner"


def test_two_at_once_do_not_mix() -> None:
    log = menu("askForRun", busy=True)
    assert log["sheets"] == {} and log["released"] == 0
    assert "try again" in log["toasts"][0][1]


def test_the_script_asks_for_this_sheet_only() -> None:
    manifest = json.loads((FOLDER / "appsscript.json").read_text(encoding="utf-8"))
    scopes = [scope.rsplit("/", 1)[1] for scope in manifest["oauthScopes"]]
    assert scopes == ["spreadsheets.currentonly", "script.container.ui", "userinfo.email"]
